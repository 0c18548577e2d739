/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers: `lodge-task helper NAME`, short questions of the core that may block. Arguments are encoded
 * fields on descriptor 0, the answer goes to descriptor 1. The core kills a helper at its deadline. */
#pragma once

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"

/* Appends the answer (mostly one JSON document) to out. On failure out is thrown away and the error
 * goes out as the line "CODE FIELD message". */
typedef int (*helper_fn)(const struct fields *args, struct buf *out, struct err *err);

struct helper_entry {
	const char *name;
	helper_fn run;
};

/* Runs the helper that name names, with descriptors 0 and 1; returns the exit code. */
int helper_main(const struct helper_entry *table, const char *name);

/* A storage's definition travels as storage_def_encode() writes it. Sizes are bytes, decimal. */

/* {"active","total","used","avail"} */
int helper_storage_status(const struct fields *args, struct buf *out, struct err *err);
/* The contract's array of content. Optional args: content, vmid, containers (ids "100,101" whose
 * volumes count as rootdir; without it a guest volume matches both images and rootdir). */
int helper_storage_content(const struct fields *args, struct buf *out, struct err *err);
/* args: volid. {"path","format","size","used","content","ctime","vmid"} */
int helper_storage_info(const struct fields *args, struct buf *out, struct err *err);
/* args: volid, notes, protected (1 or 0), the last two as far as they change; owner: the caller owns the storage
 * and may protect any number unless the definition says how many. No answer. */
int helper_storage_attributes(const struct fields *args, struct buf *out, struct err *err);
/* args, all optional: prune-backups (else the definition's), vmid, backup-type (lxc, qemu). The contract's list of
 * {"volid","ctime","mark","type","vmid"} */
int helper_prune(const struct fields *args, struct buf *out, struct err *err);
/* args: vmid, size, and optional format, name (of the file) and content (images, or rootdir where the
 * storage has no images). The new volume id as a JSON string. A volume with a name has it once it is complete. */
int helper_storage_alloc(const struct fields *args, struct buf *out, struct err *err);
/* args (all optional): name and address, each repeated; by default the host's own.
 * {"ca","certificate","fingerprint"}, the first two "created", "renewed" or "kept". */
int helper_tls_init(const struct fields *args, struct buf *out, struct err *err);
