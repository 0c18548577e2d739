/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands on guests: ls, create, start, stop, shutdown, reboot, destroy, config. */
#include "agent/cli/cli.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"

static const struct cli_column guest_columns[] = {
	{"ID", "vmid", CLI_TEXT},	    {"TYPE", "type", CLI_TEXT},
	{"NAME", "name", CLI_TEXT},	    {"NODE", "node", CLI_TEXT},
	{"STATUS", "status", CLI_TEXT},	    {"CPU", "cpu", CLI_PERCENT},
	{"MEMORY", "mem", CLI_BYTES},	    {"OF", "maxmem", CLI_BYTES},
	{"UPTIME", "uptime", CLI_DURATION}, {"TAGS", "tags", CLI_TEXT},
	{"ENDED", "reason", CLI_TEXT},	    {"CODE", "exit-code", CLI_TEXT},
};

int cli_ls(struct cli *cli, struct err *err)
{
	autofields params = FIELDS_INIT;
	autojson *rows = NULL;
	int r;

	fields_add(&params, "type", "vm");
	r = cli_call("GET", "/cluster/resources", &params, -1, &rows, err);
	if (r < 0)
		return r;
	if (cli->wants_json)
		cli_json_print(stdout, rows);
	else
		cli_table_print(stdout, guest_columns, ARRAY_SIZE(guest_columns), rows);
	return 0;
}

/* The id as a word, as --vmid, or the next free one. */
static int choose_id(struct cli *cli, struct err *err)
{
	autojson *next = NULL;
	int r;

	if (cli->word_count > 0)
		fields_set(&cli->options, "vmid", cli->words[0]);
	if (fields_get(&cli->options, "vmid"))
		return 0;
	r = cli_get(&next, err, "/cluster/nextid");
	if (r == 0)
		fields_set(&cli->options, "vmid", json_object_get_string(next));
	return r;
}

/* What has drives, or says how to be emulated, is a virtual machine. */
static bool is_machine(const struct fields *options)
{
	static const char *const stems[] = {"ide", "sata", "scsi", "virtio", "kvm"};

	for (size_t i = 0; i < options->count; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(stems); k++) {
			if (str_starts(options->items[i].name, stems[k]))
				return true;
		}
	}
	return false;
}

int cli_create(struct cli *cli, struct err *err)
{
	autofree char *node = NULL, *path = NULL;
	autojson *upid = NULL;
	bool is_vm = is_machine(&cli->options);
	int r;

	if (!is_vm && !fields_get(&cli->options, "ostemplate"))
		return err_field(
			err, "ostemplate",
			"--ostemplate is missing: 'lodge get /nodes/NODE/storage/local/content "
			"--content vztmpl' lists templates");
	if ((r = choose_id(cli, err)) < 0 || (r = cli_node(&node, err)) < 0)
		return r;
	path = xasprintf("/nodes/%s/%s", node, is_vm ? "qemu" : "lxc");
	r = cli_call("POST", path, &cli->options, -1, &upid, err);
	if (r < 0)
		return r;
	if (!cli->wants_json)
		printf("creating %s %s\n", is_vm ? "virtual machine" : "container",
		       fields_get(&cli->options, "vmid"));
	return cli_task_result(cli, upid, err);
}

int cli_guest_call(struct cli *cli, const char *word, const char *verb, const char *below,
		   struct err *err)
{
	struct cli_guest guest = {0};
	autofree char *path = NULL;
	autojson *result = NULL;
	int r = cli_guest_find(word, &guest, err);

	if (r < 0)
		return r;
	path = xasprintf("/nodes/%s/%s/%u%s", guest.node, guest.kind, guest.vmid, below);
	cli_guest_fini(&guest);
	r = cli_call(verb, path, &cli->options, -1, &result, err);
	return r < 0 ? r : cli_task_result(cli, result, err);
}

static int on_guest(struct cli *cli, const char *verb, const char *below, struct err *err)
{
	const char *word;
	int r = cli_word(cli, 0, "the guest's id", &word, err);

	return r < 0 ? r : cli_guest_call(cli, word, verb, below, err);
}

int cli_start(struct cli *cli, struct err *err)
{
	return on_guest(cli, "POST", "/status/start", err);
}

int cli_stop(struct cli *cli, struct err *err)
{
	return on_guest(cli, "POST", "/status/stop", err);
}

int cli_shutdown(struct cli *cli, struct err *err)
{
	return on_guest(cli, "POST", "/status/shutdown", err);
}

int cli_reboot(struct cli *cli, struct err *err)
{
	return on_guest(cli, "POST", "/status/reboot", err);
}

int cli_suspend(struct cli *cli, struct err *err)
{
	return on_guest(cli, "POST", "/status/suspend", err);
}

int cli_resume(struct cli *cli, struct err *err)
{
	return on_guest(cli, "POST", "/status/resume", err);
}

int cli_destroy(struct cli *cli, struct err *err)
{
	return on_guest(cli, "DELETE", "", err);
}

static int config_show(struct cli *cli, const struct cli_guest *guest, struct err *err)
{
	autojson *config = NULL;
	int r = cli_get(&config, err, "/nodes/%s/%s/%u/config", guest->node, guest->kind,
			guest->vmid);

	if (r < 0)
		return r;
	if (cli->wants_json) {
		cli_json_print(stdout, config);
		return 0;
	}
	json_object_object_foreach(config, key, value)
	{
		autobuf text = BUF_INIT;

		cli_text_add(&text, json_object_get_string(value));
		printf("%s: %s\n", key, buf_str(&text));
	}
	return 0;
}

int cli_config(struct cli *cli, struct err *err)
{
	struct cli_guest guest = {0};
	const char *word;
	int r;

	if ((r = cli_word(cli, 0, "the guest's id", &word, err)) < 0)
		return r;
	if (cli->options.count > 0)
		return on_guest(cli, "PUT", "/config", err);
	r = cli_guest_find(word, &guest, err);
	if (r == 0)
		r = config_show(cli, &guest, err);
	cli_guest_fini(&guest);
	return r;
}

static int on_all(struct cli *cli, const char *what, struct err *err)
{
	autofree char *node = NULL, *path = NULL;
	autojson *upid = NULL;
	int r;

	if ((r = cli_node(&node, err)) < 0)
		return r;
	path = xasprintf("/nodes/%s/%s", node, what);
	r = cli_call("POST", path, &cli->options, -1, &upid, err);
	return r < 0 ? r : cli_task_result(cli, upid, err);
}

/* startall [--force 1] [--vms LIST] */
int cli_startall(struct cli *cli, struct err *err)
{
	return on_all(cli, "startall", err);
}

/* stopall [--timeout S] [--vms LIST] */
int cli_stopall(struct cli *cli, struct err *err)
{
	return on_all(cli, "stopall", err);
}
