/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VNC server of a session, on libvncserver: one client, on a stream that is there already; it listens nowhere,
 * and its security type is None, since the ticket of the stream was the proof. Runs in a thread of its own. */
#pragma once

#include "agent/task/vncterm/font.h"
#include "agent/task/vncterm/session.h"

#define SERVER_WIDTH_MIN  16u
#define SERVER_WIDTH_MAX  (GRID_COLS_MAX * FONT_WIDTH)
#define SERVER_HEIGHT_MIN FONT_HEIGHT
#define SERVER_HEIGHT_MAX (GRID_ROWS_MAX * FONT_HEIGHT)

struct server {
	struct session *session;
	const struct font *font;
	int viewer;		/* the stream; the server closes it */
	unsigned width, height; /* pixels; the viewer may change them */
	const char *name;	/* of the screen, as viewers show it */
	struct err err; /* why it ended, if not because the viewer left or the session is over */
};

/* Until the viewer has left, or a moment after the session is over. A server that waits for its viewer ends when
 * somebody shuts the stream down. */
void server_run(struct server *server);
