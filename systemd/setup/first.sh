# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a new node needs to be useful: somebody who may log in, and a template. Sourced by quickstart.sh.
# shellcheck disable=SC2154

admin=admin@pve
templates=/var/lib/lodge/local/template/cache

first_password() { # 20 characters, 116 bits
	LC_ALL=C tr -dc 'a-km-zA-HJ-NP-Z2-9' </dev/urandom 2>/dev/null | head -c 20 || :
}

# Sets $password if the user was made now. The password goes through a pipe: arguments can be read by
# everyone on this host.
first_admin() {
	password=
	! lodge get "/access/users/$admin" >/dev/null 2>&1 || return 0
	password=${LODGE_ADMIN_PASSWORD:-$(first_password)}
	lodge post /access/users --userid "$admin" --comment "made by quickstart" >/dev/null ||
		die "user $admin could not be made"
	if ! { lodge put /access/acl --path / --roles Administrator --users "$admin" >/dev/null &&
		lodge passwd "$admin" <<<"$password" >/dev/null; }; then
		lodge delete "/access/users/$admin" >/dev/null || :
		die "user $admin could not be set up"
	fi
}

first_template_name() {
	lodge get "/nodes/$LODGE_NODE/storage/local/content" --content vztmpl 2>/dev/null |
		grep -o 'local:vztmpl/[^"]*' | LC_ALL=C sort | head -n 1
}
# Asked before, because apt takes minutes to give up. A proxy may resolve names that this host cannot.
first_has_mirror() {
	[ -n "${http_proxy:-}" ] || [ -n "$(apt-config dump 2>/dev/null | grep -i '^Acquire::http::Proxy "')" ] ||
		timeout 10 getent hosts deb.debian.org >/dev/null
}
# Nothing else depends on it: a node without network comes up, with a small template or none.
first_template() { # first_template LOG
	[ -z "${LODGE_SKIP_TEMPLATE:-}" ] && [ -z "$(first_template_name || :)" ] || return 0
	mkdir -p "$templates"
	if first_has_mirror; then
		say "making a container template: minimal Debian with systemd (about a minute)"
		"$libexec/lodge-make-template" -c "$templates" debian >"$1" 2>&1 </dev/null 9>&- && return
		warn "no Debian template: $(tail -n 1 "$1")"
	else
		warn "no Debian template: deb.debian.org cannot be reached; there is a small busybox one instead"
	fi
	warn "with network, later: $libexec/lodge-make-template -c $templates debian"
	"$libexec/lodge-make-template" -c "$templates" busybox >>"$1" 2>&1 </dev/null 9>&- ||
		warn "no busybox template either: $(tail -n 1 "$1")"
}

first_hints() {
	local url template bridge
	url=https://$(hostname -I 2>/dev/null | awk '{ print $1 }'):$(service_port)
	[ "$(service_address)" = 127.0.0.1 ] && [ "$url" != "https://:$(service_port)" ] ||
		url=https://$(service_address):$(service_port)
	template=$(first_template_name || :) bridge=$(network_get bridge)
	cat <<-END

		Lodge runs on node $LODGE_NODE.

		  URL       $url
		  User      $admin (Administrator)
	END
	if [ -n "${LODGE_ADMIN_PASSWORD:-}" ] && [ -n "$password" ]; then
		echo "  Password  as LODGE_ADMIN_PASSWORD says"
	elif [ -n "$password" ]; then
		echo "  Password  $password   (shown only now; change it: lodge passwd $admin)"
	else
		echo "  Password  unchanged   (a new one: lodge passwd $admin)"
	fi
	cat <<-END
		  Bridge    $(network_describe)
		  Template  ${template:-none yet: $libexec/lodge-make-template -c $templates debian}

		A first container, in this shell:

		  lodge create 100 --ostemplate ${template:-local:vztmpl/TEMPLATE} --hostname first --memory 512 \\
		      --rootfs local:4 --net0 name=eth0,bridge=${bridge:-vmbr0},ip=dhcp --password 'choose-one' --start 1
		  lodge ls

	END
	machines_hints "$bridge"
	cat <<-END
		The web page is at $url.

		The same from elsewhere, with any client of the Proxmox VE API; curl and proxmoxer for example:

		  curl -k -d username=$admin --data-urlencode password=PASSWORD $url/api2/json/access/ticket
		  python3 -c "from proxmoxer import ProxmoxAPI; p = ProxmoxAPI('${url#https://}', user='$admin',
		      password='PASSWORD', verify_ssl=False); print(p.nodes('$LODGE_NODE').lxc.get())"

	END
	packages_has_systemd || echo "There is no systemd here: after a reboot, setsid -f $libexec/lodge-supervise"
}
