/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks and applies changes of a guest's configuration. Pure; used by the core. */
#include "agent/guest/update.h"

#include <inttypes.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/propstr.h"
#include "agent/base/str.h"
#include "agent/guest/tags.h"
#include "agent/guest/underway.h"
#include "agent/guest/volumes.h"

#define SEPARATORS ",; "

/* Stored text is lines: a line break in a value would be a key of the client's choice. */
static int control_check(const char *key, const char *value, struct err *err)
{
	if (str_eq(key, "description"))
		return 0;
	for (; *value; value++) {
		if ((unsigned char)*value < 0x20 || *value == 0x7f)
			return err_field(err, key, "value must not contain control characters");
	}
	return 0;
}

static int key_known(const struct guest_kind_ops *ops, const char *field, const char *key,
		     struct err *err)
{
	if (param_find(ops->params, key))
		return 0;
	return err_field(err, field, "unknown setting '%s'", key);
}

static char *integer_normalise(const char *value)
{
	int64_t number;

	return str_to_i64(value, &number) ? xasprintf("%" PRId64, number) : xstrdup(value);
}

static char *boolean_normalise(const char *value)
{
	bool on = false;

	return str_to_bool(value, &on) ? xstrdup(on ? "1" : "0") : xstrdup(value);
}

static int propstr_normalise(const struct param *p, const char *key, const char *value, char **ret,
			     struct err *err)
{
	autofields f = FIELDS_INIT;
	int r = propstr_parse(p->keys, p->default_key, key, value, &f, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < f.count; i++) {
		const struct param *part = param_find(p->keys, f.items[i].name);

		if (!part || part->type != PARAM_BOOLEAN)
			continue;
		autofree char *flag = boolean_normalise(f.items[i].value);

		fields_set(&f, part->name, flag);
	}
	*ret = propstr_format(p->keys, p->default_key, &f);
	return 0;
}

static char *spaces_trimmed(const char *value)
{
	size_t size;

	value += strspn(value, " ");
	size = strlen(value);
	while (size > 0 && value[size - 1] == ' ')
		size--;
	return xstrndup(value, size);
}

int guest_value_normalise(const struct guest_kind_ops *ops, const char *key, const char *value,
			  char **ret, struct err *err)
{
	const struct param *p = param_find(ops->params, key);
	int r = p ? param_check(p, key, value, err) : key_known(ops, key, key, err);

	if (r == 0)
		r = control_check(key, value, err);
	if (r < 0)
		return r;
	if (!str_is_utf8(value, strlen(value)))
		return err_field(err, key, "value is not UTF-8");
	if (p->keys)
		return propstr_normalise(p, key, value, ret, err);
	if (p->type == PARAM_BOOLEAN)
		*ret = boolean_normalise(value);
	else if (p->type == PARAM_INTEGER)
		*ret = integer_normalise(value);
	else if (str_eq(key, "tags"))
		*ret = guest_tags_normalise(value);
	else
		*ret = str_eq(key, "description") ? xstrdup(value) : spaces_trimmed(value);
	return 0;
}

int guest_update_each_key(const struct guest_update *update, guest_key_fn each, void *ctx,
			  struct err *err)
{
	autostrv char **deleted = str_split(update->delete_list ?: "", SEPARATORS);
	autostrv char **reverted = str_split(update->revert_list ?: "", SEPARATORS);
	int r = 0;

	for (size_t i = 0; r == 0 && i < update->set->count; i++)
		r = each(update->set->items[i].name, update->set->items[i].value, ctx, err);
	for (size_t i = 0; r == 0 && deleted[i]; i++)
		r = each(deleted[i], NULL, ctx, err);
	for (size_t i = 0; r == 0 && reverted[i]; i++)
		r = each(reverted[i], NULL, ctx, err);
	return r;
}

/* What a client asked for, sorted into values to set and keys to delete. */
struct plan {
	struct fields set;
	struct fields deleted; /* names; as values nothing */
	const struct guest_kind_ops *ops;
	const struct guest_config *config;
	const char *owner;
	bool is_new;
};

/* value NULL: it is to be deleted. */
static int fixed_check(const struct plan *plan, const char *field, const char *key,
		       const char *value, struct err *err)
{
	if (plan->is_new || !guest_key_is_in(plan->ops->fixed_keys, key))
		return 0;
	if (str_eq(guest_config_get(plan->config, key), value))
		return 0;
	return err_field(err, field, "unable to modify read-only option: '%s'", key);
}

static int plan_delete(struct plan *plan, const char *field, const char *key, struct err *err)
{
	int r = key_known(plan->ops, field, key, err);

	if (r < 0)
		return r;
	if (guest_key_is_in(plan->ops->required_keys, key))
		return err_field(err, field, "unable to delete required option '%s'", key);
	if ((r = fixed_check(plan, field, key, NULL, err)) < 0)
		return r;
	if (!fields_find(&plan->deleted, key))
		fields_add(&plan->deleted, key, "");
	return 0;
}

/* A linked clone is given to its guest by the name that says what it stands on, and keeps it: without it the guest
 * would find a disk full of holes, with another one another's data. One that a task frees is not taken into use: the
 * task would not see it. */
static int volume_check(const struct plan *plan, const char *key, const char *value,
			struct err *err)
{
	struct guest_volume v;

	if (!guest_key_is_volume(plan->ops, key) ||
	    guest_volume_read(plan->ops, key, value, &v, NULL) != 1)
		return 0;
	autofree char *known = guest_volume_other_name(plan->ops, plan->config, v.volid);

	if (known)
		return err_field(err, key, "volume '%s' is a linked clone, called '%s'", v.volid,
				 known);
	if (guest_underway_is_others(plan->config, UNDERWAY_CONFIG, v.volid, plan->owner))
		return err_field(err, key, "volume '%s' is being made or removed by a task",
				 v.volid);
	return 0;
}

static int plan_set(struct plan *plan, const struct field *f, struct err *err)
{
	autofree char *value = NULL;

	if (f->size == 0)
		return plan_delete(plan, f->name, f->name, err);
	if (strlen(f->value) != f->size)
		return err_field(err, f->name, "value must not contain control characters");
	int r = guest_value_normalise(plan->ops, f->name, f->value, &value, err);

	if (r == 0)
		r = fixed_check(plan, f->name, f->name, value[0] ? value : NULL, err);
	if (r == 0)
		r = volume_check(plan, f->name, value, err);
	if (r == 0 && value[0] == '\0')
		return plan_delete(plan, f->name, f->name, err);
	if (r == 0)
		fields_set(&plan->set, f->name, value);
	return r;
}

static int plan_make(struct plan *plan, const struct guest_update *update, char *const *reverted,
		     struct err *err)
{
	autostrv char **deleted = str_split(update->delete_list ?: "", SEPARATORS);
	int r = 0;

	for (size_t i = 0; r == 0 && i < update->set->count; i++)
		r = plan_set(plan, &update->set->items[i], err);
	for (size_t i = 0; r == 0 && deleted[i]; i++) {
		if (fields_find(&plan->set, deleted[i]))
			return err_field(err, "delete", "'%s' is set and deleted at the same time",
					 deleted[i]);
		r = plan_delete(plan, "delete", deleted[i], err);
	}
	for (size_t i = 0; r == 0 && reverted[i]; i++) {
		if (fields_find(&plan->set, reverted[i]) || strv_has(deleted, reverted[i]))
			return err_field(err, "revert",
					 "'%s' is changed and reverted at the same time",
					 reverted[i]);
		r = key_known(plan->ops, "revert", reverted[i], err);
	}
	if (r == 0 && plan->ops->change_complete)
		r = plan->ops->change_complete(plan->config, &plan->set, err);
	return r;
}

int guest_config_check(const struct guest_kind_ops *ops, const struct guest_config *config,
		       struct err *err)
{
	struct guest_config next __attribute__((cleanup(guest_config_fini)));

	guest_config_copy(&next, config);
	config_pending_merge(&next);
	return ops->check ? ops->check(&next, err) : 0;
}

static void plan_apply(const struct plan *plan, char *const *reverted, bool is_running,
		       struct guest_config *config)
{
	autofree char **deleted = xcalloc(plan->deleted.count + 1, sizeof(*deleted));

	for (size_t i = 0; i < plan->deleted.count; i++)
		deleted[i] = plan->deleted.items[i].name;
	config_change_apply(config,
			    &(struct config_change){
				    .set = &plan->set,
				    .delete_keys = deleted,
				    .revert_keys = reverted,
			    },
			    is_running, plan->ops->live_keys);
}

int guest_config_update(const struct guest_kind_ops *ops, struct guest_config *config,
			const struct guest_update *update, struct err *err)
{
	autostrv char **reverted = str_split(update->revert_list ?: "", SEPARATORS);
	struct plan plan = {
		.ops = ops, .config = config, .owner = update->owner, .is_new = update->is_new};
	struct guest_config changed;
	int r = plan_make(&plan, update, reverted, err);

	if (r == 0) {
		guest_config_copy(&changed, config);
		plan_apply(&plan, reverted, update->is_running, &changed);
		if (update->raw)
			r = ops->raw_set ? ops->raw_set(&changed, update->raw, err)
					 : err_field(err, "lxc", "there are no raw settings");
		if (r == 0 && ops->change_follow)
			r = ops->change_follow(config, &changed, err);
		if (r == 0)
			r = guest_config_check(ops, &changed, err);
		struct guest_config *unused = r == 0 ? config : &changed;

		guest_config_fini(unused);
		if (r == 0)
			*config = changed;
	}
	fields_fini(&plan.set);
	fields_fini(&plan.deleted);
	return r;
}
