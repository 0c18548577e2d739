/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of an upload goes on to its job, as fast as that takes it. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/gate/upload_internal.h"

void upload_send_stop(struct upload *u)
{
	sd_event_source_disable_unref(TAKE(u->room));
	if (u->fd >= 0)
		close(TAKE_FD(u->fd));
	buf_fini(&u->out);
}

void upload_resume(struct upload *u)
{
	if (!u->is_suspended)
		return;
	u->is_suspended = false;
	MHD_resume_connection(u->r->connection);
	server_wake(u->uploads->gate->server);
}

/* Until the job has taken what waits for it. */
static void suspend(struct upload *u)
{
	if (u->is_suspended)
		return;
	u->is_suspended = true;
	MHD_suspend_connection(u->r->connection);
}

static void flush(struct upload *u)
{
	size_t sent = 0;

	while (u->fd >= 0 && sent < u->out.size) {
		ssize_t n = send(u->fd, u->out.data + sent, u->out.size - sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			upload_send_stop(u);
			return;
		}
		sent += (size_t)n;
	}
	if (u->fd >= 0)
		buf_drop_front(&u->out, sent);
}

static int on_room(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct upload *u = userdata;

	(void)fd;
	(void)events;
	flush(u);
	if (u->out.size > 0)
		return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	upload_resume(u);
	return 0;
}

void upload_send(struct upload *u)
{
	flush(u);
	if (u->fd < 0 || u->out.size == 0) {
		upload_resume(u);
		return;
	}
	suspend(u);
	sd_event_source_set_enabled(u->room, SD_EVENT_ONESHOT);
}

int upload_send_begin(struct upload *u, int fd)
{
	u->fd = fd;
	return sd_event_add_io(u->uploads->gate->event, &u->room, fd, EPOLLOUT, on_room, u) >= 0 &&
			       sd_event_source_set_enabled(u->room, SD_EVENT_OFF) >= 0
		       ? 0
		       : -1;
}
