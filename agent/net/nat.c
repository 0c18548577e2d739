/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NAT bridge: link, address, forwarding, table, dnsmasq. Each step changes only what is not right. */
#include "agent/net/net.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define IP_DEADLINE (10 * USEC_PER_SEC)
#define FORWARD	    "/proc/sys/net/ipv4/ip_forward"

static int ip(const char *const *argv, struct err *err)
{
	struct exec_run run = {.argv = argv, .deadline = clock_monotonic() + IP_DEADLINE};

	return exec_run(&run, NULL, err);
}

static bool has_address(const char *bridge, const char *address)
{
	const char *argv[] = {"ip", "-4", "-o", "address", "show", "dev", bridge, NULL};
	struct exec_run run = {.argv = argv, .deadline = clock_monotonic() + IP_DEADLINE};
	struct exec_result result = {0};
	bool found = exec_run(&run, &result, NULL) == 0 && result.output.data &&
		     strstr(result.output.data, address);

	exec_result_fini(&result);
	return found;
}

static int make_bridge(const struct net_choice *choice, struct err *err)
{
	autofree char *address = xasprintf("%s.1/24", choice->prefix);
	const char *add[] = {"ip", "link", "add", "name", choice->bridge, "type", "bridge", NULL};
	const char *assign[] = {"ip", "address", "add", address, "dev", choice->bridge, NULL};
	const char *up[] = {"ip", "link", "set", "dev", choice->bridge, "up", NULL};
	int r = 0;

	if (if_nametoindex(choice->bridge) == 0)
		r = ip(add, err);
	if (r == 0 && !has_address(choice->bridge, address))
		r = ip(assign, err);
	return r == 0 ? ip(up, err) : r;
}

static int enable_forwarding(struct err *err)
{
	autobuf now = BUF_INIT;
	autofd int fd = -1;

	if (file_read(FORWARD, 16, &now, NULL) == 0 && str_starts(buf_str(&now), "1"))
		return 0;
	fd = open(FORWARD, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1\n", 2) != 2)
		return err_errno(err, errno, "enable forwarding (%s)", FORWARD);
	return 0;
}

int net_nat_apply(const struct net_choice *choice, struct err *err)
{
	int r;

	if ((r = make_bridge(choice, err)) < 0 || (r = enable_forwarding(err)) < 0 ||
	    (r = net_table_apply(choice, err)) < 0 || (r = net_dnsmasq_apply(choice, err)) < 0)
		return err_prefix(err, "bridge %s", choice->bridge);
	return 0;
}

int net_nat_remove(const struct net_choice *choice, struct err *err)
{
	const char *del[] = {"ip", "link", "delete", "dev", choice->bridge, NULL};
	int r;

	if ((r = net_dnsmasq_stop(err)) < 0 || (r = net_table_remove(err)) < 0)
		return r;
	return if_nametoindex(choice->bridge) ? ip(del, err) : 0;
}
