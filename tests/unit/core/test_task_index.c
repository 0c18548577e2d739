/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of tasks: order, bounds, old logs, and what is read back at start. */
#include "tests/unit/core/fixture.h"

#include "agent/base/str.h"
#include "agent/base/upid.h"
#include "agent/core/job_files.h"
#include "agent/core/task_index.h"

static int set_up(void **state)
{
	(void)state;
	fixture_make();
	assert_int_equal(job_files_make_folders(NULL), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_remove();
	return 0;
}

static void make_upid(unsigned number, struct upid *id, char text[UPID_MAX])
{
	*id = (struct upid){.node = "alpha",
			    .pid = 10,
			    .pid_start = 1,
			    .start_time = 1000 + number,
			    .type = "vzstart",
			    .id = "101",
			    .user = "root@pam"};
	assert_int_equal(upid_format(id, text, NULL), 0);
}

static void touch(const struct upid *id, const char *text, const char *suffix, const char *content)
{
	autofree char *path = job_file_log(id, text, suffix);
	autofd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, content, strlen(content), NULL), 0);
}

static bool has_log(unsigned number)
{
	struct upid id;
	char text[UPID_MAX];

	make_upid(number, &id, text);
	autofree char *path = job_file_log(&id, text, "");
	return access(path, F_OK) == 0;
}

static size_t count(const struct task_index *index)
{
	size_t n = 0;
	uint64_t before = UINT64_MAX;

	for (const struct task *t = NULL; (t = task_index_next(index, t)); n++) {
		assert_true(t->id.start_time <= before);
		before = t->id.start_time;
	}
	return n;
}

static void keeps_the_newest(void **state)
{
	struct task_index *index = NULL;
	struct upid id;
	char text[UPID_MAX];

	(void)state;
	assert_int_equal(task_index_load(&index, NULL), 0);
	for (unsigned i = 0; i < TASK_LOGS_MAX + 7; i++) {
		make_upid(i, &id, text);
		touch(&id, text, "", "");
		if (i % 1000 == 0)
			touch(&id, text, ".status", "5 OK\n");
		task_index_add(index, text, &id, 0);
		if (i > 0) /* the very first runs on */
			task_index_end(index, text, 5, "OK");
	}
	/* The one that runs is among them; the last one was still running when it was counted in.
	 */
	assert_int_equal(count(index), TASKS_IN_MEMORY);
	make_upid(0, &id, text);
	assert_int_equal(task_index_find(index, text)->state, TASK_RUNNING);
	assert_true(has_log(0));
	assert_false(has_log(1));
	assert_false(has_log(7));
	assert_true(has_log(8));
	task_index_free(index);
	assert_int_equal(task_index_load(&index, NULL), 0);
	assert_int_equal(count(index), TASKS_IN_MEMORY);
	make_upid(5000, &id, text);
	assert_string_equal(task_index_find(index, text)->exit_text, "OK");
	assert_int_equal(task_index_find(index, text)->guest, 101);
	make_upid(5001, &id, text);
	assert_int_equal(task_index_find(index, text)->state, TASK_RUNNING); /* no status yet */
	task_index_free(index);
}

static void status_texts(void **state)
{
	static const struct {
		const char *content;
		uint64_t end;
		const char *text; /* NULL: refused */
		bool is_unfinished;
	} cases[] = {
		{"17 OK\n", 17, "OK", false},
		{"17 no space left\nundo\n", 17, "no space left", true},
		{"17 no space left\nundo", 17, "no space left", false},
		{"17 undo\n", 17, "undo", false},
		{"17 a\nundone\n", 17, "a", false},
		{"17 WARNINGS: 3\n", 17, "WARNINGS: 3", false},
		{"17 a\tb\nmore\n", 17, "a b", false},
		{"17 OK", 0, NULL, false},
		{"17 \n", 0, NULL, false},
		{"OK\n", 0, NULL, false},
		{"x OK\n", 0, NULL, false},
		{"", 0, NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autostatus status = {0};
		int r = job_status_parse(cases[i].content, strlen(cases[i].content), &status, NULL);

		assert_int_equal(r, cases[i].text ? 0 : -ERR_CORRUPT);
		assert_true(status.end == cases[i].end);
		assert_true(str_eq(status.text, cases[i].text));
		assert_true(status.is_unfinished == cases[i].is_unfinished);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_the_newest, set_up, tear_down),
		cmocka_unit_test(status_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
