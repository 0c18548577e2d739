/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scopes for jobs (org.freedesktop.systemd1(5), StartTransientUnit). Runs on the core's loop; every call
 * is asynchronous. */
#include "agent/core/scopes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"

#define MANAGER	     "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define CALL_TIMEOUT (10 * USEC_PER_SEC)

struct scopes {
	sd_event *event;
	sd_bus *bus; /* NULL: not connected */
	bool has_systemd;
	bool has_failed; /* that was said */
};

struct scopes *scopes_new(sd_event *event)
{
	struct scopes *s = xcalloc(1, sizeof(*s));

	s->event = event;
	s->has_systemd = sd_booted() > 0;
	return s;
}

static void disconnect(struct scopes *s)
{
	if (!s->bus)
		return;
	sd_bus_detach_event(s->bus);
	sd_bus_close(s->bus);
	s->bus = sd_bus_unref(s->bus);
}

void scopes_free(struct scopes *s)
{
	if (!s)
		return;
	disconnect(s);
	free(s);
}

/* Connecting and authentication go on in the loop; what is sent meanwhile waits in the bus's queue. */
static int connect_bus(struct scopes *s)
{
	int r;

	if (s->bus && sd_bus_is_open(s->bus) > 0)
		return 0;
	disconnect(s);
	if ((r = sd_bus_open_system(&s->bus)) < 0)
		return r;
	return sd_bus_attach_event(s->bus, s->event, SD_EVENT_PRIORITY_NORMAL);
}

/* A job that ended already is no error worth more. */
static bool is_of_ended(const sd_bus_error *error)
{
	static const char *const names[] = {"org.freedesktop.systemd1.NoSuchUnit",
					    "org.freedesktop.systemd1.NoSuchProcess",
					    SD_BUS_ERROR_UNIX_PROCESS_ID_UNKNOWN};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (sd_bus_error_has_name(error, names[i]))
			return true;
	return sd_bus_error_get_errno(error) == ESRCH;
}

static int on_done(sd_bus_message *reply, void *ctx, sd_bus_error *ignored)
{
	struct scopes *s = ctx;

	(void)ignored;
	if (!sd_bus_message_is_method_error(reply, NULL))
		return 0;
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	if (s->has_failed || is_of_ended(error)) {
		log_debug("scope of a job: %s", error->message);
		return 0;
	}
	s->has_failed = true;
	log_notice("jobs get no scope, they stay in the core's unit: %s", error->message);
	return 0;
}

static int append_properties(sd_bus_message *m, pid_t pid)
{
	int r;

	if ((r = sd_bus_message_open_container(m, 'a', "(sv)")) < 0 ||
	    (r = sd_bus_message_append(m, "(sv)", "Description", "s", "Lodge job")) < 0 ||
	    (r = sd_bus_message_append(m, "(sv)", "CollectMode", "s", "inactive-or-failed")) < 0 ||
	    (r = sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, (uint32_t)pid)) < 0 ||
	    /* containers' monitors stay here: when the node goes down their guests are shut down first */
	    (r = sd_bus_message_append(m, "(sv)", "Before", "as", 1, "lodge-guests.service")) < 0 ||
	    (r = sd_bus_message_close_container(m)) < 0)
		return r;
	return sd_bus_message_append(m, "a(sa(sv))", 0);
}

static int ask(struct scopes *s, pid_t pid, const char *name)
{
	sd_bus_message *m = NULL;
	int r;

	if ((r = connect_bus(s)) < 0 ||
	    (r = sd_bus_message_new_method_call(s->bus, &m, MANAGER, MANAGER_PATH,
						MANAGER ".Manager", "StartTransientUnit")) < 0)
		return r;
	r = sd_bus_message_append(m, "ss", name, "fail");
	if (r >= 0)
		r = append_properties(m, pid);
	if (r >= 0)
		r = sd_bus_call_async(s->bus, NULL, m, on_done, s, CALL_TIMEOUT);
	sd_bus_message_unref(m);
	return r;
}

void scopes_move(struct scopes *s, pid_t pid, const char *serial)
{
	autofree char *name = NULL;
	int r;

	if (!s->has_systemd)
		return;
	name = xasprintf("lodge-job-%s.scope", serial);
	r = ask(s, pid, name);
	if (r < 0) {
		log_notice("no scope for a job, it stays in the core's unit: system bus error %d",
			   -r);
		disconnect(s);
	}
}
