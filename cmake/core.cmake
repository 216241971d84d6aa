# core: what a microcontroller and a PC both run.

file(GLOB KEYWRIGHT_CORE_SOURCES CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/core/*.c)
add_library(keywright_core STATIC ${KEYWRIGHT_CORE_SOURCES})
target_link_libraries(keywright_core PUBLIC keywright_warnings)
