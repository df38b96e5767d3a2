# SPDX-License-Identifier: Apache-2.0
"""A folder air with bluetooth-meshd daemons, our server and our simulated building on it.

Everything started here is ended by its own process id. Nothing listens beyond loopback.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))

BUS_CONF = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*" eavesdrop="true"/><allow send_type="method_call"/>
<allow eavesdrop="true"/></policy></busconfig>
"""


GATEWAY = 'gateway'     # the name of our server's socket


class Failed(Exception):
    """A step that the rest of its story stands on did not happen."""


def until(seconds, look, every=0.1):
    """What look() gives as soon as it is true; None after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() >= end:
            return None
        time.sleep(every)


def accepts(path):
    """Somebody listens there: that the socket exists is not enough."""
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


def tail(path, lines):
    try:
        with open(path, errors='replace') as f:
            return f.read().splitlines()[-lines:]
    except OSError:
        return []


class Lab:
    def __init__(self, build, cache):
        self.build, self.cache = build, cache
        self.dir = tempfile.mkdtemp(prefix='mm-interop-')   # short: socket paths end at 108
        self.air = os.path.join(self.dir, 'air')
        os.mkdir(self.air)
        self.processes = []
        self.logs = []
        self.captures = []

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def start(self, log, args, env=None, **kw):
        self.logs.append(self.path(log))
        with open(self.path(log), 'ab') as out:
            kw.setdefault('stdout', out)
            p = subprocess.Popen(args, stderr=out, env=dict(os.environ, **(env or {})), **kw)
        self.processes.append(p)
        return p

    def new_capture(self):
        """Where our server writes what its radio sends and hears, from one start to its end."""
        self.captures.append(self.path('server-%d.btsnoop' % (len(self.captures) + 1)))
        return self.captures[-1]

    def program(self, name):
        path = os.path.join(self.build, name)
        if not os.access(path, os.X_OK):
            raise Failed('%s is not built' % name)
        return path

    def end(self, p, how=signal.SIGTERM):
        if p.poll() is None:
            p.send_signal(how)
        try:
            return p.wait(10)
        except subprocess.TimeoutExpired:
            p.kill()
            return p.wait()

    def end_all(self):
        for p in reversed(self.processes):
            self.end(p)

    def keep(self, folder):
        """What is left of a story that failed: its captures and logs."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.dir, folder, ignore=shutil.ignore_patterns('bus', 'data', 'air'))
        print('kept: ' + folder, flush=True)

    def stop(self):
        self.end_all()
        if os.environ.get('INTEROP_KEEP'):
            print('kept: ' + self.dir, flush=True)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def show_logs(self):
        for log in self.logs:
            if 'dbus' in log or 'meshd' in os.path.basename(log):
                continue
            for line in tail(log, 12):
                print('    %s: %s' % (os.path.relpath(log, self.dir), line[:300]), flush=True)


class Peer:
    """One bluetooth-meshd on a D-Bus of its own, with mesh-node.py as its application.

    loss: per cent of what it hears, and of what our server hears of it. far: names of who is out
    of its range.
    """

    def __init__(self, lab, name, uuid, *args, loss=0, far=()):
        self.lab, self.name, self.uuid = lab, name, uuid
        self.events, self.at = [], 0
        self.more = threading.Condition()
        os.makedirs(lab.path(name, 'state'))
        self.bus = lab.path(name, 'bus')
        self.args = args
        self.env = {'DBUS_SYSTEM_BUS_ADDRESS': 'unix:path=' + self.bus, 'MESHD_AIR': lab.air,
                    'MESHD_AIR_NAME': name, 'MESHD_AIR_LOSS': str(loss),
                    'MESHD_AIR_FAIR': GATEWAY, 'MESHD_AIR_FAR': ','.join(far)}
        with open(lab.path(name, 'bus.conf'), 'w') as f:
            f.write(BUS_CONF % self.bus)
        with open(lab.path(name, 'mesh.conf'), 'w') as f:
            f.write('[General]\nProvTimeout = 60\n')
        lab.start(name + '/dbus.log',
                  ['dbus-daemon', '--config-file=' + lab.path(name, 'bus.conf'), '--nofork'])
        if not until(10, lambda: accepts(self.bus)):
            raise Failed('no D-Bus for ' + name)
        self.start()

    def start(self):
        own = os.path.join(self.lab.cache, 'meshd')
        self.daemon = self.lab.start(
            self.name + '/meshd.log',
            [own + '/ld.so', '--library-path', own, '--preload',
             os.path.join(self.lab.cache, 'meshd-preload.so'), own + '/bluetooth-meshd',
             '--nodetach', '--debug', '--io', 'generic:hci0', '--storage',
             self.lab.path(self.name, 'state'), '--config',
             self.lab.path(self.name, 'mesh.conf')], env=self.env)
        self.node = self.lab.start(
            self.name + '/app.log',
            ['/usr/bin/python3', '-B', os.path.join(HERE, 'mesh-node.py'), '--bus',
             'unix:path=' + self.bus, '--uuid', self.uuid, '--state',
             self.lab.path(self.name, 'token'), *self.args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, args=(self.node.stdout,), daemon=True).start()

    def die(self):
        """Power is cut: what it has not stored is gone."""
        self.lab.end(self.daemon, signal.SIGKILL)
        self.lab.end(self.node, signal.SIGKILL)

    def revive(self, factory=False):
        """factory: as new. A daemon that died while it joined can do nothing with what it left."""
        if factory:
            shutil.rmtree(self.lab.path(self.name, 'state'))
            os.makedirs(self.lab.path(self.name, 'state'))
        with self.more:
            self.at = len(self.events)
        self.start()

    def alive(self):
        return self.daemon.poll() is None

    def read(self, stream):
        for line in stream:
            with open(self.lab.path(self.name, 'app.log'), 'a') as f:
                f.write(line)
            with self.more:
                self.events.append(json.loads(line))
                self.more.notify_all()

    def command(self, **c):
        self.node.stdin.write(json.dumps(c) + '\n')
        self.node.stdin.flush()

    def find(self, first, seconds, want):
        end = time.monotonic() + seconds
        with self.more:
            while True:
                for i in range(first, len(self.events)):
                    if want(self.events[i]):
                        return i
                if not self.more.wait(max(0, end - time.monotonic())) and \
                        time.monotonic() >= end:
                    return None

    def wait(self, seconds, want):
        """The next event that is wanted, after the last one that was given."""
        i = self.find(self.at, seconds, want)
        if i is None:
            return None
        self.at = i + 1
        return self.events[i]

    def wait_ev(self, seconds, ev, **fields):
        return self.wait(seconds, lambda e: e['ev'] == ev and
                         all(e.get(k) == v for k, v in fields.items()))

    def seen(self, seconds, want):
        """Any event from the beginning on."""
        i = self.find(0, seconds, want)
        return None if i is None else self.events[i]

    def log_has(self, text):
        with open(self.lab.path(self.name, 'meshd.log'), errors='replace') as f:
            return text in f.read()

    def stored(self):
        """What the daemon keeps of its own node: its flash, so to speak."""
        with open(self.lab.path(self.name, 'state', self.uuid, 'node.json')) as f:
            return json.load(f)

    def is_node(self):
        return os.path.exists(self.lab.path(self.name, 'state', self.uuid, 'node.json'))

    def stored_key_of(self, address):
        """The device key that a provisioner keeps of another node."""
        with open(self.lab.path(self.name, 'state', self.uuid, 'dev_keys', '%04x' % address),
                  'rb') as f:
            return f.read()


class Server:
    """meshmasond on the lab's air, driven as a building management system would."""

    def __init__(self, lab):
        self.lab = lab
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        self.data = lab.path('data')
        self.start()

    def start(self):
        lab = self.lab
        self.p = lab.start('meshmasond.log',
                           [lab.program('meshmasond'), '--radio', 'air:' + lab.air,
                            '--data', self.data, '--listen', '127.0.0.1:%d' % self.port,
                            '--log-level', os.environ.get('INTEROP_LOG', 'info'),
                            '--capture', lab.new_capture()])
        token = os.path.join(self.data, 'admin-token')
        if not until(20, lambda: os.path.exists(token) and self.healthy()):
            raise Failed('meshmasond does not come up: ' +
                         ' / '.join(tail(lab.path('meshmasond.log'), 3)))
        with open(token) as f:
            self.token = f.read().strip()

    def die(self):
        self.lab.end(self.p, signal.SIGKILL)

    def said(self, text, seconds=0, since=0):
        """A line of its log, from that line number on."""
        def look():
            with open(self.lab.path('meshmasond.log'), errors='replace') as f:
                return [line for line in f.read().splitlines()[since:] if text in line]
        return until(seconds, look)

    def healthy(self):
        if self.p.poll() is not None:
            raise Failed('meshmasond ended: ' +
                         ' / '.join(tail(self.lab.path('meshmasond.log'), 3)))
        try:
            with urllib.request.urlopen('http://127.0.0.1:%d/healthz' % self.port, timeout=5):
                return True
        except OSError:
            return False

    def call(self, method, path, body=None):
        """(status, JSON); problems are answers, too."""
        rq = urllib.request.Request('http://127.0.0.1:%d/api/v1%s' % (self.port, path),
                                    method=method)
        rq.add_header('Authorization', 'Bearer ' + self.token)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            rq.add_header('Content-Type', 'application/json')
        try:
            with urllib.request.urlopen(rq, data, timeout=20) as r:
                text = r.read()
                return r.status, json.loads(text) if text else None
        except urllib.error.HTTPError as e:
            text = e.read()
            return e.code, json.loads(text) if text else None

    def get(self, path):
        status, answer = self.call('GET', path)
        return answer if status == 200 else None

    def begin(self, kind, targets, **options):
        status, job = self.call('POST', '/jobs',
                                {'kind': kind, 'targets': targets, 'options': options})
        if status != 202:
            raise Failed('POST /jobs %s: %d %s' % (kind, status, json.dumps(job)))
        return job['id']

    def finish(self, job_id, limit):
        """Waits for a job's end: (job, tasks)."""
        at = '/jobs/%d' % job_id
        running = ('queued', 'running', 'paused')
        if not until(limit, lambda: self.get(at)['state'] not in running, 0.5):
            self.call('POST', at + '/cancel')
        return self.get(at), self.get(at + '/tasks')['items']

    def job(self, limit, kind, targets, **options):
        job, tasks = self.finish(self.begin(kind, targets, **options), limit)
        for t in tasks:
            if t['error']:
                print('    task %s: %s' % (t['target'], json.dumps(t['error'])), flush=True)
        return job, tasks


class Building:
    """meshmason-building as a process of its own on the lab's air.

    floors: of each device, all above each other; place: floors of others, by their names; prompts:
    sizes and actions of each device's display and keys.
    """

    def __init__(self, lab, *keys, floors=(), place=None, prompts=()):
        self.lab, self.file = lab, lab.path('building.json')
        self.tool = lab.program('meshmason-building')
        made = subprocess.run([self.tool, 'make', self.file, *keys], capture_output=True,
                              text=True, timeout=30)
        if made.returncode:
            raise Failed('meshmason-building make: ' + made.stderr.strip())
        self.arrange(floors, prompts)
        args = ['--place=%s=0,0,%d' % p for p in (place or {}).items()]
        lab.start('building.log', [self.tool, 'run', self.file, '--air', lab.air, '--capture',
                                   lab.path('air.pcap'), *args])

    def arrange(self, floors, prompts):
        with open(self.file) as f:
            made = json.load(f)
        for device, floor in zip(made['devices'], floors):
            device.update(x=0, y=0, floor=floor)
        for device, prompt in zip(made['devices'], prompts):
            device['prompt'] = [*prompt, False]    # not the only way
        with open(self.file, 'w') as f:
            json.dump(made, f)

    def state(self):
        shown = subprocess.run([self.tool, 'show', self.file, '--state', '--json'],
                               capture_output=True, text=True, timeout=30)
        if shown.returncode:
            raise Failed('meshmason-building show: ' + shown.stderr.strip())
        return json.loads(shown.stdout)

    def device(self, uuid):
        return next(d for d in self.state()['devices'] if d['uuid'].replace('-', '') == uuid)

    def press(self, uuid, text):
        """What a person enters at a device."""
        done = subprocess.run([self.tool, 'press', self.file, uuid, text], capture_output=True,
                              text=True, timeout=30)
        return done.returncode == 0, done.stderr.strip()
