/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Lodge writes inside a container: host name, network, DNS, log-ins on its terminals, and once, at
 * creation, credentials. Works on the mounted root of a stopped container, through rootdir.h only. */
#pragma once

#include <stdbool.h>

#include "agent/guest/ct_schema.h"
#include "agent/task/task.h"

enum ct_init { CT_INIT_OTHER, CT_INIT_SYSTEMD, CT_INIT_BUSYBOX };
enum ct_netconf { CT_NETCONF_NONE, CT_NETCONF_IFUPDOWN, CT_NETCONF_NETWORKD };

enum ct_init ct_init_detect(int root);
int ct_init_halt_signal(enum ct_init init);
enum ct_netconf ct_netconf_detect(int root);

/* Before each start, and at creation (is_new: also files that the admin would own later). A file is
 * rewritten while it is absent or still carries our first line. ostype "unmanaged": nothing. */
int ct_setup_settings(struct task_ctx *task, int root, const struct guest_config *config, bool is_new,
		      struct err *err);
struct ct_setup_credentials {
	const char *password; /* clear text or NULL */
	const char *ssh_keys; /* lines, or NULL */
};
/* Once: credentials of root, an empty machine-id. */
int ct_setup_new(struct task_ctx *task, int root, const struct ct_setup_credentials *credentials,
		 struct err *err);

/* Texts, pure. */
#define CT_SETUP_MARK "# Written by Lodge at each start; remove this line to keep your own version.\n"
void ct_hosts_text(const char *old, const char *hostname, const char *domain, struct buf *out);
void ct_interfaces_text(const struct ct_net *nets, size_t count, struct buf *out);
void ct_network_text(const struct ct_net *net, struct buf *out);
void ct_resolv_text(const char *nameserver, const char *searchdomain, struct buf *out);
/* The servers and domains of a resolv.conf, separated by spaces; those that only the host itself can
 * reach (127.0.0.53, ::1) are left out. */
void ct_resolv_parse(const char *text, struct buf *servers, struct buf *domains);
/* Replaces root's password hash in a shadow file, adds root if it is missing. day: since 1970. */
void ct_shadow_text(const char *old, const char *hash, unsigned long day, struct buf *out);
