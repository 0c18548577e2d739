/* SPDX-License-Identifier: GPL-2.0-or-later */
/*      the guest's end closed,
 *      the viewer's close, bad frames         over          the viewer's end, 2 s
 * OPEN ------------------------> CLOSING ----------> LINGER --------------------> freed
 *   |                               | 5 s, connection broke                         ^
 *   +-------------------------------+-----------------------------------------------+
 *     connection broke, no sign of the viewer
 *
 * Level-triggered sources, and an own one (`again`) where a turn ended early. */
#include "agent/gate/relay_internal.h"

#include <string.h>
#include <sys/epoll.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/gate/request.h"

#define CLOSE_WITHIN  (5 * USEC_PER_SEC)
#define LINGER_WITHIN (2 * USEC_PER_SEC)
#define TURNS	      8 /* of about a record each way, before others get theirs */

static void relay_end(struct relay *r)
{
	sd_event_source_disable_unref(r->viewer_io);
	sd_event_source_disable_unref(r->guest_io);
	sd_event_source_disable_unref(r->again);
	sd_event_source_disable_unref(r->timer);
	closep(&r->guest);
	websocket_free(r->ws);
	list_remove(&r->node);
	r->relays->count--;
	MHD_upgrade_action(r->urh, MHD_UPGRADE_ACTION_CLOSE);
	if (r->relays->gate->server)
		server_wake(r->relays->gate->server);
	free(r);
}

static void arm(struct relay *r, usec_t delay)
{
	sd_event_source_set_time(r->timer, clock_monotonic() + delay);
	sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
}

/* ---- what to wait for ---- */

static void watch(sd_event_source *source, uint32_t events, bool is_always)
{
	if (!source)
		return;
	if (events || is_always)
		sd_event_source_set_io_events(source, events);
	sd_event_source_set_enabled(source, events || is_always ? SD_EVENT_ON : SD_EVENT_OFF);
}

static void watch_both(struct relay *r)
{
	bool has_room = r->state == RELAY_LINGER || websocket_has_input_room(r->ws);
	uint32_t viewer = has_room ? EPOLLIN : 0, guest = 0;

	if (r->wants_viewer_output)
		viewer |= EPOLLOUT;
	if (r->state != RELAY_LINGER && websocket_has_message_room(r->ws))
		guest |= EPOLLIN;
	if (r->wants_guest_output)
		guest |= EPOLLOUT;
	/* A hang-up is told always, and for ever: it ends the relay. The guest's end would be told before
	 * its last words were read, so its source is off while nothing is wanted from it. */
	watch(r->viewer_io, viewer, true);
	watch(r->guest_io, guest, false);
}

/* ---- the states ---- */

static bool is_settled(const struct relay *r)
{
	return websocket_is_over(r->ws) && (r->guest < 0 || r->ws->payload.size == 0);
}

static void enter_linger(struct relay *r)
{
	takeover_bye(&r->tls);
	r->state = RELAY_LINGER;
	r->wants_viewer_output = r->wants_guest_output = false;
	r->guest_io = sd_event_source_disable_unref(r->guest_io);
	closep(&r->guest);
	r->guest = -1;
	arm(r, LINGER_WITHIN);
}

/* true: the relay is gone */
static bool advance(struct relay *r)
{
	if (r->state == RELAY_OPEN && (r->guest < 0 || websocket_is_input_over(r->ws))) {
		r->state = RELAY_CLOSING;
		arm(r, CLOSE_WITHIN);
	}
	if (r->state == RELAY_CLOSING && is_settled(r))
		enter_linger(r);
	if (r->is_viewer_gone || (r->state == RELAY_LINGER && takeover_drain(&r->tls))) {
		relay_end(r);
		return true;
	}
	watch_both(r);
	return false;
}

static void pump(struct relay *r)
{
	int left = TURNS;

	while (r->state != RELAY_LINGER && left > 0 && relay_turn(r))
		left--;
	if (!advance(r) && left == 0)
		sd_event_source_set_enabled(r->again, SD_EVENT_ONESHOT);
}

static int on_viewer(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct relay *r = userdata;

	(void)source;
	(void)fd;
	/* what it sent before is lost if we have no room for it: nobody is left to be told */
	if (events & (EPOLLHUP | EPOLLERR) && !(events & EPOLLIN))
		r->is_viewer_gone = true;
	pump(r);
	return 0;
}

static int on_guest(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	pump(userdata);
	return 0;
}

static int on_again(sd_event_source *source, void *userdata)
{
	(void)source;
	pump(userdata);
	return 0;
}

/* A viewer whom we do not read, because its guest takes nothing, is not to blame for its silence. */
static bool is_silent(struct relay *r)
{
	usec_t now = clock_monotonic();

	if (!websocket_has_input_room(r->ws))
		r->heard_at = now;
	return now >= r->heard_at + GATE_SILENCE_PINGS * r->relays->ping_every;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct relay *r = userdata;

	(void)source;
	(void)usec;
	if (r->state != RELAY_OPEN || is_silent(r)) {
		log_debug("a console's viewer is cut off: %s",
			  r->state == RELAY_OPEN ? "no sign of it" : "it does not close");
		relay_end(r);
		return 0;
	}
	websocket_ping(r->ws);
	arm(r, r->relays->ping_every);
	pump(r);
	return 0;
}

/* ---- starting ---- */

static int add_sources(struct relay *r)
{
	sd_event *e = r->relays->gate->event;
	usec_t slack = r->relays->ping_every / 30; /* so that pings of many leave together */
	int n;

	if ((n = sd_event_add_io(e, &r->viewer_io, r->tls.fd, EPOLLIN, on_viewer, r)) < 0 ||
	    (n = sd_event_add_io(e, &r->guest_io, r->guest, EPOLLIN, on_guest, r)) < 0 ||
	    (n = sd_event_add_defer(e, &r->again, on_again, r)) < 0 ||
	    (n = sd_event_add_time(e, &r->timer, CLOCK_MONOTONIC, 0, slack, on_timer, r)) < 0)
		return n;
	arm(r, r->relays->ping_every);
	return 0; /* `again` fires once */
}

/* false: more of it than there is room for. */
static bool take_early(struct relay *r, const char *data, size_t size)
{
	while (size > 0) {
		size_t n = websocket_input(r->ws, data, size);

		data += n;
		size -= n;
		if (n == 0 && !relay_to_guest(r))
			break;
	}
	if (size > sizeof(r->in))
		return false;
	if (size > 0)
		memcpy(r->in, data, size);
	r->in_size = size;
	return true;
}

/* libmicrohttpd hands over what it read, from a buffer that is larger than a record, but not what that read
 * left of a record in the session: it would take that at its next turn, for itself. */
static bool take_first(struct relay *r, const struct relay_start *start)
{
	autobuf first = BUF_INIT;
	char rest[TAKEOVER_RECORD];
	ssize_t n;

	buf_add(&first, start->early, start->early_size);
	while (takeover_has_left(&r->tls) && (n = takeover_read(&r->tls, rest)) > 0)
		buf_add(&first, rest, (size_t)n);
	return take_early(r, first.data, first.size);
}

void relay_start(struct relays *relays, const struct relay_start *start)
{
	struct relay *r = xcalloc(1, sizeof(*r));
	bool is_ready;

	r->relays = relays;
	r->urh = start->urh;
	r->guest = start->guest_fd;
	r->ws = websocket_new();
	r->heard_at = clock_monotonic();
	list_append(&relays->all, &r->node);
	relays->count++;
	is_ready = takeover_init(&r->tls, start->connection) && add_sources(r) >= 0 &&
		   take_first(r, start);
	if (!is_ready)
		relay_end(r);
}

struct relays *relays_new(struct gate *gate, const struct gate_options *options)
{
	struct relays *relays = xcalloc(1, sizeof(*relays));

	relays->gate = gate;
	relays->ping_every = options->ping_every ? options->ping_every : GATE_PING_EVERY;
	list_init(&relays->all);
	return relays;
}

bool relays_is_full(const struct relays *relays)
{
	return relays->count >= GATE_RELAYS;
}

void relays_free(struct relays *relays)
{
	if (!relays)
		return;
	LIST_FOREACH (&relays->all, r, struct relay, node) {
		websocket_close(r->ws, WEBSOCKET_GOING_AWAY);
		relay_to_viewer(r);
		relay_end(r);
	}
	free(relays);
}
