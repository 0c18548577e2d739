/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Responses without end over the real gate. */
#include "tests/unit/gate/ws_client.h"

#include "agent/gate/event_stream.h"

static void open_with(struct client *c, const struct fixture *f, const char *what, unsigned status)
{
	autoresponse r = {0};

	client_open(c, f);
	client_ask(c, "GET /api2/json/events/%s\r\nAccept-Encoding: gzip", what);
	assert_true(client_read(c, &r)); /* the head comes before there are any events */
	assert_int_equal(r.status, status);
	if (status != 200)
		return;
	assert_non_null(strstr(r.head, "Content-Type: text/event-stream\r\n"));
	assert_non_null(strstr(r.head, "Cache-Control: no-cache, no-transform\r\n"));
	assert_non_null(strstr(r.head, "X-Accel-Buffering: no\r\n"));
	assert_non_null(strstr(r.head, "Transfer-Encoding: chunked\r\n"));
	assert_null(strstr(r.head, "Content-Length"));
	assert_null(strstr(r.head, "gzip"));
	assert_null(strstr(r.head, "Pragma"));
}

static void stream_open(struct client *c, const struct fixture *f, const char *what)
{
	open_with(c, f, what, 200);
}

/* The next chunk of the body; 0 at its end. SIZE_MAX: the connection ended before. */
static size_t next_chunk(struct client *c, struct buf *out)
{
	const char *line;
	size_t size, head;

	while (!(line = strstr(buf_str(&c->in), "\r\n")))
		if (!client_more(c))
			return SIZE_MAX;
	size = strtoull(c->in.data, NULL, 16);
	head = (size_t)(line - c->in.data) + 2;
	while (c->in.size < head + size + 2)
		if (!client_more(c))
			return SIZE_MAX;
	buf_add(out, c->in.data + head, size);
	buf_drop_front(&c->in, head + size + 2);
	return size;
}

static void expect_text(struct client *c, const char *text)
{
	autobuf got = BUF_INIT;

	while (got.size < strlen(text))
		assert_in_range(next_chunk(c, &got), 1, 65536);
	assert_string_equal(buf_str(&got), text);
}

static void events_come_as_they_are_said(void **state)
{
	struct client a, b;
	autobuf rest = BUF_INIT;

	stream_open(&a, *state, "open");
	ask_number(*state, "/events/say/one");
	expect_text(&a, "one");
	stream_open(&b, *state, "open");
	ask_number(*state, "/events/say/two");
	expect_text(&a, "two");
	expect_text(&b, "two");
	assert_int_equal(ask_number(*state, "/events/count"), 2);
	ask_number(*state, "/events/end");
	assert_int_equal(next_chunk(&a, &rest), 0);
	assert_int_equal(next_chunk(&b, &rest), 0);
	client_close(&a);
	client_close(&b);
}

/* The connection serves further requests after a stream that ended. */
static void connections_go_on(void **state)
{
	struct client c;
	autobuf rest = BUF_INIT;
	autoresponse r = {0};

	stream_open(&c, *state, "say-nothing"); /* a job without a meaning ends at once */
	assert_int_equal(next_chunk(&c, &rest), 0);
	client_ask(&c, "GET /api2/json/version");
	assert_true(client_read(&c, &r));
	assert_int_equal(r.status, 200);
	client_close(&c);
}

static void clients_that_leave_are_noticed(void **state)
{
	struct client c[3];

	for (int i = 0; i < 3; i++)
		stream_open(&c[i], *state, "open");
	assert_int_equal(ask_number(*state, "/events/count"), 3);
	client_close(&c[1]);
	wait_for_number(*state, "/events/count", 2);
	ask_number(*state, "/events/say/still");
	expect_text(&c[0], "still");
	client_close(&c[0]);
	client_close(&c[2]);
	wait_for_number(*state, "/events/count", 0);
}

static void a_slow_reader_stops_its_stream(void **state)
{
	enum { ALL = 64 * 1024 * 1024 };
	struct client c, left;
	uint64_t steady, at = 0;
	size_t size;

	stream_open(&c, *state, "flood/67108864");
	steady = wait_until_steady(*state, "/flooded"); /* others are served meanwhile */
	assert_true(steady < ALL / 2);
	for (;;) {
		autobuf part = BUF_INIT;

		size = next_chunk(&c, &part);
		if (size == 0 || size == SIZE_MAX)
			break;
		for (size_t i = 0; i < size; i++)
			if ((unsigned char)part.data[i] != fake_pattern(at + i))
				fail_msg("byte %llu", (unsigned long long)(at + i));
		at += size;
	}
	assert_int_equal(size, 0);
	assert_int_equal(at, ALL);
	client_close(&c);
	stream_open(&left, *state, "flood/67108864");
	wait_until_steady(*state, "/flooded");
	client_close(&left); /* with much of it unread */
	wait_for_number(*state, "/jobs", 0);
}

static void last_event_ids_are_handed_on(void **state)
{
	static const char longest[] =
		"123456789012345678901234567890123456789012345678901234567890123";

	for (int i = 0; i < 2; i++) {
		struct client c;
		autoresponse r = {0};
		autofree char *line = xasprintf("head last-event-id=%s\n", longest);

		client_open(&c, *state);
		client_ask(&c, "GET /api2/json/echo\r\nLast-Event-ID: %s%s", longest, i ? "4" : "");
		assert_true(client_read(&c, &r));
		assert_int_equal(r.status, 200);
		assert_int_equal(strstr(r.body, line) != NULL, i == 0);
		assert_int_equal(strstr(r.body, "last-event-id") != NULL, i == 0);
		client_close(&c);
	}
}

static void streams_end_with_the_core(void **state)
{
	struct fixture *f = *state;
	struct client c, again;
	autobuf rest = BUF_INIT;

	stream_open(&c, f, "open");
	ask_number(f, "/events/say/last");
	expect_text(&c, "last");
	fixture_core_stop(f);
	assert_int_equal(next_chunk(&c, &rest), 0);
	client_close(&c);
	fixture_core_start(f);
	stream_open(&again, f, "open");
	ask_number(f, "/events/say/anew");
	expect_text(&again, "anew");
	client_close(&again);
}

static void streams_are_bounded(void **state)
{
	static struct client clients[GATE_EVENT_STREAMS];
	struct client refused;

	wait_for_number(*state, "/events/count", 0);
	for (int i = 0; i < GATE_EVENT_STREAMS; i++)
		stream_open(&clients[i], *state, "open");
	open_with(&refused, *state, "open", 503);
	client_close(&refused);
	assert_int_equal(ask_number(*state, "/events/count"), GATE_EVENT_STREAMS);
	for (int i = 0; i < GATE_EVENT_STREAMS; i++)
		client_close(&clients[i]);
	wait_for_number(*state, "/events/count", 0);
}

static void a_stopping_gate_ends_them(void **state)
{
	struct fixture *f = *state;
	struct client c;
	autobuf rest = BUF_INIT;
	int status = 0;

	stream_open(&c, f, "open");
	kill(f->gate, SIGTERM);
	assert_int_equal(next_chunk(&c, &rest), SIZE_MAX);
	client_close(&c);
	assert_int_equal(waitpid(f->gate, &status, 0), f->gate);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	fixture_gate_start(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_as_they_are_said),
		cmocka_unit_test(connections_go_on),
		cmocka_unit_test(clients_that_leave_are_noticed),
		cmocka_unit_test(a_slow_reader_stops_its_stream),
		cmocka_unit_test(last_event_ids_are_handed_on),
		cmocka_unit_test(streams_end_with_the_core),
		cmocka_unit_test(streams_are_bounded),
		cmocka_unit_test(a_stopping_gate_ends_them),
	};

	signal(SIGPIPE, SIG_IGN);
	fixture_per_address = 2 * GATE_EVENT_STREAMS;
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
