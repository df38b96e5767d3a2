#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Captures that the real daemon makes, opened by btmon and tshark; and the pre-flight checks.

  captures.py BUILD_DIR
"""
import os
import re
import stat
import subprocess
import sys
import tempfile
import time

from daemon import Daemon, check, check_answer, check_problem, finish, operations

BUILD = sys.argv[1]
# It does not know the provisioning PDUs of records, and takes a segment that is sent again for an overlap.
MALFORMED = '_ws.malformed && !pbadv'
COMPLAINT = re.compile(r'error|malformed|invalid|unexpected|truncated|cut short|damaged|corrupt|unknown', re.I)


def operation(path, method):
    return next(o for p, m, o, _ in operations() if p == path and m == method)


def tool(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=300, errors='replace')


def opens(name, path, frames=None):
    """btmon and tshark read the file to its end without a word of complaint."""
    a = tool('btmon', '-r', path)
    packets = len(re.findall(r'^[<>] (?:HCI|ACL)', a.stdout, re.M))
    bad = [line for line in (a.stdout + a.stderr).splitlines() if COMPLAINT.search(line)]
    check(f'{name}: btmon reads it', a.returncode == 0 and not bad, (a.returncode, bad[:3], a.stderr[:300]))
    check(f'{name}: btmon shows mesh data', re.search(r'Mesh|0x2[9abAB]|Flags|Data:', a.stdout), a.stdout[:500])
    if frames is not None:
        check(f'{name}: btmon sees every frame', packets == frames, (packets, frames))
    a = tool('tshark', '-r', path, '-T', 'fields', '-e', 'frame.number')
    bad = [line for line in a.stderr.splitlines() if COMPLAINT.search(line)]
    rows = [line for line in a.stdout.splitlines() if line.strip()]
    check(f'{name}: tshark reads it', a.returncode == 0 and not bad and rows, (a.returncode, a.stderr[:300]))
    a = tool('tshark', '-r', path, '-Y', MALFORMED)
    check(f'{name}: tshark finds nothing malformed', a.returncode == 0 and not a.stdout, a.stdout[:300])
    if frames is not None:
        check(f'{name}: tshark sees every frame', len(rows) == frames, (len(rows), frames))


def save(d, name, answer):
    path = os.path.join(d.folder, name)
    with open(path, 'wb') as f:
        f.write(answer.body)
    return path


def started(d, **body):
    a = d.call('POST', '/captures', body=body)
    check_answer('start', a, operation('/captures', 'POST'))
    check('start: Location', a.headers.get('Location') == f"/api/v1/captures/{a.json()['id']}", a.headers)
    return a.json()['id']


def row(d, number):
    return next(c for c in d.get('/captures').json()['items'] if c['id'] == number)


def waited(good, limit=30):
    """Until good() or the limit."""
    until = time.time() + limit
    while not good() and time.time() < until:
        time.sleep(0.05)
    return good()


def a_whole_job(d):
    number = started(d)
    path = os.path.join(d.data, 'captures', f'{number}.btsnoop')
    check('the file is for its owner only', stat.S_IMODE(os.stat(path).st_mode) == 0o600 and
          stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700)
    check_problem('one at a time', d.call('POST', '/captures', body={}), 409, 'conflict')
    d.call('POST', '/jobs', body={'kind': 'provision', 'targets': 'all-trusted'})
    waited(lambda: row(d, number)['frames'] >= 200, 60)
    a = d.get(f'/captures/{number}')
    check_answer('of one that runs', a, operation('/captures/{id}', 'GET'))
    opens('while it runs', save(d, 'running', a))
    d.wait_job(1)
    stopped = d.call('POST', f'/captures/{number}/stop')
    check_answer('stop', stopped, operation('/captures/{id}/stop', 'POST'))
    c = stopped.json()
    check('it was stopped', c['state'] == 'ended' and c['ended_by'] == 'stopped' and c['ended_at'], c)
    check_problem('once', d.call('POST', f'/captures/{number}/stop'), 409, 'conflict')
    a = d.get(f'/captures/{number}')
    check('all of it comes', len(a.body) == c['octets'] and a.headers['Content-Disposition'] ==
          f'attachment; filename="meshmason-{number}.btsnoop"', (len(a.body), c, a.headers))
    opens('a whole job', save(d, 'whole', a), c['frames'])
    head = d.call('HEAD', f'/captures/{number}')
    check('HEAD', head.status == 200 and not head.body and head.headers['Content-Length'] == str(c['octets']), head)
    keys = d.call('GET', '/nodes').json()['items']
    check('there were nodes to record', len(keys) == 4, keys)
    return number


def limits(d):
    number = started(d, seconds=1)
    waited(lambda: row(d, number)['state'] != 'running')
    check('time ends it', row(d, number)['ended_by'] == 'time', row(d, number))
    number = started(d, max_octets=4096)
    for _ in range(100):  # each job makes some traffic
        d.wait_job(d.call('POST', '/jobs', body={'kind': 'configure', 'targets': 'all'}).json()['id'])
        if row(d, number)['octets'] >= 3900:
            break
    waited(lambda: row(d, number)['state'] != 'running')  # that it is full is seen once a second
    c = row(d, number)
    check('size ends it', c['ended_by'] == 'size' and 3900 <= c['octets'] <= 4096, c)
    opens('at its size', save(d, 'size', d.get(f'/captures/{number}')), c['frames'])
    check('delete', d.call('DELETE', f'/captures/{number}').status == 204)
    check_problem('gone', d.get(f'/captures/{number}'), 404, 'not_found')
    check_problem('gone for good', d.call('DELETE', f'/captures/{number}'), 404, 'not_found')


def killed(d, first):
    """What was recorded when the process died can be read, and the next start lists it."""
    number = started(d)
    d.call('POST', '/jobs', body={'kind': 'scan', 'targets': 'all', 'options': {'seconds': 30}})
    path = os.path.join(d.data, 'captures', f'{number}.btsnoop')
    check('frames reach the file', waited(lambda: os.path.getsize(path) > 100))
    d.stop(9)
    d.start()
    ids = [c['id'] for c in d.get('/captures').json()['items']]
    check('both are there after kill -9', first in ids and number in ids, ids)
    c = row(d, number)
    check('of a former run', c['state'] == 'ended' and c['ended_by'] is None and c['frames'] is None, c)
    opens('after kill -9', save(d, 'killed', d.get(f'/captures/{number}')))


def by_flag(build):
    """--capture: btsnoop for all radios but sim:, which gives the whole air as pcap."""
    with tempfile.TemporaryDirectory() as air:
        path = os.path.join(air, 'air.btsnoop')
        folder = os.path.join(air, 'air')
        os.mkdir(folder)
        d = Daemon(build, 'air:' + folder, '--capture', path)
        try:
            number = started(d)
            d.call('POST', '/jobs', body={'kind': 'scan', 'targets': 'all', 'options': {'seconds': 2}})
            waited(lambda: row(d, number)['frames'] > 0)  # a secure network beacon is sent every 10 s
            d.call('POST', f'/captures/{number}/stop')
            opens('beside --capture', save(d, 'beside', d.get(f'/captures/{number}')), row(d, number)['frames'])
        finally:
            d.end()
        opens('--capture', path)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'air.pcap')
        d = Daemon(build, 'sim:devices=3,seed=2', '--sim-speed', '20', '--capture', path)
        waited(lambda: os.path.getsize(path) > 20000)
        d.end()
        a = tool('tshark', '-r', path, '-Y', 'beacon')
        check('tshark reads the whole air', a.returncode == 0 and a.stdout.count('\n') > 20, (a.stdout[-300:], a.stderr))
        a = tool('tshark', '-r', path, '-Y', MALFORMED)
        check('tshark finds nothing malformed in it', a.returncode == 0 and not a.stdout, a.stdout[:300])


def preflight(d, build):
    checks = d.get('/status').json()['checks']
    check('status says what is right', [c['name'] for c in checks] == ['radio', 'clock', 'data', 'disk'] and
          all(c['ok'] for c in checks), checks)
    program = os.path.join(build, 'meshmasond')
    with tempfile.TemporaryDirectory() as folder:
        a = tool(program, '--check', '--data', folder + '/data', '--radio', 'sim:devices=2')
        check('--check: good', a.returncode == 0 and len(a.stdout.splitlines()) == 4 and 'BAD' not in a.stdout, a)
        check('--check leaves nothing behind', not os.listdir(folder), os.listdir(folder))
        rows = [('radio: air:', 'cure: make it', ['--data', folder, '--radio', 'air:/nowhere/at/all']),
                ('radio: no radio', '--radio hciN', ['--data', folder]),
                ('radio: hci77', 'cure: ', ['--data', folder, '--radio', 'hci77']),
                ('data: /nowhere/at/all', 'cure: make', ['--data', '/nowhere/at/all', '--radio', 'sim:'])]
        for what, cure, flags in rows:
            a = tool(program, '--check', *flags)
            lines = [line for line in a.stdout.splitlines() if line.startswith('BAD') and what in line]
            check(f'--check: {what}', a.returncode == 1 and len(lines) == 1 and cure in lines[0], a)


def main():
    d = Daemon(BUILD, 'sim:devices=4,floors=1,seed=7', '--sim-speed', 'max')
    try:
        preflight(d, BUILD)
        added = d.call('POST', '/trust-anchors', body=open(d.data + '/building/ca.pem').read(),
                       headers={'Content-Type': 'application/x-pem-file'})
        check('the trust anchor is taken', added.status == 201, added)
        first = a_whole_job(d)
        limits(d)
        killed(d, first)
    finally:
        d.end()
    by_flag(BUILD)
    finish()


if __name__ == '__main__':
    main()
