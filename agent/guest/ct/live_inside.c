/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings and programs inside a running container. Runs in jobs, in forked steps. */
#include "agent/guest/ct/live_inside.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/init_proc.h"
#include "agent/guest/ct/lxc_exec.h"
#include "agent/guest/ct/rootdir.h"
#include "agent/guest/ct/setup.h"

#define STEP	 (30 * USEC_PER_SEC)
#define ASK_WAIT (20 * USEC_PER_SEC)

struct settings {
	const struct ct_record *record;
	const struct guest_config *config;
};

/* 1: it has a user namespace of its own, in which this process is root now. */
static int join(int init, struct err *err)
{
	autofd int fd = ct_init_namespace(init, "user", err);

	if (fd < 0 || ct_init_is_own("user", fd))
		return fd < 0 ? fd : 0;
	if (setns(fd, CLONE_NEWUSER) != 0)
		return err_errno(err, errno, "enter the container's user namespace");
	if (setgroups(0, NULL) != 0 || setgid(0) != 0 || setuid(0) != 0)
		return err_errno(err, errno, "become the container's root");
	return 1;
}

/* Files of anybody are written, and nothing else: no nodes made, nothing mounted. */
static int keep_file_rights(struct err *err)
{
	static const unsigned kept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		data[CAP_TO_INDEX(kept[i])].permitted |= CAP_TO_MASK(kept[i]);
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		data[i].effective = data[i].permitted;
	return syscall(SYS_capset, &header, data) == 0 ? 0
						       : err_errno(err, errno, "give rights up");
}

/* As the container's root, below a descriptor of its root folder: a file that it made cannot lead anywhere else. The
 * mounts stay the node's, whose name servers and time zone are asked for as well. 1: networkd runs there. */
static int settings_step(struct task_ctx *task, void *ctx, struct err *err)
{
	const struct settings *settings = ctx;
	autofd int init = ct_init_open(settings->record, err);
	autofd int root = init < 0 ? init : ct_init_root(settings->record, err);
	int r;

	if (root < 0)
		return root;
	if ((r = join(init, err)) < 0 || (r = keep_file_rights(err)) < 0)
		return r;
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
	struct settings settings = {.record = record, .config = config};
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
