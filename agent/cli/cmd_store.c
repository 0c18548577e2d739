/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store of this node without its core: looked at, saved, made anew. */
#include "agent/cli/cmd_store.h"

#include <string.h>

#include "agent/base/digest.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

int store_folder(const struct cli *cli, const char *const *options, char **ret, struct err *err)
{
	const char *given = fields_get(&cli->options, "db");

	for (size_t i = 0; i < cli->options.count; i++) {
		const char *name = cli->options.items[i].name;
		bool is_known = str_eq(name, "db");

		for (const char *const *o = options; *o; o++)
			is_known = is_known || str_eq(name, *o);
		if (!is_known)
			return err_field(err, name, "there is no such option");
	}
	if (given && given[0] == '\0')
		return err_field(err, "db", "is empty");
	*ret = given ? xstrdup(given) : path_join(path_state(), "db");
	for (size_t n = strlen(*ret); n > 1 && (*ret)[n - 1] == '/'; n--)
		(*ret)[n - 1] = '\0';
	return 0;
}

int store_look(const char *folder, struct db **ret, struct err *err)
{
	const struct db_options options = {
		.directory = folder, .run = path_run(), .is_reader = true};
	int r = db_open(&options, ret, err);

	return r == -ERR_BUSY ? err_set(err, ERR_BUSY, "the store is in use: stop lodged first")
			      : r;
}

void store_id_text(const struct uuid *id, char ret[33])
{
	autobuf hex = BUF_INIT;

	digest_hex(id->bytes, sizeof(id->bytes), &hex);
	str_copy(ret, 33, buf_str(&hex));
}

static const struct {
	const char *name;
	int (*run)(struct cli *cli, struct err *err);
} verbs[] = {
	{"check", store_check},
	{"dump", store_dump},
	{"restore", store_restore},
};

int cli_store(struct cli *cli, struct err *err)
{
	const char *word;
	int r = cli_word(cli, 0, "check, dump or restore", &word, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_eq(word, verbs[i].name))
			return verbs[i].run(cli, err);
	return err_set(err, ERR_INVALID, "'%s' is none of check, dump, restore", word);
}
