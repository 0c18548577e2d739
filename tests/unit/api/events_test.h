/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readers of the event stream on the core of api_test.h. */
#pragma once

#include "api_test.h"

struct reader {
	int fd;
	struct buf in;
	char last_id[64]; /* of the last event that was taken */
	bool has_ended;
};

/* Who reads is whom fixture_login() named. Returns the HTTP status. */
static inline int reader_try(struct fixture *f, struct reader *r, const char *request,
			     const char *last_id)
{
	struct call call;
	struct err err = ERR_INIT;
	unsigned before = f->replies;

	*r = (struct reader){.fd = -1};
	fixture_fill(f, request, &call);
	fields_add(&call.head, "upgrade", "raw");
	fields_add(&call.head, "last-event-id", last_id);
	assert_int_equal(conn_call(f->client, &call, fixture_on_reply, f, NULL, &err), 0);
	call_fini(&call);
	while (f->replies == before)
		fixture_turn(f);
	if (f->last.status == 200) {
		assert_string_equal(fields_get(&f->last.head, "content-type"), "text/event-stream");
		r->fd = TAKE_FD(f->last.fd);
		assert_true(r->fd >= 0);
	}
	return f->last.status;
}

static inline void reader_open(struct fixture *f, struct reader *r, const char *request,
			       const char *last_id)
{
	if (reader_try(f, r, request, last_id) != 200)
		fail_msg("%s: %d %s", request, f->last.status, buf_str(&f->last.body));
}

static inline void reader_close(struct reader *r)
{
	closep(&r->fd);
	r->fd = -1;
	buf_fini(&r->in);
}

/* Takes what is there. */
static inline void reader_read(struct reader *r)
{
	char chunk[65536];
	ssize_t n;

	while (!r->has_ended && (n = recv(r->fd, chunk, sizeof(chunk), MSG_DONTWAIT)) >= 0) {
		r->has_ended = n == 0;
		buf_add(&r->in, chunk, (size_t)n);
	}
}

/* The next event as it is on the wire, without its empty line; NULL at the end of the stream. Heap. */
static inline char *reader_next(struct fixture *f, struct reader *r)
{
	for (;;) {
		const char *text = buf_str(&r->in), *end = strstr(text, "\n\n");

		if (end) {
			char *event = xstrndup(text, (size_t)(end - text));

			buf_drop_front(&r->in, (size_t)(end - text) + 2);
			return event;
		}
		if (r->has_ended)
			return NULL;
		reader_read(r);
		if (!strstr(buf_str(&r->in), "\n\n") && !r->has_ended)
			fixture_turn(f);
	}
}

/* The next event, without its id, is exactly this; comments and "retry" are passed over. NULL: the
 * stream ends. */
static inline void reader_expect(struct fixture *f, struct reader *r, const char *expected)
{
	for (;;) {
		autofree char *event = reader_next(f, r);
		const char *id = event ? str_after(event, "id: ") : NULL;
		const char *rest = id ? strchr(id, '\n') + 1 : event;

		if (event && !id)
			continue;
		if (id)
			snprintf(r->last_id, sizeof(r->last_id), "%.*s", (int)(rest - id - 1), id);
		if (!str_eq(rest, expected))
			fail_msg("got      %s\nexpected %s", rest ? rest : "the end",
				 expected ? expected : "the end");
		return;
	}
}

/* The next event has this type and all these texts, and none of those after "!". */
static inline void reader_expect_has(struct fixture *f, struct reader *r, const char *type,
				     const char *const *texts)
{
	autofree char *event = NULL;

	do {
		free(event);
		event = reader_next(f, r);
		if (!event)
			fail_msg("the stream ended before %s", type);
	} while (!str_starts(event, "id: "));
	autofree char *head = xasprintf("\nevent: %s\ndata: {", type);
	if (!strstr(event, head))
		fail_msg("no %s: %s", type, event);
	for (; *texts; texts++) {
		bool is_there = strstr(event, **texts == '!' ? *texts + 1 : *texts) != NULL;

		if (is_there == (**texts == '!'))
			fail_msg("%s in %s", *texts, event);
	}
	snprintf(r->last_id, sizeof(r->last_id), "%.*s", (int)strcspn(event + 4, "\n"), event + 4);
}

#define READER_HAS(f, r, type, ...)                                                                \
	reader_expect_has(f, r, type, (const char *const[]){__VA_ARGS__, NULL})

#define SYNC(reason) "event: sync\ndata: {\"reason\":\"" reason "\"}"

/* Facts as the monitor or a job tells them. */
static inline void facts_tell(struct fixture *f,
			      int (*taker)(struct facts *facts, const struct fields *f,
					   struct err *err),
			      const char *text)
{
	autofields facts = FIELDS_INIT;
	struct err err = ERR_INIT;
	autostrv char **pairs = str_split(text, "&");

	for (size_t i = 0; pairs[i]; i++) {
		char *value = strchr(pairs[i], '=');

		*value = '\0';
		fields_add(&facts, pairs[i], value + 1);
	}
	if (taker(f->core.facts, &facts, &err) < 0)
		fail_msg("%s", err.message);
}
