/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UPID: the name of a task, "UPID:node:PID:PSTART:STARTTIME:type:id:user:" with hexadecimal
 * numbers of 8 digits (PSTART up to 9), as in the Proxmox VE API. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "agent/base/err.h"

#define UPID_MAX	   512
#define UPID_PID_START_MAX 0xfffffffffu /* nine digits */

struct upid {
	char node[64];
	pid_t pid;
	uint64_t pid_start;  /* clock ticks since boot */
	uint64_t start_time; /* wall clock, seconds */
	char type[32];	     /* vzcreate, vzstart, imgdel, … */
	char id[128];	     /* guest or volume, may be "" */
	char user[160];	     /* user@realm, may be user@realm!token */
};

/* Bytes that the other parts leave for the id. */
size_t upid_id_room(const struct upid *upid);
/* Text form; the parts must be valid (checked, ERR_INVALID otherwise). */
int upid_format(const struct upid *upid, char ret[UPID_MAX], struct err *err);
int upid_parse(const char *text, struct upid *ret, struct err *err);
