# SPDX-License-Identifier: Apache-2.0
"""Our server commissions daemons: all goes well, or the air is bad, or the way is long."""
import json

from lab import GATEWAY, Building, Peer, Server, until
from told import OOB, U, check_joined, dashed, models_of, provision


def tell_ours(t, lab):
    """Our server commissions daemons."""
    server = Server(lab)
    own = server.get('/status')['network']['address']
    first = Peer(lab, 'first', U[0], '--elements', '0000,0002,1000;1000')
    t.need(first.wait_ev(40, 'reply', cmd='join'), 'a daemon waits to be provisioned')

    address = provision(t, server, first, 'PB-ADV without OOB', 'none', own)
    node = check_joined(t, server, first, address, 'none')
    stored = first.stored()
    t.check(models_of(node) == [['0x' + m['modelId'] for m in e['models']]
                                for e in stored['elements']],
            'its composition was read: elements and models', json.dumps(models_of(node)))
    made = node['composition'] or {}
    t.check([made.get('company'), made.get('product'), made.get('version')] ==
            ['0x' + stored[k] for k in ('cid', 'pid', 'vid')] and
            made.get('replay_list') == int(stored['crpl'], 16),
            'its composition was read: company, product, version, replay list', json.dumps(made))
    t.check(node['server'], 'it is known as a Remote Provisioning Server')

    job, _ = server.job(60, 'configure', [address])     # it alone relays, see provision()
    t.check(job['state'] == 'succeeded', 'the configure job succeeds', job['state'])
    t.check(first.seen(5, lambda e: e['ev'] == 'model-config' and e['model'] == '0002' and
                       e['config'].get('Bindings')),
            'the daemon says that an AppKey is bound to its Health Server')
    t.check(until(5, lambda: first.stored().get('appKeys') and
                  first.stored()['relay']['mode'] == 'enabled', 0.5),
            'the daemon has stored the AppKey, and relays')

    second = Peer(lab, 'second', U[1], '--elements', '0000,0002,1000', '--rejoin')
    third = Peer(lab, 'third', U[2], '--elements', '0000,0002,1000', '--caps', 'static-oob',
                 '--static-oob', OOB, '--oob-info', 'on-box')
    t.need(second.wait_ev(40, 'reply', cmd='join'), 'a second daemon waits')
    job, _ = server.job(90, 'scan', 'all', server=address, seconds=10)
    t.check(job['state'] == 'succeeded', 'the scan job through the daemon succeeds', job['state'])
    device = server.get('/devices/' + dashed(U[1]))
    t.check(device and address in [s['server'] for s in device['sightings']],
            'the daemon\'s Scan Report of it arrived', json.dumps(device and device['sightings']))

    for _ in range(2):      # between two daemons, Link Open may go unanswered (README.md, 6)
        job, _ = server.job(60, 'identify', [dashed(U[1])], server=address, seconds=5)
        if job['state'] == 'succeeded':
            break
    t.check(job['state'] == 'succeeded', 'the identify job through the daemon succeeds',
            job['state'])
    t.need(second.wait_ev(40, 'reply', cmd='join'), 'the second waits again')
    far = provision(t, server, second, 'PB-Remote through the daemon', 'none', address)
    t.check(first.log_has('Remote Link open confirmed'), 'the daemon says that it carried the link')
    node = check_joined(t, server, second, far, 'none')
    t.check(node['provisioned_by'] == address, 'the server knows through whom it joined')
    t.check(node['elements'], 'its composition was read')

    t.need(third.wait_ev(40, 'reply', cmd='join'), 'a daemon with static OOB waits')
    status, answer = server.call('POST', '/devices/import', {
        'devices': [{'uuid': dashed(U[2]), 'name': 'third', 'static_oob': OOB}]})
    t.need(status == 200 and answer['counts']['added'] + answer['counts']['changed'] == 1,
           'its static OOB value is imported', json.dumps(answer))
    address = provision(t, server, third, 'PB-ADV with static OOB', 'static-oob', own)
    check_joined(t, server, third, address, 'static-oob')

    job, _ = server.job(60, 'remove', [address])
    t.need(job['state'] == 'succeeded', 'the remove job succeeds', job['state'])
    t.check(not server.get('/nodes/' + address), 'the server lists it no more')
    t.check(until(10, lambda: not third.is_node(), 0.5), 'the daemon has thrown its node away')
    third.command(cmd='join')
    again = provision(t, server, third, 'it joins again', 'static-oob', own)
    t.check(again != address, 'with another address: its old one rests', again)

    t.check(server.healthy() and all(p.alive() for p in (first, second, third)),
            'all are well at the end')


def tell_loss(t, lab, loss):
    """The same in short, where each radio misses so many of a hundred events."""
    server = Server(lab)
    own = server.get('/status')['network']['address']
    first = Peer(lab, 'first', U[0], '--elements', '0000,0002,1000;1000', '--rejoin', loss=loss)
    t.need(first.wait_ev(40, 'reply', cmd='join'), 'a daemon waits to be provisioned')
    address = provision(t, server, first, 'PB-ADV', 'none', own, limit=240)
    check_joined(t, server, first, address, 'none')
    job, _ = server.job(120, 'configure', [address], relay=False)
    t.check(job['state'] == 'succeeded', 'the configure job succeeds', job['state'])
    second = Peer(lab, 'second', U[1], '--elements', '0000,0002,1000', '--rejoin', loss=loss)
    t.need(second.wait_ev(40, 'reply', cmd='join'), 'a second daemon waits')
    far = provision(t, server, second, 'PB-Remote', 'none', address, limit=300)
    node = check_joined(t, server, second, far, 'none')
    t.check(node['elements'], 'its composition was read')
    job, _ = server.job(120, 'remove', [far])
    t.check(job['state'] == 'succeeded' and until(10, lambda: not second.is_node(), 0.5),
            'node reset', job['state'])


def tell_loss10(t, lab):
    tell_loss(t, lab, 10)


def tell_loss20(t, lab):
    tell_loss(t, lab, 20)


def tell_chain(t, lab):
    """Three in a row: each daemon joins through the one that joined before it."""
    server = Server(lab)
    by = server.get('/status')['network']['address']
    for i, name in enumerate(('first', 'second', 'third', 'fourth')):
        peer = Peer(lab, name, U[i], '--elements', '0000,0002,1000')
        t.need(peer.wait_ev(40, 'reply', cmd='join'), 'daemon %d waits' % (i + 1))
        address = provision(t, server, peer, 'daemon %d' % (i + 1), 'none', by)
        node = check_joined(t, server, peer, address, 'none')
        t.check(node['elements'] and node['provisioned_by'] == by, 'through the one before it')
        by = address


def tell_relays(t, lab):
    """Server, two of our simulated devices, a daemon: each in range of its neighbours only. The
    daemon joins through our simulated server, and another daemon through it over three hops."""
    server = Server(lab)
    by = server.get('/status')['network']['address']
    # one floor costs 67 to 79 dB, two cost 91 to 103, and -88 dBm are heard
    building = Building(lab, 'devices=2', 'floors=1', 'servers=1', 'cbp=0', 'static_oob=0',
                        'oob_pubkey=0', 'loss=0', floors=(1, 2), place={'first': 3, 'second': 3})
    for device in building.state()['devices']:
        job, tasks = server.job(150, 'provision', [device['uuid']], policy='none', server=by)
        t.need(job['state'] == 'succeeded', 'a simulated device joins through ' + by,
               json.dumps(job['counts']))
        by = tasks[0]['address']
    first = Peer(lab, 'first', U[0], '--elements', '0000,0002,1000', far=[GATEWAY])
    t.need(first.wait_ev(40, 'reply', cmd='join'), 'a daemon waits')
    address = provision(t, server, first, 'the daemon joins through our server', 'none', by)
    node = check_joined(t, server, first, address, 'none')
    t.check(node['elements'], 'its composition was read over three hops')
    t.check(node['hops'] == 2, 'two relays are counted up to it', str(node['hops']))
    second = Peer(lab, 'second', U[1], '--elements', '0000,0002,1000', far=[GATEWAY])
    t.need(second.wait_ev(40, 'reply', cmd='join'), 'another daemon waits')
    far = provision(t, server, second, 'it joins through the first', 'none', address)
    node = check_joined(t, server, second, far, 'none')
    t.check(node['provisioned_by'] == address, 'the server knows through whom')


def tell_line(t, lab):
    """The same over the relays of daemons: each is in range of its neighbours only."""
    row = [GATEWAY, 'first', 'second', 'third']
    server = Server(lab)
    by = server.get('/status')['network']['address']
    for i, name in enumerate(row[1:], 1):
        far = [n for k, n in enumerate(row) if abs(k - i) > 1]
        peer = Peer(lab, name, U[i - 1], '--elements', '0000,0002,1000', far=far)
        t.need(peer.wait_ev(40, 'reply', cmd='join'), 'daemon %d waits' % i)
        address = provision(t, server, peer, 'daemon %d' % i, 'none', by, relay=i < 3)
        node = check_joined(t, server, peer, address, 'none')
        t.check(node['elements'], 'its composition was read over %d hops' % i)
        by = address


def tell_extended(t, lab):
    """What a daemon tells of itself. What it hears of a device we ask our own radio: README.md."""
    server = Server(lab)
    own = server.get('/status')['network']['address']
    building = Building(lab, 'devices=1', 'floors=1', 'servers=1', 'cbp=0', 'static_oob=0',
                        'oob_pubkey=0', 'loss=0')
    uuid = building.state()['devices'][0]['uuid']
    first = Peer(lab, 'first', U[0], '--elements', '0000,0002,1000')
    t.need(first.wait_ev(40, 'reply', cmd='join'), 'a daemon waits to be provisioned')
    address = provision(t, server, first, 'PB-ADV', 'none', own)
    _, tasks = server.job(90, 'scan', [address], seconds=5, ad_types=['local_name'])
    t.check(tasks[0]['state'] == 'succeeded', 'an extended scan of the daemon itself',
            json.dumps(tasks))
    name = server.get('/devices/' + dashed(U[0]))['local_name']
    t.check(name, 'it told its name', str(name))
    job, tasks = server.job(90, 'scan', [uuid], seconds=5, ad_types=['local_name', 'appearance'])
    t.check(job['state'] == 'succeeded', 'an extended scan of our device', json.dumps(tasks))
    device = server.get('/devices/' + uuid)
    t.check(device['local_name'] and device['appearance'], 'it told its name and what it is',
            json.dumps(device))
    t.check(first.alive(), 'the daemon is well')
