/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts that are written into a container: hosts, interfaces, networkd, resolv.conf, shadow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/base/mem.h"
#include "agent/guest/ct/os_release.h"
#include "agent/guest/ct/section.h"
#include "agent/guest/ct/setup.h"

#define OWN(names) CT_SECTION_BEGIN "127.0.1.1 " names "\n" CT_SECTION_END

static void hosts(void **state)
{
	static const struct {
		const char *old, *hostname, *domain, *expected;
	} cases[] = {
		{"", "a", NULL,
		 "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n" OWN("a")},
		{"127.0.0.1 localhost\n", "a", "x.org", "127.0.0.1 localhost\n" OWN("a.x.org a")},
		{"127.0.1.1 old\n10.0.0.1 b\n", "a", NULL, OWN("a") "10.0.0.1 b\n"},
		{"127.0.1.1\told\n127.0.1.1 twice\n", "a.b.c", "x.org", OWN("a.b.c")},
		{"127.0.1.10 other\n", "a", NULL, "127.0.1.10 other\n" OWN("a")},
		{"10.0.0.1 b", "a", "x.org", "10.0.0.1 b\n" OWN("a.x.org a")},
		{"127.0.1.1", "a", NULL, OWN("a")},
		{"10.0.0.1 b", "a", NULL, "10.0.0.1 b\n" OWN("a")},
		{"1.1.1.1 x\n" CT_SECTION_END "2.2.2.2 y\n" CT_SECTION_END, "a", NULL,
		 "1.1.1.1 x\n2.2.2.2 y\n" OWN("a")},
		{"1.1.1.1 x\n" OWN("old") "127.0.1.1 mine\n", "a", NULL,
		 "1.1.1.1 x\n" OWN("a") "127.0.1.1 mine\n"},
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

static void outside(void **state)
{
	static const struct {
		const char *cidr, *gateway;
		bool is_outside;
	} cases[] = {
		{"10.0.0.2/24", "10.0.0.1", false},  {"10.0.0.2/24", "10.0.1.1", true},
		{"10.0.0.2/32", "10.0.0.1", true},   {"10.0.0.2/32", "10.0.0.2", false},
		{"10.0.0.2/8", "10.255.0.1", false}, {"10.0.0.130/25", "10.0.0.1", true},
		{"fd00::2/64", "fd00::1", false},    {"fd00::2/64", "fd00:0:0:1::1", true},
		{"fd00::2/128", "fe80::1", false},   {"10.0.0.2/0", "192.0.2.1", false},
		{"10.0.0.2/99", "192.0.2.1", false}, {"nonsense", "192.0.2.1", false},
		{"10.0.0.2/24", "fd00::1", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(ct_net_is_outside(cases[i].cidr, cases[i].gateway),
				 cases[i].is_outside);
}

static void sections(void **state)
{
	static const struct {
		const char *old, *expected; /* NULL: not replaced */
	} cases[] = {
		{"", NULL},
		{CT_SECTION_BEGIN "a\n" CT_SECTION_END, CT_SECTION_BEGIN "new\n" CT_SECTION_END},
		{"x\n\n" CT_SECTION_BEGIN CT_SECTION_END "y",
		 "x\n\n" CT_SECTION_BEGIN "new\n" CT_SECTION_END "y"},
		{CT_SECTION_BEGIN "a\n", NULL},
		{CT_SECTION_END "a\n" CT_SECTION_BEGIN, NULL},
		{"x" CT_SECTION_BEGIN "a\n" CT_SECTION_END, NULL},
		{CT_SECTION_BEGIN CT_SECTION_END CT_SECTION_BEGIN CT_SECTION_END, NULL},
		{CT_SECTION_BEGIN CT_SECTION_END CT_SECTION_END, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autobuf out = BUF_INIT;

		assert_int_equal(ct_section_replace(cases[i].old, "new\n", &out),
				 cases[i].expected != NULL);
		assert_string_equal(buf_str(&out), cases[i].expected ? cases[i].expected : "");
	}
}

static void os_releases(void **state)
{
	static const struct {
		const char *text, *id, *like, *version;
	} cases[] = {
		{"", "", "", ""},
		{"ID=debian", "debian", "", ""},
		{"# c\nNAME=\"X\"\nID='ubuntu'\nID_LIKE=\"debian x\"\nVERSION_ID=\"24.04\"\n",
		 "ubuntu", "debian x", "24.04"},
		{" ID=a\r\n\tVERSION_ID=1 \n", "a", "", "1"},
		{"ID=a\nID=b\n", "b", "", ""},
		{"ID=a\nID=\"b\n", "", "", ""},
		{"ID=a$(reboot)\nVERSION_ID=`x`\n", "", "", ""},
		{"ID=\"a b\"\nID_LIKE=../x\n", "", "", ""},
		{"ID=ab\\cd\nIDX=1\nXID=2\n", "abcd", "", ""},
		{"ID=0123456789012345678901234567890123456789\n", "", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct os_release release;

		os_release_parse(cases[i].text, strlen(cases[i].text), &release);
		assert_string_equal(release.id, cases[i].id);
		assert_string_equal(release.like, cases[i].like);
		assert_string_equal(release.version, cases[i].version);
	}
}

static void resolv(void **state)
{
	autobuf out = BUF_INIT, plain = BUF_INIT;

	(void)state;
	ct_resolv_text("9.9.9.9, 1.1.1.1", "a.org b.org", &out);
	assert_string_equal(buf_str(&out),
			    "search a.org b.org\nnameserver 9.9.9.9\nnameserver 1.1.1.1\n");
	ct_resolv_text("::1", NULL, &plain);
	assert_string_equal(buf_str(&plain), "nameserver ::1\n");
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
		cmocka_unit_test(hosts),       cmocka_unit_test(shadow),
		cmocka_unit_test(outside),     cmocka_unit_test(sections),
		cmocka_unit_test(os_releases), cmocka_unit_test(resolv),
		cmocka_unit_test(host_resolv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
