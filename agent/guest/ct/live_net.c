/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network interfaces of a running container: made, changed and removed from outside, by ip(8) and bridge(8); the
 * inside end is set in its network namespace. What only the system inside can do (DHCP) is asked of it. Runs in
 * jobs. */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/init_proc.h"
#include "agent/guest/ct/items.h"
#include "agent/guest/ct/live.h"
#include "agent/guest/ct/live_inside.h"
#include "agent/guest/ct/veth.h"

#define IP_DEADLINE (10 * USEC_PER_SEC)
#define STEP	    (60 * USEC_PER_SEC)

/* A line of words without blanks in them, as one argv. */
static int run(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int run(struct err *err, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	autostrv char **words = str_split(line, " ");
	struct exec_run command = {.argv = (const char *const *)words,
				   .deadline = clock_monotonic() + IP_DEADLINE};

	return exec_run(&command, NULL, err);
}

static void host_name(unsigned vmid, unsigned index, char ret[32])
{
	snprintf(ret, 32, "veth%ui%u", vmid, index);
}

/* -- the end inside -------------------------------------------------------------------------------- */

struct inside {
	const struct ct_record *record;
	const struct ct_net *now, *then;
	const char *temporary; /* its name while it is new, or NULL */
};

static bool is_address(const char *text)
{
	return strchr(text, '/') != NULL; /* not dhcp, auto or manual */
}

static void remove_address(const char *name, const char *address, const char *gateway,
			   const char *family)
{
	if (*gateway)
		(void)run(NULL, "ip %s route del default via %s dev %s", family, gateway, name);
	if (is_address(address))
		(void)run(NULL, "ip address del %s dev %s", address, name);
}

static int add_address(const char *name, const char *address, const char *gateway,
		       const char *family, struct err *err)
{
	int r = 0;

	if (is_address(address))
		r = run(err, "ip address replace %s dev %s", address, name);
	/* a gateway outside of the network is reached directly, as the files that we write have it */
	if (r == 0 && *gateway)
		r = run(err, "ip %s route replace default via %s dev %s onlink", family, gateway,
			name);
	return r;
}

static int set_addresses(const struct ct_net *now, const struct ct_net *then, struct err *err)
{
	const struct ct_net none = {0};
	const struct ct_net *old = now ? now : &none;
	bool is_same4 = str_eq(old->ip, then->ip) && str_eq(old->gw, then->gw);
	bool is_same6 = str_eq(old->ip6, then->ip6) && str_eq(old->gw6, then->gw6);
	int r = 0;

	if (!is_same4) {
		remove_address(then->name, old->ip, old->gw, "-4");
		r = add_address(then->name, then->ip, then->gw, "-4", err);
	}
	if (r == 0 && !is_same6) {
		remove_address(then->name, old->ip6, old->gw6, "-6");
		r = add_address(then->name, then->ip6, then->gw6, "-6", err);
	}
	return r;
}

static int open_network(const struct ct_record *record, struct err *err)
{
	autofd int init = ct_init_open(record, err);

	return init < 0 ? init : ct_init_foreign_namespace(init, "net", err);
}

/* In the container's network namespace; programs and files are the node's. */
static int inside_step(struct task_ctx *task, void *ctx, struct err *err)
{
	const struct inside *in = ctx;
	autofd int fd = open_network(in->record, err);
	int r = 0;

	(void)task;
	if (fd < 0)
		return fd;
	if (setns(fd, CLONE_NEWNET) != 0)
		return err_errno(err, errno, "enter the container's network");
	if (in->temporary)
		r = run(err, "ip link set dev %s name %s", in->temporary, in->then->name);
	if (r == 0 && in->then->mtu)
		r = run(err, "ip link set dev %s mtu %u", in->then->name, in->then->mtu);
	if (r == 0)
		r = run(err, "ip link set dev %s up", in->then->name);
	return r < 0 ? r : set_addresses(in->temporary ? NULL : in->now, in->then, err);
}

static int set_inside(struct task_ctx *task, const struct ct_record *record,
		      const struct ct_net *now, const struct ct_net *then, const char *temporary,
		      struct err *err)
{
	struct inside in = {record, now, then, temporary};

	return ct_child_run(task, inside_step, &in, STEP, err);
}

/* -- the end outside -------------------------------------------------------------------------------- */

static int set_vlans(const char *host, const struct ct_net *net, struct err *err)
{
	autostrv char **trunks = str_split(net->trunks, ";");
	int r = 0;

	if (!veth_bridge_has_vlans(net->bridge))
		return net->tag || net->trunks[0]
			       ? err_set(err, ERR_UNSUPPORTED,
					 "net%u: %s needs a bridge that knows VLANs, and '%s' does "
					 "not",
					 net->index, net->tag ? "tag" : "trunks", net->bridge)
			       : 0;
	if (net->tag) {
		(void)run(NULL, "bridge vlan del dev %s vid 1", host);
		r = run(err, "bridge vlan add dev %s vid %u pvid untagged", host, net->tag);
	}
	for (char **vlan = trunks; r == 0 && *vlan; vlan++)
		r = run(err, "bridge vlan add dev %s vid %s", host, *vlan);
	return r;
}

static int plug_in(const char *host, const struct ct_net *net, struct err *err)
{
	int r;

	if (if_nametoindex(net->bridge) == 0)
		return err_set(err, ERR_UNAVAILABLE, "net%u: bridge '%s' does not exist",
			       net->index, net->bridge);
	if (net->mtu && (r = run(err, "ip link set dev %s mtu %u", host, net->mtu)) < 0)
		return r;
	if ((r = run(err, "ip link set dev %s master %s", host, net->bridge)) < 0 ||
	    (r = set_vlans(host, net, err)) < 0 || (r = veth_set_rate(host, net->rate, err)) < 0)
		return r;
	return run(err, "ip link set dev %s %s", host, net->link_down ? "down" : "up");
}

static int remove_net(const char *host, struct err *err)
{
	return veth_delete(host, err);
}

static int add_net(struct task_ctx *task, const struct ct_record *record, const char *host,
		   const struct ct_net *net, struct err *err)
{
	autofd int network = open_network(record, err);
	char temporary[32];
	int r;

	if (network < 0)
		return network;

	snprintf(temporary, sizeof(temporary), "vp%ui%u", task->guest, net->index);
	(void)veth_delete(host, NULL); /* of a job that was killed */
	r = run(err, "ip link add name %s type veth peer name %s address %s netns /proc/%d/fd/%d",
		host, temporary, net->hwaddr, (int)getpid(), network);
	if (r < 0)
		return r;
	if ((r = plug_in(host, net, err)) < 0 ||
	    (r = set_inside(task, record, NULL, net, temporary, err)) < 0)
		(void)veth_delete(host, NULL);
	return r;
}

/* The node's list of host sides, for whoever clears up after the container. */
static void note_links(unsigned vmid, const struct guest_config *config)
{
	autofree struct ct_net *nets = NULL;
	autofree char *names = NULL;
	struct ct_record record;
	size_t count = 0;

	if (ct_config_nets(config, &nets, &count, NULL) < 0 || !ct_find_running(vmid, &record))
		return;
	names = ct_veth_names(nets, count, vmid);
	if (str_copy(record.veths, sizeof(record.veths), names))
		(void)ct_record_write(vmid, &record, NULL);
}

/* A device keeps its name and address while it lives. */
static bool is_same_device(const struct ct_net *a, const struct ct_net *b)
{
	return str_eq(a->name, b->name) && strcasecmp(a->hwaddr, b->hwaddr) == 0 &&
	       a->tag == b->tag && str_eq(a->trunks, b->trunks) && a->mtu == b->mtu;
}

static int change_net(struct task_ctx *task, const struct ct_record *record, const char *host,
		      const struct ct_net *now, const struct ct_net *then, struct err *err)
{
	int r;

	if (is_same_device(now, then)) {
		r = plug_in(host, then, err);
		return r < 0 ? r : set_inside(task, record, now, then, NULL, err);
	}
	if ((r = remove_net(host, err)) < 0)
		return r;
	r = add_net(task, record, host, then, err);
	if (r < 0 && add_net(task, record, host, now, NULL) < 0)
		task_warn(task, "net%u: is not there any more", now->index);
	return r;
}

int ct_live_net(struct task_ctx *task, const struct ct_record *record,
		const struct guest_config *config, const struct ct_net *now,
		const struct ct_net *then, struct err *err)
{
	char host[32];
	int r;

	host_name(task->guest, then ? then->index : now->index, host);
	if (!then)
		r = remove_net(host, err);
	else if (!now || if_nametoindex(host) == 0)
		r = add_net(task, record, host, then, err);
	else
		r = change_net(task, record, host, now, then, err);
	if (r < 0)
		return r;
	note_links(task->guest, config);
	ct_inside_network(task, record, config, then);
	return 0;
}
