/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interfaces' configuration: its text, and what a change may say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/net/iface.h"

static void parse(const char *text, struct net_config *ret)
{
	struct err err = ERR_INIT;

	if (net_config_parse(text, strlen(text), ret, &err) < 0)
		fail_msg("%s", err.message);
}

static void text_comes_back(void **state)
{
	static const char text[] = "bridge: vmbr1\n\tcidr 192.0.2.2/24\n\tautostart 1\n"
				   "\tcomments two%0Alines, 100%25\n\tbridge_ports eth0 eth1\n"
				   "\neth: eth2\n\tcidr6 fd00::2/64\n\tmtu 9000\n";
	autonetconfig config = NET_CONFIG_INIT;
	autobuf out = BUF_INIT;

	(void)state;
	parse(text, &config);
	assert_int_equal(config.count, 2);
	assert_string_equal(net_iface_get(&config.items[0], "comments"), "two\nlines, 100%");
	assert_true(net_iface_has_port(&config.items[0], "eth1"));
	assert_false(net_iface_has_port(&config.items[0], "eth"));
	assert_string_equal(net_config_bridge_of(&config, "eth0")->name, "vmbr1");
	net_config_format(&config, &out);
	assert_string_equal(buf_str(&out), text);
}

static void bad_text(void **state)
{
	static const char *const texts[] = {
		"nonsense\n",
		"\tcidr 192.0.2.1/24\n",
		"vlan: eth0.5\n",
		"bridge: \n",
		"bridge: a b\n",
		"bridge: eth0:1\n",
		"bridge: averyveryverylongname\n",
		"bridge: vmbr1\nbridge: vmbr1\n",
		"bridge: vmbr1\n\tcidr 192.0.2.1\n",
		"bridge: vmbr1\n\tcidr 192.0.2.1/24; reboot\n",
		"bridge: vmbr1\n\tgateway x\n",
		"bridge: vmbr1\n\tmtu 5\n",
		"bridge: vmbr1\n\tautostart yes\n",
		"bridge: vmbr1\n\tcomments %zz\n",
		"bridge: vmbr1\n\tunknown 1\n",
		"bridge: vmbr1\n\tbridge_ports -x\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		autonetconfig config = NET_CONFIG_INIT;
		struct err err = ERR_INIT;

		if (net_config_parse(texts[i], strlen(texts[i]), &config, &err) >= 0)
			fail_msg("was taken: %s", texts[i]);
		assert_int_equal(err.code, ERR_CORRUPT);
		assert_int_equal(config.count, 0);
	}
}

/* "a=1 b=2": parameters of a call; '_' stands for a space in a value */
static void params(const char *text, struct fields *ret)
{
	autostrv char **words = str_split(text, " ");

	for (char **word = words; *word; word++) {
		char *equals = strchr(*word, '=');

		*equals = '\0';
		for (char *c = equals + 1; *c; c++)
			if (*c == '_')
				*c = ' ';
		fields_add(ret, *word, equals + 1);
	}
}

static void changes(void **state)
{
	static const char start[] = "bridge: vmbr1\n\tcidr 192.0.2.2/24\n\tautostart 1\n"
				    "\tgateway 192.0.2.1\n\tbridge_ports eth0\n";
	static const struct {
		const char *name;
		bool is_new;
		const char *params, *expected; /* of the interface alone */
	} cases[] = {
		{"vmbr2", true, "type=bridge", "bridge: vmbr2\n"},
		{"vmbr2", true, "type=bridge autostart=yes address=10.0.0.1 netmask=255.255.0.0",
		 "bridge: vmbr2\n\tcidr 10.0.0.1/16\n\tautostart 1\n"},
		{"vmbr2", true,
		 "type=bridge cidr=10.0.0.1/8 address=10.0.0.1 netmask=8 autostart=0",
		 "bridge: vmbr2\n\tcidr 10.0.0.1/8\n"},
		{"eth5", true, "type=eth address6=fd00::1 netmask6=64 gateway6=fd00::2 mtu=1400",
		 "eth: eth5\n\tcidr6 fd00::1/64\n\tgateway6 fd00::2\n\tmtu 1400\n"},
		{"vmbr1", false, "type=bridge bridge_ports=eth0_eth1 comments=a_b",
		 "bridge: vmbr1\n\tcomments a b\n\tbridge_ports eth0 eth1\n"},
		{"vmbr1", false, "type=bridge cidr=192.0.2.9/24 gateway=192.0.2.1 delete=gateway",
		 "bridge: vmbr1\n\tcidr 192.0.2.9/24\n"},
		{"eth7", false, "type=eth cidr=10.7.0.1/24", "eth: eth7\n\tcidr 10.7.0.1/24\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autonetconfig config = NET_CONFIG_INIT;
		autofields given = FIELDS_INIT;
		struct err err = ERR_INIT;
		autobuf out = BUF_INIT;
		size_t at;

		parse(start, &config);
		params(cases[i].params, &given);
		if (net_config_set(&config, cases[i].name, cases[i].is_new, &given, &err) < 0)
			fail_msg("%s: %s", cases[i].params, err.message);
		at = (size_t)(net_config_find(&config, cases[i].name) - config.items);
		const struct net_config one = {&config.items[at], 1};
		net_config_format(&one, &out);
		assert_string_equal(buf_str(&out), cases[i].expected);
	}
}

static void refusals(void **state)
{
	static const char start[] =
		"bridge: vmbr1\n\tcidr 192.0.2.2/24\n\tgateway 192.0.2.1\n\tbridge_ports eth0\n"
		"\neth: eth3\n\tcidr 10.3.0.1/24\n";
	static const struct {
		const char *name;
		bool is_new;
		const char *params, *field;
	} cases[] = {
		{"vmbr1", true, "type=bridge", ""},
		{"eth0.5", true, "type=vlan", "type"},
		{"bond0", true, "type=bond slaves=eth1_eth2", "type"},
		{"vmbr2", true, "type=OVSBridge", "type"},
		{"vmbr2", true, "type=bridge bridge_vlan_aware=1", "bridge_vlan_aware"},
		{"vmbr2", true, "type=bridge bridge_vids=2-10", "bridge_vids"},
		{"vmbr2", true, "type=bridge slaves=eth5", "slaves"},
		{"vmbr1", false, "type=eth", "type"},
		{"lo", false, "type=eth cidr=127.0.0.2/8", "iface"},
		{"eth1:1", true, "type=eth", "iface"},
		{"averyverylongname", true, "type=bridge", "iface"},
		{"vmbr2", true, "type=bridge address=10.0.0.1", "netmask"},
		{"vmbr2", true, "type=bridge netmask=24", "address"},
		{"vmbr2", true, "type=bridge cidr=10.0.0.1/24 address=10.0.0.2 netmask=24", "cidr"},
		{"vmbr2", true, "type=bridge cidr=0.0.0.0/24", "cidr"},
		{"vmbr2", true, "type=bridge cidr=224.0.0.1/24", "cidr"},
		{"vmbr2", true, "type=bridge cidr6=ff02::1/64", "cidr6"},
		{"vmbr2", true, "type=bridge gateway=10.0.0.1", "gateway"},
		{"vmbr2", true, "type=bridge cidr=10.0.0.2/24 gateway=10.0.0.1", "gateway"},
		{"vmbr2", true, "type=bridge bridge_ports=eth0", "bridge_ports"},
		{"vmbr2", true, "type=bridge bridge_ports=vmbr1", "bridge_ports"},
		{"vmbr2", true, "type=bridge bridge_ports=vmbr2", "bridge_ports"},
		{"vmbr2", true, "type=bridge bridge_ports=eth3", "bridge_ports"},
		{"eth0", false, "type=eth cidr=10.0.0.2/24", "cidr"},
		{"eth9", true, "type=eth bridge_ports=eth1", "bridge_ports"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autonetconfig config = NET_CONFIG_INIT;
		autofields given = FIELDS_INIT;
		struct err err = ERR_INIT;
		autobuf out = BUF_INIT;

		parse(start, &config);
		params(cases[i].params, &given);
		if (net_config_set(&config, cases[i].name, cases[i].is_new, &given, &err) >= 0)
			fail_msg("was taken: %s %s", cases[i].name, cases[i].params);
		if (!str_eq(err.field, cases[i].field))
			fail_msg("%s: field %s: %s", cases[i].params, err.field, err.message);
		net_config_format(&config, &out);
		assert_string_equal(buf_str(&out), start);
	}
}

static void removals(void **state)
{
	static const char start[] =
		"bridge: vmbr1\n\tbridge_ports eth0\n\neth: eth0\n\neth: eth1\n";
	autonetconfig config = NET_CONFIG_INIT;
	struct err err = ERR_INIT;
	autobuf out = BUF_INIT;

	(void)state;
	parse(start, &config);
	assert_int_equal(net_config_remove(&config, "eth9", &err), -ERR_NOT_FOUND);
	assert_int_equal(net_config_remove(&config, "eth0", &err), -ERR_BUSY);
	assert_int_equal(net_config_remove(&config, "vmbr1", &err), 0);
	assert_int_equal(net_config_remove(&config, "eth0", &err), 0);
	net_config_format(&config, &out);
	assert_string_equal(buf_str(&out), "eth: eth1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_comes_back), cmocka_unit_test(bad_text),
		cmocka_unit_test(changes),	   cmocka_unit_test(refusals),
		cmocka_unit_test(removals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
