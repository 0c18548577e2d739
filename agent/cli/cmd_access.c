/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands on access: passwd, token. */
#include "agent/cli/cli.h"

#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define PASSWORD_MAX 256

static int read_line(const char *prompt, char ret[PASSWORD_MAX], struct err *err)
{
	struct termios before, silent;
	bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	char *line;

	if (is_terminal) {
		fprintf(stderr, "%s: ", prompt);
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	line = fgets(ret, PASSWORD_MAX, stdin);
	if (is_terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (!line)
		return err_set(err, ERR_INVALID, "no password was given");
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

static int read_password(char ret[PASSWORD_MAX], struct err *err)
{
	char again[PASSWORD_MAX];
	int r = read_line("New password", ret, err);

	if (r < 0 || !isatty(STDIN_FILENO))
		return r;
	r = read_line("Again", again, err);
	if (r == 0 && !str_eq(ret, again))
		r = err_set(err, ERR_INVALID, "the two passwords differ");
	explicit_bzero(again, sizeof(again));
	return r;
}

int cli_passwd(struct cli *cli, struct err *err)
{
	autofields params = FIELDS_INIT;
	autojson *nothing = NULL;
	char password[PASSWORD_MAX];
	const char *user;
	int r;

	if ((r = cli_word(cli, 0, "the user, as admin@pve", &user, err)) < 0 ||
	    (r = read_password(password, err)) < 0)
		return r;
	fields_add(&params, "userid", user);
	fields_add(&params, "password", password);
	explicit_bzero(password, sizeof(password));
	return cli_call("PUT", "/access/password", &params, -1, &nothing, err);
}

static const struct cli_column token_columns[] = {
	{"TOKEN", "tokenid", CLI_TEXT},
	{"PRIVSEP", "privsep", CLI_TEXT},
	{"EXPIRE", "expire", CLI_TEXT},
	{"COMMENT", "comment", CLI_TEXT},
};

static int token_call(struct cli *cli, const char *verb, const char *user, const char *token,
		      struct json_object **ret, struct err *err)
{
	autofree char *path = token ? xasprintf("/access/users/%s/token/%s", user, token)
				    : xasprintf("/access/users/%s/token", user);

	return cli_call(verb, path, &cli->options, -1, ret, err);
}

/* token list USER | token create USER NAME [options] | token remove USER NAME */
int cli_token(struct cli *cli, struct err *err)
{
	const char *what, *user, *name = NULL;
	autojson *data = NULL;
	int r;

	if ((r = cli_word(cli, 0, "list, create or remove", &what, err)) < 0 ||
	    (r = cli_word(cli, 1, "the user", &user, err)) < 0)
		return r;
	if (str_eq(what, "list")) {
		if ((r = token_call(cli, "GET", user, NULL, &data, err)) < 0)
			return r;
		if (cli->wants_json)
			cli_json_print(stdout, data);
		else
			cli_table_print(stdout, token_columns, ARRAY_SIZE(token_columns), data);
		return 0;
	}
	if ((r = cli_word(cli, 2, "the token's name", &name, err)) < 0)
		return r;
	if (str_eq(what, "remove"))
		return token_call(cli, "DELETE", user, name, &data, err);
	if (!str_eq(what, "create"))
		return err_set(err, ERR_INVALID, "'%s' is none of list, create, remove", what);
	r = token_call(cli, "POST", user, name, &data, err);
	if (r < 0)
		return r;
	if (cli->wants_json)
		cli_json_print(stdout, data);
	else
		printf("%s=%s\n", cli_member(data, "full-tokenid"), cli_member(data, "value"));
	return 0;
}
