/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host name, DNS and time zone of a running container. Runs in jobs. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/init_proc.h"
#include "agent/guest/ct/live.h"
#include "agent/guest/ct/live_inside.h"

#define STEP (10 * USEC_PER_SEC)

struct naming {
	const struct ct_record *record;
	const char *name;
};

/* In a forked step: the job keeps the node's name. */
static int name_step(struct task_ctx *task, void *ctx, struct err *err)
{
	const struct naming *naming = ctx;
	autofd int init = ct_init_open(naming->record, err);
	autofd int fd = init < 0 ? init : ct_init_foreign_namespace(init, "uts", err);

	(void)task;
	if (fd < 0)
		return fd;
	if (setns(fd, CLONE_NEWUTS) != 0 || sethostname(naming->name, strlen(naming->name)) != 0)
		return err_errno(err, errno, "set the host name");
	return 0;
}

static bool has(const char *const *keys, const char *key)
{
	for (; *keys; keys++)
		if (str_eq(*keys, key))
			return true;
	return false;
}

int ct_live_settings(struct task_ctx *task, const struct ct_record *record,
		     const struct guest_config *config, const char *const *keys, struct err *err)
{
	struct naming naming = {record, guest_config_get(config, "hostname")};
	int r = 0;

	if (has(keys, "hostname") && naming.name)
		r = ct_child_run(task, name_step, &naming, STEP, err);
	if (r < 0)
		return r;
	ct_inside_settings(task, record, config,
			   has(keys, "nameserver") || has(keys, "searchdomain"));
	return 0;
}
