/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands on the history of configurations: history, diff, revert. */
#include "agent/cli/cli.h"

#include <inttypes.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static const struct cli_column columns[] = {
	{"VERSION", "version", CLI_TEXT}, {"TIME", "time", CLI_TIME},  {"USER", "user", CLI_TEXT},
	{"CHANGE", "change", CLI_TEXT},	  {"SIZE", "size", CLI_BYTES},
};

/* "101" is guest 101's configuration, "storage.cfg" is /storage.cfg. */
static int config_path(const struct cli *cli, char **ret, struct err *err)
{
	struct cli_guest guest = {0};
	const char *word;
	uint64_t vmid;
	int r = cli_word(cli, 0, "the path, as /storage.cfg, or a guest's id", &word, err);

	if (r < 0)
		return r;
	if (!str_to_u64(word, &vmid)) {
		*ret = xasprintf("%s%s", word[0] == '/' ? "" : "/", word);
		return 0;
	}
	r = cli_guest_find(word, &guest, err);
	if (r == 0)
		*ret = xasprintf("/nodes/%s/%s/%u.conf", guest.node, guest.kind, guest.vmid);
	cli_guest_fini(&guest);
	return r;
}

int cli_history(struct cli *cli, struct err *err)
{
	autofree char *path = NULL;
	autojson *rows = NULL;
	int r = config_path(cli, &path, err);

	if (r < 0)
		return r;
	fields_set(&cli->options, "path", path);
	r = cli_call("GET", "/cluster/history", &cli->options, -1, &rows, err);
	if (r < 0)
		return r;
	if (cli->wants_json)
		cli_json_print(stdout, rows);
	else
		cli_table_print(stdout, columns, ARRAY_SIZE(columns), rows);
	return 0;
}

/* The newest change: the version that it gave, 0 if it was a removal, and the one before. */
static int newest(const char *path, uint64_t *ret, uint64_t *ret_previous, struct err *err)
{
	autofields params = FIELDS_INIT;
	autojson *rows = NULL;
	struct json_object *row;
	int r;

	fields_add(&params, "path", path);
	fields_add(&params, "limit", "1");
	r = cli_call("GET", "/cluster/history", &params, -1, &rows, err);
	if (r < 0)
		return r;
	if (json_object_array_length(rows) == 0)
		return err_set(err, ERR_NOT_FOUND, "no changes of %s are kept", path);
	row = json_object_array_get_idx(rows, 0);
	*ret_previous = (uint64_t)cli_member_int(row, "previous");
	*ret = str_eq(cli_member(row, "change"), "deleted")
		       ? 0
		       : (uint64_t)cli_member_int(row, "version");
	return 0;
}

/* Version 0 is that of nothing: an empty text. */
static int get_value(const char *path, uint64_t version, struct json_object **ret, struct err *err)
{
	autofields params = FIELDS_INIT;

	if (version == 0) {
		*ret = NULL;
		return 0;
	}
	fields_add(&params, "path", path);
	fields_addf(&params, "version", "%" PRIu64, version);
	return cli_call("GET", "/cluster/history/value", &params, -1, ret, err);
}

static int print_diff(const char *path, uint64_t from, uint64_t to, struct err *err)
{
	autofree char *old_name = xasprintf("%s version %" PRIu64, path, from);
	autofree char *new_name = xasprintf("%s version %" PRIu64, path, to);
	autojson *old = NULL, *new = NULL;
	autobuf out = BUF_INIT;
	int r;

	if ((r = get_value(path, from, &old, err)) < 0 || (r = get_value(path, to, &new, err)) < 0)
		return r;
	cli_diff(&out, &(struct cli_text){from ? old_name : "/dev/null", cli_member(old, "value")},
		 &(struct cli_text){to ? new_name : "/dev/null", cli_member(new, "value")});
	fputs(buf_str(&out), stdout);
	return 0;
}

static int word_version(const struct cli *cli, size_t index, uint64_t *ret, struct err *err)
{
	const char *word;
	int r = cli_word(cli, index, "the version", &word, err);

	if (r < 0)
		return r;
	if (!str_to_u64(word, ret) || *ret == 0)
		return err_set(err, ERR_INVALID,
			       "'%s' is not a version ('lodge history' lists them)", word);
	return 0;
}

/* diff PATH: the newest change. diff PATH VERSION: what changed since. diff PATH VERSION VERSION. */
int cli_config_diff(struct cli *cli, struct err *err)
{
	autofree char *path = NULL;
	uint64_t from = 0, to = 0;
	int r = config_path(cli, &path, err);

	if (r == 0 && cli->word_count < 3)
		r = newest(path, &to, &from, err);
	if (r == 0 && cli->word_count > 1)
		r = word_version(cli, 1, &from, err);
	if (r == 0 && cli->word_count > 2)
		r = word_version(cli, 2, &to, err);
	return r < 0 ? r : print_diff(path, from, to, err);
}

/* Empty where nothing was typed or nobody can be asked. */
static bool is_agreed(void)
{
	char line[16];

	if (!isatty(STDIN_FILENO))
		return false;
	fflush(stdout);
	fprintf(stderr, "Bring this version back? [y/N] ");
	return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

/* Shows what will be changed, and holds the node to it by the digest of what was compared. */
static int revert_shown(struct cli *cli, const char *path, uint64_t version, struct err *err)
{
	autojson *now = NULL, *nothing = NULL;
	uint64_t current = 0, previous;
	int r = newest(path, &current, &previous, err);

	if (r == 0 && current == 0)
		return err_set(err, ERR_NOT_FOUND, "%s does not exist", path);
	if (r < 0 || (r = get_value(path, current, &now, err)) < 0)
		return r;
	if (!fields_get(&cli->options, "yes")) {
		if ((r = print_diff(path, current, version, err)) < 0)
			return r;
		if (!is_agreed())
			return err_set(err, ERR_CANCELLED,
				       "nothing was changed; --yes does not ask");
	}
	fields_remove(&cli->options, "yes");
	fields_set(&cli->options, "path", path);
	fields_set(&cli->options, "digest", cli_member(now, "digest"));
	fields_set(&cli->options, "version", cli->words[1]);
	return cli_call("POST", "/cluster/history/revert", &cli->options, -1, &nothing, err);
}

int cli_revert(struct cli *cli, struct err *err)
{
	autofree char *path = NULL;
	uint64_t version = 0;
	int r = config_path(cli, &path, err);

	if (r == 0)
		r = word_version(cli, 1, &version, err);
	return r < 0 ? r : revert_shown(cli, path, version, err);
}
