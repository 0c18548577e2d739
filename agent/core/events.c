/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hub's rounds and its timer. See events.h. Core's loop. */
#include "agent/core/events.h"

#include <stdlib.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/events_internal.h"

/* How long an EventSource waits before it connects again. */
#define HELLO "retry: 1000\n\n"
#define PING  ": \n\n"

static void call_round(struct events *events)
{
	if (events->reader_count > 0)
		sd_event_source_set_enabled(events->round, SD_EVENT_ONESHOT);
}

void events_note(struct events *events, enum event_type type, const char *name)
{
	event_log_put(events->log, type, name);
	call_round(events);
}

void events_note_review(struct events *events)
{
	events->is_review_due = true;
	call_round(events);
}

/* A walk that is not through yet goes on: the next one takes what is newer. */
void events_note_sample(struct events *events)
{
	bool is_awaited = false;

	LIST_FOREACH (&events->readers, r, struct event_reader, link) {
		if (!r->figures.is_wanted || r->figures.is_walking)
			continue;
		r->figures.is_walking = is_awaited = true;
		r->figures.at = 0;
		r->figures.upto = facts_generation(events->core->facts);
	}
	if (is_awaited)
		call_round(events);
}

static void review(struct events *events, uint64_t wall)
{
	events->is_review_due = false;
	LIST_FOREACH (&events->readers, r, struct event_reader, link)
		event_reader_review(r, wall);
}

static void feed_all(struct events *events)
{
	struct event_reader *readers[EVENTS_READERS_MAX] = {NULL};
	size_t count = 0;

	LIST_FOREACH (&events->readers, r, struct event_reader, link)
		readers[count++] = r;
	event_feed(events, readers, count);
	for (size_t i = 0; i < count; i++)
		event_reader_flush(readers[i]);
}

/* Until the next keep-alive, or until the first credential ends by itself. */
static void arm(struct events *events, usec_t now, uint64_t wall)
{
	usec_t next = events->kept_alive + EVENTS_KEEP_ALIVE;

	if (events->reader_count == 0)
		return;
	LIST_FOREACH (&events->readers, r, struct event_reader, link) {
		uint64_t left = r->until > wall ? r->until - wall : 1;

		if (r->until && left < EVENTS_KEEP_ALIVE / USEC_PER_SEC &&
		    now + left * USEC_PER_SEC < next)
			next = now + left * USEC_PER_SEC;
	}
	sd_event_source_set_time(events->timer, next);
	sd_event_source_set_enabled(events->timer, SD_EVENT_ONESHOT);
}

static int on_round(sd_event_source *source, void *ctx)
{
	struct events *events = ctx;
	uint64_t wall = clock_wall() / USEC_PER_SEC;

	(void)source;
	if (events->is_review_due) {
		review(events, wall);
		arm(events, clock_monotonic(), wall);
	}
	feed_all(events);
	return 0;
}

static void cut_stuck(struct events *events, usec_t now)
{
	LIST_FOREACH (&events->readers, r, struct event_reader, link) {
		if (!r->blocked_since || now < r->blocked_since + EVENTS_STALL_MAX)
			continue;
		log_info("event stream of %s: it is not read any more, cut off", r->who.userid);
		event_reader_free(r);
	}
}

/* Those with something in their buffer get that. */
static void keep_alive(struct events *events, usec_t now)
{
	if (now < events->kept_alive + EVENTS_KEEP_ALIVE)
		return;
	events->kept_alive = now;
	LIST_FOREACH (&events->readers, r, struct event_reader, link) {
		if (r->out.size == 0)
			buf_add_str(&r->out, PING);
	}
}

void events_tick(struct events *events, usec_t now, uint64_t wall)
{
	review(events, wall);
	cut_stuck(events, now);
	keep_alive(events, now);
	feed_all(events);
	arm(events, now, wall);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
	(void)source;
	(void)usec;
	events_tick(ctx, clock_monotonic(), clock_wall() / USEC_PER_SEC);
	return 0;
}

static int check_bounds(const struct events *events, const char *userid, struct err *err)
{
	size_t own = 0;

	LIST_FOREACH (&events->readers, r, struct event_reader, link)
		own += str_eq(r->who.userid, userid);
	if (own >= EVENTS_USER_MAX)
		return err_set(err, ERR_LIMIT,
			       "too many event streams of user '%s': at most %d at once", userid,
			       EVENTS_USER_MAX);
	if (events->reader_count >= EVENTS_READERS_MAX)
		return err_set(err, ERR_LIMIT, "too many event streams: at most %d at once",
			       EVENTS_READERS_MAX);
	return 0;
}

int events_reader_add(struct events *events, const struct events_reader_spec *spec, int *ret_fd,
		      struct err *err)
{
	uint64_t wall = clock_wall() / USEC_PER_SEC;
	usec_t now = clock_monotonic();
	autofd int fd = -1;
	int r = check_bounds(events, spec->who.userid, err);

	if (r < 0 || (r = event_reader_new(events, spec, &fd, err)) < 0)
		return r;
	struct event_reader *reader = CONTAINER_OF(events->readers.prev, struct event_reader, link);
	if (events->reader_count == 1)
		events->kept_alive = now;
	if (!event_reader_review(reader, wall))
		return err_set(err, ERR_AUTH, "the credential has just ended");
	buf_add_str(&reader->out, HELLO);
	event_feed(events, &reader, 1);
	if (!event_reader_flush(reader))
		return err_set(err, ERR_INTERNAL, "a new event stream is broken");
	arm(events, now, wall);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

size_t events_reader_count(const struct events *events)
{
	return events->reader_count;
}

uint64_t events_encoded(const struct events *events)
{
	return events->encoded;
}

struct events *events_new(struct core *core)
{
	struct events *events = xcalloc(1, sizeof(*events));

	events->core = core;
	events->log = event_log_new(EVENT_LOG_COUNT, EVENT_LOG_BYTES);
	random_bytes(&events->boot, sizeof(events->boot));
	list_init(&events->readers);
	if (sd_event_add_defer(core->event, &events->round, on_round, events) < 0 ||
	    sd_event_source_set_enabled(events->round, SD_EVENT_OFF) < 0 ||
	    sd_event_add_time(core->event, &events->timer, CLOCK_MONOTONIC, 0, 100 * USEC_PER_MSEC,
			      on_timer, events) < 0 ||
	    sd_event_source_set_enabled(events->timer, SD_EVENT_OFF) < 0)
		abort(); /* no memory */
	event_sources_begin(events);
	return events;
}

void events_free(struct events *events)
{
	if (!events)
		return;
	LIST_FOREACH (&events->readers, r, struct event_reader, link)
		event_reader_free(r);
	event_sources_end(events);
	sd_event_source_disable_unref(events->round);
	sd_event_source_disable_unref(events->timer);
	event_log_free(events->log);
	free(events);
}
