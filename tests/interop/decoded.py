# SPDX-License-Identifier: Apache-2.0
"""What our server recorded, read by a stranger: btmon of BlueZ."""
import os
import re
import struct
import subprocess

# What btmon says of a packet that it cannot make out.
ERRORS = re.compile(r'invalid|malformed|unknown|truncated|error|corrupt|too short|wrong', re.I)
# Not one: 127 is "not available" (Core Vol 4, Part E, 7.7.65.2), which an air of sockets is.
NO_RSSI = 'RSSI: invalid (0x7f)'
PACKET = re.compile(r'[<>] HCI ')
MESH = re.compile(r'\s+Mesh (Data|Beacon|Provisioning)(\[\d+\])?: ')    # 5.66 without lengths


def records(path):
    """How many packets a btsnoop file holds; None when it is not a whole one."""
    with open(path, 'rb') as f:
        data = f.read()
    if data[:8] != b'btsnoop\0':
        return None
    at, n = 16, 0
    while at < len(data):
        at, n = at + 24 + struct.unpack_from('>I', data, at + 4)[0], n + 1
    return n if at == len(data) else None


def check_captures(t, lab):
    for path in lab.captures:
        name = os.path.basename(path)
        try:
            held = records(path)
            shown = subprocess.run(['btmon', '-r', path], capture_output=True, text=True,
                                   errors='replace', timeout=60)
        except (OSError, subprocess.TimeoutExpired, struct.error) as e:
            t.check(False, 'btmon reads %s' % name, str(e))
            continue
        lines = re.sub(r'\x1b\[[0-9;]*m', '', shown.stdout).splitlines()
        bad = [line.strip() for line in lines if ERRORS.search(line) and NO_RSSI not in line]
        packets = sent = meshes = 0     # what others advertise may be of no mesh
        for line in lines:
            if PACKET.match(line):
                packets, ours = packets + 1, line[0] == '<'
                sent += ours
            elif MESH.match(line):
                meshes += ours
        t.check(held and shown.returncode == 0 and packets == held and meshes == sent > 0 and
                not bad, 'btmon reads %s' % name,
                '%s records, %d packets, %d sent, %d of the mesh, status %d; %s' %
                (held, packets, sent, meshes, shown.returncode, bad[:3]))
