/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gate over real TLS: answers, reason phrases, sizes, core and clients that go away. */
#include "tests/unit/gate/gate_fixture.h"

struct expectation {
	const char *ask; /* request line and more header lines; body after "\r\n\r\n" */
	unsigned status;
	const char *reason;   /* NULL: any */
	const char *in_head;  /* NULL: any */
	const char *in_body;  /* NULL: any */
	const char *not_body; /* NULL: any */
};

#define FORM "\r\nContent-Type: application/x-www-form-urlencoded"
#define JSON "\r\nContent-Type: application/json"

static void expect(const struct fixture *f, const struct expectation *e)
{
	autofree char *ask = xstrdup(e->ask);
	char *body = strstr(ask, "\r\n\r\n");
	struct client c;
	autoresponse r = {0};

	client_open(&c, f);
	if (body) {
		*body = '\0';
		body += 4;
		client_ask(&c, "%s\r\nContent-Length: %zu", ask, strlen(body));
		client_send(&c, body, strlen(body));
	} else {
		client_ask(&c, "%s", ask);
	}
	if (!client_read(&c, &r))
		fail_msg("no answer to %s", e->ask);
	client_close(&c);
	if (r.status != e->status || (e->reason && !str_eq(r.reason, e->reason)) ||
	    (e->in_head && !strstr(r.head, e->in_head)) ||
	    (e->in_body && !strstr(r.body, e->in_body)) ||
	    (e->not_body && strstr(r.body, e->not_body)))
		fail_msg("%s\nexpected %u %s [%s] [%s]\ngot %s%s", e->ask, e->status, e->reason,
			 e->in_head, e->in_body, r.head, r.body);
}

static const struct expectation contract[] = {
	/* heads of answers */
	{.ask = "GET /api2/json/version",
	 200,
	 "OK",
	 "Content-Type: application/json;charset=UTF-8\r\n",
	 "{\"data\":{\"version\""},
	{.ask = "GET /api2/json/version", 200, "OK", "Cache-Control: no-cache\r\nPragma: no-cache"},
	{.ask = "GET /api2/json/version", 200, "OK", "Server: lodge\r\n"},
	/* status and reason phrase */
	{.ask = "GET "
		"/api2/json/status/403/"
		"Permission%20check%20failed%20(%2Fvms%2F100,%20VM.Audit)",
	 403,
	 "Permission check failed (/vms/100, VM.Audit)"},
	{.ask = "GET /api2/json/status/500/VM%20117%20does%20not%20exist",
	 500,
	 "VM 117 does not exist"},
	{.ask = "GET /api2/json/status/596/gone", 596, "gone"},
	{.ask = "GET /api2/json/status/500", 500, "Internal Server Error"},
	{.ask = "GET /api2/json/status/500/a%7fb", 400, "the path has a control character"},
	/* path and query */
	{.ask = "GET /api2/json/echo?a=1&b=%3d+x;a=2&_dc=7",
	 200,
	 NULL,
	 NULL,
	 "param a=1\nparam b== x\nparam a=2\n"},
	{.ask = "GET /api2/json/echo", 200, NULL, NULL, "head path=/echo\n"},
	{.ask = "GET /api2/json/echo",
	 200,
	 NULL,
	 NULL,
	 "head verb=GET\nhead path=/echo\nhead peer=127.0.0.1\nhead source=gate\n"},
	{.ask = "GET /api2/json/nodes/%2E%2e/a%2fb%25", 200},
	{.ask = "GET /api2/json/%zz", 400, "the path has a bad percent escape", "json", "message"},
	{.ask = "GET /api2/json/a%00b", 400, "the path has a bad percent escape"},
	/* bodies, as forms and as JSON */
	{.ask = "POST /api2/json/echo?vmid=7" FORM "\r\n\r\nvmid=8&x=%26&x=2",
	 200,
	 NULL,
	 NULL,
	 "param x=&\nparam x=2\nparam vmid=7\n",
	 "vmid=8"},
	{.ask = "PUT /api2/json/echo" JSON
		"\r\n\r\n{\"a\":true,\"b\":[1,\"z\"],\"c\":null,\"d\":1.5}",
	 200,
	 NULL,
	 NULL,
	 "param a=1\nparam b=1\nparam b=z\nparam d=1.5\n",
	 "param c"},
	{.ask = "POST /api2/json/echo" JSON "\r\n\r\n{\"net\":{\"x\":1}}",
	 400,
	 "Parameter verification failed.",
	 NULL,
	 "\"errors\":{\"net\":\""},
	{.ask = "POST /api2/json/echo" JSON "\r\n\r\n{\"net\"", 400},
	{.ask = "POST /api2/json/echo\r\nContent-Type: text/xml\r\n\r\n<a/>",
	 400,
	 NULL,
	 NULL,
	 "content type must be"},
	{.ask = "POST /api2/json/echo\r\nContent-Type: multipart/form-data; "
		"boundary=x\r\n\r\n--x--",
	 501,
	 NULL,
	 NULL,
	 "upload"},
	/* verbs */
	{.ask = "GET /api2/json/echo" FORM "\r\n\r\na=1",
	 501,
	 "Unexpected content for method 'GET'"},
	{.ask = "DELETE /api2/json/echo" FORM "\r\n\r\na=1", 501},
	{.ask = "DELETE /api2/json/echo?purge=1", 200, NULL, NULL, "param purge=1\n"},
	{.ask = "PATCH /api2/json/version", 501, "Method 'PATCH /version' not implemented"},
	/* formats */
	{.ask = "GET /api2/extjs/status/403/no",
	 200,
	 "OK",
	 NULL,
	 "{\"success\":0,\"status\":403,\"data\":null"},
	{.ask = "GET /api2/extjs/version", 200, "OK", NULL, "{\"success\":1,\"data\":{"},
	{.ask = "GET /api2/jsonx/version", 404},
	/* credentials */
	{.ask = "GET /api2/json/echo\r\nCookie: a=b; PVEAuthCookie=PVE%3Aroot@pam%3A1",
	 200,
	 NULL,
	 NULL,
	 "head ticket=PVE:root@pam:1\n"},
	{.ask = "GET /api2/json/echo\r\nAuthorization: PVEAuthCookie=PVE:x",
	 200,
	 NULL,
	 NULL,
	 "head ticket=PVE:x\n"},
	{.ask = "GET /api2/json/echo\r\nAuthorization: PVEAPIToken u@pam!t=12",
	 200,
	 NULL,
	 NULL,
	 "head token=u@pam!t=12\n"},
	{.ask = "GET /api2/json/echo\r\nAuthorization: PVEAPIToken=u@pam!t=12\r\n"
		"CSRFPreventionToken: 5:x",
	 200,
	 NULL,
	 NULL,
	 "head token=u@pam!t=12\nhead csrf=5:x\n"},
	/* static files */
	{.ask = "GET /", 200, "OK", "Content-Security-Policy: default-src 'none'", "<p>here</p>"},
	{.ask = "GET /index.html", 200, "OK", "Content-Type: text/html; charset=utf-8\r\n"},
	{.ask = "GET /../tls/gate.key", 404, "no such file"},
	{.ask = "GET /%2e%2e/tls/gate.key", 404},
	{.ask = "GET //etc/passwd", 404},
	{.ask = "POST /index.html" FORM "\r\n\r\na=1", 501},
};

static void answers_are_as_in_the_contract(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(contract); i++)
		expect(*state, &contract[i]);
}

/* Answers of different clients are built in one thread: none may get the other's phrase. */
static void phrases_stay_with_their_answers(void **state)
{
	enum { CLIENTS = 6, EACH = 12 };
	struct client clients[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		client_open(&clients[i], *state);
	for (int n = 0; n < EACH; n++) /* pipelined on each, answered out of order between them */
		for (int i = 0; i < CLIENTS; i++)
			client_ask(&clients[i], "GET /api2/json/%s/%d/phrase%%20%d.%d",
				   n % 2 ? "later" : "status", n % 2 ? (i * 7) % 20 : 500 + i % 3,
				   i, n);
	for (int i = 0; i < CLIENTS; i++)
		for (int n = 0; n < EACH; n++) {
			autoresponse r = {0};
			char wanted[64];

			snprintf(wanted, sizeof(wanted), "phrase %d.%d", i, n);
			assert_true(client_read(&clients[i], &r));
			assert_string_equal(r.reason, wanted);
		}
	for (int i = 0; i < CLIENTS; i++)
		client_close(&clients[i]);
}

/* What libmicrohttpd answers by itself never shows somebody's phrase. */
static void malformed_requests_get_standard_phrases(void **state)
{
	static const char bad[] = "GET /x HTTP/1.1\r\nno colon here\r\n\r\n";
	struct client a, b;
	autoresponse first = {0}, second = {0};

	client_open(&a, *state);
	client_open(&b, *state);
	client_ask(&a, "GET /api2/json/status/400/secret%%20of%%20a");
	assert_true(client_read(&a, &first));
	assert_string_equal(first.reason, "secret of a");
	client_send(&b, bad, strlen(bad));
	if (client_read(&b, &second)) {
		assert_int_equal(second.status, 400);
		assert_string_equal(second.reason, "Bad Request");
	}
	client_close(&a);
	client_close(&b);
}

static void large_bodies_are_refused(void **state)
{
	static const struct {
		const char *length; /* header */
		size_t size;	    /* sent */
		unsigned status;
	} cases[] = {
		{"Content-Length: 524288", 524288, 200},
		{"Content-Length: 524289", 524289, 413},
		{"Content-Length: 99999999", 0, 413},
	};
	autofree char *body = xmalloc(524289);

	memset(body, 'a', 524289);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct client c;
		autoresponse r = {0};

		client_open(&c, *state);
		client_ask(&c, "POST /api2/json/version" FORM "\r\n%s", cases[i].length);
		client_send(&c, body, cases[i].size);
		assert_true(client_read(&c, &r));
		/* a parameter name of that length is refused too, by another text */
		if (cases[i].status == 200)
			assert_int_equal(r.status, 400);
		else
			assert_int_equal(r.status, cases[i].status);
		assert_non_null(strstr(r.body, "\"message\""));
		client_close(&c);
	}
}

static void chunked_bodies_are_read(void **state)
{
	struct client c;
	autoresponse r = {0};

	client_open(&c, *state);
	client_ask(&c, "POST /api2/json/echo" FORM "\r\nTransfer-Encoding: chunked");
	client_send(&c, "3\r\na=1\r\n4\r\n&b=2\r\n0\r\n\r\n", 23);
	assert_true(client_read(&c, &r));
	assert_non_null(strstr(r.body, "param a=1\nparam b=2\n"));
	client_close(&c);
}

static void heads_are_bounded(void **state)
{
	struct client c;
	autobuf lines = BUF_INIT;
	autoresponse r = {0};

	for (int i = 0; i < 70; i++)
		buf_addf(&lines, "\r\nX-%d: 1", i);
	client_open(&c, *state);
	client_ask(&c, "GET /api2/json/version%s", buf_str(&lines));
	assert_true(client_read(&c, &r));
	assert_int_equal(r.status, 431);
	client_close(&c);
}

static void large_answers_come_whole(void **state)
{
	static const size_t sizes[] = {1000, 1025, 65536, 65537, 3000000};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		size_t size = sizes[i / 2];
		bool wants_gzip = i % 2;
		struct client c;
		autoresponse r = {0};

		client_open(&c, *state);
		client_ask(&c, "GET /api2/json/size/%zu%s", size,
			   wants_gzip ? "\r\nAccept-Encoding: gzip" : "");
		assert_true(client_read(&c, &r));
		assert_int_equal(r.status, 200);
		if (wants_gzip && size > 1024) {
			assert_non_null(strstr(r.head, "Content-Encoding: gzip"));
			assert_true(r.size < size / 2);
			assert_memory_equal(r.body, "\x1f\x8b", 2);
		} else {
			assert_null(strstr(r.head, "Content-Encoding"));
			assert_int_equal(r.size, size);
			assert_memory_equal(r.body + size - 3, "x\"}", 3);
		}
		client_close(&c);
	}
}

static void clients_that_leave_cancel_their_call(void **state)
{
	usec_t deadline = clock_monotonic() + 10 * USEC_PER_SEC;
	struct client c;

	client_open(&c, *state);
	client_ask(&c, "GET /api2/json/never");
	client_close(&c);
	while (ask_number(*state, "/cancels") == 0)
		assert_true(clock_monotonic() < deadline);
}

/* Long before a call's own deadline (GATE_CALL_MS), for which no read of ours would wait. */
static void core_away_is_503(struct fixture *f, struct client *c)
{
	autoresponse r = {0};

	fixture_core_stop(f);
	close(f->core_listen);
	client_ask(c, "GET /api2/json/version");
	assert_true(client_read(c, &r));
	assert_int_equal(r.status, 503);
	assert_non_null(strstr(r.body, "{\"data\":null,\"message\":\""));
}

/* The status of what was asked while the core was away; it is back right afterwards. */
static unsigned ask_while_away(struct fixture *f, struct client *c)
{
	autoresponse r = {0};

	client_ask(c, "GET /api2/json/version");
	f->core_listen = fake_core_listen(NULL);
	fixture_core_start(f);
	assert_true(client_read(c, &r));
	return r.status;
}

static void core_away_is_503_in_time_and_then_heals(void **state)
{
	struct fixture *f = *state;
	struct client c, waiting;
	autoresponse again = {0};
	unsigned status = 503;

	client_open(&c, f);
	client_open(&waiting, f);
	/* on a machine so busy that the core is not back in time, it is 503 rightly */
	for (int i = 0; i < 5 && status == 503; i++) {
		core_away_is_503(f, &c);
		status = ask_while_away(f, &waiting);
	}
	assert_int_equal(status, 200);
	client_ask(&c, "GET /api2/json/version");
	assert_true(client_read(&c, &again));
	assert_int_equal(again.status, 200);
	client_close(&c);
	client_close(&waiting);
}

/* A read survives a restart of the core; a write must not be done twice. */
static void core_that_dies_at_work(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *verb;
		unsigned status;
	} cases[] = {{"GET", 200}, {"POST", 503}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct client c;
		autoresponse r = {0};

		fixture_write(f->folder, "armed", "", 0);
		client_open(&c, f);
		client_ask(&c, "%s /api2/json/exit/armed", cases[i].verb);
		waitpid(f->core, NULL, 0);
		fixture_core_start(f);
		assert_true(client_read(&c, &r));
		assert_int_equal(r.status, cases[i].status);
		client_close(&c);
	}
}

static void name_of_peer(const struct fixture *f, char *ret, size_t size)
{
	struct client c;
	unsigned count = 0;
	const gnutls_datum_t *der;
	gnutls_x509_crt_t crt;

	client_open(&c, f);
	der = gnutls_certificate_get_peers(c.tls, &count);
	assert_true(count > 0);
	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER);
	gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, ret, &size);
	gnutls_x509_crt_deinit(crt);
	client_close(&c);
}

static void new_certificates_are_served(void **state)
{
	struct fixture *f = *state;
	usec_t deadline = clock_monotonic() + 10 * USEC_PER_SEC;
	autofree char *folder = path_join(f->folder, "tls");
	char name[64] = "";

	name_of_peer(f, name, sizeof(name));
	assert_string_equal(name, "first");
	fixture_write(folder, "gate.pem", "rubbish", 7);
	name_of_peer(f, name, sizeof(name));
	assert_string_equal(name, "first");
	fixture_certificate(f, "second");
	while (!str_eq(name, "second")) {
		assert_true(clock_monotonic() < deadline);
		name_of_peer(f, name, sizeof(name));
	}
}

static void both_tls_versions_are_spoken(void **state)
{
	static const char *const priorities[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.2",
						 "NORMAL:-VERS-ALL:+VERS-TLS1.3"};

	for (size_t i = 0; i < ARRAY_SIZE(priorities); i++) {
		struct client c;
		autoresponse r = {0};

		client_open_with(&c, *state, priorities[i]);
		client_ask(&c, "GET /api2/json/version");
		assert_true(client_read(&c, &r));
		assert_int_equal(r.status, 200);
		client_close(&c);
	}
}

static void known_static_files_are_not_sent_again(void **state)
{
	struct client c;
	autoresponse r = {0}, again = {0};
	char tag[64] = "";

	client_open(&c, *state);
	client_ask(&c, "GET /");
	assert_true(client_read(&c, &r));
	assert_int_equal(sscanf(strstr(r.head, "ETag: "), "ETag: %63[^\r]", tag), 1);
	client_ask(&c, "GET /\r\nIf-None-Match: %s", tag);
	assert_true(client_read(&c, &again));
	assert_int_equal(again.status, 304);
	client_close(&c);
	client_open(&c, *state);
	client_ask(&c, "HEAD /");
	client_more(&c);
	assert_non_null(strstr(c.in.data, "HTTP/1.1 200 OK"));
	assert_null(strstr(c.in.data, "<p>"));
	client_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_as_in_the_contract),
		cmocka_unit_test(phrases_stay_with_their_answers),
		cmocka_unit_test(malformed_requests_get_standard_phrases),
		cmocka_unit_test(large_bodies_are_refused),
		cmocka_unit_test(chunked_bodies_are_read),
		cmocka_unit_test(heads_are_bounded),
		cmocka_unit_test(large_answers_come_whole),
		cmocka_unit_test(clients_that_leave_cancel_their_call),
		cmocka_unit_test(both_tls_versions_are_spoken),
		cmocka_unit_test(known_static_files_are_not_sent_again),
		cmocka_unit_test(core_away_is_503_in_time_and_then_heals),
		cmocka_unit_test(core_that_dies_at_work),
		cmocka_unit_test(new_certificates_are_served),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
