#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""In the guest: meshmasond on a kernel radio commissions bluetooth-meshd, and others through it.

  server.py user|mgmt|auto|auto-server|auto-device

user  meshmasond alone on hci1, daemons alone on the other controllers
mgmt  meshmasond on mgmt:, which shares its controller; daemons alone on theirs
auto  meshmasond on mgmt:, a daemon on --io auto, which shares its, too
auto-server  the same, and a device behind that one, which has its controller alone
auto-device  the same, and the device is on --io auto, too: README.md says how far both come

lab.py, mesh-node.py and the host's meshmasond (run by `chroot /hostroot`) are beside this file.
"""
import json
import os
import shutil
import sys
import time

import decoded
import lab
from kernel_lab import Controllers, Daemon, Plug, Server

U = ['a0a0a0a0000040008000000000000001', 'b1b1b1b1000040008000000000000002',
     'c2c2c2c2000040008000000000000003']
FIRST = ('--elements', '0000,0002,1000;1000')
# Its Join ends with the link that is cut: --rejoin lets it wait again.
FURTHER = ('--elements', '0000,0002,1000', '--rejoin')
# btvirt crashes now and then after extended advertising (README.md)
LEGACY = ',legacy'
passed = failed = 0


def check(good, what, detail=''):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print('%s: %s%s' % ('ok' if good else 'FAIL', what, ' (%s)' % detail if detail and not good
                        else ''), flush=True)
    return good


def step(what):
    with open('/proc/uptime') as f:
        print('[%s] %s' % (f.read().split()[0], what), flush=True)


def dashed(uuid):
    return '-'.join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))


def joined(server, peer, address, what):
    node = address and server.get('/nodes/' + address)
    if not check(node, what + ': the server lists the node'):
        return
    stored = peer.stored()
    check(int(stored['unicastAddress'], 16) == int(address, 16), what + ': at the same address')
    check([[m['id'] for m in e['models']] for e in node['elements']] ==
          [['0x' + m['modelId'] for m in e['models']] for e in stored['elements']],
          what + ': with its composition', json.dumps(node['elements']))


def provision(server, peers, by, what, disturb=None):
    """The last of the peers joins. A peer that dies on the way is not waited for."""
    job = server.begin('provision', [dashed(peers[-1].uuid)], policy='none', server=by)
    if disturb:
        disturb(job)
    lab.until(240, lambda: server.get('/jobs/%d' % job)['state'] not in ('queued', 'running') or
              not all(p.alive() for p in peers), 0.5)
    for p in peers:
        if not p.alive():
            print('    daemon %s died' % p.name, flush=True)
    job, tasks = server.finish(job, 1)
    for t in tasks:
        if t['error']:
            print('    task %s: %s' % (t['target'], json.dumps(t['error'])), flush=True)
    check(job['state'] == 'succeeded', what, json.dumps(job['counts']))
    return tasks[0]['address'] if tasks else None


def waits(peer, what='a daemon waits to be provisioned'):
    if not peer.wait_ev(60, 'reply', cmd='join'):
        raise lab.Failed('not so: ' + what)
    check(True, what)
    return peer


def links_of(peer):
    with open(peer.lab.path(peer.name, 'meshd.log'), errors='replace') as f:
        return f.read().count('Remote Link open confirmed')


def pb_adv(server, first):
    step('PB-ADV')
    address = provision(server, [first], server.get('/status')['network']['address'], 'PB-ADV')
    joined(server, first, address, 'PB-ADV')
    return None if failed else address


def pb_remote(server, first, second, address, what, disturb=None):
    """disturb(job) happens as soon as a link through the first is open."""
    before = links_of(first)

    def when_open(job):
        if check(lab.until(60, lambda: links_of(first) > before), 'a link is open'):
            disturb(job)
    far = provision(server, [first, second], address, 'PB-Remote through the daemon',
                    when_open if disturb else None)
    joined(server, second, far, what)
    return None if failed else far


def kill_server(server):
    def disturb(job):
        server.die()
        server.start()
        check(server.get('/jobs/%d' % job), 'the server is back and knows the job')
    return disturb


def pull_out(server, plug):
    def disturb(job):
        plug.pull_out()
        check(lab.until(20, lambda: not server.get('/status')['radio']['up']),
              'the server says that its adapter is gone',
              json.dumps(server.get('/status')['radio']))
        check(server.get('/jobs/%d' % job)['state'] in ('running', 'paused'), 'and its job waits')
        plug.put_in()
        check(lab.until(40, lambda: server.get('/status')['radio']['up']), 'it takes it again',
              json.dumps(server.get('/status')['radio']))
    return disturb


def listed(server, addresses):
    nodes = server.get('/nodes')['items']
    good = [n for n in nodes if n['address'] in addresses and n['elements']]
    check(len(good) == len(addresses), 'GET /nodes lists all of them with their compositions')
    check(server.healthy(), 'the server is well at the end')


def all_away(server, controllers, peers, plug, addresses):
    step('all controllers go away in the middle of a job, and come back')
    job = server.begin('configure', addresses)
    time.sleep(0.5)
    controllers.die()
    for peer in peers:
        peer.die()
    plug.pull_out()
    time.sleep(3)
    controllers.start()
    plug.put_in()
    for peer in peers:
        peer.revive()
        check(peer.wait_ev(60, 'attached'), 'daemon %s is back' % peer.name)
    job, _ = server.finish(job, 200)
    check(job['state'] == 'succeeded', 'the job ends well', json.dumps(job['counts']))


def tell_user(the_lab):
    step('controllers, a daemon, our server')
    controllers = Controllers(the_lab)
    first = waits(Daemon(the_lab, 'first', U[0], 'generic:hci0', *FIRST))
    server = Server(the_lab, 'hci1' + LEGACY)
    address = pb_adv(server, first)
    if not address:
        return
    step('PB-Remote, and the server is killed in the middle')
    second = waits(Daemon(the_lab, 'second', U[1], 'generic:hci2', *FURTHER), 'a second one waits')
    far = pb_remote(server, first, second, address, 'the second', kill_server(server))
    if not far:
        return
    step('PB-Remote, and the adapter is pulled out in the middle, and put in again')
    server.die()
    plug = Plug(the_lab, 1)
    server.radio = plug.adapter + LEGACY
    server.start()
    third = waits(Daemon(the_lab, 'third', U[2], 'generic:hci3', *FURTHER), 'a third one waits')
    further = pb_remote(server, first, third, address, 'the third', pull_out(server, plug))
    if not further:
        return
    everyone = [address, far, further]
    all_away(server, controllers, (first, second, third), plug, everyone)
    listed(server, everyone)


def tell_mgmt(the_lab):
    """The daemons' controllers go through plug.py: without, they do not hear the kernel's
    advertising (README.md)."""
    step('controllers, our server on a shared one, a daemon')
    Controllers(the_lab, 3)
    ours, its, others = (Plug(the_lab, i) for i in range(3))
    server = Server(the_lab, 'mgmt:' + ours.adapter)
    first = waits(Daemon(the_lab, 'first', U[0], 'generic:' + its.adapter, *FIRST))
    address = pb_adv(server, first)
    if not address:
        return
    step('PB-Remote, and the server is killed in the middle')
    second = waits(Daemon(the_lab, 'second', U[1], 'generic:' + others.adapter, *FURTHER),
                   'a second one waits')
    far = pb_remote(server, first, second, address, 'the second', kill_server(server))
    if far:
        listed(server, [address, far])


def switched_on(the_lab, index):
    """bluetooth-meshd shares an adapter that is on. One that it has to switch on itself stays deaf now
    and then (README.md, captures/kernel-does-not-scan.btsnoop), and it never asks again."""
    done = the_lab.start('power.log', ['/usr/bin/python3', '-B', lab.HERE + '/mgmt-mesh.py',
                                       str(index), '--power-only'])
    check(done.wait(20) == 0, 'hci%d is switched on' % index)
    time.sleep(1)


def tell_auto(the_lab):
    step('controllers, our server and a daemon that share theirs')
    Controllers(the_lab, 2)     # it takes the highest
    switched_on(the_lab, 1)
    server = Server(the_lab, 'mgmt:hci0')
    first = waits(Daemon(the_lab, 'first', U[0], 'auto', *FIRST))
    address = pb_adv(server, first)
    if address:
        listed(server, [address])


def behind_auto(the_lab, second_io):
    """--io auto takes the highest controller there is, used or not, but not one that somebody has
    alone: so the second daemon starts first."""
    step('controllers, our server and a daemon that share theirs, a second daemon')
    Controllers(the_lab, 4)
    hidden = None
    if second_io == 'auto':
        hidden = the_lab.start('hidden.log', [lab.HERE + '/radio_probe', 'hci3', '60', '--legacy'])
        time.sleep(2)
        switched_on(the_lab, 2)
    else:
        second_io = 'generic:' + Plug(the_lab, 1).adapter
    second = waits(Daemon(the_lab, 'second', U[1], second_io, *FURTHER), 'a second one waits')
    if hidden:
        the_lab.end(hidden)
    switched_on(the_lab, 3)
    server = Server(the_lab, 'mgmt:hci0')
    first = waits(Daemon(the_lab, 'first', U[0], 'auto', *FIRST))
    address = pb_adv(server, first)
    if not address:
        return
    step('PB-Remote')
    far = pb_remote(server, first, second, address, 'the second')
    if far:
        listed(server, [address, far])


def tell_auto_server(the_lab):
    behind_auto(the_lab, 'generic')


def tell_auto_device(the_lab):
    behind_auto(the_lab, 'auto')


def main():
    story = {'user': tell_user, 'mgmt': tell_mgmt, 'auto': tell_auto,
             'auto-server': tell_auto_server, 'auto-device': tell_auto_device}[sys.argv[1]]
    the_lab = lab.Lab(lab.HERE, lab.HERE)
    try:
        story(the_lab)
        the_lab.end_all()
        decoded.check_captures(sys.modules[__name__], the_lab)
    except lab.Failed as e:
        check(False, str(e))
    finally:
        if failed:
            for log in the_lab.logs:
                if 'meshd.log' in log or 'meshmasond' in log or 'plug' in log:
                    print('--- ' + log + '\n' + '\n'.join(lab.tail(log, 25)), flush=True)
        the_lab.end_all()
        if os.environ.get('INTEROP_KEEP_LOGS'):
            shutil.copytree(the_lab.dir, os.environ['INTEROP_KEEP_LOGS'], dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns('bus', 'data', 'air'))
    print('%d passed, %d failed' % (passed, failed))
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
