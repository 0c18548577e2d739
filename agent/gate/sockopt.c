/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets of connections that stay. */
#include "agent/gate/gate.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define UNSENT_MAX (64 * 1024)

void gate_socket_stays(int fd)
{
	int on = 1, off = 0, unsent = UNSENT_MAX, silence = (int)(GATE_SILENCE / USEC_PER_MSEC);

	/* libmicrohttpd turns Nagle's algorithm on again before it hands a connection over */
	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence, sizeof(silence));
}
