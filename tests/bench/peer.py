# SPDX-License-Identifier: GPL-2.0-or-later
"""What Lodge is measured beside: one nginx worker, containers started by hand; and wrk, the client."""
import json
import os
import subprocess
import time

from measure import processes

NGINX_PORT = 8443
HERE = os.path.dirname(os.path.abspath(__file__))

NGINX_CONF = '''daemon off;
worker_processes 1;
pid {work}/nginx.pid;
error_log {work}/nginx.log;
events {{ worker_connections 256; }}
http {{
	access_log off;
	sendfile on;
	keepalive_requests 100000000;
	default_type application/json;
	client_body_temp_path {work}/nginx.body;
	proxy_temp_path {work}/nginx.proxy;
	fastcgi_temp_path {work}/nginx.fastcgi;
	uwsgi_temp_path {work}/nginx.uwsgi;
	scgi_temp_path {work}/nginx.scgi;
	server {{
		listen 127.0.0.1:{port} ssl;
		ssl_certificate {tls}/gate.pem;
		ssl_certificate_key {tls}/gate.key;
		ssl_protocols TLSv1.2 TLSv1.3;
		root {work}/www;
		location /put/ {{
			dav_methods PUT;
			client_max_body_size 0;
		}}
	}}
}}
'''


class Nginx:
    """One worker over TLS with the node's own certificate (ECDSA P-256)."""

    def __init__(self, node):
        self.work, self.tls = node.work, f'{node.state}/tls'
        self.www = f'{self.work}/www'

    def file(self, path, data):
        full = self.www + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'wb') as f:
            f.write(data)

    def __enter__(self):
        os.makedirs(self.www, exist_ok=True)
        conf = f'{self.work}/nginx.conf'
        with open(conf, 'w') as f:
            f.write(NGINX_CONF.format(work=self.work, tls=self.tls, port=NGINX_PORT))
        self.process = subprocess.Popen(['nginx', '-p', self.work, '-e', f'{self.work}/nginx.log', '-c', conf])
        while not self.workers():
            if self.process.poll() is not None:
                raise RuntimeError('nginx ended')
            time.sleep(0.02)
        return self

    def workers(self):
        return [p for p, (parent, text) in processes().items()
                if parent == self.process.pid and 'worker process' in text]

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def wrk(port, path, headers, connections, seconds):
    argv = ['wrk', '-t1', f'-c{connections}', f'-d{seconds}s', '--timeout', '20s', '-s', f'{HERE}/wrk.lua']
    for name, value in headers.items():
        argv += ['-H', f'{name}: {value}']
    out = subprocess.run(argv + [f'https://127.0.0.1:{port}{path}'], check=True, capture_output=True,
                         text=True).stdout
    result = json.loads(out.splitlines()[-1])
    if result['failed'] or not result['requests']:
        raise RuntimeError(f'wrk {path}: {result}')
    result['rate'] = result['requests'] / result['seconds']
    return result


BARE_CONF = '''lxc.include = /usr/share/lxc/config/common.conf
lxc.include = /usr/share/lxc/config/userns.conf
lxc.uts.name = {name}
lxc.rootfs.path = dir:{mount}
lxc.rootfs.options = idmap=container
lxc.idmap = u 0 100000 65536
lxc.idmap = g 0 100000 65536
lxc.apparmor.profile = unconfined
lxc.net.0.type = veth
lxc.net.0.link = vmbr0
lxc.net.0.flags = up
lxc.net.0.name = eth0
'''


class Bare:
    """A container as a person would start it: loop mount of a copy of the image, then lxc-start -d."""

    def __init__(self, work, name, image):
        self.name, self.path = name, f'{work}/bare'
        self.mount, self.image = f'{self.path}/{name}.root', f'{self.path}/{name}.raw'
        os.makedirs(self.mount, exist_ok=True)
        for folder in (work, self.path, self.mount):
            os.chmod(folder, 0o755)
        subprocess.run(['cp', '--sparse=always', image, self.image], check=True)
        os.makedirs(f'{self.path}/{name}', exist_ok=True)
        with open(f'{self.path}/{name}/config', 'w') as f:
            f.write(BARE_CONF.format(name=name, mount=self.mount))

    def start(self):
        subprocess.run(['mount', '-o', 'loop,nodev', self.image, self.mount], check=True)
        subprocess.run(['lxc-start', '-d', '-P', self.path, '-n', self.name, '-o', f'{self.path}/{self.name}.log',
                        '-l', 'ERROR'], check=True)

    def stop(self):
        subprocess.run(['lxc-stop', '-k', '-P', self.path, '-n', self.name], check=False)
        subprocess.run(['umount', self.mount], check=False)


def monitors(path):
    """Pids of liblxc's monitors of the containers below a folder."""
    return [p for p, (_, text) in processes().items() if text.startswith(f'[lxc monitor] {path} ')]


def template(kind):
    """Makes a template, or takes it from the cache."""
    script = os.path.join(HERE, '..', 'lab', 'make-template.sh')
    return subprocess.run([script, kind], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
