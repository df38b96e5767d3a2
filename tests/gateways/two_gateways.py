#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two servers race for the devices of one building.

  two_gateways.py BUILD_DIR [--devices N] [--seed N] [--speed N]

One building process, two real daemons with data folders of their own on the same folder of sockets,
at opposite ends of the building. Both run the main job over all devices at the same time. In the end
each device belongs to exactly one network, under the address and the device key that its flash holds
(meshmason-building show --state), and the other server's task for it has failed with a reason code.
Ends with "N passed, N failed".
"""
import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

passed = failed = 0


def check(name, good, detail=''):
    global passed, failed
    print(f"{'ok' if good else 'FAIL'}: {name}{'' if good else ' ' + str(detail)}", flush=True)
    if good:
        passed += 1
    else:
        failed += 1
    return good


class Server:
    def __init__(self, args, folder, name):
        self.name = name
        data = os.path.join(folder, name)
        self.log = open(os.path.join(folder, name + '.log'), 'wb')
        self.process = subprocess.Popen(
            [os.path.join(args.build, 'meshmasond'), '--data', data, '--listen', '127.0.0.1:0', '--radio',
             f"air:{os.path.join(folder, 'air')},{name}", '--sim-speed', str(args.speed)],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.url = None
        for line in self.process.stdout:
            found = re.match(r'listening: (\S+)', line)
            if found:
                self.url = found.group(1) + '/api/v1'
                break
        if not self.url:
            raise SystemExit(f'{name} does not start, see {folder}')
        with open(os.path.join(data, 'admin-token'), encoding='ascii') as f:
            self.token = f.read().strip()

    def call(self, method, path, body=None, kind='application/json'):
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers={
            'Authorization': 'Bearer ' + self.token, 'Content-Type': kind})
        with urllib.request.urlopen(request, timeout=20) as reply:
            text = reply.read()
        return json.loads(text) if text else None

    def teach(self, site):
        with open(site + '.ca.pem', 'rb') as f:
            self.call('POST', '/trust-anchors', f.read(), 'application/x-pem-file')
        with open(site + '.csv', 'rb') as f:
            self.call('POST', '/devices/import', f.read(), 'text/csv')

    def race(self):
        """Half of the devices will be the other's: that is no reason to stop."""
        self.job = self.call('POST', '/jobs', {'kind': 'provision', 'targets': 'all-trusted',
                                               'options': {'stop_at_failure_percent': 0}})['id']

    def ended(self):
        return self.call('GET', f'/jobs/{self.job}')['state'] in ('succeeded', 'partial', 'failed', 'cancelled')

    def nodes(self):
        return {n['uuid']: (n['address'], n['device_key_id'])
                for n in self.call('GET', '/nodes?limit=1000')['items']}

    def tasks(self):
        return {t['target']: t for t in self.call('GET', f'/jobs/{self.job}/tasks?limit=1000')['items']}

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=20)
        self.process.stdout.close()
        self.log.close()


def compare(args, site, servers):
    state = json.loads(subprocess.run([os.path.join(args.build, 'meshmason-building'), 'show', site, '--state', '--json'],
                                      check=True, capture_output=True, text=True).stdout)
    devices = state['devices'] if isinstance(state, dict) else state
    building = {d['uuid']: (d['address'], d['device_key_id']) for d in devices if d['provisioned']}
    nodes = [s.nodes() for s in servers]
    both = set(nodes[0]) & set(nodes[1])
    check('no device is in both inventories', not both, both)
    check('each device is a node of one of them', len(nodes[0]) + len(nodes[1]) == args.devices,
          [len(n) for n in nodes])
    check('flash and inventory agree, device for device', building == nodes[0] | nodes[1],
          set(building.items()) ^ set((nodes[0] | nodes[1]).items()))
    codes = {r['code'] for r in servers[0].call('GET', '/reasons')['items']}
    for mine, other, server in ((nodes[0], nodes[1], servers[0]), (nodes[1], nodes[0], servers[1])):
        tasks = server.tasks()
        check(f'{server.name}: its own tasks succeeded',
              all(tasks[u]['state'] == 'succeeded' for u in mine), [tasks[u]['state'] for u in mine])
        lost = [tasks[u] for u in other]
        check(f"{server.name}: the other's ended with a code",
              all(t['state'] == 'failed' and t['error']['code'] in codes for t in lost),
              [(t['state'], t['error']) for t in lost])
    print(f'{len(nodes[0])} and {len(nodes[1])} devices', flush=True)


def wait(servers, seconds):
    limit = time.monotonic() + seconds
    while not all(s.ended() for s in servers) and time.monotonic() < limit:
        time.sleep(0.3)
    return all(s.ended() for s in servers)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('build')
    parser.add_argument('--devices', type=int, default=12)
    parser.add_argument('--seed', type=int, default=random.SystemRandom().randrange(1, 2**31))
    parser.add_argument('--speed', type=int, default=10)
    args = parser.parse_args()
    print(f'seed {args.seed}', flush=True)
    folder = tempfile.mkdtemp(prefix='mmg')
    air, site = os.path.join(folder, 'air'), os.path.join(folder, 'site.json')
    os.mkdir(air)
    tool = os.path.join(args.build, 'meshmason-building')
    # So close that the servers of either network reach everybody.
    subprocess.run([tool, 'make', site, f'devices={args.devices}', 'floors=1', 'spacing_m=7', 'loss=0.02',
                    'servers=0.7', f'seed={args.seed}'], check=True, stdout=subprocess.DEVNULL)
    building = subprocess.Popen([tool, 'run', site, '--air', air, '--speed', str(args.speed), '--place', 'east=42,14,0'],
                                stdout=subprocess.PIPE, text=True,
                                stderr=open(os.path.join(folder, 'building.log'), 'wb'))
    building.stdout.readline()  # it is ready
    servers = []
    try:
        servers = [Server(args, folder, 'west'), Server(args, folder, 'east')]
        for s in servers:
            s.teach(site)
        for s in servers:
            s.race()
        if check('both jobs end', wait(servers, 240), [s.call('GET', f'/jobs/{s.job}') for s in servers]):
            compare(args, site, servers)
        if failed:
            print(f'kept: {folder}')
    finally:
        for s in servers:
            s.stop()
        building.terminate()
        building.wait(timeout=20)
        building.stdout.close()
        if not failed:
            shutil.rmtree(folder)
    print(f'{passed} passed, {failed} failed')
    sys.exit(1 if failed else 0)


main()
