# SPDX-License-Identifier: Apache-2.0
# The models are compiled into their tests: these stand on fake_access.c, not on the access layer.
set(models ${CMAKE_SOURCE_DIR}/mesh/models)

function(mm_models_test name)
	mm_test(${name} mm_base PkgConfig::JANSSON)
	target_sources(${name} PRIVATE ${ARGN} ${CMAKE_CURRENT_SOURCE_DIR}/fake_access.c)
	target_include_directories(${name} PRIVATE ${models} ${CMAKE_SOURCE_DIR}/mesh/access
		${CMAKE_SOURCE_DIR}/mesh/prov)
endfunction()

mm_models_test(test_remote_prov_client ${models}/remote_prov_client.c)
mm_models_test(test_extended_scan ${models}/remote_prov_extended.c ${models}/ad_structures.c
	${models}/remote_prov_client.c)
target_link_libraries(test_extended_scan PRIVATE mm_crypto)
mm_models_test(test_model_config ${models}/model_config.c)
mm_models_test(test_config_client ${models}/config_client.c ${models}/model_names.c)
set(carrier ${models}/pb_remote.c ${models}/pb_remote_pdu.c ${models}/remote_prov_client.c
	${CMAKE_CURRENT_SOURCE_DIR}/fake_rpr.c ${CMAKE_CURRENT_SOURCE_DIR}/pb_remote_world.c)
mm_models_test(test_pb_remote ${carrier})
mm_models_test(test_pb_remote_air ${carrier})
mm_models_test(test_pb_remote_nppi ${carrier})
mm_models_test(test_composition_pages ${models}/composition_pages.c ${models}/large_composition.c)
