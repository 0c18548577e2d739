/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge-supervise: keeps the node's daemons running where there is no systemd. Root. It knows
 * nothing of guests and jobs and leaves them alone. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/kvm_record.h"
#include "systemd/supervise/control.h"
#include "systemd/supervise/service.h"
#include "systemd/supervise/virt.h"

#define STOP_TIMEOUT (10 * USEC_PER_SEC)

struct supervisor {
	sd_event *event;
	struct bounded_log log; /* its own lines, by way of its own standard error */
	struct service services[SERVICE_COUNT_MAX];
	bool is_stopping;
};

static const char *log_directory(void)
{
	const char *path = getenv("LODGE_LOG_DIR");

	return path && path[0] == '/' ? path : "/var/log/lodge";
}

static void on_stopped(void *ctx)
{
	struct supervisor *s = ctx;

	for (size_t i = 0; i < service_count; i++)
		if (!service_is_stopped(&s->services[i]))
			return;
	sd_event_exit(s->event, 0);
}

static int on_too_long(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct supervisor *s = userdata;

	(void)source;
	(void)usec;
	for (size_t i = 0; i < service_count; i++)
		service_stop(&s->services[i], SIGKILL);
	return 0;
}

static int on_stop_signal(sd_event_source *source, const struct signalfd_siginfo *info,
			  void *userdata)
{
	struct supervisor *s = userdata;

	(void)source;
	if (s->is_stopping)
		return 0;
	s->is_stopping = true;
	log_notice("stopping: signal %u", info->ssi_signo);
	for (size_t i = service_count; i-- > 0;)
		service_stop(&s->services[i], SIGTERM);
	on_stopped(s);
	return sd_event_add_time_relative(s->event, NULL, CLOCK_MONOTONIC, STOP_TIMEOUT, 0,
					  on_too_long, s);
}

static int make_loop(struct supervisor *s, struct err *err)
{
	sigset_t blocked;
	int r;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	if ((r = sd_event_default(&s->event)) < 0 ||
	    (r = sd_event_add_signal(s->event, NULL, SIGTERM, on_stop_signal, s)) < 0 ||
	    (r = sd_event_add_signal(s->event, NULL, SIGINT, on_stop_signal, s)) < 0)
		return err_errno(err, -r, "event loop");
	return 0;
}

/* A test of KVM may have found what libvirtd has to know. Machines are processes of their own: they do not
 * notice that it starts again. */
static int on_state_change(sd_event_source *source, const struct inotify_event *event,
			   void *userdata)
{
	struct supervisor *s = userdata;

	(void)source;
	if (event->len == 0 || !str_eq(event->name, KVM_RECORD_FILE))
		return 0;
	for (size_t i = 0; i < service_count; i++) {
		struct service *service = &s->services[i];

		if (!str_eq(service->def->name, "libvirtd") || service->pid == 0 ||
		    s->is_stopping || virt_is_kvm_hidden(service->pid) == !virt_may_see_kvm())
			continue;
		log_notice("KVM was found %susable: libvirtd starts again",
			   virt_may_see_kvm() ? "" : "not ");
		kill(service->pid, SIGTERM);
	}
	return 0;
}

static void watch_state(struct supervisor *s)
{
	int r = sd_event_add_inotify(s->event, NULL, path_state(), IN_MOVED_TO | IN_ONLYDIR,
				     on_state_change, s);

	if (r < 0)
		log_warning("%s is not watched: %s", path_state(), strerror(-r));
}

static int make_services(struct supervisor *s, struct err *err)
{
	int r = bounded_log_init(&s->log, s->event, log_directory(), "supervise", BOUNDED_LOG_MAX,
				 err);

	for (size_t i = 0; r == 0 && i < service_count; i++) {
		r = service_init(&s->services[i], s->event, &service_defs[i], log_directory(), err);
		s->services[i].stopped = on_stopped;
		s->services[i].ctx = s;
	}
	return r;
}

/* From here on the shell that started it may go away. */
static void leave_terminal(struct supervisor *s)
{
	setsid(); /* fails when it leads a session already */
	if (!freopen("/dev/null", "r", stdin) || dup2(s->log.write_end, STDOUT_FILENO) < 0 ||
	    dup2(s->log.write_end, STDERR_FILENO) < 0)
		log_warning("standard output stays where it is");
}

static int supervise(struct supervisor *s, struct err *err)
{
	autofree char *notes = path_join(path_run(), "supervise");
	autofd int lock = -1;
	int r;

	if ((r = dir_make(path_run(), 0755, err)) < 0 || (r = dir_make(notes, 0755, err)) < 0 ||
	    (r = dir_make(path_state(), 0755, err)) < 0 ||
	    (r = dir_make(log_directory(), 0750, err)) < 0 || (r = control_lock(&lock, err)) < 0 ||
	    (r = control_clear(err)) < 0 || (r = make_loop(s, err)) < 0 ||
	    (r = make_services(s, err)) < 0)
		return r;
	leave_terminal(s);
	watch_state(s);
	for (size_t i = 0; i < service_count; i++)
		service_start(&s->services[i]);
	r = sd_event_loop(s->event);
	for (size_t i = 0; i < service_count; i++)
		service_fini(&s->services[i]);
	log_notice("stopped");
	bounded_log_fini(&s->log);
	return r < 0 ? err_errno(err, -r, "event loop") : 0;
}

static int run(void)
{
	struct supervisor s = {0};
	struct err err = ERR_INIT;

	umask(022);
	if (chdir("/") == 0 && supervise(&s, &err) == 0)
		return 0;
	log_error("%s", err.message);
	return 1;
}

int main(int argc, char **argv)
{
	log_open("lodge-supervise");
	if (argc == 1)
		return run();
	if (argc == 2 && str_eq(argv[1], "stop"))
		return control_stop();
	if (argc == 2 && str_eq(argv[1], "status"))
		return control_status();
	if (argc == 3 && str_eq(argv[1], "exec"))
		return virt_exec(argv[2]);
	fprintf(stderr, "usage: lodge-supervise [stop | status]\n");
	return 2;
}
