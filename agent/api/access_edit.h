/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the handlers below /access share: changes of the configuration, password helpers, lists. */
#pragma once

#include "agent/api/api.h"
#include "agent/auth/edit.h"
#include "agent/auth/shadow.h"

typedef int (*api_edit_fn)(struct api_request *req, struct access_draft *draft, struct err *err);

/* Changes the access configuration by `apply` (see access_edit(): it may run several times), then
 * calls next (may be NULL), which goes on like a handler. Returns API_LATER, an error, or what next
 * returned when there was nothing to change. */
int api_access_edit(struct api_request *req, api_edit_fn apply, api_then_fn next, struct err *err);
/* The same, together with preconditions and operations on other paths (see struct access_edit). */
int api_access_edit_with(struct api_request *req, api_edit_fn apply, api_then_fn next,
			 const struct store_txn *with, struct err *err);

/* A value that the handler itself keeps with the request, beside the parameters; name starts with
 * '.', which no parameter does. */
#define API_KEEP_HASH ".hash"

typedef int (*api_helper_fn)(struct api_request *req, struct buf *output, struct err *err);

/* What shadow_put() takes so that all tickets up to now are refused, those of this second as well. */
uint64_t api_tickets_end(void);

/* Asks a helper for the hash of a new password. `done` finds it in its output. */
int api_password_hash(struct api_request *req, const char *password, api_helper_fn done,
		      struct err *err);
/* Asks a helper whether this is the user's password. A user without one (or none at all) takes as
 * long, and is a "no". */
int api_password_verify(struct api_request *req, const char *userid, const char *password,
			api_helper_fn done, struct err *err);
bool api_password_is_right(struct buf *output);
/* Logs that a password was wrong, and returns the error for its caller, which does not tell whether userid exists. */
int api_login_failed(const struct api_request *req, const char *userid, struct err *err);

/* Free text of a record: sets *slot to the parameter's value, if given; "" clears it. */
void api_take_text(const struct api_request *req, const char *name, char **slot);
/* Splits a list parameter; an absent one gives an empty list. */
char **api_list(const struct api_request *req, const char *name);
