/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core's context: everything that request handlers may use. One instance, owned by main, used
 * on the loop's thread only. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "agent/auth/access.h"
#include "agent/core/facts.h"
#include "agent/core/helpers.h"
#include "agent/core/jobs.h"
#include "cluster/store.h"

struct conn;

struct core {
	sd_event *event;
	char node[64]; /* this node's name */
	struct store *store;
	struct access *access;
	struct jobs *jobs;
	struct facts *facts;
	struct helpers *helpers;
	struct guests *guests;	       /* index of guests in the store, see guests.h */
	struct nextid *nextid;	       /* ids handed out and not yet used, see nextid.h */
	struct storages *storages;     /* cached storage status, see storages.h */
	struct events *events;	       /* the event stream, see events.h */
	struct consoles *consoles;     /* prepared and open consoles, see consoles.h */
	struct job_rights *job_rights; /* ends consoles with the right to them, see job_rights.h */
	struct certificate *certificate; /* this node's, for HTTPS, see certificate.h */

	/* the rest belongs to the core's own files */
	struct onboot *onboot;
	struct unfinished *unfinished; /* creations without a job, see unfinished.h */
	sd_event_source *store_source, *tls_timer, *restart_timer;
	struct conn *monitor;  /* its connection, or NULL */
	bool is_storage_first; /* the first /storage.cfg is on its way */
	struct {
		bool is_running, is_wanted; /* asked for again meanwhile */
		void (*done)(struct core *core);
	} network;
};

int core_new(sd_event *event, struct core **ret, struct err *err);
void core_free(struct core *core);
/* Once, before anybody is served: what every request may take for granted. Runs the loop, a moment at most, and only
 * where something is missing. */
void core_found(struct core *core);
/* Once at start: identity, HTTPS authority, network, guests with onboot. */
int core_start(struct core *core, struct err *err);
