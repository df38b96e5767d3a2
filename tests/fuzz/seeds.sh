#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Writes the inputs from which the targets below start (tests/fuzz/corpus/TARGET/NAME): one line
# for each, in hexadecimal, or text after =. How a target reads its input stands in its file.
set -eu
cd "$(dirname "$0")/corpus"

while read -r target name input; do
	[ "${target:-#}" = "#" ] && continue
	mkdir -p "$target"
	case $input in
	=*) printf '%b' "${input#=}" >"$target/$name" ;;
	*) printf '%b' "$(echo "$input" | tr -d ' ' | sed 's/../\\x&/g')" >"$target/$name" ;;
	esac
done <<'EOF'
# published messages 1, 6 and 8.4.1 to 8.4.5 of the specification
mesh_air devices   15 142b0070cf7c9732a345b691494810d2e9cbf4a040 19 182b0070cf7c9732a345b691494810d2e9cbf44020d36b25b8
mesh_air message   1f 1e2a68cab5c5348a230afba8c63d4e686364979deaf4fd40961145939cda0e 5f 1e2a681615b5dd4a846cae0c032bf0746f44f1b8cc8ce5edc57e55beed49c0
mesh_air control   1b 192a68d4c826296d7979d7dbc0c9b4d43eebec129d20a620d01e0000
mesh_air beacons   d8 172b01003ecaff672f673370123456788ea261582f364f6f d8 172b01023ecaff672f67337012345679c2af80ad072a135c

mesh_inside own_node       11 02 02 8009 00 02 11 02 03 8008ff 00 02 12 0b 00000102030405060708 00 03
mesh_inside composition    05 ffffffff 00 01 01 00 1a 0200ffff00000100ff7f0000000005000000010002000300 0500 00 02
mesh_inside scan           01 00 06 8054 0001040a 01 00 15 8055c4 70cf7c9732a345b691494810d2e9cbf4 a040 09 01 06 8054 0000040a
mesh_inside attention      01 03 03 8007 05 01 43 03 8007 05 01 83 03 8007 05
mesh_inside backwards      11 2e 03 800800 00 03 11 3e 03 800800 00 04 13 07 00800400000001
mesh_inside pieces         14 00 01 02 0c 000102030405060708090a0b 00 02 14 00 00 02 0c 000102030405060708090a0b 14 00 02 02 05 0001020304 00 05
mesh_inside iv_update      06 02 01 00 04 11 12 02 8009 00 05 06 00 00 0e 00 05 16 00 2a 11 02 02 800c 00 05

pdus segment  00 8026ac01ee9dddfd2169326d23f3afdf
pdus opcode   03 c00136
pdus network  07 12345678 3129ab 0003 1201 04 8026ac01ee9dddfd2169326d23f3afdf

records two        06 0000 0001 0011 02 0004 6162 02 0004 6364 89 00 0011 0000 0002 4142

provisioner plain        08 00 01 0003 00 00 00 0000 00 0000 00 00 00 00
provisioner certificate  c3 00 04 0000 0001 00 04 0004 61626364 00 01 0003 01 00 00 0000 00 0000 06 00 00 00
provisioner static_oob   24 00 01 0003 00 01 00 0000 00 0000 00 00 00 00
provisioner output_oob   0c 00 01 0003 00 00 04 0008 00 0000 00 08 01 31 00 00 00
provisioner input_oob    0c 00 01 0003 00 00 00 0000 06 0008 00 00 00 00 00

composition relations   01 02010005000000010201000501170101
composition long_items  01 010000010006ff00
composition profiles    02 011601000101000300aabbcc0516010000000000
composition part        00 8000000300aabb

pb_remote joined   2b 02 0001 2c 02 0002 4e 01 01 2f 03 01 0506 4e 01 02 2f 03 02 0506 2c 03 06 00 02
pb_remote refused  2b 02 0400 8b 02 0001 2c 02 0002 2f 02 01 05 2b 02 0002 2c 02 0702

# the public key is the curve's base point
device node     01 02 02 8009 05 03 12 02 8004 05 03 02 04 8052040a 05 03 00 15 142b0070cf7c9732a345b691494810d2e9cbf4a040 05 05 02 12 805970cf7c9732a345b691494810d2e9cbf4 05 03 04 07 00800400000001
device records  00 06 05 01 01 01 0c 05 02 01 07 0a 0001 0000 0039 05 02
device join     00 06 05 01 01 02 0005 05 02 01 06 020000000000 01 41 036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5 05 02 01 11 05000102030405060708090a0b0c0d0e0f 05 02 01 11 06000102030405060708090a0b0c0d0e0f 05 02
device nppi     01 02 03 805900 05 03 02 05 805d010005 05 03 02 09 805d02020100000000 05 03 02 44 805d03036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5 05 03 02 24 805d0405000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f 05 03 02 03 805a00 05 03 02 04 80748000 00 02 03 8008ff 05 03

flash node  4d4d4446 01 19 00000000 0010 02 000102030405060708090a0b0c0d0e0f 00000000 0000 ffff 00000400 0a 0a 07 01 0000 000102030405060708090a0b0c0d0e0f 01 0000 0000 000102030405060708090a0b0c0d0e0f 01 00 0002 0000 01 0001 00000000 000005
flash candidate  4d4d4446 02 d9 00000000 0010 02 000102030405060708090a0b0c0d0e0f 00000000 0000 ffff 00000400 0a 0a 07 01 0000 000102030405060708090a0b0c0d0e0f 01 0000 0000 000102030405060708090a0b0c0d0e0f 01 00 0002 0000 01 0001 00000000 000005 01 0200 02 01 000102030405060708090a0b0c0d0e0f

building_file one  ={"format":"meshmason-building-1","seed":1,"loss":0.1,"devices":[{"uuid":"70cf7c97-32a3-45b6-9149-4810d2e9cbf4","name":"Lamp","area":"Hall","x":1,"y":2.5,"floor":0,"company":1,"product":2,"elements":1,"features":1,"algorithms":3,"server":true,"certificates":true,"oob_public_key":false,"fault":"none","absent":false,"certificate":"good","static_oob":"000102030405060708090a0b0c0d0e0f","records":[{"id":1,"data":"6162"}]}]}

mgmt report    80 11 ff 80 00 00 80 04 03 80 00 00 8c 3100 2b 060504030201 02 c4 0000000000000000 00000000 15 00 142b0070cf7c9732a345b691494810d2e9cbf4a040
mgmt flags     80 11 ff 80 00 00 80 04 03 80 00 00 8c 3100 2d 060504030201 02 c4 0000000000000000 00000000 17 00 020104 132b0070cf7c9732a345b691494810d2e9cbf4a0 8c 3100 2b 060504030201 02 c4 0000000000000000 00000000 15 00 142b0070cf7c9732a345b691494810d2e9cbf4a040
mgmt send      80 11 ff 80 00 00 80 04 03 80 00 00 9d 8c 3200 01 01 9d 80 01 01 90 94 98 9c 80 01 02 8c 3200 01 01 86 f4 8c 3100 2b 060504030201 02 c4 0000000000000000 00000000 15 00 142b0070cf7c9732a345b691494810d2e9cbf4a040
mgmt busy      80 11 ff 80 00 00 80 04 03 80 00 00 90 81 0a 85 86 80 01 01 90 90 90 90 90 8a 8c 3100 2b 060504030201 02 c4 0000000000000000 00000000 15 00 142b0070cf7c9732a345b691494810d2e9cbf4a040
mgmt switched  80 11 00 80 11 ff 81 0c
mgmt off       80 11 ff 80 00 00 80 04 03 80 00 00 8c 0600 04 00000000 87
mgmt gone      80 11 ff 80 00 00 80 04 03 80 00 00 8c 0500 00 87
mgmt silence   80 11 ff 8b

bearer_air two  0a 03 060504030201 020106 05 0102030405

options all  =[server]\n# comment\ndata = /tmp/x\nlisten=127.0.0.1:9\nradio = sim:\nsim-speed = max\nlog-level = info\ninsecure-listen = yes\n

request devices  =\x00/devices?limit=5&sort=-name\n
request import   =\x01/devices/import\ntext/csv; charset=utf-8

body all  ={"name":"a","note":"b","kind":"green","uuid":"70cf7c97-32a3-45b6-9149-4810d2e9cbf4","address":"0x0100","count":-5,"flag":true,"any":[1,null,{"x":1.5}]}

import csv   =uuid,name,area\n70cf7c97-32a3-45b6-9149-4810d2e9cbf4,"Lamp ""7""",Hall\nx,,\n
import json  ={"devices":[{"uuid":"70cf7c97-32a3-45b6-9149-4810d2e9cbf4","name":"Lamp","area":null}]}

events ours  =\xf72\x00\xf6a\x00\xf718446744073709551615\x00

auth token    =Bearer mm_token\n\n\n\n\n
auth session  =\na=b; meshmason_session=session-secret; c=d\nhttp://127.0.0.1:8080\n127.0.0.1:8080\nsame-origin\n

model_config keys               00 00 1100 0010 236145 8907
model_config keys_vendor        04 00 1100 5f000100 0300
model_config addresses          01 00 1100 0010 01c0 02c0
model_config publication        02 00 1100 01c0 2311 07 41 0a 0010
model_config publication_vendor 06 00 1100 01c0 2311 07 41 0a 5f000100
model_config subscription       03 00 1100 01c0 0010
model_config refused            00 02 1100 0010

rpr extended  57 00 0102030405060708090a0b0c0d0e0f10 0000 06094e454f2d31 020af4 0319c207 0724172f2f612e62

cursor pages  =uuid\x00uuid|b12121212121212121212121212121212|b12121212121212121212121212121212\x00lam\x00
EOF
