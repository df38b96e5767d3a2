#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The meshmason command against the real daemon: what it prints, and its exit statuses.

  client.py BUILD_DIR
"""
import json
import os
import subprocess
import sys

from daemon import Daemon, check, finish, wrong

BUILD = sys.argv[1]


def run(d, *words, token=True, url=None, stdin=None):
    env = {'PATH': os.environ['PATH'], 'MESHMASON_URL': url or d.url, 'LANG': 'C.UTF-8'}
    if token:
        env['MESHMASON_TOKEN'] = d.token
    return subprocess.run([os.path.join(BUILD, 'meshmason'), *words], env=env, capture_output=True, text=True, timeout=120,
                          input=stdin)


def usage(d):
    rows = [[], ['frobnicate'], ['--frobnicate'], ['status', 'now'], ['--url'], ['--json=yes', 'status'], ['provision'],
            ['provision', '--all-trusted', 'x'], ['remove'], ['job'], ['job', 'x'], ['job', '0'], ['pause'], ['import'],
            ['trust', 'frob'], ['trust', 'add'], ['trust', 'remove', 'x'], ['trust', 'check'], ['trust', 'crl', '1'], ['trust', 'crl', 'x', 'y'], ['--relay', 'maybe', 'configure', '--all'],
            ['--max-links', 'x', 'provision', '--all-trusted'], ['--max-links', '-1', 'provision', '--all-trusted'],
            ['provision', '--all', '--all-trusted'], ['capture', 'frob'], ['capture', 'get'], ['capture', 'get', 'x'],
            ['capture', 'stop', '1', '2'], ['capture', 'start', '--max-octets', 'x'], ['--token-file', '/nonexistent', 'status']]
    for words in rows:
        a = run(d, *words)
        check(f'usage: {words}', a.returncode == 2 and a.stderr.startswith('meshmason: ') and not a.stdout, a)
    a = run(d, '--help')
    check('--help', a.returncode == 0 and a.stdout.startswith('usage: '), a)
    a = run(d, '--version')
    check('--version', a.returncode == 0 and a.stdout.startswith('meshmason '), a)


def refusals(d):
    a = run(d, 'status', url='http://127.0.0.1:1')
    check('not reached', a.returncode == 4 and 'not reached' in a.stderr, a)
    a = run(d, 'status', token=False)
    check('no token', a.returncode == 1 and '--token-file' in a.stderr, a)
    check('a refused job', run(d, 'provision', 'nonsense').returncode == 1)
    check('a job that is not there', run(d, 'job', '99').returncode == 1)
    check('nor to cancel', run(d, 'cancel', '99').returncode == 1)
    check('a file that is not there', run(d, 'import', '/nonexistent').returncode == 1)
    check('a capture that is not there', run(d, 'capture', 'get', '99', d.data + '/99').returncode == 1 and
          not os.path.exists(d.data + '/99'))
    check('nor to stop', run(d, 'capture', 'stop').returncode == 1 and run(d, 'capture', 'stop', '99').returncode == 1)
    check('nor to remove', run(d, 'capture', 'remove', '99').returncode == 1)
    check('a capture without time', run(d, 'capture', 'start', '--seconds', '0').returncode == 1)
    check('no certificate', run(d, 'trust', 'add', '/dev/null').returncode == 1)


def work(d):
    a = run(d, '--token-file', d.data + '/admin-token', 'status', token=False)
    check('status by token file', a.returncode == 0 and '0x0001' in a.stdout, a)
    status = json.loads(run(d, 'status', '--json').stdout)
    check('status as JSON', not wrong(status, {'$ref': '#/components/schemas/Status'}), status)
    check('trust add', run(d, 'trust', 'add', d.data + '/building/ca.pem').returncode == 0)
    check('trust list', 'Root' in run(d, 'trust').stdout)
    a = run(d, 'trust', 'check', d.data + '/building/ca.pem')
    check('trust check of what is no device', a.returncode == 1 and 'certificate_chain' in a.stdout, a)
    a = run(d, 'trust', 'check', '--json', d.data + '/building/ca.pem')
    check('as JSON', json.loads(a.stdout)['verdict'] == 'refused', a)
    a = run(d, 'trust', 'crl', '1', d.data + '/building/ca.pem')
    check('a certificate is no list', a.returncode == 1 and 'crl_not_valid' in a.stderr, a)
    check('no list to remove', run(d, 'trust', 'crl-remove', '1').returncode == 1)
    listed = d.data + '/building/devices.csv'
    check('import, dry', run(d, 'import', '--dry-run', listed).returncode == 0)
    a = run(d, 'import', listed)
    check('import', a.returncode == 0 and ' added' in a.stdout, a)
    a = run(d, 'import', '-', stdin='uuid\nnonsense\n')
    check('import with a bad row', a.returncode == 3 and 'uuid' in a.stdout, a)
    a = run(d, 'import', '--strict', '-', stdin='uuid\nnonsense\n')
    check('strictly', a.returncode == 1 and 'import_refused' in a.stderr, a)
    a = run(d, 'capture', 'start', '--seconds', '300', '--max-octets', '1000000')
    check('capture start', a.returncode == 0 and 'running' in a.stdout, a)
    number = a.stdout.split()[1]
    check('one at a time', run(d, 'capture', 'start').returncode == 1)
    a = run(d, 'scan', '--seconds', '5')
    check('scan', a.returncode == 0, a)
    a = run(d, 'capture', 'stop')
    check('capture stop', a.returncode == 0 and 'ended' in a.stdout, a)
    a = run(d, 'capture')
    check('capture list', a.returncode == 0 and number in a.stdout and 'stopped' in a.stdout, a)
    a = run(d, 'capture', 'get', number, d.data + '/scan.btsnoop')
    octets = json.loads(run(d, 'capture', 'list', '--json').stdout)['items'][0]['octets']
    check('capture get', a.returncode == 0 and os.path.getsize(d.data + '/scan.btsnoop') == octets > 1000, a)
    check('capture remove', run(d, 'capture', 'remove', number).returncode == 0 and
          not json.loads(run(d, 'capture', 'list', '--json').stdout)['items'])
    a = run(d, 'provision', '--all-trusted')
    check('provision ends partly', a.returncode == 3 and 'certificate_untrusted' in a.stdout and 'not_heard' in a.stdout and
          'of 6' in a.stderr, a)
    nodes = json.loads(run(d, 'nodes', '--json').stdout)['items']
    check('nodes', len(nodes) == 4 and nodes[0]['address'] in run(d, 'nodes').stdout, nodes)
    a = run(d, 'identify', nodes[0]['address'], '--json')
    job = json.loads(a.stdout)
    check('identify', a.returncode == 0 and job['state'] == 'succeeded', a)
    a = run(d, 'configure', '--all')
    check('configure', a.returncode == 0, a)
    a = run(d, 'remove', nodes[-1]['address'])
    check('remove', a.returncode == 0 and len(json.loads(run(d, 'nodes', '--json').stdout)['items']) == 3, a)
    bad = next(t['target'] for t in d.get('/jobs/2/tasks?state=failed').json()['items']
               if t['error']['code'] == 'certificate_untrusted')
    a = run(d, 'provision', bad)
    check('provisioning one that is refused fails', a.returncode == 1 and 'certificate_untrusted' in a.stdout, a)
    a = run(d, 'trust', 'check', bad)
    check('trust check of a device that was refused', a.returncode == 1 and '(certificate_untrusted)' in a.stdout, a)
    a = run(d, 'trust', 'check', nodes[0]['uuid'])
    check('trust check of one that was taken', a.returncode == 0 and a.stdout.startswith('trusted: '), a)
    a = run(d, 'jobs')
    check('jobs', a.returncode == 0 and 'partial' in a.stdout and 'identify' in a.stdout, a)
    a = run(d, 'job', '2')
    check('a job and its tasks', a.returncode == 0 and 'not_heard' in a.stdout, a)
    check('waiting for one that has ended', run(d, 'wait', '2').returncode == 3)
    a = run(d, 'provision', '--all-trusted', '--no-wait')
    check('--no-wait', a.returncode == 0 and a.stdout.startswith('Job '), a)
    number = a.stdout.split()[1]
    check('cancel', run(d, 'cancel', number).returncode in (0, 1))
    d.wait_job(int(number))
    for words in (['devices'], ['servers'], ['devices', '--json'], ['servers', '--json'], ['jobs', '--json']):
        check(f'{words}', run(d, *words).returncode == 0)


def main():
    d = Daemon(BUILD, 'sim:devices=6,floors=1,untrusted=1,absent=1,seed=3', '--sim-speed', 'max')
    try:
        usage(d)
        refusals(d)
        work(d)
    finally:
        d.end()
    finish()


if __name__ == '__main__':
    main()
