# SPDX-License-Identifier: Apache-2.0
"""Our server gives a daemon a new device key, a new address, and takes over its new composition: the
Node Provisioning Protocol Interface, with the daemon as server of itself. BlueZ 5.82 to 5.87 begins
all three and ends none (README.md): tell_unfinished is what is left of them."""
import json

from lab import Peer, Server, until
from told import U, check_joined, key_id, models_of, provision


def begin(t, lab, *elements):
    server = Server(lab)
    own = server.get('/status')['network']['address']
    peer = Peer(lab, 'first', U[0], '--elements', *elements)
    t.need(peer.wait_ev(40, 'reply', cmd='join'), 'a daemon waits to be provisioned')
    address = provision(t, server, peer, 'PB-ADV', 'none', own)
    check_joined(t, server, peer, address, 'none')
    return server, peer, address


def run(t, server, what, kind, node, **options):
    job, tasks = server.job(150, kind, [node], **options)
    t.need(job['state'] == 'succeeded', what,
           json.dumps([job['counts'], tasks and tasks[0]['error']]))
    return tasks[0]


def check_reached(t, server, peer, address, what):
    """Both sides hold the same keys, and it goes on working."""
    node = server.get('/nodes/' + address)
    t.need(node, what + ': the server lists it')
    t.check(node['pending'] is None, what + ': nothing is left open', json.dumps(node['pending']))
    job, _ = server.job(60, 'configure', [address], relay=False)
    t.check(job['state'] == 'succeeded', what + ': it can be configured', job['state'])
    stored = peer.stored()
    t.check(int(stored['unicastAddress'], 16) == int(address, 16),
            what + ': the daemon has the same address', stored['unicastAddress'])
    t.check(key_id(bytes.fromhex(stored['deviceKey'])) == node['device_key_id'],
            what + ': the daemon has the same device key')
    return node


def restart(t, peer, *elements):
    """Power off and on, perhaps with other firmware."""
    peer.die()
    if elements:
        peer.args = ('--elements', *elements)
    peer.revive()
    t.need(peer.wait_ev(40, 'attached'), 'the daemon is switched off and on')


def tell_unfinished(t, lab):
    """A refresh that the daemon never ends costs nothing: both keep the old key, and go on, once
    the daemon was switched off and on: it dies of it, or will."""
    server, peer, address = begin(t, lab, '0000,0002,1000')
    before = peer.stored()
    restart(t, peer, '0000,0002,1000,1002')
    job, tasks = server.job(60, 'read-composition', [address])
    t.need(job['state'] == 'succeeded', 'its composition is read again',
           json.dumps(tasks[0]['error']))
    node = server.get('/nodes/' + address)
    t.check(node['composition_change'], 'the server sees that it has another one, on page 128',
            json.dumps(node['composition']))
    for kind in ('refresh-device-key', 'refresh-composition'):
        job, tasks = server.job(200, kind, [address], attempts=1)
        code = (tasks[0]['error'] or {}).get('code')
        t.check(job['state'] == 'failed' and code in ('timeout', 'link_lost', 'server_silent'),
                kind + ': the task says that the daemon stopped answering',
                '%s %s' % (job['state'], code))
        restart(t, peer)
        check_reached(t, server, peer, address, kind)
        t.check(peer.stored()['deviceKey'] == before['deviceKey'], 'the key is the old one')


def tell_device_key(t, lab):
    server, peer, address = begin(t, lab, '0000,0002,1000')
    before = peer.stored()['deviceKey']
    run(t, server, 'a new device key', 'refresh-device-key', address)
    check_reached(t, server, peer, address, 'new key')
    t.check(until(5, lambda: peer.stored()['deviceKey'] != before, 0.5), 'it is another one')
    run(t, server, 'once more', 'refresh-device-key', address)
    check_reached(t, server, peer, address, 'newest key')
    restart(t, peer)
    check_reached(t, server, peer, address, 'after a restart')


def tell_address(t, lab):
    server, peer, address = begin(t, lab, '0000,0002,1000;1000')
    before = peer.stored()['deviceKey']
    task = run(t, server, 'a new address', 'refresh-address', address, address='0x0200')
    t.check(task['new_address'] == '0x0200', 'the task says which', str(task['new_address']))
    t.check(not server.get('/nodes/' + address), 'the old one is nobody\'s')
    check_reached(t, server, peer, '0x0200', 'new address')
    t.check(peer.stored()['deviceKey'] != before, 'the key is another one, too')
    restart(t, peer)
    check_reached(t, server, peer, '0x0200', 'after a restart')


def tell_composition(t, lab):
    server, peer, address = begin(t, lab, '0000,0002,1000')
    restart(t, peer, '0000,0002,1000,1002')
    job, tasks = server.job(60, 'read-composition', [address])
    t.need(job['state'] == 'succeeded', 'its composition is read again',
           json.dumps(tasks[0]['error']))
    node = server.get('/nodes/' + address)
    t.check(node['composition_change'], 'the server sees that it has another one, on page 128',
            json.dumps(node['composition']))
    run(t, server, 'its new composition', 'refresh-composition', address)
    node = check_reached(t, server, peer, address, 'new composition')
    t.check('0x1002' in models_of(node)[0], 'the new model is known', json.dumps(models_of(node)))
    t.check(node['composition_change'] is None, 'no difference is left')
