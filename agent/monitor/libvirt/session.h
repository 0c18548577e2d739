/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the module: the thread's state, and what it does while it is connected. */
#pragma once

#include <libvirt/libvirt.h>
#include <pthread.h>

#include "agent/monitor/domains.h"

#define NEWS_MAX    64
#define TOUCHED_MAX 64

struct domains {
	char *uri;
	int wake;  /* eventfd: to the thread */
	int ready; /* eventfd: from the thread */
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	bool wants_connect, wants_list, wants_end;
	struct domains_news news[NEWS_MAX]; /* a ring */
	size_t first, count;

	/* the thread's own */
	virConnectPtr conn;
	bool is_closed, is_hung;
	bool is_stale;		     /* list again */
	struct domain touched[TOUCHED_MAX]; /* had an event; to be asked for */
	size_t touched_count;
};

/* session.c: connects, lists, follows events until the connection ends or the end is wanted. */
void session_run(struct domains *d);
/* domains.c: news is taken. A queue that is full is emptied: what it held is in the next list, which the
 * thread must make. */
void domains_post(struct domains *d, struct domains_news *news);
/* Moves wishes over to the thread; true while it shall go on. */
bool domains_hear(struct domains *d);

/* query.c: one question each. false: no answer. */
bool query_list(virConnectPtr conn, struct domains_news *ret);
bool query_domain(virConnectPtr conn, struct domain *domain);
const char *query_reason(int stopped_detail);
const char *query_error(void);

extern const struct domains_ops domains_libvirt_ops;
