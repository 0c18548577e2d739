/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the gate, over real TLS, makes of those who guess, are refused again and again, or come too often. */
#include "tests/unit/gate/gate_fixture.h"

#include <poll.h>

#define FORM "\r\nContent-Type: application/x-www-form-urlencoded"

enum { REFUSED = 10, HELD = 8 };

static void read_refusal(struct client *c, usec_t start, unsigned *held, unsigned *at_once)
{
	autoresponse r = {0};
	usec_t took;

	assert_true(client_read(c, &r));
	took = clock_monotonic() - start;
	assert_true(r.status == 401 ? took >= 3 * USEC_PER_SEC : r.status == 429);
	*held += r.status == 401;
	*at_once += r.status == 429;
}

/* Those answered at once are there before the first that was held, however late we look. */
static void refusals_are_held_and_bounded(void **state)
{
	struct client clients[REFUSED];
	struct pollfd sockets[REFUSED];
	unsigned held = 0, at_once = 0;
	usec_t start;

	for (int i = 0; i < REFUSED; i++)
		client_open(&clients[i], *state);
	start = clock_monotonic();
	for (int i = 0; i < REFUSED; i++) {
		client_ask(&clients[i], "GET /api2/json/status/401/authentication%%20failure");
		sockets[i] = (struct pollfd){.fd = clients[i].fd, .events = POLLIN};
	}
	for (int left = REFUSED; left > 0;) {
		assert_true(poll(sockets, REFUSED, 20000) > 0);
		for (int i = 0; i < REFUSED; i++) {
			if (!sockets[i].revents)
				continue;
			sockets[i].fd = -1;
			read_refusal(&clients[i], start, &held, &at_once);
			client_close(&clients[i]);
			left--;
		}
		assert_true(held == 0 || at_once == REFUSED - HELD);
	}
	assert_int_equal(held, HELD);
	assert_int_equal(at_once, REFUSED - HELD);
}

static void log_in(struct client *c, const struct fixture *f, in_addr_t from, const char *ask,
		   const char *form)
{
	client_open_from(c, f, from);
	client_ask(c, "%s" FORM "\r\nContent-Length: %zu", ask, strlen(form));
	client_send(c, form, strlen(form));
}

static unsigned status_of(const struct fixture *f, in_addr_t from, const char *ask,
			  const char *form)
{
	struct client c;
	autoresponse r = {0};

	log_in(&c, f, from, ask, form);
	assert_true(client_read(&c, &r));
	client_close(&c);
	return r.status;
}

#define LOG_IN "POST /api2/json/access/ticket"
#define TICKET "PVE:root@pam:65F1A2B3::tQ1XW2eYcz0VxfVq8v0nY2n9rC0Jr6b5Kp3u8wE7a%2B/="

/* While an address has all its refusals held, its passwords are not looked at: the right one is not told from
 * a wrong one. Those with a ticket, and other addresses, go on. */
static void a_full_brake_asks_nothing(void **state)
{
	static const struct {
		const char *ask, *form;
		unsigned status;
		bool is_asked;
	} cases[] = {
		{LOG_IN, "username=root%40pam&password=right", 429, false},
		{LOG_IN, "username=root%40pam&password=wrong", 429, false},
		{"POST /api2/json//access//ticket/", "password=right", 429, false},
		{LOG_IN "?password=right", "password=" TICKET, 429, false},
		{LOG_IN, "username=root%40pam&password=PVE:x", 429, false},
		{"PUT /api2/json/access/password", "password=x&confirmation-password=right", 429,
		 false},
		{LOG_IN, "username=root%40pam&password=" TICKET, 200, true},
		{"POST /api2/json/version", "password=right", 200, false},
	};
	const struct fixture *f = *state;
	const in_addr_t here = 0x7f000003, elsewhere = 0x7f000004;
	struct client held[HELD];
	uint64_t asked = ask_number(f, "/asked");

	for (int i = 0; i < HELD; i++)
		log_in(&held[i], f, here, LOG_IN, "password=guess");
	wait_for_number(f, "/asked", asked + HELD);
	asked += HELD;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned status = status_of(f, here, cases[i].ask, cases[i].form);

		asked += cases[i].is_asked;
		if (status != cases[i].status || ask_number(f, "/asked") != asked)
			fail_msg("%s %s: %u", cases[i].ask, cases[i].form, status);
	}
	assert_int_equal(status_of(f, elsewhere, LOG_IN, "password=right"), 200);
	for (int i = 0; i < HELD; i++) {
		autoresponse r = {0};

		assert_true(client_read(&held[i], &r));
		assert_int_equal(r.status, 401);
		client_close(&held[i]);
	}
	assert_int_equal(status_of(f, here, LOG_IN, "password=right"), 200);
}

/* A page whose ticket ran out: all that it asks for is refused, and then somebody logs in. */
static void refused_tickets_are_no_guesses(void **state)
{
	const struct fixture *f = *state;
	const in_addr_t here = 0x7f000005;
	struct client held[HELD];
	uint64_t asked = ask_number(f, "/asked");

	for (int i = 0; i < HELD; i++) {
		client_open_from(&held[i], f, here);
		client_ask(&held[i], "GET /api2/json/status/401/permission%%20denied");
	}
	wait_for_number(f, "/asked", asked + HELD);
	assert_int_equal(status_of(f, here, "POST /api2/json/status/401/no", "a=b"), 429);
	assert_int_equal(status_of(f, here, LOG_IN, "password=right"), 200);
	for (int i = 0; i < HELD; i++)
		client_close(&held[i]);
}

/* Those beyond the bound are closed at once, the others stay. */
static void connections_of_one_address_are_bounded(void **state)
{
	enum { BOUND = 64, ALL = 70, LATE = 2 /* closed by us, not yet seen by the gate */ };
	const struct fixture *f = *state;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct pollfd sockets[ALL];
	int closed = 0;

	to.sin_port = htons(f->port);
	for (int i = 0; i < ALL; i++) {
		sockets[i] = (struct pollfd){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
					     .events = POLLIN | POLLRDHUP};
		assert_int_equal(connect(sockets[i].fd, (struct sockaddr *)&to, sizeof(to)), 0);
	}
	while (closed < ALL - BOUND) {
		assert_true(poll(sockets, ALL, 20000) > 0);
		for (int i = 0; i < ALL; i++) {
			if (sockets[i].fd < 0 || !sockets[i].revents)
				continue;
			close(sockets[i].fd);
			sockets[i].fd = -1;
			closed++;
		}
	}
	assert_in_range(closed, ALL - BOUND, ALL - BOUND + LATE);
	for (int i = 0; i < ALL; i++)
		if (sockets[i].fd >= 0)
			close(sockets[i].fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_are_held_and_bounded),
		cmocka_unit_test(a_full_brake_asks_nothing),
		cmocka_unit_test(refused_tickets_are_no_guesses),
		/* last: its connections count for a moment longer */
		cmocka_unit_test(connections_of_one_address_are_bounded),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
