# SPDX-License-Identifier: Apache-2.0
"""A certification authority of a maker, and all that can be wrong with its certificates."""
import os
import subprocess

import der

UUID = '8a1c2b3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d'
OTHER = '11111111-2222-4333-8444-555555555555'
WORKS = '/O=Hostile Works'
LEAF = ['basicConstraints=CA:FALSE', 'keyUsage=critical,keyAgreement']
CA = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign',
      'subjectKeyIdentifier=hash']


class Maker:
    def __init__(self, folder):
        self.folder = folder
        self.serial = 100
        self.key('device')
        self.root('root', WORKS + '/CN=Root')
        self.ca('issuing', 'root', WORKS + '/CN=Issuing')

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *words, **more):
        done = subprocess.run(['openssl', *words], cwd=self.folder, capture_output=True, **more)
        if done.returncode:
            raise SystemExit(f'openssl {" ".join(words)}: {done.stderr.decode()}')
        return done.stdout

    def read(self, name):
        with open(self.path(name), 'rb') as f:
            return f.read()

    def write(self, name, data):
        with open(self.path(name), 'wb') as f:
            f.write(data)
        return data

    def key(self, name, *how):
        how = how or ('-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256')
        self.openssl('genpkey', *how, '-out', name + '.key')

    def root(self, name, subject, extensions=None):
        self.key(name)
        words = ['req', '-new', '-x509', '-key', name + '.key', '-subj', subject, '-days', '3650', '-out',
                 name + '.pem']
        for one in extensions or CA:
            words += ['-addext', one]
        self.openssl(*words)
        return self.to_der(name)

    def to_der(self, name):
        self.openssl('x509', '-in', name + '.pem', '-outform', 'DER', '-out', name + '.der')
        return self.read(name + '.der')

    def issue(self, name, issuer, subject, extensions, key=None, digest='sha256', serial=None):
        """DER of a certificate for key (a file's name without its end)."""
        self.serial += 1
        key = key or name
        self.write(name + '.ext', '\n'.join(extensions).encode() + b'\n')
        self.openssl('req', '-new', '-key', key + '.key', '-subj', subject, '-out', name + '.csr')
        words = ['x509', '-req', '-in', name + '.csr', '-CA', issuer + '.pem', '-CAkey', issuer + '.key',
                 '-set_serial', serial or str(self.serial), '-days', '3000', '-' + digest, '-out', name + '.pem']
        if extensions:
            words += ['-extfile', name + '.ext']
        self.openssl(*words)
        return self.to_der(name)

    def ca(self, name, issuer, subject, extensions=None, **more):
        if 'key' not in more:
            self.key(name)
        return self.issue(name, issuer, subject, extensions or CA, **more)

    def leaf(self, name, extensions=None, cn=UUID + ' BCID:0001 BPID:0002', subject=None, issuer='issuing', **more):
        more.setdefault('key', 'device')
        return self.issue(name, issuer, subject or f'{WORKS}/CN={cn}', LEAF if extensions is None else extensions,
                          **more)

    def bent(self, name, change, issuer='issuing', base='good', digest='sha256'):
        """base's certificate with something changed inside, signed again by its issuer."""
        return self.write(name + '.der', der.again(self.read(base + '.der'), self.path(issuer + '.key'), change,
                                                   digest))

    def crl(self, issuer, *names, days=30, ended=False, ahead=False):
        """PEM of a list of these certificates by issuer."""
        self.write('index.txt', b'')
        self.write('crlnumber', b'01\n')
        self.write('ca.cnf', b'[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\n')
        for one in names:
            self.openssl('ca', '-config', 'ca.cnf', '-revoke', one + '.pem', '-cert', issuer + '.pem', '-keyfile',
                         issuer + '.key')
        words = ['ca', '-config', 'ca.cnf', '-gencrl', '-cert', issuer + '.pem', '-keyfile', issuer + '.key']
        dates = ('20200101000000Z', '20200201000000Z') if ended else ('20990101000000Z', '20990201000000Z')
        words += ['-crl_lastupdate', dates[0], '-crl_nextupdate', dates[1]] if ended or ahead else \
            ['-crldays', str(days)]
        return self.openssl(*words).decode()


def keys(m):
    """(name, DER, chain, code): the key is not what it must be."""
    rows = []
    kinds = {
        'P-384': ('-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'),
        'secp256k1': ('-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'),
        'explicit': ('-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit'),
        'RSA': ('-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'),
        'Ed25519': ('-algorithm', 'ED25519'),
    }
    for name, how in kinds.items():
        m.key('key' + name, *how)
        rows.append((f'a key of {name}', m.leaf('leaf' + name, key='key' + name), 'certificate_key'))
    m.openssl('ec', '-in', 'device.key', '-conv_form', 'compressed', '-out', 'compressed.key')
    rows.append(('a compressed point', m.leaf('compressed_leaf', key='compressed'), 'certificate_key'))
    good = m.read('good.der')
    point = der.children(der.children(good)[0])[der.KEY][-4:]
    rows.append(('a point off the curve',
                 m.bent('off', der.swap(point, bytes([point[0] ^ 1]) + point[1:])), 'certificate_key'))
    rows.append(("its issuer's key", m.leaf('same', key='issuing'), 'certificate_key'))
    rows.append(("the root's key", m.leaf('same_root', key='root'), 'certificate_key'))
    m.key('vague', *kinds['explicit'])
    m.ca('vague', 'root', WORKS + '/CN=Vague', key='vague')
    rows.append(('an issuer with explicit curve', (m.leaf('under_vague', issuer='vague'), m.read('vague.der')),
                 'certificate_key'))
    return rows


def signatures(m):
    good = m.read('good.der')
    m.key('rsa', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048')
    m.ca('rsa', 'root', WORKS + '/CN=RSA', key='rsa')
    m.ca('weak', 'root', WORKS + '/CN=Weak', digest='sha1')
    flipped = good[:-3] + bytes([good[-3] ^ 4]) + good[-2:]
    late = der.children(good)
    late = der.sequence(late[0].replace(b'BPID:0002', b'BPID:0003'), *late[1:])
    tbs, algorithm, signature = der.children(good)
    other = algorithm.replace(bytes.fromhex('2a8648ce3d040302'), bytes.fromhex('2a8648ce3d040303'))
    return [
        ('signed with SHA-1', m.leaf('sha1', digest='sha1'), 'certificate_untrusted'),
        ('signed with SHA-384', m.leaf('sha384', digest='sha384'), 'certificate_malformed'),
        ('signed by RSA', (m.leaf('by_rsa', issuer='rsa'), m.read('rsa.der')), 'certificate_malformed'),
        ('signed by RSA with MD5', (m.leaf('by_md5', issuer='rsa', digest='md5'), m.read('rsa.der')),
         'certificate_untrusted'),
        ('an issuer signed with SHA-1', (m.leaf('under_weak', issuer='weak'), m.read('weak.der')),
         'certificate_untrusted'),
        ('a flipped bit in the signature', flipped, 'certificate_untrusted'),
        ('a changed product', late, 'certificate_untrusted'),
        ('two signature algorithms', der.sequence(tbs, other, signature), 'certificate_untrusted'),
        ('an empty signature', der.sequence(tbs, algorithm, b'\x03\x01\0'), 'certificate_untrusted'),
    ]


def profile(m):
    usage, no_ca = LEAF[1], LEAF[0]
    rows = []
    for name, extensions, code in (
            ('a CA', ['basicConstraints=CA:TRUE', usage], 'usage'),
            ('no basic constraints', [usage], 'usage'),
            ('no key usage', [no_ca], 'usage'),
            ('for signing', [no_ca, 'keyUsage=digitalSignature'], 'usage'),
            ('for signing as well', [no_ca, 'keyUsage=keyAgreement,digitalSignature'], 'usage'),
            ('for TLS', LEAF + ['extendedKeyUsage=serverAuth'], 'usage'),
            ('for anything, critically', LEAF + ['extendedKeyUsage=critical,anyExtendedKeyUsage'], 'usage'),
            ('another name', LEAF + ['subjectAltName=DNS:lamp.example'], 'usage'),
            ('name constraints of its own', LEAF + ['nameConstraints=permitted;DNS:example.com'], 'usage'),
            ('an unknown critical extension', LEAF + ['1.2.3.4.5=critical,DER:0500'], 'usage'),
            ('policies that are not critical', LEAF + ['certificatePolicies=1.2.3.4'], 'malformed'),
            ('version 1', [], 'malformed')):
        rows.append((name, m.leaf('profile', extensions), 'certificate_' + code))
    usage_again = der.sequence(bytes.fromhex('0603551d0f'), element_of('0303020308'))
    rows.append(('an extension twice', m.bent('twice', der.more_extensions(usage_again)), 'certificate_malformed'))
    broken = der.sequence(bytes.fromhex('0603551d23'), element_of('ffff'))
    rows.append(('an extension that is garbage', m.bent('garbage', der.more_extensions(broken)),
                 'certificate_malformed'))
    return rows


def element_of(text):
    return der.element(0x04, bytes.fromhex(text))


def names(m):
    spare = m.leaf('spare', cn=UUID + ' BCID:0001 BPID:0002')
    assert spare
    nul = der.swap(b'BPID:0002', b'\0PID:0002')
    return [
        ("another device's UUID", m.leaf('other', cn=OTHER), 'certificate_uuid_mismatch'),
        ('the UUID twice', m.leaf('double', cn=f'{UUID} {UUID}'[:64]), 'certificate_malformed'),
        ('two common names', m.leaf('two', subject=f'{WORKS}/CN={OTHER}/CN={UUID}'), 'certificate_malformed'),
        ('a zero octet in the name', m.bent('nul', nul, base='spare'), 'certificate_malformed'),
        ('no subject', m.bent('nobody', der.put(der.SUBJECT, der.sequence())), 'certificate_malformed'),
        ('no organization', m.leaf('no_o', subject=f'/CN={UUID}'), 'certificate_malformed'),
        ('a company without a product', m.leaf('half', cn=f'{UUID} BCID:0001'), 'certificate_malformed'),
        ('the UUID as organization', m.leaf('where', subject=f'/O={UUID}/CN=Lamp'), 'certificate_malformed'),
        ('words after the UUID', m.leaf('words', cn=f'{UUID} genuine'), 'certificate_malformed'),
        ('a UUID without hyphens', m.leaf('flat', cn=UUID.replace('-', '')), 'certificate_malformed'),
    ]


def octets(m):
    good = m.read('good.der')
    size = len(good) - 4
    huge = der.sequence(bytes.fromhex('06042a030405'), der.element(0x04, der.element(0x04, b'x' * 9000)))
    return [
        ('a huge serial number', m.bent('huge', der.put(der.SERIAL, der.element(2, b'\x7f' * 40))),
         'certificate_malformed'),
        ('a negative serial number', m.bent('minus', der.put(der.SERIAL, b'\x02\x01\xff')), 'certificate_malformed'),
        ('serial number zero', m.bent('zero', der.put(der.SERIAL, b'\x02\x01\0')), 'certificate_malformed'),
        ('a trailing octet', good + b'\0', 'certificate_malformed'),
        ('another certificate behind it', good + good, 'certificate_malformed'),
        ('truncated', good[:-1], 'certificate_malformed'),
        ('half of it', good[:len(good) // 2], 'certificate_malformed'),
        ('a length in more octets than needed', b'\x30\x83\0' + size.to_bytes(2, 'big') + good[4:],
         'certificate_malformed'),
        ('an indefinite length', b'\x30\x80' + good[4:] + b'\0\0', 'certificate_malformed'),
        ('more than 8 KiB', m.bent('large', der.more_extensions(huge)), 'certificate_malformed'),
        ('zeros', b'\0' * 600, 'certificate_malformed'),
        ('an RSA of lengths', b'\x30\x84\xff\xff\xff\xff' * 100, 'certificate_malformed'),
        ('a date that is none', m.bent('month', der.dates('201301000000Z', '401301000000Z')),
         'certificate_malformed'),
    ]


def chains(m):
    issuing, root = m.read('issuing.der'), m.read('root.der')
    good = m.read('good.der')
    m.root('stranger', WORKS + '/CN=Stranger')
    m.root('namesake', WORKS + '/CN=Root')
    m.root('alone', f'{WORKS}/CN={UUID}', LEAF)
    m.ca('far', 'stranger', WORKS + '/CN=Far')
    m.ca('near', 'namesake', WORKS + '/CN=Near')
    m.ca('short', 'root', WORKS + '/CN=Short', CA[1:] + ['basicConstraints=critical,CA:TRUE,pathlen:0'])
    m.ca('below', 'short', WORKS + '/CN=Below')
    m.ca('plain', 'root', WORKS + '/CN=Plain', LEAF)
    m.ca('mute', 'root', WORKS + '/CN=Mute', [CA[0], 'keyUsage=critical,cRLSign'])
    m.ca('elsewhere', 'root', WORKS + '/CN=Elsewhere',
         CA + ['nameConstraints=critical,permitted;dirName:there\n[there]\nO=Somebody Else'])
    links, above = [], 'root'
    for i in range(16):
        m.ca(f'link{i}', above, f'{WORKS}/CN=Link {i}')
        above = f'link{i}'
        links.insert(0, m.read(above + '.der'))
    rows = [
        ('self-signed', (m.read('alone.der'),), 'certificate_chain'),
        ('the root sent along', (good, issuing, root), 'certificate_chain'),
        ('an intermediate signed by itself', (m.leaf('of_stranger', issuer='stranger'), m.read('stranger.der')),
         'certificate_chain'),
        ('a path that is too long for its CA', (m.leaf('deep', issuer='below'), m.read('below.der'),
                                                m.read('short.der')), 'certificate_chain'),
        ('a device as issuer', (m.leaf('of_plain', issuer='plain'), m.read('plain.der')), 'certificate_chain'),
        ('an issuer that may not sign', (m.leaf('of_mute', issuer='mute'), m.read('mute.der')), 'certificate_chain'),
        ('outside of its CA\'s names', (m.leaf('outside', issuer='elsewhere'), m.read('elsewhere.der')),
         'certificate_chain'),
        ('a gap', (m.leaf('gap', issuer='below'), m.read('short.der')), 'certificate_chain'),
        ("another chain's intermediate", (good, m.read('far.der')), 'certificate_chain'),
        ('sixteen intermediates', (m.leaf('last', issuer='link15'), *links), 'certificate_chain'),
        ('of somebody unknown', (m.leaf('of_far', issuer='far'), m.read('far.der')), 'certificate_untrusted'),
        ("of the root's namesake", (m.leaf('of_near', issuer='near'), m.read('near.der')), 'certificate_untrusted'),
        ('without its issuer', (m.leaf('bare', issuer='below'),), 'certificate_untrusted'),
    ]
    return rows


def times(m):
    m.write('old_issuing.der', der.again(m.read('issuing.der'), m.path('root.key'),
                                         der.dates('200101000000Z', '210101000000Z')))
    return [
        ('expired', m.bent('old', der.dates('200101000000Z', '210101000000Z')), 'certificate_expired'),
        ('not yet valid', m.bent('new', der.dates('450101000000Z', '490101000000Z')), 'certificate_not_yet_valid'),
        ('an expired issuer', (m.read('good.der'), m.read('old_issuing.der')), 'certificate_expired'),
    ]


def hostile(m):
    """All of them: (name, DER of the leaf and its chain, code)."""
    issuing = m.read('issuing.der')
    rows = []
    for maker in (keys, signatures, profile, names, octets, times, chains):
        for name, what, code in maker(m):
            rows.append((name, what if isinstance(what, tuple) else (what, issuing), code))
    return rows


class SiteMaker:
    """Certificates of web sites: one in order, the others not."""

    def __init__(self, folder):
        self.m = Maker(folder)
        here = ['basicConstraints=CA:FALSE', 'extendedKeyUsage=serverAuth',
                'subjectAltName=IP:127.0.0.1,DNS:localhost']
        self.m.root('authority', '/CN=Site authority')
        self.m.root('nobody', '/CN=Unknown authority')
        for name, issuer, extensions in (('site', 'authority', here), ('expired', 'authority', here),
                                         ('selfmade', 'nobody', here),
                                         ('misnamed', 'authority', here[:2] + ['subjectAltName=DNS:other.example'])):
            self.m.key(name)
            self.m.issue(name, issuer, '/CN=site', extensions)
        bent = der.again(self.m.read('expired.der'), self.m.path('authority.key'),
                         der.dates('200101000000Z', '210101000000Z'))
        self.m.write('expired.der', bent)
        self.m.openssl('x509', '-inform', 'DER', '-in', 'expired.der', '-out', 'expired.pem')

    def path(self, name):
        return self.m.path(name)
