# What `cmake --install` puts where, and the manual pages that it needs.
#
# The command with its manual, documents, completion and schemas; and
# keywright-core, the library that firmware and other programs embed:
# libkeywright_core.a, the headers of core/ (included as "core/chip.h") and
# keywright.pc.

install(TARGETS keywright RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY data/schemas
  DESTINATION ${CMAKE_INSTALL_DATADIR}/keywright
  FILES_MATCHING PATTERN "*.json")
install(FILES completions/keywright.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME keywright)

# What the README and the messages of the program name, at the names that they
# name it by. The manual and the schemas have places of their own.
install(FILES README.md CHANGELOG.md CONTRIBUTING.md LICENSE
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
set(KEYWRIGHT_DOC_LINKS ${PROJECT_BINARY_DIR}/doc-links)
file(MAKE_DIRECTORY ${KEYWRIGHT_DOC_LINKS}/data)
foreach(link
    "man:${CMAKE_INSTALL_MANDIR}/man1"
    "data/schemas:${CMAKE_INSTALL_DATADIR}/keywright/schemas")
  string(REPLACE ":" ";" link ${link})
  list(GET link 0 name)
  list(GET link 1 place)
  get_filename_component(folder ${CMAKE_INSTALL_DOCDIR}/${name} DIRECTORY)
  file(RELATIVE_PATH target /${folder} /${place})
  file(CREATE_LINK ${target} ${KEYWRIGHT_DOC_LINKS}/${name} SYMBOLIC)
endforeach()
install(DIRECTORY ${KEYWRIGHT_DOC_LINKS}/ DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The manual.
find_program(SCDOC scdoc)
if(SCDOC)
  file(GLOB KEYWRIGHT_MAN_SOURCES CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/man/*.scd)
  foreach(source ${KEYWRIGHT_MAN_SOURCES})
    get_filename_component(page ${source} NAME_WLE)
    set(output ${PROJECT_BINARY_DIR}/man/${page})
    add_custom_command(OUTPUT ${output}
      COMMAND sh -c "\"$1\" < \"$2\" > \"$3\"" man
        ${SCDOC} ${source} ${output}
      DEPENDS ${source} VERBATIM)
    list(APPEND KEYWRIGHT_MAN_PAGES ${output})
  endforeach()
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/man)
  add_custom_target(man ALL DEPENDS ${KEYWRIGHT_MAN_PAGES})
  install(FILES ${KEYWRIGHT_MAN_PAGES}
    DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
else()
  message(STATUS "scdoc not found: no manual pages")
endif()

# keywright-core.
install(TARGETS keywright_core ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY core
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/keywright
  FILES_MATCHING PATTERN "*.h")

set(KEYWRIGHT_PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH KEYWRIGHT_PC_PREFIX
  ${CMAKE_INSTALL_PREFIX}/${KEYWRIGHT_PC_DIR} ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" KEYWRIGHT_PC_PREFIX "${KEYWRIGHT_PC_PREFIX}")
set(PROJECT_DESCRIPTION
  "Commands and key rotation of ATECC608 secure elements, without a heap")
configure_file(cmake/keywright.pc.in keywright.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/keywright.pc
  DESTINATION ${KEYWRIGHT_PC_DIR})
