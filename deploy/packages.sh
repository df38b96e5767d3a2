#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs Debian packages that are missing:  packages.sh build|test
# "build" is what the programs and the dashboard need, "test" adds what the tests need.
set -eu

build="cmake ninja-build gcc libc6-dev pkg-config libmicrohttpd-dev libjansson-dev libssl-dev
	libsqlite3-dev libcurl4-openssl-dev libargon2-dev ca-certificates"
test="libcmocka-dev clang clang-format tshark bluez chromium openssl git curl procps
	dbus-daemon python3 python3-dbus python3-gi dpkg-dev binutils"

# clang's run-time: Debian 12 has it under its version only.
release=$(sed -n 's/^VERSION_ID="\{0,1\}\([0-9]*\).*/\1/p' /etc/os-release)
case $release in
12) test="$test libclang-rt-14-dev" ;;
*) test="$test libclang-rt-dev" ;;
esac

# The guest, a virtual machine for the kernel's radios (tests/interop/guest).
case $(dpkg --print-architecture) in
amd64) test="$test qemu-system-x86 debootstrap e2fsprogs kmod cpio xz-utils" ;;
esac

case ${1:-build} in
build) wanted=$build ;;
test) wanted="$build $test" ;;
*)
	echo "usage: $0 build|test" >&2
	exit 2
	;;
esac
# Node may come from elsewhere than Debian; then Debian's would conflict with it.
command -v npm >/dev/null || wanted="$wanted nodejs npm"

missing=
native=$(dpkg --print-architecture)
for package in $wanted; do
	# On a machine of several architectures a package has a line for each.
	dpkg-query -W -f '${db:Status-Status} ${Architecture}\n' "$package" 2>/dev/null |
		grep -qxE "installed ($native|all)" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "These packages are missing, and there is no sudo. As root:" >&2
		echo "  apt-get update && apt-get install -y --no-install-recommends$missing" >&2
		exit 1
	fi
	as_root=sudo
fi
echo "installing:$missing" >&2
$as_root apt-get update -q >/dev/null
# shellcheck disable=SC2086  # words are package names
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
	$missing >/dev/null
