/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodged, the core: one event loop, root, local sockets only. This file connects core and API and
 * owns the process: signals, readiness, watchdog, exit. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "agent/api/api.h"
#include "agent/base/log.h"
#include "agent/base/str.h"
#include "agent/core/core.h"
#include "agent/core/server.h"

static const struct server_ops api_ops = {.api_call = api_call, .api_cancel = api_cancel};

static int on_stop_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *ctx)
{
	(void)ctx;
	log_notice("stopping: signal %u", info->ssi_signo);
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int make_loop(sd_event **ret, struct err *err)
{
	static const int stop_signals[] = {SIGTERM, SIGINT};
	sd_event *event = NULL;
	sigset_t blocked;
	int r;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* ignored, children would vanish before their status is read */
	sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_SIZE(stop_signals); i++)
		sigaddset(&blocked, stop_signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, NULL); /* before any thread is made */
	if ((r = sd_event_default(&event)) < 0)
		return err_errno(err, -r, "event loop");
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(stop_signals); i++)
		r = sd_event_add_signal(event, NULL, stop_signals[i], on_stop_signal, NULL);
	if (r >= 0)
		r = sd_event_set_watchdog(event, true);
	if (r < 0) {
		sd_event_unref(event);
		return err_errno(err, -r, "event loop");
	}
	*ret = event;
	return 0;
}

static int serve(sd_event *event, struct err *err)
{
	struct core *core = NULL;
	struct server *server = NULL;
	int r = core_new(event, &core, err);

	if (r >= 0) {
		core_found(core);
		r = server_new(core, &api_ops, &server, err);
	}
	if (r >= 0)
		r = core_start(core, err);
	if (r >= 0) {
		log_info("node %s: ready", core->node);
		sd_notify(false, "READY=1\nSTATUS=ready");
		r = sd_event_loop(event);
		sd_notify(false, "STOPPING=1");
		if (r < 0)
			err_errno(err, -r, "event loop");
	}
	server_free(server);
	if (core)
		api_fini(core);
	core_free(core);
	return r;
}

static int usage(const char *program, int code)
{
	log_error("usage: %s [--version]", program);
	return code;
}

int main(int argc, char **argv)
{
	sd_event *event = NULL;
	struct err err = ERR_INIT;

	log_open("lodged");
	if (argc == 2 && str_eq(argv[1], "--version"))
		return puts("lodged " LODGE_VERSION) < 0;
	if (argc != 1)
		return usage(argv[0], 2);
	umask(022);
	int r = make_loop(&event, &err);
	if (r >= 0)
		r = serve(event, &err);
	if (r < 0)
		log_error("%s", err.message);
	sd_event_unref(event);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
