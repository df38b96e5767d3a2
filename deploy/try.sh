#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is needed (apt, npm), builds, starts the server on a simulated building of 60
# devices and runs the main job: every trusted device becomes a node. Ctrl-C stops it cleanly.
#
#   deploy/try.sh [--no-job] [--sim-speed N|max] [--seed N] [--port N] [--data DIR] [--exit]
#
# --no-job   leaves the building untouched, for you to do it in the dashboard
# --exit     stops when the job has ended, with its status (0: as it should be)
set -euo pipefail
cd "$(dirname "$0")/.."

job=yes speed=1 seed=$((RANDOM * 32768 + RANDOM)) port=8080 data=try-data leave=no
while [ $# -gt 0 ]; do
	case $1 in
	--no-job) job=no ;;
	--sim-speed) speed=$2; shift ;;
	--seed) seed=$2; shift ;;
	--port) port=$2; shift ;;
	--data) data=$2; shift ;;
	--exit) leave=yes ;;
	*) sed -n '3,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
	shift
done

deploy/packages.sh build
cmake --preset release -DMESHMASON_TESTS=OFF >/dev/null
cmake --build build/release
bin=build/release

building="devices=60,floors=3,loss=0.05,untrusted=3,expired=1,misnamed=1,dead=2,absent=1,seed=$seed"
rm -rf "$data"
mkdir -p "$data"
"$bin/meshmasond" --data "$data" --listen "127.0.0.1:$port" --radio "sim:$building" \
	--sim-speed "$speed" --webui webui/dist >"$data/server.out" 2>"$data/server.log" &
server=$!
stop() {
	kill -TERM "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
}
trap 'stop; exit 130' INT TERM
trap stop EXIT

for _ in $(seq 300); do
	grep -q '^dashboard: ' "$data/server.out" && break
	kill -0 "$server" 2>/dev/null || { cat "$data/server.log" >&2; exit 1; }
	read -rt 0.1 <> <(:) || true
done
cat "$data/server.out"
echo "building: seed $seed, 60 devices on 3 floors, 5 % loss, files in $data/building"

export MESHMASON_URL=${MESHMASON_URL:-$(sed -n 's/^listening: //p' "$data/server.out")}
export MESHMASON_TOKEN
MESHMASON_TOKEN=$(cat "$data/admin-token")
status=0
if [ "$job" = yes ]; then
	"$bin/meshmason" trust add "$data/building/ca.pem"
	"$bin/meshmason" import "$data/building/devices.csv"
	# 3: partial, which is right here: the building has devices that must be refused
	"$bin/meshmason" provision --all-trusted || status=$?
	"$bin/meshmason" jobs
	[ "$leave" = yes ] && { [ "$status" = 3 ] || [ "$status" = 0 ]; exit; }
fi
echo "The dashboard stays up. Ctrl-C stops the server."
wait "$server"
