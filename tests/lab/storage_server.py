#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""storage_server.py FOLDER PORT [CERTIFICATE]: files over HTTP, or HTTPS; /redirect/N/NAME redirects N times, /file redirects to a file of
the host, /slow.iso sends a byte now and then and never ends."""
import http.server
import os
import ssl
import sys
import threading

FOLDER, PORT = sys.argv[1], int(sys.argv[2])
never = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    def to(self, where):
        self.send_response(302)
        self.send_header('Location', where)
        self.end_headers()

    def do_HEAD(self):
        self.do_GET(False)

    def do_GET(self, with_body=True):
        parts = self.path.strip('/').split('/')
        if parts[0] == 'redirect':
            n = int(parts[1])
            return self.to(f'/redirect/{n - 1}/{parts[2]}' if n > 1 else '/' + parts[2])
        if parts[0] == 'file':
            return self.to('file:///etc/passwd')
        if parts[0] == 'slow.iso':
            self.send_response(200)
            self.send_header('Content-Length', '1000000')
            self.end_headers()
            while True:
                self.wfile.write(b'x' * 1000)
                if never.wait(0.5):
                    return
        path = os.path.join(FOLDER, parts[0])
        if not os.path.isfile(path):
            return self.send_error(404)
        self.send_response(200)
        self.send_header('Content-Length', str(os.path.getsize(path)))
        self.send_header('Content-Type', 'application/octet-stream')
        self.end_headers()
        if with_body:
            with open(path, 'rb') as f:
                while block := f.read(1 << 20):
                    self.wfile.write(block)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(('', PORT), Handler)
server.daemon_threads = True
if len(sys.argv) > 3:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[3])
    server.socket = tls.wrap_socket(server.socket, server_side=True)
print('ready', flush=True)
server.serve_forever()
