#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# systemd/setup/packages.sh: services are kept from starting during an installation, and only then.
set -euo pipefail
# shellcheck source=tests/unit/setup/check.sh
. "$(dirname "$(readlink -f "$0")")/check.sh"
# shellcheck source=systemd/setup/packages.sh
. "$top/systemd/setup/packages.sh"
packages_policy=$work/policy-rc.d
denies() { [ "$("$packages_policy" >/dev/null 2>&1; echo $?)" = 101 ]; }

packages_quiet_services
check "no service is started" denies
packages_restore_services
check "afterwards they are" not test -e "$packages_policy"

packages_quiet_services
packages_policy_is_ours= # killed here, started again
packages_quiet_services
packages_restore_services
check "what a killed installation left goes with the next" not test -e "$packages_policy"

printf '#!/bin/sh\nexit 101\n' >"$packages_policy"
packages_quiet_services
packages_restore_services
check "the host's own stays" test -e "$packages_policy"

# ---- the bridge that Debian's lxc brings ----

# shellcheck source=systemd/setup/files.sh
. "$top/systemd/setup/files.sh"
conf=$work/lodge.conf
warn() { echo "warning: $*" >&2; }
packages_has_systemd() { return 0; }
has_lxc=
packages_is_installed() { [ -n "$has_lxc" ]; }
mask=$work/masked # what systemd keeps
systemctl() {
	case " $* " in
	*" is-enabled "*) [ ! -e "$mask" ] || { echo masked && return 1; } && echo enabled ;;
	*" mask "*) touch "$mask" ;;
	*" unmask "*) rm -f "$mask" ;;
	esac
}
install() { packages_hold_lxc_net conf_put LODGE_MASKED_LXC_NET 1; }
is_masked() { [ -e "$mask" ]; }

install
check "it is masked before it is there" is_masked
has_lxc=1
install
packages_release_lxc_net
check "and no longer when Lodge goes" not is_masked
touch "$mask"
install
packages_release_lxc_net
check "who masks it later keeps that" is_masked

rm -f "$conf" # another host
has_lxc=
install
has_lxc=1
packages_release_lxc_net
check "who masked it before does, too" is_masked

rm -f "$mask" "$conf"
install
check "with an lxc of the host's own nothing is masked" not is_masked

has_lxc=
die_here() { is_masked && echo masked first; exit 1; }
(packages_hold_lxc_net die_here) >"$work/died" || :
check "it is noted before it is masked" not test -s "$work/died"
install
check "it is noted in the settings" grep -qx LODGE_MASKED_LXC_NET=1 "$conf"
exit $failed
