/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a container's configuration may hold, as parameter tables for API, stored text and job. */
#pragma once

#include <stdint.h>

#include "agent/base/param.h"
#include "agent/base/propstr.h"
#include "agent/guest/config.h"

/* All configuration keys (arch, cores, hostname, memory, net[n], rootfs, …), ended by PARAM_END.
 * Only keys that Lodge really honours are listed: an unknown one is refused by name. */
extern const struct param ct_config_params[];
extern const struct param ct_net_keys[];    /* default key: none */
extern const struct param ct_rootfs_keys[]; /* default key "volume" */
extern const char *const ct_live_keys[];    /* change at once even while running */

struct ct_net {
	unsigned index;
	char name[16];	  /* interface inside */
	char bridge[16];
	char hwaddr[18];  /* "" only before ct_config_complete() */
	char ip[64], gw[64], ip6[64], gw6[64]; /* "dhcp", "manual", CIDR or "" */
	unsigned mtu, tag;
	bool link_down, firewall;
};

/* Parses "net0: …" of a config; 0 interfaces is fine. *ret heap array. */
int ct_config_nets(const struct guest_config *config, struct ct_net **ret, size_t *ret_count,
		   struct err *err);
struct ct_rootfs {
	char volume[512];
	uint64_t size; /* bytes, 0 unknown */
	bool read_only;
};
int ct_config_rootfs(const struct guest_config *config, struct ct_rootfs *ret, struct err *err);
/* "local:101/vm-101-disk-0.raw,size=8G": the stored form. */
void ct_rootfs_format(const struct ct_rootfs *rootfs, struct buf *out);

#define CT_ROOTFS_DEFAULT_GIB 4.0
#define CT_ROOTFS_MIN_GIB     0.0625
#define CT_ROOTFS_MAX_GIB     131072.0

/* What a new container asks for: "local:8" or "8" (GiB). */
struct ct_rootfs_request {
	char storage[101];
	uint64_t size; /* bytes, a multiple of 1 MiB */
	bool read_only;
};
/* text NULL: the default size on default_storage. */
int ct_rootfs_request_parse(const char *text, const char *default_storage,
			    struct ct_rootfs_request *ret, struct err *err);
/* Checks that keys fit together (net names unique, bridge given, …) and fills in what a new
 * container needs: random MAC addresses (prefix BC:24:11), arch, hostname. */
int ct_config_complete(struct guest_config *config, unsigned vmid, struct err *err);
