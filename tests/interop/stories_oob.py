# SPDX-License-Identifier: Apache-2.0
"""A person reads a daemon's display, or types what our server shows: Output and Input OOB."""
import json
import time

from lab import Building, Peer, Server, until
from told import OOB, U, check_joined, dashed, provision

# Sample data of the Mesh Protocol specification, 8.7: a device's key pair.
PRIVATE = '529aa0670d72cd6497502ed473502b037e8803b5c60829a5a3caa219505530ba'
PUBLIC = ('f465e43ff23d3f1b9dc7dfc04da8758184dbc966204796eccf0d6cf5e16500cc'
          '0201d048bcbbd899eeefc424164e33c201c2b010ca6b4d43a8a155cad8ecb279')


def prompt_of(t, server, job):
    prompt = until(60, lambda: [p for p in server.get('/oob')['items'] if p['job'] == job], 0.2)
    if not prompt:
        t.need(False, 'a person is asked', json.dumps(server.get('/jobs/%d/tasks' % job)))
    return prompt[0]


def begin(t, lab, server, n, what, caps, policy):
    """The n-th device waits, and a job that has to ask: (daemon, job, prompt)."""
    peer = Peer(lab, 'oob%d' % n, '%02x' % n + U[0][2:], '--elements', '0000,0002,1000',
                '--rejoin', '--caps', *caps)
    t.need(peer.wait_ev(40, 'reply', cmd='join'), 'a daemon waits: ' + what)
    own = server.get('/status')['network']['address']
    job = server.begin('provision', [dashed(peer.uuid)], policy=policy, server=own, relay=False)
    return peer, job, prompt_of(t, server, job)


def check_done(t, lab, server, peer, job, policy, what):
    ended, tasks = server.finish(job, 120)
    t.need(ended['state'] == 'succeeded', what + ': it joins',
           json.dumps([ended['counts'], tasks[0]['error']]))
    t.check(tasks[0]['method'] == policy, 'the task says so', str(tasks[0]['method']))
    t.need(peer.wait_ev(30, 'attached'), 'the daemon says so, too')
    check_joined(t, server, peer, tasks[0]['address'], policy)
    peer.die()


def answer(t, server, prompt, value):
    status, _ = server.call('POST', '/oob/%d' % prompt['task'], {'value': value})
    t.check(status == 202, 'the answer is taken', str(status))


def read(t, peer):
    """What the daemon shows to the one who stands before it."""
    shown = peer.wait(30, lambda e: e['ev'] == 'display')
    t.need(shown, 'the daemon shows something')
    return str(shown['value'])


def tell_output(t, lab):
    """Digits and blinks: the daemon shows them, and we are told."""
    server = Server(lab)
    for n, (caps, action) in enumerate(((['out-numeric'], 'number'), (['blink'], 'blink')), 1):
        what = caps[0]
        peer, job, prompt = begin(t, lab, server, n, what, caps, 'output-oob')
        t.check(prompt['method'] == 'output-oob' and prompt['action'] == action,
                what + ': the action is the one that the daemon has', json.dumps(prompt))
        value = read(t, peer)
        t.check(len(value) <= prompt['size'], what + ': it is as long as announced',
                '%s, %d' % (value, prompt['size']))
        if value == '0' and action == 'blink':      # one of ten: the peer cannot be answered
            t.says('%s: the daemon blinks not once' % t.story)
            server.call('POST', '/jobs/%d/cancel' % job)
            continue
        answer(t, server, prompt, value)
        check_done(t, lab, server, peer, job, 'output-oob', what)


def tell_refused(t, lab):
    """Up to 5.82 the daemon refuses whoever chooses what it offers itself (README.md)."""
    server = Server(lab)
    own = server.get('/status')['network']['address']
    for n, (caps, policy) in enumerate(((['out-numeric'], 'output-oob'),
                                        (['in-numeric'], 'input-oob')), 1):
        peer = Peer(lab, 'oob%d' % n, '%02x' % n + U[0][2:], '--elements', '0000,0002,1000',
                    '--rejoin', '--caps', *caps)
        t.need(peer.wait_ev(40, 'reply', cmd='join'), 'a daemon waits: ' + caps[0])
        job, tasks = server.job(60, 'provision', [dashed(peer.uuid)], policy=policy, server=own,
                                attempts=1)
        code = (tasks[0]['error'] or {}).get('code')
        t.check(job['state'] == 'failed' and code == 'device_refused',
                'the task says that the device refused', '%s %s' % (job['state'], code))
        t.need(peer.wait_ev(40, 'reply', cmd='join'), 'the daemon waits again')
        job = server.begin('provision', [dashed(peer.uuid)], policy='none', server=own, relay=False)
        check_done(t, lab, server, peer, job, 'none', 'without OOB')


def tell_output_wrong(t, lab):
    """What is typed is not what the daemon shows; the second time it is."""
    server = Server(lab)
    peer, job, prompt = begin(t, lab, server, 1, 'out-numeric', ['out-numeric'], 'output-oob')
    right = read(t, peer)
    answer(t, server, prompt, right[:-1] + str((int(right[-1]) + 1) % 10))
    ended, tasks = server.finish(job, 60)
    error = tasks[0]['error'] or {}
    t.check(ended['state'] == 'failed' and error.get('code') == 'auth_failed',
            'a wrong number is found out', json.dumps(error))
    t.check(not peer.is_node() or not server.get('/nodes')['items'][1:], 'nobody joined')
    t.need(peer.wait_ev(60, 'reply', cmd='join'), 'the daemon waits again')
    status, _ = server.call('POST', '/jobs/%d/retry' % job)
    t.need(status in (200, 202), 'the job is retried', str(status))
    prompt = prompt_of(t, server, job)
    answer(t, server, prompt, read(t, peer))
    check_done(t, lab, server, peer, job, 'output-oob', 'the right number')


def tell_input(t, lab):
    """Digits, letters, pushes: we show them, and they are given to the daemon."""
    server = Server(lab)
    for n, (caps, action) in enumerate(((['in-numeric'], 'number'), (['in-alpha'], 'text'),
                                        (['push'], 'push')), 1):
        what = caps[0]
        peer, job, prompt = begin(t, lab, server, n, what, caps, 'input-oob')
        t.check(prompt['method'] == 'input-oob' and prompt['action'] == action,
                what + ': the action is the one that the daemon has', json.dumps(prompt))
        asked = peer.wait(30, lambda e: e['ev'] == 'prompt')
        t.need(asked and asked['type'] == what, 'the daemon asks for it', json.dumps(asked))
        value = prompt['value']
        if asked['kind'] == 'bytes':
            value = value.encode().ljust(16, b'\0').hex()
        peer.command(cmd='answer', value=value if asked['kind'] == 'bytes' else int(value))
        check_done(t, lab, server, peer, job, 'input-oob', what)


def tell_public_key(t, lab):
    """The daemon's public key comes with the list, and its static OOB value."""
    server = Server(lab)
    uuid = '01' + U[0][2:]
    status, counts = server.call('POST', '/devices/import', {'devices': [{
        'uuid': dashed(uuid), 'name': 'known', 'oob_public_key': PUBLIC, 'static_oob': OOB}]})
    t.need(status == 200 and counts['counts']['added'] == 1, 'its public key is imported',
           json.dumps(counts))
    peer = Peer(lab, 'oob1', uuid, '--elements', '0000,0002,1000', '--rejoin', '--caps',
                'public-oob', 'static-oob', '--private-key', PRIVATE, '--static-oob', OOB)
    t.need(peer.wait_ev(40, 'reply', cmd='join'), 'a daemon waits: public-oob')
    own = server.get('/status')['network']['address']
    job = server.begin('provision', [dashed(uuid)], policy='static-oob', server=own, relay=False)
    check_done(t, lab, server, peer, job, 'static-oob', 'public-oob')
    t.check(peer.seen(1, lambda e: e.get('type') == 'private-key'),
            'the daemon took its private key')


def tell_through(t, lab):
    """The daemon carries the link, and a person takes time to read our simulated device's display,
    or to press its keys."""
    server = Server(lab)
    own = server.get('/status')['network']['address']
    building = Building(lab, 'devices=2', 'floors=1', 'spacing_m=2', 'servers=1', 'cbp=0',
                        'static_oob=0', 'oob_pubkey=0', 'loss=0',
                        prompts=((6, 8, 0, 0), (0, 0, 5, 4)))
    first = Peer(lab, 'first', U[0], '--elements', '0000,0002,1000')
    t.need(first.wait_ev(40, 'reply', cmd='join'), 'a daemon waits to be provisioned')
    by = provision(t, server, first, 'PB-ADV', 'none', own)
    for d, policy in zip(building.state()['devices'], ('output-oob', 'input-oob')):
        uuid = d['uuid']
        job = server.begin('provision', [uuid], policy=policy, server=by)
        prompt = prompt_of(t, server, job)
        t.check(prompt['server'] == by, policy + ': through the daemon', json.dumps(prompt))
        time.sleep(15)      # a person
        if policy == 'output-oob':
            answer(t, server, prompt, building.device(uuid.replace('-', ''))['display'])
        else:
            entered, why = building.press(uuid, prompt['value'])
            t.check(entered, 'it is entered at our device', why)
        job, tasks = server.finish(job, 120)
        t.need(job['state'] == 'succeeded', policy + ': our device joins',
               json.dumps([job['counts'], tasks[0]['error']]))
        t.check(tasks[0]['method'] == policy, policy + ': the task says so')
    t.check(first.alive(), 'the daemon is well')
