/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

void peer_text(const struct sockaddr *address, char ret[PEER_TEXT_SIZE])
{
	ret[0] = '\0';
	if (address && address->sa_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, ret,
			  PEER_TEXT_SIZE);
	} else if (address && address->sa_family == AF_INET6) {
		const struct in6_addr *a = &((const struct sockaddr_in6 *)address)->sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(a))
			inet_ntop(AF_INET, &a->s6_addr[12], ret, PEER_TEXT_SIZE);
		else
			inet_ntop(AF_INET6, a, ret, PEER_TEXT_SIZE);
	}
}
