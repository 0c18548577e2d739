/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers behind /nodes/{node}/network. What is shown of an interface is what Lodge is told to make of it, with
 * changes that are not applied yet; of the host's own, what they are. */
#pragma once

#include "agent/base/json.h"
#include "agent/net/state.h"

/* Pure: the list, as the contract has it. type: its filter, or NULL; only: one interface as an object, or NULL for
 * the list. false: there is no such interface. */
struct net_listing {
	const struct net_state *now;
	const struct net_config *next;
	const char *nat_bridge; /* Lodge's own, "" if none */
	const char *type, *only;
};
bool net_listing_write(const struct net_listing *listing, struct json *j);

/* "net-list": args type or iface (both optional). Encoded fields: data (JSON), changes (text, where there are). */
int net_helper_list(const struct fields *args, struct buf *out, struct err *err);
/* "net-set": args iface, is_new ("1" or absent), and the parameters of the call. */
int net_helper_set(const struct fields *args, struct buf *out, struct err *err);
int net_helper_delete(const struct fields *args, struct buf *out, struct err *err); /* args iface */
int net_helper_revert(const struct fields *args, struct buf *out, struct err *err);
/* "net-boot": once a boot the configuration in effect; waits some seconds for interfaces that are missing, and prints
 * what could not be, a line each. */
int net_helper_boot(const struct fields *args, struct buf *out, struct err *err);
