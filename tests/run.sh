#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the tests need, builds, runs every test; ends with "N passed, N failed".
#
#   tests/run.sh [STAGE...]      stages: format unit story clang try api hostile interop guest kills gateways web
#
# unit, story and hostile run under AddressSanitizer and UndefinedBehaviorSanitizer (gcc); clang builds
# everything again and runs the same tests; the other stages use the release build. guest boots a
# kernel with Bluetooth under QEMU (amd64 only, about 6 min, the first time 2 min more).
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
stages=${*:-format unit story clang try api hostile interop guest kills gateways web}
logs=build/test-logs
mkdir -p "$logs"
passed=0 failed=0

say() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }
count() { # count NAME STATUS: one check of this script
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $1"
	fi
}
build() { # build PRESET
	cmake --preset "$1" -DMESHMASON_TESTS=ON >"$logs/cmake-$1.log" 2>&1 && cmake --build "build/$1" >"$logs/build-$1.log" 2>&1
	local status=$?
	[ $status -eq 0 ] || tail -n 40 "$logs/build-$1.log" "$logs/cmake-$1.log"
	count "build $1" $status
	return $status
}
run_ctest() { # run_ctest PRESET LABEL: adds CTest's numbers to ours
	local log=$logs/ctest-$1-${2/|/-}.log
	ctest --test-dir "build/$1" -L "$2" -j2 --output-on-failure --no-tests=error >"$log" 2>&1
	local status=$? total bad
	total=$(sed -n 's/.*tests failed out of \([0-9]*\).*/\1/p' "$log")
	bad=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of.*/\1/p' "$log")
	if [ -z "$total" ]; then
		count "ctest $1 $2" 1
		tail -n 20 "$log"
		return
	fi
	passed=$((passed + total - bad)) failed=$((failed + bad))
	[ $status -eq 0 ] || grep -E 'FAILED|ERROR|Failed|\*\*\*|error:' "$log" | head -n 60
	tail -n 5 "$log"
}
run_script() { # run_script NAME COMMAND...: a script that itself ends with "N passed, N failed"
	local log=$logs/$1.log name=$1 line
	shift
	timeout 1200 "$@" >"$log" 2>&1
	local status=$?
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
	if [ -z "$line" ]; then
		count "$name" 1
		tail -n 30 "$log"
		return
	fi
	passed=$((passed + $(echo "$line" | cut -d' ' -f1)))
	failed=$((failed + $(echo "$line" | cut -d' ' -f3)))
	echo "$name: $line"
	if [ "$status" -ne 0 ] || [[ $line != *", 0 failed"* ]]; then
		grep -iE 'fail|error' "$log" | head -n 30
		[[ $line != *", 0 failed"* ]] || count "$name (exit $status)" 1
	fi
}

deploy/packages.sh test || { echo "packages could not be installed"; echo "0 passed, 1 failed"; exit 1; }

for stage in $stages; do
	say "$stage"
	case $stage in
	format)
		# Each release of it lays out a few lines otherwise; Debian 12's decides.
		if command -v clang-format-14 >/dev/null; then
			git ls-files '*.c' '*.h' |
				xargs clang-format-14 --dry-run -Werror >"$logs/format.log" 2>&1
			count "clang-format" $?
		else
			echo "layout: clang-format 14 decides, which Debian 12 has; not checked here"
		fi
		tests/rules.sh
		count "rules of the tree" $?
		;;
	unit) build asan && run_ctest asan unit ;;
	story) build asan && run_ctest asan story ;;
	hostile) build asan && run_script hostile tests/hostile/run.sh build/asan ;;
	clang) build clang && run_ctest clang "unit|story" ;;
	try)
		timeout 600 deploy/try.sh --exit --sim-speed max --port 0 --data build/try-data >"$logs/try.log" 2>&1
		count "deploy/try.sh: the main job on the simulated building" $?
		grep -E '^(Job|building)' "$logs/try.log"
		;;
	api | interop | kills | gateways | web)
		[ -x build/release/meshmasond ] && [ -n "${release_built:-}" ] || { build release && release_built=yes; }
		run_script "$stage" "tests/$stage/run.sh" build/release
		;;
	guest)
		[ -n "${release_built:-}" ] || { build release && release_built=yes; }
		run_script guest tests/interop/guest/run.sh build/release
		;;
	*) echo "no stage $stage"; count "stage $stage" 1 ;;
	esac
done

echo
echo "$SECONDS s"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
