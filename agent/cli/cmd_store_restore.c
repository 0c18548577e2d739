/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `lodge store restore`: a new store that holds the values of a dump. It is made beside its place by the driver itself, and
 * moved there once it is whole. One line and one transaction of the dump are in memory at a time. */
#include "agent/cli/cmd_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/cli/store_dump.h"

#define OPS_MAX	    128
#define BYTES_MAX   (2u * 1024 * 1024)
#define ANSWER_TIME (60 * USEC_PER_SEC)

struct restoring {
	FILE *in;
	uint64_t line_number;
	struct store_dump dump;
	struct store *store;
	/* the next transaction; its ops point into the lines */
	struct store_dump_line lines[OPS_MAX];
	struct store_op ops[OPS_MAX];
	size_t count, bytes;
	bool is_answered;
	struct store_result result;
};

/* ---- transactions ---- */

static void on_done(const struct store_result *result, void *ctx)
{
	struct restoring *r = ctx;

	r->is_answered = true;
	r->result = *result;
}

static int wait_for_answer(struct restoring *r, struct err *err)
{
	usec_t deadline = clock_monotonic() + ANSWER_TIME;

	while (!r->is_answered) {
		struct pollfd p = {.fd = store_fd(r->store), .events = POLLIN};

		if (clock_left_ms(deadline) == 0)
			return err_set(err, ERR_TIMEOUT, "the disk does not answer");
		poll(&p, 1, clock_left_ms(deadline));
		store_dispatch(r->store);
	}
	if (r->result.outcome == STORE_DONE)
		return 0;
	*err = r->result.err;
	return err_prefix(err, "write the new store");
}

static void drop_lines(struct restoring *r)
{
	for (size_t i = 0; i < r->count; i++)
		store_dump_line_fini(&r->lines[i]);
	r->count = r->bytes = 0;
}

static int submit(struct restoring *r, struct err *err)
{
	const struct store_txn txn = {.who = "restore", .ops = r->ops, .op_count = r->count};
	int code;

	if (r->count == 0)
		return 0;
	r->is_answered = false;
	code = store_submit(r->store, &txn, on_done, r, err);
	if (code == 0)
		code = wait_for_answer(r, err);
	drop_lines(r);
	return code;
}

static int add_value(struct restoring *r, struct store_dump_line *line, struct err *err)
{
	struct store_dump_line *kept = &r->lines[r->count];

	*kept = *line;
	r->ops[r->count++] = (struct store_op){.kind = STORE_PUT,
					       .path = kept->path,
					       .value = kept->value.data ? kept->value.data : "",
					       .size = kept->value.size};
	r->bytes += kept->value.size;
	return r->count == OPS_MAX || r->bytes >= BYTES_MAX ? submit(r, err) : 0;
}

/* ---- the file ---- */

/* A line without its end. 0: the file is at its end. */
static int read_line(struct restoring *r, struct buf *ret, struct err *err)
{
	int c;

	buf_clear(ret);
	r->line_number++;
	while ((c = getc_unlocked(r->in)) != EOF && c != '\n') {
		if (ret->size == STORE_DUMP_LINE_MAX)
			return err_set(err, ERR_CORRUPT, "it is longer than any of a dump");
		buf_add_char(ret, (char)c);
	}
	if (c == EOF && ferror(r->in))
		return err_errno(err, errno, "read the dump");
	if (c == EOF && ret->size > 0)
		return err_set(err, ERR_CORRUPT, "it is cut short");
	return c != EOF;
}

static int take_line(struct restoring *r, const struct buf *text, struct err *err)
{
	struct store_dump_line line;
	int code = store_dump_take(&r->dump, text->data ? text->data : "", text->size, &line, err);

	if (code < 0)
		return code;
	if (line.kind == STORE_DUMP_VALUE)
		return add_value(r, &line, err);
	store_dump_line_fini(&line);
	return 0;
}

static int take_all(struct restoring *r, struct err *err)
{
	autobuf text = BUF_INIT;
	int code;

	while ((code = read_line(r, &text, err)) > 0)
		if ((code = take_line(r, &text, err)) < 0)
			break;
	if (code == 0 && !r->dump.is_complete)
		code = err_set(err, ERR_CORRUPT, "the end of the dump is missing");
	if (code < 0)
		return err_prefix(err, "line %" PRIu64, r->line_number);
	return submit(r, err);
}

/* ---- the new store ---- */

static int fill_store(struct restoring *r, const char *folder, const char *run, struct err *err)
{
	const struct store_options options = {.directory = folder, .node = "restore", .run = run};
	autofree char *marker = xasprintf("%s/%s", run, DB_FAILED_MARKER);
	int code = store_open(&options, &r->store, err);

	if (code < 0)
		return code;
	code = take_all(r, err);
	drop_lines(r);
	store_close(r->store);
	if (code == 0 && access(marker, F_OK) == 0)
		return err_set(err, ERR_IO, "a write to the new store failed");
	return code;
}

/* With a run folder of its own: what is known of the store that ran here does not concern the new one. */
static int make_store(const char *file, const char *folder, struct err *err)
{
	struct restoring *r = xcalloc(1, sizeof(*r));
	autofree char *run = xasprintf("%s/run", folder);
	int code = dir_make(run, 0700, err);

	if (code == 0 && !(r->in = fopen(file, "re")))
		code = err_errno(err, errno, "%s", file);
	if (code == 0 && (code = fill_store(r, folder, run, err)) < 0)
		err_prefix(err, "%s", file);
	if (r->in)
		fclose(r->in);
	free(r);
	dir_remove_tree(run, NULL);
	return code;
}

/* ---- the place ---- */

struct place {
	char *folder, *new;
	struct db *old; /* keeps others out; NULL: there is none, or it cannot be read */
	bool exists;
	bool is_taken; /* by the new store: what is at `new` now is the old one */
};

static bool is_empty(struct db *db)
{
	struct replica_disk disk;
	bool is;

	if (db_load(db, true, &disk, NULL) < 0)
		return false;
	is = disk.entry_count == 0 && (!disk.state || kv_bytes(disk.state->kv) == 0);
	db_disk_fini(&disk);
	return is;
}

/* What founding a store leaves behind when it is cut short. */
static bool is_left_over(const char *name, bool has_db)
{
	static const char *const beside_db[] = {"lodge.db", "lodge.db-wal", "lodge.db-journal"};
	bool is = str_eq(name, ".") || str_eq(name, "..") || str_eq(name, "lodge.reserve");

	for (size_t i = 0; has_db && i < ARRAY_SIZE(beside_db); i++)
		is = is || str_eq(name, beside_db[i]);
	return is;
}

/* A folder without a store is replaced only where nothing is in it: it may be the folder of something else. */
static int check_holds_nothing(const char *folder, struct err *err)
{
	autofree char *db = path_join(folder, "lodge.db");
	bool has_db = access(db, F_OK) == 0;
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return err_errno(err, errno, "look into %s", folder);
	while (r == 0 && (errno = 0, entry = readdir(dir)))
		if (!is_left_over(entry->d_name, has_db))
			r = err_set(err, ERR_CONFLICT,
				    "%s is no folder of a store: it holds '%s'; name one that is "
				    "empty, or is not there yet",
				    folder, entry->d_name);
	if (r == 0 && errno)
		r = err_errno(err, errno, "look into %s", folder);
	closedir(dir);
	return r;
}

/* What cannot be read may be replaced, what is in use may not. */
static int look_at_place(struct place *p, bool is_forced, struct err *err)
{
	struct err why = ERR_INIT;
	struct stat st;
	int r;

	p->exists = lstat(p->folder, &st) == 0;
	if (p->exists && !S_ISDIR(st.st_mode))
		return err_set(err, ERR_CONFLICT, "%s is no folder", p->folder);
	r = store_look(p->folder, &p->old, &why);
	if (r == -ERR_NOT_FOUND)
		return p->exists ? check_holds_nothing(p->folder, err) : 0;
	if (r == 0 && is_empty(p->old))
		return 0;
	if (r == -ERR_BUSY) {
		*err = why;
		return r;
	}
	if (is_forced)
		return 0;
	return err_set(err, ERR_EXISTS,
		       "there is a store in %s already; with --force it is kept beside as "
		       "%s.old-TIME",
		       p->folder, p->folder);
}

/* Named by the time; a second one of the same second gets a number. */
static char *name_of_old(const char *folder)
{
	struct tm tm;
	time_t now = time(NULL);
	char text[32];
	char *name;

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	name = xasprintf("%s.old-%s", folder, text);
	for (unsigned i = 2; access(name, F_OK) == 0; i++) {
		free(name);
		name = xasprintf("%s.old-%s-%u", folder, text, i);
	}
	return name;
}

/* On a machine where no core ran yet. */
static int make_above(const char *folder, struct err *err)
{
	const char *slash = strrchr(folder, '/');
	autofree char *above = xstrndup(folder, slash ? (size_t)(slash - folder) : 0);

	return above[0] ? dir_make(above, 0755, err) : 0;
}

static int sync_above(const char *folder, struct err *err)
{
	autofree char *above = xasprintf("%s/..", folder);
	autofd int fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_errno(err, errno, "sync %s", above);
	return 0;
}

static void say_kept(const char *kept)
{
	fprintf(stderr, "lodge: what was there is now in %s\n", kept);
}

/* On a file system that cannot exchange (NFS, some of FUSE). Who is killed between the two leaves no folder there:
 * the next lodged would found an empty store, until `kept` or `new` is moved there by hand. */
static int take_place_in_two(const struct place *p, const char *kept, struct err *err)
{
	int r;

	if (rename(p->folder, kept) < 0)
		return err_errno(err, errno, "keep %s as %s", p->folder, kept);
	if (rename(p->new, p->folder) == 0)
		return say_kept(kept), 0;
	r = err_errno(err, errno, "move the new store to %s", p->folder);
	if (rename(kept, p->folder) < 0)
		say_kept(kept);
	return r;
}

/* There is a store at each moment, the old one or the new one. */
static int replace(struct place *p, struct err *err)
{
	autofree char *kept = name_of_old(p->folder);

	if (renameat2(AT_FDCWD, p->new, AT_FDCWD, p->folder, RENAME_EXCHANGE) == 0) {
		p->is_taken = true;
		say_kept(rename(p->new, kept) == 0 ? kept : p->new);
		return 0;
	}
	if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return err_errno(err, errno, "move the new store to %s", p->folder);
	return take_place_in_two(p, kept, err);
}

static int take_place(struct place *p, struct err *err)
{
	int r = 0;

	if (p->exists)
		r = replace(p, err);
	else if (rename(p->new, p->folder) < 0)
		r = err_errno(err, errno, "move the new store to %s", p->folder);
	return r < 0 ? r : sync_above(p->folder, err);
}

static int restore_to(struct place *p, const char *file, bool is_forced, struct err *err)
{
	int r = look_at_place(p, is_forced, err);

	if (r < 0 || (r = make_above(p->folder, err)) < 0)
		return r;
	if (!mkdtemp(p->new))
		return err_errno(err, errno, "make %s", p->new);
	if ((r = make_store(file, p->new, err)) == 0)
		r = take_place(p, err);
	if (r < 0 && !p->is_taken)
		dir_remove_tree(p->new, NULL);
	return r;
}

int store_restore(struct cli *cli, struct err *err)
{
	const char *force = fields_get(&cli->options, "force");
	struct place place = {0};
	const char *file;
	int r;

	if (force && !str_eq(force, "1"))
		return err_field(err, "force", "takes no value; put it behind the file");
	if ((r = cli_word(cli, 1, "the file with the dump", &file, err)) < 0 ||
	    (r = store_folder(cli, (const char *const[]){"force", NULL}, &place.folder, err)) < 0)
		return r;
	place.new = xasprintf("%s.new-XXXXXX", place.folder);
	r = restore_to(&place, file, force != NULL, err);
	db_close(place.old);
	if (r == 0)
		printf("%s holds a new store\n", place.folder);
	free(place.folder);
	free(place.new);
	return r;
}
