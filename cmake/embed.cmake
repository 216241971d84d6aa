# cmake -DOUTPUT=FILE.c -DROOT=FOLDER -DFILES=a;b -P embed.cmake: writes
# the files as arrays, with the table kw_shipped_files.
set(arrays)
set(table)
set(index 0)
foreach(file IN LISTS FILES)
  file(READ ${ROOT}/${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND arrays
    "static const unsigned char FILE_${index}[] = {${hex}0};\n")
  string(APPEND table
    "    {\"${file}\", FILE_${index}, sizeof FILE_${index} - 1},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUTPUT} "#include \"host/primitives/shipped.h\"\n\n${arrays}\n\
const struct kw_shipped_file kw_shipped_files[] = {\n${table}};\n\
const size_t kw_shipped_file_count = ${index};\n")
