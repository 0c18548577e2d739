/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge-monitor: start, the sampling timer, stop. */
#include "agent/monitor/monitor.h"

#include <malloc.h>
#include <signal.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/monitor/machines.h"

static void send_empty(struct monitor *m, enum call_op op)
{
	autofields none = FIELDS_INIT;

	reporter_send(m->reporter, op, &none);
}

/* What is not told then counts as stopped: so not before all were looked at. */
static void send_containers_listed(struct monitor *m)
{
	autofields f = FIELDS_INIT;

	m->owes_list = !guests_watch_is_complete(m->guests);
	if (m->owes_list)
		return;
	fields_add(&f, "kind", "lxc");
	reporter_send(m->reporter, EVENT_LISTED, &f);
}

static void send_node(struct monitor *m)
{
	autofields f = FIELDS_INIT;

	node_watch_sample(m->node, &f);
	reporter_send(m->reporter, EVENT_NODE, &f);
}

/* The core knows nothing of us yet: say everything, and that it was everything. */
static void on_connected(void *ctx)
{
	struct monitor *m = ctx;

	send_empty(m, EVENT_HELLO);
	guests_watch_tell_all(m->guests);
	send_containers_listed(m);
	machines_tell_listed(m->machines);
	send_node(m);
}

static void on_event(const struct call *event, void *ctx)
{
	struct monitor *m = ctx;

	if (event->op == EVENT_LOOK)
		machines_look(m->machines);
}

static const struct reporter_ops reporter_ops = {on_connected, on_event};

static int on_sample(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct monitor *m = userdata;

	(void)usec;
	guests_watch_sample(m->guests);
	if (m->owes_list)
		send_containers_listed(m);
	machines_check(m->machines);
	net_watch_check(m->net);
	send_node(m);
	sd_event_source_set_time(source, clock_monotonic() + SAMPLE_EVERY);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	(void)si;
	(void)userdata;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int start(struct monitor *m, struct err *err)
{
	sigset_t set;
	int r;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if ((r = sd_event_default(&m->event)) < 0 ||
	    (r = sd_event_add_signal(m->event, NULL, SIGTERM, on_stop, NULL)) < 0 ||
	    (r = sd_event_add_signal(m->event, NULL, SIGINT, on_stop, NULL)) < 0)
		return err_errno(err, -r, "event loop");
	if ((r = guests_watch_new(m, &m->guests, err)) < 0 ||
	    (r = machines_new(m, machines_load, machines_uri(), &m->machines, err)) < 0 ||
	    (r = node_watch_new(&m->node, err)) < 0 || (r = net_watch_new(m, &m->net, err)) < 0 ||
	    (r = reporter_new(m->event, &reporter_ops, m, &m->reporter, err)) < 0)
		return r;
	r = sd_event_add_time(m->event, NULL, CLOCK_MONOTONIC, clock_monotonic() + USEC_PER_SEC,
			      100000, on_sample, m);
	return r < 0 ? err_errno(err, -r, "timer") : 0;
}

int main(void)
{
	struct monitor m = {0};
	struct err err = ERR_INIT;
	int r;

	log_open("lodge-monitor");
	mallopt(M_ARENA_MAX, 1);
	r = start(&m, &err);
	if (r == 0) {
		sd_notify(0, "READY=1");
		r = sd_event_loop(m.event);
		if (r < 0)
			err_errno(&err, -r, "event loop");
	}
	if (r < 0)
		log_error("%s", err.message);
	reporter_free(m.reporter);
	net_watch_free(m.net);
	node_watch_free(m.node);
	/* a thread that hangs in libvirt still uses what an ordinary end would take away */
	if (!machines_free(m.machines))
		_exit(r < 0 ? 1 : 0);
	guests_watch_free(m.guests);
	sd_event_unref(m.event);
	return r < 0 ? 1 : 0;
}
