/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may change which keys of a guest. Runs on the core's loop. */
#include "agent/api/guest_keys.h"

#include <limits.h>

#include "agent/auth/rights.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

struct key_check {
	const struct api_request *req;
	const struct guest_target *target;
	const char *path; /* "/vms/101" */
};

/* Values of one key. */
struct key_values {
	const char *stored, *waiting, *after; /* NULL: none */
};

static void read_values(const struct guest_config *now, const char *key, const char *after,
			struct key_values *ret)
{
	bool is_deleted;

	*ret = (struct key_values){
		.stored = now ? guest_config_get(now, key) : NULL,
		.waiting = now ? config_pending_get(now, key, &is_deleted) : NULL,
		.after = str_is_empty(after) ? NULL : after,
	};
}

static int check_privileges(const struct key_check *check, const char *key,
			    const struct key_values *values, struct err *err)
{
	const struct guest_kind_ops *ops = check->target->ops;
	const char *const list[] = {values->stored, values->waiting, values->after};
	bool is_asked = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(list); i++) {
		if (!list[i])
			continue;
		r = api_check(check->req, check->path, guest_value_privilege(ops, key, list[i]),
			      false, err);
		is_asked = true;
	}
	return is_asked ? r
			: api_check(check->req, check->path, guest_key_privilege(ops, key), false,
				    err);
}

static bool joins(const struct guest_kind_ops *ops, const char *key, const char *value,
		  const struct guest_net *net)
{
	struct guest_net old;

	return value && ops->net_read(key, value, &old) && str_eq(old.bridge, net->bridge) &&
	       old.tag == net->tag && str_eq(old.trunks, net->trunks);
}

/* Its own VLAN, or what has no tag, and those that pass with theirs. */
static int check_net(const struct api_request *req, const struct guest_net *net, struct err *err)
{
	struct access *access = req->core->access;
	autostrv char **trunks = str_split(net->trunks, ";");
	int r = rights_check_bridge(access, &req->who, net->bridge, net->tag, err);

	for (size_t i = 0; r == 0 && trunks[i]; i++) {
		uint64_t tag = 0;

		if (str_to_u64(trunks[i], &tag) && tag > 0 && tag <= UINT_MAX)
			r = rights_check_bridge(access, &req->who, net->bridge, (unsigned)tag, err);
	}
	return r;
}

static int check_bridge(const struct api_request *req, const struct guest_kind_ops *ops,
			const char *key, const struct key_values *values, struct err *err)
{
	struct guest_net net;

	if (!values->after || !ops->net_read(key, values->after, &net) || !net.bridge[0] ||
	    joins(ops, key, values->stored, &net) || joins(ops, key, values->waiting, &net))
		return 0;
	return check_net(req, &net, err);
}

int guest_keys_check_bridges(const struct api_request *req, const struct guest_kind_ops *ops,
			     const struct fields *keys, const struct guest_config *now,
			     struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < keys->count; i++) {
		struct key_values values;

		read_values(now, keys->items[i].name, keys->items[i].value, &values);
		r = check_bridge(req, ops, keys->items[i].name, &values, err);
	}
	return r;
}

static int key_allowed(const char *key, const char *value, void *ctx, struct err *err)
{
	const struct key_check *check = ctx;
	const struct guest *guest = check->target->guest;
	struct key_values values;

	read_values(guest ? guest->config : NULL, key, value, &values);
	int r = check_privileges(check, key, &values, err);

	return r < 0 ? r : check_bridge(check->req, check->target->ops, key, &values, err);
}

int guest_keys_allowed(const struct api_request *req, const struct guest_target *target,
		       const struct guest_update *update, struct err *err)
{
	autofree char *path = xasprintf("/vms/%u", target->vmid);
	struct key_check check = {.req = req, .target = target, .path = path};

	return guest_update_each_key(update, key_allowed, &check, err);
}

static int lock_allowed(const char *key, const char *value, void *ctx, struct err *err)
{
	(void)value;
	return !str_eq(key, "lock") || guest_request_is_root(ctx)
		       ? 0
		       : err_set(err, ERR_DENIED, "only root can set 'lock'");
}

int guest_keys_check(const struct api_request *req, const struct guest_target *target,
		     const struct guest_update *update, struct err *err)
{
	int r = guest_update_each_key(update, lock_allowed, (void *)req, err);

	if (r == 0)
		r = guest_keys_allowed(req, target, update, err);
	/* "create" says that the guest is not whole yet: the node undoes what carries it and has no
	 * job, so nobody may put it on a guest that is. */
	if (r == 0 && str_eq(fields_get(update->set, "lock"), "create"))
		return err_field(err, "lock", "'create' is set by the node alone");
	return r;
}
