/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run records, path_run()/guests/VMID: what is known of a running guest between processes. All have pid and
 * pid_start (of its first process), boot, kind ("lxc", "qemu"), started (wall clock, s); a kind's own fields
 * come with it. The monitor reads them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/err.h"
#include "agent/base/fields.h"

struct task_record {
	pid_t pid;
	uint64_t pid_start; /* clock ticks since boot */
	uint64_t started;
};

/* own: the kind's fields, or NULL. */
int task_record_write(unsigned vmid, const char *kind, const struct task_record *record,
		      const struct fields *own, struct err *err);
/* Appends all of its fields to ret_all. ERR_NOT_FOUND when there is none or it is of another boot. Says nothing
 * about being alive. */
int task_record_read(unsigned vmid, struct task_record *ret, struct fields *ret_all,
		     struct err *err);
bool task_record_is_alive(const struct task_record *record);
void task_record_remove(unsigned vmid);
/* A number of a record; 0 if absent. */
uint64_t task_record_number(const struct fields *f, const char *name);
/* A file of fields beside the record: path_run()/guests/VMID + suffix. */
int task_record_write_beside(unsigned vmid, const char *suffix, const struct fields *f,
			     struct err *err);
void task_record_remove_beside(unsigned vmid, const char *suffix);
