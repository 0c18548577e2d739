/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/upgrade.h"

#include <strings.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/gate/relay.h"

struct collected {
	const char *name;
	struct buf value;
	bool is_sent;
};

static enum MHD_Result collect(void *cls, enum MHD_ValueKind kind, const char *name,
			       const char *value)
{
	struct collected *c = cls;

	(void)kind;
	if (strcasecmp(name, c->name) != 0)
		return MHD_YES;
	if (c->is_sent)
		buf_add_str(&c->value, ", ");
	buf_add_str(&c->value, value ? value : "");
	c->is_sent = true;
	return MHD_YES;
}

/* All lines of a header, so that a second one cannot hide behind the first. NULL: none; heap. */
static char *joined(const struct request *r, const char *name)
{
	struct collected c = {.name = name};

	MHD_get_connection_values(r->connection, MHD_HEADER_KIND, collect, &c);
	if (!c.is_sent)
		return NULL;
	buf_str(&c.value);
	return buf_steal(&c.value);
}

static unsigned status_of(int failed)
{
	switch (-failed) {
	case ERR_UNSUPPORTED:
		return 426;
	case ERR_DENIED:
		return 403;
	default:
		return 400;
	}
}

static void check(struct request *r, const char *upgrade)
{
	autofree char *connection = joined(r, "Connection"), *key = joined(r, "Sec-WebSocket-Key");
	autofree char *version = joined(r, "Sec-WebSocket-Version"), *host = joined(r, "Host");
	autofree char *protocols = joined(r, "Sec-WebSocket-Protocol");
	autofree char *origin = joined(r, "Origin");
	const struct handshake handshake = {.http = r->http,
					    .upgrade = upgrade,
					    .connection = connection,
					    .version = version,
					    .key = key,
					    .protocols = protocols,
					    .origin = origin,
					    .host = host};
	struct err err = ERR_INIT;
	int failed = handshake_check(&handshake, &r->handshake, &err);

	if (failed < 0)
		request_fail_err(r, status_of(failed), &err);
	else if (relays_is_full(r->gate->relays))
		request_fail(r, 503, "too many consoles are open");
	else
		r->is_upgrade = true;
}

bool upgrade_check(struct request *r)
{
	autofree char *upgrade = joined(r, "Upgrade");

	/* of another verb it is a header that may be ignored, as any Upgrade */
	if (str_eq(r->verb, "GET") && handshake_is_wanted(upgrade))
		check(r, upgrade);
	return r->state != REQUEST_ANSWERED;
}

static void on_upgrade(void *cls, struct MHD_Connection *connection, void *req_cls,
		       const char *early, size_t early_size, MHD_socket socket,
		       struct MHD_UpgradeResponseHandle *urh)
{
	struct request *r = req_cls;
	const struct relay_start start = {.connection = connection,
					  .urh = urh,
					  .guest_fd = TAKE_FD(r->stream_fd),
					  .early = early,
					  .early_size = early_size};

	(void)cls;
	(void)socket;
	relay_start(r->gate->relays, &start);
}

enum MHD_Result upgrade_queue(struct request *r)
{
	struct MHD_Response *response = MHD_create_response_for_upgrade(on_upgrade, NULL);
	enum MHD_Result queued;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Server", "lodge");
	MHD_add_response_header(response, "Upgrade", "websocket");
	MHD_add_response_header(response, "Sec-WebSocket-Accept", r->handshake.accept);
	if (r->handshake.is_binary)
		MHD_add_response_header(response, "Sec-WebSocket-Protocol", HANDSHAKE_PROTOCOL);
	reason_set(101, NULL);
	queued = MHD_queue_response(r->connection, 101, response);
	MHD_destroy_response(response);
	r->state = REQUEST_QUEUED;
	return queued;
}
