/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest that is being made comes into a pool, in the step that stores its configuration. Core's loop. */
#include "agent/api/access_edit.h"
#include "agent/api/pools.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

int api_pool_joins(struct api_request *req, unsigned vmid, struct err *err)
{
	const char *poolid = api_str(req, "pool");
	struct cfg_pool *pool;

	if (!poolid)
		return 0;
	if (usercfg_pool(access_usercfg(req->core->access), poolid, &pool, NULL) < 0)
		return err_field(err, "pool", "pool '%s' does not exist", poolid);
	req->joins.vmid = vmid;
	req->joins.pool = poolid;
	return 0;
}

static int apply_join(struct api_request *req, struct access_draft *draft, struct err *err)
{
	autofree char *path = xasprintf("/vms/%u", req->joins.vmid);
	const struct cfg_pool *before = usercfg_pool_of(draft->cfg, path);
	struct cfg_pool *pool;
	int r = usercfg_pool(draft->cfg, req->joins.pool, &pool, err);

	/* a place that is left of whatever had this id before is given up */
	return r < 0 || before == pool ? r : usercfg_pool_add(draft->cfg, pool, path, true, err);
}

int api_pool_store(struct api_request *req, const struct store_txn *txn, api_then_fn next,
		   struct err *err)
{
	return api_access_edit_with(req, apply_join, next, txn, err);
}

struct leaving {
	char *pool;
	unsigned vmid;
};

static int apply_leave(struct access_draft *draft, void *ctx, struct err *err)
{
	const struct leaving *leaving = ctx;
	autofree char *path = xasprintf("/vms/%u", leaving->vmid);
	struct cfg_pool *pool = map_get(draft->cfg->pools, leaving->pool);

	if (!pool || usercfg_pool_of(draft->cfg, path) != pool)
		return 0;
	return usercfg_pool_drop(draft->cfg, pool, path, err);
}

static void on_left(const struct err *failure, void *ctx)
{
	struct leaving *leaving = ctx;

	if (failure->code)
		log_warning("guest %u, which was not made, stays in pool %s, and locked: %s",
			    leaving->vmid, leaving->pool, failure->message);
	free(leaving->pool);
	free(leaving);
}

void api_pool_unstore(struct api_request *req, const struct store_txn *txn)
{
	struct leaving *leaving = xcalloc(1, sizeof(*leaving));
	struct err err = ERR_INIT;

	*leaving = (struct leaving){xstrdup(req->joins.pool), req->joins.vmid};
	if (access_edit(req->core->access,
			&(struct access_edit){.who = api_user(req),
					      .apply = apply_leave,
					      .with = txn,
					      .done = on_left,
					      .ctx = leaving},
			&err) != 0)
		on_left(&err, leaving);
}
