/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the disk and SQLite allow: a log table that is appended to and trimmed, and nothing else. */
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "tests/bench/store/bench.h"

#define FILES_MAX  8
#define KEPT	   1000 /* values that stay in the log */
#define TRIM_EVERY 16	/* transactions */

struct file {
	pthread_t thread;
	char *path;
	unsigned writers;
	usec_t from, until;
	struct times times; /* of the transactions in that span */
};

static void must(sqlite3 *sql, int r)
{
	if (r != SQLITE_OK && r != SQLITE_DONE)
		bench_die("bare log: %s", sqlite3_errmsg(sql));
}

static void run(sqlite3 *sql, const char *text)
{
	must(sql, sqlite3_exec(sql, text, NULL, NULL, NULL));
}

static void append(sqlite3 *sql, sqlite3_stmt *add, sqlite3_stmt *trim, unsigned long n,
		   const struct buf *batch, unsigned writers)
{
	run(sql, "BEGIN IMMEDIATE");
	sqlite3_bind_int64(add, 1, (sqlite3_int64)n);
	sqlite3_bind_blob64(add, 2, batch->data, batch->size, SQLITE_STATIC);
	must(sql, sqlite3_step(add));
	sqlite3_reset(add);
	if (n % TRIM_EVERY == 0 && n > KEPT / writers) {
		sqlite3_bind_int64(trim, 1, (sqlite3_int64)(n - KEPT / writers));
		must(sql, sqlite3_step(trim));
		sqlite3_reset(trim);
	}
	run(sql, "COMMIT");
}

static void *file_main(void *arg)
{
	struct file *file = arg;
	sqlite3_stmt *add, *trim;
	autobuf batch = BUF_INIT;
	sqlite3 *sql;
	usec_t began;

	if (sqlite3_open_v2(file->path, &sql,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		bench_die("%s: %s", file->path, sqlite3_errmsg(sql));
	run(sql, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		 "CREATE TABLE log (first INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT");
	must(sql, sqlite3_prepare_v2(sql, "INSERT INTO log VALUES (?1, ?2)", -1, &add, NULL));
	must(sql, sqlite3_prepare_v2(sql, "DELETE FROM log WHERE first <= ?1", -1, &trim, NULL));
	for (unsigned n = 1; (began = clock_monotonic()) < file->until; n++) {
		buf_clear(&batch);
		for (unsigned i = 0; i < file->writers; i++) {
			char value[BENCH_VALUE_SIZE];

			random_bytes(value, sizeof(value));
			buf_add(&batch, value, sizeof(value));
		}
		append(sql, add, trim, n, &batch, file->writers);
		if (began >= file->from)
			times_add(&file->times, clock_monotonic() - began);
	}
	sqlite3_finalize(add);
	sqlite3_finalize(trim);
	sqlite3_close(sql);
	return NULL;
}

/* A value counts once it is on a majority of the files: the middle one says how fast that goes. */
static void say(const struct file *files, unsigned count, unsigned writers, unsigned seconds)
{
	const struct file *middle = &files[0];

	for (unsigned i = 0; i < count; i++) {
		unsigned slower = 0;

		for (unsigned k = 0; k < count; k++)
			slower += files[k].times.count < files[i].times.count ||
				  (files[k].times.count == files[i].times.count && k < i);
		if (slower == count / 2)
			middle = &files[i];
	}
	struct times times = middle->times;

	bench_say("rate", (double)times.count * writers / seconds);
	times_say(&times);
}

void bench_bare(const char *folder, unsigned count, unsigned writers, unsigned seconds)
{
	struct file files[FILES_MAX] = {0};
	usec_t from = clock_monotonic() + USEC_PER_SEC / 2;

	if (count > FILES_MAX || count == 0 || writers == 0)
		bench_die("at most %d files, at least one writer", FILES_MAX);
	for (unsigned i = 0; i < count; i++) {
		files[i] = (struct file){.path = xasprintf("%s/bare-%u.db", folder, i),
					 .writers = writers,
					 .from = from,
					 .until = from + seconds * USEC_PER_SEC};
		pthread_create(&files[i].thread, NULL, file_main, &files[i]);
	}
	for (unsigned i = 0; i < count; i++)
		pthread_join(files[i].thread, NULL);
	say(files, count, writers, seconds);
	for (unsigned i = 0; i < count; i++) {
		times_fini(&files[i].times);
		free(files[i].path);
	}
}

void bench_sync(const char *folder, unsigned seconds)
{
	autofree char *path = xasprintf("%s/sync", folder);
	autofd int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	usec_t until = clock_monotonic() + seconds * USEC_PER_SEC, began;
	struct times times = {0};
	char page[4096];

	random_bytes(page, sizeof(page));
	while ((began = clock_monotonic()) < until) {
		if (write(fd, page, sizeof(page)) != sizeof(page) || fdatasync(fd) < 0)
			bench_die("%s: no sync", path);
		times_add(&times, clock_monotonic() - began);
	}
	bench_say("rate", (double)times.count / seconds);
	times_say(&times);
	times_fini(&times);
}
