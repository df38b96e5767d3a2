#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs Debian packages that are missing:  packages.sh build|test
# "build" is what the programs and the dashboard need, "test" adds what the tests need.
set -eu

build="cmake ninja-build gcc libc6-dev pkg-config libmicrohttpd-dev libjansson-dev libssl-dev
	libsqlite3-dev libcurl4-openssl-dev libargon2-dev ca-certificates curl"
test="libcmocka-dev clang clang-format libclang-rt-14-dev tshark chromium openssl git
	dbus-daemon python3 python3-dbus python3-gi dpkg-dev binutils"

wanted=$build
[ "${1:-build}" = test ] && wanted="$build $test"
missing=
for package in $wanted; do
	# The name of clang's run-time package carries its version: 14 in Debian 12, 19 in Debian 13.
	if [ "$package" = libclang-rt-14-dev ] && [ "$(. /etc/os-release; echo "${VERSION_ID:-12}")" != 12 ]; then
		package=libclang-rt-dev
	fi
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
		missing="$missing $package"
done
# Node may come from elsewhere than Debian; then Debian's would conflict with it.
command -v npm >/dev/null || missing="$missing nodejs npm"
[ -z "$missing" ] && exit 0

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
echo "installing:$missing" >&2
$as_root apt-get update -q >/dev/null
# shellcheck disable=SC2086  # words are package names
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -q -y --no-install-recommends $missing \
	>/dev/null
