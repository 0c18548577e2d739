/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of single values: the texts are part of the API contract. Property strings. JSON schema.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/param.h"
#include "agent/base/propstr.h"

static const char *const types[] = {"veth", "phys", NULL};

static const struct param net_keys[] = {
	{.name = "name", .type = PARAM_STRING, .pattern = "[a-z0-9]+"},
	{.name = "type", .type = PARAM_STRING, .optional = true, .choices = types},
	{.name = "hwaddr", .type = PARAM_STRING, .optional = true, .format = "mac-addr"},
	{.name = "tag",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .min = 1,
	 .has_max = true,
	 .max = 4094},
	{.name = "firewall", .type = PARAM_BOOLEAN, .optional = true},
	PARAM_END,
};

static const struct param table[] = {
	{.name = "vmid",
	 .type = PARAM_INTEGER,
	 .has_min = true,
	 .min = 100,
	 .has_max = true,
	 .max = 999999999},
	{.name = "cpulimit",
	 .type = PARAM_NUMBER,
	 .optional = true,
	 .has_min = true,
	 .has_max = true,
	 .max = 8192},
	{.name = "onboot", .type = PARAM_BOOLEAN, .optional = true},
	{.name = "arch", .type = PARAM_STRING, .optional = true, .choices = types},
	{.name = "code", .type = PARAM_STRING, .optional = true, .pattern = "a|b+"},
	PARAM_VMID("guest", true, ""),
	{.name = "short",
	 .type = PARAM_STRING,
	 .optional = true,
	 .has_min = true,
	 .min = 2,
	 .has_max = true,
	 .max = 4},
	{.name = "node", .type = PARAM_STRING, .optional = true, .format = "pve-node"},
	{.name = "net[n]",
	 .type = PARAM_STRING,
	 .optional = true,
	 .keys = net_keys,
	 .default_key = "name"},
	{.name = "mp[n]", .type = PARAM_STRING, .optional = true, .index_max = 256},
	PARAM_END,
};

static void test_values(void **state)
{
	static const struct {
		const char *name, *value, *message; /* NULL: good */
	} cases[] = {
		{"vmid", "100", NULL},
		{"vmid", "x", "type check ('integer') failed - got 'x'"},
		{"vmid", "", "type check ('integer') failed - got ''"},
		{"vmid", "1.5", "type check ('integer') failed - got '1.5'"},
		{"vmid", "99", "value must have a minimum value of 100"},
		{"vmid", "1000000000", "value must have a maximum value of 999999999"},
		{"guest", "100", NULL},
		{"guest", "0100",
		 "invalid format - value '0100' does not look like a valid pve-vmid"},
		{"guest", "99", "value must have a minimum value of 100"},
		{"cpulimit", "0.5", NULL},
		{"cpulimit", "-1", "value must have a minimum value of 0"},
		{"cpulimit", "nan", "type check ('number') failed - got 'nan'"},
		{"onboot", "1", NULL},
		{"onboot", "off", NULL},
		{"onboot", "True", NULL},
		{"onboot", "2", "type check ('boolean') failed - got '2'"},
		{"arch", "veth", NULL},
		{"arch", "x", "value 'x' does not have a value in the enumeration 'veth, phys'"},
		{"code", "bbb", NULL},
		{"code", "ab", "value does not match the regex pattern"},
		{"code", "a\n", "value does not match the regex pattern"},
		{"short", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", NULL},
		{"short", "abcde", "value may only be 4 characters long"},
		{"short", "a", "value must be at least 2 characters long"},
		{"short", "\xff\xff", "value is not valid UTF-8 text"},
		{"node", "pve-1", NULL},
		{"node", "-", "invalid format - value '-' does not look like a valid pve-node"},
		{"net0", "eth0,tag=5", NULL},
		{"net0", "eth0,tag=0",
		 "invalid format - tag: value must have a minimum value of 1"},
		{"net31", "name=eth0", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct param *p = param_find(table, cases[i].name);
		struct err err = ERR_INIT;
		int r;

		assert_non_null(p);
		r = param_check(p, cases[i].name, cases[i].value, &err);
		assert_int_equal(r, cases[i].message ? -ERR_INVALID : 0);
		assert_string_equal(err.message, cases[i].message ? cases[i].message : "");
		assert_string_equal(err.field, cases[i].message ? cases[i].name : "");
		assert_int_equal(param_check(p, cases[i].name, cases[i].value, NULL), r);
	}
}

static void test_find(void **state)
{
	static const char *const unknown[] = {
		"net",	 "net32", "net01", "net-1", "net[n]",
		"net0x", "vmid0", "",	   "mp256", "net99999999999999999999"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		if (param_find(table, unknown[i]))
			fail_msg("found: %s", unknown[i]);
	assert_string_equal(param_find(table, "mp255")->name, "mp[n]");
	assert_null(param_find(NULL, "x"));
}

static void test_property_strings(void **state)
{
	static const struct {
		const char *text, *message, *canonical;
	} cases[] = {
		{"tag=5,name=eth0,hwaddr=02:00:00:00:00:01", NULL,
		 "eth0,hwaddr=02:00:00:00:00:01,tag=5"},
		{"eth0", NULL, "eth0"},
		{",eth0,,", NULL, "eth0"},
		{"", "invalid format - name: property is missing and it is not optional", NULL},
		{"tag=1", "invalid format - name: property is missing and it is not optional",
		 NULL},
		{"eth0,name=eth1", "invalid format - duplicate key 'name'", NULL},
		{"eth0,x=1",
		 "invalid format - x: property is not defined in schema and the schema does not "
		 "allow "
		 "additional properties",
		 NULL},
		{"eth0,type=",
		 "invalid format - type: value '' does not have a value in the enumeration 'veth, "
		 "phys'",
		 NULL},
		{"eth0,=1",
		 "invalid format - : property is not defined in schema and the schema does not "
		 "allow "
		 "additional properties",
		 NULL},
		{"eth0,hwaddr=03:00:00:00:00:01",
		 "invalid format - hwaddr: invalid format - value '03:00:00:00:00:01' does not "
		 "look like a "
		 "valid mac-addr",
		 NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofields f = FIELDS_INIT;
		struct err err = ERR_INIT;
		int r = propstr_parse(net_keys, "name", "net3", cases[i].text, &f, &err);

		assert_int_equal(r, cases[i].message ? -ERR_INVALID : 0);
		if (cases[i].message) {
			assert_string_equal(err.message, cases[i].message);
			assert_string_equal(err.field, "net3");
			assert_int_equal(f.count, 0);
		} else {
			autofree char *text = propstr_format(net_keys, "name", &f);

			assert_string_equal(text, cases[i].canonical);
		}
	}
}

/* the name of the default key stays where leaving it out would change the meaning */
static void test_default_key_with_equals(void **state)
{
	static const struct param keys[] = {{.name = "path", .type = PARAM_STRING},
					    {.name = "x", .type = PARAM_STRING, .optional = true},
					    PARAM_END};
	static const char *const texts[] = {"path=/a=b", "path=", "/a,x=1", "path=x=1,x=2"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		autofields f = FIELDS_INIT;
		autofree char *text = NULL;

		assert_int_equal(propstr_parse(keys, "path", "mp0", texts[i], &f, NULL), 0);
		text = propstr_format(keys, "path", &f);
		assert_string_equal(text, texts[i]);
	}
}

static void test_no_default_key(void **state)
{
	autofields f = FIELDS_INIT;
	autofree char *big = xcalloc(1, PROPSTR_SIZE_MAX + 2);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(propstr_parse(net_keys, NULL, "net0", "eth0", &f, &err), -ERR_INVALID);
	memset(big, 'a', PROPSTR_SIZE_MAX + 1);
	assert_int_equal(propstr_parse(net_keys, "name", "net0", big, &f, &err), -ERR_INVALID);
	assert_string_equal(err.message, "invalid format - longer than 8192 characters");
}

static void test_schema(void **state)
{
	autobuf out = BUF_INIT;
	struct json j;

	(void)state;
	json_init(&j, &out);
	json_array_begin(&j);
	param_to_json(&j, param_find(table, "cpulimit"));
	param_to_json(&j, param_find(table, "short"));
	param_to_json(&j, param_find(net_keys, "type"));
	param_to_json(&j, param_find(table, "node"));
	json_array_end(&j);
	assert_string_equal(buf_str(&out),
			    "[{\"type\":\"number\",\"optional\":1,\"minimum\":0,\"maximum\":8192},"
			    "{\"type\":\"string\",\"optional\":1,\"minLength\":2,\"maxLength\":4},"
			    "{\"type\":\"string\",\"optional\":1,\"enum\":[\"veth\",\"phys\"]},"
			    "{\"type\":\"string\",\"optional\":1,\"format\":\"pve-node\"}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_property_strings),
		cmocka_unit_test(test_default_key_with_equals),
		cmocka_unit_test(test_no_default_key),
		cmocka_unit_test(test_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
