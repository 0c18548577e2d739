/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks through [PENDING] of a running container. Runs in jobs. */
#include "agent/guest/ct/live.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/guest.h"

#define TRIES 5

static const char *const memory_keys[] = {"memory", "swap", NULL};
static const char *const cpu_keys[] = {"cores", "cpulimit", "cpuunits", NULL};
static const char *const setting_keys[] = {"hostname", "nameserver", "searchdomain", "timezone",
					   NULL};

/* In the store: the keys move from [PENDING] to where they count, if they still say the same. */
static int settle(struct task_ctx *task, const struct guest_config *seen, char *const *keys,
		  struct err *err)
{
	for (int i = 0;; i++) {
		struct guest_config config, before;
		uint64_t version;
		bool is_changed = false;
		int r = task_config_get(task, "lxc", &config, &version, err);

		if (r < 0)
			return r;
		guest_config_copy(&before, &config);
		for (char *const *key = keys; *key; key++) {
			bool then = false, now = false;

			if (str_eq(config_pending_get(seen, *key, &then),
				   config_pending_get(&config, *key, &now)) &&
			    then == now)
				is_changed |= config_pending_settle(&config, *key);
		}
		if (is_changed && (r = ct_volumes_keep(&before, &config, err)) == 0)
			r = task_config_put(task, "lxc", &config, version, err);
		guest_config_fini(&before);
		guest_config_fini(&config);
		if (r != -ERR_CONFLICT || i >= TRIES)
			return r;
	}
}

static void conclude(struct task_ctx *task, const struct guest_config *seen, char *const *keys,
		     int r, struct err *err)
{
	if (r == 0)
		r = settle(task, seen, keys, err);
	if (r < 0)
		task_warn(task, "%s: waits for the next start: %s", keys[0], err->message);
}

static bool is_pending(const struct guest_config *config, const char *key)
{
	bool is_deleted;

	return config_pending_get(config, key, &is_deleted) || is_deleted;
}

/* Keys that only count together. */
static const struct {
	const char *const *keys;
	int (*change)(struct task_ctx *task, const struct ct_record *record,
		      const struct guest_config *next, const char *const *keys, struct err *err);
} groups[] = {{memory_keys, ct_live_limits},
	      {cpu_keys, ct_live_limits},
	      {setting_keys, ct_live_settings}};

static void change_group(struct task_ctx *task, const struct ct_record *record,
			 const struct guest_config *config, size_t group)
{
	struct guest_config next __attribute__((cleanup(guest_config_fini)));
	char *keys[8] = {NULL};
	size_t count = 0;
	struct err err = ERR_INIT;

	guest_config_copy(&next, config);
	for (const char *const *key = groups[group].keys; *key; key++)
		if (is_pending(config, *key)) {
			config_pending_settle(&next, *key);
			keys[count++] = (char *)*key;
		}
	if (count > 0)
		conclude(task, config, keys,
			 groups[group].change(task, record, &next, (const char *const *)keys, &err),
			 &err);
}

static int change_net(struct task_ctx *task, const struct ct_record *record,
		      const struct guest_config *config, const struct guest_config *next,
		      const char *key, struct err *err)
{
	const char *now = guest_config_get(config, key), *then = guest_config_get(next, key);
	struct ct_net before, after;
	int r = 0;

	if ((now && (r = ct_net_parse(key, now, &before, err)) < 0) ||
	    (then && (r = ct_net_parse(key, then, &after, err)) < 0))
		return r;
	return ct_live_net(task, record, next, now ? &before : NULL, then ? &after : NULL, err);
}

static int change_mp(struct task_ctx *task, const struct ct_record *record,
		     const struct guest_config *config, const struct guest_config *next,
		     const char *key, struct err *err)
{
	const char *now = guest_config_get(config, key), *then = guest_config_get(next, key);
	struct ct_mp before, after;
	int r = 0;

	if ((now && (r = ct_mp_parse(key, now, &before, err)) < 0) ||
	    (then && (r = ct_mp_parse(key, then, &after, err)) < 0))
		return r;
	return ct_live_mp(task, record, next, now ? &before : NULL, then ? &after : NULL, err);
}

static int change_dev(struct task_ctx *task, const struct ct_record *record,
		      const struct guest_config *config, const struct guest_config *next,
		      const char *key, struct err *err)
{
	const char *now = guest_config_get(config, key), *then = guest_config_get(next, key);
	struct ct_dev before, after;
	int r = 0;

	if ((now && (r = ct_dev_parse(key, now, &before, err)) < 0) ||
	    (then && (r = ct_dev_parse(key, then, &after, err)) < 0))
		return r;
	return ct_live_dev(task, record, next, now ? &before : NULL, then ? &after : NULL, err);
}

typedef int (*change_fn)(struct task_ctx *task, const struct ct_record *record,
			 const struct guest_config *config, const struct guest_config *next,
			 const char *key, struct err *err);

/* Each key for itself; the configuration is read again in between. Deletions first: they make room for names and
 * paths of others. */
static void each_of(struct task_ctx *task, const struct ct_record *record, const char *stem,
		    unsigned max, bool wants_deleted, change_fn change)
{
	for (unsigned i = 0; i < max; i++) {
		struct guest_config config, next;
		autofree char *key = xasprintf("%s%u", stem, i);
		char *keys[] = {key, NULL};
		struct err err = ERR_INIT;
		bool is_deleted;

		if (task_config_get(task, "lxc", &config, NULL, NULL) < 0)
			return;
		if ((config_pending_get(&config, key, &is_deleted) || is_deleted) &&
		    is_deleted == wants_deleted) {
			guest_config_copy(&next, &config);
			config_pending_settle(&next, key);
			conclude(task, &config, keys,
				 change(task, record, &config, &next, key, &err), &err);
			guest_config_fini(&next);
		}
		guest_config_fini(&config);
	}
}

static const struct {
	const char *stem;
	unsigned max;
	change_fn change;
} kinds[] = {{"net", CT_NETS_MAX, change_net},
	     {"mp", CT_MPS_MAX, change_mp},
	     {"dev", CT_DEVS_MAX, change_dev}};

static bool has_pending(const struct guest_config *config, const char *stem, unsigned max)
{
	for (unsigned i = 0; i < max; i++) {
		autofree char *key = xasprintf("%s%u", stem, i);

		if (is_pending(config, key))
			return true;
	}
	return false;
}

/* What a running container cannot take, and why. */
static const struct {
	const char *key, *why;
} fixed[] = {
	{"console", "its console is made at start"},
	{"entrypoint", "it is what runs as init"},
	{"env", "it is the environment of init"},
	{"features", "rights of the processes inside are given at start"},
	{"ostype", "it says how a start sets it up"},
	{"rootfs", "the root is mounted at start"},
	{"tty", "its terminals are made at start"},
};

static void explain_waiting(const struct guest_config *config)
{
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		if (is_pending(config, fixed[i].key))
			task_log("%s: waits for the next start: %s", fixed[i].key, fixed[i].why);
}

void ct_live_apply(struct task_ctx *task, const struct ct_record *record)
{
	struct guest_config config;

	if (task_config_get(task, "lxc", &config, NULL, NULL) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		change_group(task, record, &config, i);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!has_pending(&config, kinds[i].stem, kinds[i].max))
			continue;
		each_of(task, record, kinds[i].stem, kinds[i].max, true, kinds[i].change);
		each_of(task, record, kinds[i].stem, kinds[i].max, false, kinds[i].change);
	}
	explain_waiting(&config);
	guest_config_fini(&config);
}
