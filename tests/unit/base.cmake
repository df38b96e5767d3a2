# SPDX-License-Identifier: Apache-2.0
mm_test(test_bytes mm_base)
mm_test(test_timers mm_base)
mm_test(test_trace mm_base)
