/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define HOST_PART 8 /* bytes at the end of an IPv6 address */

static void key_of_ipv6(struct in6_addr *a, char ret[ADDRESS_KEY_SIZE])
{
	if (IN6_IS_ADDR_V4MAPPED(a)) {
		inet_ntop(AF_INET, &a->s6_addr[12], ret, ADDRESS_KEY_SIZE);
		return;
	}
	memset(&a->s6_addr[sizeof(*a) - HOST_PART], 0, HOST_PART);
	inet_ntop(AF_INET6, a, ret, ADDRESS_KEY_SIZE);
	strcat(ret, "/64"); /* at most 46 bytes before */
}

void address_key(const char *address, char ret[ADDRESS_KEY_SIZE])
{
	autofree char *bare = xstrndup(address, strcspn(address, "%"));
	struct in6_addr a;

	if (inet_pton(AF_INET6, bare, &a) == 1)
		key_of_ipv6(&a, ret);
	else
		str_copy(ret, ADDRESS_KEY_SIZE, address);
}
