#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the API promises beyond refusing: sign-in, imports, jobs, events, files, stopping.

  behaviour.py BUILD_DIR
"""
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

from daemon import Daemon, check, check_answer, check_problem, finish, operations, wrong

BUILD = sys.argv[1]
UUID = '00112233-4455-6677-8899-aabbccddee0'
CSV = {'Content-Type': 'text/csv'}
HEADER = 'uuid,name,area,profile,static_oob,certificate\n'
PASSWORD = 'correct horse battery'


def operation(path, method):
    return next(o for p, m, o, _ in operations() if p == path and m == method)


class Browser:
    """Keeps the cookie, sends the headers that a browser sends."""

    def __init__(self, d):
        self.d, self.cookie = d, None

    def call(self, method, path, body=None, **headers):
        headers = {name.replace('_', '-'): value for name, value in headers.items()}
        headers = {'Origin': self.d.url, 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/json',
                   'Cookie': self.cookie, **headers}
        a = self.d.call(method, path, body=body, headers=headers, token=False)
        if 'Set-Cookie' in a.headers:
            self.cookie = a.headers['Set-Cookie'].split(';')[0]
        return a


def signing_in(d):
    b = Browser(d)
    check_problem('nobody is signed in', b.call('GET', '/session'), 401, 'not_signed_in')
    check_problem('no default password', b.call('POST', '/session', {'name': 'admin', 'password': 'admin'}), 401,
                  'wrong_credentials')
    a = b.call('POST', '/session', {'link': d.link})
    check_answer('the link signs in', a, operation('/session', 'POST'))
    flags = a.headers['Set-Cookie']
    check('the cookie is guarded', 'HttpOnly' in flags and 'SameSite=Strict' in flags and 'Path=/' in flags, flags)
    check('setup is needed', a.json()['setup_needed'] and a.json()['name'] is None, a)
    check_problem('the link works once', Browser(d).call('POST', '/session', {'link': d.link}), 401, 'wrong_credentials')
    check_problem('nothing else before setup', b.call('GET', '/status'), 403, 'setup_needed')
    for password in ('short', '12345678901', 'äöüäöüäöüäö'):
        check_problem('a short password', b.call('POST', '/setup', {'name': 'ada', 'password': password}), 400,
                      'invalid_value', 'password')
    check_problem('a name with spaces around', b.call('POST', '/setup', {'name': ' ada', 'password': PASSWORD}), 400,
                  'invalid_value', 'name')
    before = b.cookie
    a = b.call('POST', '/setup', {'name': 'ada', 'password': PASSWORD})
    check_answer('the first admin is named', a, operation('/setup', 'POST'))
    check('as admin', a.json()['role'] == 'admin' and a.json()['name'] == 'ada', a)
    check('the session is another one', b.cookie != before)
    check('and is good', b.call('GET', '/status').status == 200)
    old = Browser(d)
    old.cookie = before
    check_problem('the former one has ended', old.call('GET', '/session'), 401)
    check_problem('setup works once', b.call('POST', '/setup', {'name': 'eve', 'password': PASSWORD}), 409, 'setup_done')
    return b


def sessions(d, b):
    check_problem('a form of another site', b.call('POST', '/jobs', b'{}', Content_Type='text/plain'), 415)
    check_problem('another origin', b.call('POST', '/jobs', {}, Origin='http://evil.example'), 403, 'cross_site')
    check_problem('a write without a body is JSON too',
                  b.call('DELETE', '/trust-anchors/999', Content_Type=None), 415, 'unsupported_media_type')
    check_problem('with it', b.call('DELETE', '/trust-anchors/999'), 404)
    check('import by cookie', b.call('POST', '/devices/import?dry_run=true', HEADER + UUID + '1,a,,,,\n',
                                     Content_Type='text/csv').status == 200)
    a = b.call('DELETE', '/session')
    check('signing out', a.status == 204 and 'Max-Age=0' in a.headers['Set-Cookie'], a)
    check_problem('signed out', b.call('GET', '/session'), 401)
    check_problem('a token does not sign out', d.call('DELETE', '/session'), 409, 'conflict')
    check_problem('a wrong password', b.call('POST', '/session', {'name': 'ada', 'password': PASSWORD + 'x'}), 401,
                  'wrong_credentials')
    a = b.call('POST', '/session', {'name': 'ADA', 'password': PASSWORD})
    check('by name, in any case', a.status == 200 and a.json()['name'] == 'ada', a)
    for _ in range(6):
        a = b.call('POST', '/session', {'name': 'ada', 'password': 'guess'})
    check_problem('guessing', a, 429, 'too_many_attempts')
    check('Retry-After', 1 <= int(a.headers['Retry-After']) <= 60, a.headers)


def imports(d):
    def bring(text, query=''):
        return d.call('POST', '/devices/import' + query, body=text, headers=CSV)

    def counts(a):
        return {k: v for k, v in a.json()['counts'].items() if v and k != 'total'}

    listed = HEADER + f'{UUID}1,Lamp 1,"Hall, north",,0a0b,\r\n{UUID}2,"Lamp ""2""",,,,\r\nnonsense,x,,,,\r\n{UUID}1,again,,,,\r\n'
    a = bring(listed, '?dry_run=true')
    check_answer('a dry run', a, operation('/devices/import', 'POST'))
    check('says what would be', counts(a) == {'added': 2, 'refused': 2}, a)
    check('by line', [(r['line'], r['field']) for r in a.json()['rows'] if r['outcome'] == 'refused'] ==
          [(4, 'uuid'), (5, 'uuid')], a)
    check('and does nothing', d.get(f'/devices/{UUID}1').status == 404)
    a = bring(listed, '?strict=true')
    check_problem('strict refuses all', a, 422, 'import_refused')
    check('with the rows', len(a.json()['rows']) == 2, a)
    check('and does nothing', d.get(f'/devices/{UUID}1').status == 404)
    check('good rows are taken', counts(bring(listed)) == {'added': 2, 'refused': 2})
    good = listed.split('nonsense')[0]
    check('the same list changes nothing', counts(bring(good)) == {'unchanged': 2})
    check('nor with a mark and line feeds', counts(bring('\ufeff' + good.replace('\r\n', '\n'))) == {'unchanged': 2})
    check('nor strictly', counts(bring(good, '?strict=true')) == {'unchanged': 2})
    device = d.get(f'/devices/{UUID}1').json()
    check('as listed', device['name'] == 'Lamp 1' and device['area'] == 'Hall, north' and device['static_oob'] is True and
          device['state'] == 'missing' and device['expected'], device)
    check('quotes', d.get(f'/devices/{UUID}2').json()['name'] == 'Lamp "2"')
    check('an empty value leaves what is there', counts(bring(HEADER + f'{UUID}1,,Cellar,,,\n')) == {'changed': 1} and
          d.get(f'/devices/{UUID}1').json()['name'] == 'Lamp 1')
    a = d.call('POST', '/devices/import', body={'devices': [{'uuid': UUID + '1', 'area': None}, {'uuid': UUID + '3'},
                                                            {'uuid': 7}, {'uuid': UUID + '4', 'colour': 'red'}]})
    check('as JSON', counts(a) == {'added': 1, 'changed': 1, 'refused': 2}, a)
    check('null clears', d.get(f'/devices/{UUID}1').json()['area'] is None)
    a = bring(HEADER + f'{UUID}5,,,,,no certificate\n')
    check('a bad certificate', counts(a) == {'refused': 1} and a.json()['rows'][0]['field'] == 'certificate', a)
    many = HEADER + ''.join(f'aaaaaaaa-0000-0000-0000-{i:012x},n{i},,,,\n' for i in range(5000))
    wrong = many + 'no uuid,x,,,,\n'
    a = bring(wrong, '?strict=true')
    check('all or none', a.status == 422 and d.get('/devices?q=n499').json()['items'] == [], a)
    check('a dry run of many', counts(bring(many, '?dry_run=true')) == {'added': 5000} and
          d.get('/devices?q=n499').json()['items'] == [])
    answers, keyed = [], {**CSV, 'Idempotency-Key': 'a long list'}
    worker = threading.Thread(target=lambda: answers.append(d.call('POST', '/devices/import', body=many, headers=keyed)))
    worker.start()
    others = 0
    while worker.is_alive():
        others += d.call('GET', '/healthz', prefix='', token=False).status == 200
    check('5,000 rows', counts(answers[0]) == {'added': 5000})
    check('and others are answered meanwhile', others >= 1, others)
    again = d.call('POST', '/devices/import', body=many, headers=keyed)
    check('the same answer under its key', again.json() == answers[0].json())
    check('which is not what it would be', counts(bring(many)) == {'unchanged': 5000})
    page = d.get('/devices?q=n499&sort=-name&limit=3').json()
    check('found and sorted', [i['name'] for i in page['items']] == ['n4999', 'n4998', 'n4997'] and page['next'], page)


def patching(d):
    a = d.call('PATCH', f'/devices/{UUID}2', body={'name': 'Lamp two', 'static_oob': '00' * 16})
    check_answer('a device is named', a, operation('/devices/{uuid}', 'PATCH'))
    keyed = {'Idempotency-Key': 'a name'}
    a = d.call('PATCH', f'/devices/{UUID}2', body={'name': 'Under a key'}, headers=keyed)
    d.call('PATCH', f'/devices/{UUID}2', body={'name': 'Lamp two'})
    again = d.call('PATCH', f'/devices/{UUID}2', body={'name': 'Under a key'}, headers=keyed)
    check('the same answer', again.status == 200 and again.json() == a.json(), again)
    check('and not done twice', d.get(f'/devices/{UUID}2').json()['name'] == 'Lamp two')
    check_problem('a refusal is not kept', d.call('PATCH', f'/devices/{UUID}2', body={'nme': 'x'}, headers={'Idempotency-Key': 'r'}),
                  400, 'unknown_field', 'nme')
    check('so the key is free', d.call('PATCH', f'/devices/{UUID}2', body={'area': 'x'}, headers={'Idempotency-Key': 'r'}).status == 200)
    check_problem('an empty key', d.call('PATCH', f'/devices/{UUID}2', body={'area': 'x'}, headers={'Idempotency-Key': 'k' * 200}),
                  400, 'invalid_value', 'Idempotency-Key')
    check('and kept', d.get(f'/devices/{UUID}2').json()['name'] == 'Lamp two')
    once = {'Idempotency-Key': 'forget it'}
    check('forgotten', d.call('DELETE', f'/devices/{UUID}3', headers=once).status == 204)
    check('and once only', d.call('DELETE', f'/devices/{UUID}3', headers=once).status == 204)
    check_problem('gone', d.get(f'/devices/{UUID}3'), 404, 'not_found')
    a = d.call('POST', '/jobs', body={'kind': 'identify', 'targets': ['0x7ffe']})
    check_problem('no such node', a, (400, 404, 422))


def anchors(d):
    pem = open(d.data + '/building/ca.pem').read()
    der = subprocess.run(['openssl', 'x509', '-outform', 'DER'], input=pem.encode(), capture_output=True, check=True).stdout
    a = d.call('POST', '/trust-anchors', body={'pem': pem})
    check_answer('an anchor', a, operation('/trust-anchors', 'POST'))
    check('is added', a.json()['added'] == 1, a)
    a = d.call('POST', '/trust-anchors', body=der, headers={'Content-Type': 'application/pkix-cert'})
    check('the same as DER', a.status == 201 and (a.json()['added'], a.json()['already_there']) == (0, 1), a)
    first = d.get('/trust-anchors').json()['items'][0]['id']
    for name, body in [('nothing', b'x'), ('cut off', der[:-5]), ('empty PEM', pem.replace('MI', '??').encode())]:
        check_problem(f'an anchor that is {name}', d.call('POST', '/trust-anchors', body=body,
                                                          headers={'Content-Type': 'application/pkix-cert'}), 422,
                      'trust_anchor_refused')
    key = subprocess.run(['openssl', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout'], capture_output=True, check=True).stdout
    key_file = os.path.join(d.folder, 'key.pem')
    open(key_file, 'wb').write(key)
    leaf = subprocess.run(['openssl', 'req', '-x509', '-new', '-key', key_file, '-subj', '/CN=leaf', '-days', '9',
                           '-addext', 'basicConstraints=critical,CA:FALSE'], capture_output=True, check=True).stdout
    check_problem('a leaf is no anchor', d.call('POST', '/trust-anchors', body={'pem': leaf.decode()}), 422,
                  'trust_anchor_refused')
    check_problem('all or none', d.call('POST', '/trust-anchors', body={'pem': pem + leaf.decode()}), 422)
    check_problem('a key is no certificate', d.call('POST', '/trust-anchors', body={'pem': key.decode()}), 422)
    check('one is there', len(d.get('/trust-anchors').json()['items']) == 1)
    check('taken out', d.call('DELETE', f'/trust-anchors/{first}').status == 204)
    check_problem('gone', d.get(f'/trust-anchors/{first}'), 404)
    check('back again', d.call('POST', '/trust-anchors', body={'pem': pem}).status == 201)


class Listener(threading.Thread):
    """Reads a stream into events, until stop() or the server ends it."""

    def __init__(self, d, **headers):
        super().__init__(daemon=True)
        self.connection = d.connection(timeout=30)
        self.connection.request('GET', '/api/v1/events', headers={'Authorization': 'Bearer ' + d.token, **headers})
        self.response = self.connection.getresponse()
        self.events, self.last_id, self.ended = [], None, False
        self.start()

    def run(self):
        event = {}
        try:
            for line in self.response:
                line = line.decode().rstrip('\n')
                if line.startswith('id: '):
                    self.last_id = line[4:]
                if ': ' in line and line[0] != ':':
                    event.update([line.split(': ', 1)])
                elif not line and 'event' in event:
                    self.events.append((event['event'], json.loads(event['data'])))
                    event = {}
                elif not line:
                    event = {}
        except (OSError, ValueError, AttributeError):
            pass
        self.ended = True

    def wait(self, what, seconds=20):
        until = time.time() + seconds
        while time.time() < until:
            if what(self.events):
                return True
            time.sleep(0.02)
        return False

    def stop(self):
        self.connection.sock and self.connection.sock.close()
        self.response.close()


def jobs_and_events(d):
    d.wait_job(d.call('POST', '/jobs', body={'kind': 'scan', 'targets': 'all'}).json()['id'])  # now some are heard
    a = d.call('POST', '/jobs', body={'kind': 'scan', 'targets': 'all', 'options': {'ad_types': ['local_name', '0x19']}})
    check_answer('an extended scan', a, operation('/jobs', 'POST'))
    check('of every device heard', d.wait_job(a.json()['id'])['state'] == 'succeeded', a)
    named = [x for x in d.get('/devices').json()['items'] if x['local_name']]
    check('they tell what they are', named and all(x['appearance']['name'] == 'Ceiling Light' and x['scanned_at'] for x in named), named)
    for bad in (['0x08'], ['nonsense'], ['uri', '0x24'], [], 'uri', [1]):
        refused = d.call('POST', '/jobs', body={'kind': 'scan', 'targets': 'all', 'options': {'ad_types': bad}})
        check(f'ad_types {bad}', refused.status == 400 and 'ad_types' in refused.json()['field'], refused)
    listener = Listener(d)
    body = {'kind': 'provision', 'targets': 'all-trusted'}
    keyed = {'Idempotency-Key': 'one'}
    a = d.call('POST', '/jobs', body=body, headers=keyed)
    check_answer('a job', a, operation('/jobs', 'POST'))
    job = a.json()['id']
    check('Location', a.headers['Location'] == f'/api/v1/jobs/{job}', a.headers)
    check('counts add up', a.json()['counts']['total'] == sum(v for k, v in a.json()['counts'].items() if k != 'total'), a)
    again = d.call('POST', '/jobs', body=body, headers=keyed)
    check('the same key, the same job', again.status == 202 and again.json()['id'] == job and
          again.headers['Location'] == a.headers['Location'], again)
    check_problem('the same key for another', d.call('POST', '/jobs', body={**body, 'targets': 'all'}, headers=keyed), 409,
                  'idempotency_conflict', 'Idempotency-Key')
    check_problem('the same key for another call', d.call('POST', f'/jobs/{job}/pause', headers=keyed), 409,
                  'idempotency_conflict', 'Idempotency-Key')
    check_answer('pause', d.call('POST', f'/jobs/{job}/pause'), operation('/jobs/{id}/pause', 'POST'))
    check('paused', d.get(f'/jobs/{job}').json()['state'] == 'paused', d.get(f'/jobs/{job}'))
    check('resumed', d.call('POST', f'/jobs/{job}/resume', body={}).status == 202)
    ended = d.wait_job(job)
    check('every living trusted device is a node', ended['state'] == 'partial' and ended['links']['peak'] >= 1, ended)
    codes = {t['error']['code'] for t in d.get(f'/jobs/{job}/tasks?state=failed').json()['items']}
    check('each of the others says why', {'certificate_untrusted', 'not_heard'} <= codes, codes)
    for name in ('pause', 'resume', 'cancel'):
        check_problem(f'{name} after the end', d.call('POST', f'/jobs/{job}/{name}'), 409, 'conflict')
    check('the job was seen to end', listener.wait(lambda e: any(
        n == 'job.changed' and v['id'] == job and v['ended_at'] for n, v in e)), listener.events[-3:])
    kinds = {name for name, _ in listener.events}
    check('all kinds were seen', {'device.changed', 'node.changed', 'job.changed', 'task.changed'} <= kinds, kinds)
    schemas = {'device.changed': 'Device', 'node.changed': 'Node', 'job.changed': 'Job', 'task.changed': 'Task',
               'server.changed': 'Server', 'radio.changed': 'Radio'}
    bad = [w for n, v in listener.events if n in schemas for w in wrong(v, {'$ref': f'#/components/schemas/{schemas[n]}'})]
    check('as the lists show them', not bad, bad[:5])
    last = listener.last_id
    listener.stop()
    some = d.get('/devices?limit=1').json()['items'][0]['uuid']
    d.call('PATCH', f'/devices/{some}', body={'name': 'Seen later'})
    later = Listener(d, **{'Last-Event-ID': last})
    check('what came meanwhile is replayed', later.wait(lambda e: any(
        n == 'device.changed' and v['name'] == 'Seen later' for n, v in e), 5), later.events)
    check('without a reset', not any(n == 'reset' for n, _ in later.events), later.events)
    later.stop()
    unknown = Listener(d, **{'Last-Event-ID': 'of another start-7'})
    check('an unknown id gives a reset', unknown.wait(lambda e: e and e[0][0] == 'reset', 5), unknown.events)
    unknown.stop()
    retry = d.call('POST', f'/jobs/{job}/retry')
    check('retry', retry.status == 202, retry)
    again = d.wait_job(job)
    check('touches the failed ones only', again['counts']['succeeded'] == ended['counts']['succeeded'] and
          again['counts']['total'] == ended['counts']['total'], again)


def many_streams(d):
    open_now, refused = [], None
    for _ in range(70):
        one = Listener(d)
        if one.response.status != 200:
            refused = one
            break
        open_now.append(one)
    check('streams are capped', refused and refused.response.status == 503 and refused.response.headers['Retry-After'],
          len(open_now))
    began = time.time()
    check('and starve nobody', d.get('/status').status == 200 and time.time() - began < 2, time.time() - began)
    return open_now


def files(d):
    a = d.call('GET', '/', prefix='', token=False)
    check('the dashboard', a.status == 200 and a.type == 'text/html' and b'index' in a.body, a)
    check('guarded', "default-src 'self'" in a.headers['Content-Security-Policy'] and
          a.headers['X-Content-Type-Options'] == 'nosniff' and "frame-ancestors 'none'" in a.headers['Content-Security-Policy'])
    check('a page of its own', d.call('GET', '/nodes/0x0005', prefix='', token=False).body == a.body)
    script = d.call('GET', '/assets/main-ABC.js', prefix='', token=False)
    check('hashed files are kept', 'immutable' in script.headers['Cache-Control'], script.headers)
    packed = d.call('GET', '/assets/main-ABC.js', prefix='', token=False, headers={'Accept-Encoding': 'gzip'})
    check('compressed', packed.headers['Content-Encoding'] == 'gzip' and gzip.decompress(packed.body) == script.body)
    same = d.call('GET', '/', prefix='', token=False, headers={'If-None-Match': a.headers['ETag']})
    check('not sent twice', same.status == 304 and not same.body, same)
    for path in ('/assets/none.js', '/../data/admin-token', '/%2e%2e/data/admin-token', '/assets/../../data/admin-token',
                 '/.secret', '/assets/%2e%2e/index.html', '//etc/passwd.txt'):
        check_problem(path, d.call('GET', path, prefix='', token=False), 404)
    check_problem('files are only read', d.call('POST', '/', prefix='', token=False), 405)
    check('healthz', d.call('GET', '/healthz', prefix='', token=False).json() == {'status': 'ok'})
    check('HEAD', d.call('HEAD', '/healthz', prefix='', token=False).status == 200)
    check('HEAD of a list', d.call('HEAD', '/devices').body == b'')


def survives(d):
    """What was answered is on disk: kill -9 right after the answer."""
    for i in range(3):
        name = f'Killed {i}'
        check('named', d.call('PATCH', f'/devices/{UUID}2', body={'name': name}).status == 200)
        d.stop(signal.SIGKILL)
        d.start()
        check('kept over kill -9', d.get(f'/devices/{UUID}2').json()['name'] == name)


def no_secret_leaks(d):
    files = [os.path.join(d.data, f) for f in os.listdir(d.data) if f.startswith('meshmason.db')] + [d.log.name]
    for secret in (d.token, PASSWORD, d.link_used):
        found = [f for f in files if secret.encode() in open(f, 'rb').read()]
        check('no token, password or link is stored or logged', not found, found)
    check('no static OOB value is shown', 'static_oob": "' not in json.dumps(d.get('/devices?limit=1000').json()))
    mode = os.stat(os.path.join(d.data, 'admin-token')).st_mode & 0o777
    check('the token file is ours alone', mode == 0o600, oct(mode))


def tls(webui):
    folder = tempfile.mkdtemp(prefix='meshmason-tls-')
    cert, key = os.path.join(folder, 'cert.pem'), os.path.join(folder, 'key.pem')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                    '-keyout', key, '-out', cert, '-days', '9', '-subj', '/CN=localhost'], capture_output=True, check=True)
    made = Daemon(BUILD, 'sim:devices=1,floors=1', '--sim-speed', 'max', '--tls-cert', cert, '--tls-key', key, webui=webui)
    check('https', made.url.startswith('https://'), made.url)
    check('healthz over TLS', made.call('GET', '/healthz', prefix='', token=False).status == 200)
    a = made.call('POST', '/session', body={'link': made.link}, token=False)
    check('the cookie is for TLS only', '; Secure' in a.headers.get('Set-Cookie', ''), a.headers)
    listener = Listener(made)
    check('events over TLS', listener.response.status == 200)
    check('stops with a stream open', made.stop() == 0)
    made.end()


def main():
    webui = tempfile.mkdtemp(prefix='meshmason-webui-')
    os.mkdir(webui + '/assets')
    open(webui + '/index.html', 'w').write('<!doctype html><title>index</title>')
    open(webui + '/.secret', 'w').write('no')
    open(webui + '/assets/main-ABC.js', 'w').write('export {};\n' * 100)
    with gzip.open(webui + '/assets/main-ABC.js.gz', 'wb') as f:
        f.write(b'export {};\n' * 100)
    d = Daemon(BUILD, 'sim:devices=8,floors=1,untrusted=1,absent=1,seed=11', '--sim-speed', 'max', webui=webui)
    try:
        d.link_used = d.link
        files(d)
        b = signing_in(d)
        d.user_made = True
        sessions(d, b)
        anchors(d)
        listed = open(d.data + '/building/devices.csv').read()
        check('the building\'s list', d.call('POST', '/devices/import', body=listed, headers=CSV).status == 200)
        jobs_and_events(d)
        imports(d)
        patching(d)
        no_secret_leaks(d)
        survives(d)
        check('the password still is good', b.call('POST', '/session', {'name': 'ada', 'password': PASSWORD}).status in (200, 429))
        streams = many_streams(d)
        check('stops with streams open', d.stop() == 0)
        check('the streams have ended', all(s.join(5) or s.ended for s in streams))
    finally:
        d.end()
    tls(webui)
    finish()


if __name__ == '__main__':
    main()
