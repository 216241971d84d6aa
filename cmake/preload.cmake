# libkeywright-i2c.so: loaded into foreign programs, so without sanitizers.

add_library(keywright_i2c SHARED preload/i2c.c)
set_target_properties(keywright_i2c PROPERTIES
  OUTPUT_NAME keywright-i2c C_VISIBILITY_PRESET hidden)
target_link_libraries(keywright_i2c PRIVATE
  keywright_warnings keywright_posix ${CMAKE_DL_LIBS})
target_link_options(keywright_i2c PRIVATE -Wl,--no-undefined)
# It defines the functions that the checked headers would make inline.
target_compile_options(keywright_i2c PRIVATE -U_FORTIFY_SOURCE)
if(KEYWRIGHT_INSTRUMENT STREQUAL "asan" OR KEYWRIGHT_INSTRUMENT STREQUAL "fuzz")
  target_compile_options(keywright_i2c PRIVATE -fno-sanitize=all)
  target_link_options(keywright_i2c PRIVATE -fno-sanitize=all)
endif()
install(TARGETS keywright_i2c LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
