/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared parts of the handlers below /access. Core's loop; hashing happens in helper processes. */
#include "agent/api/access_edit.h"

#include <string.h>

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define HELPER_TIMEOUT (20 * USEC_PER_SEC)

/* The hash of a random password that nobody has, of the same cost as those that are made: checking
 * a password of an unknown user takes as long as that of a known one. */
static const char nobodys_hash[] =
	"$y$j9T$AFcuR3q2WMCa0CHbGdXxb0$Z/va.rhgNu4G.MCui3x7tWAKF2vm8rSgfLDgWZ8rGZ1";

struct api_edit {
	struct api_request *req;
	api_edit_fn apply;
	api_then_fn next;
};

static int on_apply(struct access_draft *draft, void *ctx, struct err *err)
{
	struct api_edit *edit = ctx;

	return edit->apply(edit->req, draft, err);
}

static void on_done(const struct err *failure, void *ctx)
{
	autofree struct api_edit *edit = ctx;
	struct err err = *failure;
	int r = err.code ? -err.code : 0;

	if (r == 0 && edit->next && edit->req->core)
		r = edit->next(edit->req, &err);
	if (r < 0)
		api_fail(edit->req, &err);
	else if (r == 0)
		api_finish(edit->req);
}

int api_access_edit(struct api_request *req, api_edit_fn apply, api_then_fn next, struct err *err)
{
	return api_access_edit_with(req, apply, next, NULL, err);
}

int api_access_edit_with(struct api_request *req, api_edit_fn apply, api_then_fn next,
			 const struct store_txn *with, struct err *err)
{
	struct api_edit *edit = xcalloc(1, sizeof(*edit));
	int r;

	*edit = (struct api_edit){.req = req, .apply = apply, .next = next};
	req->cancel = NULL; /* what was submitted is done, whoever waits */
	r = access_edit(req->core->access,
			&(struct access_edit){.who = api_user(req),
					      .apply = on_apply,
					      .with = with,
					      .done = on_done,
					      .ctx = edit},
			err);
	if (r == 0)
		return API_LATER;
	free(edit);
	if (r == ACCESS_EDIT_UNCHANGED)
		return next ? next(req, err) : 0;
	return r;
}

uint64_t api_tickets_end(void)
{
	return clock_wall() / USEC_PER_SEC + 1;
}

int api_password_hash(struct api_request *req, const char *password, api_helper_fn done,
		      struct err *err)
{
	autofields args = FIELDS_INIT;

	fields_add(&args, "password", password);
	return api_run_helper(req, "crypt-hash", &args, HELPER_TIMEOUT, done, err);
}

int api_password_verify(struct api_request *req, const char *userid, const char *password,
			api_helper_fn done, struct err *err)
{
	autofields args = FIELDS_INIT;
	const char *hash = access_password_hash(req->core->access, userid);

	fields_add(&args, "password", password);
	fields_add(&args, "hash", hash ? hash : nobodys_hash);
	return api_run_helper(req, "crypt-verify", &args, HELPER_TIMEOUT, done, err);
}

bool api_password_is_right(struct buf *output)
{
	return str_eq(buf_str(output), "true");
}

void api_take_text(const struct api_request *req, const char *name, char **slot)
{
	const char *value = api_str(req, name);

	if (value)
		xreplace(slot, *value ? value : NULL);
}

char **api_list(const struct api_request *req, const char *name)
{
	const char *value = api_str(req, name);

	return str_split(value ? value : "", " ,;");
}

/* Names of unknown users are not logged: people type passwords there. */
int api_login_failed(const struct api_request *req, const char *userid, struct err *err)
{
	bool is_known = map_get(access_usercfg(req->core->access)->users, userid) != NULL;

	log_warning("authentication failure; peer=%s user=%s", req->peer,
		    is_known ? userid : "(unknown)");
	return err_set(err, ERR_AUTH, "authentication failure");
}
