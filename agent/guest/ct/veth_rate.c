/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounds of traffic, by tc(8). Runs in jobs. */
#include <stdio.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/veth.h"

#define TC_DEADLINE (10 * USEC_PER_SEC)
#define WORDS_MAX   32
#define BURST_MIN   (128 * 1024) /* bytes; below, a full frame with offloads would never pass */
#define POLICE_MTU  "256kb"	 /* the same: tc(8) says 2 KiB by itself */

static int tc(const char *line, struct err *err)
{
	autostrv char **words = str_split(line, " ");
	struct exec_run run = {.argv = (const char *const *)words,
			       .deadline = clock_monotonic() + TC_DEADLINE};

	return exec_run(&run, NULL, err);
}

static unsigned long long burst_of(unsigned long long bytes)
{
	return bytes > BURST_MIN ? bytes : BURST_MIN;
}

/* What leaves the host side is what the container receives. */
static int bound_received(const char *name, unsigned long long bytes, struct err *err)
{
	autofree char *line =
		xasprintf("tc qdisc replace dev %s root tbf rate %llubps burst %llub latency 50ms",
			  name, bytes, burst_of(bytes / 10));

	return tc(line, err);
}

/* What is too fast is dropped, for at the node's end nothing can wait. A sender learns of that after 200 ms at the
 * earliest (Linux's shortest time-out): with a smaller burst than it may send in that time, it gets half of its rate. */
static int bound_sent(const char *name, unsigned long long bytes, struct err *err)
{
	autofree char *qdisc = xasprintf("tc qdisc add dev %s handle ffff: ingress", name);
	autofree char *police =
		xasprintf("tc filter add dev %s parent ffff: protocol all prio 50 matchall action "
			  "police rate %llubps burst %llub mtu " POLICE_MTU " drop",
			  name, bytes, burst_of(bytes / 5));
	int r = tc(qdisc, err);

	return r < 0 ? r : tc(police, err);
}

int veth_set_rate(const char *name, double rate, struct err *err)
{
	unsigned long long bytes = (unsigned long long)(rate * 1024 * 1024);
	autofree char *root = xasprintf("tc qdisc del dev %s root", name);
	autofree char *ingress = xasprintf("tc qdisc del dev %s ingress", name);
	int r;

	(void)tc(ingress, NULL); /* there may be none */
	if (bytes == 0) {
		(void)tc(root, NULL);
		return 0;
	}
	if ((r = bound_received(name, bytes, err)) < 0)
		return r;
	return bound_sent(name, bytes, err);
}

bool veth_bridge_has_vlans(const char *bridge)
{
	autofree char *path = xasprintf("/sys/class/net/%s/bridge/vlan_filtering", bridge);
	autobuf text = BUF_INIT;

	return file_read(path, 16, &text, NULL) == 0 && buf_str(&text)[0] == '1';
}
