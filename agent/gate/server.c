/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libmicrohttpd driven by the sd-event loop: its epoll descriptor is one source of ours, its
 * timeouts are one timer. */
#include "agent/gate/gate.h"

#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/gate/crowd.h"
#include "agent/gate/event_stream.h"
#include "agent/gate/mhd.h"
#include "agent/gate/relay.h"
#include "agent/gate/request.h"
#include "agent/gate/upload.h"

#define MEMORY_LIMIT (24u * 1024) /* of head and buffers, per connection */
#define TRIM_EVERY   USEC_PER_SEC
#define FAR_AWAY     UINT64_MAX

struct server {
	struct gate *gate;
	struct MHD_Daemon *daemon;
	struct parked *parked;
	struct crowd *crowd;
	unsigned per_address;
	sd_event_source *io, *wake, *timer;
	usec_t timer_at; /* when `timer` fires, FAR_AWAY: off */
	usec_t trimmed_at;
};

/* ---- libmicrohttpd's callbacks ---- */

static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	return request_new(cls, target, connection);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **req_cls)
{
	struct request *r = *req_cls;

	(void)url;
	if (!r)
		*req_cls = r = request_new(cls, NULL, connection);
	if (r->verb[0] == '\0') {
		bool is_wanted = request_start(r, method, version);

		return is_wanted || request_drains(r) ? MHD_YES : request_queue(r);
	}
	if (*size > 0) {
		bool is_wanted =
			r->upload ? upload_body(r, data, *size) : request_body(r, data, *size);

		*size = 0;
		return is_wanted ? MHD_YES : MHD_NO;
	}
	if (r->upload && (r->state == REQUEST_READING || r->state == REQUEST_UPLOADING))
		upload_end(r);
	else if (r->state == REQUEST_READING)
		request_dispatch(r);
	return r->state == REQUEST_ANSWERED ? request_queue(r) : MHD_YES;
}

/* glibc keeps what large answers took, unless told. */
static void trim_after(struct server *s, const struct request *r)
{
	usec_t now = clock_monotonic();

	if (!r->was_large || now < s->trimmed_at + TRIM_EVERY)
		return;
	s->trimmed_at = now;
	malloc_trim(0);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **req_cls,
			 enum MHD_RequestTerminationCode code)
{
	struct gate *gate = cls;

	(void)connection;
	(void)code;
	if (*req_cls && gate->server)
		trim_after(gate->server, *req_cls);
	request_free(*req_cls);
	*req_cls = NULL;
}

static enum MHD_Result on_accept(void *cls, const struct sockaddr *address, socklen_t size)
{
	const struct server *s = cls;
	char text[PEER_TEXT_SIZE], key[ADDRESS_KEY_SIZE];

	(void)size;
	peer_text(address, text);
	address_key(text, key);
	return crowd_count(s->crowd, key) < s->per_address ? MHD_YES : MHD_NO;
}

static void begin(struct server *s, struct MHD_Connection *connection, char **ret_key)
{
	const union MHD_ConnectionInfo *socket =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *peer =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	char text[PEER_TEXT_SIZE], key[ADDRESS_KEY_SIZE];
	int on = 1;

	if (socket)
		setsockopt(socket->connect_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	peer_text(peer ? peer->client_addr : NULL, text);
	address_key(text, key);
	crowd_enter(s->crowd, key);
	*ret_key = xstrdup(key);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct server *s = cls;
	char *key = *socket_context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		begin(s, connection, &key);
	} else if (key) {
		crowd_leave(s->crowd, key);
		free(TAKE(key));
	}
	*socket_context = key;
}

static void on_log(void *cls, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static void on_log(void *cls, const char *fmt, va_list ap)
{
	char text[512];

	(void)cls;
	vsnprintf(text, sizeof(text), fmt, ap);
	log_debug("http: %s", text);
}

/* ---- the loop ---- */

/* The timer may fire too early, which costs one empty pass; it is set anew only when it would fire
 * too late, since nearly every request moves the idle time-out of its connection. */
static void arm_timeout(struct server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;
	usec_t at;

	if (MHD_get_timeout(s->daemon, &ms) != MHD_YES)
		return;
	if (ms == 0) {
		sd_event_source_set_enabled(s->wake, SD_EVENT_ONESHOT);
		return;
	}
	at = clock_monotonic() + ms * USEC_PER_MSEC;
	if (at >= s->timer_at)
		return;
	s->timer_at = at;
	sd_event_source_set_time(s->timer, at);
	sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
}

static void run(struct server *s)
{
	link_hold(s->gate->link, true);
	MHD_run(s->daemon);
	link_hold(s->gate->link, false);
	arm_timeout(s);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	run(userdata);
	return 0;
}

static int on_wake(sd_event_source *source, void *userdata)
{
	(void)source;
	run(userdata);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct server *s = userdata;

	(void)source;
	(void)usec;
	s->timer_at = FAR_AWAY;
	run(s);
	return 0;
}

void server_wake(struct server *s)
{
	sd_event_source_set_enabled(s->wake, SD_EVENT_ONESHOT);
}

struct parked *server_parked(struct server *s)
{
	return s->parked;
}

/* ---- starting ---- */

static struct MHD_Daemon *start_daemon(struct server *s, int listen_fd)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
			MHD_USE_ERROR_LOG | MHD_FLAGS_ONE_THREAD,
		0, on_accept, s, on_request, s->gate, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_URI_LOG_CALLBACK, on_target,
		s->gate, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s->gate,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_HTTPS_CERT_CALLBACK,
		gate_tls_callback(), MHD_OPTION_HTTPS_PRIORITIES,
		"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)GATE_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)GATE_IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)MEMORY_LIMIT, MHD_OPTION_END);
}

static int add_sources(struct server *s, struct err *err)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	sd_event *e = s->gate->event;
	int r;

	if (!info)
		return err_set(err, ERR_INTERNAL, "libmicrohttpd has no epoll descriptor");
	if ((r = sd_event_add_io(e, &s->io, info->epoll_fd, EPOLLIN, on_io, s)) < 0 ||
	    (r = sd_event_add_defer(e, &s->wake, on_wake, s)) < 0 ||
	    (r = sd_event_add_time(e, &s->timer, CLOCK_MONOTONIC, 0, 10000, on_timer, s)) < 0)
		return err_errno(err, -r, "event sources");
	return 0; /* wake and timer fire once, which arms them */
}

int server_new(struct gate *gate, const struct gate_options *options, int listen_fd,
	       struct server **ret, struct err *err)
{
	struct server *s = xcalloc(1, sizeof(*s));
	int r;

	s->gate = gate;
	s->crowd = crowd_new();
	s->per_address = options->per_address;
	gate->relays = relays_new(gate, options);
	gate->event_streams = event_streams_new(gate);
	gate->uploads = uploads_new(gate, options);
	s->daemon = start_daemon(s, listen_fd);
	if (!s->daemon) {
		relays_free(TAKE(gate->relays));
		event_streams_free(TAKE(gate->event_streams));
		uploads_free(TAKE(gate->uploads));
		crowd_free(s->crowd);
		free(s);
		return err_set(err, ERR_INTERNAL, "libmicrohttpd does not start");
	}
	r = parked_new(gate->event, &s->parked, err);
	if (r == 0)
		r = add_sources(s, err);
	if (r < 0) {
		server_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	/* libmicrohttpd wants every connection resumed, and every upgraded one closed, before it stops */
	parked_free(s->parked);
	relays_free(TAKE(s->gate->relays));
	event_streams_stop(s->gate->event_streams);
	uploads_stop(s->gate->uploads);
	MHD_stop_daemon(s->daemon);
	event_streams_free(TAKE(s->gate->event_streams));
	uploads_free(TAKE(s->gate->uploads));
	sd_event_source_disable_unref(s->io);
	sd_event_source_disable_unref(s->wake);
	sd_event_source_disable_unref(s->timer);
	crowd_free(s->crowd);
	free(s);
}
