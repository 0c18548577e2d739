# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirtd in the namespaces of a figure, and virtual machines of Lodge's and by hand."""
import os
import re
import shutil
import subprocess
import time
import uuid

from node import NAME

HERE = os.path.dirname(os.path.abspath(__file__))
OWN = ('/etc/libvirt', '/var/lib/libvirt', '/var/log/libvirt', '/var/cache/libvirt')


def virsh(*args):
    return subprocess.run(['virsh', '-q', *args], check=True, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL).stdout


class Libvirtd:
    """Emulates only: run.sh gave this figure a /dev without kvm, which libvirt would probe for a minute."""

    def __init__(self, work):
        self.work, self.daemons = work, []

    def _private(self, folder):
        own = f"{self.work}/{folder.strip('/').replace('/', '.')}"
        os.makedirs(own)
        for mode_of in (folder, own):  # guests run as a user of their own, who passes through
            os.makedirs(mode_of, exist_ok=True)
        os.chmod(own, 0o755)
        subprocess.run(['mount', '--bind', own, folder], check=True)

    def _write(self, path, text):
        with open(path, 'w') as f:
            f.write(text)

    def __enter__(self):
        for folder in OWN:
            self._private(folder)
        for folder in ('/etc/libvirt/qemu', '/var/lib/libvirt/qemu', '/var/log/libvirt/qemu'):
            os.makedirs(folder)
        self._write('/etc/libvirt/libvirtd.conf', f'host_uuid = "{uuid.uuid4()}"\nauth_unix_rw = "none"\n')
        self._write('/etc/libvirt/qemu.conf', 'security_driver = "none"\nnamespaces = []\nuser = "root"\n'
                    'group = "root"\ndynamic_ownership = 0\nremember_owner = 0\n')
        log = open(f'{self.work}/libvirtd.log', 'ab')
        for name in ('virtlogd', 'libvirtd'):
            self.daemons.append(subprocess.Popen([name], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                                 start_new_session=True))
        end = time.monotonic() + 30
        while subprocess.run(['virsh', '-q', 'capabilities'], capture_output=True).returncode:
            if time.monotonic() > end:
                raise RuntimeError('libvirtd does not answer')
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        for daemon in reversed(self.daemons):
            daemon.terminate()
            daemon.wait()
        for folder in reversed(OWN):
            subprocess.run(['umount', folder], check=False)

    def pids(self):
        return [d.pid for d in self.daemons]


def iso(node):
    """The small bootable ISO, made once or taken from the cache, in the node's storage."""
    made = subprocess.run([f'{HERE}/../../storage/make-iso.sh'], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.splitlines()[-1]
    folder = f'{node.state}/local/template/iso'
    os.makedirs(folder, exist_ok=True)
    shutil.copy(made, f'{folder}/lodge.iso')
    return 'local:iso/lodge.iso'


def create(node, vmid, medium, **more):
    """medium: an ISO, or None."""
    params = {'vmid': vmid, 'name': f'vm{vmid}', 'memory': 256, 'kvm': 0, 'ostype': 'l26', 'serial0': 'socket',
              'net0': 'virtio,bridge=vmbr0', **more}
    if medium:
        params['ide2'] = f'{medium},media=cdrom'
    node.task(node.post(f'/nodes/{NAME}/qemu', **params))


def act(node, vmid, what):
    node.task(node.post(f'/nodes/{NAME}/qemu/{vmid}/status/{what}'))


def pid(vmid):
    with open(f'/run/libvirt/qemu/lodge-{vmid}.pid') as f:
        return int(f.read())


class ByHand:
    """The very domain of a running machine, defined under another name for `virsh start`."""

    def __init__(self, work, vmid):
        self.name = f'by-hand-{vmid}'
        text = virsh('dumpxml', '--inactive', f'lodge-{vmid}')
        text = re.sub(r'<name>.*?</name>', f'<name>{self.name}</name>', text)
        new = str(uuid.uuid4())
        text = re.sub(r"<uuid>.*?</uuid>", f'<uuid>{new}</uuid>', text)
        text = re.sub(r"<entry name='uuid'>.*?</entry>", f"<entry name='uuid'>{new}</entry>", text)
        text = text.replace(f"tap{vmid}i", 'taphand').replace(f'/{vmid}.serial', f'/{vmid}.hand')
        path = f'{work}/{self.name}.xml'
        with open(path, 'w') as f:
            f.write(text)
        virsh('define', path)

    def start(self):
        virsh('start', self.name)

    def stop(self):
        virsh('destroy', self.name)
