# SPDX-License-Identifier: Apache-2.0
# One static library per layer. A layer exports only its own directory, and sees
# only the directories of the layers it links: a wrong include does not compile.

add_library(mm_flags INTERFACE)
target_compile_options(mm_flags INTERFACE -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes
	-Wmissing-prototypes -Wpointer-arith -Wvla -Wformat=2 -Wundef -Wno-unused-parameter
	-fno-common -fstack-protector-strong)
target_compile_definitions(mm_flags INTERFACE _GNU_SOURCE
	MESHMASON_VERSION="${PROJECT_VERSION}")
if(MESHMASON_SANITIZE)
	target_compile_options(mm_flags INTERFACE -fsanitize=address,undefined
		-fno-sanitize-recover=all -fno-omit-frame-pointer -UNDEBUG)
	target_link_options(mm_flags INTERFACE -fsanitize=address,undefined)
else()
	target_compile_definitions(mm_flags INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
endif()
if(MESHMASON_COVERAGE)
	target_compile_options(mm_flags INTERFACE --coverage)
	target_link_options(mm_flags INTERFACE --coverage)
endif()
if(MESHMASON_FUZZ)
	target_compile_options(mm_flags INTERFACE -fsanitize=fuzzer-no-link -UNDEBUG)
endif()

# mm_layer(NAME DIR [PUBLIC libs...] [PRIVATE libs...] [EXCLUDE files...])
function(mm_layer name dir)
	cmake_parse_arguments(L "" "" "PUBLIC;PRIVATE;EXCLUDE" ${ARGN})
	file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${dir}/*.c)
	foreach(file IN LISTS L_EXCLUDE)
		list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/${dir}/${file})
	endforeach()
	if(NOT sources)
		add_library(${name} INTERFACE)
		target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR}/${dir})
		target_link_libraries(${name} INTERFACE ${L_PUBLIC} ${L_PRIVATE} mm_flags)
		return()
	endif()
	add_library(${name} STATIC ${sources})
	target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/${dir})
	target_link_libraries(${name} PUBLIC ${L_PUBLIC} PRIVATE ${L_PRIVATE} mm_flags)
endfunction()

# mm_program(NAME MAIN libs...)
function(mm_program name main)
	if(EXISTS ${CMAKE_SOURCE_DIR}/${main})
		add_executable(${name} ${main})
		target_link_libraries(${name} PRIVATE ${ARGN} mm_flags)
		install(TARGETS ${name} RUNTIME)
	endif()
endfunction()
