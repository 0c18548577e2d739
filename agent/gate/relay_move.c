/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes between a viewer and a guest, as far as both take them. Runs in the gate. */
#include "agent/gate/relay_internal.h"

#include <errno.h>
#include <sys/socket.h>

#include "agent/base/fd.h"

static bool fill_input(struct relay *r)
{
	ssize_t n = takeover_read(&r->tls, r->in);

	if (n == -EAGAIN)
		return false;
	if (n <= 0) {
		r->is_viewer_gone = true;
		return false;
	}
	r->in_at = 0;
	r->in_size = (size_t)n;
	r->heard_at = clock_monotonic();
	return true;
}

static bool from_viewer(struct relay *r)
{
	size_t n;

	if (r->is_viewer_gone || !websocket_has_input_room(r->ws) ||
	    (r->in_at == r->in_size && !fill_input(r)))
		return false;
	n = websocket_input(r->ws, r->in + r->in_at, r->in_size - r->in_at);
	r->in_at += n;
	return n > 0;
}

static void guest_closed(struct relay *r, enum websocket_code code)
{
	r->guest_io = sd_event_source_disable_unref(r->guest_io);
	closep(&r->guest);
	r->guest = -1;
	buf_fini(&r->ws->payload);
	websocket_close(r->ws, code);
}

bool relay_to_guest(struct relay *r)
{
	ssize_t n;

	r->wants_guest_output = false;
	if (r->guest < 0)
		buf_clear(&r->ws->payload);
	if (r->ws->payload.size == 0)
		return false;
	n = send(r->guest, r->ws->payload.data, r->ws->payload.size, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0) {
		buf_drop_front(&r->ws->payload, (size_t)n);
		return true;
	}
	if (errno == EAGAIN || errno == EINTR)
		r->wants_guest_output = true;
	else
		buf_clear(&r->ws->payload); /* reading tells its end, after its last words */
	return false;
}

static bool from_guest(struct relay *r)
{
	char data[WEBSOCKET_CHUNK];
	ssize_t n;

	if (r->guest < 0 || !websocket_has_message_room(r->ws))
		return false;
	n = recv(r->guest, data, sizeof(data), MSG_DONTWAIT);
	if (n > 0)
		websocket_message(r->ws, data, (size_t)n);
	else if (n == 0)
		guest_closed(r, WEBSOCKET_NORMAL);
	else if (errno != EAGAIN && errno != EINTR)
		guest_closed(r, WEBSOCKET_GOING_AWAY);
	return n >= 0;
}

bool relay_to_viewer(struct relay *r)
{
	bool was_full = r->wants_viewer_output;
	ssize_t n;

	r->wants_viewer_output = false;
	/* also when it will say nothing more: it may still read */
	if (r->ws->wire.size == 0)
		return false;
	n = takeover_write(&r->tls, r->ws->wire.data, r->ws->wire.size);
	if (n > 0)
		websocket_sent(r->ws, (size_t)n);
	if (n > 0 && was_full)
		r->heard_at = clock_monotonic(); /* it took what made room */
	if (n == -EAGAIN)
		r->wants_viewer_output = true;
	else if (n < 0)
		r->is_viewer_gone = true;
	return n > 0;
}

bool relay_turn(struct relay *r)
{
	bool moved = from_viewer(r);

	moved |= relay_to_guest(r);
	moved |= from_guest(r);
	moved |= relay_to_viewer(r);
	return moved;
}
