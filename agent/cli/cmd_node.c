/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands on the node: status, task, upload. */
#include "agent/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/base/upid.h"

static const struct cli_column storage_columns[] = {
	{"STORAGE", "storage", CLI_TEXT}, {"TYPE", "type", CLI_TEXT},
	{"ACTIVE", "active", CLI_TEXT},	  {"USED", "used", CLI_BYTES},
	{"OF", "total", CLI_BYTES},	  {"CONTENT", "content", CLI_TEXT},
};

static void print_node(struct json_object *status)
{
	struct json_object *memory = NULL;
	const struct cli_column used = {"", "used", CLI_BYTES}, total = {"", "total", CLI_BYTES};
	const struct cli_column uptime = {"", "uptime", CLI_DURATION},
				cpu = {"", "cpu", CLI_PERCENT};
	autobuf text = BUF_INIT;

	json_object_object_get_ex(status, "memory", &memory);
	buf_add_str(&text, "up ");
	cli_format(&text, &uptime, status);
	buf_add_str(&text, ", CPU ");
	cli_format(&text, &cpu, status);
	buf_add_str(&text, ", memory ");
	cli_format(&text, &used, memory);
	buf_add_str(&text, " of ");
	cli_format(&text, &total, memory);
	printf("%s\n%s\n", buf_str(&text), cli_member(status, "kversion"));
}

int cli_status(struct cli *cli, struct err *err)
{
	autojson *status = NULL, *storages = NULL, *kvm = NULL;
	autofree char *node = NULL;
	autobuf line = BUF_INIT;
	int r;

	if ((r = cli_node(&node, err)) < 0 ||
	    (r = cli_get(&status, err, "/nodes/%s/status", node)) < 0 ||
	    (r = cli_get(&storages, err, "/nodes/%s/storage", node)) < 0 ||
	    (r = cli_get(&kvm, err, "/nodes/%s/kvm", node)) < 0)
		return r;
	if (cli->wants_json) {
		cli_json_print(stdout, status);
		return 0;
	}
	printf("node %s, %s\n", node, cli_member(status, "pveversion"));
	print_node(status);
	cli_kvm_describe(kvm, &line);
	printf("%s\n\n", buf_str(&line));
	cli_table_print(stdout, storage_columns, ARRAY_SIZE(storage_columns), storages);
	return 0;
}

static const struct cli_column task_columns[] = {
	{"START", "starttime", CLI_TIME}, {"TYPE", "type", CLI_TEXT},
	{"ID", "id", CLI_TEXT},		  {"USER", "user", CLI_TEXT},
	{"STATUS", "status", CLI_TEXT},	  {"UPID", "upid", CLI_TEXT},
};

static int task_list(struct cli *cli, struct err *err)
{
	autofree char *node = NULL, *path = NULL;
	autojson *rows = NULL;
	int r = cli_node(&node, err);

	if (r < 0)
		return r;
	path = xasprintf("/nodes/%s/tasks", node);
	if (!fields_get(&cli->options, "source"))
		fields_add(&cli->options, "source", "all");
	r = cli_call("GET", path, &cli->options, -1, &rows, err);
	if (r < 0)
		return r;
	if (cli->wants_json)
		cli_json_print(stdout, rows);
	else
		cli_table_print(stdout, task_columns, ARRAY_SIZE(task_columns), rows);
	return 0;
}

static int task_stop(const char *upid, struct err *err)
{
	autofree char *path = NULL;
	autojson *nothing = NULL;
	struct upid id;
	int r = upid_parse(upid, &id, err);

	if (r < 0)
		return r;
	path = xasprintf("/nodes/%s/tasks/%s", id.node, upid);
	return cli_call("DELETE", path, NULL, -1, &nothing, err);
}

/* task [list] | task log UPID | task stop UPID */
int cli_task(struct cli *cli, struct err *err)
{
	const char *upid;
	int r;

	if (cli->word_count == 0 || str_eq(cli->words[0], "list"))
		return task_list(cli, err);
	if ((r = cli_word(cli, 1, "the task's UPID", &upid, err)) < 0)
		return r;
	if (str_eq(cli->words[0], "log"))
		return cli_task_follow(upid, err);
	if (str_eq(cli->words[0], "stop"))
		return task_stop(upid, err);
	return err_set(err, ERR_INVALID, "'%s' is none of list, log, stop", cli->words[0]);
}

/* upload FILE STORAGE:CONTENT [--filename NAME] */
int cli_upload(struct cli *cli, struct err *err)
{
	autofree char *storage = NULL, *node = NULL, *path = NULL;
	const char *file, *target, *colon, *slash;
	autojson *upid = NULL;
	autofd int fd = -1;
	int r;

	if ((r = cli_word(cli, 0, "the file", &file, err)) < 0 ||
	    (r = cli_word(cli, 1, "the target, as local:vztmpl", &target, err)) < 0)
		return r;
	colon = strchr(target, ':');
	if (!colon)
		return err_set(err, ERR_INVALID, "'%s' is not STORAGE:CONTENT, as local:vztmpl",
			       target);
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_errno(err, errno, "%s", file);
	if ((r = cli_node(&node, err)) < 0)
		return r;
	storage = xstrndup(target, (size_t)(colon - target));
	path = xasprintf("/nodes/%s/storage/%s/upload", node, storage);
	slash = strrchr(file, '/');
	fields_set(&cli->options, "content", colon + 1);
	if (!fields_get(&cli->options, "filename"))
		fields_set(&cli->options, "filename", slash ? slash + 1 : file);
	r = cli_call("POST", path, &cli->options, fd, &upid, err);
	return r < 0 ? r : cli_task_result(cli, upid, err);
}
