# SPDX-License-Identifier: Apache-2.0
foreach(test test_router test_fields test_import test_events test_api_auth test_api_contract)
	mm_test(${test} mm_api PkgConfig::JANSSON)
endforeach()
