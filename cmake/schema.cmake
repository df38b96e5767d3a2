# SPDX-License-Identifier: Apache-2.0
# The numbered migrations of db/schema become one C file of octet arrays, in their order.
file(GLOB schemas CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/db/schema/*.sql)
list(SORT schemas)
set(arrays "")
set(rows "")
set(number 0)
foreach(schema IN LISTS schemas)
	math(EXPR number "${number} + 1")
	get_filename_component(name ${schema} NAME_WE)
	file(READ ${schema} hex HEX)
	string(REGEX REPLACE "(..)" "0x\\1," octets "${hex}")
	string(APPEND arrays "static const char sql_${number}[] = { ${octets} 0 };\n")
	string(APPEND rows "\t{ \"${name}\", sql_${number} },\n")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/schema.c CONTENT
"/* SPDX-License-Identifier: Apache-2.0 */
#include \"schema.h\"

${arrays}
const struct schema_step schema_steps[] = {
${rows}};
const int schema_count = ${number};
" @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${schemas})
target_sources(mm_db PRIVATE ${CMAKE_BINARY_DIR}/generated/schema.c)
