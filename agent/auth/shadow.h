/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A user's line in /priv/shadow.cfg: "[SINCE:]HASH". Tickets that were made before SINCE (wall clock,
 * seconds) are refused; either part may be missing. Pure. */
#pragma once

#include <stdint.h>

#include "agent/auth/secrets.h"

/* NULL if the user has no password. Borrowed; a secret. */
const char *shadow_hash(const struct secrets *shadow, const char *userid);
/* 0: all tickets count. */
uint64_t shadow_since(const struct secrets *shadow, const char *userid);
/* hash may be NULL. A time that is not after the present one is moved behind it, unless that is of
 * another day (a clock that was wrong). */
void shadow_put(struct secrets *shadow, const char *userid, const char *hash, uint64_t since);
/* Keeps the password. */
void shadow_put_since(struct secrets *shadow, const char *userid, uint64_t since);
