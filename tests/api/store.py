# SPDX-License-Identifier: Apache-2.0
"""A disk that is full while the daemon runs: it says so, answers nothing, and comes back.

   store.py BUILD_DIR
"""
import http.client
import os
import resource
import signal
import sys

import daemon as made
from daemon import Daemon, check, finish

UUID = '70cf7c97-32a3-45b6-9149-4810d2e9cbf'


def limit(d, size):
    """No file of the daemon may grow beyond size: for SQLite the disk is full."""
    resource.prlimit(d.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the daemon inherits it: a write fails, nothing kills
    made.KEEP_SIGNALS = True
    d = Daemon(sys.argv[1], 'sim:devices=2,floors=1,seed=5')
    row = {'devices': [{'uuid': UUID + '1', 'name': 'Lamp 1'}]}
    check('a list', d.call('POST', '/devices/import', body=row).status == 200)
    limit(d, os.path.getsize(d.data + '/meshmason.db-wal'))
    answer = None
    try:
        for i in range(200):
            answer = d.call('POST', '/devices/import', body={'devices': [{'uuid': UUID + '2', 'name': f'Lamp {i} ' + 'x' * 50}]})
    except (http.client.HTTPException, OSError):
        answer = None
    check('what is not kept is not answered', answer is None, answer)
    check('it ends', d.process.wait(20) == 1, d.process.returncode)
    said = [line for line in open(d.log.name).read().splitlines() if line.startswith('error: ')]
    check('and says why', any('the store refuses to write' in line for line in said), said)
    check('in few lines', len(said) <= 6, said)
    d.start()  # there is room again
    check('what was kept is there', d.get(f'/devices/{UUID}1').json()['name'] == 'Lamp 1')
    check('and it takes more', d.call('PATCH', f'/devices/{UUID}1', body={'name': 'New'}).status == 200)
    d.end()
    finish()


main()
