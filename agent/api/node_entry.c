/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This node as an element of lists, and its address. Core's loop; reads a small local file. */
#include "agent/api/node_entry.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/str.h"

#define ROUTES_MAX (256 * 1024)

bool api_node_load_is_visible(const struct core *core, const struct identity *who)
{
	char path[96];

	snprintf(path, sizeof(path), "/nodes/%s", core->node);
	return facts_node(core->facts)->observed &&
	       access_may(core->access, who, path, "Sys.Audit");
}

void api_write_node(const struct core *core, bool with_load, struct json *j)
{
	const struct node_fact *fact = facts_node(core->facts);
	char text[96];
	snprintf(text, sizeof(text), "node/%s", core->node);
	json_kv_string(j, "id", text);
	json_kv_string(j, "type", "node");
	json_kv_string(j, "node", core->node);
	json_kv_string(j, "status", "online"); /* it answers */
	json_kv_string(j, "level", "");
	if (!with_load)
		return;
	json_kv_double(j, "cpu", fact->cpu);
	json_kv_uint(j, "maxcpu", fact->cpus);
	json_kv_uint(j, "mem", fact->mem_used);
	json_kv_uint(j, "maxmem", fact->mem_total);
	json_kv_uint(j, "disk", fact->root_used);
	json_kv_uint(j, "maxdisk", fact->root_total);
	json_kv_uint(j, "uptime", fact->uptime);
}

/* The interface of the IPv4 default route, from /proc/net/route. */
static bool default_interface(char ret[IFNAMSIZ])
{
	autobuf text = BUF_INIT;
	if (file_read("/proc/net/route", ROUTES_MAX, &text, NULL) < 0)
		return false;
	autostrv char **lines = str_split(buf_str(&text), "\n");
	for (size_t i = 0; lines[i]; i++) {
		autostrv char **words = str_split(lines[i], "\t ");
		if (strv_count(words) > 2 && str_eq(words[1], "00000000"))
			return str_copy(ret, IFNAMSIZ, words[0]);
	}
	return false;
}

void api_node_address(char *ret, size_t size)
{
	struct ifaddrs *all = NULL;
	char interface[IFNAMSIZ] = "";
	bool found = false, has_default = default_interface(interface);
	ret[0] = '\0';
	if (getifaddrs(&all) < 0)
		return;
	for (struct ifaddrs *a = all; a && !found; a = a->ifa_next) {
		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET ||
		    (a->ifa_flags & IFF_LOOPBACK))
			continue;
		const struct sockaddr_in *in =
			(const struct sockaddr_in *)(const void *)a->ifa_addr;
		inet_ntop(AF_INET, &in->sin_addr, ret, (socklen_t)size);
		found = !has_default || str_eq(a->ifa_name, interface);
	}
	freeifaddrs(all);
}
