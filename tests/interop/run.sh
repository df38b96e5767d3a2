#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A stranger agrees: our server and our simulated devices against Debian 13's bluetooth-meshd.
#
#   run.sh BUILD_DIR [STORY]...     the stories, and what is known of the peer: README.md
#
# Needs dbus-daemon, python3-dbus, python3-gi, a C compiler and, the first time, apt.
# SUITE takes the daemon of another Debian (5.83 or later can do more, README.md).
# INTEROP_CACHE says where the daemon is kept (default build/interop), INTEROP_KEEP=1 keeps what a
# run leaves behind, INTEROP_LOG=debug makes our server say more.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '3,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
build=$(cd "$1" && pwd); shift
cache=${INTEROP_CACHE:-$here/../../build/interop${SUITE:+-$SUITE}}
mkdir -p "$cache"; cache=$(cd "$cache" && pwd)
missing=
command -v dbus-daemon > /dev/null || missing="$missing dbus-daemon"
/usr/bin/python3 -c 'import dbus' 2> /dev/null || missing="$missing python3-dbus"
/usr/bin/python3 -c 'import gi' 2> /dev/null || missing="$missing python3-gi"
if [ -n "$missing" ]; then
	echo "FAIL: missing:$missing"
	echo "0 passed, 1 failed"
	exit 1
fi
if ! "$here/build-meshd.sh" "$cache"; then
	echo "FAIL: bluetooth-meshd could not be had (see $cache/apt.log)"
	echo "0 passed, 1 failed"
	exit 1
fi
exec /usr/bin/python3 -B "$here/interop.py" "$build" "$cache" "$@"
