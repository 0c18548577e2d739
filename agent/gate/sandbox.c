/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of the layers. Test builds (LODGE_TEST_HOOKS) can leave layers out, so that tests can
 * show that each does what it is there for. */
#include "agent/gate/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

static const struct {
	const char *name;
	enum sandbox_layer layer;
} layers[] = {
	{"view", SANDBOX_VIEW},
	{"user", SANDBOX_USER},
	{"landlock", SANDBOX_LANDLOCK},
	{"seccomp", SANDBOX_SECCOMP},
};

static unsigned layers_wanted(void)
{
	unsigned wanted = 0;
	autostrv char **off = NULL;

#ifdef LODGE_TEST_HOOKS
	const char *text = getenv("LODGE_GATE_TEST_LAYERS_OFF");

	off = str_split(text ? text : "", ",");
#endif
	for (size_t i = 0; i < ARRAY_SIZE(layers); i++)
		if (!off || !strv_has(off, layers[i].name))
			wanted |= layers[i].layer;
	return wanted;
}

/* Before the user database is out of sight. Whoever is not root stays who he is. */
static int find_user(const char *name, const struct passwd **ret, struct err *err)
{
	if (geteuid() != 0)
		return 0;
	*ret = getpwnam(name);
	if (!*ret)
		return err_set(err, ERR_NOT_FOUND, "there is no user '%s' to become", name);
	return 0;
}

static const char *core_path(bool is_inside)
{
	static char path[PATH_MAX];
	autofree char *full = path_join(is_inside ? "" : path_run(), "%s", GATE_SOCKET);

	str_copy(path, sizeof(path), full);
	return path;
}

int sandbox_enter(const struct sandbox *sandbox, const char **ret_core_path, struct err *err)
{
	unsigned wanted = layers_wanted();
	const struct passwd *user = NULL;
	bool is_inside = false;
	int r = find_user(sandbox->user, &user, err);

	if (r == 0 && (wanted & SANDBOX_VIEW))
		r = sandbox_view(&is_inside, err);
	if (r == 0 && (wanted & SANDBOX_USER))
		r = sandbox_user(user, err);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_errno(err, errno, "no new privileges");
	if (r == 0 && (wanted & SANDBOX_LANDLOCK))
		r = sandbox_landlock(sandbox->readable, err);
	if (r == 0 && (wanted & SANDBOX_SECCOMP))
		r = sandbox_seccomp(err);
	if (r < 0)
		return err_prefix(err, "sandbox");
	*ret_core_path = core_path(is_inside);
	return 0;
}
