#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""In the guest: everything, one after the other. A part that fails is told once more.

  all.py [PART]...      radio user mgmt auto; and, not in the normal run, auto-server auto-device

Each part ends with "N passed, N failed". Who died on the way is named: when it was a program of ours
there is no second telling.
"""
import glob
import os
import re
import resource
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = ['/usr/bin/python3', '-B', HERE + '/server.py']
PARTS = {
    'radio': ['bash', HERE + '/radio.sh'],
    'user': SERVER + ['user'],
    'mgmt': SERVER + ['mgmt'],
    'auto': SERVER + ['auto'],
    'auto-server': SERVER + ['auto-server'],
    'auto-device': SERVER + ['auto-device'],
}
NORMAL = ('radio', 'user', 'mgmt', 'auto')
LIMIT = 420
OURS = ('meshmasond', 'radio_probe')
CORES = '/run/core.'


def watch_for_deaths():
    """Each program that dies of a signal leaves a small file with its name and the signal."""
    with open('/proc/sys/kernel/core_pattern', 'w') as f:
        f.write(CORES + '%e.%s.%p')
    resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))


def deaths():
    """Who died since the last call: a set of (program, signal)."""
    found = set()
    for path in glob.glob(CORES + '*'):
        program, number, _ = path[len(CORES):].rsplit('.', 2)
        found.add((program, signal.Signals(int(number)).name))
        os.unlink(path)
    return found


def no_controllers():
    """What the last part has left must be gone: the kernel takes its time."""
    for _ in range(100):
        if not os.path.exists('/sys/class/bluetooth') or not os.listdir('/sys/class/bluetooth'):
            return
        time.sleep(0.1)
    print('controllers of the part before are still there', flush=True)


def tell(name, again):
    """(passed, failed, may be told again) of one telling; its output is passed on line by line."""
    no_controllers()
    result, begun = None, time.monotonic()
    print('--- %s%s' % (name, ', once more' if again else ''), flush=True)
    env = dict(os.environ, LAB='/run/lab-%s%s' % (name, '-again' if again else ''))
    if 'INTEROP_KEEP_LOGS' in env:
        os.makedirs(env['INTEROP_KEEP_LOGS'], exist_ok=True)
        env['INTEROP_KEEP_LOGS'] += '/%s%s' % (name, '-again' if again else '')
    p = subprocess.Popen(['timeout', '-k', '5', str(LIMIT)] + PARTS[name], env=env, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for line in p.stdout:
        found = re.match(r'(\d+) passed, (\d+) failed$', line)
        if found:
            result = int(found[1]), int(found[2])
            continue
        # a failure that is told once more is none yet
        print(line if again else line.replace('FAIL:', 'trouble:'), end='', flush=True)
    status = p.wait()
    died = deaths()
    ours = sorted(program for program, _ in died if program in OURS)
    for program, how in sorted(died):
        print("%s: %s died of %s" % ('FAIL: ours' if program in OURS else "the peer's fault",
                                     program, how), flush=True)
    if result is None:
        print('%s: %s did not end (%d)' % ('FAIL' if again else 'trouble', name, status))
        result = 0, 1
    if ours:
        result = result[0], result[1] + 1
    print('%s: %d passed, %d failed, %d s' % (name, *result, time.monotonic() - begun), flush=True)
    return (*result, not ours)


def main():
    names = sys.argv[1:] or NORMAL
    passed = failed = retried = 0
    watch_for_deaths()
    for name in names:
        good, bad, again = tell(name, False)
        if bad and again:
            retried += 1
            good, bad, _ = tell(name, True)
        passed, failed = passed + good, failed + bad
    print('retried parts: %d' % retried)
    print('%d passed, %d failed' % (passed, failed))
    sys.exit(1 if failed else 0)


main()
