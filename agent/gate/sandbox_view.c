/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in sight: no network, no IPC objects, no files but the run-time folder. */
#include "agent/gate/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/paths.h"

/* In a container root may not be allowed to; the other layers hold by themselves. */
static void leave_networks(void)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWIPC) < 0)
		log_warning("sandbox: no namespaces of its own (errno %d)", errno);
}

int sandbox_view(bool *ret_inside, struct err *err)
{
	int r;

	if (geteuid() != 0) {
		if (chdir("/") < 0)
			return err_errno(err, errno, "chdir");
		log_notice("sandbox: not started by root, Unix sockets that are open to everyone "
			   "stay in sight");
		return 0;
	}
	leave_networks();
	if ((r = dir_make(path_run(), 0755, err)) < 0)
		return r;
	if (chroot(path_run()) < 0 || chdir("/") < 0)
		return err_errno(err, errno, "change root to %s", path_run());
	*ret_inside = true;
	return 0;
}
