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

/* kvm-check */
int cli_kvm_check(struct cli *cli, struct err *err)
{
	autojson *upid = NULL, *kvm = NULL;
	autofree char *node = NULL, *path = NULL;
	autobuf line = BUF_INIT;
	int r = cli_node(&node, err);

	if (r < 0)
		return r;
	path = xasprintf("/nodes/%s/kvm-check", node);
	if ((r = cli_call("POST", path, &cli->options, -1, &upid, err)) < 0 ||
	    (r = cli_task_result(cli, upid, err)) < 0 || cli->wants_json || cli->no_wait)
		return r;
	if ((r = cli_get(&kvm, err, "/nodes/%s/kvm", node)) < 0)
		return r;
	cli_kvm_describe(kvm, &line);
	printf("%s\n", buf_str(&line));
	return 0;
}
