/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that start with the host. A marker in the run folder (gone with each boot) holds the boot
 * id and every guest whose turn came, each written before its job is started, then "end": a core
 * that was killed in between goes on with the next one and starts none twice. A job that cannot be
 * started for now (too many tasks, no descriptors) is tried again: the others wait, in their order,
 * unless it is that guest alone that has too many. Runs on the core's loop. */
#include "agent/core/onboot.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/core/guests.h"
#include "agent/core/restart.h"

#define MARKER	   "onboot-done"
#define MARKER_MAX (1024 * 1024)
#define UP_MAX	   3600 /* s */
#define DOWN_MAX   7200 /* s */

#define RETRY_AFTER (2 * USEC_PER_SEC)

struct candidate {
	unsigned vmid;
	struct onboot_startup startup;
};

struct onboot {
	struct core *core;
	struct candidate *items;
	size_t count, next;
	size_t put_off;		/* so many at the end had their turn in this round */
	char current[UPID_MAX]; /* the job that is awaited, or "" */
	uint64_t up;		/* of the current one */
	sd_event_source *timer;
	struct buf marker; /* what the file holds */
};

void onboot_startup_parse(const char *text, struct onboot_startup *ret)
{
	autostrv char **parts = str_split(text ? text : "", ",");

	*ret = (struct onboot_startup){.order = ONBOOT_ORDER_NONE, .down = ONBOOT_DOWN_NONE};
	for (char **part = parts; part && *part; part++) {
		const char *up = str_after(*part, "up="), *order = str_after(*part, "order=");
		const char *down = str_after(*part, "down=");

		if (up)
			str_to_u64(up, &ret->up);
		else if (down)
			str_to_u64(down, &ret->down);
		else if (order || !strchr(*part, '=')) /* the key that may be left out */
			str_to_u64(order ? order : *part, &ret->order);
	}
	if (ret->up > UP_MAX)
		ret->up = UP_MAX;
	if (ret->down > DOWN_MAX && ret->down != ONBOOT_DOWN_NONE)
		ret->down = DOWN_MAX;
}

static int compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->startup.order != y->startup.order)
		return x->startup.order < y->startup.order ? -1 : 1;
	return x->vmid < y->vmid ? -1 : 1;
}

static bool wants_start(const struct onboot *o, const struct guest *guest)
{
	const char *text = guest_config_get(guest->config, "onboot");
	const char *is_template = guest_config_get(guest->config, "template");
	bool on = false, template = false;

	if (text)
		str_to_bool(text, &on);
	if (is_template)
		str_to_bool(is_template, &template);
	return on && !template && !guest->config_is_bad && str_eq(guest->node, o->core->node);
}

static void collect(struct onboot *o, char *const *started)
{
	unsigned at = 0;

	for (const struct guest *g; (g = guests_next(o->core->guests, at)); at = g->vmid) {
		autofree char *id = xasprintf("%u", g->vmid);

		if (!wants_start(o, g) || strv_has(started, id))
			continue;
		o->items = xrealloc(o->items, o->count + 1, sizeof(*o->items));
		o->items[o->count].vmid = g->vmid;
		onboot_startup_parse(guest_config_get(g->config, "startup"),
				     &o->items[o->count++].startup);
	}
	if (o->count > 0)
		qsort(o->items, o->count, sizeof(*o->items), compare);
}

/* The run folder is on tmpfs: the sync of the write costs nothing. */
static int mark(struct onboot *o, const char *line)
{
	autofree char *path = path_join(path_run(), MARKER);
	struct err err = ERR_INIT;

	buf_addf(&o->marker, "%s\n", line);
	if (file_write_atomic(path, o->marker.data, o->marker.size, 0600, &err) < 0) {
		log_error("start of guests with the host: %s", err.message);
		return -1;
	}
	return 0;
}

/* The last line, which was not written. */
static void forget_mark(struct onboot *o, size_t before)
{
	o->marker.size = before;
	o->marker.data[before] = '\0';
}

/* It was not its turn after all. If that cannot be written the next core takes it for started. */
static void unmark(struct onboot *o, size_t before)
{
	autofree char *path = path_join(path_run(), MARKER);
	struct err err = ERR_INIT;

	forget_mark(o, before);
	if (file_write_atomic(path, o->marker.data, o->marker.size, 0600, &err) < 0)
		log_warning("start of guests with the host: %s", err.message);
}

static void start_next(struct onboot *o);

static int on_up_time(sd_event_source *source, uint64_t now, void *ctx)
{
	struct onboot *o = ctx;

	(void)source;
	(void)now;
	o->timer = sd_event_source_disable_unref(o->timer);
	start_next(o);
	return 0;
}

static void go_on_after(struct onboot *o, usec_t delay)
{
	if (sd_event_add_time_relative(o->core->event, &o->timer, CLOCK_MONOTONIC, delay,
				       10 * USEC_PER_MSEC, on_up_time, o) < 0)
		log_error("start of guests with the host: no timer");
}

static void on_job_ended(const struct task *task, void *ctx)
{
	struct onboot *o = ctx;

	if (!o->current[0] || !str_eq(o->current, task->upid))
		return;
	o->current[0] = '\0';
	/* From the loop, not from inside the end of another job. */
	go_on_after(o, o->up * USEC_PER_SEC);
}

enum turn { TURN_STARTED, TURN_OVER, TURN_PUT_OFF, TURN_NOT_NOW };

static enum turn start_one(struct onboot *o, const struct candidate *c)
{
	const struct guest *guest = guests_find(o->core->guests, c->vmid);
	autofree char *id = xasprintf("%u", c->vmid);
	autofree char *record = path_join(path_run(), "guests/%u", c->vmid);
	size_t before = o->marker.size;
	struct err err = ERR_INIT;

	if (!guest || !guest->config || !wants_start(o, guest))
		return TURN_OVER; /* since it was put on the list */
	if (mark(o, id) < 0) {
		forget_mark(o, before);
		return TURN_NOT_NOW;
	}
	if (access(record, F_OK) == 0)
		return TURN_OVER; /* someone was faster */
	/* behind what works on it, which may be undoing what a power cut broke off */
	int r = restart_guest(o->core, c->vmid, o->current, &err);

	if (r < 0) {
		log_error("start of guest %u with the host: %s", c->vmid, err.message);
		unmark(o, before);
		return r == -ERR_BUSY ? TURN_PUT_OFF : TURN_NOT_NOW;
	}
	o->up = c->startup.up;
	return TURN_STARTED;
}

static void put_off(struct onboot *o)
{
	struct candidate *at = o->items + o->next, late = *at;

	memmove(at, at + 1, (o->count - o->next - 1) * sizeof(*at));
	o->items[o->count - 1] = late;
	o->put_off++;
}

static void start_next(struct onboot *o)
{
	while (o->next + o->put_off < o->count) {
		enum turn turn = start_one(o, &o->items[o->next]);

		if (turn == TURN_PUT_OFF) {
			put_off(o);
			continue;
		}
		if (turn == TURN_NOT_NOW)
			break;
		o->next++;
		if (turn == TURN_STARTED)
			return;
	}
	o->put_off = 0;
	if (o->next < o->count)
		go_on_after(o, RETRY_AFTER);
	else
		mark(o, "end");
}

struct onboot *onboot_new(struct core *core)
{
	struct onboot *o = xcalloc(1, sizeof(*o));

	o->core = core;
	jobs_on_ended(core->jobs, on_job_ended, o);
	return o;
}

void onboot_free(struct onboot *o)
{
	if (!o)
		return;
	if (o->timer)
		sd_event_source_disable_unref(o->timer);
	buf_fini(&o->marker);
	free(o->items);
	free(o);
}

void onboot_begin(struct onboot *o)
{
	autofree char *path = path_join(path_run(), MARKER);
	autobuf text = BUF_INIT;
	autostrv char **lines = NULL;

	if (file_read(path, MARKER_MAX, &text, NULL) < 0)
		buf_clear(&text);
	lines = str_split(buf_str(&text), "\n");
	if (!lines[0] || !str_eq(lines[0], exec_boot_id())) {
		buf_clear(&o->marker);
		mark(o, exec_boot_id());
		strv_free(lines);
		lines = str_split("", "\n");
	} else if (strv_has(lines, "end")) {
		return;
	} else {
		buf_add(&o->marker, text.data, text.size);
	}
	collect(o, lines);
	start_next(o);
}
