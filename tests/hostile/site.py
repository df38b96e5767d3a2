# SPDX-License-Identifier: Apache-2.0
"""A maker's site, good or malicious: the certificates of FILE.certs over HTTPS, on loopback.

Runs by itself as well, for a building made with uri=... uri_base=https://127.0.0.1:PORT/:

    site.py FILE.certs PORT SITE.pem SITE.key
"""
import glob
import os
import socket
import ssl
import sys
import threading
import time
import urllib.parse

PKIX = 'application/pkix-cert'


def read(path):
    with open(path, 'rb') as f:
        return f.read()


class Site:
    """mood says what it does with a request; see answer()."""

    def __init__(self, folder, pem, key, port=0, mood='good', tls=True):
        self.folder, self.mood, self.tls = folder, mood, tls
        self.asked, self.stopping = [], False
        self.connections = 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem, key)
        self.listener = socket.create_server(('127.0.0.1', port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def stop(self):
        self.stopping = True
        self.listener.close()

    def accept(self):
        while not self.stopping:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def hang(self, seconds=30):
        until = time.time() + seconds
        while time.time() < until and not self.stopping:
            time.sleep(0.1)

    def serve(self, connection):
        try:
            connection.settimeout(30)
            if self.mood == 'hang in handshake':
                self.hang()
                return
            if self.mood == 'drops in handshake':
                connection.recv(100)
                return
            if not self.tls:
                connection.recv(100)
                connection.sendall(b'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
            else:
                connection = self.context.wrap_socket(connection, server_side=True)
                self.converse(connection)
        except (OSError, ssl.SSLError):
            pass
        finally:
            connection.close()

    def converse(self, connection):
        data = b''
        while True:
            while b'\r\n\r\n' not in data:
                more = connection.recv(4096)
                if not more:
                    return
                data += more
            request, data = data.split(b'\r\n\r\n', 1)
            line = request.split(b'\r\n')[0].decode()
            self.asked.append(line)
            uuid = urllib.parse.parse_qs(urllib.parse.urlsplit(line.split(' ')[1]).query).get('uuid', ['?'])[0]
            if not self.answer(connection, uuid):
                return

    def reply(self, connection, body, kind=PKIX, status='200 OK', more=''):
        connection.sendall(f'HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n'
                           .encode() + body)
        return True

    def parts(self, *ders, kind=PKIX, end='--cut--\r\n'):
        body = b'preamble\r\n'
        for one in ders:
            body += f'\r\n--cut\r\nContent-Type: {kind}\r\n\r\n'.encode() + one
        return body + b'\r\n' + end.encode()

    def chain(self, uuid):
        return [read(path) for path in sorted(glob.glob(os.path.join(self.folder, f'{uuid}.*.der')))]

    def answer(self, connection, uuid):
        """True: the connection goes on."""
        chain, mood, mixed = self.chain(uuid), self.mood, 'multipart/mixed; boundary=cut'
        if not chain:
            return self.reply(connection, b'', status='404 Not Found')
        whole = self.parts(*reversed(chain))
        if mood == 'good':
            return self.reply(connection, whole, mixed)
        if mood == 'single':
            return self.reply(connection, chain[0])
        if mood in ('301', '302', '307'):
            where = f'https://127.0.0.1:{self.port}/elsewhere?uuid={uuid}'
            return self.reply(connection, b'', status=mood + ' Moved', more=f'Location: {where}\r\n')
        if mood in ('404', '405', '410', '500', '501', '503'):
            return self.reply(connection, whole, mixed, status=mood + ' No')
        if mood == 'wrong type':
            return self.reply(connection, whole, 'text/html')
        if mood == 'no type':
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(whole) + whole)
            return True
        if mood == 'no boundary':
            return self.reply(connection, whole, 'multipart/mixed')
        if mood == 'wrong part':
            return self.reply(connection, self.parts(*chain, kind='text/plain'), mixed)
        if mood == 'no last part':
            return self.reply(connection, self.parts(*chain, end=''), mixed)
        if mood == 'garbage':
            return self.reply(connection, os.urandom(900))
        if mood == 'garbage part':
            return self.reply(connection, self.parts(chain[0], os.urandom(300)), mixed)
        if mood == 'trailing':
            return self.reply(connection, chain[0] + b'\0')
        if mood == 'empty':
            return self.reply(connection, b'')
        if mood == 'two devices':
            return self.reply(connection, self.parts(chain[0], *chain), mixed)
        if mood == 'many':
            return self.reply(connection, self.parts(*chain * 12), mixed)
        if mood == 'too large':
            return self.reply(connection, b'x' * 70000)
        if mood == 'endless':
            connection.sendall(f'HTTP/1.1 200 OK\r\nContent-Type: {PKIX}\r\n\r\n'.encode())
            while not self.stopping:
                connection.sendall(b'x' * 4096)
        if mood == 'endless headers':
            connection.sendall(b'HTTP/1.1 200 OK\r\n')
            while not self.stopping:
                connection.sendall(b'X-More: ' + b'x' * 1000 + b'\r\n')
        if mood == 'slow':
            connection.sendall(f'HTTP/1.1 200 OK\r\nContent-Type: {PKIX}\r\nContent-Length: 900\r\n\r\n'.encode())
            while not self.stopping:
                connection.sendall(b'x')
                time.sleep(0.5)
        if mood == 'silent':
            self.hang()
        if mood == 'drops':
            connection.sendall(f'HTTP/1.1 200 OK\r\nContent-Type: {PKIX}\r\nContent-Length: 900\r\n\r\n0'.encode())
        if mood == 'no HTTP':
            connection.sendall(b'SSH-2.0-hello\r\n\r\n')
        return False


def main():
    folder, port, pem, key = sys.argv[1:]
    site = Site(folder, pem, key, port=int(port))
    print(f'https://127.0.0.1:{site.port}/', flush=True)
    while True:
        time.sleep(3600)


if __name__ == '__main__':
    main()
