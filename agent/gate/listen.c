/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The listening socket, made before the sandbox is entered. */
#include "agent/gate/gate.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"

int gate_listen(const struct gate_options *options, int *ret_fd, struct err *err)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	autofd int fd = -1;
	char port[8];
	int on = 1, off = 0, r;

	snprintf(port, sizeof(port), "%u", options->port);
	r = getaddrinfo(options->listen, port, &hints, &found);
	if (r != 0)
		return err_set(err, ERR_INVALID, "listen on %s: %s", options->listen,
			       gai_strerror(r));
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (found->ai_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	}
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, 512) < 0)
		r = err_errno(err, errno, "listen on %s port %s", options->listen, port);
	freeaddrinfo(found);
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}
