/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of the process: what is opened before the sandbox, and the loop inside it. */
#include "agent/gate/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/gate/brake.h"

#define FILES_WANTED (4 * GATE_CONNECTIONS)
#define WAIT_MS	     100

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	(void)si;
	(void)userdata;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	struct gate *gate = userdata;

	(void)source;
	(void)si;
	gate_tls_reload(gate->tls);
	return 0;
}

static int handle_signals(struct gate *gate, struct err *err)
{
	sigset_t set;
	int r;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if ((r = sd_event_add_signal(gate->event, NULL, SIGTERM, on_stop, NULL)) < 0 ||
	    (r = sd_event_add_signal(gate->event, NULL, SIGINT, on_stop, NULL)) < 0 ||
	    (r = sd_event_add_signal(gate->event, NULL, SIGHUP, on_hangup, gate)) < 0)
		return err_errno(err, -r, "signals");
	return 0;
}

static void raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= FILES_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* At the very first start the core has its folders and the certificate made just now. Signals end
 * this as they end any program. */
static void wait_for_certificate(struct gate *gate)
{
	const struct timespec pause = {.tv_nsec = WAIT_MS * 1000000L};
	struct err err = ERR_INIT;
	bool is_logged = false;

	while (gate_tls_new(gate->event, &gate->tls, &err) < 0 || !gate_tls_is_ready(gate->tls)) {
		if (!is_logged)
			log_notice("waiting for the node's certificate (%s)",
				   err.code ? err.message : "none yet");
		is_logged = true;
		gate_tls_free(TAKE(gate->tls));
		nanosleep(&pause, NULL);
	}
}

int gate_open(struct gate *gate, const struct gate_options *options, struct err *err)
{
	autofree char *webui = path_join(path_share(), "webui");
	int listen_fd = -1, r;

	tzset();
	raise_files();
	gate->brake = brake_new();
	gate->guesses = brake_new();
	if ((r = sd_event_default(&gate->event)) < 0)
		return err_errno(err, -r, "event loop");
	gate->webui_fd = open(webui, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (gate->webui_fd < 0)
		log_notice("no static files: %s is not there", webui);
	wait_for_certificate(gate);
	if ((r = handle_signals(gate, err)) < 0 || (r = link_new(gate, &gate->link, err)) < 0 ||
	    (r = gate_listen(options, &listen_fd, err)) < 0 ||
	    (r = server_new(gate, options, listen_fd, &gate->server, err)) < 0)
		return r;
	log_info("listening on %s port %u", options->listen, options->port);
	sd_notify(0, "READY=1");
	return 0;
}

int gate_run(struct gate *gate, const char *core_path, struct err *err)
{
	int r;

	link_start(gate->link, core_path);
	r = sd_event_loop(gate->event);
	return r < 0 ? err_errno(err, -r, "event loop") : 0;
}

void gate_close(struct gate *gate)
{
	server_free(gate->server);
	link_free(gate->link);
	gate_tls_free(gate->tls);
	brake_free(gate->brake);
	brake_free(gate->guesses);
	sd_event_unref(gate->event);
	closep(&gate->webui_fd);
}
