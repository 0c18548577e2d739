/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DHCP and DNS on the NAT bridge: one dnsmasq, started here, living on its own. */
#include "agent/net/net.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define START_DEADLINE (15 * USEC_PER_SEC)

char *net_dnsmasq_pid_path(void)
{
	return path_join(path_run(), "dnsmasq.pid");
}

/* Is that process the dnsmasq started here, and not that of another tool with a pid used again? Its
 * command line names our pid file. */
static bool is_ours(pid_t pid, const char *pid_path)
{
	autofree char *wanted = xasprintf("--pid-file=%s", pid_path);

	return exec_pid_has_argument(pid, wanted, '\0');
}

/* The pid in the file, if that process is our dnsmasq. */
static pid_t running_pid(void)
{
	autofree char *path = net_dnsmasq_pid_path();
	autobuf text = BUF_INIT;
	uint64_t pid;

	if (file_read(path, 64, &text, NULL) < 0)
		return 0;
	while (text.size > 0 && text.data[text.size - 1] == '\n')
		text.data[--text.size] = '\0';
	if (!str_to_u64(buf_str(&text), &pid) || pid == 0 || pid > INT32_MAX)
		return 0;
	return is_ours((pid_t)pid, path) ? (pid_t)pid : 0;
}

int net_dnsmasq_apply(const struct net_choice *choice, struct err *err)
{
	autofree char *pid_path = net_dnsmasq_pid_path();
	autofree char *pid_file = xasprintf("--pid-file=%s", pid_path);
	autofree char *interface = xasprintf("--interface=%s", choice->bridge);
	autofree char *range = xasprintf("--dhcp-range=%s.50,%s.250,255.255.255.0,12h",
					 choice->prefix, choice->prefix);
	autofree char *leases = xasprintf("--dhcp-leasefile=%s/dnsmasq.leases", path_state());
	const char *argv[] = {"dnsmasq",
			      "--conf-file=/dev/null",
			      "--bind-dynamic",
			      "--except-interface=lo",
			      "--dhcp-authoritative",
			      "--domain=lodge",
			      "--dhcp-ignore-names", /* a guest does not choose a name for others */
			      "--no-ping",
			      "--user=dnsmasq",
			      "--log-facility=/dev/null",
			      pid_file,
			      interface,
			      range,
			      leases,
			      NULL};
	struct exec_run run = {.argv = argv, .deadline = clock_monotonic() + START_DEADLINE};

	if (running_pid() > 0)
		return 0;
	return exec_run(&run, NULL, err);
}

int net_dnsmasq_stop(struct err *err)
{
	autofree char *path = net_dnsmasq_pid_path();
	pid_t pid = running_pid();

	if (pid > 0 && kill(pid, SIGTERM) < 0 && errno != ESRCH)
		return err_errno(err, errno, "stop dnsmasq");
	return file_remove(path, err);
}
