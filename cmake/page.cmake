# The page of `keywright primitives page`: the engine as WebAssembly, and the
# page's own files, both embedded in the program.
#
# Clang and wasm-ld (Debian: clang, lld) are not needed for anything else, so
# without them the rest is built and the verb says what was missing.

find_program(KEYWRIGHT_WASM_CLANG clang)
find_program(KEYWRIGHT_WASM_LD wasm-ld)

file(GLOB KEYWRIGHT_PAGE_FILES CONFIGURE_DEPENDS
  RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/web/primitives/*
  ${PROJECT_SOURCE_DIR}/examples/*.json
  ${PROJECT_SOURCE_DIR}/data/primitives/schemas/project.json)
list(TRANSFORM KEYWRIGHT_PAGE_FILES PREPEND ${PROJECT_SOURCE_DIR}/
  OUTPUT_VARIABLE KEYWRIGHT_PAGE_PATHS)

if(KEYWRIGHT_WASM_CLANG AND KEYWRIGHT_WASM_LD)
  file(GLOB KEYWRIGHT_ENGINE_SOURCES CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/host/primitives/engine*.c
    ${PROJECT_SOURCE_DIR}/host/primitives/cover.c)
  file(GLOB KEYWRIGHT_ENGINE_HEADERS CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/host/primitives/engine*.h
    ${PROJECT_SOURCE_DIR}/host/primitives/cover.h)
  set(KEYWRIGHT_WASM ${PROJECT_BINARY_DIR}/engine.wasm)
  # memory.copy and memory.fill instead of a C library; the stack lies first,
  # so that an overflow is a trap and not another variable's value.
  add_custom_command(OUTPUT ${KEYWRIGHT_WASM}
    COMMAND ${KEYWRIGHT_WASM_CLANG} --target=wasm32 -std=c17 -O2
      -ffreestanding -nostdlib -mbulk-memory -Wall -Wextra -Werror
      -I ${PROJECT_SOURCE_DIR} -fuse-ld=${KEYWRIGHT_WASM_LD}
      -Wl,--no-entry,--strip-all,--stack-first,-z,stack-size=262144
      -Wl,--export=kw_engine_call_evaluate,--export=kw_engine_call_close
      -Wl,--export=kw_engine_call_exclude,--export=__heap_base
      -o ${KEYWRIGHT_WASM} ${KEYWRIGHT_ENGINE_SOURCES}
    DEPENDS ${KEYWRIGHT_ENGINE_SOURCES} ${KEYWRIGHT_ENGINE_HEADERS}
    COMMENT "Building the engine as WebAssembly" VERBATIM)
  list(APPEND KEYWRIGHT_PAGE_FILES ${KEYWRIGHT_WASM})
  list(APPEND KEYWRIGHT_PAGE_PATHS ${KEYWRIGHT_WASM})
else()
  message(STATUS "clang or wasm-ld not found: no `primitives page`")
endif()

set(KEYWRIGHT_PAGE ${PROJECT_BINARY_DIR}/page_files.c)
add_custom_command(OUTPUT ${KEYWRIGHT_PAGE}
  COMMAND ${CMAKE_COMMAND} -DOUTPUT=${KEYWRIGHT_PAGE} -DTABLE=kw_page
    -DROOT=${PROJECT_SOURCE_DIR} "-DFILES=${KEYWRIGHT_PAGE_FILES}"
    -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${KEYWRIGHT_PAGE_PATHS} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  VERBATIM)
target_sources(keywright_host PRIVATE ${KEYWRIGHT_PAGE})
