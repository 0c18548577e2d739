/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One TLS record for a small answer. GnuTLS gathers what libmicrohttpd sends while the session is corked, so
 * libmicrohttpd takes it for sent; that is only done where the socket has room for certain, since
 * nobody would try again later. Saves about a fifth of the CPU time of a small request. */
#include "agent/gate/request.h"

#include <gnutls/gnutls.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define JOIN_MAX (8u * 1024)

static gnutls_session_t session_of(const struct request *r)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info ? info->tls_session : NULL;
}

static int socket_of(const struct request *r)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

/* All that was sent before has been acknowledged: the whole send buffer is free. */
static bool has_room(int fd)
{
	int queued = 0;

	return ioctl(fd, SIOCOUTQ, &queued) == 0 && queued == 0;
}

void join_begin(struct request *r, size_t body_size)
{
	gnutls_session_t session = session_of(r);

	if (body_size > JOIN_MAX || !session || !has_room(socket_of(r)))
		return;
	gnutls_record_cork(session);
	r->is_joined = true;
}

void join_end(struct request *r)
{
	gnutls_session_t session = r->is_joined ? session_of(r) : NULL;
	const int off = 0;

	if (!session)
		return;
	r->is_joined = false;
	if (gnutls_record_uncork(session, 0) < 0)
		shutdown(socket_of(r), SHUT_RDWR);
	/* libmicrohttpd has its sockets corked, and has already flushed what it took for sent */
	setsockopt(socket_of(r), IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
}
