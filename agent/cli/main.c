/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge: the command line, over the core's local socket. */
#include "agent/cli/cli.h"

#include "agent/base/str.h"

static int run(int argc, char **argv, int *ret_code, struct err *err)
{
	const char *name = argc > 1 ? argv[1] : "help";
	const struct cli_command *command;
	struct cli cli;
	int r;

	if (str_eq(name, "--help") || str_eq(name, "-h"))
		name = "help";
	if (str_eq(name, "--version")) {
		puts("lodge " LODGE_VERSION);
		return 0;
	}
	command = cli_command_find(name);
	if (!command)
		return err_set(err, ERR_INVALID,
			       "there is no command '%s'; 'lodge help' lists them", name);
	r = cli_args_parse(argc, argv, &cli, err);
	if (r < 0)
		return r;
	r = command->run(&cli, err);
	*ret_code = cli.exit_code;
	cli_args_fini(&cli);
	return r;
}

/* 0: done, or the code of the program that was run; 1: refused or failed; 2: the command line is wrong */
int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	int code = 0;

	if (run(argc, argv, &code, &err) >= 0)
		return code;
	if (err.field[0])
		fprintf(stderr, "lodge: %s: %s\n", err.field, err.message);
	else
		fprintf(stderr, "lodge: %s\n", err.message);
	return err.code == ERR_INVALID ? 2 : 1;
}
