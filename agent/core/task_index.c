/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of tasks in memory and the logs behind it. See task_index.h. */
#include "agent/core/task_index.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/list.h"
#include "agent/base/log.h"
#include "agent/base/map.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/core/job_files.h"

struct entry {
	struct task task;
	char *exit_text; /* owned; task.exit_text points to it */
	struct list link;
};

/* A task whose details were dropped. */
struct old_name {
	struct list link;
	char upid[];
};

struct task_index {
	struct list entries; /* newest first */
	size_t count;
	struct map *by_upid; /* -> entry */
	struct list old;     /* struct old_name, newest first */
	size_t old_count;
};

static struct entry *entry_find(const struct task_index *index, const char *upid)
{
	return upid ? map_get(index->by_upid, upid) : NULL;
}

static void entry_free(struct task_index *index, struct entry *e)
{
	list_remove(&e->link);
	map_remove(index->by_upid, e->task.upid);
	index->count--;
	free(e->exit_text);
	free(e);
}

static void remove_files(const char *upid)
{
	static const char *const suffixes[] = {".status", ""};
	struct upid id;

	if (upid_parse(upid, &id, NULL) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		autofree char *path = job_file_log(&id, upid, suffixes[i]);

		(void)file_remove(path, NULL);
	}
}

static void old_append(struct list *after, struct task_index *index, const char *upid)
{
	size_t size = strlen(upid) + 1;
	struct old_name *old = xmalloc(sizeof(*old) + size);

	memcpy(old->upid, upid, size);
	list_append(after, &old->link);
	index->old_count++;
}

static void drop_oldest_logs(struct task_index *index)
{
	while (index->count + index->old_count > TASK_LOGS_MAX && !list_is_empty(&index->old)) {
		struct old_name *oldest = CONTAINER_OF(index->old.prev, struct old_name, link);

		remove_files(oldest->upid);
		list_remove(&oldest->link);
		index->old_count--;
		free(oldest);
	}
}

/* Running tasks stay, however many there are: their number is bounded where they start. */
static void forget_oldest(struct task_index *index)
{
	for (struct list *at = index->entries.prev;
	     index->count > TASKS_IN_MEMORY && at != &index->entries;) {
		struct entry *e = CONTAINER_OF(at, struct entry, link);

		at = at->prev;
		if (e->task.state == TASK_RUNNING)
			continue;
		old_append(index->old.next, index, e->task.upid);
		entry_free(index, e);
	}
	drop_oldest_logs(index);
}

static unsigned guest_of(const struct upid *id)
{
	uint64_t vmid;
	bool is_guest = str_starts(id->type, "vz") || str_starts(id->type, "qm");

	return is_guest && str_to_u64(id->id, &vmid) && vmid <= 999999999 ? (unsigned)vmid : 0;
}

static struct entry *entry_insert(struct task_index *index, const char *upid, const struct upid *id,
				  unsigned guest)
{
	struct entry *e = xcalloc(1, sizeof(*e));
	struct list *at = index->entries.next;

	e->task.id = *id;
	e->task.guest = guest ? guest : guest_of(id);
	e->task.state = TASK_RUNNING;
	str_copy(e->task.upid, sizeof(e->task.upid), upid);
	while (at != &index->entries &&
	       CONTAINER_OF(at, struct entry, link)->task.id.start_time > id->start_time)
		at = at->next;
	list_append(at, &e->link); /* before the first that is not newer */
	map_put(index->by_upid, e->task.upid, e);
	index->count++;
	return e;
}

const struct task *task_index_add(struct task_index *index, const char *upid, const struct upid *id,
				  unsigned guest)
{
	struct entry *e = entry_find(index, upid);

	if (!e) {
		e = entry_insert(index, upid, id, guest);
		forget_oldest(index);
	}
	return &e->task;
}

void task_index_set_guest(struct task_index *index, const char *upid, unsigned guest)
{
	struct entry *e = entry_find(index, upid);

	if (e && guest)
		e->task.guest = guest;
}

static void entry_end(struct entry *e, uint64_t end_time, const char *text)
{
	e->task.state = TASK_STOPPED;
	e->task.end_time = end_time;
	xreplace(&e->exit_text, text);
	e->task.exit_text = e->exit_text;
}

void task_index_end(struct task_index *index, const char *upid, uint64_t end_time, const char *text)
{
	struct entry *e = entry_find(index, upid);

	if (e)
		entry_end(e, end_time, text);
}

const struct task *task_index_find(const struct task_index *index, const char *upid)
{
	struct entry *e = entry_find(index, upid);

	return e ? &e->task : NULL;
}

const struct task *task_index_next(const struct task_index *index, const struct task *after)
{
	const struct list *at =
		after ? CONTAINER_OF(after, struct entry, task)->link.next : index->entries.next;

	return at == &index->entries ? NULL : &CONTAINER_OF(at, struct entry, link)->task;
}

/* Start-up. */

struct found {
	uint64_t start_time;
	char *upid;
};

struct found_list {
	struct found *items;
	size_t count, capacity;
};

static void found_add(struct found_list *list, const char *name)
{
	struct upid id;

	if (upid_parse(name, &id, NULL) < 0)
		return; /* status files and temporary ones */
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : 256;
		list->items = xrealloc(list->items, list->capacity, sizeof(*list->items));
	}
	list->items[list->count++] = (struct found){id.start_time, xstrdup(name)};
}

static int scan_folder(char digit, struct found_list *list, struct err *err)
{
	autofree char *path = path_join(path_state(), "tasks/%c", digit);
	DIR *dir = opendir(path);

	if (!dir)
		return err_errno(err, errno, "open %s", path);
	for (struct dirent *entry; (entry = readdir(dir));)
		found_add(list, entry->d_name);
	closedir(dir);
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->start_time != y->start_time)
		return x->start_time < y->start_time ? 1 : -1;
	return strcmp(y->upid, x->upid);
}

static void take_found(struct task_index *index, const char *upid)
{
	struct upid id;
	autostatus status = {0};

	if (index->count >= TASKS_IN_MEMORY) {
		old_append(&index->old, index, upid);
		return;
	}
	if (upid_parse(upid, &id, NULL) < 0)
		return;
	struct entry *e = xcalloc(1, sizeof(*e));
	e->task.id = id;
	e->task.guest = guest_of(&id);
	str_copy(e->task.upid, sizeof(e->task.upid), upid);
	list_append(&index->entries, &e->link);
	map_put(index->by_upid, upid, e);
	index->count++;
	if (job_status_read(&id, upid, &status, NULL) == 0)
		entry_end(e, status.end, status.text);
}

int task_index_load(struct task_index **ret, struct err *err)
{
	static const char digits[] = "0123456789ABCDEF";
	struct found_list found = {0};
	int r = 0;

	for (size_t i = 0; r >= 0 && digits[i]; i++)
		r = scan_folder(digits[i], &found, err);
	if (r >= 0) {
		struct task_index *index = xcalloc(1, sizeof(*index));

		list_init(&index->entries);
		list_init(&index->old);
		index->by_upid = map_new();
		if (found.count > 0)
			qsort(found.items, found.count, sizeof(*found.items), newest_first);
		for (size_t i = 0; i < found.count; i++)
			take_found(index, found.items[i].upid);
		drop_oldest_logs(index);
		*ret = index;
	}
	for (size_t i = 0; i < found.count; i++)
		free(found.items[i].upid);
	free(found.items);
	return r;
}

void task_index_free(struct task_index *index)
{
	if (!index)
		return;
	LIST_FOREACH (&index->entries, e, struct entry, link) {
		entry_free(index, e);
	}
	LIST_FOREACH (&index->old, old, struct old_name, link) {
		free(old);
	}
	map_free(index->by_upid, NULL);
	free(index);
}
