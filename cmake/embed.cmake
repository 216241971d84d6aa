# cmake -DOUTPUT=FILE.c -DTABLE=kw_shipped -DROOT=FOLDER -DFILES=a;b
# -P embed.cmake: writes the files as arrays, with the table TABLE_files. A
# file below ROOT is named by its path, another by its last part.
set(arrays)
set(table)
set(index 0)
foreach(file IN LISTS FILES)
  set(path ${ROOT}/${file})
  if(IS_ABSOLUTE ${file})
    set(path ${file})
    get_filename_component(file ${path} NAME)
  endif()
  file(READ ${path} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND arrays
    "static const unsigned char FILE_${index}[] = {${hex}0};\n")
  string(APPEND table
    "    {\"${file}\", FILE_${index}, sizeof FILE_${index} - 1},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUTPUT} "#include \"host/primitives/shipped.h\"\n\n${arrays}\n\
const struct kw_shipped_file ${TABLE}_files[] = {\n${table}};\n\
const size_t ${TABLE}_file_count = ${index};\n")
