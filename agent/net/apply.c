/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The helpers net-apply and net-remove. */
#include "agent/net/net.h"

#include <net/if.h>
#include <stdlib.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/net/change.h"

#define NFT_DEADLINE (15 * USEC_PER_SEC)

static void forward_warning(struct buf *ret)
{
	const char *argv[] = {"nft", "-j", "list", "ruleset", NULL};
	struct exec_run run = {.argv = argv,
			       .deadline = clock_monotonic() + NFT_DEADLINE,
			       .output_max = 16u * 1024 * 1024};
	struct exec_result result = {0};
	autobuf names = BUF_INIT;

	if (exec_run(&run, &result, NULL) == 0)
		net_forward_drops(result.output.data, result.output.size, &names, NULL);
	exec_result_fini(&result);
	if (names.size > 0)
		buf_addf(ret,
			 "forwarded packets are dropped by the policy of chain %s: guests reach "
			 "nothing "
			 "beyond this node; allow the bridge there, or set that policy to accept",
			 buf_str(&names));
}

static void print_lines(struct json *j, struct buf *text)
{
	autostrv char **lines = str_split(buf_str(text), "\n");

	for (char **line = lines; *line; line++)
		json_string(j, *line);
}

static void print(const struct net_choice *choice, struct buf *warnings, struct buf *out)
{
	struct json j;

	forward_warning(warnings);
	json_init(&j, out);
	json_object_begin(&j);
	json_kv_string(&j, "bridge", choice->bridge);
	json_kv_string(&j, "mode", choice->is_nat ? "nat" : "host");
	if (choice->is_nat) {
		autofree char *address = xasprintf("%s.1/24", choice->prefix);

		json_kv_string(&j, "address", address);
	}
	json_key(&j, "warnings");
	json_array_begin(&j);
	print_lines(&j, warnings);
	json_array_end(&j);
	json_object_end(&j);
}

/* The host's own bridges may be among what Lodge configures: that comes first. */
static void apply_interfaces(struct buf *warnings)
{
	autonetlacks lacks = NET_LACKS_INIT;
	struct err err = ERR_INIT;

	if (net_boot_apply(&lacks, &err) < 0)
		buf_addf(warnings, "%s\n", err.message);
	buf_add(warnings, lacks.warnings.data, lacks.warnings.size);
}

static void print_none(struct buf *warnings, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_object_begin(&j);
	json_kv_string(&j, "bridge", "");
	json_kv_string(&j, "mode", "none");
	json_key(&j, "warnings");
	json_array_begin(&j);
	print_lines(&j, warnings);
	json_array_end(&j);
	json_object_end(&j);
}

int net_apply(const struct fields *args, struct buf *out, struct err *err)
{
	const char *wanted = getenv("LODGE_BRIDGE");
	struct net_choice choice;
	autobuf warnings = BUF_INIT;
	int r;

	(void)args;
	apply_interfaces(&warnings);
	if (str_eq(wanted, "none")) {
		print_none(&warnings, out);
		return 0;
	}
	if ((r = net_choice_get(&choice, err)) < 0)
		return r;
	if (choice.is_nat)
		r = net_nat_apply(&choice, err);
	else if (if_nametoindex(choice.bridge) == 0)
		r = err_set(err, ERR_NOT_FOUND,
			    "bridge %s of this host is gone; bring it back, or remove "
			    "%s/network.conf to "
			    "choose again",
			    choice.bridge, path_state());
	if (r == 0)
		print(&choice, &warnings, out);
	return r;
}

int net_remove(const struct fields *args, struct buf *out, struct err *err)
{
	autofree char *path = path_join(path_state(), "network.conf");
	struct net_choice choice;
	autobuf text = BUF_INIT;
	int r = file_read(path, 4096, &text, err);

	(void)args;
	(void)out;
	if (r < 0)
		return err->code == ERR_NOT_FOUND ? 0 : r;
	if ((r = net_choice_parse(text.data ? text.data : "", text.size, &choice, err)) < 0)
		return r;
	if (choice.is_nat && (r = net_nat_remove(&choice, err)) < 0)
		return r;
	return file_remove(path, err);
}
