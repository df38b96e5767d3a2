# SPDX-License-Identifier: Apache-2.0
mm_test(test_prov_pdu mm_prov PkgConfig::JANSSON)
mm_test(test_prov_keys mm_prov PkgConfig::JANSSON)
mm_test(test_oob mm_prov PkgConfig::JANSSON)
