/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uploads through a gate: passed on while they come in, held back by a job that does not read, and what becomes of
 * those that break off or are refused. */
#include "tests/unit/gate/gate_fixture.h"

#include "agent/gate/upload.h"

#define MIB (1024u * 1024)
#define HEAD                                                                                       \
	"--B\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\niso\r\n"                   \
	"--B\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"a.iso\"\r\n\r\n"
#define TAIL "\r\n--B--\r\n"

static void begin(struct client *c, const char *path, size_t size)
{
	client_ask(c,
		   "POST /api2/json%s\r\nContent-Type: multipart/form-data; boundary=B\r\n"
		   "Content-Length: %zu",
		   path, strlen(HEAD) + size + strlen(TAIL));
	client_send(c, HEAD, strlen(HEAD));
}

static void send_pattern(struct client *c, uint64_t from, uint64_t to)
{
	unsigned char data[16384];

	while (from < to) {
		size_t n = to - from < sizeof(data) ? (size_t)(to - from) : sizeof(data);

		for (size_t i = 0; i < n; i++)
			data[i] = fake_pattern(from + i);
		client_send(c, data, n);
		from += n;
	}
}

static void test_through(void **state)
{
	const struct fixture *f = *state;
	struct client c;
	autoresponse r = {0};

	client_open(&c, f);
	begin(&c, "/take/upload?x=y", 8 * MIB);
	send_pattern(&c, 0, 8 * MIB);
	client_send(&c, TAIL, strlen(TAIL));
	assert_true(client_read(&c, &r));
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "{\"data\":\"iso a.iso\"}");
	wait_for_number(f, "/jobs", 0);
	assert_int_equal(ask_number(f, "/flooded"), 8 * MIB + FAKE_COMPLETE);
	/* the connection is good for more */
	response_fini(&r);
	client_ask(&c, "GET /api2/json/version");
	assert_true(client_read(&c, &r));
	assert_int_equal(r.status, 200);
	client_close(&c);
}

static void test_broken_off(void **state)
{
	const struct fixture *f = *state;
	struct client c;

	client_open(&c, f);
	begin(&c, "/take/upload", 8 * MIB);
	send_pattern(&c, 0, MIB);
	client_close(&c);
	wait_for_number(f, "/jobs", 0);
	assert_in_range(ask_number(f, "/flooded"), 0, MIB); /* without the mark of the end */
}

/* The body ends as announced, but not as a multipart body does. */
static void test_no_end(void **state)
{
	const struct fixture *f = *state;
	struct client c;
	autoresponse r;

	client_open(&c, f);
	begin(&c, "/take/upload", MIB);
	send_pattern(&c, 0, MIB + strlen(TAIL));
	assert_true(client_read(&c, &r));
	assert_int_equal(r.status, 400);
	client_close(&c);
	wait_for_number(f, "/jobs", 0);
	assert_true(ask_number(f, "/flooded") < FAKE_COMPLETE);
}

static void test_refused(void **state)
{
	static const struct {
		const char *path, *body;
		unsigned status;
	} cases[] = {
		{"/refuse/upload", HEAD "x" TAIL, 403},
		{"/take/upload", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb" TAIL,
		 400},
		{"/take/upload", "no multipart body", 400},
		{"/take/upload",
		 HEAD "x\r\n--B\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\nc" TAIL, 400},
		{"/take/upload",
		 "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\nb" TAIL,
		 400},
	};
	const struct fixture *f = *state;
	struct client c;

	client_open(&c, f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autoresponse r;

		client_ask(&c,
			   "POST /api2/json%s\r\nContent-Type: multipart/form-data; boundary=B\r\n"
			   "Content-Length: %zu",
			   cases[i].path, strlen(cases[i].body));
		client_send(&c, cases[i].body, strlen(cases[i].body));
		assert_true(client_read(&c, &r));
		if (r.status != cases[i].status)
			fail_msg("case %zu: %u %s", i, r.status, r.body);
	}
	client_close(&c);
	wait_for_number(f, "/jobs", 0);
}

/* Who may not upload still gets to send everything, and then reads why. */
static void test_large_refused(void **state)
{
	const struct fixture *f = *state;
	struct client c;
	autoresponse r;

	client_open(&c, f);
	begin(&c, "/refuse/upload", 4 * MIB);
	send_pattern(&c, 0, 4 * MIB);
	client_send(&c, TAIL, strlen(TAIL));
	assert_true(client_read(&c, &r));
	assert_int_equal(r.status, 403);
	client_close(&c);
}

/* The task tells what went wrong: the client gets its UPID. */
static void test_job_ends_early(void **state)
{
	const struct fixture *f = *state;
	struct client c;
	autoresponse r;

	client_open(&c, f);
	begin(&c, "/gone/upload", 4 * MIB);
	send_pattern(&c, 0, 4 * MIB);
	client_send(&c, TAIL, strlen(TAIL));
	assert_true(client_read(&c, &r));
	assert_int_equal(r.status, 200);
	client_close(&c);
}

/* Nothing piles up in the gate, which answers everybody else. */
static void test_job_does_not_read(void **state)
{
	const struct fixture *f = *state;
	struct client c;
	unsigned char data[16384] = {0};
	size_t sent = 0;

	client_open(&c, f);
	begin(&c, "/deaf/upload", 512 * MIB);
	assert_int_equal(ask_number(f, "/jobs"), 1);
	assert_int_equal(fd_set_nonblock(c.fd, true), 0);
	for (unsigned still = 0; still < 20;) {
		ssize_t n = gnutls_record_send(c.tls, data, sizeof(data));

		if (n > 0) {
			sent += (size_t)n;
			still = 0;
			continue;
		}
		assert_int_equal(n, GNUTLS_E_AGAIN);
		ask_number(f, "/flooded"); /* somebody else is served meanwhile */
		still++;
	}
	assert_in_range(sent, 1, 32 * MIB); /* what the kernel's buffers take */
	client_close(&c);
}

#define FIRST_FIELD "--B\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\nis"

/* Head and the beginning of a field; the gate has seen it once it answers somebody else. */
static void wait_for_file(struct client *c, const struct fixture *f, in_addr_t from)
{
	client_open_from(c, f, from);
	client_ask(c, "POST /api2/json/take/upload\r\nContent-Type: multipart/form-data; "
		      "boundary=B\r\nContent-Length: 100000");
	client_send(c, FIRST_FIELD, strlen(FIRST_FIELD));
	ask_number(f, "/jobs");
}

static unsigned upload_of(const struct fixture *f, in_addr_t from, uint64_t size)
{
	struct client c;
	autoresponse r = {0};

	client_open_from(&c, f, from);
	begin(&c, "/take/upload", size);
	send_pattern(&c, 0, size);
	client_send(&c, TAIL, strlen(TAIL));
	assert_true(client_read(&c, &r));
	client_close(&c);
	return r.status;
}

static unsigned upload_small(const struct fixture *f, in_addr_t from)
{
	return upload_of(f, from, 1000);
}

/* Nothing is known of them but their address. */
static void test_those_who_wait_block_nobody(void **state)
{
	enum { ADDRESSES = 5 };
	const struct fixture *f = *state;
	struct client waiting[ADDRESSES * GATE_UPLOADS_WAITING];
	usec_t end = clock_monotonic() + 20 * USEC_PER_SEC;

	assert_true(ARRAY_SIZE(waiting) > GATE_UPLOADS);
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++)
		wait_for_file(&waiting[i], f, 0x7f000010 + (in_addr_t)(i % ADDRESSES));
	assert_int_equal(upload_small(f, INADDR_LOOPBACK), 200);
	assert_int_equal(upload_of(f, 0x7f000010, 4 * MIB), 429);
	client_close(&waiting[0]);
	while (upload_small(f, 0x7f000010) != 200)
		assert_true(clock_monotonic() < end);
	for (size_t i = 1; i < ARRAY_SIZE(waiting); i++)
		client_close(&waiting[i]);
}

/* What the core accepted is bounded in all, whoever it comes from, and of each address by less. */
static void test_accepted_are_bounded(void **state)
{
	const struct fixture *f = *state;
	struct client clients[GATE_UPLOADS];
	usec_t end = clock_monotonic() + 20 * USEC_PER_SEC;

	for (unsigned i = 0; i < GATE_UPLOADS; i++) {
		client_open_from(&clients[i], f, 0x7f000020 + i / GATE_UPLOADS_OF_ADDRESS);
		begin(&clients[i], "/deaf/upload", MIB);
		wait_for_number(f, "/jobs", i + 1);
		if (i + 1 == GATE_UPLOADS_OF_ADDRESS) {
			assert_int_equal(upload_small(f, 0x7f000020), 503);
			assert_int_equal(upload_small(f, 0x7f000010), 200);
		}
	}
	assert_int_equal(upload_small(f, 0x7f000010), 503);
	client_close(&clients[0]);
	while (upload_small(f, 0x7f000010) != 200)
		assert_true(clock_monotonic() < end);
	for (unsigned i = 1; i < GATE_UPLOADS; i++)
		client_close(&clients[i]);
}

static int setup_short(void **state)
{
	fixture_upload_fields = USEC_PER_SEC;
	return fixture_setup(state);
}

static int teardown_short(void **state)
{
	fixture_upload_fields = 0;
	return fixture_teardown(state);
}

/* Those that came to their file in time have as long as they need. */
static void test_fields_have_a_deadline(void **state)
{
	const struct fixture *f = *state;
	struct client slow, late;
	struct pollfd socket;
	autoresponse r = {0};

	client_open(&slow, f);
	begin(&slow, "/take/upload", 1000);
	wait_for_file(&late, f, INADDR_LOOPBACK);
	socket = (struct pollfd){.fd = late.fd, .events = POLLRDHUP};
	assert_int_equal(poll(&socket, 1, 20000), 1);
	assert_false(client_read(&late, &r));
	client_close(&late);
	send_pattern(&slow, 0, 1000);
	client_send(&slow, TAIL, strlen(TAIL));
	assert_true(client_read(&slow, &r));
	assert_int_equal(r.status, 200);
	client_close(&slow);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_through),
		TEST(test_broken_off),
		TEST(test_no_end),
		TEST(test_refused),
		TEST(test_large_refused),
		TEST(test_job_ends_early),
		TEST(test_job_does_not_read),
		TEST(test_those_who_wait_block_nobody),
		TEST(test_accepted_are_bounded),
		cmocka_unit_test_setup_teardown(test_fields_have_a_deadline, setup_short,
						teardown_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
