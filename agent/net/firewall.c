/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lodge's nftables table: masquerading for the NAT bridge, forwarding to and from it. */
#include "agent/net/net.h"

#include <string.h>

#include "agent/base/exec.h"
#include "agent/base/json.h"
#include "agent/base/str.h"

#include <json-c/json.h>

#define NFT_DEADLINE (15 * USEC_PER_SEC)
#define RULESET_MAX  (16u * 1024 * 1024)

/* The comment of each rule is what net_table_is_complete() counts. */
void net_table_text(const struct net_choice *choice, struct buf *out)
{
	const char *bridge = choice->bridge, *prefix = choice->prefix;

	buf_addf(out,
		 "table inet " NET_TABLE " {\n"
		 "	chain postrouting {\n"
		 "		type nat hook postrouting priority srcnat; policy accept;\n"
		 "		ip saddr %s.0/24 ip daddr != %s.0/24 masquerade comment "
		 "\"lodge-nat\"\n"
		 "	}\n"
		 "	chain input {\n"
		 "		type filter hook input priority filter; policy accept;\n"
		 "		iifname \"%s\" udp dport { 53, 67 } accept comment \"lodge-dhcp\"\n"
		 "	}\n"
		 "	chain forward {\n"
		 "		type filter hook forward priority filter; policy accept;\n"
		 "		iifname \"%s\" accept comment \"lodge-out\"\n"
		 "		oifname \"%s\" ct state established,related accept comment "
		 "\"lodge-in\"\n"
		 "	}\n"
		 "}\n",
		 prefix, prefix, bridge, bridge, bridge);
}

static int nft(const char *const *argv, const struct buf *input, struct exec_result *ret,
	       struct err *err)
{
	struct exec_run run = {.argv = argv,
			       .input = input ? input->data : NULL,
			       .input_size = input ? input->size : 0,
			       .deadline = clock_monotonic() + NFT_DEADLINE,
			       .output_max = RULESET_MAX};

	return exec_run(&run, ret, err);
}

static bool is_complete(const struct net_choice *choice)
{
	static const char *const marks[] = {"lodge-nat", "lodge-dhcp", "lodge-out", "lodge-in"};
	const char *argv[] = {"nft", "list", "table", "inet", NET_TABLE, NULL};
	struct exec_result result = {0};
	bool found = nft(argv, NULL, &result, NULL) == 0 && result.output.data &&
		     strstr(result.output.data, choice->prefix) &&
		     strstr(result.output.data, choice->bridge);

	for (size_t i = 0; found && i < sizeof(marks) / sizeof(marks[0]); i++)
		found = strstr(result.output.data, marks[i]) != NULL;
	exec_result_fini(&result);
	return found;
}

/* One transaction: the old table goes in the same step in which the new one comes. */
int net_table_apply(const struct net_choice *choice, struct err *err)
{
	const char *argv[] = {"nft", "-f", "-", NULL};
	autobuf text = BUF_INIT;

	if (is_complete(choice))
		return 0;
	buf_add_str(&text, "table inet " NET_TABLE "\ndelete table inet " NET_TABLE "\n");
	net_table_text(choice, &text);
	return nft(argv, &text, NULL, err);
}

int net_table_remove(struct err *err)
{
	const char *argv[] = {"nft", "-f", "-", NULL};
	autobuf text = BUF_INIT;

	buf_add_str(&text, "table inet " NET_TABLE "\ndelete table inet " NET_TABLE "\n");
	return nft(argv, &text, NULL, err);
}

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(o, key, &value);
	return value ? json_object_get_string(value) : "";
}

int net_forward_drops(const char *ruleset_json, size_t size, struct buf *ret_names, struct err *err)
{
	struct json_object *root = NULL, *items = NULL;
	int r = json_parse(ruleset_json, size, RULESET_MAX, &root, err);

	if (r < 0)
		return r;
	json_object_object_get_ex(root, "nftables", &items);
	for (size_t i = 0;
	     json_object_is_type(items, json_type_array) && i < json_object_array_length(items);
	     i++) {
		struct json_object *chain = NULL;

		json_object_object_get_ex(json_object_array_get_idx(items, i), "chain", &chain);
		if (!chain || !str_eq(text_of(chain, "hook"), "forward") ||
		    !str_eq(text_of(chain, "policy"), "drop"))
			continue;
		buf_addf(ret_names, "%s%s %s %s", ret_names->size ? ", " : "",
			 text_of(chain, "family"), text_of(chain, "table"), text_of(chain, "name"));
	}
	json_object_put(root);
	return 0;
}
