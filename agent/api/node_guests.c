/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All guests of a node at once: POST /nodes/{node}/startall and /stopall. Who takes part, and in which order, is
 * settled here; a job does the rest. Runs on the core's loop. */
#include <inttypes.h>
#include <stdlib.h>

#include "agent/api/api.h"
#include "agent/base/str.h"
#include "agent/core/guest_mark.h"
#include "agent/core/guests.h"
#include "agent/core/onboot.h"
#include "agent/guest/guest.h"

#define WORKERS	     4
#define DOWN_SECONDS 180
#define POWER	     "VM.PowerMgmt"

struct turn {
	unsigned vmid;
	struct onboot_startup startup;
	char mark[GUEST_MARK_MAX];
};

struct turns {
	struct turn *items; /* owned */
	size_t count;
};

static bool flag(const struct guest *guest, const char *key)
{
	const char *text = guest->config ? guest_config_get(guest->config, key) : NULL;
	bool value = false;

	return text && str_to_bool(text, &value) && value;
}

static bool may(const struct api_request *req, unsigned vmid)
{
	autofree char *path = xasprintf("/vms/%u", vmid);

	return api_may(req, path, POWER);
}

/* Those that are named must be there, and the caller's to switch. */
static int check_named(const struct api_request *req, char *const *named, struct err *err)
{
	for (; *named; named++) {
		const struct guest *guest;
		uint64_t vmid;
		int r;

		if (!str_to_u64(*named, &vmid) || vmid > UINT32_MAX ||
		    !(guest = guests_find(req->core->guests, (unsigned)vmid)) ||
		    !str_eq(guest->node, req->core->node))
			return err_field(err, "vms", "guest '%s' is not on this node", *named);
		autofree char *path = xasprintf("/vms/%u", guest->vmid);

		if ((r = api_check(req, path, POWER, false, err)) < 0)
			return r;
	}
	return 0;
}

static bool is_up(const struct api_request *req, const struct guest *guest)
{
	return facts_guest(req->core->facts, guest->vmid)->state != GUEST_STOPPED;
}

static bool takes_part(const struct api_request *req, const struct guest *guest, bool starts)
{
	if (!starts)
		return is_up(req, guest);
	return !guest->config_is_bad && !flag(guest, "template") &&
	       (flag(guest, "onboot") || api_bool(req, "force", false)) && !is_up(req, guest);
}

static void collect(const struct api_request *req, char *const *named, bool starts,
		    struct turns *ret)
{
	unsigned at = 0;

	for (const struct guest *g; (g = guests_next(req->core->guests, at)); at = g->vmid) {
		autofree char *id = xasprintf("%u", g->vmid);

		if (!str_eq(g->node, req->core->node) || (*named && !strv_has(named, id)) ||
		    !may(req, g->vmid) || !takes_part(req, g, starts))
			continue;
		ret->items = xrealloc(ret->items, ret->count + 1, sizeof(*ret->items));
		ret->items[ret->count].vmid = g->vmid;
		guest_mark(g, ret->items[ret->count].mark);
		onboot_startup_parse(g->config ? guest_config_get(g->config, "startup") : NULL,
				     &ret->items[ret->count++].startup);
	}
}

static int compare_start(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->startup.order != y->startup.order)
		return x->startup.order < y->startup.order ? -1 : 1;
	return x->vmid < y->vmid ? -1 : 1;
}

static int compare_stop(const void *a, const void *b)
{
	return compare_start(b, a);
}

/* "VMID ORDER SECONDS MARK" (agent/task/host/jobs.h) */
static void write_turn(const struct turn *turn, bool starts, uint64_t down, struct buf *out)
{
	const struct onboot_startup *startup = &turn->startup;

	buf_addf(out, "%u ", turn->vmid);
	if (startup->order == ONBOOT_ORDER_NONE)
		buf_add_str(out, "any");
	else
		buf_addf(out, "%" PRIu64, startup->order);
	buf_addf(out, " %" PRIu64 " %s\n",
		 starts				     ? startup->up
		 : startup->down != ONBOOT_DOWN_NONE ? startup->down
						     : down,
		 turn->mark);
}

static int start_job(struct api_request *req, struct turns *turns, bool starts, struct err *err)
{
	autofields args = FIELDS_INIT;
	autobuf text = BUF_INIT;
	const struct job_spec spec = {.program = JOB_HOST,
				      .command = starts ? "startall" : "stopall",
				      .user = api_user(req),
				      .args = &args,
				      .fd = -1};

	if (turns->count > 0)
		qsort(turns->items, turns->count, sizeof(*turns->items),
		      starts ? compare_start : compare_stop);
	for (size_t i = 0; i < turns->count; i++)
		write_turn(&turns->items[i], starts,
			   (uint64_t)api_int(req, "timeout", DOWN_SECONDS), &text);
	fields_add(&args, "guests", buf_str(&text));
	fields_addf(&args, "workers", "%" PRId64, api_int(req, "max-workers", WORKERS));
	if (!starts && api_bool(req, "force-stop", true))
		fields_add(&args, "force-stop", "1");
	return api_start_job(req, (struct job_spec *)&spec, err);
}

/* Who may switch none of them has nothing to ask for, be it that no guest is left to take part. */
static int check_any(const struct api_request *req, struct err *err)
{
	unsigned at = 0;

	for (const struct guest *g; (g = guests_next(req->core->guests, at)); at = g->vmid)
		if (str_eq(g->node, req->core->node) && may(req, g->vmid))
			return 0;
	return api_check(req, "/vms", POWER, false, err);
}

/* Two would undo each other's work. */
static int check_alone(const struct api_request *req, struct err *err)
{
	for (const struct task *t = NULL; (t = jobs_next(req->core->jobs, t));)
		if (t->state == TASK_RUNNING &&
		    (str_eq(t->id.type, "startall") || str_eq(t->id.type, "stopall")))
			return err_set(err, ERR_BUSY, "%s of this node already runs: %s",
				       t->id.type, t->upid);
	return 0;
}

static int handle(struct api_request *req, bool starts, struct err *err)
{
	autostrv char **named = str_split(api_str(req, "vms") ?: "", ",; ");
	struct turns turns = {0};
	int r;

	if ((r = api_check_node(req, err)) < 0 || (r = check_any(req, err)) < 0 ||
	    (r = check_named(req, named, err)) < 0 || (r = check_alone(req, err)) < 0)
		return r;
	collect(req, named, starts, &turns);
	r = start_job(req, &turns, starts, err);
	free(turns.items);
	return r;
}

static int handle_startall(struct api_request *req, struct err *err)
{
	return handle(req, true, err);
}

static int handle_stopall(struct api_request *req, struct err *err)
{
	return handle(req, false, err);
}

#define COMMON                                                                                     \
	PARAM_NODE,                                                                                \
		{.name = "max-workers",                                                            \
		 .type = PARAM_INTEGER,                                                            \
		 .optional = true,                                                                 \
		 .has_min = true,                                                                  \
		 .min = 1,                                                                         \
		 .has_max = true,                                                                  \
		 .max = 64,                                                                        \
		 .text = "Guests at once.",                                                        \
		 .default_text = "4"},                                                             \
	{                                                                                          \
		.name = "vms", .optional = true, .pattern = "[0-9]+([,; ]+[0-9]+)*",               \
		.text = "Only these guests, in a list with commas."                                \
	}

static const struct param start_params[] = {
	COMMON,
	{.name = "force",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .text = "Those without onboot, too.",
	 .default_text = "0"},
	PARAM_END,
};

static const struct param stop_params[] = {
	COMMON,
	{.name = "force-stop",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .text = "Stop who does not shut down in time.",
	 .default_text = "1"},
	{.name = "timeout",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .has_max = true,
	 .max = 7200,
	 .text = "Seconds that each guest has, unless its startup says down=SECONDS.",
	 .default_text = "180"},
	PARAM_END,
};

#define RIGHT                                                                                      \
	{                                                                                          \
		.kind = API_USER, .text = "VM.PowerMgmt on /vms or on a guest of the node; only "  \
					  "guests with it take part."                              \
	}
#define RETURNS "{\"type\":\"string\"}"

static const struct api_route routes[] = {
	{.verb = API_POST,
	 .path = "/nodes/{node}/startall",
	 .text = "Start the guests that start with the node, in the order of their startup.",
	 .params = start_params,
	 .permission = RIGHT,
	 .returns = RETURNS,
	 .handle = handle_startall},
	{.verb = API_POST,
	 .path = "/nodes/{node}/stopall",
	 .text = "Shut all running guests down, in the reverse order.",
	 .params = stop_params,
	 .permission = RIGHT,
	 .returns = RETURNS,
	 .handle = handle_stopall},
};

const struct api_table api_table_node_guests = {routes, ARRAY_SIZE(routes)};
