#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""interop.py BUILD_DIR CACHE_DIR [STORY]...   (see run.sh)

Stories run side by side, each on an air of its own: they mostly wait. A story that fails is told
once more from its beginning, and that is said; what it left is kept in CACHE_DIR/failed.
"""
import os
import sys
import threading
import time
import traceback

import decoded
import stories_faults
import stories_oob
import stories_ours
import stories_refresh
import stories_theirs
from lab import Failed, Lab
from told import Told

STORIES = {
    'ours': stories_ours.tell_ours,
    'theirs': stories_theirs.tell_theirs,
    'chain': stories_ours.tell_chain,
    'relays': stories_ours.tell_relays,
    'extended': stories_ours.tell_extended,
    'loss10': stories_ours.tell_loss10,
    'loss20': stories_ours.tell_loss20,
    'device-dies': stories_faults.tell_device_dies,
    'server-dies': stories_faults.tell_server_dies,
    'restart': stories_faults.tell_restart,
    'output-oob': stories_oob.tell_output,
    'output-oob-wrong': stories_oob.tell_output_wrong,
    'input-oob': stories_oob.tell_input,
    'refresh': stories_refresh.tell_unfinished,
    'device-key': stories_refresh.tell_device_key,
    'address': stories_refresh.tell_address,
    'composition': stories_refresh.tell_composition,
    'oob-through': stories_oob.tell_through,
    'oob-refused': stories_oob.tell_refused,
    'public-key': stories_oob.tell_public_key,
    'theirs-loss10': stories_theirs.tell_theirs_loss10,
    'theirs-oob': stories_theirs.tell_theirs_oob,
    'peers': stories_theirs.tell_peers,
    'line': stories_ours.tell_line,
}
# What Debian 13's daemon cannot do (README.md).
OTHERS = ('peers', 'line', 'output-oob', 'output-oob-wrong', 'input-oob', 'device-key', 'address',
          'composition')
NORMAL = [name for name in STORIES if name not in OTHERS]


def tell(name, build, cache, says):
    """One telling, on an air of its own."""
    t = Told(name, says)
    lab = Lab(build, cache)
    try:
        STORIES[name](t, lab)
        lab.end_all()
        decoded.check_captures(t, lab)
    except Failed as e:
        if not t.failed:
            t.check(False, str(e))
    except Exception:       # of this script, or an answer of no known shape
        t.check(False, 'the story broke off', traceback.format_exc().strip().replace('\n', ' / '))
    finally:
        lab.end_all()
        if t.failed:
            lab.show_logs()
            lab.keep(os.path.join(cache, 'failed', name))
        lab.stop()
    return t


def main():
    build, cache, names = sys.argv[1], sys.argv[2], sys.argv[3:] or NORMAL
    for name in names:
        if name not in STORIES:
            sys.exit('no such story: ' + name)
    results, again, lock = {}, [], threading.Lock()

    def says(line):
        with lock:
            print(line, flush=True)

    def run(name):
        first = tell(name, build, cache, lambda line: says(line.replace('FAIL:', 'trouble:')))
        if first.failed:
            again.append(name)
            says('again: ' + name)
            first = tell(name, build, cache, says)
        results[name] = first

    threads = [threading.Thread(target=run, args=(n,)) for n in names]
    for th in threads:
        th.start()
    for th in threads:
        th.join()
    passed = sum(r.passed for r in results.values())
    failed = sum(r.failed for r in results.values())
    print('retried stories: %d' % len(again))
    print('%d passed, %d failed' % (passed, failed))
    sys.exit(1 if failed or len(results) != len(names) else 0)


if __name__ == '__main__':
    main()
