# SPDX-License-Identifier: Apache-2.0
mm_test(test_certificate mm_prov OpenSSL::Crypto PkgConfig::JANSSON)
