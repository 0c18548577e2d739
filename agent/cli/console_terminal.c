/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This terminal as a guest's. One poll loop; the terminal is put back however it ends but by SIGKILL. */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/cli/console.h"

#define LOGIN_WAIT (15 * USEC_PER_SEC)
#define TYPED_MAX  65536 /* waiting for the guest; then nothing more is read from the user */
#define READ_SIZE  16384
#define QUIET_END  2000 /* ms of silence after the end of standard input */

struct session {
	struct console *console;
	struct escape *escape;
	int signals;
	struct buf typed;
	bool is_terminal; /* standard input is one, and is raw now */
	bool input_ended;
	bool has_left, is_over;
};

/* -- pure ----------------------------------------------------------------------------------------- */

int escape_parse(const char *text, struct escape *ret, struct err *err)
{
	struct escape e = {.key = -1};

	if (strlen(text) == 1)
		e.key = (unsigned char)text[0];
	else if (strlen(text) == 2 && text[0] == '^' && strchr("[\\]^_", text[1]))
		e.key = text[1] & 0x1f;
	else if (strlen(text) == 2 && text[0] == '^' && isalpha((unsigned char)text[1]))
		e.key = text[1] & 0x1f;
	else if (!str_eq(text, "none"))
		return err_field(err, "escape", "a key as ^] or ^a, one character, or none");
	*ret = e;
	return 0;
}

enum escape_act escape_step(struct escape *e, unsigned char c, struct buf *out)
{
	if (!e->is_armed && c == e->key) {
		e->is_armed = true;
		return ESCAPE_NONE;
	}
	if (!e->is_armed || c == e->key) {
		e->is_armed = false;
		buf_add_char(out, (char)c);
		return ESCAPE_NONE;
	}
	e->is_armed = false;
	return c == 'q' || c == 'Q' || c == '.' ? ESCAPE_QUIT : ESCAPE_HELP;
}

void console_frame(const void *data, size_t size, struct buf *out)
{
	buf_addf(out, "0:%zu:", size);
	buf_add(out, data, size);
}

/* -- the user's terminal -------------------------------------------------------------------------- */

static void key_name(int key, char ret[8])
{
	snprintf(ret, 8, key < 0x20 ? "Ctrl-%c" : "%c", key < 0x20 ? key + 0x40 : key);
}

static void say(const struct session *s, const char *text)
{
	fprintf(stderr, "%s[lodge] %s%s\n", s->is_terminal ? "\r\n" : "", text,
		s->is_terminal ? "\r" : "");
}

static void say_keys(const struct session *s)
{
	char name[8];

	if (!s->is_terminal || s->escape->key < 0)
		return;
	key_name(s->escape->key, name);
	autofree char *text = xasprintf(
		"%s q leaves, %s %s types it; Enter, if there is nothing to see", name, name, name);

	say(s, text);
}

static bool make_raw(struct termios *ret_before)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, ret_before) < 0)
		return false;
	raw = *ret_before;
	cfmakeraw(&raw);
	return tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static void send_size(struct session *s)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row)
		buf_addf(&s->typed, "1:%u:%u:", size.ws_col, size.ws_row);
}

/* -- the stream ----------------------------------------------------------------------------------- */

static int on_output(struct session *s, struct err *err)
{
	char data[READ_SIZE];
	ssize_t n = recv(s->console->fd, data, sizeof(data), 0);

	if (n > 0)
		return fd_write_all(STDOUT_FILENO, data, (size_t)n, err);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		s->is_over = true;
	return 0;
}

static void on_typed(struct session *s)
{
	unsigned char data[READ_SIZE];
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));
	autobuf plain = BUF_INIT;

	if (n <= 0) {
		s->input_ended = n == 0 || (errno != EAGAIN && errno != EINTR);
		return;
	}
	for (ssize_t i = 0; i < n && !s->has_left; i++) {
		if (!s->is_terminal) {
			buf_add_char(&plain, (char)data[i]);
			continue;
		}
		enum escape_act act = escape_step(s->escape, data[i], &plain);

		if (act == ESCAPE_HELP)
			say_keys(s);
		s->has_left = act == ESCAPE_QUIT;
	}
	if (plain.size > 0)
		console_frame(plain.data, plain.size, &s->typed);
}

static void send_typed(struct session *s)
{
	ssize_t n = send(s->console->fd, s->typed.data, s->typed.size, MSG_NOSIGNAL);

	if (n > 0)
		buf_drop_front(&s->typed, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		s->typed.size = 0; /* reading tells of its end */
}

static int on_signal(struct session *s, struct err *err)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGWINCH)
			return err_set(err, ERR_CANCELLED, "interrupted by signal");
		send_size(s);
	}
	return 0;
}

/* Until the console says something. */
static int await(struct session *s, usec_t deadline, struct err *err)
{
	for (;;) {
		struct pollfd fds[2] = {{.fd = s->console->fd, .events = POLLIN},
					{.fd = s->signals, .events = POLLIN}};
		int r = poll(fds, 2, clock_left_ms(deadline));

		if (r == 0 || (r < 0 && errno != EINTR))
			return err_set(err, ERR_UNAVAILABLE, "the console does not answer");
		if (r > 0 && fds[1].revents && (r = on_signal(s, err)) < 0)
			return r;
		if (r >= 0 && fds[0].revents)
			return 0;
	}
}

static int log_in(struct session *s, struct err *err)
{
	const struct console *c = s->console;
	usec_t deadline = clock_monotonic() + LOGIN_WAIT;
	char answer[2];
	size_t got = 0;
	int r = fd_write_all(c->fd, c->login, strlen(c->login), err);

	while (r >= 0 && got < sizeof(answer) && (r = await(s, deadline, err)) >= 0) {
		ssize_t n = recv(c->fd, answer + got, sizeof(answer) - got, 0);

		if (n <= 0)
			return err_set(err, ERR_UNAVAILABLE, "the console does not answer");
		got += (size_t)n;
	}
	if (r >= 0 && memcmp(answer, "OK", 2) != 0)
		return err_set(err, ERR_CORRUPT, "the console's answer is not understood");
	return r;
}

static int turn(struct session *s, struct err *err)
{
	bool wants_input = !s->input_ended && s->typed.size < TYPED_MAX;
	struct pollfd fds[3] = {
		{.fd = wants_input ? STDIN_FILENO : -1, .events = POLLIN},
		{.fd = s->console->fd, .events = (short)(POLLIN | (s->typed.size ? POLLOUT : 0))},
		{.fd = s->signals, .events = POLLIN}};
	int r = poll(fds, 3, s->input_ended && s->typed.size == 0 ? QUIET_END : -1);

	if (r < 0 && errno != EINTR)
		return err_errno(err, errno, "poll");
	if (r == 0)
		s->has_left = true;
	if (r <= 0)
		return 0;
	r = fds[2].revents ? on_signal(s, err) : 0;
	if (r == 0 && fds[1].revents & ~POLLOUT)
		r = on_output(s, err);
	if (fds[0].revents)
		on_typed(s);
	if (s->typed.size > 0)
		send_typed(s);
	return r;
}

int console_terminal(struct console *c, struct escape *escape, int signals, bool *ret_has_left,
		     struct err *err)
{
	struct session s = {.console = c, .escape = escape, .signals = signals};
	struct termios before;
	int r = log_in(&s, err);

	if (r < 0) {
		buf_fini(&s.typed);
		return r;
	}
	fd_set_nonblock(c->fd, true);
	s.is_terminal = make_raw(&before);
	say_keys(&s);
	send_size(&s);
	while (r == 0 && !s.has_left && !s.is_over)
		r = turn(&s, err);
	if (s.is_terminal) {
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
		fputc('\n', stderr);
	}
	buf_fini(&s.typed);
	*ret_has_left = s.has_left;
	return r;
}
