/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices that somebody flushed the firewall, that dnsmasq is gone, or that an interface has come which the boot did not
 * find; putting things right is the core's. Changes that Lodge makes itself cause one more look, which then changes
 * nothing. */
#include "agent/monitor/monitor.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/net/change.h"

#define SETTLE (200 * USEC_PER_MSEC) /* a flush comes as many messages */

struct net_watch {
	struct monitor *monitor;
	int fd;
	sd_event_source *io, *timer;
	char *pid_path;
	bool is_dnsmasq_reported, is_link_reported;
};

static bool is_removal(const struct nlmsghdr *h)
{
	static const uint16_t kinds[] = {NFT_MSG_DELTABLE, NFT_MSG_DELCHAIN, NFT_MSG_DELRULE};

	if (NFNL_SUBSYS_ID(h->nlmsg_type) != NFNL_SUBSYS_NFTABLES)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (NFNL_MSG_TYPE(h->nlmsg_type) == kinds[i])
			return true;
	return false;
}

static int on_netlink(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct net_watch *w = userdata;
	char data[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);
	bool has_removal = n < 0 && errno == ENOBUFS; /* messages were lost: look */

	(void)source;
	(void)events;
	for (struct nlmsghdr *h = (struct nlmsghdr *)data; n > 0 && NLMSG_OK(h, (size_t)n);
	     h = NLMSG_NEXT(h, n))
		has_removal |= is_removal(h);
	if (has_removal) {
		sd_event_source_set_time(w->timer, clock_monotonic() + SETTLE);
		sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
	}
	return 0;
}

static void report(struct net_watch *w, const char *what)
{
	autofields head = FIELDS_INIT;

	fields_add(&head, "what", what);
	reporter_send(w->monitor->reporter, EVENT_NET, &head);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	report(userdata, "table");
	return 0;
}

static void check_links(struct net_watch *w)
{
	bool has_come = net_boot_has_link();

	if (has_come && !w->is_link_reported)
		report(w, "link");
	w->is_link_reported = has_come;
}

/* Only where a pid file says that there should be one. */
static void check_dnsmasq(struct net_watch *w)
{
	autobuf text = BUF_INIT;
	bool is_gone;
	uint64_t pid;

	if (file_read(w->pid_path, 64, &text, NULL) < 0)
		return;
	while (text.size > 0 && text.data[text.size - 1] == '\n')
		text.data[--text.size] = '\0';
	is_gone = str_to_u64(buf_str(&text), &pid) && pid > 0 && kill((pid_t)pid, 0) < 0 &&
		  errno == ESRCH;
	if (is_gone && !w->is_dnsmasq_reported)
		report(w, "dnsmasq");
	w->is_dnsmasq_reported = is_gone;
}

void net_watch_check(struct net_watch *w)
{
	check_dnsmasq(w);
	check_links(w);
}

static int open_netlink(int *ret, struct err *err)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	autofd int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	int group = NFNLGRP_NFTABLES;

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return err_errno(err, errno, "watch nftables");
	*ret = TAKE_FD(fd);
	return 0;
}

int net_watch_new(struct monitor *m, struct net_watch **ret, struct err *err)
{
	struct net_watch *w = xcalloc(1, sizeof(*w));
	struct err why = ERR_INIT;
	int r;

	w->monitor = m;
	w->fd = -1;
	w->pid_path = path_join(path_run(), "dnsmasq.pid");
	r = sd_event_add_time(m->event, &w->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, w);
	if (r < 0) {
		net_watch_free(w);
		return err_errno(err, -r, "timer");
	}
	sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
	if (open_netlink(&w->fd, &why) < 0)
		log_warning("%s: a flushed firewall is only repaired at the next start",
			    why.message);
	else
		sd_event_add_io(m->event, &w->io, w->fd, EPOLLIN, on_netlink, w);
	*ret = w;
	return 0;
}

void net_watch_free(struct net_watch *w)
{
	if (!w)
		return;
	sd_event_source_disable_unref(w->io);
	sd_event_source_disable_unref(w->timer);
	closep(&w->fd);
	free(w->pid_path);
	free(w);
}
