#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""interop.py BUILD_DIR CACHE_DIR [ours|theirs|peers]...   (see run.sh)

Stories run side by side, each on an air of its own: they mostly wait. A story that fails is told
once more from its beginning, and that is said.
"""
import hashlib
import json
import sys
import threading
import traceback

from lab import Building, Failed, Lab, Peer, Server, until

U = ['a0a0a0a0000040008000000000000001', 'b1b1b1b1000040008000000000000002',
     'c2c2c2c2000040008000000000000003', 'd3d3d3d3000040008000000000000004']
OOB = '00112233445566778899aabbccddeeff'


def dashed(uuid):
    return '-'.join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))


def key_id(key):
    return hashlib.sha256(b'meshmason device key id' + key).hexdigest()[:8]


class Told:
    """What one telling of a story found."""

    def __init__(self, story, says):
        self.story, self.says = story, says
        self.passed = self.failed = 0

    def check(self, good, what, detail=''):
        if good:
            self.passed += 1
        else:
            self.failed += 1
        self.says('%s: %s: %s%s' % ('ok' if good else 'FAIL', self.story, what,
                                    ' (%s)' % detail if detail and not good else ''))
        return good

    def need(self, good, what, detail=''):
        if not self.check(good, what, detail):
            raise Failed(what)
        return good


def models_of(node):
    return [[m['id'] for m in e['models']] for e in node['elements']]


def check_joined(t, server, peer, address, how):
    """Server and daemon say the same about the node; the daemon's own files are the witness."""
    node = server.get('/nodes/' + address)
    t.need(node, 'the server lists node ' + address)
    stored = peer.stored()
    t.check(node['uuid'] == dashed(peer.uuid), 'its uuid is the daemon\'s')
    t.check(int(stored['unicastAddress'], 16) == int(address, 16),
            'the daemon has the address that was given', stored['unicastAddress'])
    t.check(node['device_key_id'] == key_id(bytes.fromhex(stored['deviceKey'])),
            'both have the same device key')
    t.check(node['authentication'] == how, 'it joined by ' + how, node['authentication'])
    return node


def provision(t, server, peer, what, policy, by):
    job, tasks = server.job(150, 'provision', [dashed(peer.uuid)], policy=policy, server=by)
    t.need(job['state'] == 'succeeded' and len(tasks) == 1, what, json.dumps(job['counts']))
    t.check(tasks[0]['server'] == by, '%s: by server %s' % (what, by), str(tasks[0]['server']))
    t.need(peer.wait_ev(30, 'attached'), '%s: the daemon says so, too' % what)
    return tasks[0]['address']


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

    job, _ = server.job(60, 'configure', [address])
    t.check(job['state'] == 'succeeded', 'the configure job succeeds', job['state'])
    t.check(first.seen(5, lambda e: e['ev'] == 'model-config' and e['model'] == '0002' and
                       e['config'].get('Bindings')),
            'the daemon says that an AppKey is bound to its Health Server')
    t.check(until(5, lambda: first.stored().get('appKeys') and
                  first.stored()['relay']['mode'] == 'enabled', 0.5),
            'the daemon has stored the AppKey, and relays')

    second = Peer(lab, 'second', U[1], '--elements', '0000,0002,1000')
    third = Peer(lab, 'third', U[2], '--elements', '0000,0002,1000', '--caps', 'static-oob',
                 '--static-oob', OOB, '--oob-info', 'on-box')
    t.need(second.wait_ev(40, 'reply', cmd='join'), 'a second daemon waits')
    job, _ = server.job(90, 'scan', 'all', server=address, seconds=10)
    t.check(job['state'] == 'succeeded', 'the scan job through the daemon succeeds', job['state'])
    device = server.get('/devices/' + dashed(U[1]))
    t.check(device and address in [s['server'] for s in device['sightings']],
            'the daemon\'s Scan Report of it arrived', json.dumps(device and device['sightings']))

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

    t.check(server.healthy(), 'the server is well at the end')


def same_key(building, uuid, key):
    for d in building.state()['devices']:
        if d['uuid'] == dashed(uuid):
            return d.get('device_key_id') == key_id(key)
    return False


def tell_theirs(t, lab):
    """A daemon commissions simulated devices."""
    building = Building(lab, 'devices=2', 'floors=1', 'spacing_m=4', 'servers=1', 'cbp=0',
                        'static_oob=0', 'oob_pubkey=0', 'loss=0')
    creator = Peer(lab, 'creator', U[3], '--role', 'create', '--elements', '0000,0001,1001')
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
    creator.command(cmd='devkey', dst=address, data='800800')
    answer = creator.wait(30, lambda e: e['ev'] == 'devkey-msg' and e['src'] == address and
                          e['data'].startswith('0200'))
    t.need(answer, 'our device answers Composition Data Get')

    creator.command(cmd='scan', seconds=20, server=address)
    t.need(creator.wait_ev(40, 'scan', uuid=far, server=address),
           'our server reports another device to it')
    creator.command(cmd='add', uuid=far, server=address)
    done = creator.wait(120, lambda e: e['ev'] in ('add-complete', 'add-failed'))
    t.need(done and done['ev'] == 'add-complete', 'it provisions that one through our server',
           json.dumps(done))
    t.check(until(10, lambda: same_key(building, far, creator.stored_key_of(done['unicast'])),
                  0.5), 'both have the same device key there, too')
    creator.command(cmd='devkey', dst=done['unicast'], data='800800')
    t.check(creator.wait(30, lambda e: e['ev'] == 'devkey-msg' and e['src'] == done['unicast'] and
                         e['data'].startswith('0200')), 'that one answers as well')


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


STORIES = {'ours': tell_ours, 'theirs': tell_theirs, 'peers': tell_peers}


def tell(name, build, cache, says):
    """One telling, on an air of its own."""
    t = Told(name, says)
    lab = Lab(build, cache)
    try:
        STORIES[name](t, lab)
    except Failed as e:
        if not t.failed:
            t.check(False, str(e))
    except Exception:       # of this script, or an answer of no known shape
        t.check(False, 'the story broke off', traceback.format_exc().strip().replace('\n', ' / '))
    finally:
        if t.failed:
            lab.show_logs()
        lab.stop()
    return t


def main():
    build, cache, names = sys.argv[1], sys.argv[2], sys.argv[3:] or ['ours', 'theirs']
    for name in names:
        if name not in STORIES:
            sys.exit('no such story: ' + name)
    results, again, lock = {}, [], threading.Lock()

    def says(line):
        with lock:
            print(line, flush=True)

    def run(name):
        first = tell(name, build, cache, lambda line: says(line.replace('FAIL:', 'trouble:')))
        if first.failed:
            again.append(name)
            says('again: ' + name)
            first = tell(name, build, cache, says)
        results[name] = first

    threads = [threading.Thread(target=run, args=(n,)) for n in names]
    for th in threads:
        th.start()
    for th in threads:
        th.join()
    passed = sum(r.passed for r in results.values())
    failed = sum(r.failed for r in results.values())
    print('retried stories: %d' % len(again))
    print('%d passed, %d failed' % (passed, failed))
    sys.exit(1 if failed or len(results) != len(names) else 0)


if __name__ == '__main__':
    main()
