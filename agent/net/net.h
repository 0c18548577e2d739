/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network that guests of this node are attached to: a bridge that the host already has, or
 * Lodge's own vmbr0 with NAT, DHCP and DNS. Blocking; runs in helper processes as root. The choice
 * is made once and kept in network.conf in the state folder ("key=value" lines). */
#pragma once

#include <stdbool.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"

struct json_object;

#define NET_BRIDGE_DEFAULT "vmbr0"
#define NET_TABLE	   "lodge" /* nftables, family inet */

struct net_choice {
	char bridge[16];
	bool is_nat;	  /* made and owned by Lodge */
	char prefix[16];  /* NAT: first three octets, "10.77.0" */
};

/* A bridge is the host's own only with a physical port or the default route; names of container and
 * VM tools (lxcbr*, docker*, br-*, virbr*) never are. Pure over sysfs and the route table given. */
struct net_host {
	const char *sysfs;	     /* "/sys/class/net" */
	const char *default_device; /* interface of the default route, "" if none */
};
bool net_bridge_is_own(const struct net_host *host, const char *bridge);
/* The host's own bridge with the lowest name, or false. */
bool net_find_bridge(const struct net_host *host, char ret[16]);

/* Reads the stored choice; makes and stores one at the first time. LODGE_BRIDGE overrides: an
 * existing bridge is used as it is, a missing one is made with NAT; "none" leaves the host alone. */
int net_choice_get(struct net_choice *ret, struct err *err);
/* `ip -json route`: a list, of whatever. Released with json_object_put(). Pure. */
int net_routes_parse(char *text, size_t size, struct json_object **ret, struct err *err);
/* A /24 of the private networks ("10.77.0") that overlaps none of these; a route wider than /8 is a way out,
 * and does not count. false: all do. Pure. */
bool net_free_prefix(struct json_object *routes, char ret[16]);
int net_choice_parse(const char *text, size_t size, struct net_choice *ret, struct err *err);
void net_choice_format(const struct net_choice *choice, struct buf *out);

/* Helper "net-apply": brings the network into its stored state; changes nothing that is right. Prints
 * {"bridge":…,"mode":"nat"|"host","address":…,"warnings":[…]}. */
int net_apply(const struct fields *args, struct buf *out, struct err *err);
/* Helper "net-remove": takes away what Lodge made (bridge, table, dnsmasq) and the stored choice. */
int net_remove(const struct fields *args, struct buf *out, struct err *err);

/* nat.c */
int net_nat_apply(const struct net_choice *choice, struct err *err);
int net_nat_remove(const struct net_choice *choice, struct err *err);
/* firewall.c: the table as `nft` reads it, and whether the kernel's is still complete */
void net_table_text(const struct net_choice *choice, struct buf *out);
int net_table_apply(const struct net_choice *choice, struct err *err);
int net_table_remove(struct err *err);
/* Names base chains of others that drop forwarded packets by policy, from `nft -j list ruleset`. */
int net_forward_drops(const char *ruleset_json, size_t size, struct buf *ret_names, struct err *err);
/* dnsmasq.c */
int net_dnsmasq_apply(const struct net_choice *choice, struct err *err);
int net_dnsmasq_stop(struct err *err);
char *net_dnsmasq_pid_path(void);
