/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest that is being made comes into a pool. Core's loop. */
#include "agent/api/pools.h"
#include "agent/auth/edit.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

struct joining {
	struct api_request *req;
	char *pool;
	unsigned vmid;
	api_then_fn next;
	void (*undo)(struct api_request *req, unsigned vmid);
};

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

static int apply(struct access_draft *draft, void *ctx, struct err *err)
{
	const struct joining *joining = ctx;
	autofree char *path = xasprintf("/vms/%u", joining->vmid);
	struct cfg_pool *pool;
	int r = usercfg_pool(draft->cfg, joining->pool, &pool, err);

	/* whatever had this id before */
	return r < 0 ? r : usercfg_pool_add(draft->cfg, pool, path, true, err);
}

static void joining_free(struct joining *joining)
{
	free(joining->pool);
	free(joining);
}

static void on_done(const struct err *failure, void *ctx)
{
	struct joining *joining = ctx;
	struct api_request *req = joining->req;
	struct err err = *failure;
	int r = err.code ? -err.code : 0;

	if (r == 0 && req->core)
		r = joining->next(req, &err);
	else if (req->core)
		joining->undo(req, joining->vmid);
	joining_free(joining);
	if (r < 0)
		api_fail(req, &err);
	else if (r == 0)
		api_finish(req);
}

int api_pool_join(struct api_request *req, api_then_fn next,
		  void (*undo)(struct api_request *req, unsigned vmid), struct err *err)
{
	struct joining *joining = xcalloc(1, sizeof(*joining));
	int r;

	*joining = (struct joining){req, xstrdup(req->joins.pool), req->joins.vmid, next, undo};
	r = access_edit(
		req->core->access,
		&(struct access_edit){
			.who = api_user(req), .apply = apply, .done = on_done, .ctx = joining},
		err);
	if (r == 0)
		return API_LATER;
	if (r < 0)
		undo(req, joining->vmid);
	joining_free(joining);
	return r < 0 ? r : next(req, err);
}

static int apply_leave(struct access_draft *draft, void *ctx, struct err *err)
{
	const struct joining *leaving = ctx;
	autofree char *path = xasprintf("/vms/%u", leaving->vmid);
	struct cfg_pool *pool = map_get(draft->cfg->pools, leaving->pool);

	if (!pool || usercfg_pool_of(draft->cfg, path) != pool)
		return 0;
	return usercfg_pool_drop(draft->cfg, pool, path, err);
}

static void on_left(const struct err *failure, void *ctx)
{
	struct joining *leaving = ctx;

	if (failure->code)
		log_warning("guest %u, which was not made, stays in pool %s: %s", leaving->vmid,
			    leaving->pool, failure->message);
	joining_free(leaving);
}

void api_pool_leave(struct api_request *req)
{
	struct joining *leaving;
	struct err err = ERR_INIT;

	if (!req->joins.pool)
		return;
	leaving = xcalloc(1, sizeof(*leaving));
	*leaving = (struct joining){.pool = xstrdup(req->joins.pool), .vmid = req->joins.vmid};
	if (access_edit(req->core->access,
			&(struct access_edit){.who = api_user(req),
					      .apply = apply_leave,
					      .done = on_left,
					      .ctx = leaving},
			&err) != 0)
		on_left(&err, leaving);
}
