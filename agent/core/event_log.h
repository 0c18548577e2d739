/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What changed lately, for readers of the event stream that were away. Pure: no clock, no I/O.
 *
 * An entry is a reference (type, name) and the number of the thing's last change, never its state: the
 * state is read and encoded when the event is handed over. A thing that changes again leaves its place and
 * gets a new one at the end, so the log holds each thing once. Readers show state, and the newest state
 * makes all steps before it worthless; a guest that flaps a thousand times costs one entry, and a reader
 * that is slow or was away gets less to read instead of more. What is lost is only that there were steps
 * in between: a task that began and ended meanwhile is told once, as ended.
 *
 * Numbers count up from 1 and are never given twice. Whoever has everything up to `seq` misses nothing
 * as long as no later change fell out of the log: seq >= event_log_lost(). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/list.h"

#define EVENT_LOG_COUNT 4096
#define EVENT_LOG_BYTES (2u * 1024 * 1024)
#define EVENT_ID_MAX	30 /* BOOT-SEQ with the NUL */

enum event_type {
	EVENT_TYPE_GUEST,  /* name "lxc/100"; told as guest-gone once there is none of that name */
	EVENT_TYPE_NODE,   /* "n1" */
	EVENT_TYPE_TASK,   /* the UPID */
	EVENT_TYPE_CONFIG, /* path in the store */
};
#define EVENT_TYPES 4

struct event {
	struct list link; /* in order of seq */
	uint64_t seq;
	enum event_type type;
	const char *name; /* owned by the entry */
	char key[];
};

struct event_log;

/* Bounds of the number of entries and of the memory that they take. */
struct event_log *event_log_new(size_t count_max, size_t bytes_max);
void event_log_free(struct event_log *log);
void event_log_put(struct event_log *log, enum event_type type, const char *name);
/* The oldest with a larger number; NULL: none. Borrowed until the next put. */
const struct event *event_log_after(const struct event_log *log, uint64_t seq);
const struct event *event_log_next(const struct event_log *log, const struct event *event);
uint64_t event_log_head(const struct event_log *log); /* the last number given; 0: none yet */
uint64_t event_log_lost(const struct event_log *log); /* the last number that fell out; 0: none */

/* "BOOT-SEQ": eight hexadecimal digits that are another at each start of the core, and the number. */
struct event_id {
	uint32_t boot;
	uint64_t seq;
};
bool event_id_parse(const char *text, struct event_id *ret);
void event_id_add(struct event_id id, struct buf *out);

/* Where a reader with this Last-Event-ID goes on: NULL and *ret_seq, or the reason for which it has to
 * read its lists anew: "new" (no id, or none that was ever given), "restarted", "too-old". */
const char *event_log_resume(const struct event_log *log, uint32_t boot, const char *last_id,
			     uint64_t *ret_seq);
