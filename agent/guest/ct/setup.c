/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes host name, network, DNS, time zone and log-ins on terminals into a container's root. Runs in jobs, in forked steps. */
#include "agent/guest/ct/setup.h"

#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/rootdir.h"
#include "agent/guest/ct/section.h"

#define GUEST_FILE_MAX (1024 * 1024)
#define HOSTS_MAX      (16 * 1024 * 1024) /* lists of blocked names are long */
#define UNIT_DIR       "/lib/systemd/system/"
#define WANTS_DIR      "/etc/systemd/system/"
#define GETTY	       "container-getty@"
#define TTYS_MAX       6

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

static int setup_hostname(const struct ct_setup *setup, struct err *err)
{
	const char *hostname = guest_config_get(setup->config, "hostname");
	const char *domain = guest_config_get(setup->config, "searchdomain");
	autostrv char **domains = str_split(domain ? domain : "", " ,;");
	autofree char *line = NULL;
	int r;

	if (!hostname)
		return 0;
	line = xasprintf("%s\n", hostname);
	r = rootdir_write(setup->root, "/etc/hostname", line, strlen(line), 0644, err);
	return r < 0 ? r : setup_hosts(setup->task, setup->root, hostname, domains[0], err);
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

static void words(const char *list, struct buf *out)
{
	autostrv char **parts = str_split(list ? list : "", " ,;");

	for (char **part = parts; *part; part++)
		buf_addf(out, "%s%s", out->size ? " " : "", *part);
}

/* The configuration's, and where it says nothing (or "host"), the node's. */
static void wanted_dns(const struct guest_config *config, struct buf *servers, struct buf *domains)
{
	const char *nameserver = guest_config_get(config, "nameserver");
	const char *searchdomain = guest_config_get(config, "searchdomain");
	autobuf host_servers = BUF_INIT, host_domains = BUF_INIT;

	host_dns(&host_servers, &host_domains);
	if (str_is_empty(nameserver) || str_eq(nameserver, "host"))
		nameserver = buf_str(&host_servers);
	words(nameserver, servers);
	words(str_is_empty(searchdomain) ? buf_str(&host_domains) : searchdomain, domains);
}

#define RESOLV "/etc/resolv.conf"

/* A DHCP client wrote the file anew, or the user did. No counted warning: it may be so at each start. */
static void say_if_ignored(const struct ct_setup *setup)
{
	bool is_asked = !str_is_empty(guest_config_get(setup->config, "nameserver")) ||
			!str_is_empty(guest_config_get(setup->config, "searchdomain"));
	autobuf text = BUF_INIT;
	char link[8];

	rootdir_read_link(setup->root, RESOLV, link, sizeof(link));
	if (is_asked && !link[0] &&
	    rootdir_read(setup->root, RESOLV, GUEST_FILE_MAX, &text, NULL) == 0 &&
	    !strstr(buf_str(&text), CT_SECTION_BEGIN))
		task_log("WARN: nameserver, searchdomain: the system inside has a " RESOLV
			 " of its own, which stays");
}

static int setup_dns(const struct ct_setup *setup, const struct ct_dns *dns, struct err *err)
{
	autobuf text = BUF_INIT;
	int r;

	if (!str_is_empty(dns->servers))
		ct_resolv_text(dns->servers, dns->domains, &text);
	r = ct_setup_section(setup, RESOLV, &text, err);
	if (r == 0)
		say_if_ignored(setup);
	return r;
}

static int setup_addresses(const struct ct_setup *setup, struct err *err)
{
	autobuf servers = BUF_INIT, domains = BUF_INIT;
	int r;

	wanted_dns(setup->config, &servers, &domains);
	const struct ct_dns dns = {buf_str(&servers), buf_str(&domains)};
	r = ct_setup_network(setup, &dns, err);
	return r < 0 ? r : setup_dns(setup, &dns, err);
}

/* liblxc names terminals /dev/tty1 and so on; systemd looks for log-ins in containers below /dev/pts only. */
static const char getty_text[] =
	"[Unit]\n"
	"ConditionPathExists=\n"
	"ConditionPathExists=/dev/tty%I\n"
	"\n"
	"[Service]\n"
	"ExecStart=\n"
	"ExecStart=-/sbin/agetty -o '-p -- \\\\u' --noclear --keep-baud tty%I "
	"115200,57600,38400,9600 xterm\n"
	"TTYPath=/dev/tty%I\n";

/* Whoever switches one of them off has it off: they are switched on with the first writing only. */
static int setup_terminals(const struct ct_setup *setup, struct err *err)
{
	static const char path[] = WANTS_DIR GETTY ".service.d/lodge.conf";
	bool is_first = !rootdir_exists(setup->root, path);
	autobuf text = BUF_INIT;
	int r;

	if (ct_init_detect(setup->root) != CT_INIT_SYSTEMD ||
	    !rootdir_exists(setup->root, UNIT_DIR GETTY ".service"))
		return 0;
	buf_add_str(&text, getty_text);
	r = ct_setup_file(setup, path, &text, 0644, err);
	for (unsigned i = 1; r == 0 && is_first && i <= TTYS_MAX; i++) {
		autofree char *link =
			xasprintf(WANTS_DIR "getty.target.wants/" GETTY "%u.service", i);

		r = rootdir_link(setup->root, link, UNIT_DIR GETTY ".service", err);
	}
	return r;
}

static const struct {
	const char *what;
	int (*run)(const struct ct_setup *setup, struct err *err);
} steps[] = {
	{"host name", setup_hostname},
	{"network", setup_addresses},
	{"time zone", ct_setup_timezone},
	{"terminals", setup_terminals},
};

int ct_setup_settings(struct task_ctx *task, int root, const struct guest_config *config,
		      bool is_new, struct err *err)
{
	const struct ct_setup setup = {.task = task,
				       .root = root,
				       .config = config,
				       .os = ct_os_of(root, config),
				       .is_new = is_new};

	for (size_t i = 0; setup.os->is_managed && i < ARRAY_SIZE(steps); i++) {
		struct err why = ERR_INIT;
		int r = steps[i].run(&setup, &why);

		if (r < 0 && is_new) {
			if (err)
				*err = why;
			return r;
		}
		if (r < 0)
			task_warn(task, "%s inside is left as it is: %s", steps[i].what,
				  why.message);
	}
	return 0;
}
