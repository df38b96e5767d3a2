#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In the guest: our kernel radios against BlueZ's virtual controllers and its mesh daemon.
# radio_probe, mesh-node.py and the files of this folder are beside this script.
set -u
kit=$(cd "$(dirname "$0")" && pwd)
. "$kit/lab.sh"
trap lab_stop EXIT
n=0 fails=0
step() { printf '[%s] %s\n' "$(cut -d' ' -f1 /proc/uptime)" "$*"; }
check() { # check STATUS SENTENCE
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok: $2"; else echo "FAIL: $2"; fails=$((fails + 1)); fi
}
# btvirt may die of its own extended advertising (see README.md): it is tried last, and once.
probe() { timeout -k 2 60 "$kit/radio_probe" "$@" --legacy; }
says() { # says FILE REGEX SENTENCE
	grep -qE "$2" "$1"; local s=$?
	[ $s -eq 0 ] || { echo "--- $1"; tail -n 15 "$1"; echo "---"; }
	check $s "$3"
}
MARK=2a0badcafe0102030405060708090a0b0c0d
OUT=$LAB/out; mkdir -p "$OUT"
U0=a0a0a0a0000040008000000000000001

step "four virtual controllers, a mesh daemon on hci0"
lab_start 4; check $? "virtual controllers are there"
lab_meshd 0
lab_node 0 --uuid $U0 --elements '0000,0002,1000;1000'
lab_wait 0 '"cmd": "join"' 60 > /dev/null; check $? "the daemon waits to be provisioned"

step "user channel: hears, sends"
probe hci1 20 --until 2b > $OUT/hear
check $? "hci1 hears the daemon's unprovisioned device beacon"
says $OUT/hear "heard .*2b00$U0" "its UUID is whole"
says $OUT/hear '^up: hci1 \(00:AA:01:..:..:..\)|^up: hci1 \(' "one line says that the radio is up"
timeout 30 python3 "$kit/hci-scan.py" 2 12 2a > $OUT/scan & scan=$!
sleep 1.5
probe hci1 8 --send $MARK --count 2 > $OUT/send
wait $scan; check $? "a raw scanner on hci2 hears what hci1 sends"
says $OUT/scan "report type .*$MARK" "octet for octet"
grep -E '^(up|sent)' $OUT/send
timeout 30 python3 "$kit/hci-scan.py" 2 9 > $OUT/scan3 & scan=$!
sleep 1.5
probe hci1 5 --send $MARK --count 3 > $OUT/send3
wait $scan
heard=$(grep -c "$MARK" $OUT/scan3)
sent=$(sed -n 's/^sent \([0-9]*\).*/\1/p' $OUT/send3)
echo "sent $sent, heard $heard"
[ "$sent" -ge 20 ] && [ "$heard" -ge $((sent * 9 / 10)) ] && [ "$heard" -le $((sent + 3)) ]
check $? "every transmission is one report"

step "user channel: who is in the way"
probe hci1 6 > $OUT/holds & held=$!
sleep 1.5
probe hci1 2 > $OUT/held; says $OUT/held 'down: hci1: held by .*radio_probe \(pid [0-9]+\)' "a held adapter: by whom"
wait $held
probe hci9 2 > $OUT/missing; says $OUT/missing 'down: hci9: no such adapter.*hci1 \(' "a missing one: which there are"
setpriv --reuid 65534 --regid 65534 --clear-groups "$kit/radio_probe" hci1 2 > $OUT/perm
says $OUT/perm 'refused: hci1: not permitted: give CAP_NET_ADMIN' "no permission: which one to give"
rf=$(echo /sys/class/bluetooth/hci2/rfkill*); echo 1 > "$rf/soft"
probe hci2 2 > $OUT/rf; says $OUT/rf 'down: hci2: .*rfkill unblock' "rfkill: how to unblock"
echo 0 > "$rf/soft"
python3 "$kit/mgmt-mesh.py" 3 --listen 0 > $OUT/power
probe hci3 15 --until 2b > $OUT/up; check $? "an adapter that was left on, used by nobody, is taken"
address=$(sed -n 's/^up: hci3 (\([0-9A-F:]*\)).*/\1/p' $OUT/up)
probe "$address" 15 --until 2b > $OUT/by_address; check $? "an adapter is found by its address $address"

step "bluetoothd beside us"
lab_bus 1
DBUS_SYSTEM_BUS_ADDRESS=$(cat $LAB/1/address) /usr/libexec/bluetooth/bluetoothd -n > $OUT/bluetoothd 2>&1 & daemon=$!
sleep 5
probe hci3 2 > $OUT/beside; says $OUT/beside 'down: hci3: in use by bluetoothd \(pid [0-9]+\): .*--radio mgmt:hci3' "bluetoothd's adapter: whose, and two cures"
probe mgmt:hci3 20 --until 2b > $OUT/shared; check $? "mgmt:hci3 shares it with bluetoothd"
grep -E '^(up|down|sent)' $OUT/shared
kill $daemon; wait $daemon 2>/dev/null
probe hci3 15 --until 2b > $OUT/after; check $? "bluetoothd is gone: the adapter is taken"

step "management: hears, sends"
probe mgmt:hci2 20 --until 2b > $OUT/mgmt_hear; check $? "mgmt:hci2 hears the daemon's beacon"
grep -E '^(up|down|sent)' $OUT/mgmt_hear
timeout 30 python3 "$kit/hci-scan.py" 3 12 2a > $OUT/mgmt_scan & scan=$!
sleep 1.5
probe mgmt:hci2 8 --send $MARK --count 2 > $OUT/mgmt_send
wait $scan; check $? "a raw scanner on hci3 hears what mgmt:hci2 sends"
grep -E '^(up|down|sent)' $OUT/mgmt_send
probe hci3 12 --until 2a > $OUT/cross & cross=$!
sleep 1.5
probe mgmt:hci2 8 --send $MARK > /dev/null
wait $cross; check $? "our user channel radio hears our management radio"

step "the adapter goes away and comes back"
probe hci1 24 --send $MARK > $OUT/gone & gone=$!
sleep 3
lab_stop
sleep 2
lab_start 4; check $? "the controllers are back"
wait $gone
says $OUT/gone '^down: hci1: ' "unplugged: told"
[ "$(grep -c '^up: hci1' $OUT/gone)" -ge 2 ]; check $? "plugged in: up again"
grep -E '^(up|down)' $OUT/gone

step "extended advertising is tried out, and left alone where it does not work"
timeout 60 "$kit/radio_probe" hci1 5 --send $MARK > $OUT/auto
says $OUT/auto 'up: hci1 .*: up, legacy advertising' "the controller's extended sets do not end: legacy it is"
says $OUT/auto '^sent [1-9]' "and it sends"

find "$LAB" -type p -delete
[ -n "${INTEROP_KEEP_LOGS:-}" ] && cp -r "$LAB" "$INTEROP_KEEP_LOGS"
step "done"
echo "$((n - fails)) passed, $fails failed"
[ $fails -eq 0 ]
