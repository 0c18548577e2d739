/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge-monitor: watches and reports, decides nothing. Guests by their run records (inotify) and the
 * pidfd of their first process, machines by libvirtd's lists and events as well (machines.h), figures from
 * cgroups and /proc every SAMPLE_EVERY, Lodge's network by netlink. Keeps nothing on disk. One sd-event
 * loop, and one more thread where there is a libvirtd; reports over the core's socket, reconnects for ever
 * and then tells everything again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "agent/base/conn.h"

#define SAMPLE_EVERY (5 * USEC_PER_SEC)

struct monitor {
	sd_event *event;
	struct reporter *reporter;
	struct guests_watch *guests;
	struct machines *machines;
	struct node_watch *node;
	struct net_watch *net;
	bool owes_list; /* the core was not told yet that the containers are all */
};

/* reporter.c: the link to the core. Events sent while it is away are lost: on_connected tells all. */
struct reporter_ops {
	void (*on_connected)(void *ctx);
	void (*on_event)(const struct call *event, void *ctx); /* of the core; may be NULL */
};
int reporter_new(sd_event *event, const struct reporter_ops *ops, void *ctx, struct reporter **ret,
		 struct err *err);
void reporter_free(struct reporter *r);
void reporter_send(struct reporter *r, enum call_op op, struct fields *head /* taken */);

/* guests.c */
int guests_watch_new(struct monitor *m, struct guests_watch **ret, struct err *err);
void guests_watch_free(struct guests_watch *w);
void guests_watch_tell_all(struct guests_watch *w); /* one EVENT_GUEST each; looks for new records */
void guests_watch_sample(struct guests_watch *w);
bool guests_watch_is_complete(const struct guests_watch *w); /* false: some could not be looked at yet */

/* node.c */
int node_watch_new(struct node_watch **ret, struct err *err);
void node_watch_free(struct node_watch *w);
void node_watch_sample(struct node_watch *w, struct fields *ret);

/* net_watch.c: EVENT_NET when the table or dnsmasq vanished, or an interface came that a boot lacked. */
int net_watch_new(struct monitor *m, struct net_watch **ret, struct err *err);
void net_watch_free(struct net_watch *w);
void net_watch_check(struct net_watch *w); /* with each sample: dnsmasq, and those interfaces */
