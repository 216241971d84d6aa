# Toolchain: Cortex-M0 and M0+ (ARMv6-M), Debian's gcc-arm-none-eabi.
#
# No unaligned access on this architecture: a cast that raises the alignment
# is an error, on every type.

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR armv6m)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

set(CMAKE_C_FLAGS_INIT
  "-mcpu=cortex-m0plus -mthumb -ffunction-sections -fdata-sections")
string(APPEND CMAKE_C_FLAGS_INIT
  " -fstack-usage -Werror=cast-align -Wcast-align=strict")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
