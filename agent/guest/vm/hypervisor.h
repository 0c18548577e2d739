/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one place that calls libvirt. Every call runs in a thread of its own and is given up at the link's
 * deadline or when the job is cancelled: a stopped libvirtd hangs no job. Errors:
 *
 *   ERR_UNAVAILABLE  libvirtd is not there, nor within 3 s: certainly not done
 *   ERR_UNKNOWN      no answer in time, or the connection broke: it may be done now, later or never.
 *                    Nothing can be called on that link any more.
 *   others           libvirt's own refusal, with its text
 *
 * Runs in jobs. */
#pragma once

#include "agent/base/clock.h"
#include "agent/base/err.h"

enum hv_state {
	HV_ABSENT,  /* or only a definition that does not run */
	HV_RUNNING, /* or stopped by itself: an I/O error, asleep */
	HV_PAUSED,  /* before its first instruction, or by hand */
	HV_ENDING,
};

struct hv; /* lives until the process ends: closing could hang, too */

int hv_open(usec_t deadline, struct hv **ret, struct err *err);
void hv_set_deadline(struct hv *hv, usec_t deadline);
int hv_look(struct hv *hv, const char *name, enum hv_state *ret, struct err *err);
/* A transient domain, paused before its first instruction. ERR_BUSY: one of this name may still be on its way
 * out, though hv_look() does not see it any more. */
int hv_create_paused(struct hv *hv, const char *xml, struct err *err);
/* These are ERR_NOT_FOUND when there is no such domain. */
int hv_resume(struct hv *hv, const char *name, struct err *err);
int hv_destroy(struct hv *hv, const char *name, struct err *err);
int hv_reset(struct hv *hv, const char *name, struct err *err);
/* Asks the guest's agent where one listens, else presses the power button. */
int hv_shutdown(struct hv *hv, const char *name, struct err *err);
/* path: of the image, as the machine was made with it; size in bytes, only upwards. */
int hv_resize_disk(struct hv *hv, const char *name, const char *path, unsigned long long size,
		   struct err *err);
/* XML text (heap): what libvirtd has, and whom its emulators run as (emulator.h). */
int hv_capabilities(struct hv *hv, char **ret, struct err *err);
/* A connection to its first VNC server, without a password; the caller's. */
int hv_open_graphics(struct hv *hv, const char *name, int *ret_fd, struct err *err);
