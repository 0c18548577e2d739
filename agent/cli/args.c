/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: words and options. */
#include "agent/cli/cli.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static void take_own(struct cli *cli)
{
	cli->wants_json = fields_get(&cli->options, "json") != NULL;
	cli->no_wait = fields_get(&cli->options, "no-wait") != NULL;
	fields_remove(&cli->options, "json");
	fields_remove(&cli->options, "no-wait");
}

/* flags of the CLI itself never take the next word as their value */
static bool is_flag(const char *name)
{
	return str_eq(name, "json") || str_eq(name, "no-wait") || str_eq(name, "help") ||
	       str_eq(name, "vnc") || str_eq(name, "yes");
}

static int add_option(struct cli *cli, const char *text, char **next, struct err *err)
{
	const char *equals = strchr(text, '=');
	autofree char *name = equals ? xstrndup(text, (size_t)(equals - text)) : xstrdup(text);

	if (name[0] == '\0')
		return err_set(err, ERR_INVALID, "an option has no name: --%s", text);
	if (equals)
		fields_add(&cli->options, name, equals + 1);
	else if (!is_flag(name) && *next && !str_starts(*next, "--"))
		return fields_add(&cli->options, name, *next), 1;
	else
		fields_add(&cli->options, name, "1");
	return 0;
}

int cli_args_parse(int argc, char **argv, struct cli *ret, struct err *err)
{
	struct cli cli = {.words = xcalloc((size_t)argc + 1, sizeof(char *))};
	bool only_words = false;
	int r = 0;

	for (int i = 2; r >= 0 && i < argc; i++) {
		if (!only_words && str_eq(argv[i], "--")) {
			only_words = true;
		} else if (!only_words && str_starts(argv[i], "--")) {
			r = add_option(&cli, argv[i] + 2, &argv[i + 1], err);
			i += r > 0;
		} else {
			cli.words[cli.word_count++] = argv[i];
		}
	}
	if (r < 0) {
		cli_args_fini(&cli);
		return r;
	}
	take_own(&cli);
	*ret = cli;
	return 0;
}

void cli_args_fini(struct cli *cli)
{
	free(cli->words);
	fields_fini(&cli->options);
}

int cli_word(const struct cli *cli, size_t index, const char *what, const char **ret,
	     struct err *err)
{
	if (index >= cli->word_count)
		return err_set(err, ERR_INVALID, "%s is missing", what);
	*ret = cli->words[index];
	return 0;
}
