# SPDX-License-Identifier: Apache-2.0
"""Takes certificates of the openssl command apart, bends them, and signs them again."""
import subprocess


def head(data, at):
    """(length of the header, length of the content) of the element at that octet."""
    n = data[at + 1]
    if n < 0x80:
        return 2, n
    octets = n & 0x7F
    return 2 + octets, int.from_bytes(data[at + 2:at + 2 + octets], 'big')


def children(data):
    """The elements inside the first one of data."""
    start, n = head(data, 0)
    found, at = [], start
    while at < start + n:
        skip, inside = head(data, at)
        found.append(data[at:at + skip + inside])
        at += skip + inside
    return found


def element(tag, content):
    n = len(content)
    if n < 0x80:
        return bytes([tag, n]) + content
    octets = n.to_bytes((n.bit_length() + 7) // 8, 'big')
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def sequence(*parts):
    return element(0x30, b''.join(parts))


def sign(tbs, key, digest='sha256'):
    return subprocess.run(['openssl', 'dgst', '-' + digest, '-sign', key], input=tbs, check=True,
                          stdout=subprocess.PIPE).stdout


def again(der, key, change, digest='sha256'):
    """The same certificate with the parts of its inside changed, signed by key."""
    tbs, algorithm, _ = children(der)
    parts = children(tbs)
    tbs = sequence(*change(parts))
    return sequence(tbs, algorithm, element(0x03, b'\0' + sign(tbs, key, digest)))


# the parts of a version 3 certificate's inside
VERSION, SERIAL, ALGORITHM, ISSUER, DATES, SUBJECT, KEY, EXTENSIONS = range(8)


def put(index, value):
    return lambda parts: parts[:index] + [value] + parts[index + 1:]


def swap(old, new):
    """Octets for octets of the same length, somewhere inside, once."""
    def change(parts):
        whole = b''.join(parts)
        assert whole.count(old) >= 1 and len(old) == len(new)
        at = whole.rindex(old)
        return [whole[:at] + new + whole[at + len(new):]]
    return change


def dates(first, last):
    """UTCTime texts, YYMMDDhhmmssZ."""
    return put(DATES, sequence(element(0x17, first.encode()), element(0x17, last.encode())))


def more_extensions(*extensions):
    def change(parts):
        inside = children(children(parts[EXTENSIONS])[0])
        return parts[:EXTENSIONS] + [element(0xA3, sequence(*inside, *extensions))]
    return change
