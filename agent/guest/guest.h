/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kinds of guests have in common: one table of facts and functions a kind. API handlers and
 * the core are written against it; only the kind's own files know what its keys mean. Pure. */
#pragma once

#include <stdint.h>

#include "agent/base/param.h"
#include "agent/guest/config.h"
#include "agent/guest/pending.h"
#include "storage/volid/volid.h"

struct guest_key_privilege {
	const char *key;       /* "net[n]"; the entry without a key is for all others */
	const char *privilege; /* "VM.Config.Network" */
};

/* What one of its interfaces joins. */
struct guest_net {
	char bridge[16]; /* "": none */
	unsigned tag;	 /* 0: none */
	char trunks[256]; /* "5;7", or "" */
};

/* What a configuration promises the guest, for lists. Bytes. */
struct guest_shape {
	unsigned cores; /* 0: all of the node's */
	uint64_t memory, swap, disk;
};

struct guest_kind_ops {
	const char *name;	 /* in paths: "lxc" */
	const char *label;	 /* in messages: "CT" */
	const char *noun;	 /* in messages: "container" */
	const char *task_prefix; /* "vz": vzstart, vzstop, … */
	const char *name_key;	 /* key of the guest's name: "hostname" */
	bool has_swap;		 /* lists show swap of its own */
	bool is_machine;	 /* lists show the state of its emulator */
	const struct param *params;
	const char *const *live_keys;	  /* change at once even while running */
	const char *const *fixed_keys;	  /* chosen at creation, never changed */
	const char *const *required_keys; /* may not be deleted */
	const struct guest_key_privilege *privileges;
	/* What a value of a key needs in place of that, NULL: nothing else; NULL for all. */
	const char *(*value_privilege)(const char *key, const char *value);
	/* false: the key is no interface, or its value is none that would be stored. */
	bool (*net_read)(const char *key, const char *value, struct guest_net *ret);
	const char *const *volume_keys; /* whose values name volumes in use; unused[n] comes beside them */
	enum volume_content content;	/* of these volumes */
	/* Completes values of a change before it is applied: generated addresses, kept volumes.
	 * config is the configuration before. ERR_INVALID or ERR_UNSUPPORTED with the field. */
	int (*change_complete)(const struct guest_config *config, struct fields *set,
			       struct err *err);
	/* What follows from a change that was applied; NULL: nothing. An error refuses the change. */
	int (*change_follow)(struct guest_config *before, struct guest_config *after,
			     struct err *err);
	/* Fills in what a new guest needs: addresses, ids, a name; then checks that its keys fit together. */
	int (*complete)(struct guest_config *config, unsigned vmid, struct err *err);
	/* Do the keys fit together? Called for every configuration before it is stored. */
	int (*check)(const struct guest_config *config, struct err *err);
	/* Replaces the raw settings; NULL: the kind has none. */
	int (*raw_set)(struct guest_config *config, const char *text, struct err *err);
	void (*shape)(const struct guest_config *config, struct guest_shape *ret);
};

extern const struct guest_kind_ops guest_kind_ct;
extern const struct guest_kind_ops guest_kind_vm;

/* The kind whose routes start with "/nodes/{node}/NAME"; NULL if none. */
const struct guest_kind_ops *guest_kind_by_route(const char *path);
/* "VM.Config.Memory" for "memory". */
const char *guest_key_privilege(const struct guest_kind_ops *ops, const char *key);
/* "VM.Config.CDROM" for "ide2" with "none,media=cdrom". */
const char *guest_value_privilege(const struct guest_kind_ops *ops, const char *key,
				  const char *value);
/* The guest's name, or "CT101" in buffer. */
const char *guest_display_name(const struct guest_kind_ops *ops, const struct guest_config *config,
			       unsigned vmid, char *buffer, size_t size);
/* Is name in the NULL-terminated list? An entry "net[n]" stands for net0, net1, … */
bool guest_key_is_in(const char *const *list, const char *name);
