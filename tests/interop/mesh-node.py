#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A mesh application for bluetooth-meshd, driven by lines of JSON.

Makes one daemon (on one D-Bus bus) either a device that waits to be
provisioned, or the creator (provisioner) of a network:

  mesh-node.py --bus unix:path=/run/lab/0/bus --uuid 00112233445566778899aabbccddeeff \
               --role join|create|import [--elements 0000,0002,1000;1000] ...

Every daemon of BlueZ >= 5.65 or so adds Configuration Server (0000) to the
primary element itself, and 5.66-after (5.82 does) also adds Private Beacon
Server (0008) and Remote Provisioning Server (0004); a creator also gets
Remote Provisioning Client (0005).

Standard output: one JSON object a line, each with "ev" and "t" (seconds since
start): ready, join-started, joined, attached, scan, add-complete, add-failed,
devkey-msg, msg, model-config, prompt, display, reply, error, ...

Standard input: one JSON object a line, {"cmd": ..., ...}; each is answered by
{"ev":"reply","cmd":...,...} or {"ev":"error",...}:
  scan      seconds [server] [filter] [extended]   scan-cancel
  add       uuid [server]          reprov     unicast [nppi]
  devkey    dst data [remote] [net]               (access payload, hex)
  send      dst app data [element]                (access payload, hex)
  publish   model data [element]
  add-netkey dst subnet net        add-appkey dst app net
  create-subnet net   create-appkey net app       import-appkey net app key
  import-node unicast count key    export-keys
  props     answer value           join    leave  quit
Numbers may be JSON numbers or "0x.." strings.
"""
import argparse, json, sys, time
import dbus, dbus.service, dbus.bus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

T0 = time.monotonic()
SVC = 'org.bluez.mesh'
I = SVC + '.'
ROOT = '/interop'
PROPS = 'org.freedesktop.DBus.Properties'
OM = 'org.freedesktop.DBus.ObjectManager'


def emit(ev, **kw):
    print(json.dumps(dict(ev=ev, t=round(time.monotonic() - T0, 3), **kw)), flush=True)


def num(v):
    return int(v, 0) if isinstance(v, str) else int(v)


def plain(v):
    """dbus value -> JSON value (byte arrays as hex)"""
    if isinstance(v, dbus.Boolean):
        return bool(v)
    if isinstance(v, (dbus.ByteArray, bytes)):
        return bytes(v).hex()
    if isinstance(v, dbus.Array) and v.signature == 'y':
        return bytes(v).hex()
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if isinstance(v, dict):
        return {str(plain(k)): plain(x) for k, x in v.items()}
    if isinstance(v, int):
        return int(v)
    return str(v)


def ay(hexs):
    return dbus.Array([dbus.Byte(b) for b in bytes.fromhex(hexs)], signature='y')


class Obj(dbus.service.Object):
    def __init__(self, bus, path, iface, props):
        super().__init__(bus, path)
        self.path, self.iface, self.props = path, iface, props

    def managed(self):
        return {i: dbus.Dictionary(p, signature='sv') for i, p in self.ifaces().items()}

    def ifaces(self):
        return {self.iface: self.props}

    @dbus.service.method(PROPS, in_signature='s', out_signature='a{sv}')
    def GetAll(self, iface):
        return dbus.Dictionary(self.ifaces().get(iface, {}), signature='sv')

    @dbus.service.method(PROPS, in_signature='ss', out_signature='v')
    def Get(self, iface, name):
        return self.ifaces()[iface][name]


class Application(Obj):
    def __init__(self, app):
        a = app.args
        super().__init__(app.bus, ROOT + '/application', I + 'Application1', {
            'CompanyID': dbus.UInt16(a.cid), 'ProductID': dbus.UInt16(a.pid),
            'VersionID': dbus.UInt16(a.vid), 'CRPL': dbus.UInt16(a.crpl)})
        self.app = app

    def ifaces(self):
        d = {self.iface: self.props, I + 'Attention1': {}}
        if self.app.args.role != 'join' or self.app.args.provisioner:
            d[I + 'Provisioner1'] = {}
        return d

    @dbus.service.method(I + 'Application1', in_signature='t')
    def JoinComplete(self, token):
        self.app.token = int(token)
        emit('joined', token='%016x' % int(token))
        self.app.save()
        GLib.idle_add(self.app.attach)

    @dbus.service.method(I + 'Application1', in_signature='s')
    def JoinFailed(self, reason):
        emit('join-failed', reason=str(reason))
        if self.app.args.rejoin:
            GLib.timeout_add(200, self.app.join)

    @dbus.service.method(I + 'Attention1', in_signature='yq')
    def SetTimer(self, element, seconds):
        emit('attention', element=int(element), seconds=int(seconds))

    @dbus.service.method(I + 'Attention1', in_signature='q', out_signature='q')
    def GetTimer(self, element):
        return 0

    # what a provisioner is told
    @dbus.service.method(I + 'Provisioner1', in_signature='naya{sv}')
    def ScanResult(self, rssi, data, options):
        b = bytes(data)
        emit('scan', rssi=int(rssi), uuid=b[:16].hex(), rest=b[16:].hex(), **{k.lower(): plain(v) for k, v in options.items()})

    @dbus.service.method(I + 'Provisioner1', in_signature='y', out_signature='qq')
    def RequestProvData(self, count):
        uni = self.app.next_unicast
        self.app.next_unicast += int(count)
        emit('prov-data', count=int(count), unicast=uni)
        return dbus.UInt16(self.app.args.net), dbus.UInt16(uni)

    @dbus.service.method(I + 'Provisioner1', in_signature='qy', out_signature='q')
    def RequestReprovData(self, original, count):
        uni = self.app.next_unicast
        self.app.next_unicast += int(count)
        emit('reprov-data', original=int(original), count=int(count), unicast=uni)
        return dbus.UInt16(uni)

    @dbus.service.method(I + 'Provisioner1', in_signature='ayqy')
    def AddNodeComplete(self, uuid, unicast, count):
        emit('add-complete', uuid=bytes(uuid).hex(), unicast=int(unicast), count=int(count))

    @dbus.service.method(I + 'Provisioner1', in_signature='ays')
    def AddNodeFailed(self, uuid, reason):
        emit('add-failed', uuid=bytes(uuid).hex(), reason=str(reason))

    @dbus.service.method(I + 'Provisioner1', in_signature='qyqy')
    def ReprovComplete(self, original, nppi, unicast, count):
        emit('reprov-complete', original=int(original), nppi=int(nppi), unicast=int(unicast), count=int(count))

    @dbus.service.method(I + 'Provisioner1', in_signature='qs')
    def ReprovFailed(self, unicast, reason):
        emit('reprov-failed', unicast=int(unicast), reason=str(reason))


class Agent(Obj):
    def __init__(self, app):
        a = app.args
        props = {'Capabilities': dbus.Array(a.caps, signature='s')}
        if a.oob_info:
            props['OutOfBandInfo'] = dbus.Array(a.oob_info, signature='s')
        if a.uri:
            props['URI'] = dbus.String(a.uri)
        super().__init__(app.bus, ROOT + '/agent', I + 'ProvisionAgent1', props)
        self.app = app

    def ask(self, kind, what, ok, err):
        emit('prompt', kind=kind, type=str(what))
        self.app.pending = (kind, ok, err)

    @dbus.service.method(I + 'ProvisionAgent1', in_signature='', out_signature='ay')
    def PrivateKey(self):
        emit('display', type='private-key')
        return ay(self.app.args.private_key)

    @dbus.service.method(I + 'ProvisionAgent1', in_signature='', out_signature='ay', async_callbacks=('ok', 'err'))
    def PublicKey(self, ok, err):
        self.ask('bytes', 'public-key', ok, err)

    @dbus.service.method(I + 'ProvisionAgent1', in_signature='s')
    def DisplayString(self, value):
        emit('display', type='string', value=str(value))

    @dbus.service.method(I + 'ProvisionAgent1', in_signature='su')
    def DisplayNumeric(self, type, number):
        emit('display', type=str(type), value=int(number))

    @dbus.service.method(I + 'ProvisionAgent1', in_signature='s', out_signature='u', async_callbacks=('ok', 'err'))
    def PromptNumeric(self, type, ok, err):
        self.ask('number', type, ok, err)

    @dbus.service.method(I + 'ProvisionAgent1', in_signature='s', out_signature='ay', async_callbacks=('ok', 'err'))
    def PromptStatic(self, type, ok, err):
        if str(type) == 'static-oob' and self.app.args.static_oob:
            emit('display', type='static-oob')
            return ok(ay(self.app.args.static_oob))
        self.ask('bytes', type, ok, err)

    @dbus.service.method(I + 'ProvisionAgent1', in_signature='')
    def Cancel(self):
        emit('agent-cancel')


class Element(Obj):
    def __init__(self, app, index, models, location):
        sig = [m for m in models if len(m) == 4]
        ven = [m for m in models if len(m) == 8]
        none = dbus.Dictionary({}, signature='sv')
        super().__init__(app.bus, '%s/ele%02x' % (ROOT, index), I + 'Element1', {
            'Index': dbus.Byte(index), 'Location': dbus.UInt16(location),
            'Models': dbus.Array([(dbus.UInt16(int(m, 16)), none) for m in sig], signature='(qa{sv})'),
            'VendorModels': dbus.Array([(dbus.UInt16(int(m[:4], 16)), dbus.UInt16(int(m[4:], 16)), none)
                                        for m in ven], signature='(qqa{sv})')})
        self.app, self.index, self.models, self.onoff = app, index, models, 0

    @dbus.service.method(I + 'Element1', in_signature='qqvay')
    def MessageReceived(self, source, key, dest, data):
        b = bytes(data)
        emit('msg', element=self.index, src=int(source), app=int(key), dst=plain(dest), data=b.hex())
        if '1000' in self.models and b[:2] in (b'\x82\x01', b'\x82\x02', b'\x82\x03'):
            if b[1] != 1 and len(b) > 2:        # Generic OnOff Set / Set Unacknowledged
                self.onoff = b[2]
                emit('onoff', element=self.index, value=self.onoff)
            if b[1] != 3:
                GLib.idle_add(self.app.call, 'onoff-status', self.app.node, 'Send', dbus.ObjectPath(self.path),
                              dbus.UInt16(source), dbus.UInt16(key), self.app.noopts(),
                              ay('8204%02x' % self.onoff))

    @dbus.service.method(I + 'Element1', in_signature='qbqay')
    def DevKeyMessageReceived(self, source, remote, net, data):
        emit('devkey-msg', element=self.index, src=int(source), remote=bool(remote), net=int(net),
             data=bytes(data).hex())

    @dbus.service.method(I + 'Element1', in_signature='qa{sv}')
    def UpdateModelConfiguration(self, model, config):
        emit('model-config', element=self.index, model='%04x' % int(model), config=plain(config))


class App(dbus.service.Object):
    def __init__(self, bus, args):
        super().__init__(bus, ROOT)
        self.bus, self.args, self.token, self.pending = bus, args, None, None
        self.node = self.mgmt = None
        self.next_unicast = args.first_unicast
        self.objs = [Application(self), Agent(self)]
        self.elements = [Element(self, n, [m for m in e.split(',') if m], args.location)
                         for n, e in enumerate(args.elements.split(';'))]
        self.objs += self.elements
        self.net = dbus.Interface(bus.get_object(SVC, '/org/bluez/mesh', introspect=False), I + 'Network1')

    @dbus.service.method(OM, in_signature='', out_signature='a{oa{sa{sv}}}')
    def GetManagedObjects(self):
        return {dbus.ObjectPath(o.path): o.managed() for o in self.objs}

    @staticmethod
    def noopts(**kw):
        return dbus.Dictionary(kw, signature='sv')

    def save(self):
        if self.args.state:
            with open(self.args.state, 'w') as f:
                json.dump({'token': '%016x' % self.token}, f)

    def call(self, cmd, iface, method, *a):
        getattr(iface, method)(*a, timeout=90,
                               reply_handler=lambda *r: emit('reply', cmd=cmd, value=plain(list(r))),
                               error_handler=lambda e: emit('error', cmd=cmd, name=e.get_dbus_name(),
                                                            text=e.get_dbus_message()))

    def start(self):
        emit('ready')
        if self.args.state:
            try:
                with open(self.args.state) as f:
                    self.token = int(json.load(f)['token'], 16)
                return self.attach()
            except FileNotFoundError:
                pass
        self.join()

    def join(self):
        uuid = ay(self.args.uuid)
        if self.args.role == 'join':
            self.call('join', self.net, 'Join', dbus.ObjectPath(ROOT), uuid)
        elif self.args.role == 'create':
            self.call('create', self.net, 'CreateNetwork', dbus.ObjectPath(ROOT), uuid)
        else:
            self.call('import', self.net, 'Import', dbus.ObjectPath(ROOT), uuid, ay(self.args.dev_key), ay(self.args.net_key),
                      dbus.UInt16(self.args.net), self.noopts(), dbus.UInt32(self.args.iv_index),
                      dbus.UInt16(self.args.unicast))
        return False

    def attach(self):
        def ok(path, conf):
            o = self.bus.get_object(SVC, path, introspect=False)
            self.node = dbus.Interface(o, I + 'Node1')
            self.mgmt = dbus.Interface(o, I + 'Management1')
            self.props = dbus.Interface(o, PROPS)
            emit('attached', node=str(path), config=plain(conf),
                 addresses=plain(self.props.Get(I + 'Node1', 'Addresses')))

        self.net.Attach(dbus.ObjectPath(ROOT), dbus.UInt64(self.token), reply_handler=ok,
                        error_handler=lambda e: emit('error', cmd='attach', name=e.get_dbus_name(),
                                                     text=e.get_dbus_message()))
        return False

    def command(self, c):
        cmd = c['cmd']
        q = lambda k, d=None: dbus.UInt16(num(c.get(k, d)))
        ele = dbus.ObjectPath('%s/ele%02x' % (ROOT, num(c.get('element', 0))))
        if cmd == 'quit':
            loop.quit()
        elif cmd == 'scan':
            o = self.noopts()
            if 'seconds' in c:
                o['Seconds'] = q('seconds')
            if 'server' in c:
                o['Server'] = q('server')
            if 'filter' in c:
                o['Filter'] = ay(c['filter'])
            if 'extended' in c:
                o['Extended'] = ay(c['extended'])
            self.call(cmd, self.mgmt, 'UnprovisionedScan', o)
        elif cmd == 'scan-cancel':
            self.call(cmd, self.mgmt, 'UnprovisionedScanCancel')
        elif cmd == 'add':
            o = self.noopts()
            if 'server' in c:
                o['Server'] = q('server')
            self.call(cmd, self.mgmt, 'AddNode', ay(c['uuid']), o)
        elif cmd == 'reprov':
            self.call(cmd, self.mgmt, 'Reprovision', q('unicast'), self.noopts(NPPI=dbus.Byte(num(c.get('nppi', 0)))))
        elif cmd == 'devkey':
            self.call(cmd, self.node, 'DevKeySend', ele, q('dst'), dbus.Boolean(c.get('remote', True)),
                      q('net', 0), self.noopts(), ay(c['data']))
        elif cmd == 'send':
            self.call(cmd, self.node, 'Send', ele, q('dst'), q('app'), self.noopts(), ay(c['data']))
        elif cmd == 'publish':
            self.call(cmd, self.node, 'Publish', ele, q('model'), self.noopts(), ay(c['data']))
        elif cmd == 'add-netkey':
            self.call(cmd, self.node, 'AddNetKey', ele, q('dst'), q('subnet'), q('net', 0), dbus.Boolean(False))
        elif cmd == 'add-appkey':
            self.call(cmd, self.node, 'AddAppKey', ele, q('dst'), q('app'), q('net', 0), dbus.Boolean(False))
        elif cmd == 'create-subnet':
            self.call(cmd, self.mgmt, 'CreateSubnet', q('net'))
        elif cmd == 'create-appkey':
            self.call(cmd, self.mgmt, 'CreateAppKey', q('net', 0), q('app'))
        elif cmd == 'import-appkey':
            self.call(cmd, self.mgmt, 'ImportAppKey', q('net', 0), q('app'), ay(c['key']))
        elif cmd == 'import-node':
            self.call(cmd, self.mgmt, 'ImportRemoteNode', q('unicast'), dbus.Byte(num(c['count'])), ay(c['key']))
        elif cmd == 'export-keys':
            self.call(cmd, self.mgmt, 'ExportKeys')
        elif cmd == 'props':
            emit('reply', cmd=cmd, value=plain(self.props.GetAll(I + 'Node1')))
        elif cmd == 'answer':
            kind, ok, _ = self.pending
            ok(dbus.UInt32(num(c['value'])) if kind == 'number' else ay(c['value']))
        elif cmd == 'join':
            self.join()
        elif cmd == 'leave':
            self.call(cmd, self.net, 'Leave', dbus.UInt64(self.token))
        elif cmd == 'cancel':
            self.call(cmd, self.net, 'Cancel')
        else:
            emit('error', cmd=cmd, text='unknown command')


def on_stdin(fd, cond, app):
    line = sys.stdin.readline()
    if not line:                # closed: go on until killed
        return False
    if line.strip():
        try:
            app.command(json.loads(line))
        except Exception as e:  # a bad command must not end the node
            emit('error', text='%s: %s' % (type(e).__name__, e), line=line.strip())
    return True


p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
n = lambda s: int(s, 0)
p.add_argument('--bus', help='D-Bus address (default: the system bus)')
p.add_argument('--uuid', required=True, help='32 hex digits; meshd wants an RFC 4122 version and variant for Join')
p.add_argument('--role', choices=('join', 'create', 'import'), default='join')
p.add_argument('--provisioner', action='store_true', help='offer Provisioner1 with --role join, too')
p.add_argument('--elements', default='0000,0002,1000', help='models (4 or 8 hex digits) by comma, elements by ;')
p.add_argument('--location', type=n, default=0)
p.add_argument('--cid', type=n, default=0x05f1)
p.add_argument('--pid', type=n, default=1)
p.add_argument('--vid', type=n, default=1)
p.add_argument('--crpl', type=n, default=0x7fff)
p.add_argument('--caps', nargs='*', default=[], help='agent Capabilities, such as static-oob out-numeric in-numeric')
p.add_argument('--oob-info', nargs='*', default=[])
p.add_argument('--uri')
p.add_argument('--static-oob', help='32 hex digits')
p.add_argument('--private-key', help='64 hex digits (public-oob, device side)')
p.add_argument('--net', type=n, default=0)
p.add_argument('--first-unicast', type=n, default=0x0010, help='first address a creator hands out')
p.add_argument('--net-key'), p.add_argument('--dev-key')
p.add_argument('--iv-index', type=n, default=0), p.add_argument('--unicast', type=n, default=1)
p.add_argument('--state', help='file that keeps the token: attach rather than join when it exists')
p.add_argument('--rejoin', action='store_true', help='Join again when provisioning fails')
args = p.parse_args()

DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(args.bus) if args.bus else dbus.SystemBus()
for _ in range(300):            # wait for the daemon's name: it owns it before it is ready
    if bus.name_has_owner(SVC):
        break
    time.sleep(0.1)
app = App(bus, args)
loop = GLib.MainLoop()
GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, on_stdin, app)
GLib.idle_add(lambda: app.start() and False)
loop.run()
