/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this host offers to containers. Runs in jobs. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/paths.h"
#include "agent/guest/ct/items.h"

#define LXCFS_PROC	"/var/lib/lxcfs/proc"
#define LXCFS_HOOK	"/usr/share/lxcfs/lxc.mount.hook"
#define SECCOMP_PROFILE "/usr/share/lxc/config/common.seccomp"
#define APPARMOR_SWITCH "/sys/module/apparmor/parameters/enabled"
#define APPARMOR_PARSER "/usr/sbin/apparmor_parser"

static bool is_apparmor_enabled(void)
{
	autobuf text = BUF_INIT;

	return file_read(APPARMOR_SWITCH, 16, &text, NULL) == 0 && buf_str(&text)[0] == 'Y' &&
	       access(APPARMOR_PARSER, X_OK) == 0;
}

void ct_host_read(struct ct_host *ret)
{
	static char *program;

	if (!program)
		program = path_join(path_libexec(), "lodge-task-ct");
	*ret = (struct ct_host){
		.cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN),
		.hook_program = program,
		.lxcfs_hook = access(LXCFS_PROC, F_OK) == 0 && access(LXCFS_HOOK, X_OK) == 0
				      ? LXCFS_HOOK
				      : NULL,
		.seccomp = access(SECCOMP_PROFILE, R_OK) == 0 ? SECCOMP_PROFILE : NULL,
		.has_apparmor = is_apparmor_enabled(),
	};
	cgroup_layout_read(&ret->cgroups);
}
