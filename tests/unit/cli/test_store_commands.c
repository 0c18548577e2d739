/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge store on databases of several voters, and with orphans: what a node alone never has. */
#include "tests/unit/cluster/stores.h"

#include <dirent.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "agent/cli/cmd_store.h"
#include "agent/cli/store_dump.h"

static char folder[] = "/dev/shm/lodge-cmd-XXXXXX";

static int run(const char *verb, const char *word, const char *db, const char *option,
	       const char *value, struct err *err)
{
	char *words[] = {(char *)verb, (char *)word, NULL};
	struct cli cli = {.words = words, .word_count = word ? 2 : 1, .options = FIELDS_INIT};
	int r;

	*err = ERR_INIT;
	fields_add(&cli.options, "db", db);
	if (option)
		fields_add(&cli.options, option, value);
	r = cli_store(&cli, err);
	fields_fini(&cli.options);
	return r;
}

static void must_run(const char *verb, const char *word, const char *db, const char *option,
		     const char *value)
{
	struct err err;

	if (run(verb, word, db, option, value, &err) < 0)
		fail_msg("%s: %s", verb, err.message);
}

/* The lines of a dump, without header and end: values only. The header by itself. */
static void read_dump(const char *path, struct store_dump_line *ret_header, struct buf *ret_values)
{
	struct store_dump dump = {0};
	autobuf text = BUF_INIT;
	autostrv char **lines = NULL;

	assert_int_equal(file_read(path, 1 << 24, &text, NULL), 0);
	lines = str_split(buf_str(&text), "\n");
	for (size_t i = 0; lines[i]; i++) {
		struct store_dump_line line;

		assert_int_equal(store_dump_take(&dump, lines[i], strlen(lines[i]), &line, NULL),
				 0);
		if (line.kind == STORE_DUMP_HEADER)
			*ret_header = line;
		if (line.kind == STORE_DUMP_VALUE)
			buf_addf(ret_values, "%s=%s;", line.path, buf_str(&line.value));
		store_dump_line_fini(&line);
	}
	assert_true(dump.is_complete);
}

static void several_voters(void **state)
{
	autofree char *file = xasprintf("%s/dump", folder), *db = xasprintf("%s/db", folder);
	autofree char *again = xasprintf("%s/again", folder);
	struct store_dump_line header, second;
	autobuf values = BUF_INIT, same = BUF_INIT;
	struct store_identity id = *store_identity(stores_at(1));
	uint64_t applied;
	struct stat st;
	struct err err;

	(void)state;
	stores_put(1, "/a", "1");
	stores_put(1, "/priv/key", "2");
	STORES_UNTIL(stores_all_have("/priv/key", "2"));
	applied = store_applied(stores_at(2));
	assert_int_equal(run("dump", NULL, stores.nodes[2].directory, "file", file, &err),
			 -ERR_BUSY);
	stores_kill(2); /* what it applied last is not settled */
	must_run("check", NULL, stores.nodes[2].directory, NULL, NULL);
	must_run("dump", NULL, stores.nodes[2].directory, "file", file);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	read_dump(file, &header, &values);
	assert_string_equal(buf_str(&values), "/a=1;/priv/key=2;");
	assert_string_equal(header.cluster, id.cluster_id);
	assert_int_equal(header.voters, 3);
	assert_int_equal(header.index, applied);
	assert_true(header.committed <= header.index);

	must_run("restore", file, db, NULL, NULL);
	assert_int_equal(run("restore", file, db, NULL, NULL, &err), -ERR_EXISTS);
	must_run("check", NULL, db, NULL, NULL);
	must_run("dump", NULL, db, "file", again);
	read_dump(again, &second, &same);
	assert_string_equal(buf_str(&values), buf_str(&same));
	assert_string_not_equal(header.cluster, second.cluster);
	assert_string_not_equal(header.incarnation, second.incarnation);
	assert_int_equal(second.voters, 1);
	assert_int_equal(second.committed, second.index);
}

/* ---- the place of a new store ---- */

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static void make_file(const char *folder_name, const char *name)
{
	autofree char *below = xasprintf("%s/%s", folder_name, name), *path = path_of(below);
	autofree char *above = path_of(folder_name);

	assert_int_equal(dir_make(above, 0700, NULL), 0);
	assert_int_equal(file_write_atomic(path, "x", 1, 0600, NULL), 0);
}

static char *make_dump(void)
{
	char *file = path_of("dump");

	stores_put(1, "/a", "1");
	stores_kill(1);
	must_run("dump", NULL, stores.nodes[1].directory, "file", file);
	return file;
}

static unsigned count_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void a_folder_of_something_else_stays(void **state)
{
	static const char *const files[] = {"images", "lodge.db-wal", "lodge.db.old"};
	autofree char *file = make_dump();
	unsigned before;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		autofree char *place = xasprintf("%s/other%zu", folder, i);
		autofree char *inside = xasprintf("%s/%s", place, files[i]);

		make_file(strrchr(place, '/') + 1, files[i]);
		before = count_entries(folder);
		assert_int_equal(run("restore", file, place, NULL, NULL, &err), -ERR_CONFLICT);
		assert_non_null(strstr(err.message, place));
		assert_non_null(strstr(err.message, files[i]));
		assert_int_equal(run("restore", file, place, "force", "1", &err), -ERR_CONFLICT);
		assert_int_equal(access(inside, F_OK), 0);
		assert_int_equal(count_entries(folder), before);
	}
}

static void left_overs_are_no_store(void **state)
{
	autofree char *file = make_dump(), *empty = path_of("empty"), *cut = path_of("cut");
	autofree char *db = path_of("cut/lodge.db");

	(void)state;
	make_file("empty", "lodge.reserve");
	must_run("restore", file, empty, NULL, NULL);
	must_run("check", NULL, empty, NULL, NULL);
	make_file("cut", "lodge.reserve");
	assert_int_equal(file_write_atomic(db, "", 0, 0600, NULL), 0);
	must_run("restore", file, cut, NULL, NULL);
	must_run("check", NULL, cut, NULL, NULL);
}

/* Where `name` in the folder went, as the kernel tells it; "": it did not go. */
static void read_where_to(int watch, const char *name, char *ret, size_t size)
{
	char data[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n = read(watch, data, sizeof(data));
	uint32_t cookie = 0;

	assert_true(n > 0);
	ret[0] = '\0';
	for (char *at = data; at < data + n;) {
		const struct inotify_event *e = (const struct inotify_event *)at;

		if ((e->mask & IN_MOVED_FROM) && str_eq(e->name, name))
			cookie = e->cookie;
		if ((e->mask & IN_MOVED_TO) && cookie && e->cookie == cookie && !ret[0])
			str_copy(ret, size, e->name);
		at += sizeof(*e) + e->len;
	}
}

/* It goes to where the new store was: at no moment is there none. */
static void the_old_store_is_exchanged(void **state)
{
	autofree char *file = make_dump(), *db = path_of("db");
	char where_to[NAME_MAX + 1];
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	unsigned before;

	(void)state;
	must_run("restore", file, db, NULL, NULL);
	before = count_entries(folder);
	assert_true(inotify_add_watch(watch, folder, IN_MOVE) >= 0);
	must_run("restore", file, db, "force", "1");
	read_where_to(watch, "db", where_to, sizeof(where_to));
	assert_true(str_starts(where_to, "db.new-"));
	close(watch);
	assert_int_equal(count_entries(folder), before + 1); /* db.old-… */
	must_run("check", NULL, db, NULL, NULL);
}

/* A leader that is alone with what it appended: another history wins. */
static void a_change_that_lost_is_shown(void **state)
{
	struct stores_change lost;
	struct db_report report;
	struct err err = ERR_INIT;
	struct db *db;

	(void)state;
	assert_int_equal(stores_leader(), 1);
	hub_cut(stores.hub, 1, 2, true);
	hub_cut(stores.hub, 1, 3, true);
	stores_submit(1, "/lost", "x", 200 * USEC_PER_MSEC, &lost);
	STORES_UNTIL(lost.is_back);
	stores_put(2, "/won", "y");
	hub_cut(stores.hub, 1, 2, false);
	hub_cut(stores.hub, 1, 3, false);
	stores_put(2, "/more", "z");
	STORES_UNTIL(stores_all_have("/more", "z"));
	assert_false(stores_has(1, "/lost", "x"));
	stores_kill(1);
	assert_int_equal(store_look(stores.nodes[1].directory, &db, &err), 0);
	db_check(db, &report);
	db_close(db);
	assert_int_equal(report.problem_count, 0);
	assert_int_equal(report.voters.count, 3);
	assert_true(report.orphan_count >= 1);
	assert_string_equal(buf_str(&report.orphans[0].paths), "/lost");
	assert_string_equal(report.orphans[0].who, "root@pam");
	assert_string_equal(report.orphans[0].kind, "transaction");
	db_report_fini(&report);
	must_run("check", NULL, stores.nodes[1].directory, NULL, NULL);
}

static int setup(void **state)
{
	strcpy(folder, "/dev/shm/lodge-cmd-XXXXXX");
	assert_non_null(mkdtemp(folder));
	return stores_setup(state);
}

static int teardown(void **state)
{
	dir_remove_tree(folder, NULL);
	return stores_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(several_voters),
		TEST(a_folder_of_something_else_stays),
		TEST(left_overs_are_no_store),
		TEST(the_old_store_is_exchanged),
		TEST(a_change_that_lost_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
