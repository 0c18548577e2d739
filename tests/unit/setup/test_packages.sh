#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# systemd/setup/packages.sh: services are kept from starting during an installation, and only then.
set -euo pipefail
top=$(cd "$(dirname "$(readlink -f "$0")")/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=systemd/setup/packages.sh
. "$top/systemd/setup/packages.sh"
packages_policy=$work/policy-rc.d
failed=0
check() { # check TEXT COMMAND…
	if (set +e; "${@:2}"); then echo "ok - $1"; else
		echo "not ok - $1"
		failed=1
	fi
}
not() { ! "$@"; }
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
exit $failed
