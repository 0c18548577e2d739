/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of KVM on this node, and its test. */
#include "agent/cli/cli.h"

#include "agent/base/mem.h"

static void describe_test(struct json_object *kvm, struct buf *out)
{
	const struct cli_column tested = {"", "tested", CLI_TIME};

	buf_add_str(out, " (tested ");
	cli_format(out, &tested, kvm);
	if (cli_member_int(kvm, "outdated"))
		buf_addf(
			out,
			" under kernel %s, another one runs now: test again with 'lodge kvm-check'",
			cli_member(kvm, "kernel"));
	buf_add_str(out, ")");
}

static void describe(struct json_object *kvm, struct buf *out)
{
	bool is_usable = cli_member_int(kvm, "usable") != 0;

	buf_addf(out, "KVM: %susable: %s", is_usable ? "" : "not ", cli_member(kvm, "reason"));
	if (cli_member_int(kvm, "tested"))
		describe_test(kvm, out);
	if (!is_usable)
		buf_addf(out, "; remedy: %s", cli_member(kvm, "remedy"));
}

void cli_kvm_describe(struct json_object *kvm, struct buf *out)
{
	autobuf text = BUF_INIT;

	if (*cli_member(kvm, "reason"))
		describe(kvm, &text);
	else
		buf_add_str(&text, "KVM: not tested yet; 'lodge kvm-check' does it");
	cli_text_add(out, buf_str(&text));
}

static int show_verdict(const struct cli *cli, const char *node, struct err *err)
{
	autojson *kvm = NULL;
	autobuf line = BUF_INIT;
	int r = cli_get(&kvm, err, "/nodes/%s/kvm", node);

	if (r < 0)
		return r;
	if (cli->wants_json) {
		cli_json_print(stdout, kvm);
		return 0;
	}
	cli_kvm_describe(kvm, &line);
	printf("%s\n", buf_str(&line));
	return 0;
}

/* kvm-check: its result is the verdict */
int cli_kvm_check(struct cli *cli, struct err *err)
{
	autojson *upid = NULL;
	autofree char *node = NULL, *path = NULL;
	int r = cli_node(&node, err);

	if (r < 0)
		return r;
	path = xasprintf("/nodes/%s/kvm-check", node);
	if ((r = cli_call("POST", path, &cli->options, -1, &upid, err)) < 0)
		return r;
	if (cli->no_wait || !json_object_is_type(upid, json_type_string))
		return cli_task_result(cli, upid, err);
	r = cli->wants_json ? cli_task_wait(json_object_get_string(upid), err)
			    : cli_task_follow(json_object_get_string(upid), err);
	return r < 0 ? r : show_verdict(cli, node, err);
}
