# SPDX-License-Identifier: Apache-2.0
mm_test(test_advertiser mm_bearer)
mm_test(test_bearer_air mm_bearer)
mm_test(test_air mm_building m)
mm_test(test_building mm_building)
mm_test(test_building_run mm_building)
add_dependencies(test_building meshmason-building)
add_dependencies(test_building_run meshmason-building)
mm_test(test_radio_sim mm_server)
