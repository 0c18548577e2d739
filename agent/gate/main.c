/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge-gate: HTTPS in front of the core. Opens what it needs, gives up every privilege, serves. */
#include "agent/gate/gate.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/gate/brake.h"
#include "agent/gate/sandbox.h"

#define PORT_DEFAULT 8006

static int take_port(const char *text, struct gate_options *ret, struct err *err)
{
	uint64_t port;

	if (!str_to_u64(text, &port) || port < 1 || port > 65535)
		return err_field(err, "port", "'%s' is not a port number", text);
	ret->port = (uint16_t) port;
	return 0;
}

static int read_options(int argc, char **argv, struct gate_options *ret, struct err *err)
{
	const char *port = getenv("LODGE_PORT"), *listen = getenv("LODGE_LISTEN");
	int r = 0;

	*ret = (struct gate_options){.listen = str_is_empty(listen) ? "::" : listen, .port = PORT_DEFAULT};
	if (!str_is_empty(port))
		r = take_port(port, ret, err);
	for (int i = 1; r == 0 && i < argc; i++) {
		const char *value;

		if ((value = str_after(argv[i], "--port=")))
			r = take_port(value, ret, err);
		else if ((value = str_after(argv[i], "--listen=")))
			ret->listen = value;
		else
			r = err_set(err, ERR_INVALID, "unknown option %s (--port=N, --listen=ADDRESS)",
				    argv[i]);
	}
	return r;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	(void) si;
	(void) userdata;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int handle_signals(sd_event *event, struct err *err)
{
	sigset_t set;
	int r;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if ((r = sd_event_add_signal(event, NULL, SIGTERM, on_stop, NULL)) < 0 ||
	    (r = sd_event_add_signal(event, NULL, SIGINT, on_stop, NULL)) < 0)
		return err_errno(err, -r, "signals");
	return 0;
}

static int enter_sandbox(struct err *err)
{
	autofree char *webui = path_join(path_share(), "webui");
	autofree char *tls = path_join(path_state(), "tls");
	const char *readable[] = {webui, tls, NULL};
	struct sandbox sandbox = {.layers = SANDBOX_ALL, .user = GATE_USER, .readable = readable};

	return sandbox_enter(&sandbox, err);
}

static int serve(struct gate *gate, const struct gate_options *options, struct err *err)
{
	autofree char *webui = path_join(path_share(), "webui");
	autofd int listen_fd = -1;
	int r;

	gate->webui_fd = open(webui, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if ((r = server_listen(options, &listen_fd, err)) < 0 || (r = handle_signals(gate->event, err)) < 0 ||
	    (r = gate_tls_new(gate, &gate->tls, err)) < 0 || (r = enter_sandbox(err)) < 0 ||
	    (r = link_new(gate, &gate->link, err)) < 0)
		return r;
	r = server_new(gate, TAKE_FD(listen_fd), &gate->server, err);
	if (r < 0)
		return r;
	log_info("listening on %s port %u", options->listen, options->port);
	sd_notify(0, "READY=1");
	r = sd_event_loop(gate->event);
	return r < 0 ? err_errno(err, -r, "event loop") : 0;
}

int main(int argc, char **argv)
{
	struct gate gate = {.webui_fd = -1};
	struct gate_options options;
	struct err err = ERR_INIT;
	int r;

	log_open("lodge-gate");
	mallopt(M_ARENA_MAX, 1);
	gate.brake = brake_new();
	r = read_options(argc, argv, &options, &err);
	if (r == 0 && (r = sd_event_default(&gate.event)) < 0)
		r = err_errno(&err, -r, "event loop");
	if (r >= 0)
		r = serve(&gate, &options, &err);
	if (r < 0)
		log_error("%s", err.message);
	server_free(gate.server);
	link_free(gate.link);
	gate_tls_free(gate.tls);
	brake_free(gate.brake);
	sd_event_unref(gate.event);
	closep(&gate.webui_fd);
	return r < 0 ? 1 : 0;
}
