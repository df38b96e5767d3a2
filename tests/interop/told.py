# SPDX-License-Identifier: Apache-2.0
"""What every story of the suite needs: telling, and what counts as joined."""
import hashlib
import json

from lab import Failed

U = ['a0a0a0a0000040008000000000000001', 'b1b1b1b1000040008000000000000002',
     'c2c2c2c2000040008000000000000003', 'd3d3d3d3000040008000000000000004']
OOB = '00112233445566778899aabbccddeeff'


def dashed(uuid):
    return '-'.join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))


def key_id(key):
    return hashlib.sha256(b'meshmason device key id' + key).hexdigest()[:8]


class Told:
    """What one telling of a story found."""

    def __init__(self, story, says):
        self.story, self.says = story, says
        self.passed = self.failed = 0

    def check(self, good, what, detail=''):
        if good:
            self.passed += 1
        else:
            self.failed += 1
        self.says('%s: %s: %s%s' % ('ok' if good else 'FAIL', self.story, what,
                                    ' (%s)' % detail if detail and not good else ''))
        return good

    def need(self, good, what, detail=''):
        if not self.check(good, what, detail):
            raise Failed(what)
        return good


def models_of(node):
    return [[m['id'] for m in e['models']] for e in node['elements']]


def check_joined(t, server, peer, address, how):
    """Server and daemon say the same about the node; the daemon's own files are the witness."""
    node = server.get('/nodes/' + address)
    t.need(node, 'the server lists node ' + address)
    stored = peer.stored()
    t.check(node['uuid'] == dashed(peer.uuid), 'its uuid is the daemon\'s')
    t.check(int(stored['unicastAddress'], 16) == int(address, 16),
            'the daemon has the address that was given', stored['unicastAddress'])
    t.check(node['device_key_id'] == key_id(bytes.fromhex(stored['deviceKey'])),
            'both have the same device key')
    t.check(node['authentication'] == how, 'it joined by ' + how, node['authentication'])
    return node


def provision(t, server, peer, what, policy, by, limit=150, relay=False):
    """relay: not by default, for two relaying daemons of 5.82 in range of each other end each
    other (see README.md)."""
    job, tasks = server.job(limit, 'provision', [dashed(peer.uuid)], policy=policy, server=by,
                            relay=relay)
    t.need(job['state'] == 'succeeded' and len(tasks) == 1, what, json.dumps(job['counts']))
    t.check(tasks[0]['server'] == by, '%s: by server %s' % (what, by), str(tasks[0]['server']))
    t.need(peer.wait_ev(30, 'attached'), '%s: the daemon says so, too' % what)
    return tasks[0]['address']
