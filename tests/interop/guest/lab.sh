# SPDX-License-Identifier: Apache-2.0
# Sourced by test scripts inside the guest:  . lab.sh
#
#   lab_start N         N virtual controllers hci0..hci(N-1) that hear each other
#   lab_bus I           D-Bus daemon of its own for node I; prints its address
#   lab_meshd I [hciK]  bluetooth-meshd for node I on hciK (default hciI)
#   lab_node I ARGS...  mesh-node.py on node I's bus, in the background
#   lab_cmd I JSON      one command line to node I
#   lab_wait I REGEX S  wait up to S seconds for a new event line of node I; prints it
#   lab_stop            ends everything that was started
#
# With LAB_NOVM=CACHE_DIR (what build-novm.sh filled) the daemons run on this
# very host with the preloaded library: no kernel Bluetooth, no root, no guest;
# the controllers' air is the folder $LAB/air.
#
# Logs are in $LAB (default /run/lab): btvirt.log, I/meshd.log, I/events.
: "${LAB:=/run/lab}"
LAB_HERE=${LAB_HERE:-$(cd "$(dirname "${BASH_SOURCE:-$0}")" && pwd)}
MESHD=/usr/libexec/bluetooth/bluetooth-meshd
LAB_PIDS=
mkdir -p "$LAB"

lab_start() {
	[ -n "${LAB_NOVM:-}" ] && { mkdir -p "$LAB/air"; return 0; }
	stdbuf -oL btvirt ${LAB_BTVIRT_OPTS:-} "-l$1" > "$LAB/btvirt.log" 2>&1 &
	LAB_PIDS="$! $LAB_PIDS"
	_i=0
	while [ ! -e "/sys/class/bluetooth/hci$(($1 - 1))" ]; do
		_i=$((_i + 1))
		[ $_i -gt 100 ] && { echo "lab: no hci$(($1 - 1))"; return 1; }
		sleep 0.1
	done
	sleep "${LAB_SETTLE:-2}"	# the kernel powers each one up once for its setup, and off again
}

lab_bus() {
	mkdir -p "$LAB/$1/state"
	cat > "$LAB/$1/bus.conf" <<-X
	<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
	 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
	<busconfig><listen>unix:path=$LAB/$1/bus</listen><auth>EXTERNAL</auth>
	<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/>
	<allow send_type="method_call"/><allow eavesdrop="true"/></policy></busconfig>
	X
	dbus-daemon --config-file="$LAB/$1/bus.conf" --nofork > "$LAB/$1/dbus.log" 2>&1 &
	LAB_PIDS="$! $LAB_PIDS"
	_i=0
	while [ ! -S "$LAB/$1/bus" ] && [ $_i -lt 100 ]; do _i=$((_i + 1)); sleep 0.1; done
	echo "unix:path=$LAB/$1/bus" > "$LAB/$1/address"
}

lab_meshd() {
	[ -e "$LAB/$1/address" ] || lab_bus "$1"
	printf '[General]\n%s\n' "${LAB_MESH_CONF:-ProvTimeout = 60}" > "$LAB/$1/mesh-main.conf"
	if [ -n "${LAB_NOVM:-}" ]; then
		export MESHD_AIR="$LAB/air" MESHD_AIR_NAME="meshd$1"
		set -- "$1" generic:hci0 "$LAB_NOVM/meshd/ld.so" --library-path "$LAB_NOVM/meshd" \
			--preload "$LAB_NOVM/meshd-preload.so" "$LAB_NOVM/meshd/bluetooth-meshd"
	else
		set -- "$1" "${2:-generic:hci$1}" "$MESHD"
	fi
	_n=$1 _io=$2; shift 2
	DBUS_SYSTEM_BUS_ADDRESS=$(cat "$LAB/$_n/address") "$@" --nodetach --debug --io "$_io" \
		--storage "$LAB/$_n/state" --config "$LAB/$_n/mesh-main.conf" > "$LAB/$_n/meshd.log" 2>&1 &
	LAB_PIDS="$! $LAB_PIDS"
	echo $! > "$LAB/$_n/meshd.pid"
}

lab_node() {
	_n=$1; shift
	mkfifo "$LAB/$_n/cmd"
	: > "$LAB/$_n/events"; echo 1 > "$LAB/$_n/pos"
	# a writer that stays keeps the node's standard input open
	sleep 100000 > "$LAB/$_n/cmd" &
	LAB_PIDS="$! $LAB_PIDS"
	"${LAB_PYTHON:-/usr/bin/python3}" "$LAB_HERE/mesh-node.py" --bus "$(cat "$LAB/$_n/address")" "$@" \
		< "$LAB/$_n/cmd" > "$LAB/$_n/events" 2> "$LAB/$_n/node.err" &
	LAB_PIDS="$! $LAB_PIDS"
}

lab_cmd() { printf '%s\n' "$2" > "$LAB/$1/cmd"; }

# events are looked at once: each call starts after the line the last one gave
lab_wait() {
	_end=$(($(date +%s) + $3))
	while :; do
		_l=$(tail -n "+$(cat "$LAB/$1/pos")" "$LAB/$1/events" | grep -n -m1 -E "$2")
		if [ -n "$_l" ]; then
			echo $(($(cat "$LAB/$1/pos") + ${_l%%:*})) > "$LAB/$1/pos"
			echo "${_l#*:}"
			return 0
		fi
		[ "$(date +%s)" -ge $_end ] && break
		sleep 0.2
	done
	echo "lab: node $1: no $2 in $3 s" >&2
	tail -n 5 "$LAB/$1/events" "$LAB/$1/node.err" >&2
	return 1
}

lab_stop() {
	for _p in $LAB_PIDS; do kill "$_p" 2>/dev/null; done
	LAB_PIDS=
}
