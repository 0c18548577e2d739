/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts the configuration of a new guest into the store, under the condition that its id is free.
 * Runs on the core's loop. */
#include "agent/api/guest_create.h"

#include "agent/api/pools.h"
#include "agent/api/storage_use.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/storages.h"

#define LOCK_CREATE "create"

int guest_create_check_id(const struct api_request *req, const struct guest_kind_ops *ops,
			  unsigned vmid, struct err *err)
{
	const struct guest *guest = guests_find(req->core->guests, vmid);

	if (!guest)
		return 0;
	return err_set(err, ERR_EXISTS,
		       "unable to create %s %u - %s %u already exists on node '%s'", ops->label,
		       vmid, guest->kind == GUEST_LXC ? "CT" : "VM", vmid, guest->node);
}

int guest_create_check_storage(const struct api_request *req, const char *storage,
			       const char *content, struct err *err)
{
	const struct storage_def *def =
		storage_cfg_find(storages_config(req->core->storages), storage);

	if (!def)
		return err_set(err, ERR_NOT_FOUND, "storage '%s' does not exist", storage);
	if (!storage_is_enabled(def))
		return err_set(err, ERR_BUSY, "storage '%s' is disabled", storage);
	if (!storage_def_is_on_node(def, req->core->node))
		return err_set(err, ERR_UNSUPPORTED, "storage '%s' is not available on node '%s'",
			       storage, req->core->node);
	if (!storage_def_has_content(def, content))
		return err_set(err, ERR_UNSUPPORTED,
			       "storage '%s' does not support content type '%s'", storage, content);
	return 0;
}

int guest_create_store(struct api_request *req, unsigned vmid, struct guest_config *config,
		       api_then_fn next, struct err *err)
{
	autofree char *ct = guest_config_path(req->core->node, GUEST_LXC, vmid);
	autofree char *vm = guest_config_path(req->core->node, GUEST_QEMU, vmid);
	bool is_ct = guest_request_kind(guest_request_ops(req)) == GUEST_LXC;
	autobuf text = BUF_INIT;

	guest_config_set(config, "lock", LOCK_CREATE);
	guest_config_format(config, &text);
	if (text.size > GUEST_CONFIG_MAX)
		return err_set(err, ERR_LIMIT, "configuration would be larger than %d bytes",
			       GUEST_CONFIG_MAX);
	struct store_precondition absent[] = {{.path = ct}, {.path = vm}};
	struct store_op put = {.kind = STORE_PUT,
			       .path = is_ct ? ct : vm,
			       .value = buf_str(&text),
			       .size = text.size};

	const struct store_txn txn = {
		.who = api_user(req),
		.preconditions = absent,
		.precondition_count = ARRAY_SIZE(absent),
		.ops = &put,
		.op_count = 1,
	};

	return req->joins.pool ? api_pool_store(req, &txn, next, err)
			       : api_store(req, &txn, next, err);
}

static void abandoned(const struct store_result *result, void *ctx)
{
	(void)ctx;
	if (result->outcome != STORE_DONE)
		log_warning("configuration of a guest that was not created stays locked: %s",
			    result->err.message);
}

void guest_create_abandon(struct api_request *req, unsigned vmid)
{
	const struct guest *guest = guests_find(req->core->guests, vmid);

	if (!guest || guest->config_is_bad ||
	    !str_eq(guest_config_get(guest->config, "lock"), LOCK_CREATE))
		return;
	autofree char *path = guest_config_path(guest->node, guest->kind, guest->vmid);
	struct store_precondition unchanged = {.path = path, .version = guest->version};
	struct store_op delete = {.kind = STORE_DELETE, .path = path};
	struct err err = ERR_INIT;

	const struct store_txn txn = {
		.who = api_user(req),
		.preconditions = &unchanged,
		.precondition_count = 1,
		.ops = &delete,
		.op_count = 1,
	};

	if (req->joins.pool)
		api_pool_unstore(req, &txn);
	else if (store_submit(req->core->store, &txn, abandoned, NULL, &err) < 0)
		log_warning("remove %s: %s", path, err.message);
}
