/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An API client's change of a guest's configuration, checked and applied by the kind's tables. Pure. */
#pragma once

#include "agent/guest/guest.h"

struct guest_update {
	const struct fields *set; /* raw values as sent */
	const char *delete_list;  /* "net1,searchdomain", or NULL */
	const char *revert_list;  /* or NULL */
	const char *raw;	  /* all raw settings, or NULL: they stay */
	const char *owner;	  /* the job that changes it, NULL: the core does */
	bool is_running;
	bool is_new; /* being created: keys that are fixed later may be set */
};

/* Checks names and values, brings them into the stored form, applies them and checks that the result
 * fits together. On failure config is as before, and err->field names the parameter. An empty value
 * deletes its key. A volume that another job makes or frees (UNDERWAY_CONFIG) cannot be set. */
int guest_config_update(const struct guest_kind_ops *ops, struct guest_config *config,
			const struct guest_update *update, struct err *err);
/* Does it fit together as the next start will use it, with what waits for that? err->field names the key. */
int guest_config_check(const struct guest_kind_ops *ops, const struct guest_config *config,
		       struct err *err);
/* One value in its stored form (booleans 0 or 1, numbers without sign or zeros in front, property
 * strings in canonical order; heap). Line breaks are refused except in the description. */
int guest_value_normalise(const struct guest_kind_ops *ops, const char *key, const char *value,
			  char **ret, struct err *err);
/* Every key that the update touches must pass each(), with the value that is set, else NULL; its first failure is
 * returned. */
typedef int (*guest_key_fn)(const char *key, const char *value, void *ctx, struct err *err);
int guest_update_each_key(const struct guest_update *update, guest_key_fn each, void *ctx,
			  struct err *err);
