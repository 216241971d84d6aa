# What a preset adds to every file: sanitizers, coverage, fuzzing.

set(KEYWRIGHT_INSTRUMENT "" CACHE STRING "asan, coverage, fuzz or nothing")

if(KEYWRIGHT_INSTRUMENT STREQUAL "asan")
  add_compile_options(-fsanitize=address,undefined
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(KEYWRIGHT_INSTRUMENT STREQUAL "coverage")
  add_compile_options(--coverage -O0)
  add_link_options(--coverage)
elseif(KEYWRIGHT_INSTRUMENT STREQUAL "fuzz")
  # Clang takes a promoted uint8_t for signed where gcc knows better; whose
  # warnings are errors is gcc, in the dev preset.
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()
