/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts a container: configuration, checks, then mount and liblxc in a forked step (start_child.c). Runs in
 * jobs. */
#include "agent/guest/ct/start.h"

#include <net/if.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/hookscript.h"
#include "agent/guest/ct/mend.h"
#include "agent/guest/ct/veth.h"
#include "agent/guest/ct/volume.h"
#include "agent/guest/pending.h"
#include "agent/guest/volumes.h"

#define START_TIMEOUT (120 * USEC_PER_SEC)
#define MERGE_TRIES   5

static void start_fini(struct start *start)
{
	guest_config_fini(&start->config);
	buf_fini(&start->volume);
	buf_fini(&start->script);
	ct_devices_fini(&start->devices);
	strv_free(start->mp_paths);
	free(start->nets);
	free(start->mps);
}

/* [PENDING] becomes what counts; a volume that loses its mount point so is unused from now on. */
static int merge_pending(struct guest_config *config, bool *ret_changed, struct err *err)
{
	struct guest_config before __attribute__((cleanup(guest_config_fini)));

	guest_config_copy(&before, config);
	*ret_changed = config_pending_merge(config);
	return *ret_changed ? ct_volumes_keep(&before, config, err) : 0;
}

/* The configuration that this start uses is the stored one: [PENDING] is merged in the store first,
 * and a change in between makes us read again. */
static int read_config(struct task_ctx *task, struct guest_config *ret, struct err *err)
{
	for (int i = 0;; i++) {
		struct guest_config config;
		const char *lock;
		uint64_t version;
		bool is_changed = false;
		int r = task_config_get(task, "lxc", &config, &version, err);

		if (r < 0)
			return r;
		if ((lock = guest_config_get(&config, "lock")) && !ct_bool_arg(task, "skiplock"))
			r = err_set(err, ERR_BUSY, "CT is locked (%s)", lock);
		else if (ct_config_flag(&config, "template"))
			r = err_set(err, ERR_BUSY, "CT %u is a template", task->guest);
		else
			r = merge_pending(&config, &is_changed, err);
		if (r == 0 && is_changed)
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
		if ((net->tag || net->trunks[0]) && !veth_bridge_has_vlans(net->bridge))
			return err_set(
				err, ERR_UNSUPPORTED,
				"net%u: %s needs a bridge that knows VLANs, and '%s' does not",
				net->index, net->tag ? "tag" : "trunks", net->bridge);
	}
	return 0;
}

static int find_volumes(struct task_ctx *task, struct start *start, struct err *err)
{
	int r = ct_config_mps(&start->config, &start->mps, &start->mp_count, err);

	if (r < 0)
		return r;
	start->mp_paths = xcalloc(start->mp_count + 1, sizeof(*start->mp_paths));
	for (size_t i = 0; i < start->mp_count; i++) {
		autobuf path = BUF_INIT;

		if ((r = ct_mp_path(task, &start->mps[i], &path, err)) < 0)
			return r;
		start->mp_paths[i] = buf_steal(&path);
	}
	return 0;
}

static int mend_volumes(struct task_ctx *task, const struct start *start, struct err *err)
{
	int r = start->rootfs.read_only ? 0 : ct_mend(task, start->volume.data, err);

	if (r < 0)
		return err_prefix(err, "rootfs");
	for (size_t i = 0; i < start->mp_count; i++) {
		const struct ct_mp *mp = &start->mps[i];

		if (!mp->read_only && !mp->is_folder && ct_mend(task, start->mp_paths[i], err) < 0)
			return err_prefix(err, "mp%u", mp->index);
	}
	return 0;
}

static void choose_cpus(const struct task_ctx *task, struct start *start)
{
	const char *text = guest_config_get(&start->config, "cores");
	autobuf cpus = BUF_INIT;
	uint64_t cores = 0;

	if (text && str_to_u64(text, &cores) && cores < CG_CPUS_MAX)
		cpuset_for(&start->host.cgroups, task->guest, (unsigned)cores, &cpus);
	(void)str_copy(start->host.cpuset, sizeof(start->host.cpuset), buf_str(&cpus));
}

static int prepare(struct task_ctx *task, struct start *start, struct err *err)
{
	int r;

	if ((r = read_config(task, &start->config, err)) < 0)
		return r;
	if ((r = guest_volumes_check_start(&guest_kind_ct, &start->config, err)) < 0 ||
	    (r = ct_config_rootfs(&start->config, &start->rootfs, err)) < 0 ||
	    (r = ct_config_nets(&start->config, &start->nets, &start->net_count, err)) < 0 ||
	    (r = check_networks(start, err)) < 0 ||
	    (r = ct_config_features(&start->config, &start->features, err)) < 0 ||
	    (r = ct_devices_read(&start->config, &start->devices, err)) < 0 ||
	    (r = find_volumes(task, start, err)) < 0 ||
	    (r = ct_hookscript_path(task, &start->config, &start->script, err)) < 0)
		return r;
	task_guest_notices(&start->config);
	ct_host_read(&start->host);
	choose_cpus(task, start);
	start->is_debug = ct_bool_arg(task, "debug") || ct_config_flag(&start->config, "debug");
	if (ct_is_unprivileged(&start->config) &&
	    (r = ct_idmap_read(&start->config, &start->host.idmap, err)) < 0)
		return r;
	return ct_volume_path(task, start->rootfs.volume, &start->volume, err);
}

#define LOG_SHOWN (256 * 1024)

/* liblxc's own words, for whoever asked for them. */
static void show_log(unsigned vmid)
{
	autofree char *path = path_join(path_run(), "ct/%u.log", vmid);
	autobuf text = BUF_INIT;

	(void)file_read(path, LOG_SHOWN, &text, NULL);
	autostrv char **lines = str_split(buf_str(&text), "\n");

	for (char **line = lines; *line; line++)
		task_log("%s", *line);
}

/* link_down, rate: what liblxc knows nothing of. */
static void finish_links(struct task_ctx *task, const struct start *start)
{
	for (size_t i = 0; i < start->net_count; i++) {
		autofree char *name = xasprintf("veth%ui%u", task->guest, start->nets[i].index);
		struct err err = ERR_INIT;

		if (start->nets[i].link_down && veth_set_down(name, &err) < 0)
			task_warn(task, "net%u: link_down: %s", start->nets[i].index, err.message);
		if (start->nets[i].rate > 0 && veth_set_rate(name, start->nets[i].rate, &err) < 0)
			task_warn(task, "net%u: rate is not enforced: %s", start->nets[i].index,
				  err.message);
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

static void warn_stopped(struct task_ctx *task)
{
	autobuf reason = BUF_INIT;

	task_guest_reason(task->guest, &reason);
	task_warn(task, "the container stopped again at once%s%s", reason.size ? ": " : "",
		  buf_str(&reason));
}

static int run_start(struct task_ctx *task, struct start *start, struct err *err)
{
	struct ct_record record;
	/* The container's root must be able to pass through liblxc's folder, or liblxc gives up. */
	autofree char *folder = path_join(path_run(), "ct");
	const char *script = start->script.size ? buf_str(&start->script) : "";
	struct err why = ERR_INIT;
	int r;

	if ((r = dir_make(folder, 0711, err)) < 0 || (r = task_check_cancelled(err)) < 0)
		return r;
	(void)chmod(folder, 0711);
	remove_stale_links(task, start);
	ct_spool_remove(task->guest); /* whatever ended before, it is being started now */
	if ((r = ct_hookscript_run(script, task->guest, "pre-start", err)) < 0)
		return r;
	r = ct_child_run(task, ct_start_child, start, START_TIMEOUT, err);
	if (start->is_debug)
		show_log(task->guest);
	if (r < 0) {
		ct_clean(task->guest);
		return r;
	}
	finish_links(task, start);
	if (ct_find_running(task->guest, &record))
		task_guest_state(task->guest, "running", record.pid);
	else
		warn_stopped(task);
	if (ct_hookscript_run(script, task->guest, "post-start", &why) < 0)
		task_warn(task, "%s", why.message);
	return 0;
}

int ct_start(struct task_ctx *task, struct err *err)
{
	struct start start = {0};
	/* of one that ended by itself a moment ago */
	bool is_ending = ct_monitor_read(task->guest, &(struct ct_record){0}, NULL) == 0;
	int r = is_ending ? ct_require_settled(task, err) : ct_require_stopped(task->guest, err);

	if (r < 0)
		return r;
	ct_clean(task->guest);
	if ((r = prepare(task, &start, err)) == 0 && (r = mend_volumes(task, &start, err)) == 0)
		r = run_start(task, &start, err);
	start_fini(&start);
	if (r < 0 && err && err->field[0])
		err_prefix(err, "%s", err->field);
	return r < 0 ? err_prefix(err, "start of CT %u", task->guest) : 0;
}
