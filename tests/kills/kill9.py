#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the real server while the building's own process lives on.

  kill9.py BUILD_DIR [--kills N] [--seed N] [--devices N] [--speed N]

The kills spread over the steps that a provision job records: each in turn, in a drawn order. The
server says each step in its log when the step is recorded; it is killed 0 to 50 ms after that line.
After the last restart the job must end, and what the devices' flash says (meshmason-building show
--state) must agree with GET /nodes, device for device, address for address, key id for key id.
Ends with "N passed, N failed".
"""
import argparse
import json
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

passed = failed = 0

# The steps of server/jobs/provision.c between which a crash may fall; a line with another name fails.
STEPS = ['open_link', 'read_records', 'exchange', 'deliver_data', 'close_link', 'prove_key', 'relay', 'default_ttl',
         'app_key', 'bind', 'capabilities']


def check(name, good, detail=''):
    global passed, failed
    print(f"{'ok' if good else 'FAIL'}: {name}{'' if good else ' ' + str(detail)}", flush=True)
    if good:
        passed += 1
    else:
        failed += 1
    return good


class Server:
    """The real daemon, started again on the same data after each kill."""

    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.data = os.path.join(folder, 'data')
        self.process = self.url = self.token = None
        self.steps = queue.Queue()

    def read_log(self, stream):
        """Keeps the log, and hands on each step as it is recorded."""
        with open(os.path.join(self.folder, 'server.log'), 'a', encoding='utf-8') as log:
            for line in stream:
                log.write(line)
                found = re.search(r' step=(\w+)', line)
                if found:
                    self.steps.put(found.group(1))
        stream.close()

    def start(self):
        self.steps = queue.Queue()
        self.process = subprocess.Popen(
            [os.path.join(self.args.build, 'meshmasond'), '--data', self.data, '--listen', '127.0.0.1:0',
             '--radio', 'air:' + os.path.join(self.folder, 'air'), '--sim-speed', str(self.args.speed),
             '--log-level', 'info'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self.read_log, args=(self.process.stderr,), daemon=True).start()
        for line in self.process.stdout:
            found = re.match(r'listening: (\S+)', line)
            if found:
                self.url = found.group(1) + '/api/v1'
                break
        else:
            raise SystemExit('the server does not start, see ' + self.folder)
        with open(os.path.join(self.data, 'admin-token'), encoding='ascii') as f:
            self.token = f.read().strip()

    def call(self, method, path, body=None, kind='application/json'):
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers={
            'Authorization': 'Bearer ' + self.token, 'Content-Type': kind})
        with urllib.request.urlopen(request, timeout=20) as reply:
            text = reply.read()
        return json.loads(text) if text else None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=20)
            self.process.stdout.close()


def as_another_user():
    """The building runs under another user id than the server, where we may choose one: then neither
    can read the other's files, and all they share is the air."""
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)


def start_building(args, folder, seed):
    tool = os.path.join(args.build, 'meshmason-building')
    site = os.path.join(folder, 'site', 'site.json')
    os.chmod(folder, 0o755)
    os.mkdir(os.path.join(folder, 'site'))
    os.chmod(os.path.join(folder, 'site'), 0o777)
    subprocess.run([tool, 'make', site, f'devices={args.devices}', 'floors=1', 'loss=0.05', 'untrusted=1', 'dead=1',
                    f'seed={seed}'], check=True, stdout=subprocess.DEVNULL,
                   preexec_fn=as_another_user)
    air = os.path.join(folder, 'air')
    os.mkdir(air)
    os.chmod(air, 0o777)
    process = subprocess.Popen([tool, 'run', site, '--air', air, '--speed', str(args.speed)],
                               stdout=subprocess.PIPE, preexec_fn=as_another_user, text=True,
                               stderr=open(os.path.join(folder, 'building.log'), 'wb'))
    process.stdout.readline()  # it is ready
    return process, site


def teach(server, site):
    with open(site + '.ca.pem', 'rb') as f:
        server.call('POST', '/trust-anchors', f.read(), 'application/x-pem-file')
    with open(site + '.csv', 'rb') as f:
        server.call('POST', '/devices/import', f.read(), 'text/csv')


def ended(server, job):
    return server.call('GET', f'/jobs/{job}')['state'] in ('succeeded', 'partial', 'failed', 'cancelled')


def kill_in_step(server, job, plan, counts, rng):
    """Kills in the next step of the plan, or after 20 s without it in whichever comes; False when the
    job ends before."""
    patience = time.monotonic() + 20
    while True:
        try:
            step = server.steps.get(timeout=0.2)
        except queue.Empty:
            if ended(server, job):
                return False
            continue
        if step not in STEPS:
            check('the log names known steps', False, step)
        if step in plan and (step == plan[0] or time.monotonic() > patience):
            break
    plan.remove(step)
    counts[step] += 1
    time.sleep(rng.random() * 0.05)  # somewhere inside the step
    server.kill()
    print(f'killed in step {step}', flush=True)
    return True


def compare(args, server, site):
    state = json.loads(subprocess.run([os.path.join(args.build, 'meshmason-building'), 'show', site, '--state', '--json'],
                                      check=True, capture_output=True, text=True).stdout)
    devices = state['devices'] if isinstance(state, dict) else state
    building = {d['uuid']: (d['address'], d['device_key_id']) for d in devices if d['provisioned']}
    nodes = server.call('GET', '/nodes?limit=1000')['items']
    inventory = {n['uuid']: (n['address'], n['device_key_id']) for n in nodes}
    check(f'building and inventory agree on {len(inventory)} nodes', building == inventory,
          f'building only or different: {set(building.items()) - set(inventory.items())}, '
          f'inventory: {set(inventory.items()) - set(building.items())}')
    addresses = [a for n in nodes for a in [e['address'] for e in n['elements']]]
    check('no address is used twice', len(addresses) == len(set(addresses)))
    return len(inventory)


def one_round(args, rng, plan, counts):
    """One building and one job, killed as often as it lasts."""
    folder = tempfile.mkdtemp(prefix='mmk')
    seed = rng.randrange(1, 2**31)
    print(f'building seed {seed}', flush=True)
    building, site = start_building(args, folder, seed)
    server = Server(args, folder)
    try:
        server.start()
        teach(server, site)
        job = server.call('POST', '/jobs', {'kind': 'provision', 'targets': 'all-trusted'})['id']
        while plan and kill_in_step(server, job, plan, counts, rng):
            server.start()
        limit = time.monotonic() + 400
        while not ended(server, job) and time.monotonic() < limit:
            time.sleep(0.2)
        state = server.call('GET', f'/jobs/{job}')
        good = check('the job ends partial: all but the untrusted and the dead one joined',
                     state['state'] == 'partial' and state['counts']['failed'] == 2, state)
        good = check('every sound device is a node', compare(args, server, site) == args.devices - 2) and good
        if not good or failed:
            print(f'kept: {folder}')
    finally:
        server.stop()
        building.terminate()
        building.wait(timeout=20)
        if not failed:
            shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('build')
    parser.add_argument('--kills', type=int, default=20)
    parser.add_argument('--seed', type=int, default=random.SystemRandom().randrange(1, 2**31))
    parser.add_argument('--devices', type=int, default=16)
    parser.add_argument('--speed', type=int, default=4)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    print(f'seed {args.seed}', flush=True)
    plan = rng.sample(STEPS, min(args.kills, len(STEPS)))
    while len(plan) < args.kills:
        plan.append(rng.choice(STEPS))
    counts = dict.fromkeys(STEPS, 0)
    for _ in range(8):
        one_round(args, rng, plan, counts)
        if not plan or failed:
            break
    check(f'{args.kills} kills', not plan, f'left over: {plan}')
    print('kills by step:', ', '.join(f'{step} {n}' for step, n in counts.items()))
    if args.kills >= len(STEPS):
        check('each recorded step was killed in at least once', min(counts.values()) > 0, counts)
    print(f'{passed} passed, {failed} failed')
    sys.exit(1 if failed else 0)


main()
