# SPDX-License-Identifier: Apache-2.0
"""A daemon commissions: our simulated devices, and, to prove the laboratory, other daemons."""
import json

from lab import Building, Peer, until
from told import U, dashed, key_id


def same_key(building, uuid, key):
    for d in building.state()['devices']:
        if d['uuid'] == dashed(uuid):
            return d.get('device_key_id') == key_id(key)
    return False


def ask(creator, address, request, answer):
    """A message under the device key: the daemon sends it once, so whoever asks repeats it."""
    for _ in range(4):
        creator.command(cmd='devkey', dst=address, data=request)
        if creator.wait(8, lambda e: e['ev'] == 'devkey-msg' and e['src'] == address and
                        e['data'].startswith(answer)):
            return True
    return False


def tell_theirs(t, lab, loss=0):
    """A daemon commissions simulated devices."""
    building = Building(lab, 'devices=2', 'floors=1', 'spacing_m=4', 'servers=1', 'cbp=0',
                        'static_oob=0', 'oob_pubkey=0', 'loss=%g' % (loss / 100))
    creator = Peer(lab, 'creator', U[3], '--role', 'create', '--elements', '0000,0001,1001',
                   loss=loss)
    t.need(creator.wait_ev(40, 'attached'), 'the daemon has made a network')
    uuids = [d['uuid'].replace('-', '') for d in building.state()['devices']]
    near, far = uuids

    creator.command(cmd='scan', seconds=20)
    t.need(creator.wait_ev(30, 'scan', uuid=near), 'it hears our device')
    creator.command(cmd='add', uuid=near)
    done = creator.wait(90, lambda e: e['ev'] in ('add-complete', 'add-failed'))
    t.need(done and done['ev'] == 'add-complete', 'it provisions our device by PB-ADV',
           json.dumps(done))
    address = done['unicast']
    t.check(until(10, lambda: same_key(building, near, creator.stored_key_of(address)), 0.5),
            'both have the same device key')
    t.need(ask(creator, address, '800800', '0200'), 'our device answers Composition Data Get')

    creator.command(cmd='scan', seconds=20, server=address)
    t.need(creator.wait_ev(40, 'scan', uuid=far, server=address),
           'our server reports another device to it')
    creator.command(cmd='add', uuid=far, server=address)
    done = creator.wait(120, lambda e: e['ev'] in ('add-complete', 'add-failed'))
    t.need(done and done['ev'] == 'add-complete', 'it provisions that one through our server',
           json.dumps(done))
    t.check(until(10, lambda: same_key(building, far, creator.stored_key_of(done['unicast'])),
                  0.5), 'both have the same device key there, too')
    t.check(ask(creator, done['unicast'], '800800', '0200'), 'that one answers as well')
    t.check(ask(creator, done['unicast'], '8049', '804a'), 'it answers Node Reset')
    t.check(until(10, lambda: not any(d['uuid'] == dashed(far) and d.get('device_key_id')
                                      for d in building.state()['devices']), 0.5),
            'and has forgotten its keys')


def tell_theirs_loss10(t, lab):
    tell_theirs(t, lab, 10)


def tell_peers(t, lab):
    """Daemons among themselves: the laboratory is right."""
    first = Peer(lab, 'first', U[0], '--elements', '0000,0002,1000;1000')
    creator = Peer(lab, 'creator', U[3], '--role', 'create', '--elements', '0000,0001,1001')
    t.need(first.wait_ev(40, 'reply', cmd='join'), 'a daemon waits to be provisioned')
    t.need(creator.wait_ev(40, 'attached'), 'another has made a network')
    creator.command(cmd='scan', seconds=20)
    t.need(creator.wait_ev(30, 'scan', uuid=U[0]), 'it hears the first')
    creator.command(cmd='add', uuid=U[0])
    t.need(creator.wait_ev(60, 'add-complete'), 'PB-ADV')
    t.need(first.wait_ev(30, 'attached'), 'both sides say so')
    t.check(first.stored()['deviceKey'].lower() == creator.stored_key_of(0x10).hex(),
            'their files hold the same device key')
    creator.command(cmd='devkey', dst=0x10, data='800800')
    t.check(creator.wait_ev(20, 'devkey-msg', src=0x10), 'Composition Data Status')
    second = Peer(lab, 'second', U[1])
    t.need(second.wait_ev(40, 'reply', cmd='join'), 'a third waits')
    creator.command(cmd='scan', seconds=30, server=0x10)
    t.need(creator.wait_ev(40, 'scan', uuid=U[1], server=0x10), 'remote scan')
    creator.command(cmd='add', uuid=U[1], server=0x10)
    t.need(creator.wait_ev(90, 'add-complete'), 'PB-Remote')
    t.check(second.wait_ev(30, 'attached'), 'both sides say so')
    t.check(first.log_has('Remote Link open confirmed'), 'the server in between logged it')


def digits(text):
    return int(text)


def letters(text):
    return text.encode().ljust(16, b'\0').hex()


# size and actions of output and input; what the daemon calls it; how it wants the answer. It has no
# letters to enter: those that it draws are small ones, too (README.md).
SHOWN = (((6, 8, 0, 0), 'out-numeric', digits), ((6, 16, 0, 0), 'out-alpha', letters),
         ((1, 1, 0, 0), 'blink', digits))
ENTERED = (((0, 0, 5, 4), 'in-numeric'), ((0, 0, 1, 1), 'push'))


def tell_theirs_oob(t, lab):
    """Our devices' displays are read to a daemon, and what it shows is entered at them."""
    rows = [(what, SHOWN[i][2] if i < len(SHOWN) else None)
            for i, what in enumerate([s[1] for s in SHOWN] + [e[1] for e in ENTERED])]
    building = Building(lab, 'devices=5', 'floors=1', 'spacing_m=2', 'servers=1', 'cbp=0',
                        'static_oob=0', 'oob_pubkey=0', 'loss=0',
                        prompts=[s[0] for s in SHOWN] + [e[0] for e in ENTERED])
    creator = Peer(lab, 'creator', U[3], '--role', 'create', '--elements', '0000,0001,1001',
                   '--caps', *[what for what, _ in rows])
    t.need(creator.wait_ev(40, 'attached'), 'the daemon has made a network')
    uuids = [d['uuid'].replace('-', '') for d in building.state()['devices']]
    for uuid, (what, answer) in zip(uuids, rows):
        creator.command(cmd='add', uuid=uuid)
        if answer:
            asked = creator.wait(60, lambda e: e['ev'] in ('prompt', 'add-failed'))
            t.need(asked and asked.get('type') == what, what + ': the daemon asks for it',
                   json.dumps(asked))
            shown = until(20, lambda: building.device(uuid)['display'], 0.3)
            t.need(shown, what + ': our device shows it')
            creator.command(cmd='answer', value=answer(shown))
        else:
            shown = creator.wait(60, lambda e: e['ev'] in ('display', 'add-failed'))
            t.need(shown and shown['ev'] == 'display', what + ': the daemon shows it',
                   json.dumps(shown))
            t.need(until(20, lambda: building.device(uuid)['entry'], 0.3),
                   what + ': our device waits for it')
            entered, why = building.press(dashed(uuid), str(shown['value']))
            t.need(entered, what + ': it is entered', why)
        done = creator.wait(60, lambda e: e['ev'] in ('add-complete', 'add-failed'))
        t.need(done and done['ev'] == 'add-complete', what + ': our device joins',
               json.dumps(done))
        t.check(until(10, lambda: same_key(building, uuid,
                                           creator.stored_key_of(done['unicast'])), 0.5),
                what + ': both have the same device key')
