#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What storages hold beside guests: copies of volumes, templates of the node's lists, images of a container registry and
# containers made of them.
# limit: 300
. "$(dirname "$(readlink -f "$0")")/lib.sh"
product_make
busybox=$(template_busybox) || skip_all "no busybox template"
cp "$busybox" "$LAB/busybox.tar.gz"
lab_residue_before
ok "a node" lab_start n1
ok "the product answers on it" product_up n1
in1() { lab_in n1 "$@"; }
store=/var/lib/lodge/local
here_in="$LAB/n1/in"
says() { # says PATTERN COMMAND…: on the node
	local pattern=$1
	shift
	in1 "$@" 2>&1 | tee "$LAB/said" | grep -q -- "$pattern" || { cat "$LAB/said"; return 1; }
}
done_job() { in1 lodge post "$@"; }
job() { # job PATTERN PATH [--NAME VALUE…]: a task that fails and says PATTERN
	local pattern=$1
	shift
	not in1 lodge post "$@" >"$LAB/said" 2>&1 && grep -q -- "$pattern" "$LAB/said" || { cat "$LAB/said"; return 1; }
}
no_file() { in1 sh -c "! ls -A $store/template/* $store/images/* 2>/dev/null | grep -E '$1'"; }
content=/nodes/n1/storage/local/content

# copies
ok "a template is put in" in1 lodge upload /lab/busybox.tar.gz local:vztmpl
ok "and copied" done_job "$content/vztmpl/busybox.tar.gz" --target vztmpl/second.tar.gz
ok "it is the same" in1 cmp "$store/template/cache/busybox.tar.gz" "$store/template/cache/second.tar.gz"
ok "a name in use is refused" job "already exists" "$content/vztmpl/busybox.tar.gz" --target vztmpl/second.tar.gz
ok "another kind of content is refused" not in1 lodge post "$content/vztmpl/busybox.tar.gz" --target iso/x.iso
ok "a container" in1 lodge create 150 --ostemplate local:vztmpl/second.tar.gz --rootfs local:0.1 --memory 64 --hostname one --start 1
ok "its volume is not copied while it runs" says "not stopped" lodge post "$content/150/vm-150-disk-0.raw" --target 150/vm-150-disk-9.raw
in1 lodge stop 150
ok "when it stopped it is" done_job "$content/150/vm-150-disk-0.raw" --target 151/vm-151-disk-4.raw
ok "it is the same" in1 cmp "$store/images/150/vm-150-disk-0.raw" "$store/images/151/vm-151-disk-4.raw"
ok "in another format" done_job "$content/151/vm-151-disk-4.raw" --target local:151/vm-151-disk-5.qcow2
ok "it is the same" in1 qemu-img compare -f raw -F qcow2 "$store/images/151/vm-151-disk-4.raw" "$store/images/151/vm-151-disk-5.qcow2"
ok "a volume in use is refused" job "already exists" "$content/150/vm-150-disk-0.raw" --target 151/vm-151-disk-4.raw
ok "a copy is removed like others" in1 lodge delete "$content/151/vm-151-disk-5.qcow2"
ok "and gone" not in1 test -e "$store/images/151/vm-151-disk-5.qcow2"
in1 lodge destroy 150

# a copy whose job is killed
in1 sh -c "truncate -s 6G $store/images/151/vm-151-disk-6.raw; dd if=/dev/urandom of=$store/images/151/vm-151-disk-6.raw bs=1M count=300 conv=notrunc status=none"
killed() { # as soon as there is something of it
	in1 sh -c "upid=\$(lodge post $content/151/vm-151-disk-6.raw --target 151/vm-151-disk-7.qcow2 --no-wait | grep -o 'UPID:[^\" ]*')
		pid=\$(echo \"\$upid\" | cut -d: -f3)
		until ls $store/images/151/vm-151-copying* >/dev/null 2>&1; do kill -0 \$((0x\$pid)) || exit 1; done
		kill -9 \$((0x\$pid))"
}
ok "a job that copies is killed" killed
ok "a copy whose job was killed is removed" wait_for 20 not in1 sh -c "ls $store/images/151 | grep -E 'copying|disk-7'"
ok "and nothing else" in1 test -e "$store/images/151/vm-151-disk-6.raw" -a -e "$store/images/151/vm-151-disk-4.raw"
in1 rm -rf "$store/images/151"

# templates of the lists, from a server on the switch whose certificate the node trusts
host=$(lab_net ip -4 -o address show | grep -o '198\.51\.100\.[0-9]*' | head -1)
mkdir "$LAB/www"
cp "$busybox" "$LAB/www/root.tar.gz"
(cd "$LAB/www" && sha256sum root.tar.gz >SUMS && sed 's/^./x/;s/^x/0/;s/^0\(.\)/\11/' SUMS >WRONG && sha512sum root.tar.gz | cut -d' ' -f1 >ALONE)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=lab -addext "subjectAltName=IP:$host" \
	-keyout "$LAB/tls.key" -out "$LAB/tls.crt" 2>/dev/null
cat "$LAB/tls.crt" "$LAB/tls.key" >"$LAB/tls.pem"
in1 sh -c 'cat /lab/tls.crt >>/etc/ssl/certs/ca-certificates.crt'
cp "$here/storage_server.py" "$LAB/"
lab_child nsenter -t "$lab_switch" -n -- "$python" "$LAB/storage_server.py" "$LAB/www" 8443 "$LAB/tls.pem" >"$LAB/server.log" 2>&1 &
server=$!
wait_for 10 grep -q ready "$LAB/server.log"
list() { # list NAME SUM
	printf '[%s]\nurl = https://%s:8443/root.tar.gz\nsum = %s\nfile = %s.tar.gz\nheadline = From the lab\n' "$1" "$host" "$2" "$1"
}
sum=$(cut -d' ' -f1 "$LAB/www/SUMS")
{
	list good "sha256 https://$host:8443/SUMS"
	list alone "sha512 https://$host:8443/ALONE"
	list pinned "sha256 $sum"
	list wrong "sha256 https://$host:8443/WRONG"
	list missing "sha256 https://$host:8443/NONE"
	list other "sha256 $(echo other | sha256sum | cut -d' ' -f1)"
	printf '[alpine-3.20]\ndisable = 1\n'
} >"$LAB/lab.list"
in1 sh -c 'mkdir -p /etc/lodge/templates.d && cp /lab/lab.list /etc/lodge/templates.d/'
ok "what the node makes is listed" says busybox_ lodge get /nodes/n1/aplinfo
ok "what it downloads, too" says alpine-3.21_ lodge get /nodes/n1/aplinfo
ok "the administrator's own" says good.tar.gz lodge get /nodes/n1/aplinfo
ok "what the administrator took away is not" not says alpine-3.20_ lodge get /nodes/n1/aplinfo
for name in good alone pinned; do
	ok "a template that is downloaded ($name)" done_job /nodes/n1/aplinfo --storage local --template $name.tar.gz
	ok "it is the same" in1 cmp /lab/busybox.tar.gz "$store/template/cache/$name.tar.gz"
done
ok "a wrong checksum" job "checksum mismatch" /nodes/n1/aplinfo --storage local --template wrong.tar.gz
ok "another one's" job "checksum mismatch" /nodes/n1/aplinfo --storage local --template other.tar.gz
ok "none to be had" job "answered 404" /nodes/n1/aplinfo --storage local --template missing.tar.gz
ok "nothing is left of them" no_file 'wrong|other|missing|lodge-import'
ok "a name that no list has" job "no template" /nodes/n1/aplinfo --storage local --template nothing.tar.gz
in1 sh -c 'echo nonsense >/etc/lodge/templates.d/bad.list'
ok "a list that is wrong hides itself alone" says good.tar.gz lodge get /nodes/n1/aplinfo
kill "$server"
wait "$server" 2>/dev/null
in1 rm /etc/lodge/templates.d/bad.list

# one whose maker is killed while it waits for a mirror that never answers
maker() { in1 pgrep -f '[m]mdebstrap'; }
rooms() { in1 sh -c 'ls -d /var/tmp/lodge-template-*'; }
killed_maker() {
	lab_child nsenter -t "$lab_switch" -n -- "$python" -c 'import socket; s = socket.create_server(("", 8080)); held = []
while True: held.append(s.accept())' &
	mirror=$!
	wait_for 10 lab_net sh -c 'ss -ltn | grep -q :8080' || return
	job=$((0x$(in1 lodge post /nodes/n1/aplinfo --storage local --template slow.tar.zst --no-wait | grep -o 'UPID:[^" ]*' | cut -d: -f3)))
	wait_for 20 maker && rooms && in1 kill -KILL $job
}
if in1 sh -c 'command -v mmdebstrap && test -e /usr/share/keyrings/debian-archive-keyring.gpg' >/dev/null; then
	printf '[slow]\nmake = debian bookworm\nfile = slow.tar.zst\nkeyring = %s\nmirror = http://%s:8080\n' \
		/usr/share/keyrings/debian-archive-keyring.gpg "$host" >"$LAB/slow.list"
	in1 cp /lab/slow.list /etc/lodge/templates.d/
	ok "a job that makes a template is killed" killed_maker
	ok "nothing that it started goes on" wait_for 5 not maker
	ok "its folder is still there" rooms
	ok "the next one" done_job /nodes/n1/aplinfo --storage local --template "$(in1 lodge get /nodes/n1/aplinfo | grep -o 'busybox_[a-z0-9]*.tar.gz' | head -1)"
	ok "removes it, and its own" not rooms
	ok "nothing is left in the storage" no_file 'slow|lodge-import'
	kill "$mirror"
else
	skip "a job that makes a template is killed" "no mmdebstrap on the node"
fi

# a registry
if command -v skopeo >/dev/null && command -v docker-registry >/dev/null; then
	"$python" "$here/oci_image.py" "$LAB/image" "$(command -v busybox)"
	printf 'version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: %s/registry\nhttp:\n  addr: :5000\n' "$LAB" >"$LAB/registry.yml"
	lab_child nsenter -t "$lab_switch" -n -- docker-registry serve "$LAB/registry.yml" >"$LAB/registry.log" 2>&1 &
	registry=$!
	wait_for 10 lab_net curl -sf "http://$host:5000/v2/"
	ok "an image is pushed" lab_net skopeo copy --quiet --dest-tls-verify=false "oci:$LAB/image:v1" "docker://$host:5000/lab/app:v1"
	in1 sh -c "mkdir -p /etc/containers/registries.conf.d && printf '[[registry]]\nlocation = \"$host:5000\"\ninsecure = true\n' >/etc/containers/registries.conf.d/lab.conf"
	ok "its tags" says v1 lodge get /nodes/n1/query-oci-repo-tags --reference "$host:5000/lab/app"
	ok "of an image that is not there" not in1 lodge get /nodes/n1/query-oci-repo-tags --reference "$host:5000/lab/none"
	pull=/nodes/n1/storage/local/oci-registry-pull
	ok "it is pulled" done_job $pull --reference "$host:5000/lab/app:v1"
	ok "under its name" in1 test -s "$store/template/cache/app_v1.tar"
	ok "under another one" done_job $pull --reference "$host:5000/lab/app:v1" --filename mine
	ok "a name in use is refused" job "already exists" $pull --reference "$host:5000/lab/app:v1" --filename mine.tar
	ok "a tag that is not there" job "TASK ERROR" $pull --reference "$host:5000/lab/app:v9"
	ok "a reference that is none" not in1 lodge post $pull --reference "--help:v1"
	ok "nothing is left of them" no_file 'app_v9|lodge-import'
	ok "nor beside them" not in1 sh -c "ls -d $store/template/cache/.lodge-import*"
	# a manifest that announces more than may come
	curl_in() { lab_net curl -sf -H "Accept: application/vnd.oci.image.manifest.v1+json" "$@"; }
	curl_in "http://$host:5000/v2/lab/app/manifests/v1" | "$python" -c '
import json, sys
manifest = json.load(sys.stdin)
manifest["layers"][0]["size"] = 1 << 40
json.dump(manifest, sys.stdout)' >"$LAB/huge.json"
	ok "a manifest of a huge image" curl_in -X PUT -H "Content-Type: application/vnd.oci.image.manifest.v1+json" \
		--data-binary "@$LAB/huge.json" "http://$host:5000/v2/lab/app/manifests/huge"
	ok "it is not pulled" job "the image has more than" $pull --reference "$host:5000/lab/app:huge"
	# what a pull left whose job was killed
	in1 mkdir -p "$store/template/cache/.lodge-import+n1+old-boot+1+1+0.parts/oci1/blobs"
	ok "another pull" done_job $pull --reference "$host:5000/lab/app:v1" --filename again
	ok "sweeps what a killed one left" not in1 sh -c "ls -d $store/template/cache/.lodge-import*"

	in1 ip link add lodge0 type bridge
	ok "a container of it" in1 lodge create 160 --ostemplate local:vztmpl/app_v1.tar --rootfs local:0.1 --memory 64 --hostname app \
		--net0 name=eth0,bridge=lodge0,ip=10.9.8.7/24,host-managed=1 --start 1
	in_ct() { in1 lodge exec 160 -- "$@"; }
	ok "its program runs with what the image says" wait_for 15 says '^hello there:two words:/:1000:1' lodge exec 160 -- /bin/cat /tmp/said
	ok "the layers are laid over each other" sh -c "'$here_in' lodge exec 160 -- /bin/ls /srv /srv/old | tr '\n' ' ' | grep -q '/srv: keep old */srv/old: new'"
	ok "its interface has its address" sh -c "'$here_in' lodge exec 160 -- /bin/ip addr show eth0 | grep -q '10.9.8.7/24'"
	ok "the configuration says so" says '/app "two words"' lodge config 160
	ok "it is shut down by SIGTERM" in1 timeout 20 lodge shutdown 160
	ok "and stopped" wait_for 10 sh -c "'$here_in' lodge ls | grep -E '^ *160 .*stopped'"
	ok "what the caller says comes first" in1 lodge create 161 --ostemplate local:vztmpl/mine.tar --rootfs local:0.1 --memory 64 \
		--hostname own --entrypoint /bin/sh
	ok "and stays" sh -c "'$here_in' lodge config 161 | grep -E 'entrypoint.*/bin/sh$'"
	in1 lodge destroy 160
	in1 lodge destroy 161

	# a working folder that is one of liblxc's own descriptors, at once and by a link
	for form in /proc/self/fd/11 "/w /proc/self/fd/11"; do
		rm -rf "$LAB/escape"
		"$python" "$here/oci_image.py" "$LAB/escape" "$(command -v busybox)" $form
		tar -C "$LAB/escape" -cf "$LAB/escape.tar" .
		ok "an image that would begin elsewhere ($form)" in1 lodge upload /lab/escape.tar local:vztmpl
		ok "a container of it, with a word about it" says "working folder .* is left out" lodge create 162 \
			--ostemplate local:vztmpl/escape.tar --rootfs local:0.1 --memory 64 --hostname esc --start 1
		ok "it begins in its own root" wait_for 15 says ':/:1000:1$' lodge exec 162 -- /bin/cat /tmp/said
		ok "and is nowhere else" says '^/$' lodge exec 162 -- /bin/sh -c 'cd -P /proc/1/cwd && pwd -P'
		ok "nothing says so to liblxc" not says init.cwd lodge config 162
		ok "nobody sets it by hand" says "'lxc.init.cwd' cannot be set" lodge put /nodes/n1/lxc/162/config --lxc "lxc.init.cwd = /srv"
		for fd in 5 7 9 11 13; do
			ok "a program that is started in descriptor $fd is refused" not in1 lodge exec 162 --cwd /proc/self/fd/$fd -- /bin/ls
		done
		in1 lodge stop 162
		in1 lodge destroy 162
		in1 lodge delete "$content/vztmpl/escape.tar"
	done
	kill "$registry"
	wait "$registry" 2>/dev/null
else
	skip "images of a registry" "skopeo or docker-registry is not installed"
fi
lab_stop_all
ok "nothing is left on the host" lab_residue_after
