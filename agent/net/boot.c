/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration in effect, once a boot. Interfaces may come late (firmware, USB, a new name): what lacks them is
 * done when they have come. Runs in helper processes as root. */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/net/change.h"

#define WAIT	     (15 * USEC_PER_SEC)
#define LOOK_MS	     1000 /* also without a message of the kernel's */
#define APPLIED	     "network/applied"
#define MISSING	     "network/missing"
#define MISSING_SIZE (NET_IFACES_MAX * NET_NAME_SIZE * 64)

static bool was_done(void)
{
	autofree char *path = path_join(path_run(), APPLIED);

	return access(path, F_OK) == 0;
}

void net_boot_done(void)
{
	autofree char *applied = path_join(path_run(), APPLIED);
	autofree char *missing = path_join(path_run(), MISSING);

	/* at worst it is done once more */
	(void)file_write_atomic(applied, "", 0, 0600, NULL);
	(void)file_remove(missing, NULL);
}

/* "" where there is no such list. */
static void read_missing(struct buf *ret)
{
	autofree char *path = path_join(path_run(), MISSING);

	if (file_read(path, MISSING_SIZE, ret, NULL) < 0)
		buf_clear(ret);
}

static bool has_one_come(struct buf *links)
{
	autostrv char **names = str_split(buf_str(links), "\n");

	for (char **name = names; *name; name++)
		if (if_nametoindex(*name) > 0)
			return true;
	return false;
}

bool net_boot_has_link(void)
{
	autobuf links = BUF_INIT;

	read_missing(&links);
	return has_one_come(&links);
}

static int note(const struct net_lacks *lacks, struct err *err)
{
	autofree char *path = path_join(path_run(), MISSING);

	if (lacks->links.size > 0)
		return file_write_atomic(path, lacks->links.data, lacks->links.size, 0600, err);
	net_boot_done();
	return 0;
}

/* Has all that can be been done already? What somebody changed by hand since then is his. */
static bool is_as_before(struct net_lacks *lacks)
{
	autobuf links = BUF_INIT;

	read_missing(&links);
	return lacks->links.size > 0 && str_eq(buf_str(&links), buf_str(&lacks->links));
}

static int apply(struct net_lacks *lacks, struct err *err)
{
	const struct net_config none = NET_CONFIG_INIT;
	autonetconfig config = NET_CONFIG_INIT;
	autonetstate now = NET_STATE_INIT, wanted = NET_STATE_INIT;
	int r;

	if ((r = net_config_read(false, &config, NULL, err)) < 0 ||
	    (r = net_state_read(&now, err)) < 0 ||
	    (r = net_target(&now, &none, &config, lacks, &wanted, err)) < 0 || is_as_before(lacks))
		return r;
	autostrv char **names = net_managed_names(&none, &config);
	r = net_change_to(&wanted, names, err);
	return r < 0 ? r : note(lacks, err);
}

int net_boot_apply(struct net_lacks *lacks, struct err *err)
{
	autofd int lock = -1;
	int r;

	if (was_done() || net_change_lock(&lock, NULL) < 0)
		return 0;
	r = apply(lacks, err);
	return r < 0 ? err_prefix(err, "interfaces of this node") : 0;
}

/* ---- waiting ---- */

/* -1: none, then it is looked for them at times. */
static int watch_links(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	autofd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return TAKE_FD(fd);
}

static bool await_one(int fd, struct buf *links, usec_t deadline)
{
	char messages[8192];

	while (!has_one_come(links)) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int left = clock_left_ms(deadline);

		if (left == 0)
			return false;
		(void)poll(&p, 1, left < LOOK_MS ? left : LOOK_MS);
		while (fd >= 0 && recv(fd, messages, sizeof(messages), 0) > 0)
			continue;
	}
	return true;
}

int net_boot_apply_and_wait(struct net_lacks *lacks, struct err *err)
{
	usec_t deadline = clock_monotonic() + WAIT;
	autofd int fd = watch_links();

	for (;;) {
		struct net_lacks now = NET_LACKS_INIT;
		int r = net_boot_apply(&now, err);

		net_lacks_fini(lacks);
		*lacks = now;
		if (r < 0 || now.links.size == 0 || !await_one(fd, &lacks->links, deadline))
			return r;
	}
}
