/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS, names and time zone of the node: small files of the host that the API may change. Blocking; helpers, as
 * root. */
#pragma once

#include <stdbool.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"

#define HOST_DNS_MAX 3 /* the resolver's own limit */

/* What resolv.conf says: owned; of several search lists the last, its words joined by blanks, or NULL. */
struct host_resolv {
	char *servers[HOST_DNS_MAX];
	size_t count;
	char *search;
};

#define HOST_RESOLV_INIT ((struct host_resolv){0})
void host_resolv_fini(struct host_resolv *resolv);
#define autoresolv __attribute__((cleanup(host_resolv_fini))) struct host_resolv

void host_resolv_parse(const char *text, struct host_resolv *ret); /* pure */
/* resolv.conf with other servers and another search list; other lines stay. Pure. servers: NULL-terminated. */
void host_resolv_text(const char *old, const char *search, const char *const *servers,
		      struct buf *out);
/* "Europe/Berlin": no step upwards, nothing hidden. Pure. */
bool host_zone_is_name(const char *name);

/* "host-dns": args search, dns1, dns2, dns3. Refused where another program writes the file. */
int host_helper_dns(const struct fields *args, struct buf *out, struct err *err);
/* "host-hosts": args data and, to be sure of what was read before, digest (SHA-1). */
int host_helper_hosts(const struct fields *args, struct buf *out, struct err *err);
/* "host-time": args timezone. */
int host_helper_time(const struct fields *args, struct buf *out, struct err *err);

#define HOST_FILE_MAX (1024 * 1024)
