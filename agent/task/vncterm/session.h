/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One terminal and its viewer. Two threads share it: the main one carries bytes between the guest and the screen
 * (session_pump), the other one speaks VNC (server.h) and may wait for the viewer as long as it likes: the guest
 * never waits for it, and a viewer that comes back sees the newest screen. */
#pragma once

#include <pthread.h>

#include "agent/base/err.h"
#include "agent/task/vncterm/screen.h"

struct session {
	int terminal;	  /* main end of a pty; borrowed */
	bool may_hang_up; /* that nobody inside has it open passes */
	int ends;	  /* readable: the guest has ended, or the console shall; borrowed */

	pthread_mutex_t lock; /* of what follows */
	struct screen *screen;
	bool is_over; /* the terminal has ended */

	int for_viewer; /* eventfd: the screen changed, or it is over */
	int for_guest;	/* eventfd: something was typed, or the viewer has left */
	int has_left;	/* eventfd, never read: the viewer's thread has ended */
};

int session_init(struct session *s, unsigned cols, unsigned rows, struct err *err);
void session_fini(struct session *s);
void session_lock(struct session *s);
void session_unlock(struct session *s);
void session_wake(int eventfd);
void session_drain(int eventfd);

/* Window size of the screen and of the terminal. The lock is not held. */
void session_resize(struct session *s, unsigned cols, unsigned rows);
/* Until the viewer has left, or the terminal or the guest has ended; then is_over. */
int session_pump(struct session *s, struct err *err);
