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
#define BURST_MIN   (64 * 1024) /* bytes; below, a full frame with offloads would never pass */

static int tc(const char *line, struct err *err)
{
	autostrv char **words = str_split(line, " ");
	struct exec_run run = {.argv = (const char *const *)words,
			       .deadline = clock_monotonic() + TC_DEADLINE};

	return exec_run(&run, NULL, err);
}

/* What leaves the host side is what the container receives. */
static int bound_received(const char *name, unsigned long long bytes, unsigned long long burst,
			  struct err *err)
{
	autofree char *line =
		xasprintf("tc qdisc replace dev %s root tbf rate %llubps burst %llub latency 50ms",
			  name, bytes, burst);

	return tc(line, err);
}

static int bound_sent(const char *name, unsigned long long bytes, unsigned long long burst,
		      struct err *err)
{
	autofree char *qdisc = xasprintf("tc qdisc add dev %s handle ffff: ingress", name);
	autofree char *police =
		xasprintf("tc filter add dev %s parent ffff: protocol all prio 50 matchall action "
			  "police rate %llubps burst %llub drop",
			  name, bytes, burst);
	int r = tc(qdisc, err);

	return r < 0 ? r : tc(police, err);
}

int veth_set_rate(const char *name, double rate, struct err *err)
{
	unsigned long long bytes = (unsigned long long)(rate * 1024 * 1024);
	unsigned long long burst = bytes / 10 > BURST_MIN ? bytes / 10 : BURST_MIN;
	autofree char *root = xasprintf("tc qdisc del dev %s root", name);
	autofree char *ingress = xasprintf("tc qdisc del dev %s ingress", name);
	int r;

	(void)tc(ingress, NULL); /* there may be none */
	if (bytes == 0) {
		(void)tc(root, NULL);
		return 0;
	}
	if ((r = bound_received(name, bytes, burst, err)) < 0)
		return r;
	return bound_sent(name, bytes, burst, err);
}

bool veth_bridge_has_vlans(const char *bridge)
{
	autofree char *path = xasprintf("/sys/class/net/%s/bridge/vlan_filtering", bridge);
	autobuf text = BUF_INIT;

	return file_read(path, 16, &text, NULL) == 0 && buf_str(&text)[0] == '1';
}
