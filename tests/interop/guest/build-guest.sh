#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Build the interop guest: a small Debian root file system with BlueZ's mesh
# daemon and controller emulator, a Debian kernel with Bluetooth, and an
# initramfs that mounts the root from a virtio disk.
#
#   build-guest.sh CACHE_DIR
#
# Needs root (or sudo) and apt; amd64 only.  Everything comes from the Debian
# mirror that this system's apt is already set up with.  If CACHE_DIR already
# holds a guest made by the same version of this script and of init, does
# nothing; two at once wait for each other.
#
# Environment: SUITE (default trixie), EXTRA_PKGS (comma separated, added to
# the guest), NO_HOST_INSTALL=1 (fail rather than apt-get install host tools).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { sed -n '3,17s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
cache=$(cd "$1" && pwd)
suite=${SUITE:-trixie}
extra=${EXTRA_PKGS:-}

guest_pkgs=bluez-meshd,bluez-test-tools,bluez,dbus,dbus-daemon,kmod,busybox-static
guest_pkgs+=,python3-minimal,python3-dbus,python3-gi,libssl3t64,libjson-c5
[ -n "$extra" ] && guest_pkgs+=,$extra

# Modules wanted inside the guest (dependencies are added).
boot_mods="virtio_blk ext4"
guest_mods="9p 9pnet_virtio bluetooth hci_vhci af_alg algif_hash algif_skcipher
 algif_aead cmac ccm ctr"
# Modules that are there for a modprobe.
more_mods="uhid tun veth bridge cryptd"

exec 9> "$cache/lock"
flock 9

say() { printf '%s build-guest: %s\n' "$(date +%T)" "$*" >&2; }

# What it is made from: a changed comment builds nothing again.
stamp=$( { echo "$suite $guest_pkgs $boot_mods $more_mods" $guest_mods
	grep -hv '^[[:space:]]*#' "$0" "$here"/init "$here"/initramfs-init; } | sha256sum | cut -c1-16)
if [ "$(cat "$cache/stamp" 2>/dev/null)" = "$stamp" ] &&
   [ -s "$cache/root.img" ] && [ -s "$cache/vmlinuz" ] && [ -s "$cache/initrd" ]; then
	say "up to date in $cache"
	exit 0
fi
[ "$(dpkg --print-architecture)" = amd64 ] ||
	{ say "the guest is made for amd64 only, this is $(dpkg --print-architecture)"; exit 1; }
if [ "$(id -u)" != 0 ]; then
	command -v sudo > /dev/null || { say "root is needed for debootstrap, and there is no sudo"; exit 1; }
	exec 9>&-
	exec sudo env SUITE="$suite" EXTRA_PKGS="$extra" "$0" "$cache"
fi
rm -f "$cache/stamp"

# --- host tools ---------------------------------------------------------
need=()
command -v qemu-system-x86_64 >/dev/null || need+=(qemu-system-x86)
command -v debootstrap >/dev/null || need+=(debootstrap)
command -v mke2fs >/dev/null || need+=(e2fsprogs)
command -v modprobe >/dev/null || need+=(kmod)
command -v cpio >/dev/null || need+=(cpio)
command -v xz >/dev/null || need+=(xz-utils)
if [ ${#need[@]} -gt 0 ]; then
	[ -z "${NO_HOST_INSTALL:-}" ] || { say "missing: ${need[*]}"; exit 1; }
	say "installing ${need[*]}"
	timeout 120 apt-get update -q >&2
	DEBIAN_FRONTEND=noninteractive timeout 600 \
		apt-get install -q -y --no-install-recommends "${need[@]}" >&2
fi

# --- which mirror: the first plain Debian one of this system's apt ------
mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' \
		'Created-By: Packages' |
	awk '$2 == "Debian" && $3 == "Debian" { print $1; exit }')
[ -n "$mirror" ] || { say "no Debian mirror in apt's sources (apt-get update?)"; exit 1; }

# --- root file system ---------------------------------------------------
tmp=$(mktemp -d "$cache/build.XXXXXX")
root=$tmp/root
# debootstrap leaves /proc mounted when it is interrupted
trap 'umount "$root/proc" 2> /dev/null || true; rm -rf --one-file-system "$tmp"' EXIT

say "debootstrap $suite"
timeout 1200 debootstrap --variant=minbase --include="$guest_pkgs" \
	"$suite" "$root" "$mirror" > "$cache/debootstrap.log" 2>&1 ||
	{ tail -20 "$cache/debootstrap.log" >&2; exit 1; }

# --- kernel: unpacked, not installed (no initramfs-tools, no grub) -------
say "kernel"
kpkg=$(chroot "$root" apt-cache depends linux-image-amd64 |
	awk '/Depends: linux-image-/ { print $2; exit }')
(cd "$root/tmp" && timeout 600 chroot "$root" \
	sh -c "cd /tmp && apt-get download -q $kpkg" >> "$cache/debootstrap.log" 2>&1)
dpkg-deb -x "$root"/tmp/linux-image-*.deb "$tmp/kernel"
rm -f "$root"/tmp/*.deb "$root"/var/cache/apt/archives/*.deb
kver=$(ls "$tmp/kernel/usr/lib/modules")
cp "$tmp/kernel/boot/vmlinuz-$kver" "$cache/vmlinuz"
[ -e "$tmp/kernel/lib" ] || ln -s usr/lib "$tmp/kernel/lib"
depmod -b "$tmp/kernel" "$kver"

# ordered list of module files for a set of names, dependencies first
deps() {
	local m
	for m; do
		modprobe -d "$tmp/kernel" -S "$kver" --show-depends "$m" 2>/dev/null ||
			say "no module $m"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}
moddir=$root/usr/lib/modules/$kver
mkdir -p "$moddir"
cp "$tmp/kernel/usr/lib/modules/$kver"/modules.{builtin,builtin.modinfo,order} "$moddir"
for f in $(deps $boot_mods $guest_mods $more_mods); do
	rel=${f#*"/lib/modules/$kver/"}
	mkdir -p "$moddir/$(dirname "$rel")"
	case $f in
	*.xz) xz -dc "$f" > "$moddir/${rel%.xz}" ;;
	*) cp "$f" "$moddir/$rel" ;;
	esac
done
depmod -b "$root" "$kver"
printf '%s\n' $guest_mods > "$root/etc/guest-modules"

install -m 755 "$here/init" "$root/sbin/guest-init"
echo interop > "$root/etc/hostname"
mkdir -p "$root/share" "$root/hostroot" "$root/ctl"
rm -rf "$root"/usr/share/{doc,man,locale,info}/* "$root"/var/lib/apt/lists/*

# --- initramfs: busybox and the few modules that reach the disk -----------
say "initramfs"
ird=$tmp/initrd
mkdir -p "$ird"/{bin,dev,proc,sys,newroot,modules}
bb=$(ls "$root"/usr/bin/busybox "$root"/bin/busybox 2>/dev/null | head -1)
cp "$bb" "$ird/bin/busybox"
n=10
for f in $(deps $boot_mods); do
	b=$(basename "$f"); b=${b%.xz}
	case $f in
	*.xz) xz -dc "$f" > "$ird/modules/$n-$b" ;;
	*) cp "$f" "$ird/modules/$n-$b" ;;
	esac
	n=$((n + 1))
done
install -m 755 "$here/initramfs-init" "$ird/init"
(cd "$ird" && find . | cpio --quiet -o -H newc) > "$cache/initrd"

say "disk image"
size=$(( $(du -xsm "$root" | cut -f1) * 5 / 4 + 96 ))
rm -f "$cache/root.img"
mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$root" "$cache/root.img" "${size}M"

chroot "$root" dpkg-query -W -f '${Package} ${Version}\n' \
	bluez bluez-meshd bluez-test-tools libell0 dbus-daemon > "$cache/versions"
echo "linux $kver" >> "$cache/versions"
echo "$stamp" > "$cache/stamp"
say "done: $(du -sm --apparent-size "$cache/root.img" | cut -f1) MiB image, $(tr '\n' ' ' < "$cache/versions")"
