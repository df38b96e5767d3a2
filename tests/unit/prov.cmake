# SPDX-License-Identifier: Apache-2.0
mm_test(test_prov_pdu mm_prov PkgConfig::JANSSON)
mm_test(test_prov_keys mm_prov PkgConfig::JANSSON)
mm_test(test_oob mm_prov PkgConfig::JANSSON)
mm_test(test_records mm_prov)
mm_test(test_provisioner mm_prov PkgConfig::JANSSON)
mm_test(test_provisioner_oob mm_prov)
mm_test(test_gen_prov mm_prov PkgConfig::JANSSON)
mm_test(test_pb_adv mm_prov)
