/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS of an upgraded connection, ended here instead of in libmicrohttpd's relay, which needs 9 ms for
 * an echo of 4 kB where this needs 0.06 (0.9.75, 1.0.1).
 *
 * The session stays libmicrohttpd's, which frees it, and which tries to read it whenever its own epoll
 * set wakes up. It then finds nothing: the session's pull function is ours, and gives bytes only while
 * takeover_read() runs. A record is always taken whole, so that none is left inside of the session
 * either. Sending needs no such care, as libmicrohttpd has nothing to send. */
#pragma once

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <stdbool.h>

#define TAKEOVER_RECORD (16u * 1024) /* the most that one record holds */

struct takeover {
	gnutls_session_t session; /* borrowed */
	int fd;			  /* borrowed */
	size_t unsent;		  /* of a record that GnuTLS has in work, 0: none */
};

/* In libmicrohttpd's upgrade handler. Both borrowed until MHD_UPGRADE_ACTION_CLOSE. false: not a TLS
 * connection, or one whose records the kernel opens. */
bool takeover_init(struct takeover *t, struct MHD_Connection *connection);
/* Is part of a record in the session? Only right after takeover_init(). */
bool takeover_has_left(const struct takeover *t);
/* More than 0: bytes, 0: end, -EAGAIN (more may be in the socket), -EIO. data has TAKEOVER_RECORD bytes. */
ssize_t takeover_read(struct takeover *t, void *data);
/* More than 0: bytes taken, -EAGAIN, -EIO. After -EAGAIN the same bytes come first at the next call. */
ssize_t takeover_write(struct takeover *t, const void *data, size_t size);
/* Says that nothing more will be sent. Afterwards only takeover_drain(). */
void takeover_bye(struct takeover *t);
/* Throws away what comes in, a bounded part of it at once, so that the kernel does not answer it with a
 * reset which would overtake what was sent. true: the peer has closed. */
bool takeover_drain(struct takeover *t);
