/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command exec: a program inside a container, with this process' input, output, errors and signals. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/exec_wire.h"
#include "agent/base/fd.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/cli/cli.h"

#define BLOCK	    (16u * 1024)
#define END_MAX	    4096
#define SIGNAL_CODE 128 /* as shells have it */

struct session {
	int stream;
	struct exec_wire parser;
	struct buf end, typed; /* the last frame; input on its way */
	bool input_ended, is_over;
};

static int open_session(struct cli *cli, struct session *s, struct err *err)
{
	autofields params = FIELDS_INIT;
	autofree char *path = NULL;
	struct cli_guest guest = {0};
	int r = cli_guest_find(cli->words[0], &guest, err);

	if (r == 0 && !str_eq(guest.kind, "lxc"))
		r = err_set(err, ERR_INVALID, "%u is no container", guest.vmid);
	if (r == 0) {
		path = xasprintf("/nodes/%s/lxc/%u/exec", guest.node, guest.vmid);
		fields_copy(&params, &cli->options);
		for (size_t i = 1; i < cli->word_count; i++)
			fields_add(&params, "command", cli->words[i]);
		if (!fields_get(&params, "input-data"))
			fields_add(&params, "stream-input", "1");
		s->input_ended = fields_get(&params, "input-data") != NULL;
		r = cli_stream_post(path, &params, &s->stream, err);
	}
	cli_guest_fini(&guest);
	return r;
}

static void frame(struct session *s, const void *data, size_t size)
{
	uint8_t head[EXEC_WIRE_HEAD];

	exec_wire_head(EXEC_WIRE_INPUT, (uint32_t)size, head);
	buf_add(&s->typed, head, sizeof(head));
	buf_add(&s->typed, data, size);
}

static void read_input(struct session *s)
{
	char block[BLOCK];
	ssize_t n = read(STDIN_FILENO, block, sizeof(block));

	if (n < 0 && errno == EINTR)
		return;
	frame(s, block, n > 0 ? (size_t)n : 0);
	s->input_ended = n <= 0;
}

static int take_event(struct session *s, const struct exec_wire_event *event, struct err *err)
{
	int fd = event->kind == EXEC_WIRE_ERRORS ? STDERR_FILENO : STDOUT_FILENO;

	if (event->kind == EXEC_WIRE_OUTPUT || event->kind == EXEC_WIRE_ERRORS)
		return fd_write_all(fd, event->data, event->size, err);
	if (event->kind != EXEC_WIRE_END || s->end.size + event->size > END_MAX)
		return err_set(err, ERR_CORRUPT, "the stream is not a program's");
	buf_add(&s->end, event->data, event->size);
	s->is_over |= event->is_last;
	return 0;
}

static int read_stream(struct session *s, struct err *err)
{
	char block[BLOCK];
	ssize_t n = recv(s->stream, block, sizeof(block), 0);
	size_t at = 0, size = n > 0 ? (size_t)n : 0;

	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0)
		return err_set(err, ERR_IO, "the stream ended before the program did");
	while (at < size) {
		struct exec_wire_event event;
		size_t used = 0;
		int r = exec_wire_next(&s->parser, block + at, size - at, &used, &event, err);

		at += used;
		if (r < 0 || (r > 0 && (r = take_event(s, &event, err)) < 0))
			return r;
	}
	return 0;
}

static void write_stream(struct session *s)
{
	ssize_t n = send(s->stream, s->typed.data, s->typed.size, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		buf_drop_front(&s->typed, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		buf_clear(&s->typed); /* the end is still to be read */
}

static int turn(struct session *s, struct err *err)
{
	struct pollfd fds[] = {
		{.fd = s->stream, .events = (short)(POLLIN | (s->typed.size ? POLLOUT : 0))},
		{.fd = s->input_ended || s->typed.size ? -1 : STDIN_FILENO, .events = POLLIN}};

	if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		return errno == EINTR ? 0 : err_errno(err, errno, "poll");
	if (fds[0].revents & POLLOUT)
		write_stream(s);
	if (fds[1].revents)
		read_input(s);
	return fds[0].revents & (POLLIN | POLLHUP | POLLERR) ? read_stream(s, err) : 0;
}

/* {"exitcode":N}, {"signal":N} or {"error":"text"} */
static int read_end(struct session *s, int *ret_code, struct err *err)
{
	struct json_object *o = NULL;
	int r = json_parse(s->end.data, s->end.size, END_MAX, &o, err);

	if (r < 0)
		return r;
	if (*cli_member(o, "error"))
		r = err_set(err, ERR_IO, "%s", cli_member(o, "error"));
	else if (*cli_member(o, "signal"))
		*ret_code = SIGNAL_CODE + (int)cli_member_int(o, "signal");
	else
		*ret_code = (int)cli_member_int(o, "exitcode");
	json_object_put(o);
	return r;
}

int cli_exec(struct cli *cli, struct err *err)
{
	struct session s = {.stream = -1};
	int r = 0;

	if (cli->word_count < 2)
		return err_set(err, ERR_INVALID, "the container's id and a command are needed");
	signal(SIGPIPE, SIG_IGN);
	r = open_session(cli, &s, err);
	while (r == 0 && !s.is_over)
		r = turn(&s, err);
	if (r == 0)
		r = read_end(&s, &cli->exit_code, err);
	closep(&s.stream);
	buf_fini(&s.end);
	buf_fini(&s.typed);
	return r;
}
