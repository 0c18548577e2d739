/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving up privileges: user, capabilities, limits. */
#include "agent/gate/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int drop_user(const char *user, struct err *err)
{
	const struct passwd *pw = getpwnam(user);

	if (!pw)
		return err_set(err, ERR_NOT_FOUND, "user %s does not exist", user);
	if (getuid() == pw->pw_uid)
		return 0; /* started as that user */
	if (setgroups(0, NULL) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return err_errno(err, errno, "become user %s", user);
	if (setuid(0) == 0 || getuid() == 0)
		return err_set(err, ERR_INTERNAL, "root privileges did not go away");
	return 0;
}

/* Before the user changes: the bounding set needs CAP_SETPCAP. */
static void drop_bounding_set(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static int clear_capabilities(struct err *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2];

	memset(none, 0, sizeof(none));
	if (syscall(SYS_capset, &head, none) < 0)
		return err_errno(err, errno, "drop capabilities");
	return 0;
}

int sandbox_user(const char *user, struct err *err)
{
	const struct rlimit none = {0};
	int r;

	if (chdir("/") < 0)
		return err_errno(err, errno, "chdir");
	drop_bounding_set();
	if ((r = drop_user(user, err)) < 0 || (r = clear_capabilities(err)) < 0)
		return r;
	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_errno(err, errno, "no core dumps");
	return 0;
}

int sandbox_enter(const struct sandbox *sandbox, struct err *err)
{
	int r = 0;

	if (sandbox->layers & SANDBOX_USER)
		r = sandbox_user(sandbox->user, err);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_errno(err, errno, "no new privileges");
	if (r == 0 && (sandbox->layers & SANDBOX_LANDLOCK))
		r = sandbox_landlock(sandbox->readable, err);
	if (r == 0 && (sandbox->layers & SANDBOX_SECCOMP))
		r = sandbox_seccomp(err);
	return r;
}
