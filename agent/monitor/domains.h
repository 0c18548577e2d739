/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the monitor needs of libvirtd, with libvirt itself kept out: the module lodge-monitor-libvirt.so
 * serves this interface, unit tests bring their own. The module's thread owns the connection; it may hang,
 * its caller never does: every function here only posts or takes. Events of libvirtd are hints: each one
 * makes the thread ask for that domain's state, and that answer is the news. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"

enum domain_state {
	DOMAIN_UNASKED,	  /* libvirtd said nothing of it yet */
	DOMAIN_ABSENT,	  /* libvirtd does not have it, or only as a definition that does not run */
	DOMAIN_RUNNING,
	DOMAIN_PAUSED,
	DOMAIN_UNSETTLED, /* being made or taken away */
};

struct domain {
	unsigned vmid;
	enum domain_state state;
	char reason[16]; /* of the last stop: shutdown, destroyed, crashed, migrated, saved, failed, or "" */
};

enum domains_news_kind {
	DOMAINS_LISTED, /* all of ours that libvirtd has; what was said before counts no more */
	DOMAINS_CHANGED, /* one */
	DOMAINS_LOST,	 /* no connection: none could be made, or it ended. The thread waits for connect() */
};

struct domains_news {
	enum domains_news_kind kind;
	struct domain *items; /* heap, the taker's */
	size_t count;
	bool is_hung; /* LOST: libvirtd is there and did not answer */
	char text[256]; /* LOST: why */
};

struct domains; /* one thread, one connection at a time */

struct domains_ops {
	int (*open)(const char *uri, struct domains **ret, struct err *err); /* does not connect yet */
	int (*fd)(const struct domains *domains); /* readable: take news */
	bool (*take)(struct domains *domains, struct domains_news *ret); /* false: none is left */
	void (*connect)(struct domains *domains); /* then comes LISTED, or LOST; only before the first time
						     and after LOST */
	void (*list)(struct domains *domains);	  /* again; nothing while there is no connection */
	/* false: its thread hangs in libvirt and goes on to use what it has; only _exit() is safe then */
	bool (*close)(struct domains *domains);
};

#define DOMAINS_MODULE "lodge-monitor-libvirt.so" /* in path_libexec() */
#define DOMAINS_SYMBOL "lodge_domains"		  /* domains_ops_fn */
typedef const struct domains_ops *(*domains_ops_fn)(void);
