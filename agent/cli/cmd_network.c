/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node's network: list, set, remove, apply, revert, confirm. */
#include "agent/cli/cli.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/param.h"
#include "agent/base/str.h"

static const struct cli_column columns[] = {
	{"NAME", "iface", CLI_TEXT},	    {"TYPE", "type", CLI_TEXT},
	{"ADDRESS", "cidr", CLI_TEXT},	    {"GATEWAY", "gateway", CLI_TEXT},
	{"IPV6", "cidr6", CLI_TEXT},	    {"PORTS", "bridge_ports", CLI_TEXT},
	{"ACTIVE", "active", CLI_TEXT},	    {"OF", "managed", CLI_TEXT},
	{"COMMENTS", "comments", CLI_TEXT},
};

/* What a change of one key leaves as it is. */
static const char *const kept_keys[] = {"cidr", "cidr6",     "gateway",	     "gateway6", "comments",
					"mtu",	"comments6", "bridge_ports", "autostart"};

static int list(struct cli *cli, const char *path, struct err *err)
{
	autojson *rows = NULL, *changes = NULL;
	autobuf text = BUF_INIT;
	int r = cli_get_with(path, &cli->options, "changes", &rows, &changes, err);

	if (r < 0)
		return r;
	if (cli->wants_json) {
		cli_json_print(stdout, rows);
		return 0;
	}
	cli_table_print(stdout, columns, ARRAY_SIZE(columns), rows);
	if (changes) {
		cli_text_add(&text, json_object_get_string(changes));
		printf("\nnot applied yet ('lodge network apply', or 'revert'):\n%s",
		       buf_str(&text));
	}
	return 0;
}

static bool is_deleted(const struct fields *options, const char *key)
{
	const char *list_text = fields_get(options, "delete");
	autostrv char **keys = str_split(list_text ? list_text : "", " ,;");

	return strv_has(keys, key);
}

/* A call says all of an interface; a command only what shall be different. */
static void keep_others(struct fields *options, struct json_object *now)
{
	bool is_ours = str_eq(cli_member(now, "managed"), "lodge");

	if (!fields_get(options, "type"))
		fields_set(options, "type", now ? cli_member(now, "type") : "bridge");
	if (!is_ours && !fields_get(options, "autostart"))
		fields_set(options, "autostart", "1");
	for (size_t i = 0; is_ours && i < ARRAY_SIZE(kept_keys); i++) {
		const char *value = cli_member(now, kept_keys[i]);

		if (*value && !fields_get(options, kept_keys[i]) &&
		    !is_deleted(options, kept_keys[i]))
			fields_set(options, kept_keys[i], value);
	}
	fields_remove(options, "delete");
}

static int set(struct cli *cli, const char *path, struct err *err)
{
	autojson *now = NULL, *nothing = NULL;
	autofree char *one = NULL;
	const char *name;
	int r = cli_word(cli, 1, "the interface", &name, err);

	if (r < 0)
		return r;
	one = xasprintf("%s/%s", path, name);
	if (cli_call("GET", one, NULL, -1, &now, NULL) < 0)
		now = NULL;
	keep_others(&cli->options, now);
	if (now)
		return cli_call("PUT", one, &cli->options, -1, &nothing, err);
	fields_set(&cli->options, "iface", name);
	return cli_call("POST", path, &cli->options, -1, &nothing, err);
}

static int drop(struct cli *cli, const char *path, struct err *err)
{
	autojson *nothing = NULL;
	autofree char *one = NULL;
	const char *name;
	int r = cli_word(cli, 1, "the interface", &name, err);

	if (r < 0)
		return r;
	one = xasprintf("%s/%s", path, name);
	return cli_call("DELETE", one, &cli->options, -1, &nothing, err);
}

static int revert(struct cli *cli, const char *path, struct err *err)
{
	autojson *nothing = NULL;

	return cli_call("DELETE", path, &cli->options, -1, &nothing, err);
}

static int confirm(struct cli *cli, const char *path, struct err *err)
{
	autofree char *call = xasprintf("%s/confirm", path);
	autojson *nothing = NULL;

	return cli_call("POST", call, &cli->options, -1, &nothing, err);
}

/* Whoever can still type can still reach the node: a line read here confirms. It dies with the command. */
static pid_t start_listener(struct cli *cli, const char *path)
{
	struct err err = ERR_INIT;
	pid_t parent = getpid(), pid;
	char line[64];

	if (!isatty(STDIN_FILENO) || cli->no_wait)
		return 0;
	fputs("press Enter to keep the change, once it is made and waits for you\n",
	      cli->wants_json ? stderr : stdout);
	fflush(stdout);
	pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fields_remove(&cli->options, "confirm-timeout");
	fields_remove(&cli->options, "peer");
	while (getppid() == parent && fgets(line, sizeof(line), stdin)) {
		err = ERR_INIT;
		if (confirm(cli, path, &err) == 0)
			break;
		fprintf(stderr, "lodge: %s\n", err.message);
	}
	_exit(0);
}

/* SSH_CONNECTION is "ADDRESS PORT ADDRESS PORT", that of the other side first. */
static void add_peer(struct fields *options)
{
	const char *connection = getenv("SSH_CONNECTION");
	autofree char *address = xstrdup(connection ? connection : "");

	address[strcspn(address, " %")] = '\0'; /* without the zone of fe80::1%eth0 */
	if (!fields_get(options, "peer") && param_format_is_valid("ip", address))
		fields_set(options, "peer", address);
}

/* --yes: nobody is asked */
static int apply(struct cli *cli, const char *path, struct err *err)
{
	autojson *upid = NULL;
	pid_t listener;
	int r;

	if (fields_get(&cli->options, "yes"))
		fields_set(&cli->options, "confirm-timeout", "0");
	fields_remove(&cli->options, "yes");
	add_peer(&cli->options);
	r = cli_call("PUT", path, &cli->options, -1, &upid, err);
	if (r < 0)
		return r;
	listener = start_listener(cli, path);
	r = cli_task_result(cli, upid, err);
	if (listener > 0) {
		kill(listener, SIGKILL);
		waitpid(listener, NULL, 0);
	}
	return r;
}

static const struct {
	const char *name;
	int (*run)(struct cli *cli, const char *path, struct err *err);
} commands[] = {{"list", list},	  {"set", set},	      {"remove", drop},
		{"apply", apply}, {"revert", revert}, {"confirm", confirm}};

int cli_network(struct cli *cli, struct err *err)
{
	const char *name = cli->word_count > 0 ? cli->words[0] : "list";
	autofree char *node = NULL, *path = NULL;
	int r = cli_node(&node, err);

	if (r < 0)
		return r;
	path = xasprintf("/nodes/%s/network", node);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (str_eq(commands[i].name, name))
			return commands[i].run(cli, path, err);
	return err_set(err, ERR_INVALID,
		       "'%s' is none of list, set, remove, apply, revert, confirm", name);
}
