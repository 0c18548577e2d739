/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts that are written into a container: hosts, interfaces, networkd, resolv.conf, shadow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/guest/ct/setup.h"

static void hosts(void **state)
{
	static const struct {
		const char *old, *hostname, *domain, *expected;
	} cases[] = {
		{"", "a", NULL,
		 "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n127.0.1.1 a\n"},
		{"127.0.0.1 localhost\n", "a", "x.org",
		 "127.0.0.1 localhost\n127.0.1.1 a.x.org a\n"},
		{"127.0.1.1 old\n10.0.0.1 b\n", "a", NULL, "127.0.1.1 a\n10.0.0.1 b\n"},
		{"127.0.1.1\told\n127.0.1.1 twice\n", "a.b.c", "x.org", "127.0.1.1 a.b.c\n"},
		{"127.0.1.10 other\n", "a", NULL, "127.0.1.10 other\n127.0.1.1 a\n"},
		{"10.0.0.1 b", "a", "x.org", "10.0.0.1 b\n127.0.1.1 a.x.org a\n"},
		{"127.0.1.1", "a", NULL, "127.0.1.1 a\n"},
		{"10.0.0.1 b", "a", NULL, "10.0.0.1 b\n127.0.1.1 a\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autobuf out = BUF_INIT, again = BUF_INIT;

		ct_hosts_text(cases[i].old, cases[i].hostname, cases[i].domain, &out);
		assert_string_equal(buf_str(&out), cases[i].expected);
		/* a second time changes nothing */
		ct_hosts_text(buf_str(&out), cases[i].hostname, cases[i].domain, &again);
		assert_string_equal(buf_str(&again), cases[i].expected);
	}
}

static void shadow(void **state)
{
	static const struct {
		const char *old, *expected;
	} cases[] = {
		{"", "root:$y$x:20000:0:99999:7:::\n"},
		{"root:*:19000:1:2:3:::\nbin:*:1::::::\n",
		 "root:$y$x:20000:1:2:3:::\nbin:*:1::::::\n"},
		{"bin:*:1::::::", "bin:*:1::::::\nroot:$y$x:20000:0:99999:7:::\n"},
		{"root:\n", "root:$y$x:20000:0:99999:7:::\n"},
		{"rooty:*:1::::::\n", "rooty:*:1::::::\nroot:$y$x:20000:0:99999:7:::\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autobuf out = BUF_INIT;

		ct_shadow_text(cases[i].old, "$y$x", 20000, &out);
		assert_string_equal(buf_str(&out), cases[i].expected);
	}
}

static void interfaces(void **state)
{
	static const struct ct_net nets[] = {
		{.name = "eth0", .ip = "dhcp", .ip6 = "auto", .mtu = 1400},
		{.name = "eth1",
		 .ip = "10.0.0.2/24",
		 .gw = "10.0.0.1",
		 .ip6 = "fd00::2/64",
		 .mtu = 1400},
		{.name = "eth2"},
	};
	autobuf out = BUF_INIT;

	(void)state;
	ct_interfaces_text(nets, ARRAY_SIZE(nets), &out);
	assert_string_equal(buf_str(&out), CT_SETUP_MARK
			    "auto lo\niface lo inet loopback\n"
			    "\nauto eth0\niface eth0 inet dhcp\niface eth0 inet6 auto\n"
			    "\nauto eth1\niface eth1 inet static\n\taddress 10.0.0.2\n"
			    "\tnetmask 255.255.255.0\n"
			    "\tgateway 10.0.0.1\n\tmtu 1400\n"
			    "iface eth1 inet6 static\n\taddress fd00::2\n\tnetmask 64\n"
			    "\nauto eth2\niface eth2 inet manual\n");
}

static void networkd(void **state)
{
	static const struct {
		struct ct_net net;
		const char *expected;
	} cases[] = {
		{{.name = "eth0", .ip = "dhcp"},
		 "[Match]\nName=eth0\n\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\n"},
		{{.name = "eth0", .ip = "dhcp", .ip6 = "dhcp"},
		 "[Match]\nName=eth0\n\n[Network]\nDHCP=yes\nIPv6AcceptRA=yes\n"},
		{{.name = "e",
		  .ip = "10.0.0.2/24",
		  .gw = "10.0.0.1",
		  .ip6 = "fd00::2/64",
		  .gw6 = "fd00::1",
		  .mtu = 1400},
		 "[Match]\nName=e\n\n[Link]\nMTUBytes=1400\n\n[Network]\nDHCP=no\nIPv6AcceptRA=no\n"
		 "Address=10.0.0.2/24\nGateway=10.0.0.1\nAddress=fd00::2/64\nGateway=fd00::1\n"},
		{{.name = "e", .ip6 = "auto"},
		 "[Match]\nName=e\n\n[Network]\nDHCP=no\nIPv6AcceptRA=yes\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *expected = xasprintf("%s%s", CT_SETUP_MARK, cases[i].expected);
		autobuf out = BUF_INIT;

		ct_network_text(&cases[i].net, &out);
		assert_string_equal(buf_str(&out), expected);
	}
}

static void resolv(void **state)
{
	autobuf out = BUF_INIT, plain = BUF_INIT;

	(void)state;
	ct_resolv_text("9.9.9.9, 1.1.1.1", "a.org b.org", &out);
	assert_string_equal(buf_str(&out), CT_SETUP_MARK "search a.org b.org\nnameserver 9.9.9.9\n"
							 "nameserver 1.1.1.1\n");
	ct_resolv_text("::1", NULL, &plain);
	assert_string_equal(buf_str(&plain), CT_SETUP_MARK "nameserver ::1\n");
}

static void host_resolv(void **state)
{
	static const struct {
		const char *text, *servers, *domains;
	} cases[] = {
		{"", "", ""},
		{"# c\nnameserver 127.0.0.53\nnameserver ::1\nsearch a b\n", "", "a b "},
		{"nameserver 9.9.9.9\nnameserver\t1.1.1.1\ndomain a\nsearch b\n",
		 "9.9.9.9 1.1.1.1 ", "b "},
		{"nameserver\noptions edns0\n", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autobuf servers = BUF_INIT, domains = BUF_INIT;

		ct_resolv_parse(cases[i].text, &servers, &domains);
		assert_string_equal(buf_str(&servers), cases[i].servers);
		assert_string_equal(buf_str(&domains), cases[i].domains);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),    cmocka_unit_test(shadow), cmocka_unit_test(interfaces),
		cmocka_unit_test(networkd), cmocka_unit_test(resolv), cmocka_unit_test(host_resolv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
