#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes every target for some time each; ends with "N passed, N failed".
#
#   tests/fuzz/run.sh [SECONDS [TARGET...]]      60 seconds, all targets
#
# What is found on the way goes to build/fuzz/found/NAME, what crashes to build/fuzz/crash-NAME-*;
# BUILD names another folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
seconds=${1:-60}
[ $# -gt 0 ] && shift
build=${BUILD:-build/fuzz}
cmake --preset fuzz -B "$build" >/dev/null && cmake --build "$build" --target fuzz_targets || exit 1
passed=0 failed=0
for corpus in ${*:-$(ls tests/fuzz/corpus)}; do
	found=$build/found/$corpus
	mkdir -p "$found"
	if timeout $((seconds + 120)) "$build/tests/fuzz/fuzz_$corpus" -max_total_time="$seconds" \
		-timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
		-artifact_prefix="$build/crash-$corpus-" \
		"$found" "tests/fuzz/corpus/$corpus" >"$build/$corpus.log" 2>&1; then
		passed=$((passed + 1))
		echo "$corpus: $(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$corpus.log") run," \
			"$(sed -n 's/^stat::accepted_units: *//p' "$build/$corpus.log") accepted"
	else
		failed=$((failed + 1))
		echo "$corpus: FAILED"
		tail -n 30 "$build/$corpus.log"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
