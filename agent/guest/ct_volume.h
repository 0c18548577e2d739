/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What root volume and mount points have in common. Private to ct_*.c. */
#pragma once

#include "agent/base/fields.h"
#include "agent/guest/ct_schema.h"

#define CT_GIB ((uint64_t)1 << 30)
#define CT_MIB ((uint64_t)1 << 20)

struct ct_volume_options {
	bool read_only, discard, quota;
	enum ct_acl acl;
	unsigned long flags;
};

void ct_volume_options(const struct fields *f, struct ct_volume_options *ret);
/* size=8G of the fields in bytes; 0: there is none. */
int ct_volume_size(const struct fields *f, const char *key, uint64_t *ret, struct err *err);
/* All but volume and size in the stored form; f loses the two. */
int ct_volume_rest(const struct param *keys, struct fields *f, const char *key, char *ret,
		   size_t size, struct err *err);
/* Is it "local:8" or "8" (GiB)? storage: filled where one is named. */
bool ct_volume_is_request(const char *volume, char storage[101], double *ret_gib);
int ct_volume_request_size(const char *key, double gib, uint64_t *ret, struct err *err);
