/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The certificate that this node shows over HTTPS, for clients that ask for it in an API answer. Runs on the
 * core's loop: a small local file is looked at, and read again when it changed. */
#pragma once

#include "agent/base/buf.h"

struct certificate;

struct certificate *certificate_new(void);
void certificate_free(struct certificate *certificate);
/* PEM, "" while there is none; borrowed until the next call. */
const char *certificate_pem(struct certificate *certificate);
/* "AB:CD:…", SHA-256 of the first certificate; "" while there is none. Borrowed until the next call. */
const char *certificate_fingerprint(struct certificate *certificate);
/* The certificates of a PEM text; anything else in it, such as a key, is left out. Pure. */
void certificate_filter(const char *text, struct buf *out);
