# SPDX-License-Identifier: Apache-2.0
"""The real daemon on a free port, plain HTTP calls, and the contract's schemas as a judge."""
import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOCUMENT = json.load(open(os.path.join(ROOT, 'api', 'openapi.json'), encoding='utf-8'))

counts = {'passed': 0, 'failed': 0}
KEEP_SIGNALS = False  # a daemon that inherits what we ignore


def check(name, good, detail=''):
    """One check; failures are said, the others only counted."""
    counts['passed' if good else 'failed'] += 1
    if not good:
        print(f'FAIL: {name}: {str(detail)[:600]}', flush=True)
    return bool(good)


def finish():
    print(f"{counts['passed']} passed, {counts['failed']} failed", flush=True)
    sys.exit(1 if counts['failed'] else 0)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def type(self):
        return (self.headers.get('Content-Type') or '').split(';')[0]

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f'{self.status} {self.type} {self.body[:300]!r}'


class Daemon:
    def __init__(self, build, radio, *flags, webui=None, data=None):
        self.build = build
        self.folder = tempfile.mkdtemp(prefix='meshmason-api-')
        self.data = data or os.path.join(self.folder, 'data')
        self.radio, self.flags, self.webui = radio, list(flags), webui
        self.process = None
        self.start()

    def start(self):
        command = [os.path.join(self.build, 'meshmasond'), '--data', self.data, '--listen', '127.0.0.1:0',
                   '--radio', self.radio, *self.flags]
        if self.webui:
            command += ['--webui', self.webui]
        self.log = open(os.path.join(self.folder, 'log'), 'ab')
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        restore_signals=not KEEP_SIGNALS)
        self.link = None
        for line in self.process.stdout:
            found = re.match(r'(listening|dashboard): (\S+)', line)
            if found and found.group(1) == 'listening':
                self.url = found.group(2)
                if os.path.exists(os.path.join(self.data, 'meshmason.db')) and self.had_user():
                    break
            elif found and '#link=' in found.group(2):
                self.link = found.group(2).split('#link=')[1]
                break
        else:
            raise SystemExit(open(self.log.name).read() + '\nthe daemon did not start')
        self.host, self.port = re.match(r'https?://([^:]+):(\d+)', self.url).groups()
        self.token = open(os.path.join(self.data, 'admin-token')).read().strip()

    def had_user(self):
        """After the first admin there is no link to wait for; our tests then say so."""
        return getattr(self, 'user_made', False)

    def connection(self, timeout=60):
        if self.url.startswith('https'):
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return http.client.HTTPSConnection(self.host, int(self.port), timeout=timeout, context=context)
        return http.client.HTTPConnection(self.host, int(self.port), timeout=timeout)

    def call(self, method, path, body=None, headers=None, token=True, prefix='/api/v1'):
        """body: octets, text, or something that becomes JSON. token: True for the admin's."""
        headers = dict(headers or {})
        if isinstance(body, str):
            body = body.encode()
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault('Content-Type', 'application/json')
        if token:
            headers.setdefault('Authorization', 'Bearer ' + (self.token if token is True else token))
        connection = self.connection()
        began = time.time()
        try:
            connection.putrequest(method, prefix + path, skip_accept_encoding=True)
            if body is not None and 'Transfer-Encoding' not in headers:
                headers.setdefault('Content-Length', str(len(body)))
            for name, value in headers.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders()
            try:
                if body:
                    connection.send(body)
            except (BrokenPipeError, ConnectionResetError):
                pass
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
            if os.environ.get('MESHMASON_TEST_SLOW') and time.time() - began > 0.5:
                print(f'{time.time() - began:.1f} s: {method} {path[:80]} {str(headers)[:100]}', flush=True)

    def get(self, path, **more):
        return self.call('GET', path, **more)

    def stop(self, how=signal.SIGTERM):
        """Its exit status; the folder stays."""
        self.process.send_signal(how)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return 'had to be killed'

    def end(self):
        if self.process.poll() is None:
            self.stop()
        errors = open(self.log.name).read()
        check('the daemon says nothing of a sanitizer', 'Sanitizer' not in errors and 'runtime error' not in errors,
              errors[-2000:])
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_job(self, job, seconds=120):
        until = time.time() + seconds
        while time.time() < until:
            found = self.get(f'/jobs/{job}').json()
            if found['ended_at']:
                return found
            time.sleep(0.1)
        raise SystemExit(f'job {job} does not end: {found}')


# ---- the schemas of the document: as much of JSON Schema as it uses ----

TYPES = {'object': dict, 'array': list, 'string': str, 'integer': int, 'boolean': bool, 'null': type(None)}


def is_type(value, name):
    if name in ('integer', 'number') and isinstance(value, bool):
        return False
    if name == 'number':
        return isinstance(value, (int, float))
    return isinstance(value, TYPES[name])


def resolve(schema):
    while '$ref' in schema:
        target = DOCUMENT
        for part in schema['$ref'][2:].split('/'):
            target = target[part]
        schema = target
    return schema


def wrong(value, schema, where='$'):
    """What is wrong with value, as a list of sentences."""
    schema = resolve(schema)
    found = []
    if 'oneOf' in schema:
        fits = [one for one in schema['oneOf'] if not wrong(value, one, where)]
        if len(fits) != 1:
            found.append(f'{where}: fits {len(fits)} of its forms: {value!r}')
    if 'type' in schema:
        names = schema['type'] if isinstance(schema['type'], list) else [schema['type']]
        if not any(is_type(value, name) for name in names):
            return [f'{where}: {value!r} is no {names}']
    if 'enum' in schema and value not in schema['enum']:
        found.append(f'{where}: {value!r} is not one of {schema["enum"]}')
    if isinstance(value, str):
        if 'pattern' in schema and not re.search(schema['pattern'], value):
            found.append(f'{where}: {value!r} does not match {schema["pattern"]}')
        if not schema.get('minLength', 0) <= len(value) <= schema.get('maxLength', 1 << 30):
            found.append(f'{where}: length of {value!r}')
        if schema.get('format') == 'date-time' and not re.match(
                r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$', value):
            found.append(f'{where}: {value!r} is no time')
    if isinstance(value, int) and not isinstance(value, bool):
        if not schema.get('minimum', value) <= value <= schema.get('maximum', value):
            found.append(f'{where}: {value} is out of range')
    if isinstance(value, list) and 'items' in schema:
        for i, one in enumerate(value):
            found += wrong(one, schema['items'], f'{where}[{i}]')
    if isinstance(value, dict):
        properties = schema.get('properties', {})
        found += [f'{where}.{name} is missing' for name in schema.get('required', []) if name not in value]
        for name, one in value.items():
            if name in properties:
                found += wrong(one, properties[name], f'{where}.{name}')
            elif schema.get('additionalProperties') is False:
                found.append(f'{where}.{name} is not in the contract')
            elif isinstance(schema.get('additionalProperties'), dict):
                found += wrong(one, schema['additionalProperties'], f'{where}.{name}')
    return found


def operations():
    """(path, method, operation, path parameters) of the whole document."""
    for path, item in DOCUMENT['paths'].items():
        for method in ('get', 'post', 'patch', 'delete'):
            if method in item:
                yield path, method.upper(), item[method], item.get('parameters', [])


def check_answer(name, answer, operation):
    """Status, type and body are those that the document promises."""
    promised = operation['responses'].get(str(answer.status))
    if not check(f'{name}: status is in the document', promised, answer):
        return False
    promised = resolve(promised)
    content = promised.get('content')
    if not content:
        return check(f'{name}: no body', not answer.body, answer)
    if not check(f'{name}: type', answer.type in content, answer):
        return False
    if answer.type in ('application/json', 'application/problem+json'):
        return check(f'{name}: body', not wrong(answer.json(), content[answer.type]['schema']),
                     wrong(answer.json(), content[answer.type]['schema']))
    return True


def check_problem(name, answer, status=None, code=None, field=None):
    """A 4xx problem document, as the contract has it."""
    if not check(f'{name}: a problem document', 400 <= answer.status < 500 and
                 answer.type == 'application/problem+json', answer):
        return False
    found = answer.json()
    bad = wrong(found, {'$ref': '#/components/schemas/Problem'})
    good = check(f'{name}: as in the contract', not bad and found['status'] == answer.status, bad or found)
    if status is not None:
        wanted = status if isinstance(status, tuple) else (status,)
        good &= check(f'{name}: status {status}', answer.status in wanted, answer)
    if code is not None:
        good &= check(f'{name}: code {code}', found['code'] == code, found)
    if field is not None:
        good &= check(f'{name}: field {field}', found.get('field') == field, found)
    return good
