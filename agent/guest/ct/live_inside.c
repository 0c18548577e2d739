/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings and programs inside a running container. Runs in jobs, in forked steps. */
#include "agent/guest/ct/live_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/lxc_exec.h"
#include "agent/guest/ct/rootdir.h"
#include "agent/guest/ct/setup.h"

#define STEP	 (30 * USEC_PER_SEC)
#define ASK_WAIT (20 * USEC_PER_SEC)

struct settings {
	pid_t init;
	const struct guest_config *config;
};

static int join(pid_t init, const char *name, int type, struct err *err)
{
	autofree char *path = xasprintf("/proc/%d/ns/%s", (int)init, name);
	autofree char *own = xasprintf("/proc/self/ns/%s", name);
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat a, b;

	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	if (fstat(fd, &a) == 0 && stat(own, &b) == 0 && a.st_ino == b.st_ino &&
	    a.st_dev == b.st_dev)
		return 0;
	return setns(fd, type) == 0 ? 1 : err_errno(err, errno, "enter %s", path);
}

/* As the container's root, below a descriptor of its root folder: a file that it made cannot lead anywhere else. The
 * mounts stay the node's, whose name servers and time zone are asked for as well. 1: networkd runs there. */
static int settings_step(struct task_ctx *task, void *ctx, struct err *err)
{
	const struct settings *settings = ctx;
	autofree char *path = xasprintf("/proc/%d/root", (int)settings->init);
	autofd int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (root < 0)
		return err_errno(err, errno, "open the container's root");
	if ((r = join(settings->init, "user", CLONE_NEWUSER, err)) < 0)
		return r;
	if (r > 0 && (setgroups(0, NULL) != 0 || setgid(0) != 0 || setuid(0) != 0))
		return err_errno(err, errno, "become the container's root");
	r = ct_setup_settings(task, root, settings->config, false, err);
	return r < 0 ? r : rootdir_exists(root, "/run/systemd/netif");
}

static bool wants_asking(const struct ct_net *net)
{
	return net &&
	       (str_eq(net->ip, "dhcp") || str_eq(net->ip6, "dhcp") || str_eq(net->ip6, "auto"));
}

/* The first that the system inside has; it may go on asking by itself after that. */
static int ask(struct task_ctx *task, const struct ct_net *net, struct err *err)
{
	const char *const reload[] = {"networkctl", "reload", NULL};
	const char *const networkctl[] = {"networkctl", "reconfigure", net->name, NULL};
	const char *const ifup[] = {"ifup", "--force", net->name, NULL};
	const char *const plain_ifup[] = {"ifup", net->name, NULL};
	const char *const udhcpc[] = {"udhcpc", "-b", "-t", "3", "-i", net->name, NULL};
	const char *const dhclient[] = {"dhclient", "-nw", net->name, NULL};
	const char *const *const ways[] = {ifup, plain_ifup, udhcpc, dhclient};
	int r;

	if (lxc_exec_run(task, task->guest, reload, ASK_WAIT, NULL) == 0 &&
	    lxc_exec_run(task, task->guest, networkctl, ASK_WAIT, err) == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if ((r = lxc_exec_run(task, task->guest, ways[i], ASK_WAIT, err)) == 0)
			return 0;
	return r;
}

/* Does networkd run inside? */
static bool write_settings(struct task_ctx *task, const struct ct_record *record,
			   const struct guest_config *config)
{
	struct settings settings = {.init = record->pid, .config = config};
	struct ct_rootfs rootfs = {0};
	struct err err = ERR_INIT;
	int r;

	/* as at its start: files of a root that nobody writes to are left alone */
	if (ct_config_rootfs(config, &rootfs, NULL) == 0 && rootfs.read_only)
		return false;
	r = ct_child_run(task, settings_step, &settings, STEP, &err);
	if (r < 0)
		task_warn(task, "settings inside: %s", err.message);
	return r > 0;
}

void ct_inside_network(struct task_ctx *task, const struct ct_record *record,
		       const struct guest_config *config, const struct ct_net *net)
{
	struct err err = ERR_INIT;

	(void)write_settings(task, record, config);
	if (wants_asking(net) && ask(task, net, &err) < 0)
		task_warn(task, "%s: the system inside did not take the change: %s", net->name,
			  err.message);
}

/* Where no networkd runs resolv.conf is what is read. */
void ct_inside_settings(struct task_ctx *task, const struct ct_record *record,
			const struct guest_config *config, bool dns)
{
	const char *const reload[] = {"networkctl", "reload", NULL};

	if (write_settings(task, record, config) && dns)
		(void)lxc_exec_run(task, task->guest, reload, ASK_WAIT, NULL);
}
