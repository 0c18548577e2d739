/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WebSockets over the real gate: bytes, frames, closing, and sides that do not read or vanish. */
#include "tests/unit/gate/ws_client.h"

#include "agent/gate/relay.h"

static void bytes_come_back(void **state)
{
	struct client c;

	ws_open(&c, *state, "/stream/echo");
	ws_send(&c, WS_FIN | WS_BINARY, "one", 3);
	ws_expect_data(&c, "one", 3);
	ws_send(&c, WS_FIN | WS_TEXT, "gr\xc3\xbc\xc3\x9f", 6);
	ws_expect_data(&c, "gr\xc3\xbc\xc3\x9f", 6);
	ws_send(&c, WS_FIN | WS_BINARY, "", 0);
	ws_send(&c, WS_FIN | WS_BINARY, "\0\xff", 2);
	ws_expect_data(&c, "\0\xff", 2);
	client_close(&c);
}

static void what_comes_with_the_handshake_is_not_lost(void **state)
{
	struct client c;
	autobuf all = BUF_INIT;

	client_open(&c, *state);
	buf_add_str(&all,
		    "GET /api2/json/stream/echo HTTP/1.1\r\nHost: here" WS_HEADERS "\r\n\r\n");
	ws_encode(&all, WS_FIN | WS_BINARY, "early", 5);
	client_send(&c, all.data, all.size);
	{
		autoresponse r = {0};

		assert_true(client_read(&c, &r));
		assert_int_equal(r.status, 101);
	}
	ws_expect_data(&c, "early", 5);
	client_close(&c);
}

/* As much as one record holds: more than libmicrohttpd reads of it at once, which leaves the rest in the
 * session. */
static void a_full_record_with_the_handshake_is_not_lost(void **state)
{
	enum { RECORD = 16384 };
	autofree char *data = xmalloc(RECORD);
	autobuf all = BUF_INIT, last = BUF_INIT;
	autoresponse r = {0};
	struct client c;
	size_t size;

	for (size_t i = 0; i < RECORD; i++)
		data[i] = (char)fake_pattern(i);
	client_open(&c, *state);
	buf_add_str(&all,
		    "GET /api2/json/stream/echo HTTP/1.1\r\nHost: here" WS_HEADERS "\r\n\r\n");
	size = RECORD - all.size - 8; /* 8: a frame's head */
	ws_encode(&all, WS_FIN | WS_BINARY, data, size);
	assert_int_equal(all.size, RECORD);
	client_send(&c, all.data, all.size);
	assert_true(client_read(&c, &r));
	assert_int_equal(r.status, 101);
	ws_expect_data(&c, data, size);
	client_close(&c);
}

#define KEY	"\r\nSec-WebSocket-Key: " WS_KEY
#define VERSION "\r\nSec-WebSocket-Version: 13"
#define BOTH	"\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade"

static void bad_handshakes_are_refused(void **state)
{
	static const struct {
		const char *headers;
		unsigned status;
		const char *text; /* in head or body */
	} cases[] = {
		{BOTH VERSION KEY, 101, "Connection: Upgrade"},
		{"\r\nUpgrade: WebSocket\r\nConnection: upgrade" VERSION KEY, 101, ""},
		{BOTH VERSION KEY "\r\nOrigin: https://here", 101, ""},
		{BOTH VERSION KEY "\r\nOrigin: https://HERE:443", 101, ""},
		{BOTH VERSION KEY "\r\nOrigin: https://elsewhere", 403, "another origin"},
		{BOTH VERSION KEY "\r\nOrigin: http://here", 403, "another origin"},
		{BOTH VERSION KEY "\r\nOrigin: https://here:8006", 403, "another origin"},
		{BOTH VERSION KEY "\r\nOrigin: https://here.evil", 403, "another origin"},
		{BOTH VERSION KEY "\r\nOrigin: null", 403, "another origin"},
		{BOTH VERSION KEY "\r\nOrigin:", 403, "another origin"},
		{BOTH VERSION KEY "\r\nOrigin: https://here\r\nOrigin: https://evil", 403, ""},
		{BOTH KEY, 426, "Sec-WebSocket-Version: 13\r\n"},
		{BOTH KEY "\r\nSec-WebSocket-Version: 8", 426, "Sec-WebSocket-Version: 13\r\n"},
		{BOTH VERSION, 400, "Sec-WebSocket-Key"},
		{BOTH VERSION "\r\nSec-WebSocket-Key: short", 400, "Sec-WebSocket-Key"},
		{BOTH VERSION "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTEyMw==", 400, ""},
		{BOTH VERSION "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=!", 400, ""},
		{BOTH VERSION KEY KEY, 400, "Sec-WebSocket-Key"},
		{"\r\nUpgrade: websocket" VERSION KEY, 400, "Connection"},
		{"\r\nUpgrade: websocket\r\nConnection: keep-alive" VERSION KEY, 400, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct client c;
		autoresponse r = {0};

		client_open(&c, *state);
		client_ask(&c, "GET /api2/json/stream/echo%s", cases[i].headers);
		if (!client_read(&c, &r) || r.status != cases[i].status ||
		    (!strstr(r.head, cases[i].text) && !strstr(r.body, cases[i].text)))
			fail_msg("%s\nexpected %u [%s], got\n%s%s", cases[i].headers,
				 cases[i].status, cases[i].text, r.head, r.body);
		client_close(&c);
	}
}

static void expect_answer(const struct fixture *f, const char *ask, unsigned status,
			  const char *text)
{
	struct client c;
	autoresponse r = {0};

	client_open(&c, f);
	client_ask(&c, "%s", ask);
	assert_true(client_read(&c, &r));
	if (r.status != status || !strstr(r.body, text))
		fail_msg("%s\nexpected %u [%s], got\n%s%s", ask, status, text, r.head, r.body);
	client_close(&c);
}

/* Only what the core answers with a stream is upgraded, and only for who asked. */
static void the_core_decides(void **state)
{
	expect_answer(*state, "GET /api2/json/echo" WS_HEADERS, 200, "head upgrade=websocket\n");
	expect_answer(*state, "GET /api2/json/echo" WS_HEADERS "\r\nCookie: PVEAuthCookie=PVE%3Ax",
		      200, "head ticket=PVE:x\nhead upgrade=websocket\n");
	expect_answer(*state, "GET /api2/json/status/403/no" WS_HEADERS, 403, "as asked");
	expect_answer(*state, "GET /api2/json/stream/bare" WS_HEADERS, 500, "no answer");
	expect_answer(*state, "GET /api2/json/stream/echo", 500, "no answer");
	expect_answer(*state, "GET /api2/json/echo\r\nUpgrade: h2c\r\nConnection: Upgrade", 200,
		      "head source=gate\n");
	expect_answer(*state, "POST /api2/json/stream/echo" WS_HEADERS "\r\nContent-Length: 0", 500,
		      "no answer");
	expect_answer(*state, "GET /" WS_HEADERS, 200, "here");
}

static size_t odd_size(uint64_t *random)
{
	static const size_t sizes[] = {1,    125,   126,   127,	  4095, 4096,
				       9000, 16380, 16384, 65535, 65536};

	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return *random >> 63 ? sizes[(*random >> 33) % ARRAY_SIZE(sizes)] : (*random >> 33) % 30000;
}

static void check_echo(struct client *c, const unsigned char *sent, size_t *at)
{
	autoframe f = {0};

	assert_true(ws_recv(c, &f));
	assert_int_equal(f.opcode, WS_BINARY);
	assert_memory_equal(f.data, sent + *at, f.size);
	*at += f.size;
}

static void random_bytes_survive_both_ways(void **state)
{
	enum { ALL = 1024 * 1024, AHEAD = 128 * 1024 };
	autofree unsigned char *sent = xmalloc(ALL);
	uint64_t random = 1;
	size_t out = 0, in = 0;
	struct client c;

	random_bytes(sent, ALL);
	ws_open(&c, *state, "/stream/echo");
	while (in < ALL) {
		size_t n = odd_size(&random);

		if (n > ALL - out)
			n = ALL - out;
		if (n > 0)
			ws_send(&c, WS_FIN | WS_BINARY, sent + out, n);
		out += n;
		while (in < out && (out - in > AHEAD || out == ALL))
			check_echo(&c, sent, &in);
	}
	client_close(&c);
}

static void fragments_and_pings(void **state)
{
	autofree char *large = xcalloc(1, 125);
	struct client c;
	autoframe pong = {0}, empty = {0};

	ws_open(&c, *state, "/stream/echo");
	ws_send(&c, WS_BINARY, "a", 1);
	ws_expect_data(&c, "a", 1);
	ws_send(&c, WS_CONTINUED, "", 0);
	ws_send(&c, WS_FIN | WS_PING, large, 125); /* between the fragments of a message */
	assert_true(ws_recv(&c, &pong));
	assert_int_equal(pong.opcode, WS_PONG);
	assert_int_equal(pong.size, 125);
	ws_send(&c, WS_FIN | WS_CONTINUED, "bc", 2);
	ws_expect_data(&c, "bc", 2);
	ws_send(&c, WS_FIN | WS_PONG, "unasked", 7);
	ws_send(&c, WS_FIN | WS_PING, "", 0);
	assert_true(ws_recv(&c, &empty));
	assert_int_equal(empty.opcode, WS_PONG);
	assert_int_equal(empty.size, 0);
	client_close(&c);
}

/* More pings than their answers have room for: nothing is lost, nothing piles up. */
static void many_pings_are_all_answered(void **state)
{
	enum { PINGS = 20000 };
	autobuf out = BUF_INIT;
	struct client c;

	for (int i = 0; i < PINGS; i++)
		ws_encode(&out, WS_FIN | WS_PING, "", 0);
	ws_open(&c, *state, "/stream/echo");
	client_send(&c, out.data, out.size);
	for (int i = 0; i < PINGS; i++) {
		autoframe f = {0};

		assert_true(ws_recv(&c, &f));
		assert_int_equal(f.opcode, WS_PONG);
	}
	client_close(&c);
}

static void broken_frames_close(void **state)
{
	static const char long_text[126];
	static const struct {
		unsigned how;
		const char *data;
		size_t size;
		unsigned code;
	} cases[] = {
		{WS_FIN | WS_BINARY | WS_UNMASKED, "x", 1, 1002},
		{WS_FIN | WS_BINARY | 0x40, "x", 1, 1002}, /* a reserved bit */
		{WS_FIN | 3, "x", 1, 1002},		   /* a reserved opcode */
		{WS_PING, "x", 1, 1002},		   /* a control frame in fragments */
		{WS_FIN | WS_CONTINUED, "x", 1, 1002},
		{WS_FIN | WS_TEXT, "\xc3\x28", 2, 1007},
		{WS_FIN | WS_CLOSE, "\x03\xe8", 2, 1000},
		{WS_FIN | WS_CLOSE, "\x03\xe8 bye", 6, 1000},
		{WS_FIN | WS_CLOSE, "\x03\xe7", 2, 1002}, /* 999 */
		{WS_FIN | WS_CLOSE, "\x03", 1, 1002},
		{WS_FIN | WS_PING, long_text, 126, 1002},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct client c;

		ws_open(&c, *state, "/stream/echo");
		ws_send(&c, cases[i].how, cases[i].data, cases[i].size);
		ws_expect_close(&c, cases[i].code);
		ws_expect_end(&c);
		client_close(&c);
	}
	wait_for_number(*state, "/jobs", 0);
}

static void messages_are_bounded(void **state)
{
	enum { MAX = 1024 * 1024 };
	autofree char *data = xcalloc(1, MAX + 1);
	struct client c;

	ws_open(&c, *state, "/stream/deaf");
	for (int i = 0; i < 4; i++) /* in all a byte more than one message may have */
		ws_send(&c, i ? WS_CONTINUED : WS_BINARY, data, 2048);
	ws_send(&c, WS_FIN | WS_CONTINUED, data, MAX - 4 * 2048 + 1);
	ws_expect_close(&c, 1009);
	client_close(&c);
	ws_open(&c, *state, "/stream/deaf");
	ws_send(&c, WS_FIN | WS_BINARY, data, MAX + 1);
	ws_expect_close(&c, 1009);
	client_close(&c);
}

static void the_guests_end_closes(void **state)
{
	struct client c;

	ws_open(&c, *state, "/stream/say/farewell");
	ws_expect_data(&c, "farewell", 8);
	ws_expect_close(&c, 1000);
	ws_send_close(&c, 1000);
	ws_expect_end(&c);
	client_close(&c);
	ws_open(&c, *state, "/stream/break");
	ws_send(&c, WS_FIN | WS_BINARY, "x", 1);
	ws_expect_close(&c, 1001);
	ws_send_close(&c, 1001);
	ws_expect_end(&c);
	client_close(&c);
}

static void the_guests_end_loses_nothing(void **state)
{
	enum { ALL = 1000000 };
	struct client c;
	uint64_t at = 0;

	ws_open(&c, *state, "/stream/flood/1000000");
	while (at < ALL) {
		autoframe f = {0};

		assert_true(ws_recv(&c, &f));
		assert_int_equal(f.opcode, WS_BINARY);
		for (size_t i = 0; i < f.size; i++)
			assert_int_equal(f.data[i], fake_pattern(at + i));
		at += f.size;
	}
	ws_expect_close(&c, 1000);
	client_close(&c);
}

static void the_viewers_close_loses_nothing(void **state)
{
	enum { PIECE = 50000, PIECES = 20 };
	autofree char *data = xcalloc(1, PIECE);
	struct client c;

	ws_open(&c, *state, "/stream/count");
	for (int i = 0; i < PIECES; i++)
		ws_send(&c, WS_FIN | WS_BINARY, data, PIECE);
	ws_send_close(&c, 1000);
	ws_expect_close(&c, 1000);
	ws_expect_end(&c);
	client_close(&c);
	wait_for_number(*state, "/flooded", PIECES * PIECE);
}

static void a_viewer_that_does_not_read_costs_nothing(void **state)
{
	enum { ALL = 64 * 1024 * 1024 };
	struct client c;
	uint64_t steady, at = 0;

	ws_open(&c, *state, "/stream/flood/67108864");
	steady = wait_until_steady(*state, "/flooded"); /* others are served meanwhile */
	assert_true(steady < ALL / 2);
	while (at < ALL) {
		autoframe f = {0};

		assert_true(ws_recv(&c, &f));
		for (size_t i = 0; i < f.size; i++)
			if (f.data[i] != fake_pattern(at + i))
				fail_msg("byte %llu", (unsigned long long)(at + i));
		at += f.size;
	}
	ws_expect_close(&c, 1000);
	client_close(&c);
}

static size_t send_until_full(struct client *c, const struct buf *frame)
{
	const size_t limit = 64u * 1024 * 1024;
	struct pollfd p = {.fd = c->fd, .events = POLLOUT};
	size_t sent = 0;

	fd_set_nonblock(c->fd, true);
	while (sent < limit && poll(&p, 1, 1000) > 0) {
		ssize_t n = gnutls_record_send(c->tls, frame->data, frame->size);

		while (n == GNUTLS_E_AGAIN && poll(&p, 1, 1000) > 0)
			n = gnutls_record_send(c->tls, NULL, 0);
		if (n == GNUTLS_E_AGAIN)
			break;
		assert_true(n > 0);
		sent += (size_t)n;
	}
	return sent;
}

static void a_guest_that_does_not_read_costs_nothing(void **state)
{
	autofree char *data = xcalloc(1, 16000);
	autobuf frame = BUF_INIT;
	struct client c;

	ws_encode(&frame, WS_FIN | WS_BINARY, data, 16000);
	ws_open(&c, *state, "/stream/deaf");
	assert_true(send_until_full(&c, &frame) < 32u * 1024 * 1024);
	assert_int_equal(ask_number(*state, "/jobs"), 1);
	client_close(&c); /* its end is behind what we do not read: the next ping finds out */
	wait_for_number(*state, "/jobs", 0);
}

static void viewers_vanish(void **state)
{
	const struct linger now = {.l_onoff = 1};
	struct client c;

	ws_open(&c, *state, "/stream/echo");
	client_close(&c); /* without a close frame */
	wait_for_number(*state, "/jobs", 0);
	ws_open(&c, *state, "/stream/deaf");
	setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	client_close(&c); /* by a reset */
	wait_for_number(*state, "/jobs", 0);
	ws_open(&c, *state, "/stream/flood/67108864");
	wait_until_steady(*state, "/flooded");
	setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	client_close(&c); /* while we wait for it to read */
	wait_for_number(*state, "/jobs", 0);
}

/* Alerts that are no error, as fast as they can be sent. */
static pid_t start_alerting(struct client *c)
{
	pid_t pid = fork();

	if (pid == 0) {
		while (gnutls_alert_send(c->tls, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION) == 0)
			;
		_exit(0);
	}
	return pid;
}

static void a_viewer_that_never_pauses_holds_nobody_up(void **state)
{
	struct client c[3];
	pid_t pids[ARRAY_SIZE(c)];

	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		client_open_with(&c[i], *state, "NORMAL:-VERS-ALL:+VERS-TLS1.2");
		ws_handshake(&c[i], "/stream/hold", "");
		pids[i] = start_alerting(&c[i]);
	}
	for (int i = 0; i < 100; i++)
		assert_int_equal(ask_number(*state, "/events/count"), ARRAY_SIZE(c));
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
		client_close(&c[i]);
	}
	wait_for_number(*state, "/events/count", 0);
}

static void consoles_survive_the_core(void **state)
{
	struct fixture *f = *state;
	struct client c;

	ws_open(&c, f, "/stream/echo");
	fixture_core_stop(f);
	ws_send(&c, WS_FIN | WS_BINARY, "still", 5);
	ws_expect_data(&c, "still", 5);
	fixture_core_start(f);
	assert_int_equal(ask_number(f, "/jobs"), 0); /* a new core */
	ws_send(&c, WS_FIN | WS_BINARY, "here", 4);
	ws_expect_data(&c, "here", 4);
	client_close(&c);
}

/* Of the tests before, some viewers may not have been seen to leave yet. */
static void hold_open(struct client *c, const struct fixture *f)
{
	for (int i = 0; i < 1000; i++) {
		autoresponse r = {0};

		client_open(c, f);
		client_ask(c, "GET /api2/json/stream/hold" WS_HEADERS);
		assert_true(client_read(c, &r));
		if (r.status == 101)
			return;
		client_close(c);
	}
	fail();
}

static void consoles_are_bounded(void **state)
{
	static struct client clients[GATE_RELAYS];

	for (int i = 0; i < GATE_RELAYS; i++)
		hold_open(&clients[i], *state);
	expect_answer(*state, "GET /api2/json/stream/hold" WS_HEADERS, 503, "too many");
	assert_int_equal(ask_number(*state, "/events/count"), GATE_RELAYS);
	for (int i = 0; i < GATE_RELAYS; i++)
		client_close(&clients[i]);
	wait_for_number(*state, "/events/count", 0);
}

static void tls_1_2_as_well(void **state)
{
	struct client c;

	client_open_with(&c, *state, "NORMAL:-VERS-ALL:+VERS-TLS1.2");
	ws_handshake(&c, "/stream/echo", "");
	ws_send(&c, WS_FIN | WS_BINARY, "old", 3);
	ws_expect_data(&c, "old", 3);
	ws_send_close(&c, 1000);
	ws_expect_close(&c, 1000);
	ws_expect_end(&c);
	client_close(&c);
}

/* ---- with a ping each second ---- */

static void who_answers_pings_stays(void **state)
{
	struct client c;

	ws_open(&c, *state, "/stream/hold");
	for (int i = 0; i < GATE_SILENCE_PINGS + 2; i++) {
		autoframe f = {0};

		assert_true(ws_recv(&c, &f));
		assert_int_equal(f.opcode, WS_PING);
		ws_send(&c, WS_FIN | WS_PONG, f.data, f.size);
	}
	for (;;) { /* silent from now on */
		autoframe f = {0};

		if (!ws_recv(&c, &f))
			break;
		assert_int_equal(f.opcode, WS_PING);
	}
	client_close(&c);
	wait_for_number(*state, "/events/count", 0);
}

static void a_stopping_gate_says_so(void **state)
{
	struct fixture *f = *state;
	struct client c;
	int status = 0;

	ws_open(&c, f, "/stream/hold");
	kill(f->gate, SIGTERM);
	for (;;) {
		autoframe frame = {0};

		assert_true(ws_recv(&c, &frame));
		if (frame.opcode == WS_PING)
			continue;
		assert_int_equal(frame.opcode, WS_CLOSE);
		assert_memory_equal(frame.data, "\x03\xe9", 2);
		break;
	}
	client_close(&c);
	assert_int_equal(waitpid(f->gate, &status, 0), f->gate);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	fixture_gate_start(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_back),
		cmocka_unit_test(what_comes_with_the_handshake_is_not_lost),
		cmocka_unit_test(a_full_record_with_the_handshake_is_not_lost),
		cmocka_unit_test(bad_handshakes_are_refused),
		cmocka_unit_test(the_core_decides),
		cmocka_unit_test(random_bytes_survive_both_ways),
		cmocka_unit_test(fragments_and_pings),
		cmocka_unit_test(many_pings_are_all_answered),
		cmocka_unit_test(broken_frames_close),
		cmocka_unit_test(messages_are_bounded),
		cmocka_unit_test(the_guests_end_closes),
		cmocka_unit_test(the_guests_end_loses_nothing),
		cmocka_unit_test(the_viewers_close_loses_nothing),
		cmocka_unit_test(a_viewer_that_does_not_read_costs_nothing),
		cmocka_unit_test(viewers_vanish),
		cmocka_unit_test(tls_1_2_as_well),
		cmocka_unit_test(a_viewer_that_never_pauses_holds_nobody_up),
		cmocka_unit_test(consoles_survive_the_core),
		cmocka_unit_test(consoles_are_bounded),
	};
	const struct CMUnitTest pinged[] = {
		cmocka_unit_test(a_guest_that_does_not_read_costs_nothing),
		cmocka_unit_test(who_answers_pings_stays),
		cmocka_unit_test(a_stopping_gate_says_so),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN);
	fixture_per_address = 2 * GATE_RELAYS;
	failed = cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
	fixture_ping_every = USEC_PER_SEC;
	return failed + cmocka_run_group_tests(pinged, fixture_setup, fixture_teardown);
}
