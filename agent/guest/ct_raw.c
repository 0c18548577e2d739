/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw liblxc settings in a container's configuration. Pure.
 *
 * Allowed is what bounds or widens the rights of the processes inside: control groups, capabilities,
 * seccomp, AppArmor, id maps, mounts, limits. Refused is what Lodge's own work rests on: the root and its
 * mounting, names, terminals, network devices (rtnetlink finds ours by name), liblxc's log and its hooks, which
 * would run as root outside and stand where ours must: hookscript is the way for that. And the first process's folder (lxc.init.cwd): liblxc 5
 * enters it while folders of the host are open, and the container decides where its links lead. */
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct_schema.h"

#define LINES_MAX 128

/* A name that ends in a dot stands for all that begin with it. */
static const char *const allowed[] = {
	"lxc.apparmor.",    "lxc.cap.drop",	   "lxc.cap.keep",    "lxc.cgroup.",
	"lxc.cgroup2.",	    "lxc.environment",	   "lxc.idmap",	      "lxc.init.gid",
	"lxc.init.uid",	    "lxc.keyring.session", "lxc.mount.auto",  "lxc.mount.entry",
	"lxc.no_new_privs", "lxc.prlimit.",	   "lxc.proc.",	      "lxc.seccomp.",
	"lxc.selinux.",	    "lxc.signal.reboot",   "lxc.signal.stop", "lxc.sysctl.",
	"lxc.time.offset.",
};

/* Where the groups lie is ours, too: limits are changed and removed there. */
static const char *const refused[] = {"lxc.cgroup.dir", "lxc.cgroup.relative"};

bool ct_raw_is_dropped(const char *key)
{
	return str_eq(key, "lxc.init.cwd");
}

static bool is_in(const char *const *list, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++) {
		const char *rest = str_after(key, list[i]);

		if (rest && (*rest == '\0' || str_ends(list[i], ".") || *rest == '.'))
			return true;
	}
	return false;
}

int ct_raw_check(const char *key, const char *value, struct err *err)
{
	if (!is_in(allowed, ARRAY_SIZE(allowed), key) || is_in(refused, ARRAY_SIZE(refused), key))
		return err_field(err, "lxc", "'%s' cannot be set", key);
	if (value[0] == '\0')
		return err_field(err, "lxc", "'%s' has no value", key);
	return 0;
}

/* "lxc.key = value" */
static int line_add(const char *line, struct fields *ret, struct err *err)
{
	size_t size =
		strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
	autofree char *key = xstrndup(line, size);
	const char *value = line + size + strspn(line + size, " \t");
	int r;

	if (!str_starts(key, "lxc.") || (*value != '=' && *value != ':'))
		return err_field(err, "lxc", "'%.100s' is not 'lxc.KEY = VALUE'", line);
	value++;
	value += strspn(value, " \t");
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return err_field(err, "lxc", "'%s': control character in the value", key);
	if ((r = ct_raw_check(key, value, err)) < 0)
		return r;
	fields_add(ret, key, value);
	return 0;
}

static void remove_all(struct guest_config *config)
{
	struct fields *keys = &config->sections[0].keys;

	for (size_t i = keys->count; i-- > 0;) {
		if (i < keys->count && str_starts(keys->items[i].name, "lxc.")) {
			autofree char *name = xstrdup(keys->items[i].name);

			fields_remove(keys, name);
		}
	}
}

int ct_raw_set(struct guest_config *config, const char *text, struct err *err)
{
	autostrv char **lines = str_split(text, "\r\n");
	autofields set = FIELDS_INIT;
	int r;

	if (strv_count(lines) > LINES_MAX)
		return err_field(err, "lxc", "more than %d lines", LINES_MAX);
	for (char **line = lines; *line; line++) {
		const char *start = *line + strspn(*line, " \t");

		if (*start && *start != '#' && (r = line_add(start, &set, err)) < 0)
			return r;
	}
	remove_all(config);
	fields_copy(&config->sections[0].keys, &set);
	return 0;
}
