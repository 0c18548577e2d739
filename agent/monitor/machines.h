/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual machines as the monitor knows them: what libvirtd lists, and the emulators' processes.
 *
 *   libvirtd answers        its word: running, paused, else stopped. An end is also seen by the emulator's
 *                           pidfd, whichever is first. A process that lives while libvirtd does not know
 *                           its domain (twice in a row) is shown running.
 *   it does not answer,     every machine is unknown, also one whose process lives: a stopped libvirtd may
 *   or is gone              pause it or run a creation that waits in its socket; a killed one may come back
 *                           and find what we do not see. Said after UNKNOWN_AFTER, so that a libvirtd that
 *                           is only restarted changes nothing.
 *   there never was one     no socket since this monitor began: nothing here can start a machine. Run
 *                           records and their processes are all there is; others are stopped.
 *
 * A libvirtd that was silent may have creations of dead clients before it, which it runs when it goes on:
 * after such a silence, and when a job of the core did not learn its outcome, a machine counts as stopped
 * only when a second list, SETTLE later, does not have it either. So it is for a monitor that begins and for
 * a core that connects, too: neither knows of a silence or of a job before.
 *
 * The connection keeps a libvirtd that systemd started on demand from ending when idle; one that ended
 * is started by connecting. That is wanted: events need it. */
#pragma once

#include "agent/monitor/domains.h"
#include "agent/monitor/monitor.h"

#define MACHINES_UNKNOWN_AFTER (2 * USEC_PER_SEC)
#define MACHINES_SETTLE	       (1 * USEC_PER_SEC)
#define MACHINES_SLOW	       (500 * USEC_PER_MSEC) /* an answer that took longer was silence */

enum machines_trust {
	TRUST_RECORDS, /* there never was a libvirtd */
	TRUST_NOBODY,
	TRUST_LIST,
};

/* load: finds libvirt's part when it is needed first, or NULL. uri: NULL is the system's libvirtd, which is
 * looked for by its socket; any other is taken to be there. */
int machines_new(struct monitor *monitor, const struct domains_ops *(*load)(void), const char *uri,
		 struct machines **ret, struct err *err);
/* false: a thread hangs, *machines stays; end the process by _exit(). */
bool machines_free(struct machines *machines);
const struct domains_ops *machines_load(void);
const char *machines_uri(void);

enum machines_trust machines_trust(const struct machines *machines);
/* Lists soon. A machine came up of which libvirtd said nothing. */
void machines_ask(struct machines *machines);
/* Lists twice: what became of a machine is not known. */
void machines_look(struct machines *machines);
/* With each sample: is there a libvirtd now? */
void machines_check(struct machines *machines);
/* After the machines were told to a core that knows nothing: that these are all, now or after two lists. */
void machines_tell_listed(struct machines *machines);

/* guests.c: what libvirtd says reaches the guests. */
enum domain_verdict {
	DOMAIN_CLEAR,
	DOMAIN_MOVING, /* ask again; unknown until then */
	DOMAIN_ODD,    /* list and process do not agree: ask again before anything is said */
};
enum domain_verdict guests_watch_domain(struct guests_watch *w, const struct domain *domain);
/* The whole list; machines that it lacks and that have no process are forgotten, not told. */
enum domain_verdict guests_watch_domains(struct guests_watch *w, const struct domain *items, size_t count);
void guests_watch_tell_machines(struct guests_watch *w);
/* Nothing that libvirtd said holds any more. Tells nothing. */
void guests_watch_forget_domains(struct guests_watch *w);
