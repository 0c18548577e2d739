/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a container's configuration may hold, as parameter tables for API, stored text and job. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "agent/base/param.h"
#include "agent/base/propstr.h"
#include "agent/guest/config.h"

/* All configuration keys (arch, cores, hostname, memory, net[n], rootfs, …), ended by PARAM_END.
 * Only keys that Lodge really honours are listed: an unknown one is refused by name. */
extern const struct param ct_config_params[];
extern const struct param ct_net_keys[];    /* default key: none */
extern const struct param ct_rootfs_keys[]; /* default key "volume" */
extern const struct param ct_mp_keys[];	    /* default key "volume" */
extern const struct param ct_dev_keys[];    /* default key "path" */
extern const struct param ct_features_keys[];
extern const struct param ct_unused_keys[]; /* default key "volume" */
/* Change at once even while running. All others wait, and a job brings to a running container what it can take. */
extern const char *const ct_live_keys[];

#define CT_NETS_MAX   32
#define CT_MPS_MAX    256
#define CT_DEVS_MAX   256
#define CT_UNUSED_MAX 256

/* "mp12" of "mp", below max, without leading zeros. */
bool ct_key_index(const char *key, const char *stem, unsigned max, unsigned *ret);
bool ct_config_flag(const struct guest_config *config, const char *key); /* absent: false */

struct ct_net {
	unsigned index;
	char name[16]; /* interface inside */
	char bridge[16];
	char hwaddr[18];		       /* "" only before ct_config_complete() */
	char ip[64], gw[64], ip6[64], gw6[64]; /* "dhcp", "manual", CIDR or "" */
	char trunks[256];		       /* "5;7", or "" */
	unsigned mtu, tag;
	double rate; /* megabytes a second, 0: no bound */
	bool link_down, firewall, host_managed;
};

/* Parses "net0: …" of a config; 0 interfaces is fine. *ret heap array, in order of their index. */
int ct_config_nets(const struct guest_config *config, struct ct_net **ret, size_t *ret_count,
		   struct err *err);
int ct_net_parse(const char *key, const char *value, struct ct_net *ret, struct err *err);

/* Of an image's file system; a tree is part of its storage's. */
enum ct_acl { CT_ACL_DEFAULT, CT_ACL_ON, CT_ACL_OFF };

struct ct_rootfs {
	char volume[512];
	uint64_t size; /* bytes, 0 unknown */
	bool read_only, discard, quota;
	enum ct_acl acl;
	unsigned long flags; /* of mount(2), read-only aside */
	char options[256];   /* all but volume and size, as they are stored */
};
int ct_config_rootfs(const struct guest_config *config, struct ct_rootfs *ret, struct err *err);
/* "local:101/vm-101-disk-0.raw,size=8G": the stored form. */
void ct_rootfs_format(const struct ct_rootfs *rootfs, struct buf *out);
/* ",size=8G"; nothing for 0. */
void ct_size_format(uint64_t size, struct buf *out);

#define CT_ROOTFS_DEFAULT_GIB 4.0
#define CT_ROOTFS_MIN_GIB     0.0625
#define CT_ROOTFS_MAX_GIB     131072.0

/* What a new container asks for: "local:8" or "8" (GiB). */
struct ct_rootfs_request {
	char storage[101];
	uint64_t size; /* bytes, a multiple of 1 MiB */
	bool read_only;
	char options[256];
};
/* text NULL: the default size on default_storage. */
int ct_rootfs_request_parse(const char *text, const char *default_storage,
			    struct ct_rootfs_request *ret, struct err *err);

/* A mount point. */
struct ct_mp {
	unsigned index;
	char volume[512]; /* a volume id, or a folder of the node */
	char path[512];	  /* where it is mounted inside */
	uint64_t size;	  /* bytes, 0 unknown */
	bool is_folder;	  /* of the node */
	bool is_new;	  /* "local:8": the volume is to be made */
	char storage[101];
	bool read_only, discard, quota, keep_attributes;
	enum ct_acl acl;
	unsigned long flags;
};
int ct_mp_parse(const char *key, const char *value, struct ct_mp *ret, struct err *err);
/* All of them, in the order in which they are to be mounted: a path before what lies below it. */
int ct_config_mps(const struct guest_config *config, struct ct_mp **ret, size_t *ret_count,
		  struct err *err);
/* The stored form of what was asked for as `value`, once its volume is there (heap). */
char *ct_mp_value(const char *value, const char *volume, uint64_t size);
bool ct_path_is_below(const char *path, const char *folder); /* or the same */

struct ct_dev {
	unsigned index;
	char path[256];
	uint32_t uid, gid;
	mode_t mode;
	bool read_only;
};
int ct_dev_parse(const char *key, const char *value, struct ct_dev *ret, struct err *err);
int ct_config_devs(const struct guest_config *config, struct ct_dev **ret, size_t *ret_count,
		   struct err *err);

struct ct_features {
	bool nesting, keyctl, fuse, mknod, force_rw_sys;
	char mount[256]; /* "nfs;cifs", or "" */
};
int ct_config_features(const struct guest_config *config, struct ct_features *ret, struct err *err);

/* Volumes that nothing names any more: unusedN. NULL when there are too many, or when the volume has a key. */
const char *ct_unused_add(struct guest_config *config, const char *volid);
/* What mount points of `before` named and nothing does any more becomes unused; the other way round, too. Call it
 * after a change, and after [PENDING] was merged. */
int ct_volumes_keep(const struct guest_config *before, struct guest_config *after, struct err *err);
bool ct_volume_is_named(const struct guest_config *config,
			const char *volid); /* by any key, snapshots' too */
bool ct_volume_is_mounted(const struct guest_config *config,
			  const char *volid); /* by any that is not unusedN */

/* Raw liblxc settings: lines "lxc.key = value" (or "lxc.key: value"). Checked against the list of keys that
 * do not take Lodge's own work out of its hands; the settings replace those that config has. */
int ct_raw_set(struct guest_config *config, const char *text, struct err *err);
int ct_raw_check(const char *key, const char *value, struct err *err);
/* No longer allowed, but found in configurations: liblxc does not get it. */
bool ct_raw_is_dropped(const char *key);

/* Checks that keys fit together (net names unique, bridge given, …) and fills in what a new
 * container needs: random MAC addresses (prefix BC:24:11), arch, hostname. */
int ct_config_complete(struct guest_config *config, unsigned vmid, struct err *err);
