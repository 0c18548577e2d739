/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and networks of IP, compared by their bits. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct net_range {
	uint8_t bytes[16];
	unsigned bits;
	bool is_v6;
};

/* "10.0.0.0/8", or one address; bits of the host's part are ignored. */
bool net_range_parse(const char *text, struct net_range *ret);
bool net_range_of(const char *address, unsigned bits, struct net_range *ret);
bool net_range_overlap(const struct net_range *a, const struct net_range *b);
/* The same text may come from ip and from a configuration: fd00:0::1 and fd00::1. */
bool net_address_is_same(const char *a, const char *b);
