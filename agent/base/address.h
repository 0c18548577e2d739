/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of peers, as text. Pure. */
#pragma once

#define ADDRESS_KEY_SIZE 64

/* What limits count an address by. IPv4, also where IPv6 carries it: the address. IPv6: its /64, since whoever
 * has one address has all of those; so the hosts of a network share what one may take, as they do behind one
 * IPv4 address, and those with link-local ones (whose zone does not count) are one network. What is no address
 * stands for itself, cut to the size. */
void address_key(const char *address, char ret[ADDRESS_KEY_SIZE]);
