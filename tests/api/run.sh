#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The real daemon over HTTP, and the command-line client; ends with "N passed, N failed".
#
#   run.sh BUILD_DIR [walk|behaviour|client|captures|store|oob|refresh]...
set -u
build=$(cd "${1:?BUILD_DIR}" && pwd) || exit 1
shift
cd "$(dirname "$0")" || exit 1
passed=0 failed=0
for part in ${*:-walk behaviour client captures store oob refresh}; do
	log=$(mktemp)
	/usr/bin/python3 "$part.py" "$build" 2>&1 | tee "$log"
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
	rm -f "$log"
	if [ -z "$line" ]; then
		echo "FAIL: $part did not come to its end"
		failed=$((failed + 1))
		continue
	fi
	passed=$((passed + $(echo "$line" | cut -d' ' -f1)))
	failed=$((failed + $(echo "$line" | cut -d' ' -f3)))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
