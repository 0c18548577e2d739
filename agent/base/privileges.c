/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving up privileges: user, capabilities, limits. */
#include "agent/base/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Needs CAP_SETPCAP: before the user changes. */
static int drop_bounding_set(struct err *err)
{
	if (geteuid() != 0)
		return 0;
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap) < 0)
			return err_errno(err, errno, "drop capability %d", cap);
	return 0;
}

/* pw was looked up while the user database was in sight. */
static int become(const struct passwd *pw, struct err *err)
{
	if (setgroups(0, NULL) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return err_errno(err, errno, "become user %s", pw->pw_name);
	if (pw->pw_uid != 0 && (setuid(0) == 0 || geteuid() == 0))
		return err_set(err, ERR_INTERNAL, "root privileges did not go away");
	return 0;
}

static int clear_capabilities(struct err *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2];

	memset(none, 0, sizeof(none));
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, none) < 0)
		return err_errno(err, errno, "drop capabilities");
	return 0;
}

static int set_limits(struct err *err)
{
	const struct rlimit none = {0};

	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_errno(err, errno, "limits");
	return 0;
}

int privileges_drop(const struct passwd *pw, struct err *err)
{
	int r = drop_bounding_set(err);

	if (r == 0 && pw)
		r = become(pw, err);
	if (r == 0)
		r = clear_capabilities(err);
	return r < 0 ? r : set_limits(err);
}
