/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps this program's file out of the hands of containers. A process that enters a container, or becomes its init, is
 * ours until it executes what it came for: by its /proc/PID/exe, or by an interpreter line "#!/proc/self/exe" that makes
 * it execute us, somebody inside gets hold of our file, and root of a privileged container may write to it once nobody
 * runs it (CVE-2019-5736). So we run from a mount of that one file that is read-only, is in no namespace and ends with
 * its last user: whoever opens it through us gets no further. Unlike the copy in memory that liblxc makes when
 * LXC_MEMFD_REXEC is set, it costs no memory for each container. */
#pragma once

#include <stdbool.h>

#include "agent/base/err.h"

/* Executes this program again from such a mount, unless it is there already: then it returns 0. Before anything else
 * in main(); pid and start time stay. */
int ct_guard_self(char **argv, struct err *err);
/* ERR_INTERNAL: not there. Ask before a process of ours enters a container. */
int ct_guard_require(struct err *err);
