# SPDX-License-Identifier: Apache-2.0
"""Malicious HTTPS servers: a device's certificate is only online, and its maker's site does what it
likes. Each is refused with its code and its sentence, nothing is weakened, and the daemon lives."""
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'api'))
from daemon import Daemon, check, finish  # noqa: E402
from maker import SiteMaker  # noqa: E402
import importlib.util  # noqa: E402

spec = importlib.util.spec_from_file_location('maker_site', os.path.join(HERE, 'site.py'))
maker_site = importlib.util.module_from_spec(spec)  # "site" is a module of Python's own
spec.loader.exec_module(maker_site)
Site = maker_site.Site

BUILD = sys.argv[1]
lock = threading.Lock()


class Lab:
    """A building of one online device and one ordinary one, its site, and a daemon."""

    def __init__(self, folder, name, m, mood, pem='site', tls=True, host='127.0.0.1', keys='',
                 flags=()):
        self.name = name
        self.file = os.path.join(folder, name.replace(' ', '_') + '.json')
        self.site = Site(self.file + '.certs', m.path(pem + '.pem'), m.path(pem + '.key'), mood=mood, tls=tls)
        base = f'https://{host}:{self.site.port}/oob'
        words = keys.split(',') if keys else ['devices=2', 'uri=0.5']
        made = subprocess.run([os.path.join(BUILD, 'meshmason-building'), 'make', self.file, 'floors=1', 'loss=0',
                               'seed=7', f'uri_base={base}', *words], capture_output=True, text=True)
        if made.returncode:
            raise SystemExit(made.stderr)
        self.daemon = Daemon(BUILD, 'sim:' + self.file, '--sim-speed', 'max', '--fetch-ca', m.path('authority.pem'),
                             *(one.replace('PORT', str(self.site.port)) for one in flags))
        with open(self.file + '.ca.pem', encoding='ascii') as f:
            self.daemon.call('POST', '/trust-anchors', body={'pem': f.read()})
        with open(self.file + '.csv', encoding='ascii') as f:
            self.daemon.call('POST', '/devices/import', body=f.read(), headers={'Content-Type': 'text/csv'})

    def provision(self, **options):
        a = self.daemon.call('POST', '/jobs', body={'kind': 'provision', 'targets': 'all-trusted',
                                                    'options': options})
        job = self.daemon.wait_job(a.json()['id'], 150)
        tasks = self.daemon.get(f'/jobs/{job["id"]}/tasks?limit=100').json()['items']
        return job, tasks

    def end(self):
        self.daemon.end()
        self.site.stop()


def one(folder, m, name, mood, code, words, joined=1, asked=None, **more):
    """A lab of its own: the online device ends with this code and a sentence with these words."""
    flags = more.pop('flags', ('--fetch-private',))
    lab = Lab(folder, name, m, mood, flags=flags, **more)
    try:
        job, tasks = lab.provision(attempts=1)
        errors = [t['error'] for t in tasks if t['error']]
        with lock:
            check(f'{name}: the others join', job['counts']['succeeded'] == joined, job)
            check(f'{name}: {code}', [e['code'] for e in errors] == ([code] if code else []), errors)
            check(f'{name}: says "{words}"', not code or words in errors[0]['message'], errors)
            check(f'{name}: asked', asked is None or len(lab.site.asked) == asked, lab.site.asked)
            alive = lab.daemon.get('/status')
            check(f'{name}: the daemon lives', alive.status == 200 and lab.daemon.process.poll() is None, alive)
    finally:
        with lock:
            lab.end()


def cases():
    """name, mood, code, words of the sentence, more."""
    fetch, fail = 'certificate_fetch_failed', []
    fail += [('a good site', 'good', None, '', {'joined': 2, 'asked': 1})]
    for mood in ('301', '302', '307'):
        fail.append(('status ' + mood, mood, fetch, 'redirect', {'asked': 1}))
    for mood, words in (('404', 'knows no certificate'), ('405', '405'), ('410', 'withdrawn'), ('500', 'fault'),
                        ('501', '501')):
        fail.append(('status ' + mood, mood, fetch, words, {'asked': 1}))
    for mood, words in (('wrong type', 'text/html'), ('no type', 'not with a certificate'), ('no boundary', 'parts'),
                        ('wrong part', 'part'), ('no last part', 'part'), ('garbage', 'not one certificate'),
                        ('garbage part', 'not one certificate'), ('trailing', 'octets left over'), ('empty', 'empty'),
                        ('many', 'part'), ('too large', 'too large'), ('endless', 'too large'),
                        ('endless headers', 'too large'), ('slow', 'slow'), ('silent', 'slow'), ('drops', 'broke off'),
                        ('no HTTP', 'HTTP'), ('hang in handshake', ''), ('drops in handshake', 'TLS')):
        fail.append((mood, mood, fetch, words, {}))
    fail += [
        ('two devices', 'two devices', 'certificate_chain', 'exactly one', {}),
        ('without the issuer', 'single', 'certificate_untrusted', 'no trust anchor', {}),
        ('an expired site', 'good', fetch, 'TLS', {'pem': 'expired', 'asked': 0}),
        ('a site of another name', 'good', fetch, 'TLS', {'pem': 'misnamed', 'asked': 0}),
        ('a site of an unknown authority', 'good', fetch, 'TLS', {'pem': 'selfmade', 'asked': 0}),
        ('plain HTTP behind https', 'good', fetch, 'TLS', {'tls': False, 'asked': 0}),
        ('a private address', 'good', fetch, 'private address',
         {'flags': ('--fetch-allow', '127.0.0.1:PORT'), 'asked': 0}),
        ('a host that is not allowed', 'good', fetch, 'fetch-allow',
         {'flags': ('--fetch-private', '--fetch-allow', 'certificates.example'), 'asked': 0}),
        ('a port that is not allowed', 'good', fetch, 'Port', {'flags': (), 'asked': 0}),
        ('localhost by name', 'good', fetch, 'private address',
         {'flags': ('--fetch-allow', 'localhost:PORT'), 'asked': 0, 'host': 'localhost'}),
        ('no such name', 'good', fetch, 'name', {'host': 'nowhere.invalid', 'asked': 0}),
        ('a user in the URI', 'good', fetch, 'user', {'host': 'a:b@127.0.0.1', 'asked': 0}),
    ]
    return fail


def run_all(folder, m):
    """Side by side, but no more than the machine bears."""
    room = threading.Semaphore(6)
    threads = []

    def go(name, mood, code, words, more):
        with room:
            try:
                one(folder, m, name, mood, code, words, **more)
            except (Exception, SystemExit) as e:  # noqa: BLE001: a thread must not die in silence
                with lock:
                    check(f'{name}: came to its end', False, repr(e))

    for row in cases():
        threads.append(threading.Thread(target=go, args=row))
        threads[-1].start()
    for t in threads:
        t.join()


def bad_settings(m):
    """A daemon that cannot keep its word does not start."""
    for name, flags in (('a CA file that is missing', ('--fetch-ca', '/nonexistent')),
                        ('a CA file without certificates', ('--fetch-ca', m.path('site.key')))):
        done = subprocess.run([os.path.join(BUILD, 'meshmasond'), '--data', m.path('none'), '--listen', '127.0.0.1:0',
                               '--radio', 'sim:devices=1,floors=1', *flags], capture_output=True, text=True, timeout=60)
        check(name, done.returncode == 1 and 'fetch-ca' in done.stderr, done)


def job_of_many(folder, m):
    """A job with online devices, good and bad, joins the good ones; what it fetched is kept."""
    lab = Lab(folder, 'many devices', m, 'good', flags=('--fetch-private',),
              keys='devices=12,uri=0.75,untrusted=1,expired=1,misnamed=1,static_oob=0.3')
    try:
        job, tasks = lab.provision()
        codes = sorted(t['error']['code'] for t in tasks if t['error'])
        check('many: joined', job['counts']['succeeded'] == 9, job)
        check('many: refused', codes == ['certificate_expired', 'certificate_untrusted', 'certificate_uuid_mismatch'],
              codes)
        uuids = [line.split('uuid=')[1].split(' ')[0] for line in lab.site.asked]
        check('many: each is asked for once', len(uuids) == len(set(uuids)) == 9, uuids)
        for uuid in uuids[:3]:
            found = lab.daemon.call('POST', '/trust-anchors/check', body={'uuid': uuid}).json()
            check('many: the check knows what was fetched', found['source'] == 'cached', found)
        again, _ = lab.provision(policy='none', min_algorithm='cmac')
        check('many: a weaker policy goes round nothing', again['counts']['succeeded'] == 0, again)
    finally:
        lab.end()


def wait_asked(lab):
    for _ in range(300):
        if lab.site.asked:
            return True
        time.sleep(0.1)
    return False


def interrupted(folder, m):
    """The daemon ends, politely and not, while a site keeps it waiting; the job then goes on."""
    lab = Lab(folder, 'interrupted', m, 'silent', flags=('--fetch-private',))
    try:
        a = lab.daemon.call('POST', '/jobs', body={'kind': 'provision', 'targets': 'all-trusted', 'options': {}})
        check('interrupted: fetching', a.status == 202 and wait_asked(lab), a)
        began = time.time()
        check('interrupted: answers while it waits', lab.daemon.get('/status').status == 200 and
              time.time() - began < 2, time.time() - began)
        began = time.time()
        check('interrupted: stops at once', lab.daemon.stop() == 0 and time.time() - began < 5, time.time() - began)
        lab.site.asked.clear()
        lab.daemon.user_made = True
        lab.daemon.start()
        check('interrupted: fetching again', wait_asked(lab), lab.site.asked)
        lab.daemon.stop(signal.SIGKILL)
        lab.site.mood = 'good'
        lab.daemon.start()
        job = lab.daemon.wait_job(a.json()['id'], 100)
        check('interrupted: all have joined', job['counts']['succeeded'] == 2, job)
    finally:
        lab.end()


def main():
    os.environ['https_proxy'] = os.environ['ALL_PROXY'] = 'http://127.0.0.1:1'  # which nobody must ask
    with tempfile.TemporaryDirectory(prefix='meshmason-sites-') as folder:
        m = SiteMaker(folder)
        run_all(folder, m)
        job_of_many(folder, m)
        interrupted(folder, m)
        bad_settings(m)
    print(f'{len(cases()) - 1} malicious sites', flush=True)
    finish()


if __name__ == '__main__':
    main()
