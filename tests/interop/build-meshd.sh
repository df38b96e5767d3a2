#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Gets Debian 13's unmodified bluetooth-meshd with its libraries, and builds the library that lets
# it run without kernel Bluetooth and without root.
#
#   build-meshd.sh CACHE_DIR     needs apt with its lists, dpkg-deb, a C compiler
#
# Fills CACHE_DIR with meshd/ (unpacked, not installed) and meshd-preload.so; the second time it
# has nothing to do. Environment: SUITE (default trixie).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { sed -n '3,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"; cache=$(cd "$1" && pwd)
suite=${SUITE:-trixie}

fetch() {
	local mirror apt d l
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
		awk '$2 == "Debian" && $3 == "Debian" { print $1; exit }')
	[ -n "$mirror" ] || { echo "no Debian mirror in apt's sources (apt-get update?)" >&2; return 1; }
	tmp=$(mktemp -d) # global: the trap outlives this function
	trap 'rm -rf "$tmp"' EXIT
	mkdir -p "$tmp"/{etc,state/lists/partial,cache/archives/partial,debs}
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" \
		> "$tmp/etc/sources.list"
	: > "$tmp/state/status"
	# an apt of our own: the system's sources and lists stay as they are
	apt=(apt-get -q -o Dir::Etc="$tmp/etc" -o Dir::Etc::sourcelist="$tmp/etc/sources.list"
		-o Dir::Etc::sourceparts=/dev/null -o Dir::State="$tmp/state"
		-o Dir::State::status="$tmp/state/status" -o Dir::Cache="$tmp/cache"
		-o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none)
	timeout 200 "${apt[@]}" update > "$cache/apt.log" 2>&1
	(cd "$tmp/debs" && timeout 200 "${apt[@]}" download bluez-meshd libell0 libjson-c5 libc6) \
		>> "$cache/apt.log" 2>&1
	rm -rf "$cache/meshd"; mkdir "$cache/meshd"
	for d in "$tmp"/debs/*.deb; do
		dpkg-deb -x "$d" "$tmp/x"
		basename "$d" >> "$cache/meshd/versions"
	done
	cp "$tmp"/x/usr/libexec/bluetooth/bluetooth-meshd "$cache/meshd/"
	# each architecture has a loader name of its own: libc6 has just the one
	for l in 'ld-linux*.so.*' libc.so.6 libell.so.0 libjson-c.so.5 libdl.so.2 libpthread.so.0; do
		d=$(find "$tmp/x" -name "$l" | head -1)
		[ -n "$d" ] || { echo "$l is in none of the packages" >&2; return 1; }
		case $l in
		ld-*) cp -L "$d" "$cache/meshd/ld.so" ;;
		*) cp -L "$d" "$cache/meshd/" ;;
		esac
	done
	echo "$suite" > "$cache/meshd/suite"
}

exec 9> "$cache/lock"
flock 9
[ "$(cat "$cache/meshd/suite" 2>/dev/null)" = "$suite" ] || fetch
if [ ! "$cache/meshd-preload.so" -nt "$here/meshd-preload.c" ] ||
	[ ! "$cache/meshd-preload.so" -nt "$here/meshd-ell.c" ]; then
	${CC:-cc} -shared -fPIC -O2 -Wall -Wextra -o "$cache/meshd-preload.so" \
		"$here/meshd-preload.c" "$here/meshd-ell.c" -ldl -lpthread
fi
echo "peer: $(tr '\n' ' ' < "$cache/meshd/versions")"
