# SPDX-License-Identifier: Apache-2.0
mm_test(test_certificate mm_prov OpenSSL::Crypto)
mm_test(test_cert_chain mm_prov OpenSSL::Crypto PkgConfig::JANSSON)
mm_test(test_cert_lists mm_prov OpenSSL::Crypto)
mm_test(test_pki mm_building mm_prov OpenSSL::Crypto)
mm_test(test_cert_response mm_jobs OpenSSL::Crypto PkgConfig::JANSSON)
mm_test(test_db_certificates mm_db)
mm_test(test_fetch_rules mm_server CURL::libcurl)
