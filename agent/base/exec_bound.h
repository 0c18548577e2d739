/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that ends with the process that runs it. Private to exec*.c. */
#pragma once

#include "agent/base/exec.h"

/* As exec_spawn() with dies_with_us; program: absolute path. 0, or the errno of what failed. */
int exec_bound_start(const char *program, const struct exec_spawn *spec, const char *const *env,
		     pid_t *ret_pid);
