/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading /proc and cgroup texts. The parsers are pure; text is NUL-terminated and ours or the
 * kernel's, numbers that are missing read as 0. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/buf.h"

/* "key value" or "key: value kB" lines: the number after key, 0 if absent. */
uint64_t proc_value(const char *text, const char *key);
/* /proc/PID/net/dev: received and sent bytes of all interfaces but lo. */
void proc_net_bytes(const char *text, uint64_t *ret_in, uint64_t *ret_out);
/* First line of /proc/stat, in ticks: at work, idle, and idle with I/O under way. */
struct proc_cpu {
	uint64_t busy, idle, wait;
};
bool proc_cpu_ticks(const char *text, struct proc_cpu *ret);
/* Of the time between the two: the shares at work and waiting for I/O, 0 to 1 together. false: no time went by. */
bool proc_cpu_shares(const struct proc_cpu *last, const struct proc_cpu *now, double *ret_busy,
		     double *ret_wait);
/* blkio.throttle.io_service_bytes (v1: "8:0 Read 123") or io.stat (v2: "8:0 rbytes=1 wbytes=2"). */
void proc_io_bytes(const char *text, uint64_t *ret_read, uint64_t *ret_written);
/* The path of the guest's own cgroup in a /proc/PID/cgroup text: for the v1 controller named, or v2
 * ("" for controller), cut behind the component that starts with "lxc.payload.". NULL if absent. Heap. */
char *proc_cgroup(const char *text, const char *controller);

/* Small files whole; false if they cannot be read. */
bool proc_read(struct buf *ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
uint64_t proc_read_u64(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
