/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What root alone gives to containers. Pure. */
#include "agent/guest/ct_roots.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/guest.h"

static int read_features(const char *value, struct ct_features *ret)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini)));

	guest_config_init(&config);
	guest_config_set(&config, "features", value);
	return ct_config_features(&config, ret, NULL);
}

/* What does not parse is told by the checks. */
static bool is_folder(const struct field *f, bool is_unprivileged)
{
	struct ct_mp mp;

	(void)is_unprivileged;
	return ct_mp_parse(f->name, f->value, &mp, NULL) == 0 && mp.is_folder;
}

static bool always(const struct field *f, bool is_unprivileged)
{
	(void)f, (void)is_unprivileged;
	return true;
}

/* Nesting opens nothing that a user namespace does not guard; the others do. */
static bool is_feature_for_root(const struct field *f, bool is_unprivileged)
{
	struct ct_features features;

	return read_features(f->value, &features) == 0 &&
	       (features.keyctl || features.fuse || features.mknod || features.force_rw_sys ||
		features.mount[0] || (features.nesting && !is_unprivileged));
}

static const struct rule {
	const char *key;
	bool (*is_roots)(const struct field *f, bool is_unprivileged);
	const char *what; /* in words, NULL: the key */
} rules[] = {
	{"dev[n]", always, NULL},
	{"mp[n]", is_folder, "a folder of the node as mount point"},
	{"features", is_feature_for_root,
	 "features other than nesting of an unprivileged container"},
	{"hookscript", always, NULL},
};

const char *ct_roots_what(const struct field *f, bool is_unprivileged)
{
	if (str_starts(f->name, "lxc."))
		return f->name;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const char *const list[] = {rules[i].key, NULL};

		if (f->size > 0 && guest_key_is_in(list, f->name))
			return rules[i].is_roots(f, is_unprivileged) ? rules[i].what ?: f->name
								     : NULL;
	}
	return NULL;
}

static bool stands(const struct guest_config *now, const struct field *f)
{
	const struct fields *keys = &now->sections[0].keys;

	for (size_t i = 0; i < keys->count; i++)
		if (str_eq(keys->items[i].name, f->name) && str_eq(keys->items[i].value, f->value))
			return true;
	return false;
}

int ct_roots_check_again(const struct fields *keys, const struct guest_config *now, struct err *err)
{
	bool is_unprivileged = false;

	str_to_bool(fields_get(keys, "unprivileged") ?: "0", &is_unprivileged);
	for (size_t i = 0; i < keys->count; i++) {
		const struct field *f = &keys->items[i];

		if (ct_roots_what(f, is_unprivileged) && !(now && stands(now, f)))
			return err_set(err, ERR_DENIED,
				       "it would set '%s' %s, which only root@pam can", f->name,
				       now ? "again" : "for the copy");
	}
	return 0;
}
