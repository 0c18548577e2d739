/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's configuration as liblxc's configuration items. Pure: facts about the host are passed in. */
#pragma once

#include <stdbool.h>

#include "agent/guest/config.h"
#include "agent/guest/ct/cgroup.h"
#include "agent/guest/ct/idmap.h"
#include "agent/guest/ct_schema.h"

struct ct_host {
	struct cgroup_layout cgroups;
	struct ct_idmap idmap; /* used when the container is unprivileged */
	unsigned cpus;
	char cpuset[256];	  /* processors for `cores`; "" for all */
	const char *hook_program; /* lodge-task-ct */
	const char *lxcfs_hook;	  /* NULL: lxcfs is not mounted */
	const char *seccomp;	  /* profile, or NULL */
	bool has_apparmor;	  /* enabled, and profiles can be generated */
};

struct ct_items {
	const struct guest_config *config;
	const struct ct_host *host;
	unsigned vmid;
	const char *rootfs;	      /* where the root is mounted */
	const struct fields *devices; /* rules for its dev[n]: "c 10:229 rwm"; NULL: none */
	bool denies_devices;	      /* one of them denies something */
	int halt_signal;
	const char *start; /* name of this start: its hooks obey its plan alone (CT_PLAN_SUFFIX) */
};

/* common.seccomp with what the features change; "" when nothing does. Pure. */
void ct_seccomp_text(const char *base, const struct ct_features *features, bool is_unprivileged,
		     struct buf *out);
/* Items in order; warnings as in cgroup.h. */
int ct_items_build(const struct ct_items *in, struct fields *ret, struct fields *warnings,
		   struct err *err);
/* Do they say which devices it may use? */
bool ct_items_name_devices(const struct fields *items);
bool ct_is_unprivileged(const struct guest_config *config);
/* Host side of the interfaces, separated by spaces: "veth101i0 veth101i1" (heap). */
char *ct_veth_names(const struct ct_net *nets, size_t count, unsigned vmid);
void ct_host_read(struct ct_host *ret); /* all but idmap; host.c */
