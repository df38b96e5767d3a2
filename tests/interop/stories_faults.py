# SPDX-License-Identifier: Apache-2.0
"""Our server commissions daemons, and one of the three dies while a link is open."""
import json

from lab import Peer, Server
from told import U, check_joined, dashed, provision


def begin(t, lab):
    """A daemon that serves, another that waits, and a job that has a link open through the first."""
    server = Server(lab)
    own = server.get('/status')['network']['address']
    first = Peer(lab, 'first', U[0], '--elements', '0000,0002,1000')
    second = Peer(lab, 'second', U[1], '--elements', '0000,0002,1000', '--rejoin')
    t.need(first.wait_ev(40, 'reply', cmd='join'), 'a daemon waits to be provisioned')
    by = provision(t, server, first, 'PB-ADV', 'none', own)
    t.need(second.wait_ev(40, 'reply', cmd='join'), 'a second daemon waits')
    return server, first, second, by


def open_link(t, server, second, by, **options):
    job = server.begin('provision', [dashed(second.uuid)], policy='none', server=by,
                       relay=False, **options)
    t.need(server.said('job=%d %s step=exchange server=%s' % (job, dashed(second.uuid), by[2:]), 60),
           'a link is open through the first')
    return job


def check_end(t, server, second, job, by, limit):
    ended, tasks = server.finish(job, limit)
    t.need(ended['state'] == 'succeeded', 'the job succeeds',
           json.dumps([ended['counts'], tasks[0]['error']]))
    t.check(tasks[0]['server'] == by, 'through the first')
    check_joined(t, server, second, tasks[0]['address'], 'none')


def tell_device_dies(t, lab):
    """The device's power is cut."""
    server, first, second, by = begin(t, lab)
    job = open_link(t, server, second, by, attempts=1)
    second.die()
    ended, tasks = server.finish(job, 120)
    code = (tasks[0]['error'] or {}).get('code')
    t.check(ended['state'] == 'failed' and code in ('link_lost', 'timeout'),
            'the task fails for a lost link', '%s %s' % (ended['state'], code))
    t.check(first.alive(), 'the daemon in between lives')
    second.revive(factory=True)
    t.need(second.wait_ev(40, 'reply', cmd='join'), 'the device is back')
    status, _ = server.call('POST', '/jobs/%d/retry' % job)
    t.need(status in (200, 202), 'the job is retried', str(status))
    check_end(t, server, second, job, by, 120)


def tell_server_dies(t, lab):
    """The power of the node in between is cut, and comes back."""
    server, first, second, by = begin(t, lab)
    job = open_link(t, server, second, by)
    first.die()
    t.need(server.said('server=%s is silent' % by[2:], 60), 'the server notices')
    t.check(server.get('/jobs/%d' % job)['state'] == 'running', 'and the job waits for it')
    first.revive()
    t.need(first.wait_ev(40, 'attached'), 'it is back')
    second.die()        # with its link: after a Join that timed out, it can join no more
    second.revive(factory=True)
    t.need(second.wait_ev(40, 'reply', cmd='join'), 'the device is switched off and on')
    check_end(t, server, second, job, by, 240)


def tell_restart(t, lab):
    """Our server is killed, and started again."""
    server, first, second, by = begin(t, lab)
    job = open_link(t, server, second, by)
    server.die()
    server.start()
    t.need(server.said('server=%s still has a link' % by[2:], 60), 'it finds its link, and closes it')
    check_end(t, server, second, job, by, 180)
    t.check(first.alive(), 'the daemon in between lives')
