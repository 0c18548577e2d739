/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One libvirt call with a deadline: a detached thread makes it, the job's own waits for its word. Who comes last
 * frees the call; a call given up is left to its thread, which the job's end takes along. */
#pragma once

#include <libvirt/libvirt.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "agent/guest/vm/hypervisor.h"

struct hv {
	virConnectPtr conn;
	usec_t deadline;
	bool is_lost; /* a call was given up */
};

struct hv_call {
	atomic_int users;
	int done; /* eventfd */
	int (*run)(struct hv_call *call);
	virConnectPtr conn;
	char *text; /* name or XML, or what run says */
	enum hv_state state;
	int fd; /* owned; -1: none */
	int r;
	struct err err;
};

/* Calls run in a thread and waits for it until hv's deadline. On success *ret is to be given back by
 * hv_call_unref(). ERR_UNKNOWN: nobody knows whether it was done, and hv takes no further call. */
int hv_call_make(struct hv *hv, int (*run)(struct hv_call *call), const char *text,
		 struct hv_call **ret, struct err *err);
/* The same for a call of which only the success is wanted. */
int hv_call_simple(struct hv *hv, int (*run)(struct hv_call *call), const char *text,
		   struct err *err);
void hv_call_unref(struct hv_call *call);
