/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and networks of IP. Pure. */
#include "agent/net/range.h"

#include <arpa/inet.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

bool net_range_of(const char *address, unsigned bits, struct net_range *ret)
{
	struct net_range range = {.bits = bits, .is_v6 = strchr(address, ':') != NULL};

	if (inet_pton(range.is_v6 ? AF_INET6 : AF_INET, address, range.bytes) != 1 ||
	    bits > (range.is_v6 ? 128 : 32))
		return false;
	*ret = range;
	return true;
}

bool net_range_parse(const char *text, struct net_range *ret)
{
	const char *slash = strchrnul(text, '/');
	autofree char *address = xstrndup(text, (size_t)(slash - text));
	uint64_t bits = strchr(text, ':') ? 128 : 32;

	if (*slash && (!str_to_u64(slash + 1, &bits) || bits > 128))
		return false;
	return net_range_of(address, (unsigned)bits, ret);
}

bool net_range_overlap(const struct net_range *a, const struct net_range *b)
{
	unsigned bits = a->bits < b->bits ? a->bits : b->bits, whole = bits / 8;

	if (a->is_v6 != b->is_v6 || memcmp(a->bytes, b->bytes, whole) != 0)
		return false;
	return bits % 8 == 0 ||
	       ((a->bytes[whole] ^ b->bytes[whole]) & (uint8_t)(0xff00 >> bits % 8)) == 0;
}

bool net_address_is_same(const char *a, const char *b)
{
	uint8_t x[16], y[16];
	int family = strchr(a, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(family, a, x) != 1 || inet_pton(family, b, y) != 1)
		return str_eq(a, b);
	return memcmp(x, y, family == AF_INET6 ? 16 : 4) == 0;
}
