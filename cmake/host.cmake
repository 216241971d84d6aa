# sim, host and the command: what a PC adds.

find_package(OpenSSL 3 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(P11KIT REQUIRED IMPORTED_TARGET p11-kit-1)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(HIDAPI REQUIRED IMPORTED_TARGET hidapi-hidraw)

add_library(keywright_posix INTERFACE)
target_compile_definitions(keywright_posix INTERFACE _GNU_SOURCE)

file(GLOB KEYWRIGHT_SIM_SOURCES CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/sim/*/*.c)
add_library(keywright_sim STATIC ${KEYWRIGHT_SIM_SOURCES})
target_link_libraries(keywright_sim
  PUBLIC keywright_core keywright_posix PRIVATE OpenSSL::SSL OpenSSL::Crypto)

file(GLOB KEYWRIGHT_HOST_SOURCES CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/host/*.c ${PROJECT_SOURCE_DIR}/host/*/*.c)

# The data of `keywright primitives` goes into the program.
file(GLOB KEYWRIGHT_SHIPPED_FILES CONFIGURE_DEPENDS
  RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/data/primitives/*.json
  ${PROJECT_SOURCE_DIR}/data/platforms/*.json
  ${PROJECT_SOURCE_DIR}/data/standards/*.json)
set(KEYWRIGHT_SHIPPED ${PROJECT_BINARY_DIR}/shipped_files.c)
list(TRANSFORM KEYWRIGHT_SHIPPED_FILES PREPEND ${PROJECT_SOURCE_DIR}/
  OUTPUT_VARIABLE KEYWRIGHT_SHIPPED_PATHS)
add_custom_command(OUTPUT ${KEYWRIGHT_SHIPPED}
  COMMAND ${CMAKE_COMMAND} -DOUTPUT=${KEYWRIGHT_SHIPPED} -DTABLE=kw_shipped
    -DROOT=${PROJECT_SOURCE_DIR} "-DFILES=${KEYWRIGHT_SHIPPED_FILES}"
    -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${KEYWRIGHT_SHIPPED_PATHS} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  VERBATIM)

add_library(keywright_host STATIC ${KEYWRIGHT_HOST_SOURCES}
  ${KEYWRIGHT_SHIPPED})
target_link_libraries(keywright_host
  PUBLIC keywright_core keywright_posix PkgConfig::JANSSON
  PRIVATE keywright_sim PkgConfig::CURL OpenSSL::SSL OpenSSL::Crypto PkgConfig::HIDAPI)
target_link_libraries(keywright_host PRIVATE PkgConfig::P11KIT)

# The nouns are a library too, so that the power-cut runner can call them.
file(GLOB KEYWRIGHT_CLI_SOURCES CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/cli/*.c)
add_library(keywright_cli STATIC ${KEYWRIGHT_CLI_SOURCES})
target_compile_definitions(keywright_cli PRIVATE
  KEYWRIGHT_VERSION="${PROJECT_VERSION}")
target_link_libraries(keywright_cli PUBLIC keywright_host)

add_executable(keywright main.c)
target_link_libraries(keywright PRIVATE keywright_cli)
