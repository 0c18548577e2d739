/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The opening of a console: port, ticket and job, and the answer to who asked. Core's loop. */
#pragma once

#include "agent/api/api.h"
#include "agent/auth/ticket.h"

#define CONSOLE_PATH_SIZE 32

/* One console on its way. */
struct console_opening {
	unsigned vmid, port;
	const char *kind;	/* "lxc" */
	const char *command;	/* "termproxy", "vncproxy" */
	char mode[16];		/* tty, console, shell; serial0; screen */
	const char *privs;	/* that it needs, from its beginning to its end */
	unsigned width, height; /* of the screen that a container's terminal is drawn on; 0: none */
	/* filled in by the opening, as are port and command */
	char path[CONSOLE_PATH_SIZE], ticket[TICKET_MAX], upid[UPID_MAX];
};

/* The path whose rights count for a guest's consoles. */
void console_path(unsigned vmid, char ret[CONSOLE_PATH_SIZE]);
/* Both answer the request, the second one also with the node's certificate and, if asked for, a password. */
int console_open_terminal(struct api_request *req, struct console_opening *opening,
			  struct err *err);
int console_open_screen(struct api_request *req, struct console_opening *opening, struct err *err);
