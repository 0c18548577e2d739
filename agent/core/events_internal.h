/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files that implement events.h; nobody else includes it. */
#pragma once

#include <systemd/sd-event.h>

#include "agent/base/clock.h"
#include "agent/core/core.h"
#include "agent/core/events.h"

struct event_reader {
	struct list link;
	struct events *events;
	int fd;
	sd_event_source *io;
	const struct event_ops *ops;
	struct identity who;
	uint64_t until;	 /* wall clock, seconds: the end of the credential; 0: none */
	uint64_t rights; /* access_generation() for which the reader's view holds */
	unsigned types;
	uint64_t seq; /* everything up to it was put into the buffer, or is not for this reader */
	const char *sync; /* static: the reason of a sync that is owed; NULL: none */
	struct {
		bool is_wanted, is_walking;
		unsigned at;	/* the last guest that was looked at in this walk */
		uint64_t since; /* facts_generation() that the walk before covered */
		uint64_t upto;	/* the same of this walk */
	} figures;
	struct buf out;
	size_t sent;	      /* of out */
	usec_t blocked_since; /* nothing was taken since then; 0: nothing waits */
};

struct events {
	struct core *core;
	struct event_log *log;
	uint32_t boot; /* another at each start */
	struct store_subscription *subscription;
	sd_event_source *round; /* armed by a change while somebody listens */
	sd_event_source *timer; /* armed while somebody listens */
	usec_t kept_alive;	/* when it was done last */
	struct list readers;
	size_t reader_count;
	bool is_review_due;  /* of the credentials and rights of all readers */
	uint64_t pools;	     /* access_pools_generation() that was told */
	uint64_t rights_seq; /* of the last change of rights: who is behind it does not know it */
	uint64_t encoded;
};

/* event_sources.c */
void event_sources_begin(struct events *events);
void event_sources_end(struct events *events);

/* events.c */
void events_note(struct events *events, enum event_type type, const char *name);
void events_note_review(struct events *events);
void events_note_sample(struct events *events);

/* event_feed.c: fills the buffers of these readers as far as there is room. */
void event_feed(struct events *events, struct event_reader *const *readers, size_t count);
bool event_feed_is_owed(const struct event_reader *r); /* there is more than the buffer held */

/* event_reader.c */
int event_reader_new(struct events *events, const struct events_reader_spec *spec, int *ret_fd,
		     struct err *err);
void event_reader_free(struct event_reader *r);
bool event_reader_has_room(const struct event_reader *r);
/* Sends what the socket takes and asks for more room if something is left. false: the reader is gone,
 * and so is r. */
bool event_reader_flush(struct event_reader *r);
/* Looks at credential and rights again. false: it no longer holds, and r is gone. */
bool event_reader_review(struct event_reader *r, uint64_t wall);
