/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which backups of a guest are kept. Pure; hours, days, weeks and so on are the node's local ones. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "agent/base/err.h"
#include "storage/volid/volid.h"

enum prune_mark { PRUNE_KEEP, PRUNE_REMOVE, PRUNE_PROTECTED, PRUNE_RENAMED };

struct prune_backup {
	char volid[VOLID_MAX];
	char type[8]; /* "lxc", "qemu", or "" where the name does not say */
	unsigned vmid;
	uint64_t ctime; /* that of the name: files are copied and touched */
	bool is_protected;
	enum prune_mark mark; /* the answer */
};

/* What the name of a backup says; false: it was renamed. */
bool prune_name_parse(const struct volid *volume, struct prune_backup *ret);
/* rule: "keep-last=3,keep-daily=7"; NULL, empty or keep-all: all are kept. Sorts by guest, newest first. Protected
 * and renamed ones are kept and do not count. */
int prune_mark(const char *rule, struct prune_backup *backups, size_t count, struct err *err);
const char *prune_mark_name(enum prune_mark mark); /* "keep", "remove", "protected", "renamed" */
