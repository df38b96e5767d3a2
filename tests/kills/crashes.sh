#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Crashes in virtual time at every write boundary, before and after the commit, for every kind of job:
#   tests/kills/crashes.sh BUILD_DIR [CRASHES [SEED]]      10000 crashes unless told otherwise
# BUILD_DIR is one with -DMESHMASON_TESTS=ON; a release build is fast. Prints counts by kind and ends
# with the number of orphans; exit status 1 when there is any.
exec "$1/tests/sim/crash_sweep" "${2:-10000}" ${3:+"$3"}
