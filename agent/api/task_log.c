/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads windows of task logs by pread; owns the remembered line positions of a few files. Core's
 * loop; local files only. */
#include "agent/api/task_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define LOGS  8
#define STEP  256 /* every so many lines a position is kept */
#define CHUNK 65536

struct log_index {
	char *path; /* NULL: free slot */
	dev_t device;
	ino_t inode;
	uint64_t scanned, lines; /* bytes seen, complete lines in them */
	uint64_t tail;		 /* where the line after the last complete one starts */
	uint64_t *positions;	 /* of the lines 0, STEP, 2 * STEP, … */
	size_t count, capacity;
	uint64_t last_use;
};

static struct log_index logs[LOGS];
static uint64_t uses;

static void index_reset(struct log_index *log)
{
	free(log->path);
	free(log->positions);
	*log = (struct log_index){0};
}

void task_log_forget(void)
{
	for (size_t i = 0; i < LOGS; i++)
		index_reset(&logs[i]);
}

static void index_line_start(struct log_index *log, uint64_t position)
{
	log->tail = position;
	if (log->lines % STEP)
		return;
	if (log->count == log->capacity) {
		log->capacity = log->capacity ? log->capacity * 2 : 16;
		log->positions = xrealloc(log->positions, log->capacity, sizeof(*log->positions));
	}
	log->positions[log->count++] = position;
}

/* The index of this very file; a shorter or replaced one starts anew. */
static struct log_index *index_for(const char *path, const struct stat *st)
{
	struct log_index *log = &logs[0];
	for (size_t i = 0; i < LOGS; i++) {
		if (logs[i].path && str_eq(logs[i].path, path)) {
			log = &logs[i];
			break;
		}
		if (logs[i].last_use < log->last_use)
			log = &logs[i];
	}
	bool is_same = log->path && str_eq(log->path, path) && log->inode == st->st_ino &&
		       log->device == st->st_dev && log->scanned <= (uint64_t)st->st_size;
	if (!is_same) {
		index_reset(log);
		log->path = xstrdup(path);
		log->inode = st->st_ino;
		log->device = st->st_dev;
		index_line_start(log, 0);
	}
	log->last_use = ++uses;
	return log;
}

static ssize_t read_at(int fd, void *data, size_t size, uint64_t position)
{
	ssize_t n;
	do
		n = pread(fd, data, size, (off_t)position);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Counts the lines that came since the last call. */
static int index_scan(struct log_index *log, int fd, struct err *err)
{
	autofree char *chunk = xmalloc(CHUNK);
	for (uint64_t budget = TASK_LOG_SCAN_MAX; budget > 0;) {
		ssize_t n = read_at(fd, chunk, CHUNK, log->scanned);
		if (n < 0)
			return err_errno(err, errno, "read task log");
		if (n == 0)
			return 0;
		const char *end = chunk + n;
		for (const char *at = chunk; (at = memchr(at, '\n', (size_t)(end - at))); at++) {
			log->lines++;
			index_line_start(log, log->scanned + (uint64_t)(at - chunk) + 1);
		}
		log->scanned += (uint64_t)n;
		budget -= budget < (uint64_t)n ? budget : (uint64_t)n;
	}
	return 0;
}

/* Complete lines, and the unfinished one at the end. */
static uint64_t index_total(const struct log_index *log)
{
	return log->lines + (log->scanned > log->tail);
}

struct window {
	struct json *json;
	uint64_t skip;	 /* lines before the first wanted one */
	uint64_t number; /* of the line that is being read, from 1 */
	uint64_t left;	 /* lines still wanted */
	struct buf line;
};

static void window_line_end(struct window *w)
{
	if (w->skip > 0) {
		w->skip--;
	} else {
		json_object_begin(w->json);
		json_kv_uint(w->json, "n", w->number);
		json_key(w->json, "t");
		json_string_n(w->json, buf_str(&w->line), w->line.size);
		json_object_end(w->json);
		w->left--;
	}
	w->number++;
	buf_clear(&w->line);
}

static void window_add(struct window *w, const char *text, size_t size)
{
	if (w->skip == 0 && w->line.size < TASK_LOG_LINE_MAX) {
		size_t room = TASK_LOG_LINE_MAX - w->line.size;
		buf_add(&w->line, text, size < room ? size : room);
	}
}

static void window_chunk(struct window *w, const char *chunk, size_t size)
{
	const char *end = chunk + size;
	for (const char *at = chunk; at < end && w->left > 0;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		window_add(w, at, (size_t)((newline ? newline : end) - at));
		if (!newline)
			return;
		window_line_end(w);
		at = newline + 1;
	}
}

static int window_read(struct window *w, int fd, uint64_t position, uint64_t end, struct err *err)
{
	autofree char *chunk = xmalloc(CHUNK);
	size_t before = w->json->out->size;
	if (end - position > TASK_LOG_SCAN_MAX) /* a line without end is cut there */
		end = position + TASK_LOG_SCAN_MAX;
	while (w->left > 0 && position < end && w->json->out->size - before < TASK_LOG_BYTES_MAX) {
		size_t want = end - position < CHUNK ? (size_t)(end - position) : CHUNK;
		ssize_t n = read_at(fd, chunk, want, position);
		if (n < 0)
			return err_errno(err, errno, "read task log");
		if (n == 0)
			break;
		window_chunk(w, chunk, (size_t)n);
		position += (uint64_t)n;
	}
	if (w->left > 0 && position >= end && w->line.size > 0)
		window_line_end(w);
	return 0;
}

static int write_from(int fd, const struct log_index *log, uint64_t start, uint64_t limit,
		      struct json *j, struct err *err)
{
	size_t slot = (size_t)(start / STEP);
	struct window w = {.json = j, .skip = start % STEP, .left = limit};
	if (start >= index_total(log) || slot >= log->count)
		return 0;
	w.number = (uint64_t)slot * STEP + 1;
	int r = window_read(&w, fd, log->positions[slot], log->scanned, err);
	buf_fini(&w.line);
	return r;
}

int task_log_write(const char *path, uint64_t start, uint64_t limit, struct json *j,
		   uint64_t *ret_total, struct err *err)
{
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	json_array_begin(j);
	uint64_t total = 0;
	int r = 0;
	if (fd < 0 && errno != ENOENT)
		return err_errno(err, errno, "open task log");
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		struct log_index *log = index_for(path, &st);
		r = index_scan(log, fd, err);
		if (r == 0)
			r = write_from(fd, log, start, limit, j, err);
		total = index_total(log);
	}
	if (r < 0)
		return r;
	json_array_end(j);
	*ret_total = total;
	return 0;
}
