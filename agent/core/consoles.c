/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of consoles. How many there are is counted among the running tasks: those of an earlier core
 * count as well, though their ports are not known any more. Runs on the core's loop. */
#include "agent/core/consoles.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define TEXT_REFUSED "permission denied - invalid PVEVNC ticket"

/* From its preparation until its job ends. */
struct entry {
	unsigned vmid;
	char *user, *ticket, *upid; /* owned */
	int fd;			    /* -1: taken or expired */
	usec_t end;		    /* monotonic; of waiting */
};

struct consoles {
	sd_event *event;
	struct jobs *jobs;
	sd_event_source *timer;
	struct entry *entries[CONSOLES_MAX]; /* by port; NULL: free */
	unsigned last; /* the latest in use: a port rests before its next use */
};

static void entry_close(struct entry *entry)
{
	if (entry->fd >= 0)
		close(entry->fd);
	entry->fd = -1;
	if (entry->ticket)
		explicit_bzero(entry->ticket, strlen(entry->ticket));
	free(TAKE(entry->ticket));
}

static void entry_free(struct entry *entry)
{
	if (!entry)
		return;
	entry_close(entry);
	free(entry->user);
	free(entry->upid);
	free(entry);
}

static void on_job_ended(const struct task *task, void *ctx)
{
	struct consoles *consoles = ctx;

	for (size_t i = 0; i < CONSOLES_MAX; i++) {
		if (!consoles->entries[i] || !str_eq(consoles->entries[i]->upid, task->upid))
			continue;
		entry_free(TAKE(consoles->entries[i]));
	}
}

struct consoles *consoles_new(sd_event *event, struct jobs *jobs)
{
	struct consoles *consoles = xcalloc(1, sizeof(*consoles));

	consoles->event = event;
	consoles->jobs = jobs;
	jobs_on_ended(jobs, on_job_ended, consoles);
	return consoles;
}

void consoles_free(struct consoles *consoles)
{
	if (!consoles)
		return;
	for (size_t i = 0; i < CONSOLES_MAX; i++)
		entry_free(consoles->entries[i]);
	if (consoles->timer)
		sd_event_source_disable_unref(consoles->timer);
	free(consoles);
}

struct counts {
	unsigned all, of_guest, of_user;
};

static struct counts count_jobs(const struct consoles *consoles, unsigned vmid, const char *user)
{
	struct counts n = {0};
	char id[16];

	snprintf(id, sizeof(id), "%u", vmid);
	for (const struct task *t = jobs_next(consoles->jobs, NULL); t;
	     t = jobs_next(consoles->jobs, t)) {
		if (t->state != TASK_RUNNING || !str_eq(t->id.type, CONSOLE_TASK_TYPE))
			continue;
		n.all++;
		n.of_guest += str_eq(t->id.id, id);
		n.of_user += str_eq(t->id.user, user);
	}
	return n;
}

static int check_counts(const struct counts *n, unsigned vmid, const char *user, struct err *err)
{
	bool is_root = str_eq(user, "root@pam");

	if (n->of_guest >= CONSOLES_OF_GUEST_MAX)
		return err_set(err, ERR_LIMIT,
			       "too many consoles of guest %u are open (%u); close one first", vmid,
			       n->of_guest);
	if (!is_root && n->of_user >= CONSOLES_OF_USER_MAX)
		return err_set(err, ERR_LIMIT,
			       "too many consoles of user %s are open (%u); close one first", user,
			       n->of_user);
	if (n->all >= CONSOLES_MAX - (is_root ? 0 : CONSOLES_OF_ROOT))
		return err_set(err, ERR_LIMIT, "too many consoles are open on this node (%u)",
			       n->all);
	return 0;
}

int consoles_reserve(struct consoles *consoles, unsigned vmid, const char *user, unsigned *ret_port,
		     struct err *err)
{
	const struct counts n = count_jobs(consoles, vmid, user);
	int r = check_counts(&n, vmid, user, err);

	for (unsigned i = 1; r == 0 && i <= CONSOLES_MAX; i++) {
		unsigned at = (consoles->last + i) % CONSOLES_MAX;

		if (consoles->entries[at])
			continue;
		*ret_port = CONSOLE_PORT_MIN + at;
		return 0;
	}
	return r < 0 ? r : err_set(err, ERR_LIMIT, "too many consoles are open on this node");
}

static int on_time(sd_event_source *source, uint64_t now, void *ctx)
{
	(void)source;
	(void)now;
	consoles_expire(ctx, clock_monotonic());
	return 0;
}

/* For the one that waits longest. */
static void set_timer(struct consoles *consoles)
{
	usec_t next = 0;

	for (size_t i = 0; i < CONSOLES_MAX; i++) {
		const struct entry *entry = consoles->entries[i];

		if (entry && entry->fd >= 0 && (next == 0 || entry->end < next))
			next = entry->end;
	}
	if (next == 0)
		return; /* a timer still running finds nothing */
	if (!consoles->timer &&
	    sd_event_add_time(consoles->event, &consoles->timer, CLOCK_MONOTONIC, next,
			      USEC_PER_SEC / 10, on_time, consoles) < 0) {
		log_error("consoles: no timer");
		return;
	}
	sd_event_source_set_time(consoles->timer, next);
	sd_event_source_set_enabled(consoles->timer, SD_EVENT_ONESHOT);
}

void consoles_add(struct consoles *consoles, const struct console *console, int fd, usec_t now)
{
	unsigned at = console->port - CONSOLE_PORT_MIN;
	struct entry *entry = xcalloc(1, sizeof(*entry));

	*entry = (struct entry){.vmid = console->vmid,
				.user = xstrdup(console->user),
				.ticket = xstrdup(console->ticket),
				.upid = xstrdup(console->upid),
				.fd = fd,
				.end = now + CONSOLE_LIFE};
	entry_free(consoles->entries[at]);
	consoles->entries[at] = entry;
	consoles->last = at;
	set_timer(consoles);
}

static bool fits(const struct entry *entry, const struct console *console, usec_t now)
{
	return entry && entry->fd >= 0 && entry->end > now && entry->vmid == console->vmid &&
	       str_eq(entry->user, console->user) &&
	       str_eq_constant_time(entry->ticket, console->ticket);
}

int consoles_take(struct consoles *consoles, const struct console *console, usec_t now, int *ret_fd,
		  struct err *err)
{
	static const char taken = CONSOLE_TAKEN;
	unsigned at = console->port - CONSOLE_PORT_MIN;
	struct entry *entry = at < CONSOLES_MAX ? consoles->entries[at] : NULL;

	if (!fits(entry, console, now))
		return err_set(err, ERR_AUTH, TEXT_REFUSED);
	if (send(entry->fd, &taken, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1) {
		entry_close(entry);
		return err_set(err, ERR_UNAVAILABLE,
			       "the console has ended; its task log says why: %s", entry->upid);
	}
	*ret_fd = TAKE_FD(entry->fd);
	entry_close(entry);
	return 0;
}

void consoles_expire(struct consoles *consoles, usec_t now)
{
	for (size_t i = 0; i < CONSOLES_MAX; i++) {
		struct entry *entry = consoles->entries[i];

		if (entry && entry->fd >= 0 && entry->end <= now)
			entry_close(entry);
	}
	set_timer(consoles);
}
