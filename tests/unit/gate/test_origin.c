/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of others cannot change anything with the user's cookie; programs that are no browsers go on as ever. */
#include "tests/unit/gate/gate_fixture.h"

#include "agent/gate/origin.h"

#define HOST   "pve.lan:8006"
#define COOKIE "Cookie: a=b; PVEAuthCookie=PVE%3Aroot"

static void test_rule(void **state)
{
	static const struct {
		const char *verb, *origin, *fetch_site;
		bool has_cookie, is_allowed;
	} cases[] = {
		{"POST", NULL, NULL, true, true}, /* curl, proxmoxer */
		{"POST", "https://" HOST, NULL, true, true},
		{"POST", "HTTPS://PVE.lan:8006", "same-origin", true, true},
		{"POST", "https://evil.example", NULL, true, false},
		{"PUT", "https://evil.example", NULL, true, false},
		{"DELETE", "https://evil.example", NULL, true, false},
		{"POST", "https://evil.example", NULL, false, true}, /* a token, or a log-in */
		{"GET", "https://evil.example", "cross-site", true, true},
		{"HEAD", "https://evil.example", NULL, true, true},
		{"POST", "https://pve.lan", NULL, true, false},
		{"POST", "https://pve.lan:8006.evil.example", NULL, true, false},
		{"POST", "http://" HOST, NULL, true, false},
		{"POST", "null", NULL, true, false},
		{"POST", "", NULL, true, false},
		{"POST", "https://evil.example", "none", true, false},
		{"POST", "https://evil.example", "same-site", true, false},
		{"POST", NULL, "cross-site", true, false},
		{"POST", NULL, "same-site", true, false},
		{"POST", NULL, "", true, false},
		{"POST", NULL, "none", true, true},
		{"POST", NULL, "same-origin", true, true},
		{"POST", "https://outside.example", "same-origin", true, true}, /* a proxy */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct origin o = {.verb = cases[i].verb,
					 .has_cookie = cases[i].has_cookie,
					 .origin = cases[i].origin,
					 .fetch_site = cases[i].fetch_site,
					 .host = HOST};
		struct err err = ERR_INIT;
		int r = origin_check(&o, &err);

		if ((r == 0) != cases[i].is_allowed)
			fail_msg("case %zu: %d %s", i, r, err.message);
		if (r < 0)
			assert_int_equal(r, -ERR_DENIED);
	}
}

static void ask(const struct fixture *f, const char *head, const char *body, struct response *ret)
{
	struct client c;

	client_open(&c, f);
	client_ask(&c, "%s\r\nContent-Length: %zu", head, strlen(body));
	client_send(&c, body, strlen(body));
	assert_true(client_read(&c, ret));
	client_close(&c);
}

#define FORM "\r\nContent-Type: application/x-www-form-urlencoded\r\n"

static void test_requests(void **state)
{
	static const struct {
		const char *head;
		unsigned status;
	} cases[] = {
		{"POST /api2/json/echo" FORM COOKIE "\r\nOrigin: https://evil.example", 403},
		{"PUT /api2/extjs/echo" FORM COOKIE "\r\nOrigin: https://evil.example", 403},
		{"POST /api2/json/echo" FORM COOKIE "\r\nSec-Fetch-Site: cross-site", 403},
		{"POST /api2/json/echo" FORM COOKIE "\r\nOrigin: https://here", 200},
		{"POST /api2/json/echo" FORM COOKIE, 200},
		{"POST /api2/json/echo" FORM "Authorization: PVEAPIToken=a@pam!b=c\r\n"
		 "Origin: https://evil.example",
		 200},
		{"POST /api2/json/echo" FORM "Origin: https://evil.example", 200},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autoresponse r;

		ask(*state, cases[i].head, "a=1", &r);
		if (r.status != cases[i].status)
			fail_msg("case %zu: %u %s", i, r.status, r.reason);
		if (r.status == 403)
			assert_non_null(strstr(r.body, "a page of another"));
	}
}

#define UPLOAD                                                                                     \
	"POST /api2/json/nodes/n1/storage/local/upload\r\nContent-Type: multipart/form-data; "     \
	"boundary=B\r\n"
#define PARTS                                                                                      \
	"--B\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"a\"\r\n\r\nx\r\n"    \
	"--B--\r\n"

/* The fake core knows no such path (404): what matters is whether it was asked. */
static void test_uploads(void **state)
{
	autoresponse foreign, site, plain;

	ask(*state, UPLOAD COOKIE "\r\nOrigin: https://evil.example", PARTS, &foreign);
	assert_int_equal(foreign.status, 403);
	assert_non_null(strstr(foreign.reason, "https://evil.example"));
	ask(*state, UPLOAD COOKIE "\r\nSec-Fetch-Site: same-site", PARTS, &site);
	assert_int_equal(site.status, 403);
	ask(*state, UPLOAD COOKIE, PARTS, &plain);
	assert_int_not_equal(plain.status, 403);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule),
		cmocka_unit_test_setup_teardown(test_requests, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_uploads, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
