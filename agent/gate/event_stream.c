/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/event_stream.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/gate/request.h"

#define BLOCK (16u * 1024) /* read at once, at most */

struct event_streams {
	struct list all;
	unsigned count;
	struct gate *gate;
};

struct event_stream {
	struct list node;
	struct event_streams *streams;
	struct MHD_Connection *connection; /* valid until the response is freed */
	int fd;
	bool is_suspended;
	bool is_over;		 /* the client left, or we stop */
	sd_event_source *events; /* on while suspended */
	sd_event_source *client; /* its end; fires once */
};

static void stream_resume(struct event_stream *s)
{
	if (!s->is_suspended)
		return;
	s->is_suspended = false;
	sd_event_source_set_enabled(s->events, SD_EVENT_OFF);
	MHD_resume_connection(s->connection);
	server_wake(s->streams->gate->server);
}

static int on_events(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	stream_resume(userdata);
	return 0;
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct event_stream *s = userdata;

	(void)source;
	(void)fd;
	(void)events;
	s->is_over = true;
	stream_resume(s);
	return 0;
}

static void stream_suspend(struct event_stream *s)
{
	s->is_suspended = true;
	MHD_suspend_connection(s->connection);
	sd_event_source_set_enabled(s->events, SD_EVENT_ONESHOT);
}

/* Called when there is room for as much in the connection's buffer. */
static ssize_t on_room(void *cls, uint64_t position, char *data, size_t size)
{
	struct event_stream *s = cls;
	ssize_t n;

	(void)position;
	if (s->is_over)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = recv(s->fd, data, size, MSG_DONTWAIT);
	if (n > 0)
		return n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		stream_suspend(s);
		return 0;
	}
	return n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void stream_free(void *cls)
{
	struct event_stream *s = cls;

	sd_event_source_disable_unref(s->events);
	sd_event_source_disable_unref(s->client);
	close(s->fd);
	list_remove(&s->node);
	s->streams->count--;
	free(s);
}

static int add_sources(struct event_stream *s, int client_fd)
{
	sd_event *e = s->streams->gate->event;
	int r = sd_event_add_io(e, &s->events, s->fd, EPOLLIN, on_events, s);

	if (r >= 0)
		r = sd_event_source_set_enabled(s->events, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_io(e, &s->client, client_fd, EPOLLRDHUP, on_client, s);
	if (r >= 0)
		r = sd_event_source_set_enabled(s->client, SD_EVENT_ONESHOT);
	return r;
}

struct MHD_Response *event_stream_response(struct event_streams *streams,
					   struct MHD_Connection *connection, int fd)
{
	const union MHD_ConnectionInfo *client =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct event_stream *s = xcalloc(1, sizeof(*s));
	struct MHD_Response *response = NULL;

	s->streams = streams;
	s->connection = connection;
	s->fd = fd;
	list_append(&streams->all, &s->node);
	streams->count++;
	gate_socket_stays(client->connect_fd);
	if (add_sources(s, client->connect_fd) >= 0)
		response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_room, s,
							     stream_free);
	if (!response)
		stream_free(s);
	return response;
}

struct event_streams *event_streams_new(struct gate *gate)
{
	struct event_streams *streams = xcalloc(1, sizeof(*streams));

	streams->gate = gate;
	list_init(&streams->all);
	return streams;
}

bool event_streams_is_full(const struct event_streams *streams)
{
	return streams->count >= GATE_EVENT_STREAMS;
}

void event_streams_stop(struct event_streams *streams)
{
	if (!streams)
		return;
	LIST_FOREACH (&streams->all, s, struct event_stream, node) {
		s->is_over = true;
		stream_resume(s);
	}
}

void event_streams_free(struct event_streams *streams)
{
	free(streams);
}
