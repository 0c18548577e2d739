/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running guests: found by their records in the run folder, watched by the pidfd of their first process. */
#include <dirent.h>
#include <sys/inotify.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/monitor/watched.h"

#define RECORD_MAX (64u * 1024)

struct record {
	bool is_machine;
	pid_t pid;
	uint64_t pid_start, started;
};

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

static int parse_record(const struct fields *f, struct record *ret, struct err *err)
{
	const char *kind = fields_get(f, "kind");
	struct record record = {0};
	uint64_t pid = 0;

	if (!str_to_u64(fields_get(f, "pid"), &pid) || pid < 1 || pid > INT32_MAX ||
	    !str_to_u64(fields_get(f, "pid_start"), &record.pid_start) || record.pid_start == 0 ||
	    !kind)
		return err_set(err, ERR_CORRUPT, "record is malformed");
	record.pid = (pid_t)pid;
	record.is_machine = str_eq(kind, "qemu");
	str_to_u64(fields_get(f, "started"), &record.started);
	*ret = record;
	return 0;
}

/* The record is only believed for a process that is what it says. A machine that libvirtd told of before
 * keeps what it said. */
static int take_record(struct guests_watch *w, unsigned vmid, const struct record *record,
		       struct err *err)
{
	struct watched *g = watched_find(w, vmid);
	bool is_same = g && g->pid == record->pid && g->pid_start == record->pid_start;
	int r;

	if (g && !is_same && (g->pid != 0 || !record->is_machine)) {
		watched_free(g);
		g = NULL;
	}
	if (!g)
		g = watched_new(w, vmid, record->is_machine);
	g->started = record->started;
	if (!is_same && (r = watched_set_process(g, record->pid, record->pid_start, err)) < 0) {
		watched_free(g);
		return r;
	}
	if (g->is_machine && g->domain == DOMAIN_UNASKED)
		machines_ask(w->monitor->machines);
	watched_tell(g);
	return 0;
}

static void add_guest(struct guests_watch *w, unsigned vmid)
{
	autofields f = FIELDS_INIT;
	struct record record = {0};
	struct err err = ERR_INIT;
	int r = read_record(w, vmid, &f, &err);

	if (r == 0)
		r = parse_record(&f, &record, &err);
	if (r == 0)
		r = take_record(w, vmid, &record, &err);
	if (r == 0)
		return;
	/* of what is gone, or says nonsense, nothing is to be learnt later */
	if (r != -ERR_NOT_FOUND && r != -ERR_CORRUPT) {
		log_warning("guest %u cannot be watched now: %s", vmid, err.message);
		w->is_incomplete = true;
	}
	log_debug("guest %u: %s", vmid, err.message);
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

	w->is_incomplete = !dir;
	while (dir && (e = readdir(dir)))
		if (vmid_of(e->d_name, &vmid) && !watched_find(w, vmid))
			add_guest(w, vmid);
	if (dir)
		closedir(dir);
}

/* A record that was written again belongs to a new start. */
static int on_change(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct guests_watch *w = userdata;
	unsigned vmid;

	(void)source;
	if (event->mask & IN_Q_OVERFLOW) {
		scan(w); /* some were lost; those that were replaced are known by their end */
		return 0;
	}
	if (event->len > 0 && vmid_of(event->name, &vmid) && (event->mask & IN_MOVED_TO))
		add_guest(w, vmid);
	return 0;
}

void guests_watch_tell_all(struct guests_watch *w)
{
	LIST_FOREACH (&w->guests, g, struct watched, node)
		watched_tell_listed(g);
	scan(w);
}

void guests_watch_sample(struct guests_watch *w)
{
	LIST_FOREACH (&w->guests, g, struct watched, node) {
		watched_tell(g);
		if (g->is_machine && g->domain == DOMAIN_UNASKED)
			machines_ask(w->monitor->machines);
	}
	if (w->is_incomplete)
		scan(w);
}

bool guests_watch_is_complete(const struct guests_watch *w)
{
	return !w->is_incomplete;
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
