# SPDX-License-Identifier: Apache-2.0
"""lab.py on the guest's kernel: virtual controllers, daemons and our server on them."""
import os
import shutil
import subprocess
import threading
import time

import lab

MESHD = '/usr/libexec/bluetooth/bluetooth-meshd'
BLUETOOTH = '/sys/class/bluetooth'


class Controllers:
    """btvirt: virtual controllers that hear each other, and the kernel's."""

    def __init__(self, the_lab, n=4):
        self.lab, self.n = the_lab, n
        self.start()

    def start(self):
        self.p = self.lab.start('btvirt.log', ['btvirt', '-l%d' % self.n])
        last = BLUETOOTH + '/hci%d' % (self.n - 1)
        if not lab.until(15, lambda: os.path.exists(last)):
            raise lab.Failed('no controllers')
        time.sleep(2)   # the kernel switches each on and off once

    def die(self):
        self.lab.end(self.p)
        lab.until(10, lambda: not os.path.exists(BLUETOOTH + '/hci0'))


class Plug:
    """A controller as an adapter that can be pulled out and put in again (plug.py)."""

    def __init__(self, the_lab, index):
        self.lab, self.index = the_lab, index
        self.put_in()

    def put_in(self):
        log = self.lab.path('plug%d.log' % self.index)
        before = len(lab.tail(log, 100))
        self.p = self.lab.start(os.path.basename(log),
                                ['/usr/bin/python3', '-B', os.path.join(lab.HERE, 'plug.py'),
                                 str(self.index)])
        lines = lab.until(15, lambda: lab.tail(log, 100)[before:])
        if not lines or not lines[0].startswith('hci'):
            raise lab.Failed('plug.py: ' + ' / '.join(lines or ['no adapter']))
        self.adapter = lines[0]
        time.sleep(2)   # as above

    def pull_out(self):
        self.lab.end(self.p)
        lab.until(10, lambda: not os.path.exists(BLUETOOTH + '/' + self.adapter))


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
        threading.Thread(target=self.read, args=(self.node.stdout,), daemon=True).start()


class Server(lab.Server):
    """The host's program with the host's libraries on the guest's kernel."""

    def __init__(self, the_lab, radio):
        self.radio = radio
        super().__init__(the_lab)

    def start(self):
        self.p = self.lab.start('meshmasond.log', [
            'chroot', '/hostroot', '/mnt/meshmasond', '--radio', self.radio, '--data', self.data,
            '--listen', '127.0.0.1:%d' % self.port, '--log-level',
            os.environ.get('INTEROP_LOG', 'info'), '--capture', self.lab.new_capture()])
        token = os.path.join(self.data, 'admin-token')
        if not lab.until(60, lambda: os.path.exists(token) and self.healthy()):
            raise lab.Failed('meshmasond does not come up: ' +
                             ' / '.join(lab.tail(self.lab.path('meshmasond.log'), 3)))
        with open(token) as f:
            self.token = f.read().strip()


