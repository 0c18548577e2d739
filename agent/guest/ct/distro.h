/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which distribution lives in a root, and what sets its network up. What a distribution may use is a table;
 * what is installed decides. Runs in jobs, in forked steps; rootdir.h only. */
#pragma once

#include "agent/guest/config.h"

enum ct_netconf {
	CT_NETCONF_NONE,
	CT_NETCONF_IFUPDOWN, /* /etc/network/interfaces: ifupdown, ifupdown-ng, busybox */
	CT_NETCONF_NETPLAN,
	CT_NETCONF_NETWORKD,
	CT_NETCONF_KEYFILE, /* NetworkManager */
	CT_NETCONF_WICKED,
	CT_NETCONF_NETIFRC,
};

#define CT_NETCONFS_MAX 6

struct ct_os {
	const char *ostype; /* the configuration's word, or NULL: none of those that are known */
	enum ct_netconf order[CT_NETCONFS_MAX]; /* the first that is installed is used */
	bool is_managed;
};

/* The configuration's ostype wins; without one os-release says it. Never NULL. */
const struct ct_os *ct_os_of(int root, const struct guest_config *config);
const struct ct_os *ct_os_detect(int root);
enum ct_netconf ct_netconf_detect(int root, const struct ct_os *os);
/* ifup is busybox': it knows fewer words than the others, and gives up on a file with an unknown one. */
bool ct_ifup_is_busybox(int root);
