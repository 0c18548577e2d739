/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interfaces of this node that Lodge configures: the file "interfaces" below path_etc()/network, and beside it
 * "interfaces.new" with changes that are not applied yet. Interfaces that are not named in there are the host's, and
 * Lodge leaves them alone.
 *
 *	bridge: vmbr1
 *		autostart 1
 *		cidr 192.0.2.2/24
 *		gateway 192.0.2.1
 *		bridge_ports eth0
 *
 * Keys and values are the API's; '%', control characters and line ends in a value are written as %XX. */
#pragma once

#include <stdbool.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"

#define NET_NAME_SIZE  16
#define NET_IFACES_MAX 256
#define NET_CONFIG_MAX (256u * 1024)

struct net_iface {
	char name[NET_NAME_SIZE];
	char type[8]; /* "bridge" or "eth" */
	struct fields keys;
};

struct net_config {
	struct net_iface *items; /* owned */
	size_t count;
};

#define NET_CONFIG_INIT ((struct net_config){0})
void net_config_fini(struct net_config *config);
static inline void net_config_finip(struct net_config *config)
{
	net_config_fini(config);
}
#define autonetconfig __attribute__((cleanup(net_config_finip))) struct net_config

int net_config_parse(const char *text, size_t size, struct net_config *ret, struct err *err);
void net_config_format(const struct net_config *config, struct buf *out);
struct net_iface *net_config_find(const struct net_config *config, const char *name);
const char *net_iface_get(const struct net_iface *iface, const char *key);
bool net_iface_has_port(const struct net_iface *iface, const char *port); /* in bridge_ports */
/* The bridge of which this is a port, or NULL. */
const struct net_iface *net_config_bridge_of(const struct net_config *config, const char *port);

/* Creates (is_new) or replaces an interface from checked API parameters (type, cidr or address and netmask, …; on
 * replacing also "delete": keys separated by commas). On failure nothing is changed, err->field names the
 * parameter. */
int net_config_set(struct net_config *config, const char *name, bool is_new,
		   const struct fields *params, struct err *err);
int net_config_remove(struct net_config *config, const char *name, struct err *err);

/* ---- the two files ---- */

/* Absent: an empty configuration. ret_text (may be NULL): as it is in the file. */
int net_config_read(bool is_staged, struct net_config *ret, struct buf *ret_text, struct err *err);
/* What counts for the next change: the staged one, or the one in effect where there is none. */
int net_config_read_next(struct net_config *ret, struct buf *ret_text, struct err *err);
/* Under the lock. What is in effect is not staged; but while a change is under way, which will make another one that. */
int net_config_write_staged(const struct net_config *config, struct err *err);
int net_config_revert(struct err *err); /* drops what is staged */
/* Makes text the configuration in effect; drops what is staged if it is the same. Takes the lock. */
int net_config_commit(const char *text, size_t size, struct err *err);
/* The difference between both files as text; "" if there is none. */
int net_config_changes(struct buf *out, struct err *err);
/* Holds off other processes that edit the files. Descriptor; closing it lets go. */
int net_config_lock(int *ret_fd, struct err *err);
