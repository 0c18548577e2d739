# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The daemons, under systemd or under lodge-supervise, and the guests' network. Sourced by quickstart.sh.
# shellcheck disable=SC2154

state=/var/lib/lodge
run=/run/lodge
units="lodged.service lodge-monitor.service lodge-gate.service"

service_start() { # again: with the new programs and settings
	if packages_has_systemd; then
		systemctl daemon-reload
		systemctl --quiet enable lodge.target
		# shellcheck disable=SC2086
		systemctl restart $units
		systemctl start lodge.target
	else
		"$libexec/lodge-supervise" stop
		setsid -f "$libexec/lodge-supervise" </dev/null 9>&-
	fi
}

service_stop() {
	if packages_has_systemd; then
		# shellcheck disable=SC2086
		systemctl stop lodge.target $units 2>/dev/null || :
	elif [ -x "$libexec/lodge-supervise" ]; then
		"$libexec/lodge-supervise" stop
	fi
}

service_status() {
	local unit code=0
	if packages_has_systemd; then
		for unit in $units; do
			printf '%-24s %s\n' "$unit" "$(systemctl is-active "$unit")"
			systemctl --quiet is-active "$unit" || code=3
		done
		return $code
	fi
	"$libexec/lodge-supervise" status
}

service_address() { # where this host reaches its own gate
	local listen
	listen=$(conf_get LODGE_LISTEN)
	case $listen in
	'' | :: | 0.0.0.0) echo 127.0.0.1 ;;
	*:*) echo "[$listen]" ;;
	*) echo "$listen" ;;
	esac
}
service_port() {
	local port
	port=$(conf_get LODGE_PORT)
	echo "${port:-8006}"
}
service_https_answers() {
	local code
	code=$(curl -ks --noproxy '*' --max-time 5 -o /dev/null -w '%{http_code}' \
		"https://$(service_address):$(service_port)/api2/json/version") || return
	[ "$code" = 200 ] || [ "$code" = 401 ]
}
service_wait() { # service_wait SECONDS
	local end=$((SECONDS + $1))
	until lodge get /version >/dev/null 2>&1 && service_https_answers; do
		[ $SECONDS -lt $end ] || return
		sleep 0.2
	done
}
service_logs() {
	if packages_has_systemd; then
		journalctl --no-pager -q -n 30 -u lodged -u lodge-gate -u lodge-monitor
	else
		tail -n 15 /var/log/lodge/*.log
	fi
}

# ---- the guests' network ----

network_get() { # network_get bridge|mode|prefix
	[ ! -f $state/network.conf ] || sed -n "s/^$1=//p" $state/network.conf
}
network_has_guests() {
	[ -n "$(ls "/sys/class/net/$(network_get bridge)/brif" 2>/dev/null)" ]
}
# The bridge that is asked for, now or by an earlier run; nothing: Lodge chooses.
network_wanted() {
	echo "${LODGE_BRIDGE:-$(conf_get LODGE_BRIDGE)}"
}
network_becomes_another() {
	local old wanted
	old=$(network_get bridge) wanted=$(network_wanted)
	[ -n "$old" ] && [ -n "$wanted" ] && [ "$old" != "$wanted" ]
}
network_is_used() {
	[ "$(network_get mode)" = nat ] && network_has_guests
}
# Refuses before anything was changed.
network_check() {
	[ -n "${LODGE_BRIDGE:-}" ] && network_becomes_another && network_is_used || return 0
	die "guests are attached to $(network_get bridge): stop them before the bridge becomes $LODGE_BRIDGE"
}
# Brought up here already, so that the choice is made once, with LODGE_BRIDGE, and its warnings are read.
network_apply() {
	local answer
	if network_becomes_another && network_is_used; then
		warn "LODGE_BRIDGE is $(network_wanted), but guests are attached to $(network_get bridge): it is left until they are stopped and this is run again"
	elif network_becomes_another; then
		network_remove
	fi
	mkdir -p $state $run
	if ! answer=$(LODGE_BRIDGE=$(network_wanted) "$libexec/lodge-task" helper net-apply </dev/null 2>/dev/null 9>&-); then
		warn "the guests' network is not there: ${answer#* * }"
		return
	fi
	answer=$(sed -n 's/.*"warnings":\["\(.*\)"\].*/\1/p' <<<"$answer")
	[ -z "$answer" ] || warn "the guests' network: $answer"
}
network_remove() {
	local answer
	[ -x "$libexec/lodge-task" ] || return 0
	answer=$("$libexec/lodge-task" helper net-remove </dev/null 9>&-) ||
		warn "the guests' network stays: ${answer#* * }"
}
network_describe() {
	local mode prefix
	mode=$(network_get mode) prefix=$(network_get prefix)
	case $mode in
	nat) echo "$(network_get bridge) (Lodge's own: NAT, DHCP and DNS on $prefix.0/24)" ;;
	host) echo "$(network_get bridge) (this host's own bridge)" ;;
	*) [ "$(network_wanted)" = none ] && echo "none (LODGE_BRIDGE)" || echo "none yet" ;;
	esac
}

# ---- the node's own interfaces ----

interfaces=/etc/lodge/network/interfaces
interfaces_unit=lodge-network.service

interfaces_at_boot() { # those that Lodge sets up: "NAME (ADDRESSES)", one a line
	[ -x "$libexec/lodge-task" ] && [ -f "$interfaces" ] || return 0
	awk '
		function tell() { if (is_on) print name (where == "" ? "" : " (" where ")") }
		/^[a-z]+: / { tell(); name = $2; where = ""; is_on = 0 }
		$1 == "autostart" { is_on = $2 == "1" }
		$1 == "cidr" || $1 == "cidr6" { where = where (where == "" ? "" : ", ") $2 }
		END { tell() }' "$interfaces"
}
# Nobody else sets them up: a host that is reached through them would be gone with its next boot.
interfaces_check() { # interfaces_check keep|drop|""
	local list
	list=$(interfaces_at_boot)
	[ -n "$list" ] && [ -z "$1" ] || return 0
	die "Lodge sets up interfaces of this host at each boot: ${list//$'\n'/, }
Nothing was changed. Say what shall become of them:
  --keep-network   $interfaces stays, and the service that sets them up at boot
  --drop-network   they go with the next boot: it sets up only what this host's own network configuration says"
}
# The service and its program go on, with the settings; the manifest has them, for whoever takes them away later.
interfaces_leave() {
	local kept
	kept=$(mktemp)
	grep -E "^$libexec/lodge-task\$|/$interfaces_unit\$" "$manifest" >"$kept" || :
	echo "$manifest" >>"$kept"
	files_remove < <(grep -vxF -f "$kept" "$manifest")
	install -m 644 "$kept" "$manifest"
	rm -f "$kept"
	! packages_has_systemd || systemctl --quiet add-wants multi-user.target $interfaces_unit
}
interfaces_describe_left() {
	packages_has_systemd && say "$interfaces_unit goes on setting up: $(interfaces_at_boot | paste -sd, | sed 's/,/, /g')" ||
		say "at each boot, have this run: $libexec/lodge-task helper net-boot"
	say "once this host configures them by its own means: $0 uninstall --drop-network"
}
