#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""In the guest: meshmasond on a kernel radio commissions bluetooth-meshd, and another through it.

  server.py RADIO [IO_A IO_B]      default: hci1 generic:hci0 generic:hci2

lab.py, mesh-node.py and the host's meshmasond (run by `chroot /hostroot`) are in /share, see run.sh.
"""
import json
import os
import shutil
import subprocess
import sys
import time

import lab

U = ['a0a0a0a0000040008000000000000001', 'b1b1b1b1000040008000000000000002']
MESHD = '/usr/libexec/bluetooth/bluetooth-meshd'
# Its Join ends with the link that is cut: --rejoin lets it wait again.
SECOND = ('--elements', '0000,0002,1000', '--rejoin')
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


class Controllers:
    """btvirt: virtual controllers that hear each other, and the kernel's."""

    def __init__(self, the_lab, n=4):
        self.lab, self.n = the_lab, n
        self.start()

    def start(self):
        self.p = self.lab.start('btvirt.log', ['btvirt', '-l%d' % self.n])
        last = '/sys/class/bluetooth/hci%d' % (self.n - 1)
        if not lab.until(15, lambda: os.path.exists(last)):
            raise lab.Failed('no controllers')
        time.sleep(2)   # the kernel switches each on and off once

    def die(self):
        self.lab.end(self.p)
        lab.until(10, lambda: not os.path.exists('/sys/class/bluetooth/hci0'))


class Daemon(lab.Peer):
    """bluetooth-meshd of the guest, on a controller."""

    def __init__(self, the_lab, name, uuid, io, *args):
        self.io = io
        super().__init__(the_lab, name, uuid, *args)

    def start(self):
        def run(log, args, **kw):
            return self.lab.start(self.name + '/' + log, args, **kw)
        path = self.lab.path
        self.daemon = run('meshd.log', [MESHD, '--nodetach', '--debug', '--io', self.io,
                                        '--storage', path(self.name, 'state'),
                                        '--config', path(self.name, 'mesh.conf')], env=self.env)
        self.node = run('app.log', ['/usr/bin/python3', '-B',
                                    os.path.join(lab.HERE, 'mesh-node.py'), '--bus',
                                    'unix:path=' + self.bus, '--uuid', self.uuid, '--state',
                                    path(self.name, 'token'), *self.args],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        lab.threading.Thread(target=self.read, args=(self.node.stdout,), daemon=True).start()


class Server(lab.Server):
    """The host's program with the host's libraries on the guest's kernel."""

    def __init__(self, the_lab, radio):
        self.radio = radio
        super().__init__(the_lab)

    def start(self):
        self.p = self.lab.start('meshmasond.log', [
            'chroot', '/hostroot', '/mnt/meshmasond', '--radio', self.radio, '--data', self.data,
            '--listen', '127.0.0.1:%d' % self.port, '--log-level',
            os.environ.get('INTEROP_LOG', 'info'), '--capture',
            self.lab.path('capture-%d.btsnoop' % time.monotonic())])
        token = os.path.join(self.data, 'admin-token')
        if not lab.until(60, lambda: os.path.exists(token) and self.healthy()):
            raise lab.Failed('meshmasond does not come up: ' +
                             ' / '.join(lab.tail(self.lab.path('meshmasond.log'), 3)))
        with open(token) as f:
            self.token = f.read().strip()


def joined(server, peer, address, what):
    node = address and server.get('/nodes/' + address)
    if not check(node, what + ': the server lists the node'):
        return
    stored = peer.stored()
    check(int(stored['unicastAddress'], 16) == int(address, 16), what + ': at the same address')
    check([[m['id'] for m in e['models']] for e in node['elements']] ==
          [['0x' + m['modelId'] for m in e['models']] for e in stored['elements']],
          what + ': with its composition', json.dumps(node['elements']))


def provision(server, peer, by, what, disturb=None):
    job = server.begin('provision', [dashed(peer.uuid)], policy='none', server=by)
    if disturb:
        disturb(job)
    job, tasks = server.finish(job, 240)
    for t in tasks:
        if t['error']:
            print('    task %s: %s' % (t['target'], json.dumps(t['error'])), flush=True)
    check(job['state'] == 'succeeded', what, json.dumps(job['counts']))
    return tasks[0]['address'] if tasks else None


def tell(the_lab, radio, io_a, io_b):
    step('controllers, a daemon on %s, our server on %s' % (io_a, radio))
    controllers = Controllers(the_lab)
    second = None
    if io_b == 'auto':
        # It takes the highest controller there is, used or not: one is hidden from the second.
        hidden = the_lab.start('hidden.log', ['/run/kit/radio_probe', 'hci3', '60', '--legacy'])
        time.sleep(2)
        second = Daemon(the_lab, 'second', U[1], io_b, *SECOND)
        check(second.wait_ev(60, 'reply', cmd='join'), 'a second daemon waits')
        the_lab.end(hidden)
    if radio.startswith('mgmt:'):
        server = Server(the_lab, radio)     # before --io auto looks for a controller
    first = Daemon(the_lab, 'first', U[0], io_a, '--elements', '0000,0002,1000;1000')
    check(first.wait_ev(60, 'reply', cmd='join'), 'a daemon waits to be provisioned')
    if not radio.startswith('mgmt:'):
        server = Server(the_lab, radio)
    own = server.get('/status')['network']['address']

    step('PB-ADV')
    address = provision(server, first, own, 'PB-ADV')
    joined(server, first, address, 'PB-ADV')
    if failed:
        return

    # bluetooth-meshd 5.82 on --io auto dies of a double free when its link is cut, and two that
    # are started again take the same controller: there, nothing is disturbed.
    gentle = io_b == 'auto'
    step('PB-Remote' if gentle else 'PB-Remote, and the server is killed in the middle')
    if not second:
        second = Daemon(the_lab, 'second', U[1], io_b, *SECOND)
        check(second.wait_ev(60, 'reply', cmd='join'), 'a second daemon waits')

    def kill_server(job):
        lab.until(60, lambda: first.log_has('Remote Link open confirmed'))
        server.die()
        server.start()
        check(server.get('/jobs/%d' % job), 'the server is back and knows the job')
    far = provision(server, second, address, 'PB-Remote through the daemon',
                    None if gentle else kill_server)
    joined(server, second, far, 'PB-Remote')
    if failed or gentle:
        return

    step('the controllers go away in the middle of a job, and come back')
    job = server.begin('configure', [address, far])
    time.sleep(0.5)
    controllers.die()
    for peer in (first, second):
        peer.die()
    time.sleep(3)
    controllers.start()
    for peer in (first, second):
        peer.revive()
        check(peer.wait_ev(60, 'attached'), 'daemon %s is back' % peer.name)
    job, _ = server.finish(job, 200)
    check(job['state'] == 'succeeded', 'the job ends well', json.dumps(job['counts']))
    nodes = server.get('/nodes')
    check(len([n for n in nodes['items'] if n['address'] in (address, far)]) == 2,
          'both nodes are listed')
    check(server.healthy(), 'the server is well at the end')


def main():
    given = sys.argv[1:]
    radio, io_a, io_b = given + ['hci1', 'generic:hci0', 'generic:hci2'][len(given):]
    the_lab = lab.Lab('/run/kit', '/run/kit')
    try:
        tell(the_lab, radio, io_a, io_b)
    except lab.Failed as e:
        check(False, str(e))
    finally:
        if failed:
            for log in the_lab.logs:
                if 'meshd.log' in log or 'meshmasond' in log:
                    print('--- ' + log + '\n' + '\n'.join(lab.tail(log, 25)), flush=True)
        for p in reversed(the_lab.processes):
            the_lab.end(p)
        if os.environ.get('INTEROP_KEEP_LOGS'):
            shutil.copytree(the_lab.dir, os.environ['INTEROP_KEEP_LOGS'], dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns('bus', 'data', 'air'))
    print('%d passed, %d failed' % (passed, failed))
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
