#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Our kernel radios on a real Linux: one boot of the guest, one script in it.
#
#   run.sh BUILD_DIR [SCRIPT [ARG...]]
#
# radio.sh (default)     the radios alone; BUILD_DIR has tests/unit/radio_probe
# server.py [RADIO]      meshmasond commissions bluetooth-meshd; BUILD_DIR has meshmasond as well
#
# INTEROP_GUEST says where the guest's image is kept (default build/guest), INTEROP_LIMIT how long a
# boot may take in all (default 400 s), INTEROP_KEEP where console, kernel log and lab logs go.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '3,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
build=$(cd "$1" && pwd); shift
[ $# -ge 1 ] || set -- radio.sh
cache=${INTEROP_GUEST:-$here/../../../build/guest}
mkdir -p "$cache"; cache=$(cd "$cache" && pwd)
give_up() { echo "FAIL: $1"; echo "0 passed, 1 failed"; exit 1; }

"$here/build-guest.sh" "$cache" || give_up "the guest could not be built (see $cache/debootstrap.log)"
share=$(mktemp -d)
trap 'rm -rf "$share"' EXIT
cp "$here"/*.sh "$here"/*.py "$here"/../*.py "$share/"
cp "$build/tests/unit/radio_probe" "$share/" || give_up "no radio_probe in $build"
[ ! -x "$build/meshmasond" ] || cp "$build/meshmasond" "$share/"
case $1 in *.py) with=/usr/bin/python3 ;; *) with=bash ;; esac
[ -n "${INTEROP_KEEP:-}" ] && export INTEROP_KEEP_LOGS=/share/lab
# The shared folder is slow under emulation: everything is copied once. The host's root is there
# for a program that needs the host's libraries.
"$here/run-in-guest.sh" -g "$cache" -s "$share" -r -t "${INTEROP_LIMIT:-400}" \
	${INTEROP_KEEP:+-l "$INTEROP_KEEP"} -- \
	bash -c "cp -r /share /run/kit && $with /run/kit/$(printf '%q ' "$@")"
status=$?
[ -n "${INTEROP_KEEP:-}" ] && cp -r "$share/lab" "$INTEROP_KEEP/" 2> /dev/null
[ $status -ne 124 ] && [ $status -ne 125 ] || give_up "the guest did not come through ($status)"
exit $status
