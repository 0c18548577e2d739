/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running guests: found by their records in the run folder, watched by the pidfd of their init. */
#include "agent/monitor/monitor.h"

#include <dirent.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/list.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/monitor/guest_sample.h"
#include "agent/monitor/machine_sample.h"

#define RECORD_MAX (64u * 1024)

struct watched {
	struct list node;
	struct guests_watch *owner;
	unsigned vmid;
	char kind[8];
	pid_t pid;
	uint64_t pid_start, started;
	int pidfd;
	sd_event_source *exit;
	struct guest_sample last;
};

struct guests_watch {
	struct monitor *monitor;
	char *folder;
	sd_event_source *changes;
	struct list guests;
};

static struct watched *find(struct guests_watch *w, unsigned vmid)
{
	LIST_FOREACH (&w->guests, g, struct watched, node)
		if (g->vmid == vmid)
			return g;
	return NULL;
}

static void watched_free(struct watched *g)
{
	list_remove(&g->node);
	sd_event_source_disable_unref(g->exit);
	closep(&g->pidfd);
	free(g);
}

static void tell(struct guests_watch *w, const struct watched *g, const char *state,
		 struct fields *figures)
{
	fields_addf(figures, "vmid", "%u", g->vmid);
	fields_add(figures, "kind", g->kind);
	fields_add(figures, "state", state);
	if (str_eq(state, "running")) {
		fields_addf(figures, "pid", "%d", (int)g->pid);
		fields_addf(figures, "pid_start", "%llu", (unsigned long long)g->pid_start);
	}
	reporter_send(w->monitor->reporter, EVENT_GUEST, figures);
}

static void tell_running(struct guests_watch *w, struct watched *g)
{
	autofields figures = FIELDS_INIT;

	if (str_eq(g->kind, "qemu"))
		machine_sample_take(g->vmid, g->pid, g->started, &g->last, &figures);
	else
		guest_sample_take(g->pid, g->started, &g->last, &figures);
	tell(w, g, "running", &figures);
}

static int on_exit_of(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct watched *g = userdata;
	autofields none = FIELDS_INIT;

	(void)source;
	(void)fd;
	(void)events;
	log_info("guest %u: its first process ended", g->vmid);
	tell(g->owner, g, "stopped", &none);
	watched_free(g);
	return 0;
}

/* The record is only believed for a process that is what it says. */
static int open_process(struct watched *g, struct err *err)
{
	int r;

	g->pidfd = (int)syscall(SYS_pidfd_open, g->pid, 0);
	if (g->pidfd < 0)
		return err_errno(err, errno, "process %d", (int)g->pid);
	if (exec_pid_start(g->pid) != g->pid_start)
		return err_set(err, ERR_NOT_FOUND, "process %d is another one now", (int)g->pid);
	r = sd_event_add_io(g->owner->monitor->event, &g->exit, g->pidfd, EPOLLIN, on_exit_of, g);
	return r < 0 ? err_errno(err, -r, "watch process %d", (int)g->pid) : 0;
}

static int read_record(struct guests_watch *w, unsigned vmid, struct fields *ret, struct err *err)
{
	autofree char *path = xasprintf("%s/%u", w->folder, vmid);
	autobuf text = BUF_INIT;
	struct cursor c;
	int r = file_read(path, RECORD_MAX, &text, err);

	if (r < 0)
		return r;
	c = cursor_on(text.data, text.size);
	r = fields_decode(&c, ret, err);
	if (r == 0 && !str_eq(fields_get(ret, "boot"), exec_boot_id()))
		r = err_set(err, ERR_NOT_FOUND, "record of an earlier boot");
	return r;
}

static int take_record(struct watched *g, const struct fields *f, struct err *err)
{
	const char *kind = fields_get(f, "kind");
	uint64_t pid = 0;

	if (!str_to_u64(fields_get(f, "pid"), &pid) || pid < 1 || pid > INT32_MAX ||
	    !str_to_u64(fields_get(f, "pid_start"), &g->pid_start) || !kind ||
	    !str_copy(g->kind, sizeof(g->kind), kind))
		return err_set(err, ERR_CORRUPT, "record is malformed");
	g->pid = (pid_t)pid;
	str_to_u64(fields_get(f, "started"), &g->started);
	return open_process(g, err);
}

static void add_guest(struct guests_watch *w, unsigned vmid)
{
	struct watched *g = xcalloc(1, sizeof(*g));
	autofields f = FIELDS_INIT;
	struct err err = ERR_INIT;
	int r;

	g->owner = w;
	g->vmid = vmid;
	g->pidfd = -1;
	list_init(&g->node);
	r = read_record(w, vmid, &f, &err);
	if (r == 0)
		r = take_record(g, &f, &err);
	if (r < 0) {
		log_debug("guest %u: %s", vmid, err.message);
		watched_free(g);
		return;
	}
	list_append(&w->guests, &g->node);
	tell_running(w, g);
}

static bool vmid_of(const char *name, unsigned *ret)
{
	uint64_t v;

	if (!str_to_u64(name, &v) || v < 100 || v > 999999999)
		return false;
	*ret = (unsigned)v;
	return true;
}

static void scan(struct guests_watch *w)
{
	DIR *dir = opendir(w->folder);
	struct dirent *e;
	unsigned vmid;

	while (dir && (e = readdir(dir)))
		if (vmid_of(e->d_name, &vmid) && !find(w, vmid))
			add_guest(w, vmid);
	if (dir)
		closedir(dir);
}

/* A record that was written again belongs to a new start. */
static int on_change(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct guests_watch *w = userdata;
	struct watched *g;
	unsigned vmid;

	(void)source;
	if (event->mask & IN_Q_OVERFLOW) {
		scan(w); /* some were lost; those that were replaced are known by their end */
		return 0;
	}
	if (event->len == 0 || !vmid_of(event->name, &vmid) || !(event->mask & IN_MOVED_TO))
		return 0;
	g = find(w, vmid);
	if (g)
		watched_free(g);
	add_guest(w, vmid);
	return 0;
}

void guests_watch_tell_all(struct guests_watch *w)
{
	LIST_FOREACH (&w->guests, g, struct watched, node)
		tell_running(w, g);
	scan(w);
}

void guests_watch_sample(struct guests_watch *w)
{
	LIST_FOREACH (&w->guests, g, struct watched, node)
		tell_running(w, g);
}

int guests_watch_new(struct monitor *m, struct guests_watch **ret, struct err *err)
{
	struct guests_watch *w = xcalloc(1, sizeof(*w));
	int r;

	w->monitor = m;
	w->folder = path_join(path_run(), "guests");
	list_init(&w->guests);
	r = dir_make(w->folder, 0700, err);
	if (r == 0) {
		r = sd_event_add_inotify(m->event, &w->changes, w->folder, IN_MOVED_TO, on_change,
					 w);
		if (r < 0)
			r = err_errno(err, -r, "watch %s", w->folder);
	}
	if (r < 0) {
		guests_watch_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

void guests_watch_free(struct guests_watch *w)
{
	if (!w)
		return;
	LIST_FOREACH (&w->guests, g, struct watched, node)
		watched_free(g);
	sd_event_source_disable_unref(w->changes);
	free(w->folder);
	free(w);
}
