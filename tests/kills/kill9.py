#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the real server while the building's own process lives on.

  kill9.py BUILD_DIR [--kills N] [--seed N] [--devices N] [--loss P] [--speed N] [--kinds KIND,...]
  kill9.py BUILD_DIR --refresh [--kills N] [--devices 60] [--loss 10%]

The kills spread over the steps that jobs record: provision first, then the kinds that need nodes,
each of their steps in turn, in a drawn order, in as many buildings as that takes. The server says
each step in its log when the step is recorded; it is killed 0 to 50 ms after that line. After the
last restart each job must end as it should, and what the devices' flash says (meshmason-building
show --state) must agree with GET /nodes, device for device, address for address, key id for key id.
--refresh: all joined nodes get new device keys in one job, killed N times in its middle; the
devices' flash, looked at all the time, shows one new key for each, and no second.
Both programs run N times faster than real time (--speed). Ends with "N passed, N failed".
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

# The steps of server/jobs between which a crash may fall; a line with another name fails.
NPPI = ['open_link', 'exchange', 'deliver_data', 'close_link', 'prove_key']
CONFIGURE = ['relay', 'default_ttl', 'app_key', 'bind', 'capabilities']
STEPS = {
    'provision': ['open_link', 'read_records', 'exchange', 'deliver_data', 'close_link', 'prove_key'] + CONFIGURE,
    'refresh-device-key': NPPI,
    'refresh-address': ['read'] + NPPI + ['restore'],
    'refresh-composition': ['read'] + NPPI + ['restore'],
    'read-composition': ['read_pages'],
    'configure': ['composition'] + CONFIGURE,
}
QUIET = ['wait', 'done']  # recorded, too, but nothing happens there


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
                found = re.search(r' job=(\d+) .* step=(\w+)', line)
                if found and found.group(2) not in QUIET:
                    self.steps.put((int(found.group(1)), found.group(2)))
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


def start_building(args, folder, seed, keys):
    tool = os.path.join(args.build, 'meshmason-building')
    site = os.path.join(folder, 'site', 'site.json')
    os.chmod(folder, 0o755)
    os.mkdir(os.path.join(folder, 'site'))
    os.chmod(os.path.join(folder, 'site'), 0o777)
    subprocess.run([tool, 'make', site, f'devices={args.devices}', 'floors=1', f'loss={args.loss}', 'servers=1',
                    f'seed={seed}', *keys], check=True, stdout=subprocess.DEVNULL,
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


def kill_in_step(server, job, kind, plan, counts, rng):
    """Kills in the next step of the plan, or after 20 s without it in whichever comes; False when the
    job ends before."""
    patience = time.monotonic() + 20
    while True:
        try:
            of, step = server.steps.get(timeout=0.2)
        except queue.Empty:
            if ended(server, job):
                return False
            continue
        if of != job:
            continue
        if step not in STEPS[kind]:
            check('the log names known steps', False, step)
        if step in plan and (step == plan[0] or time.monotonic() > patience):
            break
    plan.remove(step)
    counts[kind][step] += 1
    time.sleep(rng.random() * 0.05)  # somewhere inside the step
    server.kill()
    print(f'killed in step {step} of {kind}', flush=True)
    return True


def flash(args, site):
    state = json.loads(subprocess.run([os.path.join(args.build, 'meshmason-building'), 'show', site, '--state', '--json'],
                                      check=True, capture_output=True, text=True).stdout)
    return state['devices'] if isinstance(state, dict) else state


def compare(args, server, site):
    building = {d['uuid']: (d['address'], d['device_key_id']) for d in flash(args, site) if d['provisioned']}
    nodes = server.call('GET', '/nodes?limit=1000')['items']
    inventory = {n['uuid']: (n['address'], n['device_key_id']) for n in nodes}
    check(f'building and inventory agree on {len(inventory)} nodes', building == inventory,
          f'building only or different: {set(building.items()) - set(inventory.items())}, '
          f'inventory: {set(inventory.items()) - set(building.items())}')
    addresses = [a for n in nodes for a in [e['address'] for e in n['elements']]]
    check('no address is used twice', len(addresses) == len(set(addresses)))
    return len(inventory)


def wait_for(server, job):
    limit = time.monotonic() + 400
    while not ended(server, job) and time.monotonic() < limit:
        time.sleep(0.2)
    return server.call('GET', f'/jobs/{job}')


def start_job(server, kind):
    server.steps = queue.Queue()
    targets = 'all-trusted' if kind == 'provision' else 'all'
    return server.call('POST', '/jobs', {'kind': kind, 'targets': targets})['id']


def one_job(args, server, site, kind, plan, counts, rng):
    """One job, killed as often as it lasts; then it must have ended well."""
    job = start_job(server, kind)
    while plan and kill_in_step(server, job, kind, plan, counts, rng):
        server.start()
    state = wait_for(server, job)
    if kind == 'provision':
        good = check('provision ends partial: all but the untrusted and the dead one joined',
                     state['state'] == 'partial' and state['counts']['failed'] == 2, state)
    else:
        good = check(f'{kind} ends succeeded', state['state'] == 'succeeded', state)
    return check('every sound device is a node', compare(args, server, site) == args.devices - 2) and good


def in_a_building(args, rng, keys, story):
    folder = tempfile.mkdtemp(prefix='mmk')
    seed = rng.randrange(1, 2**31)
    print(f'building seed {seed}', flush=True)
    building, site = start_building(args, folder, seed, keys)
    server = Server(args, folder)
    try:
        server.start()
        teach(server, site)
        story(server, site)
        if failed:
            print(f'kept: {folder}')
    finally:
        server.stop()
        building.terminate()
        building.wait(timeout=20)
        if not failed:
            shutil.rmtree(folder)


def one_round(args, rng, plans, counts):
    """One building: everybody joins, then the kinds whose plans are not empty."""
    def story(server, site):
        for kind in STEPS:
            if (kind == 'provision' or plans[kind]) and not failed:
                one_job(args, server, site, kind, plans[kind], counts, rng)
    in_a_building(args, rng, ['untrusted=1', 'dead=1', f'composition_change={args.devices // 4}'], story)


class Keys(threading.Thread):
    """Looks at the devices' flash again and again: which keys has each had?"""

    def __init__(self, args, site):
        super().__init__(daemon=True)
        self.args, self.site, self.end, self.looks = args, site, threading.Event(), 0
        self.seen = {}

    def look(self):
        self.looks += 1
        for d in flash(self.args, self.site):
            had = self.seen.setdefault(d['uuid'], [])
            if d['provisioned'] and d['device_key_id'] not in had:
                had.append(d['device_key_id'])

    def run(self):
        while not self.end.wait(0.1):
            self.look()


def refresh_all(args, rng):
    """Every device key of a building changes once, whatever happens to the server."""
    def story(server, site):
        state = wait_for(server, start_job(server, 'provision'))
        check('all join', state['state'] == 'succeeded', state)
        keys = Keys(args, site)
        keys.look()
        keys.start()
        job = start_job(server, 'refresh-device-key')
        for n in range(args.kills):  # as many nodes later, each time
            done = (n + 1) * args.devices // (args.kills + 1)
            while not ended(server, job) and server.call('GET', f'/jobs/{job}')['counts']['succeeded'] < done:
                time.sleep(0.02)
            counts = server.call('GET', f'/jobs/{job}')['counts']
            time.sleep(rng.random() * 0.3)
            server.kill()
            print(f'killed with {counts["succeeded"]} of {args.devices} done, {counts["running"]} at work', flush=True)
            server.start()
        state = wait_for(server, job)
        keys.end.set()
        keys.join()
        keys.look()
        had = [len(k) for k in keys.seen.values()]
        check(f'{args.kills} kills in the middle: the job ends succeeded', state['state'] == 'succeeded', state)
        check(f'each of {args.devices} nodes has one new key, and had no other ({keys.looks} looks)',
              had == [2] * args.devices, had)
        compare(args, server, site)
    in_a_building(args, rng, [], story)


def spread(kinds, kills, rng):
    """Half of the kills for provision where there are others; each step of a kind once, then any."""
    plans = {kind: [] for kind in STEPS}
    others = [k for k in kinds if k != 'provision']
    for kind in kinds:
        n = kills if not others else kills - kills // 2 if kind == 'provision' else kills // 2 // len(others)
        plans[kind] = rng.sample(STEPS[kind], min(n, len(STEPS[kind])))
        plans[kind] += [rng.choice(STEPS[kind]) for _ in range(n - len(plans[kind]))]
    return plans


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('build')
    parser.add_argument('--kills', type=int, default=20)
    parser.add_argument('--seed', type=int, default=random.SystemRandom().randrange(1, 2**31))
    parser.add_argument('--devices', type=int, default=16)
    parser.add_argument('--loss', default='0.05')
    parser.add_argument('--speed', type=int, default=4)
    parser.add_argument('--kinds', default=','.join(STEPS))
    parser.add_argument('--refresh', action='store_true')
    args = parser.parse_args()
    rng = random.Random(args.seed)
    began = time.monotonic()
    print(f'seed {args.seed}', flush=True)
    if args.refresh:
        refresh_all(args, rng)
    else:
        plans = spread(args.kinds.split(','), args.kills, rng)
        wanted = sum(len(p) for p in plans.values())
        counts = {kind: dict.fromkeys(steps, 0) for kind, steps in STEPS.items()}
        for _ in range(8 + wanted // 4):
            one_round(args, rng, plans, counts)
            if not any(plans.values()) or failed:
                break
        check(f'{wanted} kills', not any(plans.values()), f'left over: {plans}')
        for kind, steps in counts.items():
            if sum(steps.values()):
                print(f'kills in {kind}:', ', '.join(f'{step} {n}' for step, n in steps.items()))
        if args.kills >= 4 * sum(len(s) for s in STEPS.values()):
            check('each recorded step was killed in at least once',
                  all(n > 0 for steps in counts.values() for n in steps.values()), counts)
    print(f'{time.monotonic() - began:.0f} s')
    print(f'{passed} passed, {failed} failed')
    sys.exit(1 if failed else 0)


main()
