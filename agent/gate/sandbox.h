/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the gate gives up before it reads its first byte from the network. Three layers, each of which
 * alone already stops most of what a captured process would try:
 *   user     another uid and gid, no groups, no capabilities, no new privileges
 *   landlock file system: only the web files and the TLS folder, read-only; no TCP bind or connect
 *            (where the kernel has it; the log says which)
 *   seccomp  an allow-list of system calls; no exec, no ptrace, sockets of family AF_UNIX only */
#pragma once

#include "agent/base/err.h"

#define SANDBOX_USER	 1u
#define SANDBOX_LANDLOCK 2u
#define SANDBOX_SECCOMP	 4u
#define SANDBOX_ALL	 (SANDBOX_USER | SANDBOX_LANDLOCK | SANDBOX_SECCOMP)

struct sandbox {
	unsigned layers;	     /* SANDBOX_ALL but in tests of a single layer */
	const char *user;	     /* "lodge"; already being that user is fine */
	const char *const *readable; /* folders, NULL-terminated */
};

int sandbox_enter(const struct sandbox *sandbox, struct err *err);

int sandbox_user(const char *user, struct err *err);
int sandbox_landlock(const char *const *readable, struct err *err);
int sandbox_seccomp(struct err *err);
