/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many connections each address has, by its key (agent/base/address.h). libmicrohttpd's own bound counts whole
 * addresses, of which an IPv6 host has as many as it likes. Pure. */
#pragma once

struct crowd;

struct crowd *crowd_new(void);
void crowd_free(struct crowd *crowd);
unsigned crowd_count(const struct crowd *crowd, const char *key);
void crowd_enter(struct crowd *crowd, const char *key);
void crowd_leave(struct crowd *crowd, const char *key); /* who entered before */
