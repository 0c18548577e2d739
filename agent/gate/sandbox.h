/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the gate gives up before it reads its first byte from the network. Layers, each with a test that
 * fails without it:
 *   view      started by root: empty network and IPC namespaces (the listening socket stays in the
 *             node's), and a root folder that is path_run(): of all Unix sockets only the node's own
 *             are in sight
 *   user      another uid and gid, no groups, no capabilities, no processes, no core dumps
 *   landlock  file system: two folders, read-only; no TCP bind or connect, no abstract sockets and
 *             signals outside (what the kernel has of it)
 *   seccomp   an allow-list of system calls; sockets of family AF_UNIX only, no writable opens but by
 *             openat2, no executable memory; exec, ptrace, mount and their like end the process */
#pragma once

#include <pwd.h>
#include <stdbool.h>

#include "agent/base/err.h"

enum sandbox_layer {
	SANDBOX_VIEW = 1u,
	SANDBOX_USER = 2u,
	SANDBOX_LANDLOCK = 4u,
	SANDBOX_SECCOMP = 8u,
};

#define SANDBOX_READABLE_MAX 2

struct sandbox {
	const char *user;		    /* to become when started by root */
	int readable[SANDBOX_READABLE_MAX]; /* folders, borrowed; -1: none */
};

/* *ret_core_path: the core's socket as seen from inside, static. */
int sandbox_enter(const struct sandbox *sandbox, const char **ret_core_path, struct err *err);

/* ---- the layers ---- */

/* *ret_inside: whether path_run() is the root now. */
int sandbox_view(bool *ret_inside, struct err *err);
/* pw: whom to become, NULL: nobody else. */
int sandbox_user(const struct passwd *pw, struct err *err);
int sandbox_landlock(const int *readable, struct err *err);
int sandbox_seccomp(struct err *err);
