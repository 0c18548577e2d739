#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Uploads as clients make them, and as nobody should: broken off, lying, too large, in pieces. Storage "small" is a file
system of 64 MiB."""
import hashlib
import io
import socket
import tarfile

import requests

from lodge_test import *

px = connect()
node = px.nodes(NODE)
session, _ = login()
BOUNDARY = 'xxBOUNDARYxx'


def part(name, data, filename=None):
    extra = f'; filename="{filename}"' if filename is not None else ''
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
    return head.encode() + (data if isinstance(data, bytes) else data.encode()) + b'\r\n'


END = f'--{BOUNDARY}--\r\n'.encode()


def post(body, storage='local', headers=None, **more):
    return wire('POST', f'/nodes/{NODE}/storage/{storage}/upload', body=body,
                headers={**(session if headers is None else headers), 'Content-Type': f'multipart/form-data; boundary={BOUNDARY}'}, **more)


def file(data, name='up.iso', content='iso', **fields):
    return b''.join([part('content', content), *[part(k.replace('_', '-'), v) for k, v in fields.items()],
                     part('filename', data, name), END])


def exists(volid):
    return any(v['volid'] == volid for v in node.storage(volid.split(':')[0]).content.get())


def gone(volid):
    task_ok(f'{volid} is removed', px, node.storage(volid.split(':')[0]).content(volid).delete())


def plain():
    data = os.urandom(3 << 20)
    r = post(file(data))
    ok('an upload', r.status == 200 and r.data.startswith('UPID:'), r)
    task_ok('its task', px, r.data)
    got = on_node('sha256sum', '/var/lib/lodge/local/template/iso/up.iso').split()[0]
    same('it is the same', got, hashlib.sha256(data).hexdigest())
    r = post(file(b'other'))
    ok('the same name again', r.status == 200 and 'already exists' in wait_task(px, r.data), r)
    gone('local:iso/up.iso')
    with open('/tmp/lodge-proxmoxer.iso', 'wb') as f:
        f.write(data)
    with open('/tmp/lodge-proxmoxer.iso', 'rb') as f:
        upid = node.storage('local').upload.post(content='iso', filename=f)
    os.unlink('/tmp/lodge-proxmoxer.iso')
    task_ok('by proxmoxer', px, upid)
    gone('local:iso/lodge-proxmoxer.iso')


def checksums():
    data = os.urandom(100000)
    for kind in ('md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'):
        good = hashlib.new(kind, data).hexdigest()
        r = post(file(data, checksum=good.upper(), checksum_algorithm=kind))
        task_ok(f'{kind}', px, r.data)
        gone('local:iso/up.iso')
    r = post(file(data, checksum='0' * 64, checksum_algorithm='sha256'))
    ok('a wrong sum', 'checksum mismatch' in wait_task(px, r.data), r)
    ok('leaves nothing', not exists('local:iso/up.iso'))
    r = post(file(data, checksum='0' * 64))
    ok('a sum without its kind', r.status == 400 and 'checksum-algorithm' in r.errors, r)
    r = post(file(data, checksum='0' * 63, checksum_algorithm='sha256'))
    ok('half a sum', r.status == 400 and 'checksum' in r.errors, r)
    r = post(file(data, checksum='g' * 64, checksum_algorithm='sha256'))
    ok('a sum of letters', r.status == 400 and 'checksum' in r.errors, r)


def refused():
    data = b'x' * 300000
    cases = [
        ('no file', part('content', 'iso') + END, 'filename'),
        ('the file under another name', part('content', 'iso') + part('file', data, 'a.iso') + END, 'file'),
        ('a field behind the file', part('content', 'iso') + part('filename', data, 'a.iso') + part('checksum', 'x') + END, 'checksum'),
        ('no content', part('filename', data, 'a.iso') + END, 'content'),
        ('content that is not uploaded', file(data, 'vm-100-disk-0.raw', 'images'), 'content'),
        ('what would run as root', file(data, 'hook.sh', 'snippets'), 'content'),
        ('an unknown field', file(data, colour='red'), 'colour'),
        ('an unknown algorithm', file(data, checksum='0', checksum_algorithm='crc'), 'checksum-algorithm'),
        *[(f'the name {n!r}', file(data, n), 'filename')
          for n in ('', 'a.txt', '.hidden.iso', 'x' * 252 + '.iso', '-a.iso', 'a..iso')],
    ]
    for text, body, field in cases:
        r = post(body)
        ok(text, r.status == 400 and field in r.errors, r)
    for name, kept in (('../../up.iso', 'up.iso'), ('Win 11 (x64).iso', 'Win_11__x64_.iso'), ('a%2fb.iso', 'a_2fb.iso'),
                       ('é.iso', '_.iso')):
        r = post(file(data, name))
        task_ok(f'the name {name!r}', px, r.data)
        log = [line['t'] for line in node.tasks(r.data).log.get()]
        ok('its log tells what became of it', any(f"'local:iso/{kept}'" in line for line in log), log)
        gone(f'local:iso/{kept}')
    r = post(b'not multipart at all' * 5000)
    ok('no multipart body', r.status == 400, r)
    r = post(file(data)[:-40])
    ok('a body without its end', r.status == 400, r)
    ok('leaves nothing', not exists('local:iso/up.iso'))
    r = post(part('content', 'i' * 200000) + END)
    ok('a field that does not end', r.status == 400, r)
    r = post(file(data), 'nothing')
    ok('an unknown storage', r.status == 500 and 'does not exist' in r.raw.decode(), r)
    r = post(file(data), 'small', headers={})
    ok('no credential', r.status == 401, r)
    r = post(file(data, 'a.tar.zst', 'vztmpl'), 'small')
    ok('content that the storage has not', r.status in (400, 500) and 'does not support' in r.raw.decode(), r)
    r = post(file(data, 'a.tar.gz', 'vztmpl'))
    ok('what is no template', 'is no container template' in wait_task(px, r.data), r)
    r = post(file(b''))
    ok('an empty file', 'is empty' in wait_task(px, r.data), r)
    r = wire('POST', f'/nodes/{NODE}/tasks', body=file(data),
             headers={**session, 'Content-Type': f'multipart/form-data; boundary={BOUNDARY}'})
    ok('multipart for anything else', r.status in (400, 501), r)


def raw(head, *pieces, close=True):
    """Sends on a TLS connection of its own, and leaves without reading."""
    s = context().wrap_socket(socket.create_connection((HOST, PORT), timeout=20))
    s.sendall(head)
    for piece in pieces:
        s.sendall(piece)
    if not close:
        return s
    s.close()


def request_head(length):
    lines = [f'POST {ROOT}/nodes/{NODE}/storage/small/upload HTTP/1.1', f'Host: {HOST}',
             *[f'{k}: {v}' for k, v in session.items()], f'Content-Length: {length}',
             f'Content-Type: multipart/form-data; boundary={BOUNDARY}', '', '']
    return '\r\n'.join(lines).encode()


def import_tasks():
    return [t for t in node.tasks.get(typefilter='imgcopy', limit=200, source='all')]


def no_temporary():
    return '.lodge-import' not in on_node('sh', '-c', 'ls -A /srv/small/template/iso /var/lib/lodge/local/template/iso')


def broken_off():
    start = file(b'x' * 1000000)[:500000]
    before = len(import_tasks())
    for n in range(3):
        raw(request_head(20000000), start)
    ok('tasks of uploads that break off', wait_for(20, lambda: len(import_tasks()) == before + 3), before, len(import_tasks()))
    ended = wait_for(20, lambda: all(t.get('status') for t in import_tasks()))
    ok('they end', ended and all('broken off' in t['status'] for t in import_tasks()[:3]), import_tasks()[:3])
    ok('nothing is left of them', wait_for(10, no_temporary))
    s = raw(request_head(20000000), start, close=False)
    upid = wait_for(10, lambda: next((t['upid'] for t in import_tasks() if not t.get('endtime') and not t.get('status')), None))
    ok('one that waits', upid)
    if upid:
        node.tasks(upid).delete()
        ok('is stopped', wait_for(15, lambda: node.tasks(upid).status.get()['status'] == 'stopped'))
    s.close()
    ok('nothing is left of it', wait_for(10, no_temporary))


def space():
    free = node.storage('small').status.get()['avail']
    data = b'y' * (free + 2000000)
    r = post(file(data), 'small')
    ok('more than there is room for', r.status == 200 and 'needed' in wait_task(px, r.data), r)
    ok('leaves nothing', wait_for(10, no_temporary))
    half = int(free * 0.6)
    s = raw(request_head(half), file(b'z' * 1000000)[:900000], close=False)
    ok('space is promised while an upload waits',
       wait_for(15, lambda: node.storage('small').status.get()['avail'] < free - half + 3000000), free, half, node.storage('small').status.get())
    r = post(file(b'w' * half, 'second.iso'), 'small')
    ok('a second one that does not fit beside it', r.status == 200 and 'needed' in wait_task(px, r.data), r)
    s.close()
    ok('given back when it leaves', wait_for(20, lambda: node.storage('small').status.get()['avail'] > free - 2000000))
    r = post(file(b'w' * half, 'second.iso'), 'small')
    task_ok('then it fits', px, r.data)
    gone('small:iso/second.iso')


def read_answer(s):
    answer = ''
    while not answer.endswith('}'):
        more = s.recv(65536).decode()
        answer += more or '}'
    return answer


def slow_pieces():
    """Cut at every border inside of one TLS record each."""
    body = file(b'\r\n--' + BOUNDARY[:-1].encode() + b'\r\n' + b'q' * 100, 'pieces.iso')
    s = raw(request_head(len(body)), *[body[i:i + 1] for i in range(len(body))], close=False)
    answer = read_answer(s)
    ok('byte by byte', ' 200 ' in answer.splitlines()[0], answer)
    upid = json.loads(answer.split('\r\n\r\n', 1)[1])['data']
    task_ok('its task', px, upid)
    s.close()
    gone('small:iso/pieces.iso')


def several():
    """Eight at once, 16 MiB each."""
    data = os.urandom(16 << 20)
    results = {}

    def one(n):
        results[n] = post(file(data, f'p{n}.iso'))
    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    [t.start() for t in threads]
    while any(t.is_alive() for t in threads):
        start = time.monotonic()
        px.version.get()
        took = time.monotonic() - start
        if took > 1:
            ok('the API answers meanwhile', False, took)
        threads[0].join(0.05)
    for n in range(8):
        task_ok(f'upload {n} of eight', px, results[n].data)
        gone(f'local:iso/p{n}.iso')


OVF = '''<Envelope><References><File id="f" href="a-1.vmdk"/></References>
<DiskSection><Disk diskId="d" fileRef="f" capacity="1"/></DiskSection><VirtualSystem id="one"><VirtualHardwareSection>
<Item><ResourceType>4</ResourceType><VirtualQuantity>512</VirtualQuantity></Item>
<Item><ResourceType>17</ResourceType><HostResource>ovf:/disk/d</HostResource></Item></VirtualHardwareSection></VirtualSystem></Envelope>'''


def ova():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.USTAR_FORMAT) as tar:
        for name, data in (('a.ovf', OVF.encode()), ('a-1.vmdk', b'disk' * 1000)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def imports():
    r = post(file(ova(), 'a.ova', 'import'))
    task_ok('an archive of a machine', px, r.data)
    m = node.storage('local')('import-metadata').get(volume='local:import/a.ova')
    ok('it is described', m['type'] == 'vm' and m['create-args']['memory'] == 512 and m['create-args']['name'] == 'one' and
       m['disks'] == {'scsi0': 'local:import/a.ova/a-1.vmdk'} and m['warnings'] == [{'type': 'ova-needs-extracting'}], m)
    task_ok('an image', px, post(file(b'x' * 70000, 'b.raw', 'import')).data)
    raises('an image describes no machine', 400, 'volume', lambda: node.storage('local')('import-metadata').get(volume='local:import/b.raw'))
    raises('nor does what is not there', 500, 'No such file', lambda: node.storage('local')('import-metadata').get(volume='local:import/c.ova'))
    r = post(file(b'x', 'c.exe', 'import'))
    ok('a name that is none', r.status == 400 and 'filename' in r.errors, r)
    for volid in ('local:import/a.ova', 'local:import/b.raw'):
        gone(volid)


def large():
    """More than 4 GiB, with sums of both ends of it, in the long run alone."""
    if not os.environ.get('LODGE_TEST_FULL'):
        return
    block, count = b'\0' * (16 << 20), 260
    start, end = file(b'', 'large.iso').split(END)[0][:-2], b'\r\n' + END
    size = len(start) + len(block) * count + 3 + len(end)
    head = request_head(size).replace(b'/storage/small/', b'/storage/local/')
    s = raw(head, start, *[block] * count, b'end', end, close=False)
    s.settimeout(60)
    answer = read_answer(s)
    task_ok('a file of more than 4 GiB', px, json.loads(answer.split('\r\n\r\n', 1)[1])['data'])
    s.close()
    same('all of it is there', int(on_node('stat', '-c', '%s', '/var/lib/lodge/local/template/iso/large.iso')), len(block) * count + 3)
    same('to its end', on_node('tail', '-c', '3', '/var/lib/lodge/local/template/iso/large.iso'), 'end')
    gone('local:iso/large.iso')


def by_requests():
    r = requests.post(f'https://{HOST}:{PORT}{ROOT}/nodes/{NODE}/storage/local/upload', verify=False, headers=session,
                      data={'content': 'iso'}, files={'filename': ('req.iso', b'r' * 70000)}, timeout=20)
    task_ok('by requests', px, r.json()['data'])
    gone('local:iso/req.iso')


run(plain, checksums, refused, broken_off, space, slow_pieces, several, imports, large, by_requests)
