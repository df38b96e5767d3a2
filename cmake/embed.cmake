# SPDX-License-Identifier: Apache-2.0
# mm_embed(TARGET NAME FILE): FILE's octets as "const unsigned char NAME[]" and "size_t NAME_len".
# Run as a script (cmake -P) it writes that C file.
if(CMAKE_SCRIPT_MODE_FILE)
	file(READ "${FROM}" hex HEX)
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," octets "${hex}")
	string(LENGTH "${hex}" digits)
	math(EXPR length "${digits} / 2")
	file(WRITE "${TO}" "#include <stddef.h>\n"
		"extern const unsigned char ${NAME}[];\nextern const size_t ${NAME}_len;\n"
		"const unsigned char ${NAME}[] = {${octets}0};\n"
		"const size_t ${NAME}_len = ${length};\n")
	return()
endif()

function(mm_embed target name file)
	set(to ${CMAKE_BINARY_DIR}/${name}.c)
	add_custom_command(OUTPUT ${to}
		COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DFROM=${CMAKE_SOURCE_DIR}/${file} -DTO=${to}
			-P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
		DEPENDS ${CMAKE_SOURCE_DIR}/${file} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
	target_sources(${target} PRIVATE ${to})
endfunction()
