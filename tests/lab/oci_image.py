#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""oci_image.py FOLDER BUSYBOX [WORKINGDIR [LINK]]: an OCI layout, made by hand: a base with a static busybox, and a layer over it that takes
files of the base away. Its program says where and as whom it runs, and ends by SIGTERM alone.
LINK: where the working folder, a link then, leads."""
import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

folder, busybox = sys.argv[1:3]
working, link = (sys.argv[3:] + ['/srv/old', None][len(sys.argv) - 3:])[:2]
os.makedirs(f'{folder}/blobs/sha256')

PROGRAM = b'''#!/bin/sh
echo "$GREETING:$1:$(pwd):$(id -u):$$" >/tmp/said
trap 'echo ended >/tmp/ended; exit 0' TERM
while :; do sleep 100 & wait $!; done
'''


def blob(data, media):
    digest = hashlib.sha256(data).hexdigest()
    with open(f'{folder}/blobs/sha256/{digest}', 'wb') as f:
        f.write(data)
    return {'mediaType': media, 'digest': f'sha256:{digest}', 'size': len(data)}


def layer(entries):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode='w', format=tarfile.PAX_FORMAT) as tar:
        for name, kind, content, mode in entries:
            info = tarfile.TarInfo(name)
            info.type, info.mode = kind, mode
            if kind == tarfile.SYMTYPE:
                info.linkname = content
            elif kind == tarfile.REGTYPE:
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content) if kind == tarfile.REGTYPE else None)
    return raw.getvalue()


D, F, L = tarfile.DIRTYPE, tarfile.REGTYPE, tarfile.SYMTYPE
with open(busybox, 'rb') as f:
    program = f.read()
base = layer([('bin/', D, None, 0o755), ('bin/busybox', F, program, 0o755),
              *[(f'bin/{name}', L, 'busybox', 0o777) for name in ('sh', 'sleep', 'id', 'cat', 'ls', 'ip')],
              ('etc/', D, None, 0o755), ('etc/passwd', F, b'root:x:0:0:root:/:/bin/sh\n', 0o644),
              ('proc/', D, None, 0o755), ('sys/', D, None, 0o755), ('dev/', D, None, 0o755), ('tmp/', D, None, 0o1777),
              ('srv/old/deep/', D, None, 0o755), ('srv/old/deep/a', F, b'a', 0o644), ('srv/keep', F, b'keep', 0o644),
              ('srv/gone', F, b'gone', 0o644)])
over = layer([('srv/old/new', F, b'new', 0o644), ('srv/old/.wh..wh..opq', F, b'', 0o644), ('srv/.wh.gone', F, b'', 0o644),
              ('app', F, PROGRAM, 0o755), *([(working.lstrip('/'), L, link, 0o777)] if link else [])])
config = {'architecture': 'amd64' if os.uname().machine == 'x86_64' else 'arm64', 'os': 'linux',
          'config': {'Entrypoint': ['/app'], 'Cmd': ['two words'], 'Env': ['PATH=/bin', 'GREETING=hello there'],
                     'WorkingDir': working, 'User': '1000:1000'},
          'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + hashlib.sha256(one).hexdigest() for one in (base, over)]}}
manifest = {'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
            'config': blob(json.dumps(config).encode(), 'application/vnd.oci.image.config.v1+json'),
            'layers': [blob(gzip.compress(one), 'application/vnd.oci.image.layer.v1.tar+gzip') for one in (base, over)]}
first = blob(json.dumps(manifest).encode(), manifest['mediaType'])
first['annotations'] = {'org.opencontainers.image.ref.name': 'v1'}
with open(f'{folder}/index.json', 'w') as f:
    json.dump({'schemaVersion': 2, 'manifests': [first]}, f)
with open(f'{folder}/oci-layout', 'w') as f:
    f.write('{"imageLayoutVersion": "1.0.0"}')
