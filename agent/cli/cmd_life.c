/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands on guests' snapshots, copies and volumes: snapshot, rollback, clone, template, resize, move. */
#include "agent/cli/cli.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"

static const struct cli_column snapshot_columns[] = {
	{"NAME", "name", CLI_TEXT},
	{"PARENT", "parent", CLI_TEXT},
	{"TIME", "snaptime", CLI_TIME},
	{"DESCRIPTION", "description", CLI_TEXT},
};

static int list_snapshots(struct cli *cli, const char *word, struct err *err)
{
	struct cli_guest guest = {0};
	autojson *rows = NULL;
	int r = cli_guest_find(word, &guest, err);

	if (r < 0)
		return r;
	r = cli_get(&rows, err, "/nodes/%s/%s/%u/snapshot", guest.node, guest.kind, guest.vmid);
	cli_guest_fini(&guest);
	if (r < 0)
		return r;
	if (cli->wants_json)
		cli_json_print(stdout, rows);
	else
		cli_table_print(stdout, snapshot_columns, ARRAY_SIZE(snapshot_columns), rows);
	return 0;
}

/* The name becomes part of a path: only what a snapshot can be called. */
static int snapshot_word(const struct cli *cli, size_t index, const char **ret, struct err *err)
{
	int r = cli_word(cli, index, "the snapshot's name", ret, err);

	if (r == 0 && !str_is_ident(*ret))
		r = err_set(err, ERR_INVALID, "'%s' is no name of a snapshot", *ret);
	return r;
}

/* snapshot list ID | snapshot create ID NAME [options] | snapshot remove ID NAME */
int cli_snapshot(struct cli *cli, struct err *err)
{
	const char *what, *id, *name;
	int r;

	if ((r = cli_word(cli, 0, "list, create or remove", &what, err)) < 0 ||
	    (r = cli_word(cli, 1, "the guest's id", &id, err)) < 0)
		return r;
	if (str_eq(what, "list"))
		return list_snapshots(cli, id, err);
	if (!str_eq(what, "create") && !str_eq(what, "remove"))
		return err_set(err, ERR_INVALID, "'%s' is none of list, create, remove", what);
	if ((r = snapshot_word(cli, 2, &name, err)) < 0)
		return r;
	if (str_eq(what, "create")) {
		fields_set(&cli->options, "snapname", name);
		return cli_guest_call(cli, id, "POST", "/snapshot", err);
	}
	autofree char *below = xasprintf("/snapshot/%s", name);

	return cli_guest_call(cli, id, "DELETE", below, err);
}

int cli_rollback(struct cli *cli, struct err *err)
{
	const char *id, *name;
	int r;

	if ((r = cli_word(cli, 0, "the guest's id", &id, err)) < 0 ||
	    (r = snapshot_word(cli, 1, &name, err)) < 0)
		return r;
	autofree char *below = xasprintf("/snapshot/%s/rollback", name);

	return cli_guest_call(cli, id, "POST", below, err);
}

/* The copy's id as a word, as --newid, or the next free one. */
static int choose_id(struct cli *cli, struct err *err)
{
	autojson *next = NULL;
	int r;

	if (cli->word_count > 1)
		fields_set(&cli->options, "newid", cli->words[1]);
	if (fields_get(&cli->options, "newid"))
		return 0;
	r = cli_get(&next, err, "/cluster/nextid");
	if (r == 0)
		fields_set(&cli->options, "newid", json_object_get_string(next));
	return r;
}

int cli_clone(struct cli *cli, struct err *err)
{
	const char *id;
	int r;

	if ((r = cli_word(cli, 0, "the guest's id", &id, err)) < 0 || (r = choose_id(cli, err)) < 0)
		return r;
	if (!cli->wants_json)
		printf("cloning guest %s as %s\n", id, fields_get(&cli->options, "newid"));
	return cli_guest_call(cli, id, "POST", "/clone", err);
}

int cli_template(struct cli *cli, struct err *err)
{
	const char *id;
	int r = cli_word(cli, 0, "the guest's id", &id, err);

	return r < 0 ? r : cli_guest_call(cli, id, "POST", "/template", err);
}

int cli_resize(struct cli *cli, struct err *err)
{
	const char *id, *disk, *size;
	int r;

	if ((r = cli_word(cli, 0, "the guest's id", &id, err)) < 0 ||
	    (r = cli_word(cli, 1, "the disk, as rootfs or scsi0", &disk, err)) < 0 ||
	    (r = cli_word(cli, 2, "the size, as 32G or +8G", &size, err)) < 0)
		return r;
	fields_set(&cli->options, "disk", disk);
	fields_set(&cli->options, "size", size);
	return cli_guest_call(cli, id, "PUT", "/resize", err);
}

/* move ID DISK STORAGE | move ID DISK --target-vmid ID */
int cli_move(struct cli *cli, struct err *err)
{
	const char *id, *disk;
	struct cli_guest guest = {0};
	int r;

	if ((r = cli_word(cli, 0, "the guest's id", &id, err)) < 0 ||
	    (r = cli_word(cli, 1, "the disk, as rootfs or scsi0", &disk, err)) < 0 ||
	    (r = cli_guest_find(id, &guest, err)) < 0)
		return r;
	bool is_ct = str_eq(guest.kind, "lxc");

	cli_guest_fini(&guest);
	fields_set(&cli->options, is_ct ? "volume" : "disk", disk);
	if (cli->word_count > 2)
		fields_set(&cli->options, "storage", cli->words[2]);
	return cli_guest_call(cli, id, "POST", is_ct ? "/move_volume" : "/move_disk", err);
}
