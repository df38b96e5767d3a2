#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A socket to plug a controller into: makes another adapter of one, until it is ended.

  plug.py HCI_INDEX

Takes hciN alone (its user channel) and gives the kernel a new adapter that is the same controller;
prints its name. When this program ends, that adapter is gone, as if it were unplugged, and
all the others stay. Started again, it is plugged in again.

On the way it mends what btvirt does and no real controller: who scans with the legacy commands
gets legacy reports, also of what another sends with the extended ones.
"""
import ctypes
import os
import select
import socket
import struct
import sys

AF_BLUETOOTH, BTPROTO_HCI, HCI_CHANNEL_USER = 31, 1, 1
COMMAND, EVENT, VENDOR = 0x01, 0x04, 0xff
LE_META, LEGACY_REPORT, EXTENDED_REPORT = 0x3e, 0x02, 0x0d
LE_SET_EVENT_MASK, LE_SET_EXT_SCAN = 0x2001, 0x2041
LEGACY_PDU = {0x13: 0, 0x15: 1, 0x12: 2, 0x10: 3, 0x1b: 4, 0x1a: 4}    # Core Vol 4, 7.7.65.13


def user_channel(index):
    s = socket.socket(AF_BLUETOOTH, socket.SOCK_RAW | socket.SOCK_CLOEXEC, BTPROTO_HCI)
    libc = ctypes.CDLL(None, use_errno=True)    # Python's own bind() knows only the raw channel
    at = struct.pack('=HHH', AF_BLUETOOTH, index, HCI_CHANNEL_USER)
    if libc.bind(s.fileno(), at, len(at)) < 0:
        e = ctypes.get_errno()
        raise OSError(e, 'hci%d: %s' % (index, os.strerror(e)))
    return s


def new_adapter():
    fd = os.open('/dev/vhci', os.O_RDWR)
    os.write(fd, bytes((VENDOR, 0)))
    answer = os.read(fd, 16)
    if answer[:2] != bytes((VENDOR, 0)):
        raise OSError('/dev/vhci says ' + answer.hex())
    return fd, struct.unpack_from('<H', answer, 2)[0]


class Plug:
    def __init__(self):
        self.extended = False       # the host scans with the extended commands

    def down(self, p):
        """A packet of the host."""
        if p[0] != COMMAND or len(p) < 4:
            return p
        opcode = struct.unpack_from('<H', p, 1)[0]
        if opcode == LE_SET_EXT_SCAN:
            self.extended = True
        if opcode == LE_SET_EVENT_MASK and len(p) == 12:
            mask = struct.unpack_from('<Q', p, 4)[0] | 1 << (EXTENDED_REPORT - 1)
            return p[:4] + struct.pack('<Q', mask)
        return p

    def up(self, p):
        """The packets that become of one of the controller."""
        if self.extended or p[:2] != bytes((EVENT, LE_META)) or p[3] != EXTENDED_REPORT:
            return [p]
        out, at = [], 5
        for _ in range(p[4]):
            kind, size = struct.unpack_from('<H', p, at)[0], p[at + 23]
            if kind in LEGACY_PDU and size <= 31:
                report = bytes((LEGACY_REPORT, 1, LEGACY_PDU[kind])) + p[at + 2:at + 9] + \
                    bytes((size,)) + p[at + 24:at + 24 + size] + p[at + 13:at + 14]
                out.append(bytes((EVENT, LE_META, len(report))) + report)
            at += 24 + size
        return out


def main():
    s = user_channel(int(sys.argv[1]))
    fd, index = new_adapter()
    print('hci%d' % index, flush=True)
    plug = Plug()
    while True:
        for ready in select.select([s, fd], [], [])[0]:
            if ready is s:
                p = s.recv(2048)
                if not p:
                    return      # the controller itself is gone
                for packet in plug.up(p):
                    os.write(fd, packet)
            else:
                s.send(plug.down(os.read(fd, 2048)))


main()
