# sim, host and the command: what a PC adds.

find_package(OpenSSL 3 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)

add_library(keywright_posix INTERFACE)
target_compile_definitions(keywright_posix INTERFACE _GNU_SOURCE)

file(GLOB KEYWRIGHT_SIM_SOURCES CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/sim/*/*.c)
add_library(keywright_sim STATIC ${KEYWRIGHT_SIM_SOURCES})
target_link_libraries(keywright_sim
  PUBLIC keywright_core keywright_posix PRIVATE OpenSSL::Crypto)

file(GLOB KEYWRIGHT_HOST_SOURCES CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/host/*.c)
add_library(keywright_host STATIC ${KEYWRIGHT_HOST_SOURCES})
target_link_libraries(keywright_host
  PUBLIC keywright_core keywright_posix PkgConfig::JANSSON
  PRIVATE keywright_sim OpenSSL::Crypto)

# The nouns are a library too, so that the power-cut runner can call them.
file(GLOB KEYWRIGHT_CLI_SOURCES CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/cli/*.c)
add_library(keywright_cli STATIC ${KEYWRIGHT_CLI_SOURCES})
target_compile_definitions(keywright_cli PRIVATE
  KEYWRIGHT_VERSION="${PROJECT_VERSION}")
target_link_libraries(keywright_cli PUBLIC keywright_host)

add_executable(keywright main.c)
target_link_libraries(keywright PRIVATE keywright_cli)
