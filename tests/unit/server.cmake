# SPDX-License-Identifier: Apache-2.0
mm_test(test_outbox mm_server)
mm_test(test_clock mm_server)
mm_test(test_options mm_server)
mm_test(test_master_key mm_server)
