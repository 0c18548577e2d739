/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many uploads there may be, and that none takes all places from the others. */
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/gate/upload_internal.h"

struct uploads *uploads_new(struct gate *gate, const struct gate_options *options)
{
	struct uploads *uploads = xcalloc(1, sizeof(*uploads));

	uploads->gate = gate;
	uploads->fields_within = options->upload_fields ?: GATE_UPLOAD_FIELDS;
	list_init(&uploads->all);
	return uploads;
}

void uploads_free(struct uploads *uploads)
{
	free(uploads);
}

static bool is_waiting(const struct upload *u)
{
	return !u->is_accepted && (u->r->state == REQUEST_READING || u->r->state == REQUEST_CALLED);
}

static bool is_accepted(const struct upload *u)
{
	return u->is_accepted;
}

/* Those of the same address. */
static unsigned count_alike(const struct request *r, bool (*is_one)(const struct upload *u))
{
	unsigned n = 0;

	LIST_FOREACH (&r->gate->uploads->all, u, struct upload, node)
		n += is_one(u) && str_eq(u->r->address_key, r->address_key);
	return n;
}

int upload_check_room(const struct request *r, struct err *err)
{
	if (r->gate->uploads->accepted >= GATE_UPLOADS)
		return err_set(err, ERR_CROWDED, "too many uploads at once; try again later");
	if (count_alike(r, is_accepted) >= GATE_UPLOADS_OF_ADDRESS)
		return err_set(err, ERR_CROWDED,
			       "too many uploads from your address at once; try again later");
	return 0;
}

bool upload_may_start(struct request *r)
{
	struct err err = ERR_INIT;

	if (upload_check_room(r, &err) < 0)
		request_fail_err(r, 503, &err);
	else if (count_alike(r, is_waiting) >= GATE_UPLOADS_WAITING)
		request_fail(r, 429, "too many uploads from your address begin at once; try again");
	return r->state == REQUEST_READING;
}

void uploads_stop(struct uploads *uploads)
{
	LIST_FOREACH (&uploads->all, u, struct upload, node) {
		upload_send_stop(u);
		upload_resume(u);
	}
}
