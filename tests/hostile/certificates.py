# SPDX-License-Identifier: Apache-2.0
"""Malicious certificates, made with the openssl command: each is refused with its own code, by the
function that provisioning uses, asked through POST /trust-anchors/check of the real daemon."""
import base64
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'api'))
from daemon import Daemon, check, check_problem, finish, wrong  # noqa: E402
import der  # noqa: E402
import maker  # noqa: E402

BUILD = sys.argv[1]


def pem(data):
    lines = base64.encodebytes(data).decode()
    return f'-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n'


def ask(d, chain, uuid=maker.UUID):
    body = {'pem': pem(chain[0]), 'chain': [pem(one) for one in chain[1:]]}
    if uuid:
        body['uuid'] = uuid
    return d.call('POST', '/trust-anchors/check', body=body)


def expect(d, name, chain, code, uuid=maker.UUID):
    """code None: trusted."""
    a = ask(d, chain, uuid)
    if not check(f'{name}: answered', a.status == 200, a):
        return
    found = a.json()
    check(f'{name}: as in the contract', not wrong(found, {'$ref': '#/components/schemas/CertificateVerdict'}),
          found)
    check(f'{name}: {code or "trusted"}', found['code'] == code and
          found['verdict'] == ('refused' if code else 'trusted'), found)
    check(f'{name}: a sentence and an advice', found['message'].endswith('.') and
          bool(found['advice']) == bool(code), found)


def anchor(d, data):
    a = d.call('POST', '/trust-anchors', body=pem(data), headers={'Content-Type': 'application/x-pem-file'})
    check('an anchor is taken', a.status == 201, a)
    return a.json()['items'][0]['id']


def revocation(d, m, root):
    good, issuing = m.read('good.der'), m.read('issuing.der')
    pinned = anchor(d, issuing)

    def give(to, text):
        return d.call('POST', f'/trust-anchors/{to}/crl', body={'pem': text})

    m.write('partial.cnf', b'[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\n'
            b'crl_extensions=e\n[e]\nissuingDistributionPoint=critical,@i\n[i]\nonlyuser=TRUE\n')
    empty = m.crl('root')
    partial = m.openssl('ca', '-config', 'partial.cnf', '-gencrl', '-cert', 'root.pem', '-keyfile', 'root.key',
                        '-crldays', '3').decode()
    namesake = m.crl('namesake', 'near')
    for name, to, text in (("another issuer's list", root, m.crl('issuing')), ("a namesake's list", root, namesake),
                           ('a list of a part', root, partial), ('garbage', root, 'hello'),
                           ('a certificate', root, pem(good)), ('a list of days to come', root, m.crl('root', ahead=True)),
                           ('a bent list', root, empty[:200] + ('A' if empty[200] != 'A' else 'B') + empty[201:])):
        check_problem(f'{name} is refused', give(to, text), 422, 'crl_not_valid')
    check_problem('of no anchor', give(99999, empty), 404, 'not_found')
    expect(d, 'nothing is revoked yet', (good, issuing), None)

    a = give(pinned, m.crl('issuing', 'good'))
    check('a list is taken', a.status == 200 and a.json()['crl']['revoked'] == 1 and not a.json()['crl']['stale'], a)
    expect(d, 'revoked', (good, issuing), 'certificate_revoked')
    check_problem('an older list', give(pinned, m.crl('issuing', ended=True)), 422, 'crl_not_valid')
    check('taken off', d.call('DELETE', f'/trust-anchors/{pinned}/crl').status == 204)
    check_problem('only once', d.call('DELETE', f'/trust-anchors/{pinned}/crl'), 404)
    expect(d, 'not revoked any more', (good, issuing), None)
    a = give(pinned, m.crl('issuing', 'good', ended=True))
    check('a stale list is shown as such', a.status == 200 and a.json()['crl']['stale'], a)
    expect(d, 'revoked by a stale list', (good, issuing), 'certificate_revoked')
    d.call('DELETE', f'/trust-anchors/{pinned}/crl')
    give(root, m.crl('root', 'issuing'))
    expect(d, 'the pinned issuer revoked by its root', (good, issuing), 'certificate_revoked')
    d.call('DELETE', f'/trust-anchors/{pinned}')
    expect(d, 'the issuer revoked', (good, issuing), 'certificate_revoked')
    d.call('DELETE', f'/trust-anchors/{root}/crl')
    expect(d, 'all is well again', (good, issuing), None)


def products(d, m):
    good, issuing = m.read('good.der'), m.read('issuing.der')
    bare = m.leaf('bare_name', cn=maker.UUID)
    for name, company, product, chain, code in (
            ('as listed', '0x0001', '0x0002', good, None), ('another company', '0x0003', None, good, 1),
            ('another product', '0x0001', '0x0009', good, 1), ('it does not say', '0x0001', '0x0002', bare, 1),
            ('the list says nothing', None, None, good, None)):
        row = {'uuid': maker.UUID, 'name': 'Lamp', 'company': company, 'product': product}
        a = d.call('POST', '/devices/import', body={'devices': [row]})
        check(f'{name}: imported', a.status == 200 and a.json()['counts']['refused'] == 0, a)
        expect(d, name, (chain, issuing), 'certificate_product_mismatch' if code else None)
    a = d.call('POST', '/devices/import', body={'devices': [{'uuid': maker.UUID, 'company': '1'}]})
    check('a company that is no number', a.json()['rows'][0]['field'] == 'company', a)


def anchors(d, m):
    """Roots whose own time has not come, or is over."""
    root = m.read('root.der')
    for name, first, last, code in (('a root of tomorrow', '450101000000Z', '490101000000Z', 'not_yet_valid'),
                                    ('a root of yesterday', '200101000000Z', '210101000000Z', 'expired')):
        bent = der.again(root, m.path('root.key'), der.dates(first, last))
        number = anchor(d, bent)
        expect(d, name, (m.read('good.der'), m.read('issuing.der')), 'certificate_' + code)
        d.call('DELETE', f'/trust-anchors/{number}')


def bad_requests(d, m):
    good = pem(m.read('good.der'))
    for name, body, status, code in (
            ('nothing', {}, 400, 'missing_field'), ('no PEM', {'pem': 'x'}, 400, 'invalid_value'),
            ('a key', {'pem': m.read('root.key').decode()}, 400, 'invalid_value'),
            ('no uuid', {'uuid': 'x'}, 400, 'invalid_value'), ('a chain alone', {'chain': []}, 400, 'missing_field'),
            ('a chain that is none', {'pem': good, 'chain': 5}, 400, 'wrong_type'),
            ('a chain of numbers', {'pem': good, 'chain': [5]}, 400, 'invalid_value'),
            ('too many', {'pem': good, 'chain': [good] * 40}, 400, 'invalid_value'),
            ('a stranger', {'uuid': maker.OTHER}, 404, 'not_found')):
        check_problem(name, d.call('POST', '/trust-anchors/check', body=body), status, code)


def main():
    with tempfile.TemporaryDirectory(prefix='meshmason-hostile-') as folder:
        m = maker.Maker(folder)
        m.leaf('good')
        rows = maker.hostile(m)
        d = Daemon(BUILD, 'sim:devices=1,floors=1')
        try:
            good, issuing = m.read('good.der'), m.read('issuing.der')
            expect(d, 'no anchor', (good, issuing), 'certificate_untrusted')
            anchors(d, m)
            root = anchor(d, m.read('root.der'))
            expect(d, 'good', (good, issuing), None)
            expect(d, 'good for itself', (good, issuing), None, uuid=None)
            expect(d, 'good with spare certificates', (good, issuing), None)
            for name, chain, code in rows:
                expect(d, name, chain, code)
            print(f'{len(rows)} malicious certificates', flush=True)
            revocation(d, m, root)
            products(d, m)
            bad_requests(d, m)
            expect(d, 'nothing was weakened', (good, issuing), None)
        finally:
            d.end()
    finish()


if __name__ == '__main__':
    main()
