/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removes and switches interfaces by rtnetlink and ioctl. Runs in jobs. */
#include "agent/guest/ct/veth.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "agent/base/fd.h"
#include "agent/base/str.h"

/* Sends one request, waits for its acknowledgement (at most 5 s); 0 or -errno. */
static int netlink_ask(const struct nlmsghdr *request)
{
	autofd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct timeval limit = {.tv_sec = 5};
	union {
		struct nlmsghdr header;
		char bytes[8192];
	} reply;
	ssize_t n;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
	    send(fd, request, request->nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, &reply, sizeof(reply), 0);
	if (n < 0)
		return -errno;
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) ||
	    reply.header.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return ((const struct nlmsgerr *)NLMSG_DATA(&reply.header))->error;
}

int veth_delete(const char *name, struct err *err)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
	} request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = RTM_DELLINK,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.info = {.ifi_index = (int)if_nametoindex(name)},
	};
	int r;

	if (request.info.ifi_index == 0)
		return 0;
	r = netlink_ask(&request.header);
	if (r < 0 && r != -ENODEV)
		return err_errno(err, -r, "remove interface %s", name);
	return 0;
}

int veth_set_down(const char *name, struct err *err)
{
	autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {0};

	str_copy(request.ifr_name, sizeof(request.ifr_name), name);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) != 0)
		return err_errno(err, errno, "interface %s", name);
	request.ifr_flags &= (short)~IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) != 0)
		return err_errno(err, errno, "interface %s", name);
	return 0;
}
