/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Following a task: its log as it grows (not where JSON is wanted), its end as the exit code. */
#include "agent/cli/cli.h"

#include <inttypes.h>
#include <time.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/base/upid.h"

#define LINES_AT_ONCE 500
#define PAUSE_MIN_MS  50
#define PAUSE_MAX_MS  1000

static int print_new_lines(const char *node, const char *upid, size_t *shown, struct err *err)
{
	autofree char *path = xasprintf("/nodes/%s/tasks/%s/log", node, upid);

	for (;;) {
		autofields params = FIELDS_INIT;
		autojson *lines = NULL;
		autobuf text = BUF_INIT;
		size_t n;
		int r;

		fields_addf(&params, "start", "%zu", *shown);
		fields_addf(&params, "limit", "%d", LINES_AT_ONCE);
		r = cli_call("GET", path, &params, -1, &lines, err);
		if (r < 0)
			return r;
		n = json_object_array_length(lines);
		for (size_t i = 0; i < n; i++) {
			struct json_object *line = json_object_array_get_idx(lines, i);

			if ((size_t)cli_member_int(line, "n") <= *shown)
				continue;
			*shown = (size_t)cli_member_int(line, "n");
			cli_text_add(&text, cli_member(line, "t"));
			puts(buf_str(&text));
			buf_clear(&text);
		}
		if (n < LINES_AT_ONCE)
			return fflush(stdout), 0;
	}
}

static void pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000},
		  NULL);
}

static int ended(const char *exit_text, struct err *err)
{
	if (str_eq(exit_text, "OK") || str_starts(exit_text, "WARNINGS"))
		return 0;
	return err_set(err, ERR_IO, "the task failed: %s", exit_text);
}

/* Until its end; with its log where that is wanted. */
static int follow(const char *upid, bool prints, struct err *err)
{
	struct upid id;
	size_t shown = 0;
	unsigned pause = PAUSE_MIN_MS;
	int r = upid_parse(upid, &id, err);

	while (r == 0) {
		autojson *status = NULL;
		size_t before = shown;

		/* the state is asked before the log, so that the last lines are never missed */
		if ((r = cli_get(&status, err, "/nodes/%s/tasks/%s/status", id.node, upid)) < 0 ||
		    (prints && (r = print_new_lines(id.node, upid, &shown, err)) < 0))
			return r;
		if (str_eq(cli_member(status, "status"), "stopped"))
			return ended(cli_member(status, "exitstatus"), err);
		pause = shown > before		   ? PAUSE_MIN_MS
			: pause * 2 < PAUSE_MAX_MS ? pause * 2
						   : PAUSE_MAX_MS;
		pause_ms(pause);
	}
	return r;
}

int cli_task_follow(const char *upid, struct err *err)
{
	return follow(upid, true, err);
}

int cli_task_wait(const char *upid, struct err *err)
{
	return follow(upid, false, err);
}

/* As JSON it is printed before the end is known: who is interrupted, or sees it fail, can ask for its log. */
int cli_task_result(const struct cli *cli, struct json_object *upid, struct err *err)
{
	const char *text = json_object_get_string(upid);
	bool is_task = text && str_starts(text, "UPID:");

	if (cli->wants_json || (upid && !is_task))
		cli_json_print(stdout, upid);
	else if (is_task && cli->no_wait)
		puts(text);
	fflush(stdout);
	if (!is_task || cli->no_wait)
		return 0;
	return cli->wants_json ? cli_task_wait(text, err) : cli_task_follow(text, err);
}
