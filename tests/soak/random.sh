#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Stories at random by the thousand:  tests/soak/random.sh BUILD_DIR [STORIES [AT_ONCE]]
# BUILD_DIR is one with -DMESHMASON_TESTS=ON. Each process draws its seeds and prints them; one that
# fails says how to repeat it. Ends with "N stories passed, N processes failed".
set -u
build=$1 stories=${2:-2000} at_once=${3:-2} part=100
logs=$(mktemp -d)
runs=$(((stories + part - 1) / part))
# shellcheck disable=SC2016
seq "$runs" | xargs -P "$at_once" -I{} bash -c \
	'"$1/tests/sim/test_random" "$2" >"$3/{}.log" 2>&1 || { touch "$3/{}.failed"; grep -aA4 "^ERROR\|seeds" "$3/{}.log"; }' \
	_ "$build" "$part" "$logs"
failed=$(find "$logs" -name '*.failed' | wc -l)
echo "$(((runs - failed) * part)) stories passed, $failed processes failed"
if [ "$failed" -eq 0 ]; then rm -r "$logs"; else echo "kept: $logs"; exit 1; fi
