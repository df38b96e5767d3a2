# SPDX-License-Identifier: Apache-2.0
# Recordings, and what must be right before the server can work.
mm_test(test_bearer_replay mm_bearer)
mm_test(test_captures mm_server)
mm_test(test_preflight mm_server)
