# SPDX-License-Identifier: Apache-2.0
mm_test(test_dev_vectors mm_building PkgConfig::JANSSON)
mm_test(test_dev_prov mm_building PkgConfig::JANSSON)
mm_test(test_dev_pb_adv mm_building)
mm_test(test_dev_node mm_building)
mm_test(test_dev_nppi mm_building)
mm_test(test_dev_rpr mm_building PkgConfig::JANSSON)
mm_test(test_dev_join mm_building)
mm_test(test_dev_hostile mm_building)
