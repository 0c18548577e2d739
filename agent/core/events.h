/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event stream's hub: notes what changes, and hands it to those who listen. Core's loop.
 *
 *   facts, guests, jobs, store --note--> event_log --round--> readers' buffers --> sockets
 *
 * A change is only noted where it happens; the round that follows from the loop, when everybody has
 * applied it, reads the state and encodes it once for all readers. Without readers nothing but the note
 * is made, and no timer runs.
 *
 * Each reader has a place in the log and goes on from there as far as its buffer has room; one that is
 * slow finds merged, newer changes later. A reader whose place fell out of the log, or whose rights
 * changed, is told to read its lists anew ("sync", reasons "too-old" and "rights"). One that takes
 * nothing for EVENTS_STALL_MAX is cut off.
 *
 * Figures of guests and node are no changes: after each sample of the monitor those readers that asked
 * for them are walked through the guests that were sampled since the last walk. They have no number of
 * their own and cannot be resumed: the next sample repeats them. */
#pragma once

#include "agent/auth/access.h"
#include "agent/core/event_log.h"

#define EVENTS_READERS_MAX 128
#define EVENTS_USER_MAX	   16 /* readers of one user, its tokens' included */
#define EVENTS_KEEP_ALIVE  (15 * USEC_PER_SEC)
#define EVENTS_STALL_MAX   (30 * USEC_PER_SEC)
#define EVENTS_BUFFER_MAX  (256u * 1024) /* of one reader, never more */
#define EVENTS_BUFFER_FILL (128u * 1024) /* nothing is added beyond this */
#define EVENTS_VARIANTS	   2

struct core;
struct events;

/* How events are shown: what the API library knows. */
struct event_ops {
	/* Which encoding of the event this identity gets now: 1 … EVENTS_VARIANTS; 0: none. */
	unsigned (*variant)(struct core *core, const struct event *event,
			    const struct identity *who);
	/* Appends "event: TYPE\ndata: JSON\n" of the present state, or nothing if there is none. */
	void (*encode)(struct core *core, const struct event *event, unsigned variant,
		       struct buf *out);
};

struct events_reader_spec {
	const struct event_ops *ops;
	struct identity who;
	unsigned types; /* bits 1 << enum event_type */
	bool wants_figures;
	const char *last_id; /* Last-Event-ID, "" for none; what is malformed counts as none */
};

struct events *events_new(struct core *core);
void events_free(struct events *events); /* ends all streams */
/* *ret_fd: the reader's end of the stream, which has its first bytes already. Closing it ends the
 * reader. ERR_LIMIT: too many. */
int events_reader_add(struct events *events, const struct events_reader_spec *spec, int *ret_fd,
		      struct err *err);
size_t events_reader_count(const struct events *events);
/* What the timer does: ends of credentials, readers that are stuck, keep-alive. */
void events_tick(struct events *events, usec_t now /* monotonic */, uint64_t wall /* seconds */);
/* How many encodings were made so far; for tests. */
uint64_t events_encoded(const struct events *events);

/* Who may know that a configuration changed. One table; what it does not name is told to nobody. */
bool event_config_is_told(const char *path);
bool event_config_is_visible(struct core *core, const char *path, const struct identity *who);
