/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the log into the readers' buffers: each event is encoded once, then copied to all who may see
 * it and are that far. Core's loop. */
#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/core/events_internal.h"
#include "agent/core/guests.h"

#define ID_LINE_MAX 64

/* The encodings of one event. */
struct texts {
	struct {
		bool is_made;
		struct buf text;
	} variants[EVENTS_VARIANTS];
};

static void texts_fini(struct texts *texts)
{
	for (size_t i = 0; i < EVENTS_VARIANTS; i++)
		buf_fini(&texts->variants[i].text);
}
#define autotexts __attribute__((cleanup(texts_fini))) struct texts

static void add(struct event_reader *r, uint64_t seq, const struct buf *text)
{
	buf_add_str(&r->out, "id: ");
	event_id_add((struct event_id){r->events->boot, seq}, &r->out);
	buf_add_char(&r->out, '\n');
	buf_add(&r->out, text->data, text->size);
	buf_add_char(&r->out, '\n');
}

static void hand(struct event_reader *r, const struct event *event, uint64_t seq,
		 struct texts *texts)
{
	struct events *events = r->events;
	unsigned variant = 0;

	if (r->types & (1u << event->type))
		variant = r->ops->variant(events->core, event, &r->who);
	if (variant == 0)
		return;
	struct buf *text = &texts->variants[variant - 1].text;
	if (!texts->variants[variant - 1].is_made) {
		texts->variants[variant - 1].is_made = true;
		r->ops->encode(events->core, event, variant, text);
		events->encoded++;
	}
	/* What is larger than any buffer has to be read from the lists. */
	if (text->size > EVENTS_BUFFER_MAX - EVENTS_BUFFER_FILL - ID_LINE_MAX)
		r->sync = "too-old";
	else if (text->size > 0)
		add(r, seq, text);
}

/* The reader reads its lists after this, so everything that was before it is known. */
static void settle_sync(struct event_reader *r)
{
	const struct events *events = r->events;
	autobuf text = BUF_INIT;

	if (!r->sync && r->seq < event_log_lost(events->log))
		r->sync = "too-old";
	if (!r->sync || !event_reader_has_room(r))
		return;
	buf_addf(&text, "event: sync\ndata: {\"reason\":\"%s\"}\n", r->sync);
	r->seq = event_log_head(events->log);
	r->sync = NULL;
	r->figures.is_walking = false;
	r->figures.since = facts_generation(events->core->facts);
	add(r, r->seq, &text);
}

static bool is_ready(const struct event_reader *r)
{
	return !r->sync && event_reader_has_room(r);
}

/* One event to all who have room and are not past it. How many had room? */
static size_t hand_to_all(const struct event *event, struct event_reader *const *readers,
			  size_t count)
{
	autotexts texts = {0};
	size_t ready = 0;

	for (size_t i = 0; i < count; i++) {
		struct event_reader *r = readers[i];

		if (!is_ready(r))
			continue;
		ready++;
		if (r->seq >= event->seq)
			continue;
		hand(r, event, event->seq, &texts);
		r->seq = event->seq;
	}
	return ready;
}

/* The figures go under the number of the last change: the reader has all up to that. */
static void hand_figures(struct event_reader *r, enum event_type type, const char *name)
{
	const struct event event = {.type = type, .name = name};
	autotexts texts = {0};

	hand(r, &event, r->seq, &texts);
}

static bool has_new_figures(const struct event_reader *r, const struct guest *guest)
{
	const struct guest_fact *fact = facts_guest(r->events->core->facts, guest->vmid);

	return (fact->state == GUEST_RUNNING || fact->state == GUEST_PAUSED) &&
	       fact->generation > r->figures.since;
}

static void walk(struct event_reader *r)
{
	const struct core *core = r->events->core;
	char name[32];

	while (is_ready(r)) {
		const struct guest *guest = guests_next(core->guests, r->figures.at);

		if (!guest) {
			hand_figures(r, EVENT_TYPE_NODE, core->node);
			r->figures.since = r->figures.upto;
			r->figures.is_walking = false;
			return;
		}
		r->figures.at = guest->vmid;
		if (!has_new_figures(r, guest))
			continue;
		snprintf(name, sizeof(name), "%s/%u", guest_kind_name(guest->kind), guest->vmid);
		hand_figures(r, EVENT_TYPE_GUEST, name);
	}
}

void event_feed(struct events *events, struct event_reader *const *readers, size_t count)
{
	uint64_t from = UINT64_MAX;

	for (size_t i = 0; i < count; i++) {
		settle_sync(readers[i]);
		if (is_ready(readers[i]) && readers[i]->seq < from)
			from = readers[i]->seq;
	}
	const struct event *event = event_log_after(events->log, from);
	while (event && hand_to_all(event, readers, count) > 0)
		event = event_log_next(events->log, event);
	for (size_t i = 0; i < count; i++)
		if (readers[i]->figures.is_walking)
			walk(readers[i]);
}

bool event_feed_is_owed(const struct event_reader *r)
{
	return r->sync || r->figures.is_walking || r->seq < event_log_head(r->events->log);
}
