/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding this node's name, and the node and kind of a guest. */
#include "agent/cli/cli.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"

int cli_node(char **ret, struct err *err)
{
	autojson *rows = NULL;
	int r = cli_get(&rows, err, "/cluster/status");

	if (r < 0)
		return r;
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (str_eq(cli_member(row, "type"), "node") && cli_member_int(row, "local")) {
			*ret = xstrdup(cli_member(row, "name"));
			return 0;
		}
	}
	return err_set(err, ERR_NOT_FOUND, "the core does not say which node this is");
}

int cli_guest_find(const char *word, struct cli_guest *ret, struct err *err)
{
	autojson *rows = NULL;
	uint64_t vmid;
	int r;

	if (!str_to_u64(word, &vmid) || vmid < 100 || vmid > 999999999)
		return err_set(err, ERR_INVALID, "'%s' is not a guest id (a number from 100 on)",
			       word);
	r = cli_get(&rows, err, "/cluster/resources");
	if (r < 0)
		return r;
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		const char *type = cli_member(row, "type");

		if ((str_eq(type, "lxc") || str_eq(type, "qemu")) &&
		    (uint64_t)cli_member_int(row, "vmid") == vmid) {
			ret->node = xstrdup(cli_member(row, "node"));
			ret->vmid = (unsigned)vmid;
			str_copy(ret->kind, sizeof(ret->kind), type);
			return 0;
		}
	}
	return err_set(err, ERR_NOT_FOUND, "there is no guest %s; 'lodge ls' lists them", word);
}

void cli_guest_fini(struct cli_guest *guest)
{
	free(guest->node);
}
