/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists a container's interfaces and addresses. Runs in a helper process, joined to the container's
 * network namespace; asks the kernel only, never a program of the container. */
#include "agent/task/host/helper_interfaces.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

enum {
	INTERFACES_MAX = 256,
	ADDRESSES_MAX = 1024, /* of all interfaces; more are not shown */
};

struct address {
	int family;
	char text[INET6_ADDRSTRLEN];
	unsigned prefix;
};

static int namespace_join(const struct fields *args, struct err *err)
{
	const char *pid_text = fields_get(args, "pid"), *start_text = fields_get(args, "pid_start");
	uint64_t pid = 0, start = 0;
	char path[64];

	if (!pid_text || !str_to_u64(pid_text, &pid) || pid == 0 || pid > INT_MAX)
		return err_field(err, "pid", "not a process id");
	if (!start_text || !str_to_u64(start_text, &start))
		return err_field(err, "pid_start", "not a start time");
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, errno, "network namespace of process %d", (int)pid);
	/* After the open: the descriptor belongs to the process that was just identified. */
	if (exec_pid_start((pid_t)pid) != start)
		return err_set(err, ERR_NOT_FOUND, "process %d is not the container any more",
			       (int)pid);
	if (setns(fd, CLONE_NEWNET) < 0)
		return err_errno(err, errno, "join network namespace of process %d", (int)pid);
	return 0;
}

static unsigned prefix_length(const struct sockaddr *mask)
{
	const uint8_t *bytes = NULL;
	size_t size = 0;
	unsigned bits = 0;

	if (mask && mask->sa_family == AF_INET) {
		bytes = (const uint8_t *)&((const struct sockaddr_in *)(const void *)mask)
				->sin_addr;
		size = 4;
	} else if (mask && mask->sa_family == AF_INET6) {
		bytes = (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)mask)
				->sin6_addr;
		size = 16;
	}
	for (size_t i = 0; i < size; i++)
		bits += (unsigned)__builtin_popcount(bytes[i]);
	return bits;
}

static bool address_read(const struct ifaddrs *ifa, struct address *ret)
{
	const void *bytes;

	if (!ifa->ifa_addr)
		return false;
	ret->family = ifa->ifa_addr->sa_family;
	if (ret->family == AF_INET)
		bytes = &((const struct sockaddr_in *)(const void *)ifa->ifa_addr)->sin_addr;
	else if (ret->family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)(const void *)ifa->ifa_addr)->sin6_addr;
	else
		return false;
	ret->prefix = prefix_length(ifa->ifa_netmask);
	return inet_ntop(ret->family, bytes, ret->text, sizeof(ret->text)) != NULL;
}

static void addresses_write(const struct ifaddrs *all, const char *name, unsigned *left,
			    struct json *j)
{
	struct address a, first[2] = {{0}, {0}}; /* IPv4, IPv6 */

	json_key(j, "ip-addresses");
	json_array_begin(j);
	for (const struct ifaddrs *ifa = all; ifa && *left > 0; ifa = ifa->ifa_next) {
		if (!str_eq(ifa->ifa_name, name) || !address_read(ifa, &a))
			continue;
		struct address *slot = &first[a.family == AF_INET6];

		if (slot->family == 0)
			*slot = a;
		json_object_begin(j);
		json_kv_string(j, "ip-address", a.text);
		json_kv_string(j, "ip-address-type", a.family == AF_INET6 ? "inet6" : "inet");
		json_kv_uint(j, "prefix", a.prefix);
		json_object_end(j);
		--*left;
	}
	json_array_end(j);
	for (int i = 0; i < 2; i++) {
		autofree char *text = xasprintf("%s/%u", first[i].text, first[i].prefix);

		if (first[i].family != 0)
			json_kv_string(j, i == 0 ? "inet" : "inet6", text);
	}
}

static void interface_write(const struct ifaddrs *all, const struct ifaddrs *link, unsigned *left,
			    struct json *j)
{
	const struct sockaddr_ll *ll = (const struct sockaddr_ll *)(const void *)link->ifa_addr;
	autobuf mac = BUF_INIT;

	for (unsigned i = 0; i < ll->sll_halen && i < sizeof(ll->sll_addr); i++)
		buf_addf(&mac, "%s%02x", i > 0 ? ":" : "", ll->sll_addr[i]);
	json_object_begin(j);
	json_kv_string(j, "name", link->ifa_name);
	json_kv_string(j, "hwaddr", buf_str(&mac));
	json_kv_string(j, "hardware-address", buf_str(&mac));
	addresses_write(all, link->ifa_name, left, j);
	json_object_end(j);
}

int helper_ct_interfaces(const struct fields *args, struct buf *out, struct err *err)
{
	unsigned interfaces = 0, addresses = ADDRESSES_MAX;
	struct ifaddrs *all = NULL;
	struct json j;
	int r = namespace_join(args, err);

	if (r < 0)
		return r;
	if (getifaddrs(&all) < 0)
		return err_errno(err, errno, "list interfaces");
	json_init(&j, out);
	json_array_begin(&j);
	for (const struct ifaddrs *ifa = all; ifa && interfaces < INTERFACES_MAX;
	     ifa = ifa->ifa_next) {
		if (!ifa->ifa_addr || ifa->ifa_addr->sa_family != AF_PACKET)
			continue;
		interface_write(all, ifa, &addresses, &j);
		interfaces++;
	}
	json_array_end(&j);
	freeifaddrs(all);
	return 0;
}
