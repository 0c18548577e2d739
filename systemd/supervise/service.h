/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One daemon under supervision: started, watched, started again. Runs on the supervisor's loop. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "agent/base/clock.h"
#include "systemd/supervise/bounded_log.h"
#include "systemd/supervise/table.h"

#define SERVICE_DELAY_MIN (100 * USEC_PER_MSEC)
#define SERVICE_DELAY_MAX (900 * USEC_PER_MSEC) /* the promise is a start within a second */
#define SERVICE_LIFE_GOOD (10 * USEC_PER_SEC) /* having lived this long, the next restart is quick */
#define SERVICE_LOOK_AGAIN (10 * USEC_PER_SEC) /* for one that somebody else runs */

/* How long a first start waits for what it leans on, and how often it looks. */
#define SERVICE_PATIENCE   (3 * USEC_PER_SEC)
#define SERVICE_LOOK_EARLY (50 * USEC_PER_MSEC)

struct service {
	const struct service_def *def;
	sd_event *event;
	struct bounded_log log;
	sd_event_source *child, *timer; /* child: of its end, also when it is no child of ours */
	int pidfd;			/* of one that was found again; else -1 */
	pid_t pid;			/* 0: not running */
	usec_t started;			/* monotonic */
	usec_t delay;			/* before the next start */
	usec_t waited;			/* of SERVICE_PATIENCE; all of it once it has started */
	bool is_stopping;
	bool is_served;		    /* somebody else's does the work */
	void (*stopped)(void *ctx); /* the process ended after service_stop() */
	void *ctx;
};

/* Definition and log directory are borrowed. Does not start it. */
int service_init(struct service *service, sd_event *event, const struct service_def *def,
		 const char *log_directory, struct err *err);
/* Starts now, if it is wanted, and again whenever it ends. */
void service_start(struct service *service);
/* Does not start it again; sends the signal, unless it is to stay. */
void service_stop(struct service *service, int signo);
/* Nothing more to wait for after service_stop(). */
bool service_is_stopped(const struct service *service);
void service_fini(struct service *service);

/* The pause before the next start, from the one before and how long the process lived. */
usec_t service_next_delay(usec_t delay, usec_t life);

/* The process of that name that a supervisor, this one or an earlier one, left running; 0: none. */
pid_t service_find(const char *name);
