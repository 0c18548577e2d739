/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Index of all guests of the cluster, kept by subscription to /nodes/: parsed configurations, so
 * that lists need no parsing per request. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/guest/config.h"

struct core;
struct guests;

enum guest_kind { GUEST_LXC, GUEST_QEMU };

struct guest {
	unsigned vmid;
	enum guest_kind kind;
	char node[64];
	uint64_t version;	     /* of the config in the store */
	uint64_t born;		     /* the first version of it that this core saw (guest_mark.h) */
	struct guest_config *config; /* owned by the index */
	bool config_is_bad;	     /* stored text does not parse: shown, not startable */
};

struct guests *guests_new(struct core *core); /* its facts and store are there */
void guests_free(struct guests *guests);
const struct guest *guests_find(const struct guests *guests, unsigned vmid);
/* In order of vmid; after 0 starts; NULL at the end. */
const struct guest *guests_next(const struct guests *guests, unsigned after);
/* Called after each change of the configuration of (kind, vmid), its removal included: guests_find()
 * tells which. At most GUESTS_LISTENERS, for good. */
#define GUESTS_LISTENERS 4
typedef void (*guests_changed_fn)(enum guest_kind kind, unsigned vmid, void *ctx);
void guests_on_change(struct guests *guests, guests_changed_fn fn, void *ctx);
uint64_t guests_generation(const struct guests *guests); /* changes with every change */
const char *guest_kind_name(enum guest_kind kind);	 /* "lxc", "qemu" */
char *guest_config_path(const char *node, enum guest_kind kind, unsigned vmid); /* heap */
/* "/nodes/NODE/KIND/VMID.conf" into node, kind and vmid; false for every other path. */
bool guest_config_path_parse(const char *path, struct guest *ret);
