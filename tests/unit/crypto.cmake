# SPDX-License-Identifier: Apache-2.0
mm_test(test_crypto mm_crypto OpenSSL::Crypto PkgConfig::JANSSON)
mm_test(test_keys mm_crypto)
mm_test(test_vector_rest mm_transport mm_prov OpenSSL::Crypto PkgConfig::JANSSON)
mm_test(test_vector_ledger mm_base PkgConfig::JANSSON)
