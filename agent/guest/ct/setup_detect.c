/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kind of system lives in a root. Runs in jobs, in forked steps. */
#include "agent/guest/ct/setup.h"

#include <signal.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/rootdir.h"

static bool link_names(int root, const char *path, const char *word)
{
	char target[4096];

	rootdir_read_link(root, path, target, sizeof(target));
	return strstr(target, word) != NULL;
}

enum ct_init ct_init_detect(int root)
{
	if (link_names(root, "/sbin/init", "systemd"))
		return CT_INIT_SYSTEMD;
	if (link_names(root, "/sbin/init", "busybox"))
		return CT_INIT_BUSYBOX;
	return CT_INIT_OTHER;
}

/* busybox's init powers off at SIGUSR2; SIGPWR is what sysvinit and OpenRC's own init expect. */
int ct_init_halt_signal(enum ct_init init)
{
	if (init == CT_INIT_SYSTEMD)
		return SIGRTMIN + 3;
	return init == CT_INIT_BUSYBOX ? SIGUSR2 : SIGPWR;
}
