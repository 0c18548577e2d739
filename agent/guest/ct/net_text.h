/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's interfaces in the words of what sets them up inside. Pure: texts only. Names, addresses and
 * domains were checked against their formats when the configuration was stored. */
#pragma once

#include <stdbool.h>

#include "agent/base/buf.h"
#include "agent/guest/ct_schema.h"

/* Separated by spaces; "" where there are none. */
struct ct_dns {
	const char *servers, *domains;
};

/* All interfaces of a container. DNS goes with one of them (dns_at; -1: none): a resolver that knows servers by
 * interface asks them through that one alone. */
struct ct_nets {
	const struct ct_net *items;
	size_t count;
	struct ct_dns dns;
	int dns_at;
};

/* The interface by which name servers are reached: the first with a gateway, else the first with an address. */
int ct_nets_dns_at(const struct ct_net *nets, size_t count);

bool ct_net_is_address(const char *ip); /* neither a word (dhcp, manual, auto) nor "" */
/* Is the gateway none of the network of that address? Then it needs a route of its own. */
bool ct_net_is_outside(const char *cidr, const char *gateway);

/* The body of /etc/network/interfaces. is_plain: IPv6 by DHCP or by routers is left to the kernel, since this ifup
 * (busybox, Alpine) has no words for it. */
void ct_interfaces_text(const struct ct_net *nets, size_t count, bool is_plain, struct buf *out);
/* One NAME.network of systemd-networkd. */
void ct_network_text(const struct ct_nets *nets, size_t at, struct buf *out);
/* One file for netplan, all interfaces. */
void ct_netplan_text(const struct ct_nets *nets, struct buf *out);
/* One NAME.nmconnection of NetworkManager. */
void ct_keyfile_text(const struct ct_nets *nets, size_t at, struct buf *out);
/* wicked: ifcfg-NAME, and ifroute-NAME ("" where there is no gateway). */
void ct_ifcfg_text(const struct ct_net *net, struct buf *out);
void ct_ifroute_text(const struct ct_net *net, struct buf *out);
/* The body of netifrc's /etc/conf.d/net. */
void ct_netifrc_text(const struct ct_net *nets, size_t count, struct buf *out);
