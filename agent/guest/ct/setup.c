/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes host name, network, DNS and log-ins on terminals into a container's root. Runs in jobs, in forked steps. */
#include "agent/guest/ct/setup.h"

#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/rootdir.h"

#define GUEST_FILE_MAX (1024 * 1024)
#define HOSTS_MAX      (16 * 1024 * 1024) /* lists of blocked names are long */
#define UNIT_DIR       "/lib/systemd/system/"
#define WANTS_DIR      "/etc/systemd/system/"
#define GETTY	       "container-getty@"
#define TTYS_MAX       6

/* Ours to write: absent, carrying our mark, or part of a fresh template. A link is somebody's choice even
 * where what it names only exists while the guest runs, and what cannot be read is not ours. */
static bool may_write(int root, const char *path, bool is_new)
{
	autobuf old = BUF_INIT;
	char link[256];
	int r;

	if (is_new)
		return true;
	rootdir_read_link(root, path, link, sizeof(link));
	if (link[0])
		return false;
	r = rootdir_read(root, path, GUEST_FILE_MAX, &old, NULL);
	return r == -ERR_NOT_FOUND || (r == 0 && str_starts(buf_str(&old), CT_SETUP_MARK));
}

static int write_text(int root, const char *path, struct buf *text, bool is_new, struct err *err)
{
	if (!may_write(root, path, is_new))
		return 0;
	return rootdir_write(root, path, buf_str(text), text->size, 0644, err);
}

/* Only our line changes; where the rest cannot be kept as it is, nothing does. */
static int setup_hosts(struct task_ctx *task, int root, const char *hostname, const char *domain,
		       struct err *err)
{
	autobuf old = BUF_INIT, hosts = BUF_INIT;
	struct err why = ERR_INIT;
	int r = rootdir_read(root, "/etc/hosts", HOSTS_MAX, &old, &why);

	if (r == 0 && old.size > 0 && memchr(old.data, '\0', old.size))
		r = err_set(&why, ERR_INVALID, "not a text");
	if (r < 0 && r != -ERR_NOT_FOUND) {
		task_warn(task, "/etc/hosts is left as it is: %s", why.message);
		return 0;
	}
	ct_hosts_text(buf_str(&old), hostname, domain, &hosts);
	return rootdir_write(root, "/etc/hosts", buf_str(&hosts), hosts.size, 0644, err);
}

static int setup_hostname(struct task_ctx *task, int root, const struct guest_config *config,
			  struct err *err)
{
	const char *hostname = guest_config_get(config, "hostname");
	const char *domain = guest_config_get(config, "searchdomain");
	autostrv char **domains = str_split(domain ? domain : "", " ,;");
	autofree char *line = NULL;
	int r;

	if (!hostname)
		return 0;
	line = xasprintf("%s\n", hostname);
	if ((r = rootdir_write(root, "/etc/hostname", line, strlen(line), 0644, err)) < 0)
		return r;
	return setup_hosts(task, root, hostname, domains[0], err);
}

/* A template may have networkd installed but not enabled. */
static int enable_networkd(int root, struct err *err)
{
	static const char *const links[][2] = {
		{WANTS_DIR "multi-user.target.wants/systemd-networkd.service",
		 UNIT_DIR "systemd-networkd.service"},
		{WANTS_DIR "sockets.target.wants/systemd-networkd.socket",
		 UNIT_DIR "systemd-networkd.socket"},
		{WANTS_DIR "dbus-org.freedesktop.network1.service",
		 UNIT_DIR "systemd-networkd.service"},
	};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if ((r = rootdir_link(root, links[i][0], links[i][1], err)) < 0)
			return r;
	return 0;
}

static int setup_networkd(int root, const struct ct_net *nets, size_t count, bool is_new,
			  struct err *err)
{
	int r;

	for (size_t i = 0; i < count; i++) {
		autofree char *path = xasprintf("/etc/systemd/network/%s.network", nets[i].name);
		autobuf text = BUF_INIT;

		ct_network_text(&nets[i], &text);
		if ((r = write_text(root, path, &text, is_new, err)) < 0)
			return r;
	}
	return is_new && count > 0 ? enable_networkd(root, err) : 0;
}

static int setup_network(struct task_ctx *task, int root, const struct guest_config *config,
			 bool is_new, struct err *err)
{
	autofree struct ct_net *nets = NULL;
	autobuf text = BUF_INIT;
	size_t count = 0;
	int r;

	if ((r = ct_config_nets(config, &nets, &count, err)) < 0)
		return r;
	switch (ct_netconf_detect(root)) {
	case CT_NETCONF_IFUPDOWN:
		ct_interfaces_text(nets, count, &text);
		return write_text(root, "/etc/network/interfaces", &text, is_new, err);
	case CT_NETCONF_NETWORKD:
		return setup_networkd(root, nets, count, is_new, err);
	case CT_NETCONF_NONE:
		break;
	}
	for (size_t i = 0; i < count && is_new; i++)
		if (*nets[i].ip && !str_eq(nets[i].ip, "manual"))
			task_warn(task,
				  "net%u: this template has neither ifupdown nor "
				  "systemd-networkd; set its address up inside",
				  nets[i].index);
	return 0;
}

/* The node's own servers; behind a local resolver, those that it asks. */
static void host_dns(struct buf *servers, struct buf *domains)
{
	static const char *const files[] = {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"};

	for (size_t i = 0; i < ARRAY_SIZE(files) && servers->size == 0; i++) {
		autobuf text = BUF_INIT;

		if (file_read(files[i], GUEST_FILE_MAX, &text, NULL) == 0)
			ct_resolv_parse(buf_str(&text), servers, domains);
	}
}

static int setup_dns(int root, const struct guest_config *config, bool is_new, struct err *err)
{
	const char *nameserver = guest_config_get(config, "nameserver");
	const char *searchdomain = guest_config_get(config, "searchdomain");
	autobuf text = BUF_INIT, servers = BUF_INIT, domains = BUF_INIT;

	host_dns(&servers, &domains);
	if (str_is_empty(nameserver))
		nameserver = buf_str(&servers);
	if (str_is_empty(searchdomain))
		searchdomain = buf_str(&domains);
	if (str_is_empty(nameserver))
		return 0;
	ct_resolv_text(nameserver, searchdomain, &text);
	return write_text(root, "/etc/resolv.conf", &text, is_new, err);
}

/* liblxc names terminals /dev/tty1 and so on; systemd looks for log-ins in containers below /dev/pts only. */
static const char getty_text[] =
	CT_SETUP_MARK "[Unit]\n"
		      "ConditionPathExists=\n"
		      "ConditionPathExists=/dev/tty%I\n"
		      "\n"
		      "[Service]\n"
		      "ExecStart=\n"
		      "ExecStart=-/sbin/agetty -o '-p -- \\\\u' --noclear --keep-baud tty%I "
		      "115200,57600,38400,9600 xterm\n"
		      "TTYPath=/dev/tty%I\n";

/* Whoever switches one of them off has it off: they are switched on with the first writing only. */
static int setup_terminals(int root, bool is_new, struct err *err)
{
	static const char path[] = WANTS_DIR GETTY ".service.d/lodge.conf";
	bool is_first = !rootdir_exists(root, path);
	autobuf text = BUF_INIT;
	int r;

	if (ct_init_detect(root) != CT_INIT_SYSTEMD ||
	    !rootdir_exists(root, UNIT_DIR GETTY ".service"))
		return 0;
	buf_add_str(&text, getty_text);
	r = write_text(root, path, &text, is_new, err);
	for (unsigned i = 1; r == 0 && is_first && i <= TTYS_MAX; i++) {
		autofree char *link =
			xasprintf(WANTS_DIR "getty.target.wants/" GETTY "%u.service", i);

		r = rootdir_link(root, link, UNIT_DIR GETTY ".service", err);
	}
	return r;
}

int ct_setup_settings(struct task_ctx *task, int root, const struct guest_config *config,
		      bool is_new, struct err *err)
{
	int r;

	if (str_eq(guest_config_get(config, "ostype"), "unmanaged"))
		return 0;
	if ((r = setup_hostname(task, root, config, err)) < 0 ||
	    (r = setup_network(task, root, config, is_new, err)) < 0 ||
	    (r = setup_dns(root, config, is_new, err)) < 0 ||
	    (r = setup_terminals(root, is_new, err)) < 0)
		return r;
	return 0;
}
