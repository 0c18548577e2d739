/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures of one running virtual machine, from its emulator's /proc and its taps. */
#pragma once

#include "agent/monitor/guest_sample.h"

/* As guest_sample_take(). What the guest uses of its disks is not known from outside. */
void machine_sample_take(unsigned vmid, pid_t pid, uint64_t started, struct guest_sample *last,
			 struct fields *ret);
/* utime and stime in ticks, of a /proc/PID/stat text; 0 if malformed. Pure. */
uint64_t machine_cpu_ticks(const char *stat);
