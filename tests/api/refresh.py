#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Nodes are provisioned anew over REST and by the command; the building's own show --state says the
same as the inventory. The daemon is killed in the middle of it.

  refresh.py BUILD_DIR
"""
import json
import os
import signal
import subprocess
import sys
import time

from daemon import DOCUMENT, Daemon, check, check_answer, check_problem, finish

BUILD = sys.argv[1]
GET = {path: one['get'] for path, one in DOCUMENT['paths'].items() if 'get' in one}
COMPOSITION, MOVE, ADDRESSES = '/nodes/{address}/composition', '/nodes/{address}/move', '/addresses'


def client(d, *words):
    return subprocess.run([os.path.join(BUILD, 'meshmason'), *words], capture_output=True, text=True, timeout=120,
                          env={'MESHMASON_URL': d.url, 'MESHMASON_TOKEN': d.token, 'LANG': 'C.UTF-8'})


def building(d):
    file = os.path.join(d.data, 'building', 'building.json')
    a = subprocess.run([os.path.join(BUILD, 'meshmason-building'), 'show', file, '--state', '--json'], capture_output=True,
                       text=True, check=True)
    return {one['uuid']: one for one in json.loads(a.stdout)['devices']}


def nodes(d):
    return {n['uuid']: n for n in d.get('/nodes').json()['items']}


def agree(d, what):
    real, known = building(d), nodes(d)
    check(f'{what}: all are there', len(known) == len([r for r in real.values() if r['address']]))
    for uuid, n in known.items():
        r = real[uuid]
        check(f'{what}: {uuid}', (r['address'], r['device_key_id'], r['elements']) ==
              (n['address'], n['device_key_id'], n['element_count']) and n['pending'] is None, (r, n))
    return known


def job(d, kind, targets, **options):
    a = d.call('POST', '/jobs', body={'kind': kind, 'targets': targets, 'options': options})
    check(f'{kind} is taken', a.status == 202, a)
    ended = d.wait_job(a.json()['id'])
    return ended, d.get(f"/jobs/{ended['id']}/tasks").json()['items']


def pages(d, known):
    ended, tasks = job(d, 'read-composition', 'all')
    check('all pages are read', ended['state'] == 'succeeded', ended)
    known = nodes(d)
    changing = [n for n in known.values() if n['composition_change']]
    check('two compositions would change', len(changing) == 2, [n['composition_change'] for n in known.values()])
    for n in known.values():
        a = d.get(f"/nodes/{n['address']}/composition")
        check_answer('pages', a, GET[COMPOSITION])
        check('all six', [p['page'] for p in a.json()['pages']] == [0, 1, 2, 128, 129, 130] == n['composition']['pages'], a)
        check('all decoded', all(p['decoded'] for p in a.json()['pages']), a)
        check('a difference where there is one', bool(a.json()['difference']) == bool(n['composition_change']), a)
    a = client(d, 'composition', changing[0]['address'])
    check('the command shows it', a.returncode == 0 and 'A refresh would change' in a.stdout and '128' in a.stdout, a)
    ended, tasks = job(d, 'refresh-composition', 'all')
    check('compositions', ended['state'] == 'succeeded', ended)
    same = [t for t in tasks if t['message'] == 'Its composition has not changed.']
    check('the others have nothing to do', len(same) == len(known) - 2, tasks)
    after = agree(d, 'compositions')
    for n in changing:
        now = after[n['uuid']]
        check('nothing is left to change', now['composition_change'] is None and
              now['composition']['version'] != n['composition']['version'], now)
        history = d.get(f"/nodes/{n['address']}/composition").json()['history']
        check('it is remembered', history[0]['procedure'] == 'composition' and history[0]['difference'], history)


def moves(d):
    uuid, n = next(iter(nodes(d).items()))
    url = f"/nodes/{n['address']}/move"
    a = d.get(url)
    check_answer('where it could be', a, GET[MOVE])
    check('there is room', a.json()['free'] and a.json()['from'] == n['address'], a)
    check('not where we are', d.get(url + '?to=0x0001').json()['free'] is False)
    a = d.get(url + '?to=0x0100')
    check('there', a.json()['free'] and a.json()['to'] == '0x0100', a)
    check_problem('nowhere', d.get(url + '?to=0xffff'), 400, 'invalid_value', 'to')
    check('the command says so', client(d, 'move', n['address'], '--to', '0x0100').returncode == 0)
    check('and not', client(d, 'move', n['address'], '--to', '0x0001').returncode == 1)
    for options, targets in (({'address': '0x0001'}, [uuid]), ({'address': '0x0100'}, 'all')):
        a = d.call('POST', '/jobs', body={'kind': 'refresh-address', 'targets': targets, 'options': options})
        check_problem(f'not {options} for {targets}', a, 400, 'invalid_value')
    a = client(d, 'refresh-address', n['address'], '--to', '0x0100')
    check('it moves', a.returncode == 0, a)
    now = agree(d, 'a move')[uuid]
    check('there it is', now['address'] == '0x0100' and d.get(f"/nodes/{n['address']}").status == 404, now)
    a = d.get('/addresses?limit=1000')
    check_answer('addresses', a, GET[ADDRESSES])
    left = [r for r in a.json()['items'] if r['first'] == n['address']]
    check('what it left is excluded', left and left[0]['state'] == 'excluded' and left[0]['free_at_iv_index'] == 2, a)
    check('the command lists them', 'excluded' in client(d, 'addresses').stdout)
    page = d.get('/addresses?limit=2').json()
    check('page by page', len(page['items']) == 2 and page['next'] and
          d.get(f"/addresses?limit=2&cursor={page['next']}").json()['items'][0]['first'] > page['items'][1]['first'], page)
    ended, tasks = job(d, 'refresh-address', [now['address']])
    check('back to the lowest free ones', ended['state'] == 'succeeded' and tasks[0]['new_address'] != '0x0100', tasks)
    agree(d, 'another move')


def keys(d):
    before = nodes(d)
    a = d.call('POST', '/jobs', body={'kind': 'refresh-device-key', 'targets': 'all', 'options': {'max_links': 1}})
    number = a.json()['id']
    for _ in range(400):
        counts = d.get(f'/jobs/{number}').json()['counts']
        if counts['succeeded']:
            break
        time.sleep(0.005)
    d.stop(signal.SIGKILL)
    d.start()
    ended = d.wait_job(number)
    check('all keys, over a kill', ended['state'] == 'succeeded', ended)
    after = agree(d, 'keys')
    check('each has changed', all(before[u]['device_key_id'] != after[u]['device_key_id'] for u in before))
    for u, n in after.items():
        history = d.get(f"/nodes/{n['address']}/composition").json()['history']
        check('once', [h['procedure'] for h in history].count('device-key') == 1, history)
    for t in d.get(f'/jobs/{number}/tasks').json()['items']:
        check('how it proved itself is told', t['method'] == 'certificate' and t['method_reason'], t)


def main():
    d = Daemon(BUILD, 'sim:devices=6,floors=1,seed=5,servers=1,composition_change=2', '--sim-speed', 'max')
    try:
        d.user_made = True
        with open(os.path.join(d.data, 'building', 'ca.pem'), encoding='ascii') as f:
            check('the makers are trusted', d.call('POST', '/trust-anchors', body={'pem': f.read()}).status == 201)
        ended, _ = job(d, 'provision', 'all-trusted')
        check('the building joins', ended['counts']['succeeded'] == 6, ended)
        pages(d, agree(d, 'provisioned'))
        moves(d)
        keys(d)
    finally:
        d.end()
    finish()


main()
