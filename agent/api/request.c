/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What handlers call: parameter values, permission checks, and the three ways to go on later (job,
 * transaction, helper). Core's loop; never blocks. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/api/api.h"
#include "agent/api/pending.h"
#include "agent/auth/rights.h"
#include "agent/base/str.h"

const char *api_str(const struct api_request *req, const char *name)
{
	return fields_get(&req->params, name);
}

int64_t api_int(const struct api_request *req, const char *name, int64_t fallback)
{
	int64_t value;
	const char *text = api_str(req, name);
	return text && str_to_i64(text, &value) ? value : fallback;
}

bool api_bool(const struct api_request *req, const char *name, bool fallback)
{
	bool value;
	const char *text = api_str(req, name);
	return text && str_to_bool(text, &value) ? value : fallback;
}

unsigned api_vmid(const struct api_request *req)
{
	return (unsigned)api_int(req, "vmid", 0);
}

const char *api_user(const struct api_request *req)
{
	return req->who.is_token ? req->who.tokenid : req->who.userid;
}

static bool is_joining(const struct api_request *req, const char *path)
{
	char guest[32];
	snprintf(guest, sizeof(guest), "/vms/%u", req->joins.vmid);
	return req->joins.pool && str_eq(path, guest) &&
	       !access_rights(req->core->access, &req->who, path).is_denied;
}

static bool pool_allows(const struct api_request *req, privset need, bool any)
{
	autofree char *path = xasprintf("/pool/%s", req->joins.pool);
	return access_check(req->core->access, &req->who, path, need, any, NULL) == 0;
}

int api_check(const struct api_request *req, const char *path, const char *privs, bool any,
	      struct err *err)
{
	privset need;
	int r = privset_from_names(privs, &need, err);
	if (r == 0 && is_joining(req, path) && pool_allows(req, need, any))
		return 0;
	return r < 0 ? r : access_check(req->core->access, &req->who, path, need, any, err);
}

bool api_may(const struct api_request *req, const char *path, const char *privs)
{
	return access_may(req->core->access, &req->who, path, privs);
}

int api_check_node(const struct api_request *req, struct err *err)
{
	const char *node = api_str(req, "node");
	if (str_eq(node, req->core->node))
		return 0;
	return err_set(err, ERR_NOT_FOUND, "no such cluster node '%s'", node ? node : "");
}

int api_start_job(struct api_request *req, struct job_spec *spec, struct err *err)
{
	char upid[UPID_MAX];
	spec->user = api_user(req);
	int r = jobs_start(req->core->jobs, spec, upid, err);
	if (r == 0)
		json_string(&req->json, upid);
	return r;
}

/* -- transactions ------------------------------------------------------------------------------ */

/* "/nodes/n1/lxc/101.conf" -> "lxc", 101, "n1" */
static bool parse_guest_path(const char *path, char node[64], char kind[8], unsigned *ret_vmid)
{
	int end = 0;
	return sscanf(path, "/nodes/%63[^/]/%7[a-z]/%9u.conf%n", node, kind, ret_vmid, &end) == 3 &&
	       end > 0 && !path[end];
}

static void explain_refusal(const struct pending *p, size_t index, struct err *err)
{
	char node[64], kind[8];
	unsigned vmid;
	struct store_value value;
	const struct field *f =
		index < p->preconditions.count ? &p->preconditions.items[index] : NULL;
	bool must_be_absent = f && str_eq(f->value, "0");
	bool is_guest = f && parse_guest_path(f->name, node, kind, &vmid);
	if (must_be_absent && is_guest)
		err_set(err, ERR_EXISTS, "%s %u already exists on node '%s'",
			str_eq(kind, "lxc") ? "CT" : "VM", vmid, node);
	else if (must_be_absent)
		err_set(err, ERR_EXISTS, "'%s' already exists", f->name);
	else if (f && !store_get(p->req.core->store, f->name, &value))
		err_set(err, ERR_NOT_FOUND, "Configuration file '%s' does not exist", f->name + 1);
	else
		err_set(err, ERR_CONFLICT,
			"detected modified configuration - file changed by other user? Try again.");
}

static int store_step(struct pending *p, void *arg, struct err *err)
{
	const struct store_result *result = arg;
	if (!p->req.core)
		return 0;
	switch (result->outcome) {
	case STORE_DONE:
		return p->after_store ? p->after_store(&p->req, err) : 0;
	case STORE_REFUSED:
		explain_refusal(p, result->failed_precondition, err);
		return -err->code;
	case STORE_UNKNOWN:
		return err_set(err, ERR_UNKNOWN, "the change may or may not have been saved: %s",
			       result->err.message);
	case STORE_NOT_SENT:
		break;
	}
	*err = result->err;
	return err->code ? -err->code : err_set(err, ERR_UNAVAILABLE, "the change was not saved");
}

static void on_stored(const struct store_result *result, void *ctx)
{
	pending_run(ctx, store_step, (void *)result);
}

int api_store(struct api_request *req, const struct store_txn *txn,
	      int (*next)(struct api_request *req, struct err *err), struct err *err)
{
	struct pending *p = pending_of(req);
	struct store_txn mine = *txn;
	if (!mine.who)
		mine.who = api_user(req);
	fields_fini(&p->preconditions);
	for (size_t i = 0; i < txn->precondition_count; i++)
		fields_addf(&p->preconditions, txn->preconditions[i].path, "%" PRIu64,
			    txn->preconditions[i].version);
	p->after_store = next;
	req->cancel = NULL; /* what was submitted is done, whoever waits */
	int r = store_submit(req->core->store, &mine, on_stored, p, err);
	return r < 0 ? r : API_LATER;
}

/* -- helpers ------------------------------------------------------------------------------------
 */

struct helper_answer {
	const struct err *err;
	struct buf *output;
};

static int helper_step(struct pending *p, void *arg, struct err *err)
{
	const struct helper_answer *answer = arg;
	if (!answer->err->code)
		return p->after_helper(&p->req, answer->output, err);
	*err = *answer->err;
	return -err->code;
}

static void on_helper(const struct err *err, struct buf *output, void *ctx)
{
	struct pending *p = ctx;
	struct helper_answer answer = {err, output};
	p->helper = NULL;
	p->req.cancel = NULL;
	pending_run(p, helper_step, &answer);
}

static void cancel_helper(struct api_request *req)
{
	struct pending *p = pending_of(req);
	if (p->helper)
		helper_cancel(p->helper);
	p->helper = NULL;
}

int api_run_helper(struct api_request *req, const char *name, const struct fields *args,
		   usec_t timeout,
		   int (*done)(struct api_request *req, struct buf *output, struct err *err),
		   struct err *err)
{
	struct pending *p = pending_of(req);
	p->after_helper = done;
	int r = helpers_run(req->core->helpers, name, args, timeout, on_helper, p, &p->helper, err);
	if (r < 0)
		return r;
	req->cancel = req->route->verb == API_GET ? cancel_helper : NULL;
	return API_LATER;
}
