/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Landlock: the file system shrinks to two readable folders. The C library has no wrappers, and the
 * headers of Debian 12 know its first versions only; what the running kernel knows is asked. */
#include "agent/gate/sandbox.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"

#define FS_ALL_OF_FIRST ((UINT64_C(1) << 13) - 1) /* EXECUTE to MAKE_SYM */
#define FS_REFER	(UINT64_C(1) << 13)
#define FS_TRUNCATE	(UINT64_C(1) << 14)
#define FS_IOCTL_DEV	(UINT64_C(1) << 15)
#define NET_TCP		UINT64_C(3) /* BIND_TCP, CONNECT_TCP */
#define SCOPE_ALL	UINT64_C(3) /* ABSTRACT_UNIX_SOCKET, SIGNAL */

/* struct landlock_ruleset_attr as it has grown */
struct ruleset {
	uint64_t fs, net, scoped;
};

static const struct {
	int abi; /* first with it */
	size_t size;
	struct ruleset more;
} steps[] = {
	{1, 8, {.fs = FS_ALL_OF_FIRST}}, {2, 8, {.fs = FS_REFER}},
	{3, 8, {.fs = FS_TRUNCATE}},	 {4, 16, {.net = NET_TCP}},
	{5, 16, {.fs = FS_IOCTL_DEV}},	 {6, 24, {.scoped = SCOPE_ALL}},
};

static int make_ruleset(int abi)
{
	struct ruleset all = {0};
	size_t size = 0;

	for (size_t i = 0; i < ARRAY_SIZE(steps) && steps[i].abi <= abi; i++) {
		all.fs |= steps[i].more.fs;
		all.net |= steps[i].more.net;
		all.scoped |= steps[i].more.scoped;
		size = steps[i].size;
	}
	return (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
}

static int allow_reading(int ruleset, int folder)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
		.parent_fd = folder,
	};

	if (folder < 0)
		return 0;
	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

int sandbox_landlock(const int *readable, struct err *err)
{
	int abi =
		(int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	autofd int ruleset = -1;
	int r = 0;

	if (abi < 1) {
		log_warning("sandbox: this kernel has no Landlock; the other layers stay");
		return 0;
	}
	ruleset = make_ruleset(abi);
	for (int i = 0; ruleset >= 0 && r == 0 && i < SANDBOX_READABLE_MAX; i++)
		r = allow_reading(ruleset, readable[i]);
	if (ruleset < 0 || r < 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return err_errno(err, errno, "landlock");
	return 0;
}
