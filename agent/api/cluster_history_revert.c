/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POST /cluster/history/revert: an old value becomes a new change, if nobody changed the path meanwhile
 * and the value would be accepted today. Core's loop.
 *
 * A guest's is made like any change of its configuration: the keys that differ are set or deleted, each
 * with its own privilege, and wait for the next start where they have to. Volumes, the lock, snapshots
 * and what is pending are not brought back: they say what is there. */
#include "agent/api/cluster_history.h"

#include <string.h>
#include <strings.h>

#include "agent/api/ct_rights.h"
#include "agent/api/guest_keys.h"
#include "agent/auth/usercfg.h"
#include "agent/base/digest.h"
#include "agent/base/str.h"
#include "storage/volid/storage_cfg.h"

struct revert_kind {
	bool (*is_mine)(const char *path);
	int (*allowed)(const struct api_request *req, const char *path, struct err *err);
	/* The text to store, or an error. */
	int (*make)(struct api_request *req, const struct store_value *now,
		    const struct store_history *old, struct buf *out, struct err *err);
};

/* ---- guests ---- */

static bool is_guest(const char *path)
{
	struct guest key = {0};

	return guest_config_path_parse(path, &key);
}

static int guest_find(const struct api_request *req, const char *path, struct guest_target *ret,
		      struct err *err)
{
	struct guest key = {0};

	guest_config_path_parse(path, &key);
	autofree char *route = xasprintf("/nodes/{node}/%s", guest_kind_name(key.kind));
	const struct guest *guest = guests_find(req->core->guests, key.vmid);

	if (!guest || guest->kind != key.kind || !str_eq(guest->node, key.node) || !guest->config ||
	    guest->config_is_bad || !str_eq(key.node, req->core->node))
		return err_set(err, ERR_NOT_FOUND,
			       "'%s' is not the configuration of a guest of this node", path);
	*ret = (struct guest_target){.ops = guest_kind_by_route(route),
				     .guest = guest,
				     .fact = facts_guest(req->core->facts, key.vmid),
				     .vmid = key.vmid};
	return 0;
}

static int guest_allowed(const struct api_request *req, const char *path, struct err *err)
{
	struct guest key = {0};

	guest_config_path_parse(path, &key);
	autofree char *acl = xasprintf("/vms/%u", key.vmid);

	return api_check(req, acl, "VM.Config.Options", false, err);
}

/* What differs, as a client would ask for it. */
struct difference {
	const struct guest_target *target;
	struct fields set;
	struct buf deleted; /* "a,b" */
};

static bool is_volume(const struct guest_target *target, const char *key)
{
	return str_eq(guest_key_privilege(target->ops, key), "VM.Config.Disk") ||
	       str_starts(key, "unused");
}

static int difference_add(struct difference *d, const char *key, const char *value, struct err *err)
{
	if (str_eq(key, "lock") || str_eq(guest_config_get(d->target->guest->config, key), value))
		return 0;
	if (is_volume(d->target, key))
		return err_set(err, ERR_CONFLICT,
			       "volumes are not brought back: '%s' was another in that version",
			       key);
	if (value)
		fields_add(&d->set, key, value);
	else
		buf_addf(&d->deleted, "%s%s", d->deleted.size ? "," : "", key);
	return 0;
}

static int difference_make(struct difference *d, const struct guest_config *old, struct err *err)
{
	const struct guest_config *now = d->target->guest->config;
	const struct fields *then_keys = &old->sections[0].keys;
	const struct fields *now_keys = &now->sections[0].keys;
	int r = difference_add(d, "description", guest_config_get(old, "description"), err);

	for (size_t i = 0; r == 0 && i < then_keys->count; i++)
		r = difference_add(d, then_keys->items[i].name,
				   guest_config_get(old, then_keys->items[i].name), err);
	for (size_t i = 0; r == 0 && i < now_keys->count; i++)
		if (!guest_config_get(old, now_keys->items[i].name))
			r = difference_add(d, now_keys->items[i].name, NULL, err);
	return r;
}

/* What root alone may set does not come back by anybody else. */
static int check_values(const struct api_request *req, const struct difference *d, struct err *err)
{
	bool is_unprivileged = ct_config_flag(d->target->guest->config, "unprivileged");

	return d->target->ops->is_machine ? 0 : ct_rights_check(req, &d->set, is_unprivileged, err);
}

static int guest_update_make(const struct api_request *req, struct difference *d, struct buf *out,
			     struct err *err)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini))) = {0};
	struct guest_update update = {.set = &d->set,
				      .delete_list = buf_str(&d->deleted),
				      .is_running = guest_target_may_run(req, d->target)};
	int r = guest_keys_allowed(req, d->target, &update, err);

	if (r == 0)
		r = check_values(req, d, err);
	if (r < 0)
		return r;
	guest_config_copy(&config, d->target->guest->config);
	r = guest_config_update(d->target->ops, &config, &update, err);
	if (r == 0)
		guest_config_format(&config, out);
	return r;
}

static int guest_make(struct api_request *req, const struct store_value *now,
		      const struct store_history *old, struct buf *out, struct err *err)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini))) = {0};
	struct guest_target target;
	struct difference d = {.target = &target};
	int r = guest_find(req, now->path, &target, err);

	if (r < 0 || (r = guest_target_check_lock(&target, NULL, err)) < 0 ||
	    (r = guest_config_parse(old->data, old->size, &config, err)) < 0)
		return r;
	r = difference_make(&d, &config, err);
	if (r == 0)
		r = guest_update_make(req, &d, out, err);
	fields_fini(&d.set);
	buf_fini(&d.deleted);
	return r;
}

/* ---- files ---- */

static bool is_storage_cfg(const char *path)
{
	return str_eq(path, "/storage.cfg");
}

static int storage_allowed(const struct api_request *req, const char *path, struct err *err)
{
	(void)path;
	return api_check(req, "/storage", "Datastore.Allocate", false, err);
}

static int storage_make(struct api_request *req, const struct store_value *now,
			const struct store_history *old, struct buf *out, struct err *err)
{
	struct storage_cfg cfg = {0};
	int r = storage_cfg_parse(old->data, old->size, &cfg, err);

	(void)req;
	(void)now;
	if (r < 0)
		return r;
	storage_cfg_fini(&cfg);
	buf_add(out, old->data, old->size);
	return 0;
}

static bool is_user_cfg(const char *path)
{
	return str_eq(path, "/user.cfg");
}

/* Old rights are rights that somebody took away. */
static int user_allowed(const struct api_request *req, const char *path, struct err *err)
{
	(void)path;
	return guest_request_is_root(req)
		       ? 0
		       : err_set(err, ERR_DENIED, "only root@pam may revert /user.cfg");
}

static int user_make(struct api_request *req, const struct store_value *now,
		     const struct store_history *old, struct buf *out, struct err *err)
{
	autousercfg *cfg = NULL;
	int r = usercfg_parse(old->data, old->size, &cfg, err);

	(void)req;
	(void)now;
	if (r == 0)
		buf_add(out, old->data, old->size);
	return r;
}

static const struct revert_kind kinds[] = {
	{is_guest, guest_allowed, guest_make},
	{is_storage_cfg, storage_allowed, storage_make},
	{is_user_cfg, user_allowed, user_make},
};

static const struct revert_kind *kind_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].is_mine(path))
			return &kinds[i];
	return NULL;
}

/* ---- the request ---- */

static int stored(struct api_request *req, struct err *err)
{
	(void)req;
	(void)err;
	return 0;
}

static int check_digest(const struct api_request *req, const struct store_value *now,
			struct err *err)
{
	char digest[SHA1_HEX_SIZE];

	digest_sha1_hex(now->data, now->size, digest);
	if (strcasecmp(digest, api_str(req, "digest")) == 0)
		return 0;
	return err_set(err, ERR_CONFLICT,
		       "detected modified configuration - file changed by other user? Try again.");
}

static int value_read(struct api_request *req, const struct store_history *old, struct err *err)
{
	const char *path = api_str(req, "path");
	autobuf text = BUF_INIT;
	struct store_value now;
	int r;

	if (!store_get(req->core->store, path, &now))
		return err_set(err, ERR_NOT_FOUND, "'%s' does not exist any more", path);
	if ((r = check_digest(req, &now, err)) < 0)
		return r;
	if ((r = kind_of(path)->make(req, &now, old, &text, err)) < 0)
		return err_prefix(err, "version %s", api_str(req, "version"));
	if (text.size == now.size && strcmp(buf_str(&text), now.data) == 0)
		return 0; /* nothing changes, nothing is written */
	struct store_precondition unchanged = {.path = path, .version = now.version};
	struct store_op put = {
		.kind = STORE_PUT, .path = path, .value = buf_str(&text), .size = text.size};

	return api_store(req,
			 &(struct store_txn){.preconditions = &unchanged,
					     .precondition_count = 1,
					     .ops = &put,
					     .op_count = 1},
			 stored, err);
}

/* What is there now has to be there when the old value was read. */
static int remember_digest(struct api_request *req, const char *path, struct err *err)
{
	char digest[SHA1_HEX_SIZE];
	struct store_value now;

	if (!store_get(req->core->store, path, &now))
		return err_set(err, ERR_NOT_FOUND, "'%s' does not exist", path);
	if (!str_is_empty(api_str(req, "digest")))
		return check_digest(req, &now, err);
	digest_sha1_hex(now.data, now.size, digest);
	fields_set(&req->params, "digest", digest);
	return 0;
}

int api_history_revert(struct api_request *req, struct err *err)
{
	struct store_history_query query = {
		.path = api_str(req, "path"),
		.version = (uint64_t)api_int(req, "version", 0),
	};
	const struct revert_kind *kind = kind_of(query.path);
	int r = api_history_check(req, query.path, &query.since_created, err);

	if (r < 0 || (r = api_check(req, "/", "Sys.Modify", false, err)) < 0)
		return r;
	if (!kind)
		return err_field(err, "path",
				 "only guests' configurations, /storage.cfg and /user.cfg can be "
				 "reverted");
	if ((r = kind->allowed(req, query.path, err)) < 0 ||
	    (r = remember_digest(req, query.path, err)) < 0)
		return r;
	return api_history_read(req, &query, value_read, err);
}
