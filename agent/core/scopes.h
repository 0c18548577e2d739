/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A systemd scope for each job, so that jobs belong to no unit of ours: neither stopping the core's
 * unit nor its limits concern them. Asked for over the system bus and never waited for; without systemd,
 * or when the bus does not answer, jobs stay where they are (the core's unit has KillMode=process). */
#pragma once

#include <sys/types.h>
#include <systemd/sd-event.h>

struct scopes;

struct scopes *scopes_new(sd_event *event);
void scopes_free(struct scopes *scopes);
/* Moves a process that was just started into lodge-job-SERIAL.scope. */
void scopes_move(struct scopes *scopes, pid_t pid, const char *serial);
