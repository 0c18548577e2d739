/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration text: what is read, refused, and written back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/config.h"
#include "agent/guest/notices.h"

static const char canonical[] = "#first line\n#\n#100%25%3A \xc3\xa4\n"
				"arch: amd64\n"
				"lxc.cap.drop: sys_admin\n"
				"lxc.cap.drop: mknod\n"
				"some-new.key_1: a: b = c\n"
				"\n[PENDING]\ndelete: net1,swap\nmemory: 1024\n"
				"\n[before_upgrade]\n#note\nsnaptime: 1700000000\n"
				"\n[special:cloudinit]\nx: y\n";

static void round_trip(const char *text, const char *expected)
{
	struct guest_config config, copy;
	struct err err = ERR_INIT;
	autobuf out = BUF_INIT;

	assert_int_equal(guest_config_parse(text, strlen(text), &config, &err), 0);
	guest_config_copy(&copy, &config);
	guest_config_fini(&config);
	guest_config_format(&copy, &out);
	guest_config_fini(&copy);
	assert_string_equal(buf_str(&out), expected);
}

static void formats_what_it_parsed(void **state)
{
	(void)state;
	/* only ASCII stays as it is in a description */
	round_trip(canonical, "#first line\n#\n#100%25%3A %C3%A4\n"
			      "arch: amd64\n"
			      "lxc.cap.drop: sys_admin\n"
			      "lxc.cap.drop: mknod\n"
			      "some-new.key_1: a: b = c\n"
			      "\n[PENDING]\ndelete: net1,swap\nmemory: 1024\n"
			      "\n[before_upgrade]\n#note\nsnaptime: 1700000000\n"
			      "\n[special:cloudinit]\nx: y\n");
	round_trip("", "");
	round_trip("\n\na:b  \n\n", "a: b\n");
	round_trip("a: b", "a: b\n");
	round_trip("a: b\n#later\n", "#later\na: b\n");
	round_trip("lxc.idmap = u 0 1 2\n", "lxc.idmap: u 0 1 2\n");
}

static void reads_sections(void **state)
{
	(void)state;
	struct guest_config config;
	struct err err = ERR_INIT;

	assert_int_equal(guest_config_parse(canonical, strlen(canonical), &config, &err), 0);
	assert_int_equal(config.count, 4);
	assert_string_equal(guest_config_get(&config, "description"),
			    "first line\n\n100%: \xc3\xa4\n");
	assert_string_equal(guest_config_get(&config, "some-new.key_1"), "a: b = c");
	assert_null(guest_config_get(&config, "memory"));
	assert_string_equal(fields_get(&guest_config_section(&config, "PENDING")->keys, "memory"),
			    "1024");
	assert_string_equal(guest_config_section(&config, "before_upgrade")->description, "note\n");
	assert_null(guest_config_section(&config, "none"));
	guest_config_fini(&config);
}

static void digest_is_sha1_of_the_text(void **state)
{
	(void)state;
	struct guest_config config;
	struct err err = ERR_INIT;

	assert_int_equal(guest_config_parse("a: b\n", 5, &config, &err), 0);
	assert_string_equal(config.digest, "3edb5ce145cf1d1e2413e02b8bed70f1ae3ed105");
	guest_config_fini(&config);
}

struct bad_case {
	const char *text, *message;
};

static const struct bad_case bad_cases[] = {
	{"a b\n", "line 1: expected \"key: value\""},
	{": b\n", "line 1: expected \"key: value\""},
	{"1a: b\n", "line 1: expected \"key: value\""},
	{" a: b\n", "line 1: expected \"key: value\""},
	{"a = b\n", "line 1: expected \"key: value\""},
	{"a: b\na:\n", "line 2: key has no value"},
	{"a: b\na: c\n", "line 2: key is there twice"},
	{"a: b\r\n", "line 1: control character"},
	{"a: b\tc\n", "line 1: control character"},
	{"a: \x7f\n", "line 1: control character"},
	{"a: \xff\n", "line 1: not UTF-8"},
	{"#%zz\n", "line 1: bad percent-encoding in the description"},
	{"#%00\n", "line 1: bad percent-encoding in the description"},
	{"#%ff\n", "line 1: description is not UTF-8"},
	{"[\n", "line 1: bad section header"},
	{"[]\n", "line 1: bad section header"},
	{"[a\n", "line 1: bad section header"},
	{"[a b]\n", "line 1: bad section name"},
	{"[special:]\n", "line 1: bad section name"},
	{"[a]\n[a]\n", "line 2: section is there twice"},
	{"description: x\n", "line 1: the description belongs into '#' lines"},
};

static void refuses_what_it_does_not_understand(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_cases); i++) {
		struct guest_config config = {.count = 77};
		struct err err = ERR_INIT;
		const char *text = bad_cases[i].text;

		assert_int_equal(guest_config_parse(text, strlen(text), &config, &err),
				 -ERR_CORRUPT);
		assert_string_equal(err.message, bad_cases[i].message);
		assert_int_equal(config.count, 77);
	}
}

static void refuses_nul_bytes(void **state)
{
	(void)state;
	struct guest_config config;
	struct err err = ERR_INIT;

	assert_int_equal(guest_config_parse("a: b\0c\n", 7, &config, &err), -ERR_CORRUPT);
	assert_string_equal(err.message, "line 1: control character");
}

static void keeps_bounds(void **state)
{
	(void)state;
	struct guest_config config;
	struct err err = ERR_INIT;
	autobuf keys = BUF_INIT, sections = BUF_INIT;
	autofree char *big = xmalloc(GUEST_CONFIG_MAX + 1);

	memset(big, '\n', GUEST_CONFIG_MAX + 1);
	assert_int_equal(guest_config_parse(big, GUEST_CONFIG_MAX + 1, &config, &err), -ERR_LIMIT);
	for (int i = 0; i < 513; i++)
		buf_addf(&keys, "k%d: v\n", i);
	assert_int_equal(guest_config_parse(keys.data, keys.size, &config, &err), -ERR_CORRUPT);
	assert_string_equal(err.message, "line 513: too many keys");
	for (int i = 0; i < 128; i++)
		buf_addf(&sections, "[s%d]\n", i);
	assert_int_equal(guest_config_parse(sections.data, sections.size, &config, &err),
			 -ERR_CORRUPT);
	assert_string_equal(err.message, "line 128: too many sections");
}

static void sets_and_deletes(void **state)
{
	(void)state;
	struct guest_config config;
	autobuf out = BUF_INIT;

	guest_config_init(&config);
	guest_config_set(&config, "memory", "512");
	guest_config_set(&config, "description", "a\nb");
	guest_config_set(&config, "memory", "1024");
	assert_string_equal(guest_config_get(&config, "description"), "a\nb\n");
	assert_false(guest_config_delete(&config, "cores"));
	guest_config_format(&config, &out);
	assert_string_equal(buf_str(&out), "#a\n#b\nmemory: 1024\n");
	assert_true(guest_config_delete(&config, "description"));
	assert_true(guest_config_delete(&config, "memory"));
	assert_int_equal(config.sections[0].keys.count, 0);
	guest_config_section_add(&config, "one");
	guest_config_section_add(&config, "two");
	guest_config_section_remove(&config, "one");
	guest_config_section_remove(&config, "");
	assert_int_equal(config.count, 2);
	assert_string_equal(config.sections[1].name, "two");
	guest_config_fini(&config);
}

/* The longest description that the API takes is read back. */
static void long_description_round_trips(void **state)
{
	(void)state;
	struct guest_config config, back;
	struct err err = ERR_INIT;
	autobuf text = BUF_INIT, out = BUF_INIT;

	for (int i = 0; i < 8192; i++)
		buf_add_str(&text, "\xf0\x9f\x98\x80");
	guest_config_init(&config);
	guest_config_set(&config, "description", buf_str(&text));
	guest_config_format(&config, &out);
	assert_int_equal(guest_config_parse(out.data, out.size, &back, &err), 0);
	assert_string_equal(guest_config_get(&back, "description"),
			    guest_config_get(&config, "description"));
	guest_config_fini(&config);
	guest_config_fini(&back);
}

static void notices(void **state)
{
	static const struct {
		const char *text;
		size_t count;
	} cases[] = {
		{"net0: name=eth0,bridge=vmbr0\n", 0},
		{"net0: name=eth0,bridge=vmbr0,firewall=1\n", 1},
		{"net0: virtio=BC:24:11:00:00:01,firewall=0\nnet1: virtio,firewall=1\n", 1},
		{"net0: firewall=yes\nnet12: firewall=1\nnetwork: firewall=1\n", 2},
		{"rootfs: a:101/b.raw,quota=1\nmp0: a:101/c.raw,mp=/a,quota=1\nmp1: "
		 "a:101/d.raw,mp=/b,quota=0\n",
		 2},
		{"mp0: a:101/c.raw,mp=/a,keepattrs=1\nmp1: /srv,mp=/b,keepattrs=1\nmp2: "
		 "a:101/d.raw,mp=/c,ro=1,keepattrs=1\nmp3: /srv,mp=/d,keepattrs=0\n",
		 2},
		{"memory: 64\n[snap]\nnet0: name=eth0,firewall=1\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guest_config config;
		autofields found = FIELDS_INIT;

		assert_int_equal(
			guest_config_parse(cases[i].text, strlen(cases[i].text), &config, NULL), 0);
		guest_notices(&config, &found);
		assert_int_equal(found.count, cases[i].count);
		guest_config_fini(&config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notices),
		cmocka_unit_test(formats_what_it_parsed),
		cmocka_unit_test(reads_sections),
		cmocka_unit_test(digest_is_sha1_of_the_text),
		cmocka_unit_test(refuses_what_it_does_not_understand),
		cmocka_unit_test(refuses_nul_bytes),
		cmocka_unit_test(keeps_bounds),
		cmocka_unit_test(sets_and_deletes),
		cmocka_unit_test(long_description_round_trips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
