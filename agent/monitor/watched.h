/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One guest under watch: its process and, of a machine, what libvirtd says. guests.c and its parts only. */
#pragma once

#include "agent/base/list.h"
#include "agent/monitor/guest_sample.h"
#include "agent/monitor/machines.h"

struct watched {
	struct list node;
	struct guests_watch *owner;
	unsigned vmid;
	bool is_machine;
	pid_t pid; /* 0: not known */
	uint64_t pid_start;
	uint64_t started; /* wall clock, s */
	int pidfd;
	sd_event_source *exit;
	struct guest_sample last;
	enum domain_state domain; /* of machines */
	unsigned odd;		  /* answers in a row that did not agree with the process */
	bool is_listed;		  /* by the list that is being taken */
};

struct guests_watch {
	struct monitor *monitor;
	char *folder; /* of run records */
	sd_event_source *changes;
	struct list guests;
	bool is_incomplete; /* a record, or its process, could not be looked at: the next sample does */
};

struct watched *watched_find(struct guests_watch *w, unsigned vmid);
struct watched *watched_new(struct guests_watch *w, unsigned vmid, bool is_machine);
void watched_free(struct watched *g);
/* Follows a process until it ends; ERR_NOT_FOUND when it is not there, or another one by now. Other errors say
 * nothing about it: a descriptor may be lacking. */
int watched_set_process(struct watched *g, pid_t pid, uint64_t pid_start, struct err *err);
bool watched_is_living(const struct watched *g); /* its process is known and there */
/* Its state and, where it runs, its figures; nothing while libvirtd is being asked. */
void watched_tell(struct watched *g);
/* Part of a list: unknown while libvirtd is being asked. */
void watched_tell_listed(struct watched *g);
/* State "stopped" or "unknown"; reason may be "". status: of its process, as from wait(), where that is its reason. */
struct watched_end {
	const char *state, *reason;
	int status;
};
void watched_tell_end(struct guests_watch *w, unsigned vmid, bool is_machine,
		      const struct watched_end *end);
