#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The life of a container through proxmoxer. Arguments: VMID, volume id of the template, its kind."""
import concurrent.futures
import re

from lodge_test import *

VMID, TEMPLATE, KIND = int(sys.argv[1]), sys.argv[2], sys.argv[3]
px = connect()
node = px.nodes(NODE)
ct = node.lxc(VMID)
KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDl3l1Xo0000000000000000000000000000000000 lab'
A_WORD = '$6$lab$J95yEeRJo15cg425LPw9mzKbaG/JsarBIMJrxpXD2NhAnHgTkojUJifCSzlL4J882bobSiThaOErI5M8L/PyW1'  # "a-word"; busybox knows no yescrypt
UPID = r'UPID:%s:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:%s:%s:admin@pve:'


def status():
    return ct.status.current.get()


def state():
    return status()['status']


def is_state(wanted):
    return wait_for(40, lambda: state() == wanted)


def pending():
    return {p['key']: p for p in ct.pending.get()}


def nextid():
    first = px.cluster.nextid.get()
    ok('nextid is a string', isinstance(first, str) and first.isdigit(), first)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda _: connect().cluster.nextid.get(), range(4)))
    ok('concurrent askers get different ids', len(set(ids + [first])) == 5, ids, first)


def create():
    upid = node.lxc.post(vmid=VMID, ostemplate=TEMPLATE, hostname=f'{KIND}-ct', password='inner-word-1',
                         memory=256, swap=0, cores=1, rootfs='local:1' if KIND == 'debian' else 'local:0.125',
                         net0='name=eth0,bridge=vmbr0,ip=dhcp', unprivileged=1, onboot=0, tags='lab;test',
                         description='first line\nsecond: ü', **{'ssh-public-keys': KEY})
    ok('a UPID', re.fullmatch(UPID % (NODE, 'vzcreate', VMID), upid), upid)
    task_ok('create', px, upid, 120)
    config = ct.config.get()
    for key, value in {'hostname': f'{KIND}-ct', 'memory': 256, 'swap': 0, 'cores': 1, 'unprivileged': 1, 'onboot': 0,
                       'tags': 'lab;test', 'arch': 'amd64'}.items():
        same(f'config {key}', config.get(key), value)
    ok('config description', config['description'].rstrip('\n') == 'first line\nsecond: ü', config)
    ok('config rootfs', re.match(rf'local:{VMID}/vm-{VMID}-disk-0.raw,size=\d+[MG]$', config['rootfs']), config['rootfs'])
    ok('config net0', re.search(r'hwaddr=BC:24:11(:[0-9A-F]{2}){3}', config['net0']) and 'bridge=vmbr0' in config['net0'], config['net0'])
    ok('config digest', re.fullmatch(r'[0-9a-f]{40}', config['digest']), config['digest'])
    ok('no lock stays', 'lock' not in config, config)
    ok('no password in the config', 'password' not in config and 'inner-word' not in json.dumps(config))
    content = [v for v in node.storage.local.content.get(content='rootdir') if v.get('vmid') == VMID]
    ok('its volume is listed', len(content) == 1 and content[0]['volid'] == config['rootfs'].split(',')[0], content)
    row = [g for g in node.lxc.get() if int(g['vmid']) == VMID]
    ok('it is in the list', row and row[0]['status'] == 'stopped' and row[0]['name'] == f'{KIND}-ct', row)
    raises('an id exists once', 500, f'CT {VMID} already exists', lambda: node.lxc.post(vmid=VMID, ostemplate=TEMPLATE))
    raises('nextid refuses a taken id', 400, f'{VMID} already exists', lambda: px.cluster.nextid.get(vmid=VMID))


def config():
    before = ct.config.get()
    same('PUT config answers null', ct.config.put(description='new', digest=before['digest']), None)
    after = ct.config.get()
    ok('the change is there, the digest another', after['description'].strip() == 'new' and after['digest'] != before['digest'], after)
    raises('an old digest is refused', 500, 'detected modified configuration', lambda: ct.config.put(memory=300, digest=before['digest']))
    same('nothing was changed', ct.config.get(), after)
    ct.config.put(delete='description,tags')
    ok('delete', not {'description', 'tags'} & set(ct.config.get()))
    raises('an unknown option', 400, 'not defined in schema', lambda: ct.config.put(colour='red'))
    raises('a wrong type', 400, "type check ('integer') failed - got 'much'", lambda: ct.config.put(memory='much'))
    raises('out of bounds', 400, 'value must have a minimum value of', lambda: ct.config.put(memory=1))


def start():
    upid = ct.status.start.post()
    ok('a UPID', re.fullmatch(UPID % (NODE, 'vzstart', VMID), upid), upid)
    task_ok('start', px, upid)
    ok('it runs', is_state('running'))
    current = status()
    ok('status/current', current['vmid'] == VMID and current['name'] == f'{KIND}-ct' and current['maxmem'] == 256 << 20 and
       current['cpus'] == 1 and current['ha'] == {'managed': 0} and isinstance(current['uptime'], int), current)
    ok('memory in use is known', wait_for(15, lambda: status()['mem'] > 0), status())
    raises('no second start', 500, f'CT {VMID} already running', ct.status.start.post)
    raises('no destroy while it runs', 500, 'is running', ct.delete)
    row = [r for r in px.cluster.resources.get(type='vm') if r['vmid'] == VMID]
    ok('/cluster/resources', row and row[0]['id'] == f'lxc/{VMID}' and row[0]['status'] == 'running' and row[0]['template'] == 0 and
       row[0]['type'] == 'lxc' and row[0]['maxmem'] == 256 << 20 and row[0]['node'] == NODE, row)
    same('hostname inside', inside(VMID, 'hostname'), f'{KIND}-ct')
    # busybox's log-in knows no yescrypt
    ok('the password is set', re.search(r'^root:\$6\$' if KIND == 'busybox' else r'^root:\$y\$', inside(VMID, 'cat', '/etc/shadow'), re.M))
    ok('the ssh key is there', KEY in inside(VMID, 'cat', '/root/.ssh/authorized_keys'))
    pid = on_node('lxc-info', '-P', '/run/lodge/ct', '-n', str(VMID), '-pH')
    ok('it is unprivileged', int(on_node('stat', '-c', '%u', f'/proc/{pid}')) >= 100000)


def address():
    def has_lease():
        for interface in ct.interfaces.get():
            if interface['name'] == 'eth0' and re.match(r'10\.\d+\.\d+\.\d+/24$', interface.get('inet', '')):
                return interface
        return None
    eth0 = wait_for(30, has_lease, 0.5)
    if not ok('an address by DHCP', eth0, ct.interfaces.get()):
        return
    mac = re.search(r'hwaddr=([^,]*)', ct.config.get()['net0']).group(1).lower()
    same('its hardware address', eth0['hardware-address'].lower(), mac)
    same('hwaddr too', eth0['hwaddr'].lower(), mac)
    entries = [a for a in eth0['ip-addresses'] if a['ip-address-type'] in ('inet', 'ipv4')]
    ok('ip-addresses', entries and entries[0]['ip-address'] == eth0['inet'].split('/')[0], eth0)
    ok('the node reaches it', on_node('ping', '-c1', '-W2', eth0['inet'].split('/')[0], check=False).returncode == 0)
    if KIND == 'debian':
        ok('it reaches the outside', inside(VMID, 'bash', '-c', '</dev/tcp/198.51.100.1/9', check=False).stderr.find('refused') > 0)
    else:
        ok('it reaches the outside', inside(VMID, 'ping', '-c1', '-W2', '198.51.100.1', check=False).returncode == 0)


def setuid_programs():
    if KIND == 'debian':
        ok('systemd is up', wait_for(40, lambda: inside(VMID, 'systemctl', 'is-system-running', check=False).stdout.strip() == 'running'),
           inside(VMID, 'systemctl', '--failed', check=False).stdout)
        inside(VMID, 'useradd', '-m', 'joe')
        inside(VMID, 'bash', '-c', 'echo joe:joes-word | chpasswd')
        out = inside(VMID, 'su', '-s', '/bin/bash', 'joe', '-c', 'echo joes-word | su joe -c "id -un"', check=False)
        ok('su by an ordinary user', out.stdout.strip().endswith('joe'), out)
        out = inside(VMID, 'su', '-s', '/bin/bash', 'joe', '-c', 'echo inner-word-1 | su -c "id -u"', check=False)
        ok('su to root by an ordinary user', out.stdout.strip().endswith('0'), out)
        inside(VMID, 'cp', '/bin/cat', '/bin/rootcat')
        inside(VMID, 'chmod', '4755', '/bin/rootcat')
        out = inside(VMID, 'su', '-s', '/bin/bash', 'joe', '-c', 'rootcat /etc/shadow', check=False)
        ok('a setuid program', 'joe:' in out.stdout, out)
        tools = inside(VMID, 'bash', '-c', 'command -v sudo ping', check=False).stdout
        if 'sudo' in tools:
            inside(VMID, 'bash', '-c', 'echo "joe ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/joe')
            ok('sudo', inside(VMID, 'su', 'joe', '-c', 'sudo -n id -u', check=False).stdout.strip() == '0')
        if 'ping' in tools:
            ok('ping by an ordinary user', inside(VMID, 'su', 'joe', '-c', 'ping -c1 -W2 198.51.100.1', check=False).returncode == 0)
        return
    inside(VMID, 'sh', '-c', 'mkdir -p /opt; cp /bin/busybox /opt/busybox; chmod 4755 /opt/busybox; '
           'echo joe:x:1000:1000::/:/bin/sh >>/etc/passwd; sed -i "s|^root:[^:]*|root:' + A_WORD.replace('$', '\\$') + '|" /etc/shadow')
    again = 'id -u; echo a-word | /opt/busybox su -c "id -u" 2>/dev/null | grep -v Password'
    out = inside(VMID, 'su', 'joe', '-c', again, check=False)
    ok('su to root by an ordinary user, with the password', out.stdout.split() == ['1000', '0'], out)
    inside(VMID, 'chmod', '755', '/opt/busybox')
    out = inside(VMID, 'su', 'joe', '-c', again, check=False)
    ok('and not without the setuid bit', out.stdout.split() == ['1000'], out)


def memory_bound():
    """As the container's own processes see it."""
    script = ('mkdir -p /run/cg; if mount -t cgroup -o memory cg /run/cg 2>/dev/null; then cat /run/cg/memory.limit_in_bytes; '
              'else mount -t cgroup2 cg /run/cg && cat /run/cg/memory.max; fi; umount /run/cg')
    return int(inside(VMID, 'sh', '-c', script))


def processors():
    return int(inside(VMID, 'nproc') if KIND == 'debian' else inside(VMID, '/bin/busybox', 'nproc'))


def live_change():
    pid = init_pid()
    same('PUT on a running one answers null', ct.config.put(memory=320, tags='later', cores=2), None)
    same('its bound of memory, read inside', memory_bound(), 320 << 20)
    same('its processors', processors(), int(on_node('nproc')))
    ct.config.put(cores=1)
    same('fewer of them', processors(), 1)
    ok('nothing waits', not any('pending' in p for p in ct.pending.get()), ct.pending.get())
    same('status/current', status()['maxmem'], 320 << 20)
    ct.config.put(cpulimit=0.5, cpuunits=200)
    ct.config.put(delete='cpulimit,cpuunits')
    ok('limits that were deleted are gone', not {'cpulimit', 'cpuunits'} & set(ct.config.get()))
    net1 = 'name=lan1,bridge=vmbr0,ip=manual'
    ct.config.put(net1=net1)
    ok('an interface more', 'lan1' in inside(VMID, 'ip', 'link'))
    mac = re.search(r'hwaddr=([^,]*)', ct.config.get()['net1']).group(1)
    ok('with the address of the configuration', mac.lower() in inside(VMID, 'ip', 'link', 'show', 'dev', 'lan1').lower())
    ct.config.put(delete='net1')
    ok('one less', 'lan1' not in inside(VMID, 'ip', 'link'))
    ct.config.put(mp0='local:0.0625,mp=/srv/more')
    value = ct.config.get()['mp0']
    ok('a volume more', re.fullmatch(rf'local:{VMID}/vm-{VMID}-disk-1.raw,mp=/srv/more,size=64M', value), value)
    inside(VMID, 'sh', '-c', 'echo data >/srv/more/file')
    ct.config.put(mp0=value + ',ro=1')
    ok('read-only', inside(VMID, 'sh', '-c', 'echo x >/srv/more/file', check=False).returncode != 0)
    ct.config.put(delete='mp0')
    ok('is unused', ct.config.get().get('unused0') == value.split(',')[0], ct.config.get())
    ct.config.put(mp1='%s,mp=/srv/again' % value.split(',')[0])
    same('is mounted again', inside(VMID, 'cat', '/srv/again/file'), 'data')
    ct.config.put(delete='mp1')
    ct.config.put(delete='unused0')
    ok('its volume is gone', not [v for v in node.storage.local.content.get() if v['volid'] == value.split(',')[0]])
    same('it is the same all the time', init_pid(), pid)
    raises('folders of the node are for root', 403, 'only root@pam', lambda: ct.config.put(mp0='/srv,mp=/srv'))
    raises('devices, too', 403, 'only root@pam', lambda: ct.config.put(dev0='/dev/fuse'))
    raises('one mount point on another', 400, "mounted on '/a' already",
           lambda: ct.config.put(mp0='local:0.0625,mp=/a') or ct.config.put(mp1=ct.config.get()['mp0'].replace('disk-1', 'disk-9')))
    ct.config.put(delete='mp0')
    ct.config.put(delete='unused0')


def pending_change():
    before = ct.config.get()['rootfs']
    same('PUT of what a running one cannot take answers null', ct.config.put(rootfs=before + ',acl=1', tags='later'), None)
    p = pending()
    ok('/pending shows both values', p['rootfs'].get('value') == before and 'acl=1' in p['rootfs'].get('pending'), p['rootfs'])
    ok('config without current shows the new one', 'acl=1' in ct.config.get()['rootfs'])
    same('config with current the old one', ct.config.get(current=1)['rootfs'], before)
    ct.config.put(delete='tty')
    ct.config.put(tty=3)
    ok('a key that is new waits', 'value' not in pending()['tty'] and str(pending()['tty'].get('pending')) == '3', pending()['tty'])
    ct.config.put(revert='tty')
    ok('revert', 'tty' not in pending(), pending())
    raises('an old digest is refused', 500, 'detected modified configuration', lambda: ct.config.put(memory=330, digest='0' * 40))
    pid = init_pid()
    ct.config.put(hostname='later', nameserver='192.0.2.1', searchdomain='lab.example')
    same('a name is there at once', inside(VMID, 'hostname'), 'later')
    ok('with its domain', 'later.lab.example' in inside(VMID, 'cat', '/etc/hosts'))
    ok('neither waits', not {'hostname', 'nameserver', 'searchdomain'} & {k for k, v in pending().items() if 'pending' in v}, pending())
    ct.config.put(delete='nameserver,searchdomain')
    ok('the domain is gone', 'lab.example' not in inside(VMID, 'cat', '/etc/hosts'))
    same('it is the same all the time', init_pid(), pid)


def suspend_and_resume():
    task_ok('suspend', px, ct.status.suspend.post())
    ok('status paused', wait_for(10, lambda: state() == 'paused'), status())
    row = [r for r in px.cluster.resources.get(type='vm') if r['vmid'] == VMID]
    same('in /cluster/resources as well', row[0]['status'], 'paused')
    raises('not twice', 500, f'CT {VMID} is suspended already', ct.status.suspend.post)
    ok('the monitor sees it by itself', wait_for(15, lambda: state() == 'paused' and status()['mem'] > 0))
    task_ok('resume', px, ct.status.resume.post())
    ok('it goes on', is_state('running'))
    raises('not twice', 500, f'CT {VMID} is not suspended', ct.status.resume.post)


def frames(raw):
    out = {}
    while raw:
        kind, size = chr(raw[0]), int.from_bytes(raw[1:5], 'big')
        out[kind] = out.get(kind, b'') + raw[5:5 + size]
        raw = raw[5 + size:]
    return out


def execute(*command, **params):
    headers, _ = login()
    return wire('POST', f'/nodes/{NODE}/lxc/{VMID}/exec', {'command': list(command), **params}, headers)


def execs():
    r = execute('sh', '-c', 'cat; echo bad >&2; echo "$COLOUR $PWD $#"; exit 7', '--', 'a b', 'c', cwd='/tmp',
                env=['COLOUR=deep red'], **{'input-data': 'hello '})
    got = frames(r.raw)
    ok('a stream of its own kind', r.status == 200 and r.headers['Content-Type'] == 'application/vnd.lodge.exec', r, r.headers)
    same('its output, input included', got.get('1'), b'hello deep red /tmp 2\n')
    same('its errors', got.get('2'), b'bad\n')
    same('its end', json.loads(got['e']), {'exitcode': 7})
    same('words are words', frames(execute('echo', '$HOME; `id`', "'").raw).get('1'), b"$HOME; `id` '\n")
    same('a signal', json.loads(frames(execute('sh', '-c', 'kill -9 $$').raw)['e']), {'signal': 9})
    got = frames(execute('/no/such').raw)
    ok('what is not there', json.loads(got['e']) == {'exitcode': 127} and b'/no/such' in got['2'], got)
    got = frames(execute('sleep', '60', timeout=1).raw)
    ok('a deadline', 'did not end within 1 s' in json.loads(got['e'])['error'], got)
    got = frames(execute('sh', '-c', 'head -c 3000000 /dev/zero').raw)
    same('megabytes', len(got['1']), 3000000)
    same('under its limits: one processor', frames(execute('nproc' if KIND == 'debian' else '/bin/busybox', *([] if KIND == 'debian' else ['nproc'])).raw)['1'], b'1\n')
    r = execute('ls', 'x', **{'stream-input': 1})
    ok('input that is streamed is the local socket\'s alone', r.status == 400 and 'stream-input' in r.errors, r)
    r = wire('POST', f'/nodes/{NODE}/lxc/{VMID}/exec', {}, login()[0])
    ok('no command', r.status == 400 and 'command' in r.errors, r)
    # the caller leaves: the program goes
    headers, _ = login()
    connection = http.client.HTTPSConnection(HOST, PORT, timeout=20, context=context())
    connection.request('POST', f'{ROOT}/nodes/{NODE}/lxc/{VMID}/exec', json.dumps({'command': ['sh', '-c', 'echo here; exec sleep 4711']}),
                       {**headers, 'Content-Type': 'application/json'})
    response = connection.getresponse()
    same('it runs', response.read(10)[5:], b'here\n')
    runs = lambda: any(b'4711' in open_cmdline(p) for p in processes_of(init_pid()))
    ok('seen on the node', wait_for(5, runs))
    connection.sock.close() if connection.sock else None
    response.close()
    connection.close()
    ok('its caller left, and it is gone', wait_for(10, lambda: not runs()))
    done = node.tasks.get(typefilter='vzexec', limit=50)
    ok('all of them are tasks that ended', done and all(t.get('status') for t in done), done)


def processes_of(pid):
    return on_node('sh', '-c', f'for p in /proc/[0-9]*; do [ "$(readlink $p/ns/pid)" = "$(readlink /proc/{pid}/ns/pid)" ] && echo $p; done', check=False).stdout.split()


def open_cmdline(path):
    return on_node('cat', f'{path}/cmdline', check=False).stdout.encode()


def protection():
    ct.config.put(protection=1)
    raises('a protected one is not destroyed', 500, 'protection mode enabled', lambda: ct.delete())
    ct.config.put(delete='protection')


def shutdown_and_start():
    task_ok('shutdown', px, ct.status.shutdown.post(timeout=40), 60)
    ok('it is stopped', is_state('stopped'))
    raises('no stop of a stopped one', 500, f'CT {VMID} not running', ct.status.stop.post)
    task_ok('start', px, ct.status.start.post())
    ok('the change is used', is_state('running') and inside(VMID, 'hostname') == 'later' and 'acl=1' in ct.config.get(current=1)['rootfs'], status())
    ct.config.put(hostname=f'{KIND}-ct')
    ok('nothing is pending', not any('pending' in p for p in ct.pending.get()), ct.pending.get())


def cancelled():
    """A job that waits for a guest which does not answer can be stopped; its guest is left alone."""
    # an init that is still starting ignores what it is asked
    if KIND == 'debian':
        wait_for(40, lambda: inside(VMID, 'systemctl', 'is-system-running', check=False).stdout.strip() == 'running')
    else:
        wait_for(20, lambda: 'inet 10.' in inside(VMID, 'ip', 'address', check=False).stdout)
    pid = init_pid()
    on_node('kill', '-STOP', pid)
    upid = ct.status.shutdown.post(timeout=300)
    ok('it runs', wait_for(5, lambda: upid in [t['upid'] for t in node.tasks.get(source='active')]))
    asked = lambda: any(int(line.split()[1], 16) for line in on_node('grep', 'Pnd', f'/proc/{pid}/status').splitlines())
    ok('it has asked the guest', wait_for(10, asked))
    s = node.tasks(upid).status.get()
    ok('a running task has no exit status', s['status'] == 'running' and 'exitstatus' not in s, s)
    same('a task is stopped', node.tasks(upid).delete(), None)
    result = wait_task(px, upid, 15)
    ok('it says so', result not in ('OK', 'still running'), result, *task_log(px, upid))
    same('its guest is the same', init_pid(), pid)
    on_node('kill', '-CONT', pid)
    ok('what was asked of it, it does when it can', is_state('stopped'))
    task_ok('start', px, ct.status.start.post())
    is_state('running')


def init_pid():
    return on_node('lxc-info', '-P', '/run/lodge/ct', '-n', str(VMID), '-pH', check=False).stdout.strip()


def reboot():
    def settled(old):
        return wait_for(40, lambda: init_pid() not in ('', '-1', old) and state() == 'running')
    if KIND == 'debian':
        wait_for(40, lambda: inside(VMID, 'systemctl', 'is-system-running', check=False).stdout.strip() == 'running')
    old = init_pid()
    task_ok('reboot by API', px, ct.status.reboot.post(timeout=40), 60)
    ok('it is another one', settled(old), old, init_pid(), status())
    if KIND == 'debian':
        wait_for(40, lambda: inside(VMID, 'systemctl', 'is-system-running', check=False).stdout.strip() == 'running')
    else:
        wait_for(10, lambda: 'eth0' in inside(VMID, 'ip', 'link', check=False).stdout)
    old = init_pid()
    inside(VMID, 'reboot', *([] if KIND == 'debian' else ['-f']), check=False)
    ok('reboot from inside', settled(old), old, init_pid(), status())


def tasks():
    upid = ct.status.stop.post()
    task_ok('stop', px, upid)
    ok('it is stopped', is_state('stopped'))
    log = node.tasks(upid).log.get()
    ok('the log has numbered lines', [line['n'] for line in log] == list(range(1, len(log) + 1)), log)
    same('its last line', log[-1]['t'], 'TASK OK')
    s = node.tasks(upid).status.get()
    pid, pstart, began = (int(part, 16) for part in upid.split(':')[2:5])
    ok('task status', {k: s.get(k) for k in ('upid', 'node', 'type', 'id', 'user', 'status', 'exitstatus', 'pid', 'pstart', 'starttime')} ==
       {'upid': upid, 'node': NODE, 'type': 'vzstop', 'id': str(VMID), 'user': 'admin@pve', 'status': 'stopped',
        'exitstatus': 'OK', 'pid': pid, 'pstart': pstart, 'starttime': began}, s)
    rows = node.tasks.get(typefilter='vzstop', vmid=VMID, limit=1)
    ok('task list', len(rows) == 1 and rows[0]['upid'] == upid and rows[0]['status'] == 'OK' and rows[0]['endtime'] >= began, rows)
    types = {t['type'] for t in node.tasks.get(vmid=VMID, limit=100)}
    ok('all of them are kept', {'vzcreate', 'vzstart', 'vzshutdown', 'vzreboot', 'vzstop'} <= types, types)
    raises('an unknown task', 400, 'no such task', lambda: node.tasks(upid.replace('vzstop', 'vzstart')).status.get())


def destroy():
    upid = ct.delete(purge=1)
    task_ok('destroy', px, upid)
    ok('its log stays', task_log(px, upid)[-1] == 'TASK OK')
    raises('its config is gone', 500, 'does not exist', ct.config.get)
    ok('it is in no list', not [g for g in px.cluster.resources.get(type='vm') if g['vmid'] == VMID] and
       not [g for g in node.lxc.get() if int(g['vmid']) == VMID])
    ok('its volume is gone', not [v for v in node.storage.local.content.get() if v.get('vmid') == VMID])


parts = [create, config, start, address, setuid_programs, live_change, suspend_and_resume, execs, pending_change, shutdown_and_start, cancelled, reboot, tasks, protection, destroy]
run(*([nextid] if KIND == 'busybox' else []), *parts)
