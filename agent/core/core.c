/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts the parts of the core together and takes them apart. Runs on the core's loop. */
#include "agent/core/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/param.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/core/events.h"
#include "agent/core/certificate.h"
#include "agent/core/consoles.h"
#include "agent/core/guests.h"
#include "agent/core/job_rights.h"
#include "agent/core/nextid.h"
#include "agent/core/onboot.h"
#include "agent/core/restart.h"
#include "agent/core/setup.h"
#include "agent/core/storages.h"
#include "agent/core/unfinished.h"

#define FOUND_TIMEOUT (10 * USEC_PER_SEC) /* a store without quorum does not hold up the rest */

static int take_node_name(struct core *core, struct err *err)
{
	const char *given = getenv("LODGE_NODE");
	char host[256] = "";

	if (!given && gethostname(host, sizeof(host) - 1) != 0)
		return err_errno(err, errno, "host name");
	if (!given) {
		host[strcspn(host, ".")] = '\0';
		given = host;
	}
	if (!param_format_is_valid("pve-node", given) ||
	    !str_copy(core->node, sizeof(core->node), given))
		return err_set(err, ERR_INVALID,
			       "'%.64s' cannot be the name of a node: letters, digits and '-', "
			       "at most 63 (set LODGE_NODE or the host name)",
			       given);
	return 0;
}

static int make_folders(struct err *err)
{
	static const char *const run_folders[] = {"jobs", "guests", "ct"};
	int r = dir_make(path_state(), 0755, err);

	if (r >= 0)
		r = dir_make(path_run(), 0755, err);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(run_folders); i++) {
		autofree char *path = path_join(path_run(), "%s", run_folders[i]);

		r = dir_make(path, 0700, err);
	}
	return r;
}

static int on_store(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct core *core = ctx;

	(void)source;
	(void)fd;
	(void)events;
	store_dispatch(core->store);
	return 0;
}

static int open_store(struct core *core, struct err *err)
{
	autofree char *directory = path_join(path_state(), "db");
	const struct store_options options = {.directory = directory, .node = core->node};
	int r = store_open(&options, &core->store, err);

	if (r < 0)
		return r;
	r = sd_event_add_io(core->event, &core->store_source, store_fd(core->store), EPOLLIN,
			    on_store, core);
	return r < 0 ? err_errno(err, -r, "watch the store") : 0;
}

static int fill(struct core *core, struct err *err)
{
	int r;

	if ((r = take_node_name(core, err)) < 0 || (r = make_folders(err)) < 0 ||
	    (r = open_store(core, err)) < 0 ||
	    (r = access_new(core->store, &core->access, err)) < 0 ||
	    (r = jobs_new(core->event, core->node, &core->jobs, err)) < 0)
		return r;
	core->facts = facts_new();
	core->helpers = helpers_new(core->event);
	core->guests = guests_new(core);
	core->nextid = nextid_new();
	core->storages = storages_new(core);
	core->events = events_new(core);
	core->consoles = consoles_new(core->event, core->jobs);
	core->job_rights = job_rights_new(core);
	core->certificate = certificate_new();
	core->onboot = onboot_new(core);
	core->unfinished = unfinished_new(core);
	return 0;
}

int core_new(sd_event *event, struct core **ret, struct err *err)
{
	struct core *core = xcalloc(1, sizeof(*core));

	core->event = sd_event_ref(event);
	int r = fill(core, err);
	if (r < 0) {
		core_free(core);
		return r;
	}
	*ret = core;
	return 0;
}

void core_free(struct core *core)
{
	if (!core)
		return;
	events_free(core->events);
	unfinished_free(core->unfinished);
	onboot_free(core->onboot);
	certificate_free(core->certificate);
	job_rights_free(core->job_rights);
	consoles_free(core->consoles);
	storages_free(core->storages);
	nextid_free(core->nextid);
	guests_free(core->guests);
	helpers_free(core->helpers);
	facts_free(core->facts);
	jobs_free(core->jobs);
	if (core->tls_timer)
		sd_event_source_disable_unref(core->tls_timer);
	sd_event_source_disable_unref(core->restart_timer);
	if (core->store_source)
		sd_event_source_disable_unref(core->store_source);
	access_free(core->access);
	if (core->store)
		store_close(core->store);
	sd_event_unref(core->event);
	free(core);
}

static void on_network_up(struct core *core)
{
	onboot_begin(core->onboot);
}

void core_found(struct core *core)
{
	usec_t deadline = clock_monotonic() + FOUND_TIMEOUT;

	setup_storage(core);
	while (core->is_storage_first && clock_left_ms(deadline) > 0)
		if (sd_event_run(core->event, clock_left_ms(deadline) * USEC_PER_MSEC) < 0)
			return;
}

int core_start(struct core *core, struct err *err)
{
	(void)err;
	setup_tls(core);
	restart_scan(core);
	unfinished_begin(core->unfinished);
	setup_network(core, on_network_up);
	return 0;
}
