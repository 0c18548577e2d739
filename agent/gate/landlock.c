/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Landlock: the file system shrinks to a few readable folders. glibc has no wrappers. */
#include "agent/gate/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#define ACCESS_FS_IOCTL_DEV (1ULL << 15)
#define ACCESS_NET_ALL	    3ULL /* BIND_TCP, CONNECT_TCP */

#define ACCESS_FS_ABI1 ((1ULL << 13) - 1)
#define ACCESS_READ    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* as Linux 6.7 has it; older headers lack the second member */
struct ruleset {
	uint64_t fs;
	uint64_t net;
};

static struct ruleset rules_for(int abi)
{
	struct ruleset r = {.fs = ACCESS_FS_ABI1};

	if (abi >= 2)
		r.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		r.fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 4)
		r.net = ACCESS_NET_ALL;
	if (abi >= 5)
		r.fs |= ACCESS_FS_IOCTL_DEV;
	return r;
}

static int allow_reading(int ruleset, const char *folder, struct err *err)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = ACCESS_READ};
	autofd int fd = open(folder, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(err, errno, "landlock: %s", folder);
	rule.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return err_errno(err, errno, "landlock: %s", folder);
	return 0;
}

int sandbox_landlock(const char *const *readable, struct err *err)
{
	int abi = (int) syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset rules = rules_for(abi);
	autofd int fd = -1;
	int r = 0;

	if (abi < 1) {
		log_notice("this kernel has no Landlock; the other layers of the sandbox stay");
		return 0;
	}
	fd = (int) syscall(SYS_landlock_create_ruleset, &rules, abi >= 4 ? sizeof(rules) : sizeof(rules.fs),
			   0);
	if (fd < 0)
		return err_errno(err, errno, "landlock");
	for (; r == 0 && *readable; readable++)
		r = allow_reading(fd, *readable, err);
	if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		r = err_errno(err, errno, "landlock");
	return r;
}
