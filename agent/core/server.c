/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets, connections and the table of operations of the core. core.sock is root's; gate.sock
 * carries API calls only. Runs on the core's loop. */
#include "agent/core/server.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/list.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/core/server_ops.h"

enum socket_kind { SOCKET_CORE = 1, SOCKET_GATE = 2 };

#define CLIENTS_MAX  256 /* a socket */
#define ACCEPT_PAUSE (100 * USEC_PER_MSEC)

struct listener {
	struct server *server;
	enum socket_kind kind;
	sd_event_source *source;
	sd_event_source *pause; /* ends a pause in accepting */
	int fd;
	size_t clients;
};

struct server {
	struct core *core;
	struct server_ops ops;
	struct listener listeners[2];
	uid_t gate_uid;
	gid_t gate_gid;
	struct list clients;
};

struct client {
	struct listener *listener;
	struct conn *conn;
	struct list link;
	bool is_monitor; /* said hello: its end is the monitor's */
};

static const struct {
	uint16_t op;
	unsigned sockets;
	void (*handle)(struct core *core, struct conn *conn, uint64_t id, struct call *call);
} calls[] = {
	{CALL_STORE_GET, SOCKET_CORE, server_store_get},
	{CALL_STORE_TXN, SOCKET_CORE, server_store_txn},
	{CALL_GUEST_STATE, SOCKET_CORE, server_guest_state},
	{CALL_GUEST_JOB, SOCKET_CORE, server_guest_job},
	{CALL_GUEST_END, SOCKET_CORE, server_guest_end},
};

static const struct {
	uint16_t op;
	void (*handle)(struct core *core, struct call *event);
} events[] = {
	{EVENT_GUEST, server_event_guest},	 {EVENT_NODE, server_event_node},
	{EVENT_LISTED, server_event_listed},	 {EVENT_HELLO, server_event_hello},
	{EVENT_NET, server_event_net},		 {EVENT_LISTING, server_event_listing},
	{EVENT_UNLISTED, server_event_unlisted},
};

void server_reply(struct conn *conn, uint64_t id, unsigned status, const char *message)
{
	struct reply reply = REPLY_INIT;

	reply.status = (uint16_t)status;
	fields_add(&reply.head, "message", message);
	conn_reply(conn, id, &reply);
	reply_fini(&reply);
}

static void on_call(struct conn *conn, uint64_t id, struct call *call, void *ctx)
{
	struct client *client = ctx;
	struct server *server = client->listener->server;
	enum socket_kind kind = client->listener->kind;

	if (call->op == CALL_API) {
		server->ops.api_call(server->core, conn, id, call, kind == SOCKET_CORE);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].op != call->op)
			continue;
		if (calls[i].sockets & kind)
			calls[i].handle(server->core, conn, id, call);
		else
			server_reply(conn, id, 403, "not allowed on this socket");
		return;
	}
	server_reply(conn, id, 501, "operation is not served");
}

static void on_cancel(struct conn *conn, uint64_t id, void *ctx)
{
	struct server *server = ((struct client *)ctx)->listener->server;

	server->ops.api_cancel(server->core, conn, id);
}

static void on_event(struct conn *conn, struct call *event, void *ctx)
{
	struct client *client = ctx;

	if (client->listener->kind != SOCKET_CORE)
		return;
	if (event->op == EVENT_HELLO) {
		client->is_monitor = true;
		client->listener->server->core->monitor = conn;
	}
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i].op == event->op)
			events[i].handle(client->listener->server->core, event);
}

static void forget(struct client *client)
{
	struct server *server = client->listener->server;

	server->ops.api_cancel(server->core, client->conn, 0);
	server_store_forget(client->conn);
	if (client->is_monitor)
		facts_lost(server->core->facts);
	if (server->core->monitor == client->conn)
		server->core->monitor = NULL;
	client->listener->clients--;
	list_remove(&client->link);
	free(client);
}

static void on_closed(struct conn *conn, const struct err *err, void *ctx)
{
	(void)conn;
	if (err && err->code == ERR_CORRUPT)
		log_warning("connection closed: %s", err->message);
	forget(ctx);
}

static const struct conn_ops client_ops = {
	.on_call = on_call,
	.on_cancel = on_cancel,
	.on_event = on_event,
	.on_closed = on_closed,
};

/* The sockets' modes say the same; this holds if someone changes them. */
static bool may_connect(const struct listener *listener, int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return false;
	return peer.uid == 0 ||
	       (listener->kind == SOCKET_GATE && peer.uid == listener->server->gate_uid);
}

static void add_client(struct listener *listener, int fd)
{
	struct server *server = listener->server;
	struct client *client = xcalloc(1, sizeof(*client));
	struct err err = ERR_INIT;

	client->listener = listener;
	if (conn_new(server->core->event, fd, &client_ops, client, &client->conn, &err) < 0) {
		log_warning("connection: %s", err.message);
		free(client);
		return;
	}
	list_append(&server->clients, &client->link);
	listener->clients++;
}

static int on_pause_end(sd_event_source *source, uint64_t now, void *ctx)
{
	struct listener *listener = ctx;

	(void)source;
	(void)now;
	sd_event_source_set_enabled(listener->source, SD_EVENT_ON);
	return 0;
}

/* Without descriptors the connection stays in the queue, and would wake the loop again and again. */
static void pause_accepting(struct listener *listener)
{
	sd_event_source_set_enabled(listener->source, SD_EVENT_OFF);
	sd_event_source_set_time_relative(listener->pause, ACCEPT_PAUSE);
	sd_event_source_set_enabled(listener->pause, SD_EVENT_ONESHOT);
}

static int on_accept(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
	struct listener *listener = ctx;
	autofd int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)revents;
	if (client < 0) {
		if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)
			return 0;
		log_warning("accept: errno %d", errno);
		pause_accepting(listener);
		return 0;
	}
	if (listener->clients >= CLIENTS_MAX)
		log_warning("too many connections");
	else if (!may_connect(listener, client))
		log_warning("connection of another user refused");
	else
		add_client(listener, TAKE_FD(client));
	return 0;
}

static int listen_on(struct server *server, struct listener *listener, const char *name,
		     mode_t mode, gid_t gid, struct err *err)
{
	autofree char *path = path_join(path_run(), "%s", name);
	int r = conn_listen(path, mode, 0, gid, &listener->fd, err);

	if (r < 0)
		return r;
	r = sd_event_add_io(server->core->event, &listener->source, listener->fd, EPOLLIN,
			    on_accept, listener);
	if (r >= 0)
		r = sd_event_add_time(server->core->event, &listener->pause, CLOCK_MONOTONIC, 0, 0,
				      on_pause_end, listener);
	if (r >= 0)
		r = sd_event_source_set_enabled(listener->pause, SD_EVENT_OFF);
	return r < 0 ? err_errno(err, -r, "listen on %s", path) : 0;
}

/* Without the gate's user (nothing installed yet) its socket is root's alone. */
static void find_gate_user(struct server *server)
{
	const struct passwd *user = getpwnam(GATE_USER);
	const struct group *group = getgrnam(GATE_USER);

	server->gate_uid = user ? user->pw_uid : 0;
	server->gate_gid = group ? group->gr_gid : 0;
	if (!user || !group)
		log_notice("no user '%s': the gate must run as root", GATE_USER);
}

int server_new(struct core *core, const struct server_ops *ops, struct server **ret,
	       struct err *err)
{
	struct server *server = xcalloc(1, sizeof(*server));
	int r;

	*server = (struct server){.core = core, .ops = *ops};
	server->listeners[0] = (struct listener){.server = server, .kind = SOCKET_CORE, .fd = -1};
	server->listeners[1] = (struct listener){.server = server, .kind = SOCKET_GATE, .fd = -1};
	list_init(&server->clients);
	find_gate_user(server);
	if ((r = listen_on(server, &server->listeners[0], CORE_SOCKET, 0600, 0, err)) < 0 ||
	    (r = listen_on(server, &server->listeners[1], GATE_SOCKET, 0660, server->gate_gid,
			   err)) < 0) {
		server_free(server);
		return r;
	}
	*ret = server;
	return 0;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	LIST_FOREACH (&server->clients, client, struct client, link) {
		struct conn *conn = client->conn;

		forget(client);
		conn_close(conn);
	}
	for (size_t i = 0; i < ARRAY_SIZE(server->listeners); i++) {
		if (server->listeners[i].source)
			sd_event_source_disable_unref(server->listeners[i].source);
		sd_event_source_disable_unref(server->listeners[i].pause);
		if (server->listeners[i].fd >= 0)
			close(server->listeners[i].fd);
	}
	free(server);
}
