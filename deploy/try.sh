#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is needed (apt, npm), builds, starts the server on a simulated building of 60
# devices and runs the main job: every trusted device becomes a node. Ctrl-C stops it cleanly.
#
#   deploy/try.sh [--no-job] [--sim-speed N|max] [--seed N] [--port N] [--data DIR] [--exit]
#
# --no-job   leaves the building untouched, for you to do it in the dashboard
# --exit     stops when the job has ended; status 0: the 52 trusted devices joined, only they
# --data     a folder for this run, try-data by default; what an earlier run left is removed
set -euo pipefail

job=yes speed=1 seed=$((RANDOM * 32768 + RANDOM)) port=8080 data='' leave=no
trusted=52 bad=8 # of the building below
usage() {
	sed -n '3,10s/^# \{0,1\}//p' "$0" >&2
	exit 2
}
fail() {
	echo "try.sh: $*" >&2
	exit 1
}
while [ $# -gt 0 ]; do
	case $1 in
	--no-job) job=no ;;
	--exit) leave=yes ;;
	--sim-speed | --seed | --port | --data)
		[ $# -ge 2 ] || usage
		case $1 in
		--sim-speed) speed=$2 ;;
		--seed) seed=$2 ;;
		--port) port=$2 ;;
		--data) data=$(realpath -m -- "$2") ;;
		esac
		shift
		;;
	*) usage ;;
	esac
	shift
done
[[ $port =~ ^[0-9]{1,4}$|^[1-5][0-9]{4}$|^6[0-4][0-9]{3}$ ]] || fail "--port: 0 to 64999 is wanted"
[[ $seed =~ ^[0-9]+$ ]] || fail "--seed: a number is wanted"
cd "$(dirname "$(realpath -- "$0")")/.."
data=${data:-try-data}

# Said before anything is built. Port 0 is a free one.
if [ "$port" != 0 ] && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
	fail "port $port is taken: choose another by --port N (0: any free one)"
fi
mkdir -p build "$data"
exec 9<"$data"
flock -n 9 || fail "$data is in use by another run: end it, or choose another by --data DIR"
if [ -n "$(ls -A "$data")" ]; then
	[ -e "$data/meshmason.db" ] || [ -e "$data/server.log" ] ||
		fail "$data holds something else than an earlier run: choose another by --data DIR"
	find "$data" -mindepth 1 -delete
fi

deploy/packages.sh build
export npm_config_cache=$PWD/.cache/npm # nothing outside the checkout
cmake --preset release -DMESHMASON_TESTS=OFF >build/cmake.log 2>&1 9<&- || {
	cat build/cmake.log >&2
	exit 1
}
cmake --build build/release 9<&-
bin=build/release

server=
stop() {
	[ -n "$server" ] || return 0
	kill -TERM "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	server=
}
trap 'echo; echo "stopping"; stop; exit 130' INT
trap 'stop; exit 143' TERM HUP
trap stop EXIT

building="devices=60,floors=3,loss=0.05,untrusted=3,expired=1,misnamed=1,dead=2,absent=1,seed=$seed"
# The server ends with this script, however that ends.
setpriv --pdeathsig TERM -- "$bin/meshmasond" --data "$data" --listen "127.0.0.1:$port" \
	--radio "sim:$building" --sim-speed "$speed" --webui webui/dist \
	>"$data/server.out" 2>"$data/server.log" &
server=$!

started=no
for _ in $(seq 300); do
	if grep -q '^dashboard: ' "$data/server.out"; then
		started=yes
		break
	fi
	kill -0 "$server" 2>/dev/null || break
	sleep 0.1
done
if [ $started = no ]; then
	cat "$data/server.log" >&2
	fail "the server did not start"
fi
MESHMASON_URL=$(sed -n 's/^listening: //p' "$data/server.out")
MESHMASON_TOKEN=$(cat "$data/admin-token")
export MESHMASON_URL MESHMASON_TOKEN
link=$(sed -n 's/^dashboard: //p' "$data/server.out")

cat <<END

server:    $MESHMASON_URL, token in $data/admin-token, log in $data/server.log
building:  60 devices on 3 floors, 5 % loss, seed $seed, files in $data/building;
           $trusted are to be trusted, $bad are not, or never answer
dashboard: $link
           (the link signs in once, and asks for a name and a password)

END

count() { # count succeeded|failed: of the first job
	"$bin/meshmason" job 1 --json | sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" | head -n 1
}
if [ "$job" = yes ]; then
	"$bin/meshmason" trust add "$data/building/ca.pem"
	"$bin/meshmason" import "$data/building/devices.csv"
	# Partly (3) is right here: the building has devices that must be refused.
	status=0
	"$bin/meshmason" provision --all-trusted || status=$?
	[ "$status" = 3 ] || fail "the job ended with status $status"
	if [ "$leave" = yes ]; then
		succeeded=$(count succeeded) failed=$(count failed)
		[ "$succeeded $failed" = "$trusted $bad" ] ||
			fail "$succeeded joined and $failed did not; wanted: $trusted and $bad"
		echo "As it should be: the $trusted trusted devices joined, the $bad others did not."
		exit 0
	fi
	echo
fi
echo "The dashboard stays up:  $link"
echo "Ctrl-C stops the server."
wait "$server" || fail "the server ended by itself, see $data/server.log"
