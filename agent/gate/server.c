/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libmicrohttpd driven by the sd-event loop: its epoll descriptor is one source of ours, its timeouts are
 * one timer. Suspended requests are looked after here, since libmicrohttpd does not notice that
 * their peers left. */
#include "agent/gate/gate.h"

#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <microhttpd.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/gate/brake.h"
#include "agent/gate/request.h"

#define WATCH_EVERY (250 * USEC_PER_MSEC)
#define MEMORY_LIMIT (24u * 1024) /* of head and read buffer, per connection */

struct server {
	struct gate *gate;
	struct MHD_Daemon *daemon;
	sd_event_source *io, *wake, *timer, *watch;
	struct list suspended; /* requests in CALLED or HELD */
};

/* ---- libmicrohttpd's callbacks ---- */

static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	return request_new(cls, target, connection);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data, size_t *size,
				  void **req_cls)
{
	struct request *r = *req_cls;

	(void) cls;
	(void) connection;
	(void) url;
	(void) version;
	reason_clear();
	if (r->verb[0] == '\0') {
		request_start(r, method);
		return MHD_YES; /* now the body, or the call below */
	}
	if (*size > 0) {
		request_body(r, data, *size);
		*size = 0;
		return MHD_YES;
	}
	if (r->state == REQUEST_READING)
		request_dispatch(r);
	return r->state == REQUEST_ANSWERED ? request_queue(r) : MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **req_cls,
			 enum MHD_RequestTerminationCode code)
{
	(void) cls;
	(void) connection;
	(void) code;
	reason_clear();
	request_free(*req_cls);
	*req_cls = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	int on = 1;

	(void) cls;
	(void) socket_context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED && info)
		setsockopt(info->connect_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void on_log(void *cls, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static void on_log(void *cls, const char *fmt, va_list ap)
{
	char text[512];

	(void) cls;
	vsnprintf(text, sizeof(text), fmt, ap);
	log_debug("http: %s", text);
}

/* ---- the loop ---- */

static void arm_timeout(struct server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(s->daemon, &ms) != MHD_YES) {
		sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
		return;
	}
	if (ms == 0) {
		sd_event_source_set_enabled(s->wake, SD_EVENT_ONESHOT);
		return;
	}
	sd_event_source_set_time(s->timer, clock_monotonic() + ms * USEC_PER_MSEC);
	sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
}

static void run(struct server *s)
{
	MHD_run(s->daemon);
	arm_timeout(s);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void) source;
	(void) fd;
	(void) events;
	run(userdata);
	return 0;
}

static int on_wake(sd_event_source *source, void *userdata)
{
	(void) source;
	run(userdata);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void) source;
	(void) usec;
	run(userdata);
	return 0;
}

void server_wake(struct server *s)
{
	sd_event_source_set_enabled(s->wake, SD_EVENT_ONESHOT);
}

/* ---- suspended requests ---- */

static bool peer_left(const struct request *r)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct pollfd p = {.fd = info ? info->connect_fd : -1, .events = POLLRDHUP};

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

static void look_after(struct server *s, struct request *r, usec_t now)
{
	bool is_due = r->state == REQUEST_HELD && r->release_at <= now;

	if (!is_due && !peer_left(r))
		return;
	if (r->state == REQUEST_HELD)
		brake_leave(s->gate->brake, r->address);
	if (r->call) {
		link_cancel(r->call);
		r->call = NULL;
		request_fail(r, 408, "the client went away");
	}
	r->state = REQUEST_ANSWERED;
	list_remove(&r->node);
	MHD_resume_connection(r->connection);
	server_wake(s);
}

static int on_watch(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct server *s = userdata;
	usec_t now = clock_monotonic();

	(void) usec;
	LIST_FOREACH(&s->suspended, r, struct request, node)
		look_after(s, r, now);
	if (list_is_empty(&s->suspended)) {
		malloc_trim(1024 * 1024);
		return 0;
	}
	sd_event_source_set_time(source, now + WATCH_EVERY);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void server_watch(struct server *s, struct request *r)
{
	int enabled = SD_EVENT_OFF;

	list_append(&s->suspended, &r->node);
	sd_event_source_get_enabled(s->watch, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	sd_event_source_set_time(s->watch, clock_monotonic() + WATCH_EVERY);
	sd_event_source_set_enabled(s->watch, SD_EVENT_ONESHOT);
}

/* ---- starting ---- */

int server_listen(const struct gate_options *options, int *ret_fd, struct err *err)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	autofd int fd = -1;
	char port[8];
	int on = 1, off = 0, r;

	snprintf(port, sizeof(port), "%u", options->port);
	r = getaddrinfo(options->listen, port, &hints, &found);
	if (r != 0)
		return err_set(err, ERR_INVALID, "listen on %s: %s", options->listen, gai_strerror(r));
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (found->ai_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	}
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, 512) < 0)
		r = err_errno(err, errno, "listen on %s port %s", options->listen, port);
	freeaddrinfo(found);
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

static struct MHD_Daemon *start_daemon(struct gate *gate, int listen_fd)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
		on_request, gate, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET,
		listen_fd, MHD_OPTION_URI_LOG_CALLBACK, on_target, gate, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, gate, MHD_OPTION_NOTIFY_CONNECTION, on_connection, gate,
		MHD_OPTION_HTTPS_CERT_CALLBACK, gate_tls_callback(), MHD_OPTION_HTTPS_PRIORITIES,
		"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", MHD_OPTION_CONNECTION_LIMIT,
		(unsigned) GATE_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned) GATE_PER_ADDRESS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned) GATE_IDLE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) MEMORY_LIMIT, MHD_OPTION_END);
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
	    (r = sd_event_add_time(e, &s->timer, CLOCK_MONOTONIC, 0, 10000, on_timer, s)) < 0 ||
	    (r = sd_event_add_time(e, &s->watch, CLOCK_MONOTONIC, 0, 10000, on_watch, s)) < 0)
		return err_errno(err, -r, "event sources");
	sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	sd_event_source_set_enabled(s->watch, SD_EVENT_OFF);
	return 0;
}

int server_new(struct gate *gate, int listen_fd, struct server **ret, struct err *err)
{
	struct server *s = xcalloc(1, sizeof(*s));
	int r;

	s->gate = gate;
	list_init(&s->suspended);
	s->daemon = start_daemon(gate, listen_fd);
	if (!s->daemon) {
		free(s);
		return err_set(err, ERR_INTERNAL, "libmicrohttpd does not start");
	}
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
	/* libmicrohttpd wants every connection resumed before it stops */
	LIST_FOREACH(&s->suspended, r, struct request, node) {
		if (r->state == REQUEST_HELD)
			brake_leave(s->gate->brake, r->address);
		if (r->call)
			link_cancel(TAKE(r->call));
		request_fail(r, 503, "the node is stopping");
		list_remove(&r->node);
		MHD_resume_connection(r->connection);
	}
	MHD_stop_daemon(s->daemon);
	sd_event_source_disable_unref(s->io);
	sd_event_source_disable_unref(s->wake);
	sd_event_source_disable_unref(s->timer);
	sd_event_source_disable_unref(s->watch);
	free(s);
}
