/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests against parameter tables: every wrong parameter is named at once, in the exact words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/api/reply.h"
#include "agent/api/validate.h"
#include "agent/base/str.h"

static const char *const colours[] = {"red", "green", NULL};

static const struct param params[] = {
	{.name = "node", .format = "pve-node"},
	{.name = "vmid",
	 .type = PARAM_INTEGER,
	 .has_min = true,
	 .min = 100,
	 .has_max = true,
	 .max = 999999999},
	{.name = "colour", .optional = true, .choices = colours},
	{.name = "start", .type = PARAM_BOOLEAN, .optional = true},
	{.name = "command", .type = PARAM_ARRAY, .optional = true},
	{.name = "name", .optional = true, .has_max = true, .max = 8},
	PARAM_END,
};
static const struct param more[] = {
	{.name = "hostname", .optional = true, .format = "dns-name"},
	{.name = "net[n]", .optional = true},
	{.name = "cores", .type = PARAM_INTEGER, .optional = true, .has_min = true, .min = 1},
	{.name = "owner"},
	PARAM_END,
};
static const struct param paired_params[] = {
	{.name = "sum", .optional = true, .requires = "kind"},
	{.name = "kind", .optional = true, .choices = colours, .requires = "sum"},
	{.name = "append", .type = PARAM_BOOLEAN, .optional = true, .requires = "id"},
	{.name = "id", .optional = true},
	PARAM_END,
};
static const struct api_route paired = {
	.verb = API_PUT, .path = "/y/{id}", .params = paired_params};
static const struct api_route plain = {.verb = API_POST, .path = "/x/{node}", .params = params};
static const struct api_route rich = {
	.verb = API_POST, .path = "/x/{node}", .params = params, .more = more};
static const struct api_route bare = {.verb = API_GET, .path = "/x"};

#define UNKNOWN                                                                                    \
	"property is not defined in schema and the schema does not allow additional properties"
#define MISSING "property is missing and it is not optional"

/* fields as "name=value&name=value" */
static void fill(struct fields *f, const char *text)
{
	autostrv char **pairs = str_split(text, "&");
	for (size_t i = 0; pairs[i]; i++) {
		char *value = strchr(pairs[i], '=');
		*value = '\0';
		fields_add(f, pairs[i], value + 1);
	}
}

static const struct {
	const struct api_route *route;
	const char *path, *given;
	const char *valid;  /* what comes out, in order */
	const char *errors; /* the "errors" object, or NULL */
} cases[] = {
	{&plain, "node=n1", "vmid=101", "node=n1&vmid=101&", NULL},
	{&plain, "node=n1", "vmid=101&_dc=1700", "node=n1&vmid=101&", NULL},
	{&plain, "node=n1", "vmid=0101", "node=n1&vmid=101&", NULL},
	{&plain, "node=n1&vmid=00101", "", "node=n1&vmid=101&", NULL},
	{&plain, "node=n1", "vmid=101&start=true", "node=n1&vmid=101&start=1&", NULL},
	{&plain, "node=n1", "vmid=101&start=off", "node=n1&vmid=101&start=0&", NULL},
	{&plain, "node=n1", "vmid=101&vmid=101", "node=n1&vmid=101&", NULL},
	{&plain, "node=n1", "vmid=101&vmid=0101&start=on&start=1", "node=n1&vmid=101&start=1&",
	 NULL},
	{&plain, "node=n1", "vmid=101&command=a&command=b", "node=n1&vmid=101&command=a&command=b&",
	 NULL},
	{&plain, "node=n1", "", "node=n1&", "{\"vmid\":\"" MISSING "\"}"},
	{&plain, "node=n1", "vmid=x", "node=n1&",
	 "{\"vmid\":\"type check ('integer') failed - got 'x'\"}"},
	{&plain, "node=n1", "vmid=99", "node=n1&",
	 "{\"vmid\":\"value must have a minimum value of 100\"}"},
	{&plain, "node=n1", "vmid=101&vmid=102", "node=n1&vmid=101&",
	 "{\"vmid\":\"type check ('integer') failed - got ARRAY\"}"},
	{&plain, "node=n1", "vmid=101&node=n2", "node=n1&vmid=101&",
	 "{\"node\":\"duplicate parameter (already defined in URI)\"}"},
	{&plain, "node=n1", "vmid=101&hostname=a", "node=n1&vmid=101&",
	 "{\"hostname\":\"" UNKNOWN "\"}"},
	{&plain, "node=n1", "foo=1&foo=2&vmid=x&bar=3", "node=n1&",
	 "{\"foo\":\"" UNKNOWN "\",\"vmid\":\"type check ('integer') failed - got 'x'\","
	 "\"bar\":\"" UNKNOWN "\"}"},
	{&plain, "node=n1", "vmid=101&name=\xff", "node=n1&vmid=101&",
	 "{\"name\":\"value is not valid UTF-8 text\"}"},
	{&rich, "node=n1", "vmid=101&net0=a&net31=b&cores=2&owner=me",
	 "node=n1&vmid=101&net0=a&net31=b&cores=2&owner=me&", NULL},
	{&rich, "node=n1", "net32=a&netx=b&cores=0&net00=c", "node=n1&",
	 "{\"net32\":\"" UNKNOWN "\",\"netx\":\"" UNKNOWN
	 "\",\"cores\":\"value must have a minimum value of 1\",\"net00\":\"" UNKNOWN
	 "\",\"vmid\":\"" MISSING "\",\"owner\":\"" MISSING "\"}"},
	{&paired, "", "sum=a&kind=red", "sum=a&kind=red&", NULL},
	{&paired, "", "", "", NULL},
	{&paired, "", "sum=a", "sum=a&",
	 "{\"kind\":\"missing property - 'sum' requires this property\"}"},
	{&paired, "", "kind=red&append=1", "kind=red&append=1&",
	 "{\"sum\":\"missing property - 'kind' requires this property\","
	 "\"id\":\"missing property - 'append' requires this property\"}"},
	{&paired, "", "sum=a&kind=x", "sum=a&",
	 "{\"kind\":\"value 'x' does not have a value in the enumeration 'red, green'\"}"},
	{&paired, "id=a", "append=1", "id=a&append=1&", NULL},
	{&bare, "", "", "", NULL},
	{&bare, "", "a=1", "", "{\"a\":\"" UNKNOWN "\"}"},
};

static void check_errors(const struct fields *errors, const char *expected)
{
	struct reply reply = REPLY_INIT;
	autofree char *document = expected ? xasprintf("{\"data\":null,\"errors\":%s,\"message\":"
						       "\"Parameter verification failed.\\n\"}",
						       expected)
					   : NULL;
	if (!expected) {
		assert_int_equal(errors->count, 0);
		return;
	}
	api_reply_error(&reply, 400, "Parameter verification failed.", errors);
	assert_string_equal(buf_str(&reply.body), document);
	reply_fini(&reply);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofields path = FIELDS_INIT, given = FIELDS_INIT, ret = FIELDS_INIT,
			   errors = FIELDS_INIT;
		autobuf valid = BUF_INIT;
		fill(&path, cases[i].path);
		fill(&given, cases[i].given);
		assert_int_equal(api_validate(cases[i].route, &path, &given, &ret, &errors),
				 cases[i].errors == NULL);
		check_errors(&errors, cases[i].errors);
		for (size_t f = 0; f < ret.count; f++)
			buf_addf(&valid, "%s=%s&", ret.items[f].name, ret.items[f].value);
		assert_string_equal(buf_str(&valid), cases[i].valid);
	}
}

/* The text ends at the first NUL; what comes behind must not pass unseen. */
static void test_nul_inside(void **state)
{
	(void)state;
	autofields path = FIELDS_INIT, given = FIELDS_INIT, ret = FIELDS_INIT, errors = FIELDS_INIT;
	fill(&path, "node=n1");
	fill(&given, "vmid=101");
	fields_add_n(&given, "name", "ok\0bad", 6);
	assert_false(api_validate(&plain, &path, &given, &ret, &errors));
	assert_non_null(fields_get(&errors, "name"));
	assert_null(fields_get(&ret, "name"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_nul_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
