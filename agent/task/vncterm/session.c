/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What both threads use. */
#include "agent/task/vncterm/session.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/base/fd.h"

int session_init(struct session *s, unsigned cols, unsigned rows, struct err *err)
{
	pthread_mutex_init(&s->lock, NULL);
	s->for_viewer = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->for_guest = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->has_left = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->for_viewer < 0 || s->for_guest < 0 || s->has_left < 0)
		return err_errno(err, errno, "eventfd");
	s->screen = screen_new(cols, rows);
	session_resize(s, cols, rows);
	return 0;
}

void session_fini(struct session *s)
{
	screen_free(s->screen);
	closep(&s->for_viewer);
	closep(&s->for_guest);
	closep(&s->has_left);
	pthread_mutex_destroy(&s->lock);
}

void session_lock(struct session *s)
{
	pthread_mutex_lock(&s->lock);
}

void session_unlock(struct session *s)
{
	pthread_mutex_unlock(&s->lock);
}

void session_wake(int eventfd)
{
	(void)!write(eventfd, &(uint64_t){1}, sizeof(uint64_t));
}

void session_drain(int eventfd)
{
	uint64_t count;

	(void)!read(eventfd, &count, sizeof(count));
}

void session_resize(struct session *s, unsigned cols, unsigned rows)
{
	session_lock(s);
	screen_resize(s->screen, cols, rows);
	screen_size(s->screen, &cols, &rows);
	session_unlock(s);
	const struct winsize size = {.ws_col = (unsigned short)cols,
				     .ws_row = (unsigned short)rows};

	(void)ioctl(s->terminal, TIOCSWINSZ, &size); /* a terminal that is gone has no size */
}
