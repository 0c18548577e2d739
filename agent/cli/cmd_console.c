/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command console: a guest's terminal in this terminal, or its screen for a VNC viewer. */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "agent/base/clock.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/cli/console.h"

#define RESULT_WAIT (5 * USEC_PER_SEC)
#define RESULT_LOOK 50 /* ms */

void console_fini(struct console *c)
{
	closep(&c->fd);
	if (c->login)
		explicit_bzero(c->login, strlen(c->login));
	free(c->login);
	free(c->upid);
	*c = CONSOLE_NONE;
}

int console_open(const struct cli_guest *guest, const char *proxy, const struct fields *params,
		 struct console *ret, struct err *err)
{
	autofree char *base = xasprintf("/nodes/%s/%s/%u", guest->node, guest->kind, guest->vmid);
	autofree char *proxy_path = xasprintf("%s/%s", base, proxy);
	autofree char *stream_path = xasprintf("%s/vncwebsocket", base);
	autojson *data = NULL;
	autofields ticket = FIELDS_INIT;
	int fd, r = cli_call("POST", proxy_path, params, -1, &data, err);

	if (r < 0)
		return r;
	fields_add(&ticket, "port", cli_member(data, "port"));
	fields_add(&ticket, "vncticket", cli_member(data, "ticket"));
	if ((r = cli_stream(stream_path, &ticket, NULL, &fd, err)) < 0)
		return r;
	*ret = (struct console){
		.fd = fd,
		.login = xasprintf("%s:%s\n", cli_member(data, "user"), cli_member(data, "ticket")),
		.upid = xstrdup(cli_member(data, "upid"))};
	return 0;
}

/* The stream ends a moment before its task does. */
int console_result(const struct cli_guest *guest, const struct console *c, struct err *err)
{
	usec_t deadline = clock_monotonic() + RESULT_WAIT;

	for (;;) {
		autojson *task = NULL;
		int r = cli_get(&task, err, "/nodes/%s/tasks/%s/status", guest->node, c->upid);
		const char *how = r < 0 ? "" : cli_member(task, "exitstatus");

		if (r < 0)
			return r;
		if (str_eq(how, "OK") || (!*how && clock_left_ms(deadline) == 0))
			return 0;
		if (*how)
			return err_set(err, ERR_IO, "%s", how);
		poll(NULL, 0, RESULT_LOOK);
	}
}

int console_signals(bool has_window, struct err *err)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(&set, numbers[i]);
	if (has_window)
		sigaddset(&set, SIGWINCH);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_set(err, ERR_INTERNAL, "signals cannot be read") : fd;
}

/* Signals are taken over only now: they end what waits for a core that does not answer. */
static int on_terminal(struct cli *cli, const struct cli_guest *guest, struct escape *escape,
		       struct err *err)
{
	struct console console = CONSOLE_NONE;
	bool has_left = false;
	autofd int signals = -1;
	int r = console_open(guest, "termproxy", &cli->options, &console, err);

	if (r < 0)
		return r;
	if ((signals = r = console_signals(true, err)) >= 0)
		r = console_terminal(&console, escape, signals, &has_left, err);
	if (r == 0 && !has_left)
		r = console_result(guest, &console, err);
	console_fini(&console);
	return r;
}

/* Options that are not the API's; the others go to the proxy call. */
static int take_options(struct cli *cli, struct escape *ret_escape, bool *ret_screen,
			struct err *err)
{
	const char *key = fields_get(&cli->options, "escape");
	int r = escape_parse(key ? key : "^]", ret_escape, err);

	*ret_screen = fields_get(&cli->options, "vnc") != NULL;
	fields_remove(&cli->options, "escape");
	fields_remove(&cli->options, "vnc");
	return r;
}

static int on_screen(const struct cli *cli, const struct cli_guest *guest, struct err *err)
{
	autofd int signals = console_signals(false, err);

	return signals < 0 ? signals : console_screen(guest, &cli->options, signals, err);
}

int cli_console(struct cli *cli, struct err *err)
{
	struct cli_guest guest = {0};
	struct escape escape;
	bool wants_screen;
	const char *word;
	int r;

	if ((r = cli_word(cli, 0, "the guest's id", &word, err)) < 0 ||
	    (r = take_options(cli, &escape, &wants_screen, err)) < 0 ||
	    (r = cli_guest_find(word, &guest, err)) < 0)
		return r;
	r = wants_screen ? on_screen(cli, &guest, err) : on_terminal(cli, &guest, &escape, err);
	cli_guest_fini(&guest);
	return r;
}

int cli_enter(struct cli *cli, struct err *err)
{
	struct cli_guest guest = {0};
	struct escape escape;
	bool wants_screen;
	const char *word;
	int r;

	if ((r = cli_word(cli, 0, "the container's id", &word, err)) < 0 ||
	    (r = take_options(cli, &escape, &wants_screen, err)) < 0 ||
	    (r = cli_guest_find(word, &guest, err)) < 0)
		return r;
	fields_add(&cli->options, "shell", "1");
	if (!str_eq(guest.kind, "lxc"))
		r = err_set(err, ERR_INVALID, "%u is no container", guest.vmid);
	else
		r = on_terminal(cli, &guest, &escape, err);
	cli_guest_fini(&guest);
	return r;
}
