/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolv.conf and names of time zones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/net/host_files.h"
#include "agent/net/owner.h"

static void resolv(void **state)
{
	static const char *const none[] = {NULL};
	static const char *const two[] = {"192.0.2.1", "fd00::1", NULL};
	static const struct {
		const char *old, *search, *expected;
		const char *const *servers;
	} cases[] = {
		{"", ".", "", none},
		{"nameserver 9.9.9.9\noptions edns0\nsearch a\n\n# mine\ndomain x", "b c",
		 "search b c\nnameserver 192.0.2.1\nnameserver fd00::1\noptions edns0\n# mine\n",
		 two},
		{"searching\nnameservers 1\nnameserver\n", "b",
		 "search b\nsearching\nnameservers 1\n", none},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autobuf out = BUF_INIT;

		host_resolv_text(cases[i].old, cases[i].search, cases[i].servers, &out);
		assert_string_equal(buf_str(&out), cases[i].expected);
	}
}

static void resolv_is_read(void **state)
{
	static const struct {
		const char *text, *search, *servers[HOST_DNS_MAX + 1];
	} cases[] = {
		{"", NULL, {NULL}},
		{"nameserver 192.0.2.1\nsearch a.test b.test\n", "a.test b.test", {"192.0.2.1"}},
		{"search\ta.test  b.test c.test", "a.test b.test c.test", {NULL}},
		{"domain a.test\nsearch b.test c.test\n", "b.test c.test", {NULL}},
		{"search b.test c.test\ndomain a.test more\n", "a.test", {NULL}},
		{"search a\nsearch\n# search b\nsearching c\n search d\n", "a", {NULL}},
		{"nameserver ::1\nnameserver 2\nnameserver\nnameserver 3\nnameserver 4\n",
		 NULL,
		 {"::1", "2", "3"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autoresolv got = HOST_RESOLV_INIT;
		size_t n = 0;

		host_resolv_parse(cases[i].text, &got);
		assert_true(str_eq(got.search, cases[i].search));
		for (; cases[i].servers[n]; n++)
			assert_true(n < got.count && str_eq(got.servers[n], cases[i].servers[n]));
		assert_int_equal(got.count, n);
	}
}

/* Another name server, and nothing else: what was read goes back. */
static void resolv_keeps_search(void **state)
{
	static const char *const servers[] = {"192.0.2.53", NULL};
	autoresolv read = HOST_RESOLV_INIT;
	autobuf out = BUF_INIT;

	(void)state;
	host_resolv_parse("search a.test b.test\nnameserver 192.0.2.1\n", &read);
	host_resolv_text("search a.test b.test\nnameserver 192.0.2.1\n", read.search, servers,
			 &out);
	assert_string_equal(buf_str(&out), "search a.test b.test\nnameserver 192.0.2.53\n");
}

static void zones(void **state)
{
	static const char *const good[] = {"UTC", "Europe/Berlin", "America/Argentina/Ushuaia",
					   "Etc/GMT+5", "America/Port-au-Prince"};
	static const char *const bad[] = {
		"",	     "/UTC",	     "../UTC",		"Europe/../UTC",
		"Europe/",   "Europe//x",    "Europe/Berlin\n", "posix/UTC",
		"Europe/.x", "Europe Berlin"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(host_zone_is_name(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(host_zone_is_name(bad[i]));
}

static void interfaces(void **state)
{
	static const struct {
		const char *text;
		bool is_named;
	} cases[] = {
		{"", false},
		{"auto eth0\niface eth0 inet dhcp\n", true},
		{"iface eth0 inet manual\n", false},
		{"\tiface\teth0 inet6 auto", true},
		{"iface eth01 inet dhcp\niface eth0\n# iface eth0 inet dhcp\n", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(net_interfaces_name(cases[i].text, "eth0"), cases[i].is_named);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(resolv),
					   cmocka_unit_test(resolv_is_read),
					   cmocka_unit_test(resolv_keeps_search),
					   cmocka_unit_test(zones), cmocka_unit_test(interfaces)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
