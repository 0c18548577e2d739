/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands on storages: storage, download. */
#include "agent/cli/cli.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static const struct cli_column columns[] = {
	{"STORAGE", "storage", CLI_TEXT}, {"TYPE", "type", CLI_TEXT},
	{"ACTIVE", "active", CLI_TEXT},	  {"USED", "used", CLI_BYTES},
	{"AVAIL", "avail", CLI_BYTES},	  {"TOTAL", "total", CLI_BYTES},
	{"CONTENT", "content", CLI_TEXT},
};

static int list(struct cli *cli, struct err *err)
{
	autofree char *node = NULL;
	autojson *rows = NULL;
	int r = cli_node(&node, err);

	if (r == 0)
		r = cli_get(&rows, err, "/nodes/%s/storage", node);
	if (r < 0)
		return r;
	if (cli->wants_json)
		cli_json_print(stdout, rows);
	else
		cli_table_print(stdout, columns, ARRAY_SIZE(columns), rows);
	return 0;
}

static int add(struct cli *cli, struct err *err)
{
	autojson *made = NULL;
	const char *name, *type;
	int r;

	if ((r = cli_word(cli, 1, "the new storage's name", &name, err)) < 0 ||
	    (r = cli_word(cli, 2, "its type, as dir or btrfs", &type, err)) < 0)
		return r;
	fields_set(&cli->options, "storage", name);
	fields_set(&cli->options, "type", type);
	return cli_call("POST", "/storage", &cli->options, -1, &made, err);
}

static int set(struct cli *cli, struct err *err)
{
	autojson *changed = NULL;
	const char *name;
	int r = cli_word(cli, 1, "the storage", &name, err);

	if (r < 0)
		return r;
	autofree char *path = xasprintf("/storage/%s", name);

	return cli_call("PUT", path, &cli->options, -1, &changed, err);
}

/* Guests that have volumes there; a storage that does not answer has none that can be seen. */
static unsigned count_volumes(const char *name)
{
	autofree char *node = NULL;
	autojson *rows = NULL;
	unsigned count = 0;

	if (cli_node(&node, NULL) < 0 ||
	    cli_get(&rows, NULL, "/nodes/%s/storage/%s/content", node, name) < 0)
		return 0;
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		const char *content = cli_member(json_object_array_get_idx(rows, i), "content");

		count += str_eq(content, "images") || str_eq(content, "rootdir");
	}
	return count;
}

static int remove_one(struct cli *cli, struct err *err)
{
	autojson *nothing = NULL;
	const char *name;
	int r = cli_word(cli, 1, "the storage", &name, err);

	if (r < 0)
		return r;
	unsigned volumes = count_volumes(name);

	if (volumes > 0 && !fields_find(&cli->options, "yes"))
		return err_set(
			err, ERR_BUSY,
			"storage '%s' holds %u volumes of guests; its content stays where it "
			"is, but the guests will not find it: say --yes if that is meant",
			name, volumes);
	autofree char *path = xasprintf("/storage/%s", name);

	return cli_call("DELETE", path, NULL, -1, &nothing, err);
}

static const struct {
	const char *name;
	int (*run)(struct cli *cli, struct err *err);
} verbs[] = {{"list", list}, {"add", add}, {"set", set}, {"remove", remove_one}};

int cli_storage(struct cli *cli, struct err *err)
{
	const char *verb = cli->word_count ? cli->words[0] : "list";

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_eq(verbs[i].name, verb))
			return verbs[i].run(cli, err);
	return err_set(err, ERR_INVALID, "'%s' is none of list, add, set, remove", verb);
}

/* The last part of the path, without query. */
static char *name_in(const char *url)
{
	const char *path = strstr(url, "://");
	autofree char *plain = xstrndup(url, strcspn(url, "?#"));
	const char *slash = strrchr(plain, '/');

	return path && slash && slash[1] && slash > plain + (path - url) + 2 ? xstrdup(slash + 1)
									     : xstrdup("");
}

int cli_download(struct cli *cli, struct err *err)
{
	autofree char *node = NULL;
	const char *url, *target, *colon;
	autojson *upid = NULL;
	int r;

	if ((r = cli_word(cli, 0, "the address of the file", &url, err)) < 0 ||
	    (r = cli_word(cli, 1, "the target, as local:iso", &target, err)) < 0)
		return r;
	colon = strchr(target, ':');
	if (!colon)
		return err_set(err, ERR_INVALID, "'%s' is not STORAGE:CONTENT, as local:iso",
			       target);
	if ((r = cli_node(&node, err)) < 0)
		return r;
	autofree char *path = xasprintf("/nodes/%s/storage/%.*s/download-url", node,
					(int)(colon - target), target);
	autofree char *name = name_in(url);

	fields_set(&cli->options, "url", url);
	fields_set(&cli->options, "content", colon + 1);
	if (!fields_get(&cli->options, "filename"))
		fields_set(&cli->options, "filename", name);
	r = cli_call("POST", path, &cli->options, -1, &upid, err);
	return r < 0 ? r : cli_task_result(cli, upid, err);
}
