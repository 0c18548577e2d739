/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of `lodge console` share. */
#pragma once

#include "agent/base/buf.h"
#include "agent/cli/cli.h"

/* An open console: its stream, and what the viewer must say first. */
struct console {
	int fd;
	char *login; /* "USER:TICKET\n" (heap) */
	char *upid;  /* its task (heap) */
};

#define CONSOLE_NONE ((struct console){.fd = -1})

/* proxy: "termproxy", "vncproxy". params may be NULL. */
int console_open(const struct cli_guest *guest, const char *proxy, const struct fields *params,
		 struct console *ret, struct err *err);
void console_fini(struct console *c);
/* Waits for the end of its task; an error if that failed. */
int console_result(const struct cli_guest *guest, const struct console *c, struct err *err);

/* The keys that are the CLI's own: the escape key and one behind it. Pure. */
enum escape_act { ESCAPE_NONE, ESCAPE_HELP, ESCAPE_QUIT };
struct escape {
	int key; /* -1: there is none */
	bool is_armed;
};
/* "^]", "^a", "~"; "none". */
int escape_parse(const char *text, struct escape *ret, struct err *err);
/* Takes one typed byte; what is the guest's goes to out. */
enum escape_act escape_step(struct escape *e, unsigned char c, struct buf *out);
/* The frame "0:LENGTH:DATA" of termproxy. */
void console_frame(const void *data, size_t size, struct buf *out);

/* A descriptor that tells of SIGINT, SIGTERM, SIGHUP, SIGQUIT, and of SIGWINCH if has_window; they do nothing
 * else from now on. */
int console_signals(bool has_window, struct err *err);
/* Until the console ends, or the user leaves. */
int console_terminal(struct console *c, struct escape *escape, int signals, bool *ret_has_left,
		     struct err *err);
/* A Unix socket for viewers of VNC, until a signal or the guest's end. params: of vncproxy. */
int console_screen(const struct cli_guest *guest, const struct fields *params, int signals,
		   struct err *err);
