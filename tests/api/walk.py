#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Walks the OpenAPI document: to each route, every kind of wrong request; each must get a 4xx problem
document and change nothing. And each good answer must be as the document says.

  walk.py BUILD_DIR
"""
import itertools
import json
import sys

from daemon import (Daemon, DOCUMENT, check, check_answer, check_problem, finish, operations, resolve)

UUID = '00112233-4455-6677-8899-aabbccddee01'
METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'FROB']
MIB = 1 << 20

# One body of each operation that would be taken.
GOOD = {
    'patchDevice': {'name': 'Lamp', 'area': 'Hall', 'profile': None, 'static_oob': '0a0b'},
    'patchNode': {'name': 'Lamp', 'area': 'Hall'},
    'importDevices': {'devices': [{'uuid': UUID}]},
    'createJob': {'kind': 'provision', 'targets': 'all-trusted',
                  'options': {'policy': 'certificate', 'min_algorithm': 'hmac-sha256', 'max_links': 1, 'server': None,
                              'stop_at_failure_percent': 20, 'attempts': 1, 'relay': True}},
    'addTrustAnchors': {'pem': '-----BEGIN'},
    'setRevocationList': {'pem': '-----BEGIN'},
    'checkCertificate': {'uuid': UUID, 'pem': '-----BEGIN'},
    'answerPrompt': {'value': '12345'},
    'startCapture': {'seconds': 60, 'max_octets': 65536},
    'createSession': {'name': 'nobody', 'password': 'wrong password'},
    'setup': {'name': 'ada', 'password': 'long enough for us'},
}
VOLATILE = {'time', 'last_heard_at', 'latency_ms', 'rssi', 'at', 'sightings', 'best_server', 'seconds_left', 'hops',
            'checks'}


def still(value):
    """value without what changes by itself."""
    if isinstance(value, dict):
        return {k: still(v) for k, v in value.items() if k not in VOLATILE}
    if isinstance(value, list):
        return [still(v) for v in value]
    return value


def snapshot(d):
    lists = ['/status', '/devices', '/nodes', '/jobs', '/trust-anchors', '/jobs/1/tasks', '/captures']
    return {path: still(d.get(path).json()) for path in lists}


def fill(path, known):
    """The path with arguments that exist."""
    for name, value in known.items():
        path = path.replace('{' + name + '}', value)
    return path


def known_of(path, facts):
    if path.startswith('/jobs'):
        return {'id': '1'}
    if path.startswith('/captures'):
        return {'id': facts['capture']}
    if path.startswith('/oob'):
        return {'task': '1'}
    return {'uuid': facts['uuid'], 'address': facts['address'], 'id': facts['anchor']}


def wrong_methods(d, path, url):
    allowed = {m.upper() for m in DOCUMENT['paths'][path] if m != 'parameters'}
    for method in METHODS:
        if method in allowed:
            continue
        a = d.call(method, url)
        if check_problem(f'{method} {path}', a, 405, 'method_not_allowed'):
            said = set((a.headers.get('Allow') or '').replace(' ', '').split(','))
            check(f'{method} {path}: Allow', said - {'HEAD'} == allowed, said)


def wrong_paths(d, method, url):
    for tail in ('/x', '/', '%00', '/%zz', '//', '%2f', '/' + 'a' * 6000):
        check_problem(f'{method} {url}{tail[:9]}', d.call(method, url + tail), (400, 404, 405, 415))
    check_problem(f'{method} outside', d.call(method, '/api/v2' + url, prefix=''), 404)


def wrong_arguments(d, path, method, facts, body):
    bad = {'id': ['0', '-1', 'x', '1x', '99999999999999999999', '1.5', '%20'],
           'uuid': ['x', UUID[:-1], UUID + '0', UUID.replace('-', ''), '%ff'],
           'address': ['5', '0x5', '0x0000', '0x8000', '0xffff', '0x00001', '0xzzzz']}
    bad['task'] = bad['id']
    none = {'id': '987654', 'task': '987654', 'uuid': 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'address': '0x7ffe'}
    for name, values in bad.items():
        if '{' + name + '}' not in path:
            continue
        for value in values:
            check_problem(f'{method} {path} with {value}', d.call(method, fill(path, {name: value}), body=body), (400, 404))
        check_problem(f'{method} {path} with none', d.call(method, fill(path, {name: none[name]}), body=body), 404,
                      'not_found')


def bad_values(schema):
    """Values of a parameter or field that the schema forbids, as JSON."""
    schema = resolve(schema)
    if 'oneOf' in schema:
        forms = [resolve(s) for s in schema['oneOf']]
        names = {f.get('type') for f in forms}
        bad = [True, 1.5, {}] + ([] if 'array' in names else [['x']]) + ([] if 'null' in names else [None])
        return bad + ['not one of them']
    names = schema['type'] if isinstance(schema['type'], list) else [schema['type']]
    bad = []
    if 'null' not in names:
        bad.append(None)
    if 'string' in names:
        bad += [7, True, [], {}, 'a\u001bb']
        if 'enum' in schema:
            bad += ['', 'no such word', schema['enum'][0].upper()]
        if 'pattern' in schema:
            bad += ['zz', 'x' * 99]
        if 'maxLength' in schema:
            bad.append('x' * (schema['maxLength'] + 1))
        if schema.get('minLength', 0) > 0:
            bad += ['', 'x' * (schema['minLength'] - 1)]
    if 'integer' in names:
        bad += ['7', True, 1.5, [], {}, schema.get('maximum', 1 << 62) + 1, schema.get('minimum', 0) - 1]
    if 'boolean' in names:
        bad += ['true', 1, 0, [], {}]
    if 'array' in names:
        bad += ['x', 7, {}, True]
    if 'object' in names:
        bad += ['x', 7, [], True]
    return bad


def wrong_queries(d, method, url, operation, body):
    parameters = [p for p in operation.get('parameters', []) if p['in'] == 'query']
    check_problem(f'{method} {url}?nonsense', d.call(method, url + '?nonsense=1', body=body), 400,
                  'unknown_parameter', 'nonsense')
    for text in ('%zz=1', 'a=%', 'a=%00', 'a=%ff', 'limit=' + '9' * 3000, '&'.join(f'a{i}=1' for i in range(60))):
        check_problem(f'{method} {url}?{text[:20]}', d.call(method, url + '?' + text, body=body), 400)
    for p in parameters:
        schema = resolve(p['schema'])
        values = {'integer': ['x', '', '1.5', '99999999999999999999', str(schema.get('minimum', 0) - 1),
                              str(schema.get('maximum', 0) + 1)],
                  'boolean': ['', '1', 'yes', 'TRUE'],
                  'string': ['%01', '%ff']}[schema['type']]
        if schema['type'] == 'string' and 'enum' in schema:
            values = values + ['', 'nonsense', schema['enum'][0].upper()]
        if schema['type'] == 'string' and 'maxLength' in schema:
            values = values + ['x' * (schema['maxLength'] + 1)]
        for value in values:
            check_problem(f'{method} {url}?{p["name"]}={value[:12]}',
                          d.call(method, f'{url}?{p["name"]}={value}', body=body), 400)
        ok = {'integer': '1', 'boolean': 'true', 'string': schema.get('enum', ['x'])[0]}[schema['type']]
        check_problem(f'{method} {url}?{p["name"]} twice',
                      d.call(method, f'{url}?{p["name"]}={ok}&{p["name"]}={ok}', body=body), 400)
        if p['name'] == 'cursor':
            for value in ('x', 'AAAA', '%2F..', 'eyJ', '1'):
                check_problem(f'{method} {url}?cursor={value}', d.call(method, f'{url}?cursor={value}'), 400,
                              'invalid_cursor', 'cursor')


def wrong_credentials(d, method, url, body, setup_cookie):
    json_type = {'Content-Type': 'application/json'}
    rows = [('none', {}), ('empty', {'Authorization': ''}), ('not bearer', {'Authorization': 'Basic YTpi'}),
            ('no token', {'Authorization': 'Bearer '}), ('wrong token', {'Authorization': 'Bearer ' + 'x' * 46}),
            ('the token cut off', {'Authorization': 'Bearer ' + d.token[:-1]}),
            ('the token as basic', {'Authorization': 'Basic ' + d.token}),
            ('the token as cookie', {'Cookie': 'meshmason_session=' + d.token}),
            ('wrong cookie', {'Cookie': 'meshmason_session=' + 'x' * 43}),
            ('a wrong token beside a cookie', {'Authorization': 'Bearer x', 'Cookie': setup_cookie})]
    for name, headers in rows:
        a = d.call(method, url, body=body, headers={**json_type, **headers}, token=False)
        if check_problem(f'{method} {url} with {name}', a, 401, 'not_signed_in'):
            check(f'{method} {url}: WWW-Authenticate', a.headers.get('WWW-Authenticate', '').startswith('Bearer'))
    if url not in ('/session', '/setup'):
        check_problem(f'{method} {url} before the first admin',
                      d.call(method, url, body=body, headers={**json_type, 'Cookie': setup_cookie}, token=False), 403,
                      'setup_needed')


def wrong_sites(d, method, url, body, setup_cookie):
    if method == 'GET':
        return
    for name, headers in [('another origin', {'Origin': 'http://evil.example'}), ('null origin', {'Origin': 'null'}),
                          ('cross-site', {'Sec-Fetch-Site': 'cross-site'}), ('same-site', {'Sec-Fetch-Site': 'same-site'})]:
        headers = {'Content-Type': 'application/json', 'Cookie': setup_cookie, **headers}
        check_problem(f'{method} {url} from {name}', d.call(method, url, body=body, headers=headers, token=False), 403,
                      'cross_site')


def body_fields(d, method, url, good, schema, prefix=''):
    """Every field with values that it must not have; unknown fields; missing ones."""
    schema = resolve(schema)

    def send(what, value, **wanted):
        body = json.loads(json.dumps(good))
        at = body
        for part in prefix.split('.')[:-1]:
            at = at[part]
        value(at)
        check_problem(f'{method} {url} with {prefix}{what}', d.call(method, url, body=body), 400, **wanted)

    send('an unknown field', lambda at: at.update(nonsense=1), code='unknown_field', field=prefix + 'nonsense')
    for name in schema.get('required', []):
        send(f'no {name}', lambda at, n=name: at.pop(n), code='missing_field', field=prefix + name)
    for name, one in schema['properties'].items():
        if prefix == 'options.' and name == 'seconds':
            continue
        for value in bad_values(one):
            if name == 'targets' and value == ['x']:
                continue
            if name == 'targets' and isinstance(value, dict):
                value = {'x': 1}
            field = prefix + name if name != 'devices' or not isinstance(value, list) else None
            send(f'{name}={str(value)[:20]!r}', lambda at, n=name, v=value: at.update({n: v}), field=field)


def wrong_bodies(d, path, method, url, operation):
    content = operation['requestBody']['content']
    good = GOOD[operation['operationId']]
    as_json = {'Content-Type': 'application/json'}
    status = (400, 422)
    texts = [b'', b' ', b'{', b'}', b'null', b'[]', b'"x"', b'7', b'{"a":1,"a":2}', b'\xff\xfe', b'{"a":"\\u0000"}', b'\x00',
             b'{} {}', b'{"a":' * 5000, b'[' * 100000, b'{"a":1e999}', b'{"a":99999999999999999999}', b'{a:1}',
             b"{'a':1}", b'{"a":1,}', json.dumps(good).encode()[:-1], json.dumps(good).encode() + b'x']
    if operation['operationId'] != 'startCapture':  # which needs no field
        texts.append(b'{}')
    for text in texts:
        check_problem(f'{method} {path} with body {text[:20]!r}', d.call(method, url, body=text, headers=as_json), status)
    for kind in (None, '', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x',
                 'application/jsonx', 'text/html', 'application/octet-stream'):
        check_problem(f'{method} {path} as {kind}',
                      d.call(method, url, body=json.dumps(good).encode(), headers={'Content-Type': kind}), 415,
                      'unsupported_media_type', 'Content-Type')
    largest = 32 * MIB if path == '/devices/import' else MIB
    for size in (largest + 1, largest + MIB // 2):
        check_problem(f'{method} {path} with {size} octets', d.call(method, url, body=b' ' * size, headers=as_json), 413,
                      'payload_too_large', 'body')
    check_problem(f'{method} {path} announcing too much',
                  d.call(method, url, body=b'{', headers={**as_json, 'Content-Length': str(1 << 40), 'Expect': '100-continue'}),
                  413, 'payload_too_large')
    chunks = b''.join(b'%x\r\n' % 65536 + b' ' * 65536 + b'\r\n' for _ in range(largest // 65536 + 1)) + b'0\r\n\r\n'
    check_problem(f'{method} {path} in chunks, too many',
                  d.call(method, url, body=chunks, headers={**as_json, 'Transfer-Encoding': 'chunked'}), 413)
    if operation['operationId'] == 'createSession':
        for value, code, field in [({'link': 7}, 'wrong_type', 'link'), ({'link': ''}, 'invalid_value', 'link'),
                                   ({'link': 'x' * 129}, 'invalid_value', 'link'), ({'name': 'a'}, 'missing_field', 'password'),
                                   ({'password': 'a'}, 'missing_field', 'name'), ({'user': 'a'}, 'unknown_field', 'user'),
                                   ({'link': 'x', 'name': 'a'}, 'invalid_value', 'link'),
                                   ({'name': None, 'password': 'a'}, 'wrong_type', 'name')]:
            check_problem(f'POST /session with {value}', d.call(method, url, body=value, token=False), 400, code, field)
        return
    schema = content['application/json']['schema']
    body_fields(d, method, url, good, schema)
    if operation['operationId'] == 'createJob':
        body_fields(d, method, url, good, {'$ref': '#/components/schemas/JobOptions'}, 'options.')
        for value in ([], ['x'], [7], [None], ['0x0000'], [UUID, 'x'], ['0x1234x']):
            body = {**good, 'targets': value}
            check_problem(f'POST /jobs with targets {value}', d.call(method, url, body=body), 400)
        for kind, option in [('scan', 'max_links'), ('provision', 'seconds'), ('remove', 'relay'), ('identify', 'policy'),
                             ('refresh-device-key', 'address'), ('read-composition', 'max_links')]:
            body = {'kind': kind, 'targets': 'all', 'options': {option: 1}}
            check_problem(f'{kind} with {option}', d.call(method, url, body=body), 400, 'unknown_field', 'options.' + option)


def wrong_headers(d, method, url, body):
    check_problem(f'{method} {url} with 20 kB of headers',
                  d.call(method, url, body=body, headers={'X-Much': 'x' * 20000}), 431, 'headers_too_large')
    check(f'{method} {url} with 100 kB of headers', 400 <= d.call(method, url, body=body,
                                                                  headers={'X-Much': 'x' * 100000}).status < 500)
    for length in ('x', '-1', '99999999999999999999999'):
        try:
            a = d.call(method, url, body=body or b'', headers={'Content-Length': length, 'Content-Type': 'application/json'})
            check(f'{method} {url} with Content-Length {length}', 400 <= a.status < 500, a)
        except (OSError, EOFError) as e:
            check(f'{method} {url} with Content-Length {length}', 'RemoteDisconnected' in type(e).__name__, repr(e))


def walk(d, facts, setup_cookie):
    before = snapshot(d)
    seen = set()
    for path, method, operation, _ in operations():
        url = fill(path, known_of(path, facts))
        body = json.dumps(GOOD[operation['operationId']]).encode() if operation['operationId'] in GOOD else None
        if path not in seen:
            seen.add(path)
            wrong_methods(d, path, url)
        wrong_paths(d, method, url)
        typed = body and GOOD[operation['operationId']]
        wrong_arguments(d, path, method, facts, typed)
        if operation['x-role'] != 'public':
            wrong_queries(d, method, url, operation, typed)
            wrong_credentials(d, method, url, body, setup_cookie)
        wrong_sites(d, method, url, body, setup_cookie)
        wrong_headers(d, method, url, body)
        if 'requestBody' in operation:
            wrong_bodies(d, path, method, url, operation)
        else:
            for text in (b'x', b'[]', b'{"a":1}'):
                check_problem(f'{method} {path} with a body',
                              d.call(method, url, body=text, headers={'Content-Type': 'application/json'}), 400)
            check_problem(f'{method} {path} with a body too large',
                          d.call(method, url, body=b' ' * (MIB + 1), headers={'Content-Type': 'application/json'}), 413)
        now = snapshot(d)
        check(f'{method} {path}: nothing has changed', now == before,
              [k for k in before if now[k] != before[k]] and json.dumps(
                  [(before[k], now[k]) for k in before if now[k] != before[k]])[:1500])
        before = now


def good_answers(d, facts):
    for path, method, operation, _ in operations():
        if method != 'GET' or path == '/events':
            continue
        url = fill(path, known_of(path, facts))
        check_answer(f'GET {path}', d.get(url), operation)
        parameters = [p for p in operation.get('parameters', []) if p['in'] == 'query']
        for p in parameters:
            for value in resolve(p['schema']).get('enum', []):
                a = d.get(f'{url}?{p["name"]}={value}')
                check(f'GET {path}?{p["name"]}={value}', a.status == 200, a)
        names = {p['name'] for p in parameters}
        if not {'limit', 'cursor'} <= names:
            continue
        sorts = next((p['schema']['enum'] for p in parameters if p['name'] == 'sort'), [None])
        whole = len(d.get(url + '?limit=1000').json()['items'])
        for sort in sorts:
            pages(d, url, sort, whole)


def pages(d, url, sort, whole):
    """Page by page, one row each: every row once."""
    rows, cursor = [], None
    for _ in range(whole + 2):
        more = (f'&sort={sort}' if sort else '') + (f'&cursor={cursor}' if cursor else '')
        a = d.get(f'{url}?limit=1{more}')
        if not check(f'GET {url}?limit=1{more}', a.status == 200, a):
            return
        rows += [json.dumps(still(row), sort_keys=True) for row in a.json()['items']]
        cursor = a.json()['next']
        if not cursor:
            break
    check(f'{url} sorted by {sort}: every row once', len(rows) == whole == len(set(rows)), (len(rows), whole))


def main():
    d = Daemon(sys.argv[1], 'sim:devices=4,floors=1,seed=5', '--sim-speed', 'max')
    try:
        anchors = open(d.data + '/building/ca.pem').read()
        added = d.call('POST', '/trust-anchors', body=anchors, headers={'Content-Type': 'application/x-pem-file'})
        check('the trust anchor is taken', added.status == 201, added)
        listed = f'uuid,name\n{UUID},Lamp 1\n' + UUID[:-1] + '2,Lamp 2\n'
        check('the list is taken', d.call('POST', '/devices/import', body=listed,
                                          headers={'Content-Type': 'text/csv'}).status == 200)
        job = d.call('POST', '/jobs', body={'kind': 'provision', 'targets': 'all-trusted'})
        check('the job is taken', job.status == 202 and job.headers['Location'] == '/api/v1/jobs/1', job)
        d.wait_job(1)
        facts = {'uuid': UUID, 'anchor': '1', 'address': d.get('/nodes').json()['items'][0]['address']}
        for _ in range(3):
            a = d.call('POST', '/captures', body={})
            check_answer('a capture is started', a, DOCUMENT['paths']['/captures']['post'])
            facts['capture'] = str(a.json()['id'])
            a = d.call('POST', f"/captures/{facts['capture']}/stop")
            check_answer('and stopped', a, DOCUMENT['paths']['/captures/{id}/stop']['post'])
        session = d.call('POST', '/session', body={'link': d.link}, token=False)
        check('the one-time link signs in', session.status == 200, session)
        cookie = session.headers['Set-Cookie'].split(';')[0]
        good_answers(d, facts)
        walk(d, facts, cookie)
    finally:
        d.end()
    finish()


if __name__ == '__main__':
    main()
