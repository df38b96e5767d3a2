#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Somebody walks through a building and authenticates its devices: reads what they show, enters what
is wanted at them. The daemon, its client and the building are the real programs.

  oob.py BUILD_DIR
"""
import json
import os
import signal
import subprocess
import sys
import time

from daemon import DOCUMENT, Daemon, check, check_answer, check_problem, finish

BUILD = sys.argv[1]
BUILDING = os.path.join(BUILD, 'meshmason-building')
LIST = DOCUMENT['paths']['/oob']['get']
ANSWER = DOCUMENT['paths']['/oob/{task}']['post']
WRONG = {'numeric': ['', '12a45', '123456', '-1', ' 1', '999999999', 7, None, True, ['1']],
         'alphanumeric': ['', 'A?', '1234567', 'ä', 7, None],
         'count': ['', '0', 'x', '10', 7, None]}


def wait(what, seconds=90):
    until = time.time() + seconds
    while time.time() < until:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise SystemExit(f'line {sys._getframe(1).f_lineno}: this does not come')


class Installer:
    """Sees the devices, not the network."""

    def __init__(self, d):
        self.d, self.file, self.seen, self.methods = d, os.path.join(d.data, 'building', 'building.json'), {}, set()

    def devices(self, *flags):
        a = subprocess.run([BUILDING, 'show', self.file, *flags, '--json'], capture_output=True, text=True, check=True)
        return {one['uuid']: one for one in json.loads(a.stdout)['devices']}

    def display(self, prompt):
        return self.devices('--state')[prompt['uuid']]['display']

    def lit(self, prompt):
        state = self.devices('--state')[prompt['uuid']]
        return state if state['display'] or state['entry'] else None

    def press(self, uuid, value):
        return subprocess.run([BUILDING, 'press', self.file, uuid, value], capture_output=True, text=True)

    def client(self, *words):
        return subprocess.run([os.path.join(BUILD, 'meshmason'), *words], capture_output=True, text=True,
                              env={'MESHMASON_URL': self.d.url, 'MESHMASON_TOKEN': self.d.token, 'LANG': 'C.UTF-8'})

    def prompts(self):
        a = self.d.get('/oob')
        check_answer('GET /oob', a, LIST)
        return a.json()['items']

    def some_prompt(self):
        return next(iter(self.prompts()), None)

    def task(self, prompt):
        tasks = self.d.get(f"/jobs/{prompt['job']}/tasks?limit=1000").json()['items']
        return next(t for t in tasks if t['id'] == prompt['task'])

    def look(self, prompt):
        """What the prompt says is what there is at the device."""
        made, state = self.devices()[prompt['uuid']], wait(lambda: self.lit(prompt))  # the keys may be on their way still
        self.methods.add((prompt['method'], prompt['type']))
        check('a prompt has the name of the list', prompt['name'] == made['name'] and prompt['area'] == made['area'], prompt)
        output = prompt['method'] == 'output-oob'
        check('the device shows something', (state['display'] is not None) == output, (prompt, state))
        check('or waits for something', (state['entry'] is not None) != output, (prompt, state))
        check('a value is there to be entered only', (prompt['value'] is None) == output, prompt)
        check('it is one of the device\'s ways', made['output_oob' if output else 'input_oob']['size'] >= prompt['size'], made)
        task = self.task(prompt)
        check('a task, which everybody sees, does not tell the value', task['prompt'] and task['prompt']['value'] is None, task)
        check('the task has the prompt', task['prompt'] and task['prompt']['task'] == prompt['task'] and
              task['step'] == 'prompt' and task['state'] == 'running', task)
        check('and says the method and why', task['method'] == prompt['method'] and task['method_reason'], task)

    def annoy(self, prompt):
        """What is no answer changes nothing."""
        path = f"/oob/{prompt['task']}"
        if prompt['method'] == 'output-oob':
            for value in WRONG[prompt['type']]:
                check_problem(f'value {value!r}', self.d.call('POST', path, body={'value': value}), 400, None, 'value')
        else:
            check_problem('a value for the device', self.d.call('POST', path, body={'value': '1'}), 400, None, 'value')
        for body in ({}, {'cancel': False}, {'value': '1', 'cancel': True}, {'done': True}, {'cancel': 'yes'}):
            check_problem(f'{body}', self.d.call('POST', path, body=body), 400)
        check('it still asks', any(p['task'] == prompt['task'] for p in self.prompts()), prompt)

    def answer(self, prompt, by_client=False, spoil=False):
        if prompt['method'] == 'input-oob':
            value = prompt['value'] if not spoil else wrong_of(prompt['value'])
            a = self.press(prompt['uuid'], value)
            check('entered at the device', a.returncode == 0, a)
            return value
        value = self.display(prompt)
        value = value if not spoil else wrong_of(value)
        if by_client:
            a = self.client('oob', 'answer', str(prompt['task']), value)
            check('oob answer', a.returncode == 0 and a.stdout.startswith('Task '), a)
        else:
            a = self.d.call('POST', f"/oob/{prompt['task']}", body={'value': value})
            check_answer('an answer is taken', a, ANSWER)
            check('with 202 and the task', a.status == 202 and a.json()['prompt'] is None, a)
            check_problem('once', self.d.call('POST', f"/oob/{prompt['task']}", body={'value': value}), 409, 'prompt_closed')
        return value

    def closed(self, prompt):
        def is_closed():
            return all(p['task'] != prompt['task'] for p in self.prompts())
        wait(is_closed)

    def walk(self, job, by_client=False):
        """Until the job has ended."""
        while not self.d.get(f'/jobs/{job}').json()['ended_at']:
            for prompt in self.prompts():
                self.look(prompt)
                self.answer(prompt, by_client)
                self.closed(prompt)
                by_client = not by_client
            time.sleep(0.05)
        return self.d.get(f'/jobs/{job}').json()


def wrong_of(value):
    return ('2' if value[0] == '1' else '1') + value[1:]


def imports(d, person):
    """Public keys come with the list, in JSON; only points of the curve."""
    first = next(iter(person.devices().values()))
    uuid, key = first['uuid'], first['public_key']
    rows = [(None, 'unchanged'), (key[:-2] + f'{int(key[-2:], 16) ^ 1:02x}', 'refused'), (key[:-2], 'refused'),
            ('zz' * 64, 'refused'), ('00' * 64, 'refused'), (key, 'changed'), (key.upper(), 'unchanged'), (None, 'changed'),
            (key, 'changed')]
    for value, outcome in rows:
        a = d.call('POST', '/devices/import', body={'devices': [{'uuid': uuid, 'oob_public_key': value}]})
        row = a.json()['rows'][0]
        check(f'oob_public_key {str(value)[:10]}', row['outcome'] == outcome, row)
        check('the field is named', outcome != 'refused' or row['field'] == 'oob_public_key', row)
    a = d.call('POST', '/devices/import', body='uuid,oob_public_key\n', headers={'Content-Type': 'text/csv'})
    check_problem('not in CSV', a, 400, 'unknown_field')
    return uuid


def real_time(d, person, prompt):
    """A person's seconds are seconds, whatever the simulation's speed."""
    def left():
        return next((p['seconds_left'] for p in person.prompts() if p['task'] == prompt['task']), 0)
    before, began = left(), time.time()
    wait(lambda: left() <= before - 3)
    took = time.time() - began
    check('seconds are seconds', 1.5 <= took <= 10, took)


def story(d, person):
    check('no prompt yet', person.prompts() == [])
    for path in ('/oob/1', '/oob/4711'):
        check_problem('nothing is asked', d.call('POST', path, body={'value': '1'}), 404, 'not_found')
    keyed = imports(d, person)
    a = d.call('POST', '/jobs', body={'kind': 'provision', 'targets': 'all-trusted', 'options': {'policy': 'output-oob'}})
    check('the job is taken', a.status == 202, a)
    job = a.json()['id']
    check('and has the policy', a.json()['options']['policy'] == 'output-oob', a)
    prompt = wait(person.some_prompt)
    person.look(prompt)
    person.annoy(prompt)
    real_time(d, person, prompt)
    a = person.client('oob', 'list')
    check('oob list', a.returncode == 0 and prompt['uuid'] in a.stdout, a)
    wait(lambda: len(person.prompts()) >= 2)
    first = d.get('/oob?limit=1').json()
    second = d.get(f"/oob?limit=1&cursor={first['next']}").json()
    check('prompts in pages', len(first['items']) == len(second['items']) == 1 and
          first['items'][0]['task'] < second['items'][0]['task'], (first, second))
    check('usage', person.client('oob', 'answer', 'x', '1').returncode == 2 and
          person.client('oob', 'frob').returncode == 2 and person.client('oob', 'answer', '1').returncode == 2)
    check('client: no such task', person.client('oob', 'answer', '4711', '1').returncode == 1)

    # a wrong value
    person.answer(prompt, spoil=True)
    person.closed(prompt)
    wait(lambda: person.task(prompt)['state'] == 'failed')
    task = person.task(prompt)
    check('a wrong value is told', task['error']['code'] == 'auth_failed' and 'did not match' in task['error']['message'], task)
    check_problem('too late', d.call('POST', f"/oob/{prompt['task']}", body={'value': '1'}), 409, 'prompt_closed')

    # given up
    prompt = wait(person.some_prompt)
    person.look(prompt)
    a = person.client('oob', 'give-up', str(prompt['task']))
    check('given up', a.returncode == 0, a)
    wait(lambda: person.task(prompt)['state'] == 'failed')
    check('and said so', person.task(prompt)['error']['code'] == 'cancelled', person.task(prompt))

    # the daemon dies with a prompt open; the building dies with it, and its displays go dark
    prompt = wait(person.some_prompt)
    shown = person.display(prompt) or prompt['value']
    d.process.send_signal(signal.SIGKILL)
    d.process.wait()
    check('without a building nothing is entered', person.press(prompt['uuid'], '1').returncode == 1)
    d.start()
    again = wait(lambda: next((p for p in person.prompts() if p['task'] == prompt['task']), None))
    person.look(again)
    check('another value is asked for', (person.display(again) or again['value']) != shown or again['type'] == 'count', again)

    ended = person.walk(job)
    check('the others have joined', ended['state'] == 'partial' and ended['counts']['failed'] == 2, ended)
    check('retry', d.call('POST', f'/jobs/{job}/retry').status == 202)
    ended = person.walk(job, by_client=True)
    check('now all have joined', ended['state'] == 'succeeded' and ended['counts']['succeeded'] == 6, ended)
    check('every sort was asked', len(person.methods) == 6, person.methods)
    check('nothing is asked any more', person.prompts() == [] and
          all(not s['display'] and not s['entry'] for s in person.devices('--state').values()))
    tasks = d.get(f'/jobs/{job}/tasks').json()['items']
    for task in tasks:
        check('the listed key was used', ('public key' in task['method_reason']) == (task['target'] == keyed), task)
    check('no device shows anything to be entered', person.press(keyed, '1').returncode == 1)
    check('a policy that is none', d.call('POST', '/jobs', body={'kind': 'provision', 'targets': 'all-trusted',
                                                                 'options': {'policy': 'any-oob'}}).status == 400)


def main():
    d = Daemon(BUILD, 'sim:devices=6,floors=1,spacing_m=3,cbp=0,oob_pubkey=100%,oob_prompt=6,seed=9', '--sim-speed', 'max')
    try:
        person = Installer(d)
        listed = open(os.path.join(d.data, 'building', 'devices.csv')).read()
        check('the list is taken', d.call('POST', '/devices/import', body=listed,
                                          headers={'Content-Type': 'text/csv'}).status == 200)
        d.user_made = True
        story(d, person)
    finally:
        d.end()
    finish()


if __name__ == '__main__':
    main()
