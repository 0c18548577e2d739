/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Consoles of guests that are prepared or open. A console is a job whose descriptor 3 is one end of a
 * socketpair; the other end waits here, under a port of its own, until the one who asked for it takes it
 * with its ticket, once. What is not taken within CONSOLE_LIFE is closed, and its job ends. A console that
 * was taken is not the core's any more: it outlives a restart. Runs on the core's loop. */
#pragma once

#include <systemd/sd-event.h>

#include "agent/auth/access.h"
#include "agent/base/clock.h"
#include "agent/core/console_job.h"
#include "agent/core/jobs.h"

#define CONSOLE_PORT_MIN      5900u
#define CONSOLES_MAX	      100u /* jobs, hence ports 5900 to 5999 */
#define CONSOLES_OF_GUEST_MAX 32u
#define CONSOLES_OF_USER_MAX  48u /* user or token; root@pam: all */
#define CONSOLES_OF_ROOT      10u /* of all, that only root@pam may open */
#define CONSOLE_LIFE	      (40 * USEC_PER_SEC)

struct consoles;

struct console {
	unsigned port; /* from consoles_reserve() */
	unsigned vmid;
	const char *user; /* who asked: user or token id */
	const char *ticket;
	const char *upid; /* its job */
};

struct consoles *consoles_new(sd_event *event, struct jobs *jobs);
void consoles_free(struct consoles *consoles); /* those that wait are closed */
/* A port that is free until the loop goes on. ERR_LIMIT: too many consoles, of this guest or user or in all. */
int consoles_reserve(struct consoles *consoles, unsigned vmid, const char *user, unsigned *ret_port,
		     struct err *err);
/* The port is taken until the job ends; fd is taken over. */
void consoles_add(struct consoles *consoles, const struct console *console, int fd, usec_t now);
/* The socket of the console that waits at this port for this user, ticket and guest. Otherwise ERR_AUTH,
 * whatever was wrong, and it goes on waiting. */
int consoles_take(struct consoles *consoles, const struct console *console, usec_t now, int *ret_fd,
		  struct err *err);
/* Closes those whose time is over; the consoles' own timer calls it. */
void consoles_expire(struct consoles *consoles, usec_t now);
