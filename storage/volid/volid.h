/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volume ids: "local:101/vm-101-disk-0.raw", "local:vztmpl/debian.tar.zst". A linked clone names its base
 * first: "local:100/base-100-disk-0.qcow2/101/vm-101-disk-0.qcow2". Pure. */
#pragma once

#include <stdbool.h>

#include "agent/base/err.h"
#include "agent/base/fields.h"

#define VOLID_MAX 512

enum volume_content {
	VOLUME_IMAGES,	/* guest disk, "VMID/vm-VMID-…" */
	VOLUME_ROOTDIR, /* container root or mount point, same names */
	VOLUME_ISO,
	VOLUME_VZTMPL,
	VOLUME_SNIPPETS,
	VOLUME_IMPORT,
	VOLUME_BACKUP,
};

struct volid {
	char storage[101];
	char name[VOLID_MAX]; /* after the colon */
	enum volume_content content;
	unsigned vmid;	 /* owner of a guest volume, else 0 */
	char file[256];	 /* last component */
	char format[16]; /* raw, qcow2, subvol, iso, tzst, tgz, txz, … */
	char base[280];	 /* of a linked clone: name of its base volume, else "" */
};

/* Only names that Lodge could have made: no "..", no hidden files, bounded characters. */
int volid_parse(const char *text, struct volid *ret, struct err *err);
/* The base of a linked clone, on the same storage; ERR_NOT_FOUND: it is none. */
int volid_base(const struct volid *clone, struct volid *ret, struct err *err);
/* Do both name one volume? A linked clone has two names, with its base and without, and one file. Content is not looked
 * at: an image does not tell it. */
bool volid_same(const struct volid *a, const struct volid *b);
/* The same of texts; what is no volume id is compared as it stands. */
bool volid_text_same(const char *a, const char *b);
/* Among volume ids as names of fields, under either name; NULL: it is none of them. */
const struct field *volid_find(const struct fields *volids, const char *volid);
/* "base-VMID-…": the unchanging volume of a template. */
bool volume_is_base(const struct volid *volume);
/* What follows in the name of a guest's volume that is being made ("vm-101-copying+OWNER…"), or NULL. Such a name is
 * nobody's to choose: it is not listed, and swept once its maker is gone. */
#define VOLUME_COPY_MARK "-copying+"
const char *volume_copy_owner(const char *file);
const char *volume_content_name(enum volume_content content); /* "vztmpl" */
int volume_content_from_name(const char *name, enum volume_content *ret, struct err *err);
/* Checks a file name for an upload of this content type (suffixes as in the contract). */
int volume_file_check(enum volume_content content, const char *file, struct err *err);
/* The name that an upload gets for what its sender calls it: without folders, and '_' for each character that such names
 * do not have. Says nothing about being valid. */
void volume_file_normal(const char *name, char ret[256]);
