/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts a container: configuration, checks, then mount and liblxc in a forked step. Runs in jobs.
 */
#include <fcntl.h>
#include <net/if.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/items.h"
#include "agent/guest/ct/lxc_start.h"
#include "agent/guest/ct/mount.h"
#include "agent/guest/ct/setup.h"
#include "agent/guest/ct/veth.h"
#include "agent/guest/ct/volume.h"
#include "agent/guest/pending.h"

#define START_TIMEOUT (120 * USEC_PER_SEC)
#define MERGE_TRIES   5

struct start {
	struct guest_config config;
	struct ct_rootfs rootfs;
	struct ct_host host;
	struct ct_net *nets; /* owned */
	size_t net_count;
	struct buf volume; /* path */
};

static void start_fini(struct start *start)
{
	guest_config_fini(&start->config);
	buf_fini(&start->volume);
	free(start->nets);
}

/* The configuration that this start uses is the stored one: [PENDING] is merged in the store first,
 * and a change in between makes us read again. */
static int read_config(struct task_ctx *task, struct guest_config *ret, struct err *err)
{
	for (int i = 0;; i++) {
		struct guest_config config;
		const char *lock;
		uint64_t version;
		int r = task_config_get(task, "lxc", &config, &version, err);

		if (r < 0)
			return r;
		if ((lock = guest_config_get(&config, "lock")))
			r = err_set(err, ERR_BUSY, "CT is locked (%s)", lock);
		else if (config_pending_merge(&config))
			r = task_config_put(task, "lxc", &config, version, err);
		if (r == 0) {
			*ret = config;
			return 0;
		}
		guest_config_fini(&config);
		if (r != -ERR_CONFLICT || i >= MERGE_TRIES)
			return r;
	}
}

static int check_networks(const struct start *start, struct err *err)
{
	for (size_t i = 0; i < start->net_count; i++) {
		const struct ct_net *net = &start->nets[i];

		if (*net->bridge && if_nametoindex(net->bridge) == 0)
			return err_set(err, ERR_UNAVAILABLE, "net%u: bridge '%s' does not exist",
				       net->index, net->bridge);
	}
	return 0;
}

static int prepare(struct task_ctx *task, struct start *start, struct err *err)
{
	int r;

	if ((r = read_config(task, &start->config, err)) < 0)
		return r;
	if ((r = ct_config_rootfs(&start->config, &start->rootfs, err)) < 0 ||
	    (r = ct_config_nets(&start->config, &start->nets, &start->net_count, err)) < 0 ||
	    (r = check_networks(start, err)) < 0)
		return r;
	task_guest_notices(&start->config);
	ct_host_read(&start->host);
	if (ct_is_unprivileged(&start->config) && (r = ct_idmap_read(&start->host.idmap, err)) < 0)
		return r;
	return ct_volume_path(task, start->rootfs.volume, &start->volume, err);
}

/* No MS_NOSUID: it would carry into the container, and su, sudo and ping need setuid there. Device
 * nodes are of no use without privileges. */
static unsigned long mount_flags(const struct start *start)
{
	return (ct_is_unprivileged(&start->config) ? MS_NODEV : 0) |
	       (start->rootfs.read_only ? MS_RDONLY : 0);
}

static int mount_root(struct task_ctx *task, const struct start *start, const char *target,
		      enum ct_init *ret_init, struct err *err)
{
	autofd int root = -1;
	int r;

	if ((r = ct_mount_isolate(err)) < 0 ||
	    (r = ct_mount_volume(start->volume.data, target, mount_flags(start), err)) < 0)
		return r;
	root = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(err, ERR_IO, "open the mounted root");
	*ret_init = ct_init_detect(root);
	return start->rootfs.read_only ? 0
				       : ct_setup_settings(task, root, &start->config, false, err);
}

static int start_child(struct task_ctx *task, void *ctx, struct err *err)
{
	struct start *start = ctx;
	autofree char *lxc_path = path_join(path_run(), "ct");
	autofree char *log = path_join(path_run(), "ct/%u.log", task->guest);
	autofree char *target = ct_mount_point(task->guest);
	autofields items = FIELDS_INIT, warnings = FIELDS_INIT;
	enum ct_init init = CT_INIT_OTHER;
	int r;

	if ((r = mount_root(task, start, target, &init, err)) < 0)
		return r;
	const struct ct_items in = {.config = &start->config,
				    .host = &start->host,
				    .vmid = task->guest,
				    .rootfs = target,
				    .halt_signal = ct_init_halt_signal(init)};
	if ((r = ct_items_build(&in, &items, &warnings, err)) < 0)
		return r;
	for (size_t i = 0; i < warnings.count; i++)
		task_warn(task, "%s", warnings.items[i].value);
	return lxc_start_items(lxc_path, task->guest, &items, log, err);
}

static void switch_links_off(struct task_ctx *task, const struct start *start)
{
	for (size_t i = 0; i < start->net_count; i++) {
		autofree char *name = xasprintf("veth%ui%u", task->guest, start->nets[i].index);
		struct err err = ERR_INIT;

		if (start->nets[i].link_down && veth_set_down(name, &err) < 0)
			task_warn(task, "net%u: link_down: %s", start->nets[i].index, err.message);
	}
}

/* Left over when a monitor was killed: their names would be taken. */
static void remove_stale_links(struct task_ctx *task, const struct start *start)
{
	for (size_t i = 0; i < start->net_count; i++) {
		autofree char *name = xasprintf("veth%ui%u", task->guest, start->nets[i].index);

		(void)veth_delete(name, NULL);
	}
}

static int run_start(struct task_ctx *task, struct start *start, struct err *err)
{
	struct ct_record record;
	/* The container's root must be able to pass through liblxc's folder, or liblxc gives up. */
	autofree char *folder = path_join(path_run(), "ct");
	int r;

	if ((r = dir_make(folder, 0711, err)) < 0 || (r = task_check_cancelled(err)) < 0)
		return r;
	(void)chmod(folder, 0711);
	remove_stale_links(task, start);
	ct_spool_remove(task->guest); /* whatever ended before, it is being started now */
	if ((r = ct_child_run(task, start_child, start, START_TIMEOUT, err)) < 0) {
		ct_clean(task->guest);
		return r;
	}
	switch_links_off(task, start);
	if (ct_find_running(task->guest, &record))
		task_guest_state(task->guest, "running", record.pid);
	else
		task_warn(task, "the container stopped again at once");
	return 0;
}

int ct_start(struct task_ctx *task, struct err *err)
{
	struct start start = {0};
	int r;

	if ((r = ct_require_stopped(task->guest, err)) < 0)
		return r;
	ct_clean(task->guest);
	if ((r = prepare(task, &start, err)) == 0)
		r = run_start(task, &start, err);
	start_fini(&start);
	return r < 0 ? err_prefix(err, "start of CT %u", task->guest) : 0;
}
