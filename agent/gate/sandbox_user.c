/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving up privileges: user, capabilities, and processes besides this one. */
#include "agent/gate/sandbox.h"

#include <errno.h>
#include <sys/resource.h>

#include "agent/base/privileges.h"

int sandbox_user(const struct passwd *pw, struct err *err)
{
	const struct rlimit none = {0};
	int r = privileges_drop(pw, err);

	if (r == 0 && setrlimit(RLIMIT_NPROC, &none) < 0)
		r = err_errno(err, errno, "limits");
	return r;
}
