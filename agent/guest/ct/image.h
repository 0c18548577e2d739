/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers from images that say what is to run in them, instead of an init. Runs in jobs. */
#pragma once

#include "agent/guest/ct/setup.h"
#include "agent/task/task.h"

/* What the image at path says goes into the configuration, where that says nothing: entrypoint, env, and the working
 * folder, user and group of init. A template that is no image changes nothing. */
int ct_image_config(struct task_ctx *task, const char *path, struct guest_config *config,
		    struct err *err);
/* A command line's words; "…" or '…' around a whole word keeps it together, and nothing escapes. strv_free(). */
char **ct_command_words(const char *line);
/* What asks it to end: its init's own signal, or SIGTERM for a program that is none. */
int ct_halt_signal(const struct guest_config *config, enum ct_init init);
