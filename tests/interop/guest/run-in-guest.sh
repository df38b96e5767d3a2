#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Boot the interop guest, run one command in it as root, power it off.
#
#   run-in-guest.sh -g CACHE_DIR [-s SHARE_DIR] [-r] [-t SECONDS]
#                   [-a auto|tcg|kvm] [-m MiB] [-c CPUS] [-l LOG_DIR] -- CMD [ARG...]
#
#   -g  what build-guest.sh filled
#   -s  host folder seen as /share in the guest, read-write (also its cwd)
#   -r  also show the host's whole root, read-only, as /hostroot (the guest's
#       /proc /sys /dev /run /tmp are bound in it and /share is at its /mnt, so
#       `chroot /hostroot PROGRAM` runs a host-built program with the host's
#       own libraries on the guest's kernel)
#   -t  limit for boot + command + shutdown (default 120)
#   -a  auto (default) takes kvm only where the processor really has VMX or SVM:
#       a /dev/kvm can also be a software one that cannot run a stock kernel
#   -l  keep console.log, dmesg and timing there
#
# Standard output is the command's output (its stdout and stderr, raw).  The
# exit status is the command's; 124 = time limit, 125 = the guest did not come
# up or died before the command ended.
set -uo pipefail
guest= share= hostroot= limit=120 accel=auto mem=768 cpus=2 logs=
usage() { sed -n '3,27s/^# \{0,1\}//p' "$0" >&2; exit 2; }
while getopts g:s:rt:a:m:c:l: o; do
	case $o in
	g) guest=$OPTARG ;; s) share=$OPTARG ;; r) hostroot=1 ;; t) limit=$OPTARG ;;
	a) accel=$OPTARG ;; m) mem=$OPTARG ;; c) cpus=$OPTARG ;; l) logs=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ -n "$guest" ] && [ $# -gt 0 ] || usage
[ -s "$guest/root.img" ] || { echo "run-in-guest: no guest in $guest" >&2; exit 125; }

if [ "$accel" = auto ]; then
	accel=tcg
	[ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo && accel=kvm
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
ctl=$tmp/ctl; mkdir "$ctl"
printf '%q ' "$@" | sed 's/^/exec /' > "$ctl/cmd"
{ env | grep -E '^(INTEROP|MESH)_[A-Z0-9_]+=' | while IFS= read -r l; do
	printf '%s=%q\n' "${l%%=*}" "${l#*=}"; done; } > "$ctl/env"

p9() { # tag path [extra]
	printf '%s\n' -fsdev "local,id=$1,path=$2,security_model=none${3:-}" \
		-device "virtio-9p-pci,fsdev=$1,mount_tag=$1"
}
args=(-M q35 -accel "$accel" -m "$mem" -smp "$cpus" -nodefaults -no-user-config
	-display none -no-reboot
	-kernel "$guest/vmlinuz" -initrd "$guest/initrd"
	-append "console=ttyS0 quiet panic=-1 mitigations=off nokaslr no_timer_check tsc=reliable random.trust_cpu=on audit=0 selinux=0 apparmor=0 ${INTEROP_CMDLINE:-}"
	-drive "file=$guest/root.img,format=raw,if=virtio,snapshot=on"
	-serial "file:$tmp/console.log"
	-device virtio-serial-pci
	-chardev "file,id=out,path=$tmp/out"
	-device virtserialport,chardev=out,name=interop.out
	-device virtio-rng-pci)
if [ "$accel" = tcg ]; then cpu=max; else cpu=host; fi
args+=(-cpu "${INTEROP_CPU:-$cpu}")
mapfile -t a < <(p9 ctl "$ctl"); args+=("${a[@]}")
if [ -n "$share" ]; then mapfile -t a < <(p9 work "$share"); args+=("${a[@]}"); fi
if [ -n "$hostroot" ]; then
	mapfile -t a < <(p9 hostroot / ,readonly=on,multidevs=remap); args+=("${a[@]}")
fi

# A stdio chardev would close when our stdin ends and so block the guest.
mkfifo "$tmp/out"
exec 3<> "$tmp/out" 4< "$tmp/out"
cat <&4 3>&- & catpid=$!
exec 4<&-
t0=$(date +%s.%N)
TMPDIR=$tmp timeout -k 5 "$limit" qemu-system-x86_64 "${args[@]}" </dev/null >/dev/null 2>"$tmp/qemu.err" 3>&- &
qpid=$!
trap 'kill $qpid 2>/dev/null; wait $qpid; exec 3>&-; exit 143' TERM INT HUP
wait $qpid
qrc=$?
exec 3>&-
wait $catpid
t1=$(date +%s.%N)
{
	echo "accel $accel"
	echo "wall_s $(awk "BEGIN { printf \"%.1f\", $t1 - $t0 }")"
	echo "guest_uptime_at_command_s $(cat "$ctl/t_ready" 2>/dev/null)"
	echo "guest_uptime_at_end_s $(cat "$ctl/t_done" 2>/dev/null)"
} > "$tmp/timing"
if [ -n "$logs" ]; then
	mkdir -p "$logs"
	cp "$tmp"/{console.log,timing,qemu.err} "$logs/" 2>/dev/null
	cp "$ctl/dmesg" "$logs/" 2>/dev/null
fi
if [ -s "$ctl/rc" ]; then exit "$(cat "$ctl/rc")"; fi
if [ $qrc -eq 124 ] || [ $qrc -eq 137 ]; then
	echo "run-in-guest: time limit of $limit s" >&2
	rc=124
else
	echo "run-in-guest: guest ended early (qemu $qrc)" >&2
	rc=125
fi
{ cat "$tmp/qemu.err"; tail -n 15 "$tmp/console.log"; } >&2 2>/dev/null
exit $rc
