# SPDX-License-Identifier: Apache-2.0
mm_test(test_certificate mm_prov OpenSSL::Crypto)
mm_test(test_cert_chain mm_prov OpenSSL::Crypto PkgConfig::JANSSON)
mm_test(test_pki mm_building mm_prov OpenSSL::Crypto)
