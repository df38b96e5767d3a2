#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Scan on an HCI user channel and print what is advertised.

  hci-scan.py HCI_INDEX [SECONDS [UNTIL_AD_TYPE_HEX]]

Raw sockets only, as a mesh stack's own radio driver would do it: takes the
controller (which has to be down) from the kernel, resets it, scans with the
legacy LE commands.  One line a report; mesh AD types are named.  With
UNTIL_AD_TYPE_HEX (2b = mesh beacon) ends with status 0 at the first such AD
structure and with 1 when none came.
"""
import ctypes, os, socket, struct, sys, time

AF_BLUETOOTH, BTPROTO_HCI, HCI_CHANNEL_USER = 31, 1, 1
NAMES = {0x29: 'PB-ADV', 0x2a: 'mesh message', 0x2b: 'mesh beacon'}
libc = ctypes.CDLL(None, use_errno=True)


def user_channel(index):
    s = socket.socket(AF_BLUETOOTH, socket.SOCK_RAW | socket.SOCK_CLOEXEC, BTPROTO_HCI)
    # Python's own bind() knows only the raw channel
    addr = struct.pack('=HHH', AF_BLUETOOTH, index, HCI_CHANNEL_USER)
    if libc.bind(s.fileno(), addr, len(addr)) < 0:
        e = ctypes.get_errno()
        raise OSError(e, 'bind hci%d user channel: %s' % (index, os.strerror(e)))
    return s


def command(s, ogf, ocf, data=b''):
    op = ocf | ogf << 10
    s.send(struct.pack('<BHB', 1, op, len(data)) + data)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        p = s.recv(300)
        if p[0] == 4 and p[1] == 0x0e and struct.unpack_from('<H', p, 4)[0] == op:
            return p[6:]
    raise TimeoutError('opcode %04x' % op)


def reports(p):
    """advertising report event -> (kind, address type, address, data, rssi)

    btvirt sends the extended form (0x0d) for a sender that advertises with
    the extended commands, as the kernel does by itself on its default
    controllers, even when the scanner used the legacy ones.
    """
    if p[0] != 4 or p[1] != 0x3e or p[3] not in (0x02, 0x0d):
        return
    at = 5
    for _ in range(p[4]):
        if p[3] == 0x02:
            kind, atype, addr, n = str(p[at]), p[at + 1], p[at + 2:at + 8], p[at + 8]
            data, rssi = p[at + 9:at + 9 + n], struct.unpack_from('b', p, at + 9 + n)[0]
            at += 10 + n
        else:
            kind, atype, addr = 'ext-%02x' % struct.unpack_from('<H', p, at)[0], p[at + 2], p[at + 3:at + 9]
            rssi, n = struct.unpack_from('b', p, at + 13)[0], p[at + 23]
            data = p[at + 24:at + 24 + n]
            at += 24 + n
        yield kind, atype, ':'.join('%02X' % b for b in reversed(addr)), data, rssi


def main():
    index = int(sys.argv[1])
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5
    until = int(sys.argv[3], 16) if len(sys.argv) > 3 else None
    s = user_channel(index)
    print('user channel on hci%d' % index, flush=True)
    s.settimeout(0.5)
    print('reset', command(s, 3, 0x03).hex())
    print('address', ':'.join('%02X' % b for b in reversed(command(s, 4, 0x09)[1:7])))
    print('event mask', command(s, 3, 0x01, b'\xff' * 7 + b'\x3f').hex())
    print('LE event mask', command(s, 8, 0x01, b'\x1f\x10' + bytes(6)).hex())
    # a scan from the random address is refused (0x12) until one is set
    print('random address', command(s, 8, 0x05, b'\x01\x02\x03\x04\x05\xc6').hex())
    print('scan parameters', command(s, 8, 0x0b, struct.pack('<BHHBB', 0, 0x30, 0x30, 1, 0)).hex())
    print('scan enable', command(s, 8, 0x0c, b'\x01\x00').hex(), flush=True)
    end, count, found = time.monotonic() + seconds, 0, False
    while time.monotonic() < end and not found:
        try:
            p = s.recv(300)
        except TimeoutError:
            continue
        for kind, atype, addr, data, rssi in reports(p):
            count += 1
            ad, what = data, []
            while len(ad) > 1 and ad[0]:
                what.append('%s' % NAMES.get(ad[1], 'ad %02x' % ad[1]))
                found |= ad[1] == until
                ad = ad[1 + ad[0]:]
            print('report type %s from %s (%d) rssi %d: %s [%s]' % (kind, addr, atype, rssi, data.hex(), ', '.join(what)),
                  flush=True)
    s.settimeout(1)
    command(s, 8, 0x0c, b'\x00\x00')
    print('%d reports' % count)
    return 0 if found or until is None else 1


sys.exit(main())
