/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which bridge counts as the host's own, and the stored choice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/fd.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/net/net.h"

#include <json-c/json.h>

static char root[64];

static void folder(const char *below)
{
	autofree char *path = xasprintf("%s/%s", root, below);

	assert_int_equal(dir_make(path, 0755, NULL), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/lodge-sysfs-XXXXXX");
	assert_non_null(mkdtemp(root));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return dir_remove_tree(root, NULL);
}

static void a_bridge_with_a_physical_port_is_own(void **state)
{
	struct net_host host = {.sysfs = root, .default_device = "eth0"};
	char found[16];

	(void)state;
	folder("br0/bridge");
	folder("br0/brif/eth0");
	assert_false(net_bridge_is_own(&host, "br0")); /* eth0 is no hardware yet */
	folder("eth0/device");
	assert_true(net_bridge_is_own(&host, "br0"));
	assert_true(net_find_bridge(&host, found));
	assert_string_equal(found, "br0");
}

static void a_bridge_with_the_default_route_is_own(void **state)
{
	struct net_host host = {.sysfs = root, .default_device = "lan"};

	(void)state;
	folder("lan/bridge");
	assert_true(net_bridge_is_own(&host, "lan"));
	host.default_device = "";
	assert_false(net_bridge_is_own(&host, "lan"));
}

static void bridges_of_other_tools_never_are(void **state)
{
	static const char *const names[] = {"lxcbr0", "docker0", "br-1a2b3c", "virbr0"};
	char found[16];

	(void)state;
	folder("eth0/device");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct net_host host = {.sysfs = root, .default_device = names[i]};
		autofree char *bridge = xasprintf("%s/bridge", names[i]);
		autofree char *port = xasprintf("%s/brif/eth0", names[i]);

		folder(bridge);
		folder(port);
		assert_false(net_bridge_is_own(&host, names[i]));
		assert_false(net_find_bridge(&host, found));
	}
}

static void an_interface_that_is_no_bridge_is_not_one(void **state)
{
	struct net_host host = {.sysfs = root, .default_device = "eth0"};

	(void)state;
	folder("eth0/device");
	assert_false(net_bridge_is_own(&host, "eth0"));
}

static void the_network_overlaps_none(void **state)
{
	static const struct {
		const char *routes, *prefix; /* "": none */
	} cases[] = {
		{"[]", "10.77.0"},
		{"[{\"dst\":\"default\",\"dev\":\"eth0\"},{\"dst\":\"192.0.2.0/24\"}]", "10.77.0"},
		{"[{\"dst\":\"10.77.0.0/24\"},{\"dst\":\"10.78.0.9\"},{\"dst\":\"blackhole\"},{}]",
		 "10.79.0"},
		{"[{\"dst\":\"10.64.0.0/10\"}]", "10.128.0"},
		{"[{\"dst\":\"10.64.0.0/10\"},{\"dst\":\"10.128.0.0/9\"}]", "10.0.0"},
		{"[{\"dst\":\"10.0.0.0/8\"}]", "172.16.77"},
		{"[{\"dst\":\"10.0.0.0/8\"},{\"dst\":\"172.16.0.0/12\"}]", "192.168.77"},
		{"[{\"dst\":\"10.0.0.0/8\"},{\"dst\":\"172.16.0.0/12\"},{\"dst\":\"192.168.0.0/"
		 "16\"}]",
		 ""},
		{"[{\"dst\":\"0.0.0.0/1\"},{\"dst\":\"128.0.0.0/1\"}]", "10.77.0"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *text = xstrdup(cases[i].routes);
		struct json_object *routes = NULL;
		char prefix[16] = "";

		assert_int_equal(json_parse(text, strlen(text), 4096, &routes, NULL), 0);
		assert_int_equal(net_free_prefix(routes, prefix), *cases[i].prefix != '\0');
		assert_string_equal(prefix, cases[i].prefix);
		json_object_put(routes);
	}
}

static void the_choice_reads_back(void **state)
{
	struct net_choice nat = {.bridge = "vmbr0", .is_nat = true, .prefix = "10.77.0"}, back;
	autobuf text = BUF_INIT;

	(void)state;
	net_choice_format(&nat, &text);
	assert_int_equal(net_choice_parse(text.data, text.size, &back, NULL), 0);
	assert_string_equal(back.bridge, "vmbr0");
	assert_string_equal(back.prefix, "10.77.0");
	assert_true(back.is_nat);
}

static void bad_choices_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"bridge=vmbr0\nmode=nat\n",
		"bridge=../x\nmode=host\n",
		"bridge=vmbr0\nmode=maybe\n",
		"bridge=vmbr0\nmode=nat\nprefix=10.77\n",
		"bridge=vmbr0\nmode=nat\nprefix=10.77.0; flush ruleset\n",
		"bridge=averyveryverylongname\nmode=host\n",
		"surprise\n",
	};
	struct net_choice choice;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(net_choice_parse(texts[i], strlen(texts[i]), &choice, &err),
				 -ERR_CORRUPT);
}

static void forward_chains_that_drop_are_named(void **state)
{
	static const char ruleset[] =
		"{\"nftables\":[{\"metainfo\":{}},"
		"{\"chain\":{\"family\":\"ip\",\"table\":\"filter\",\"name\":\"FORWARD\",\"hook\":"
		"\"forward\",\"policy\":\"drop\"}},"
		"{\"chain\":{\"family\":\"ip\",\"table\":\"filter\",\"name\":\"INPUT\",\"hook\":"
		"\"input\","
		"\"policy\":\"drop\"}},"
		"{\"chain\":{\"family\":\"inet\",\"table\":\"x\",\"name\":\"f\",\"hook\":"
		"\"forward\","
		"\"policy\":\"accept\"}}]}";
	autobuf names = BUF_INIT;

	(void)state;
	assert_int_equal(net_forward_drops(ruleset, strlen(ruleset), &names, NULL), 0);
	assert_string_equal(buf_str(&names), "ip filter FORWARD");
	buf_clear(&names);
	assert_int_equal(net_forward_drops("{}", 2, &names, NULL), 0);
	assert_int_equal(names.size, 0);
	assert_true(net_forward_drops("nonsense", 8, &names, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_bridge_with_a_physical_port_is_own, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_bridge_with_the_default_route_is_own, setup,
						teardown),
		cmocka_unit_test_setup_teardown(bridges_of_other_tools_never_are, setup, teardown),
		cmocka_unit_test_setup_teardown(an_interface_that_is_no_bridge_is_not_one, setup,
						teardown),
		cmocka_unit_test(the_network_overlaps_none),
		cmocka_unit_test(the_choice_reads_back),
		cmocka_unit_test(bad_choices_are_refused),
		cmocka_unit_test(forward_chains_that_drop_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
