#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Which of the kernel's mesh management commands a controller has.

  mgmt-mesh.py HCI_INDEX [--send HEX_AD] [--listen SECONDS] [--le-only] [--power-only]

Sets the mesh experimental feature, powers the controller up with LE on, reads
the mesh features, sets the receiver, sends one mesh packet and prints what
the kernel answers and which events come.
"""
import argparse, ctypes, os, socket, struct, sys, time

libc = ctypes.CDLL(None, use_errno=True)
AF_BLUETOOTH, BTPROTO_HCI, HCI_CHANNEL_CONTROL, HCI_DEV_NONE = 31, 1, 3, 0xffff
STATUS = {0: 'success', 1: 'unknown command', 3: 'failed', 0x0a: 'busy', 0x0b: 'rejected', 0x0c: 'not supported',
          0x0d: 'invalid parameters', 0x0f: 'not powered', 0x11: 'invalid index', 0x14: 'permission denied'}
EVENTS = {0x0031: 'Mesh Device Found', 0x0032: 'Mesh Packet Complete', 0x0006: 'New Settings'}
# the kernel's UUID of the mesh experimental feature, in little-endian order
MESH_UUID = bytes.fromhex('76 6e f3 e8 24 5f 05 bf 8d 4d 03 7a d7 63 e4 2c'.replace(' ', ''))


class Mgmt:
    def __init__(self, index):
        self.index = index
        self.s = socket.socket(AF_BLUETOOTH, socket.SOCK_RAW, BTPROTO_HCI)
        a = struct.pack('=HHH', AF_BLUETOOTH, HCI_DEV_NONE, HCI_CHANNEL_CONTROL)
        if libc.bind(self.s.fileno(), a, len(a)) < 0:
            sys.exit('bind control channel: ' + os.strerror(ctypes.get_errno()))
        self.s.settimeout(0.5)

    def event(self, p):
        ev, idx, n = struct.unpack_from('<HHH', p)
        if ev in EVENTS:
            print('  event hci%d %s: %s' % (idx, EVENTS[ev], p[6:6 + n].hex()), flush=True)

    def cmd(self, name, op, data=b'', index=None):
        index = self.index if index is None else index
        self.s.send(struct.pack('<HHH', op, index, len(data)) + data)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            try:
                p = self.s.recv(1024)
            except TimeoutError:
                continue
            ev = struct.unpack_from('<H', p)[0]
            if ev in (1, 2) and struct.unpack_from('<H', p, 6)[0] == op:
                st = p[8]
                print('%s (0x%04x): %s %s' % (name, op, STATUS.get(st, '0x%02x' % st), p[9:].hex()), flush=True)
                return st, p[9:]
            self.event(p)
        print('%s (0x%04x): no answer' % (name, op))
        return None, b''

    def listen(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.event(self.s.recv(1024))
            except TimeoutError:
                pass


p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument('index', type=int)
p.add_argument('--send', default='2a' + '00' * 17)
p.add_argument('--listen', type=float, default=5)
p.add_argument('--le-only', action='store_true', help='switch BR/EDR off: the kernel then puts a Flags AD before the mesh AD')
p.add_argument('--power-only', action='store_true', help='switch LE and the adapter on, and leave it so')
a = p.parse_args()
m = Mgmt(a.index)
ok = True
m.cmd('Read Version', 0x0001, index=HCI_DEV_NONE)
if a.power_only:
    m.cmd('Set LE', 0x000d, b'\x01')
    st, _ = m.cmd('Set Powered on', 0x0005, b'\x01')
    sys.exit(0 if st == 0 else 1)
st, _ = m.cmd('Set Experimental Feature: mesh', 0x004a, MESH_UUID + b'\x01')
m.cmd('Set Powered off', 0x0005, b'\x00')
m.cmd('Set LE', 0x000d, b'\x01')
if a.le_only:
    m.cmd('Set BR/EDR off', 0x002a, b'\x00')
m.cmd('Set Powered on', 0x0005, b'\x01')
st, d = m.cmd('Mesh Read Features', 0x0058)
ok &= st == 0
# enable, window, period, three AD types
st, d = m.cmd('Set Mesh Receiver', 0x0057, struct.pack('<BHHB', 1, 0x30, 0x30, 3) + b'\x29\x2a\x2b')
ok &= st == 0
ad = bytes.fromhex(a.send)
ad = bytes([len(ad)]) + ad
# address (any), type random, instant, delay, count, data
st, d = m.cmd('Mesh Send', 0x0059, bytes(6) + b'\x02' + bytes(8) + struct.pack('<HBB', 0, 3, len(ad)) + ad)
ok &= st == 0
m.listen(a.listen)
m.cmd('Mesh Send Cancel', 0x005a, b'\x00')
m.cmd('Set Mesh Receiver off', 0x0057, struct.pack('<BHHB', 0, 0x30, 0x30, 0))
sys.exit(0 if ok else 1)
