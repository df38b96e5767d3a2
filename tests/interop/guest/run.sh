#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Our kernel radios on a real Linux: one boot of the guest, everything in it.
#
#   run.sh BUILD_DIR [PART]...     radio user mgmt auto (the normal run): README.md has all
#
# BUILD_DIR has meshmasond and tests/unit/radio_probe.
# INTEROP_GUEST says where the guest's image is kept (default build/guest), INTEROP_LIMIT how long a
# boot may take in all (default 900 s), INTEROP_KEEP where console, kernel log and lab logs go.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '3,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
build=$(cd "$1" && pwd); shift
cache=${INTEROP_GUEST:-$here/../../../build/guest}
mkdir -p "$cache"; cache=$(cd "$cache" && pwd)
give_up() { echo "FAIL: $1"; echo "0 passed, 1 failed"; exit 1; }

arch=$(dpkg --print-architecture)
[ "$arch" = amd64 ] || give_up "the guest is an amd64 machine, this is $arch: not to be had here"
"$here/build-guest.sh" "$cache" || give_up "the guest could not be built (see $cache/debootstrap.log)"
share=$(mktemp -d)
trap 'rm -rf "$share"' EXIT
cp "$here"/*.sh "$here"/*.py "$here"/../*.py "$share/"
cp "$build/tests/unit/radio_probe" "$share/" || give_up "no radio_probe in $build"
cp "$build/meshmasond" "$share/" || give_up "no meshmasond in $build"
[ -n "${INTEROP_KEEP:-}" ] && export INTEROP_KEEP_LOGS=/share/lab
# The shared folder is slow under emulation: everything is copied once. The host's root is there
# for a program that needs the host's libraries.
"$here/run-in-guest.sh" -g "$cache" -s "$share" -r -t "${INTEROP_LIMIT:-900}" \
	${INTEROP_KEEP:+-l "$INTEROP_KEEP"} -- \
	sh -c 'cp -r /share /run/kit && exec /usr/bin/python3 -B /run/kit/all.py "$@"' all "$@"
status=$?
[ -n "${INTEROP_KEEP:-}" ] && cp -r "$share/lab" "$INTEROP_KEEP/" 2> /dev/null
[ $status -ne 124 ] && [ $status -ne 125 ] || give_up "the guest did not come through ($status)"
exit $status
