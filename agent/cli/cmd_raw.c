/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that are the API itself: get, put, post, delete, api, help. */
#include "agent/cli/cli.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static int raw(struct cli *cli, const char *verb, struct err *err)
{
	autojson *data = NULL;
	const char *path, *text;
	int r;

	if ((r = cli_word(cli, 0, "the path, as /cluster/resources", &path, err)) < 0 ||
	    (r = cli_call(verb, path, &cli->options, -1, &data, err)) < 0)
		return r;
	text = json_object_is_type(data, json_type_string) ? json_object_get_string(data) : NULL;
	if (text && str_starts(text, "UPID:") && !str_eq(verb, "GET"))
		return cli_task_result(cli, data, err);
	cli_json_print(stdout, data);
	return 0;
}

int cli_raw_get(struct cli *cli, struct err *err)
{
	return raw(cli, "GET", err);
}

int cli_raw_put(struct cli *cli, struct err *err)
{
	return raw(cli, "PUT", err);
}

int cli_raw_post(struct cli *cli, struct err *err)
{
	return raw(cli, "POST", err);
}

int cli_raw_delete(struct cli *cli, struct err *err)
{
	return raw(cli, "DELETE", err);
}

int cli_api(struct cli *cli, struct err *err)
{
	autojson *data = NULL;
	int r = cli_get(&data, err, "/lodge/api");

	(void)cli;
	if (r == 0)
		cli_json_print(stdout, data);
	return r;
}

static void print_param(const char *name, struct json_object *param)
{
	struct json_object *optional = NULL;
	bool is_optional = json_object_object_get_ex(param, "optional", &optional) &&
			   json_object_get_int(optional) != 0;

	printf("  --%-22s %-8s %s%s\n", name, cli_member(param, "type"),
	       is_optional ? "" : "(required) ", cli_member(param, "description"));
}

/* The parameters of the route behind a command, out of the core's own tables. */
static int print_route(const char *route, struct err *err)
{
	autojson *rows = NULL;
	int r = cli_get(&rows, err, "/lodge/api");

	if (r < 0)
		return r;
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i), *params = NULL;
		autofree char *name =
			xasprintf("%s %s", cli_member(row, "method"), cli_member(row, "path"));

		if (!str_eq(name, route) || !json_object_object_get_ex(row, "params", &params))
			continue;
		printf("\nOptions:\n");
		json_object_object_foreach(params, key, param)
		{
			autofree char *in_path = xasprintf("{%s}", key);

			if (!strstr(route, in_path))
				print_param(key, param);
		}
	}
	return 0;
}

static void print_commands(void)
{
	printf("Usage: lodge COMMAND [WORD…] [--OPTION VALUE…] [--json]\n\nCommands:\n");
	for (const struct cli_command *c = cli_commands; c->name; c++)
		printf("  %-9s %-34s %s\n", c->name, c->usage, c->text);
	printf("\n'lodge help COMMAND' shows a command's options.\n");
}

int cli_help(struct cli *cli, struct err *err)
{
	const struct cli_command *command;

	if (cli->word_count == 0) {
		print_commands();
		return 0;
	}
	command = cli_command_find(cli->words[0]);
	if (!command)
		return err_set(err, ERR_INVALID, "there is no command '%s'", cli->words[0]);
	printf("Usage: lodge %s %s\n%s\n", command->name, command->usage, command->text);
	return command->route ? print_route(command->route, err) : 0;
}
