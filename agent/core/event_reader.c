/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One reader of the event stream: its socket, its buffer, its credential. Core's loop; never blocks. */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/core/events_internal.h"

#define SOCKET_BUFFER                                                                              \
	(64 * 1024) /* of the kernel: what a reader that does not read may keep there */

void event_reader_free(struct event_reader *r)
{
	list_remove(&r->link);
	r->events->reader_count--;
	if (r->events->reader_count == 0) {
		sd_event_source_set_enabled(r->events->timer, SD_EVENT_OFF);
		sd_event_source_set_enabled(r->events->round, SD_EVENT_OFF);
	}
	if (r->io)
		sd_event_source_disable_unref(r->io);
	closep(&r->fd);
	buf_fini(&r->out);
	free(r);
}

bool event_reader_has_room(const struct event_reader *r)
{
	return r->out.size - r->sent < EVENTS_BUFFER_FILL;
}

/* false: the socket broke. */
static bool send_some(struct event_reader *r)
{
	while (r->sent < r->out.size) {
		ssize_t n = send(r->fd, r->out.data + r->sent, r->out.size - r->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		r->sent += (size_t)n;
		r->blocked_since = 0;
	}
	return true;
}

bool event_reader_flush(struct event_reader *r)
{
	if (!send_some(r)) {
		event_reader_free(r);
		return false;
	}
	if (r->sent == r->out.size) {
		buf_fini(&r->out); /* most of the time there is nothing to say */
		r->blocked_since = 0;
	} else {
		buf_drop_front(&r->out, r->sent);
		if (!r->blocked_since)
			r->blocked_since = clock_monotonic();
	}
	r->sent = 0;
	bool has_more = r->out.size > 0 || event_feed_is_owed(r);
	sd_event_source_set_io_events(r->io, EPOLLRDHUP | (has_more ? EPOLLOUT : 0));
	return true;
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct event_reader *r = ctx;

	(void)source;
	(void)fd;
	if (events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) {
		event_reader_free(r);
		return 0;
	}
	if (!send_some(r)) {
		event_reader_free(r);
		return 0;
	}
	event_feed(r->events, &r, 1);
	event_reader_flush(r);
	return 0;
}

bool event_reader_review(struct event_reader *r, uint64_t wall)
{
	struct access *access = r->events->core->access;
	bool saw_all = access_is_unlimited(&r->who);
	uint64_t rights = access_generation(access);

	if (!access_refresh(access, &r->who, wall, &r->until)) {
		log_info("event stream of %s ends with its credential", r->who.userid);
		event_reader_free(r);
		return false;
	}
	if (rights != r->rights && !(saw_all && access_is_unlimited(&r->who)))
		r->sync = "rights";
	r->rights = rights;
	return true;
}

/* What a reader sees may have changed while it was away. A token may have been root's before. */
static void resume(struct event_reader *r, const char *last_id)
{
	const struct events *events = r->events;
	bool sees_all = access_is_unlimited(&r->who) && !r->who.is_token;

	r->sync = event_log_resume(events->log, events->boot, last_id, &r->seq);
	if (!r->sync && r->seq < events->rights_seq && !sees_all)
		r->sync = "rights";
}

static int make_sockets(int ret[2], struct err *err)
{
	const int size = SOCKET_BUFFER;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret) < 0)
		return err_errno(err, errno, "socket pair");
	setsockopt(ret[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

int event_reader_new(struct events *events, const struct events_reader_spec *spec, int *ret_fd,
		     struct err *err)
{
	int fds[2], r = make_sockets(fds, err);

	if (r < 0)
		return r;
	struct event_reader *reader = xcalloc(1, sizeof(*reader));
	*reader = (struct event_reader){.events = events,
					.fd = fds[0],
					.ops = spec->ops,
					.who = spec->who,
					.types = spec->types,
					.rights = access_generation(events->core->access),
					.figures.is_wanted = spec->wants_figures};
	list_append(&events->readers, &reader->link);
	events->reader_count++;
	reader->seq = event_log_head(events->log);
	reader->figures.since = facts_generation(events->core->facts);
	resume(reader, spec->last_id);
	r = sd_event_add_io(events->core->event, &reader->io, reader->fd, EPOLLRDHUP, on_io,
			    reader);
	if (r < 0) {
		event_reader_free(reader);
		close(fds[1]);
		return err_errno(err, -r, "watch a reader");
	}
	*ret_fd = fds[1];
	return 0;
}
