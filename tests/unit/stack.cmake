# SPDX-License-Identifier: Apache-2.0
mm_test(test_seq mm_net)
mm_test(test_rpl mm_net)
mm_test(test_net mm_transport PkgConfig::JANSSON)
mm_test(test_beacon mm_transport PkgConfig::JANSSON)
mm_test(test_lower mm_transport PkgConfig::JANSSON)
mm_test(test_sar mm_transport PkgConfig::JANSSON)
mm_test(test_upper mm_transport PkgConfig::JANSSON)
