/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's process, and what the core is told of it. */
#include "agent/monitor/watched.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/end.h"
#include "agent/monitor/machine_sample.h"
#include "agent/monitor/proc.h"

struct watched *watched_find(struct guests_watch *w, unsigned vmid)
{
	LIST_FOREACH (&w->guests, g, struct watched, node)
		if (g->vmid == vmid)
			return g;
	return NULL;
}

struct watched *watched_new(struct guests_watch *w, unsigned vmid, bool is_machine)
{
	struct watched *g = xcalloc(1, sizeof(*g));

	*g = (struct watched){.owner = w, .vmid = vmid, .is_machine = is_machine, .pidfd = -1};
	list_append(&w->guests, &g->node);
	return g;
}

static void forget_process(struct watched *g)
{
	g->exit = sd_event_source_disable_unref(g->exit);
	closep(&g->pidfd);
	g->pidfd = -1;
	g->pid = 0;
	g->pid_start = 0;
	g->last = (struct guest_sample){0};
}

void watched_free(struct watched *g)
{
	list_remove(&g->node);
	forget_process(g);
	free(g);
}

bool watched_is_living(const struct watched *g)
{
	struct pollfd fd = {.fd = g->pidfd, .events = POLLIN};

	return g->pidfd >= 0 && poll(&fd, 1, 0) == 0;
}

/* What is said of it; NULL: nothing yet. */
static const char *state_of(const struct watched *g)
{
	if (!g->is_machine)
		return guest_is_frozen(g->pid) ? "paused" : "running";
	switch (g->domain) {
	case DOMAIN_RUNNING:
	case DOMAIN_ABSENT: /* its process lives all the same */
		return "running";
	case DOMAIN_PAUSED:
		return "paused";
	case DOMAIN_UNSETTLED:
		return "unknown";
	default:
		break;
	}
	switch (machines_trust(g->owner->monitor->machines)) {
	case TRUST_RECORDS:
		return "running";
	case TRUST_NOBODY:
		return "unknown";
	default:
		return NULL;
	}
}

static void send(struct guests_watch *w, unsigned vmid, bool is_machine, const char *state,
		 struct fields *f)
{
	fields_addf(f, "vmid", "%u", vmid);
	fields_add(f, "kind", is_machine ? "qemu" : "lxc");
	fields_add(f, "state", state);
	reporter_send(w->monitor->reporter, EVENT_GUEST, f);
}

static void add_figures(struct watched *g, struct fields *f)
{
	if (g->pid == 0)
		return;
	fields_addf(f, "pid", "%d", (int)g->pid);
	fields_addf(f, "pid_start", "%llu", (unsigned long long)g->pid_start);
	if (g->is_machine)
		machine_sample_take(g->vmid, g->pid, g->started, &g->last, f);
	else
		guest_sample_take(g->pid, g->started, &g->last, f);
}

static void tell(struct watched *g, const char *state)
{
	autofields f = FIELDS_INIT;

	if (!str_eq(state, "unknown"))
		add_figures(g, &f);
	send(g->owner, g->vmid, g->is_machine, state, &f);
}

void watched_tell(struct watched *g)
{
	const char *state = state_of(g);

	if (state)
		tell(g, state);
}

void watched_tell_listed(struct watched *g)
{
	tell(g, state_of(g) ?: "unknown");
}

void watched_tell_end(struct guests_watch *w, unsigned vmid, bool is_machine,
		      const struct watched_end *end)
{
	autofields f = FIELDS_INIT;

	guest_end_fields(end->reason, end->status, &f);
	send(w, vmid, is_machine, end->state, &f);
}

/* Linux 6.15 keeps it for whoever has a descriptor, once its parent has taken note; older headers know nothing of it. */
struct end_info {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t status;
};
#define END_INFO      _IOWR(0xff, 11, struct end_info)
#define END_INFO_EXIT (1u << 3)

static int kept_status(int pidfd)
{
	struct end_info info = {.mask = END_INFO_EXIT};

	return ioctl(pidfd, END_INFO, &info) == 0 && (info.mask & END_INFO_EXIT) ? info.status : -1;
}

/* How a process ended, as wait status; -1: it cannot be known any more. Not being its parent we look while it waits
 * for that to take note, or ask for what was kept. */
static int end_status(const struct watched *g)
{
	autobuf text = BUF_INIT;
	const char *at;
	int status = -1;

	if (!proc_read(&text, "/proc/%d/stat", (int)g->pid) || !(at = strrchr(text.data, ')')) ||
	    !str_starts(at, ") Z"))
		return kept_status(g->pidfd);
	at = strrchr(at, ' '); /* the last field */
	return at && sscanf(at, "%d", &status) == 1 ? status : -1;
}

/* Why a container ended, where nobody asked it to; nothing also where that cannot be known: then the hook that follows
 * its end tells. */
static void look_at_end(const struct watched *g, struct watched_end *ret)
{
	autofree char *asked = xasprintf("%s/%u.asked", g->owner->folder, g->vmid);
	int status = g->is_machine || access(asked, F_OK) == 0 ? -1 : end_status(g);

	if (status < 0)
		return;
	ret->status = status;
	ret->reason = guest_end_reason(status, guest_sample_has_oom(&g->last));
	if (WIFSIGNALED(status) && ret->reason[0])
		log_warning("guest %u: its first process was ended by signal %d", g->vmid,
			    WTERMSIG(status));
	else if (ret->reason[0])
		log_warning("guest %u: its first process exited with code %d", g->vmid,
			    WEXITSTATUS(status));
}

/* Of a machine the end of its process is its end while libvirtd would tell of another one. */
static int on_exit_of(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct watched *g = userdata;
	bool is_known =
		!g->is_machine || machines_trust(g->owner->monitor->machines) != TRUST_NOBODY;

	struct watched_end end = {.state = is_known ? "stopped" : "unknown"};

	(void)source;
	(void)fd;
	(void)events;
	log_info("guest %u: its first process ended", g->vmid);
	look_at_end(g, &end);
	watched_tell_end(g->owner, g->vmid, g->is_machine, &end);
	watched_free(g);
	return 0;
}

/* A start of 0 is no start: neither of a record, nor of a process that could not be looked at. */
static int check_start(const struct watched *g, pid_t pid, uint64_t pid_start, struct err *err)
{
	uint64_t start = exec_pid_start(pid);

	if (start != 0 && start == pid_start)
		return 0;
	if (start == 0 && watched_is_living(g))
		return err_set(err, ERR_UNAVAILABLE, "process %d cannot be looked at", (int)pid);
	return err_set(err, ERR_NOT_FOUND, "process %d is gone or another one now", (int)pid);
}

int watched_set_process(struct watched *g, pid_t pid, uint64_t pid_start, struct err *err)
{
	int r;

	forget_process(g);
	g->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (g->pidfd < 0 && errno == ESRCH)
		return err_set(err, ERR_NOT_FOUND, "process %d is gone", (int)pid);
	if (g->pidfd < 0)
		return err_errno(err, errno, "process %d", (int)pid);
	r = check_start(g, pid, pid_start, err);
	if (r == 0 && (r = sd_event_add_io(g->owner->monitor->event, &g->exit, g->pidfd, EPOLLIN,
					   on_exit_of, g)) < 0)
		r = err_errno(err, -r, "watch process %d", (int)pid);
	if (r < 0) {
		forget_process(g);
		return r;
	}
	g->pid = pid;
	g->pid_start = pid_start;
	return 0;
}
