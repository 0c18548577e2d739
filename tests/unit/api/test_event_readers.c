/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readers of the event stream: resuming, ends of credentials, slow ones, those that leave, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#ifdef __SANITIZE_ADDRESS__
size_t __sanitizer_get_current_allocated_bytes(void); /* GCC has no header for it */
#endif

#include "events_test.h"

static struct fixture f;

#define USERS  "user:bob@pve:1:0::::\nacl:/vms:user:bob@pve:PVEAuditor:1\n"
#define GUESTS 20

static void put_guest(unsigned vmid, const char *name)
{
	autofree char *path = xasprintf("/nodes/n1/lxc/%u.conf", vmid);
	autofree char *text = name ? xasprintf("hostname: %s\nmemory: 64\n", name) : NULL;

	fixture_put(&f, path, text);
}

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&f);
	fixture_start(&f);
	fixture_put(&f, "/user.cfg", USERS);
	for (unsigned i = 0; i < GUESTS; i++)
		put_guest(100 + i, "old");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static void open_as(struct reader *r, const char *user)
{
	fixture_login(&f, user);
	reader_open(&f, r, "GET /cluster/events", NULL);
	reader_expect(&f, r, SYNC("new"));
}

static void flip(unsigned vmid, bool is_running)
{
	autofree char *text = xasprintf("vmid=%u&state=%s&pid=%d", vmid,
					is_running ? "running" : "stopped", is_running ? 4711 : 0);

	facts_tell(&f, facts_take_guest, text);
}

/* What happened meanwhile comes once a thing, in its newest state, in order; then it goes on. */
static void test_resume(void **state)
{
	struct reader r;
	char id[64];

	(void)state;
	open_as(&r, NULL);
	flip(100, true);
	READER_HAS(&f, &r, "guest", "\"vmid\":100");
	strcpy(id, r.last_id);
	reader_close(&r);
	for (int i = 0; i < 100; i++) {
		flip(101, true);
		flip(102, true);
		flip(101, false);
		flip(102, false);
	}
	flip(103, true);
	put_guest(104, NULL);
	fixture_login(&f, NULL);
	reader_open(&f, &r, "GET /cluster/events", id);
	READER_HAS(&f, &r, "guest", "\"vmid\":101", "\"status\":\"stopped\"");
	READER_HAS(&f, &r, "guest", "\"vmid\":102", "\"status\":\"stopped\"");
	READER_HAS(&f, &r, "guest", "\"vmid\":103", "\"status\":\"running\"");
	READER_HAS(&f, &r, "guest-gone", "lxc/104");
	flip(105, true);
	READER_HAS(&f, &r, "guest", "\"vmid\":105");
	strcpy(id, r.last_id);
	reader_close(&r);
	/* nothing happened: nothing is told, not even a sync */
	reader_open(&f, &r, "GET /cluster/events", id);
	flip(106, true);
	READER_HAS(&f, &r, "guest", "\"vmid\":106");
	reader_close(&r);
}

static void on_put(const struct store_result *result, void *ctx)
{
	(void)ctx;
	assert_int_equal(result->outcome, STORE_DONE);
}

static void change_more_than_the_log_holds(void)
{
	for (unsigned i = 0; i <= EVENT_LOG_COUNT; i++) {
		autofree char *path = xasprintf("/storage.cfg-%u", i);
		struct store_op op = {.kind = STORE_PUT, .path = path, .value = "x", .size = 1};
		struct store_txn txn = {.who = "root@pam", .ops = &op, .op_count = 1};

		if (i < EVENT_LOG_COUNT)
			assert_int_equal(store_submit(f.core.store, &txn, on_put, NULL, NULL), 0);
		else
			fixture_put(&f, path, "x");
	}
}

static void test_sync(void **state)
{
	struct reader r;
	char id[64], other[64];

	(void)state;
	open_as(&r, NULL);
	strcpy(id, r.last_id);
	strcpy(other, id);
	other[0] = other[0] == '0' ? '1' : '0';
	reader_close(&r);
	reader_open(&f, &r, "GET /cluster/events", other);
	reader_expect(&f, &r, SYNC("restarted"));
	assert_string_equal(r.last_id, id);
	reader_close(&r);
	reader_open(&f, &r, "GET /cluster/events",
		    "what is this, an id of somebody else's making?");
	reader_expect(&f, &r, SYNC("new"));
	reader_close(&r);
	change_more_than_the_log_holds();
	reader_open(&f, &r, "GET /cluster/events", id);
	reader_expect(&f, &r, SYNC("too-old"));
	flip(100, true);
	READER_HAS(&f, &r, "guest", "\"vmid\":100");
	reader_close(&r);
}

/* -- ends of credentials -- */

static void test_user_disabled(void **state)
{
	struct reader bob, root;

	(void)state;
	open_as(&bob, "bob@pve");
	open_as(&root, NULL);
	fixture_put(&f, "/user.cfg", "user:bob@pve:0:0::::\n");
	reader_expect(&f, &bob, NULL);
	READER_HAS(&f, &root, "config", "/user.cfg");
	reader_close(&bob);
	open_as(&bob, "root@pam");
	fixture_put(&f, "/priv/authkey",
		    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
	reader_expect(&f, &bob, NULL);
	assert_int_equal(events_reader_count(f.core.events), 1);
	reader_close(&bob);
	reader_close(&root);
}

static void test_ticket_ends(void **state)
{
	struct reader bob, root;
	uint64_t wall = clock_wall() / USEC_PER_SEC;

	(void)state;
	open_as(&bob, "bob@pve");
	open_as(&root, NULL);
	events_tick(f.core.events, clock_monotonic(), wall + TICKET_LIFE - 60);
	flip(100, true);
	READER_HAS(&f, &bob, "guest", "\"vmid\":100");
	events_tick(f.core.events, clock_monotonic(), wall + TICKET_LIFE + 1);
	reader_expect(&f, &bob, NULL);
	READER_HAS(&f, &root, "guest", "\"vmid\":100");
	assert_int_equal(events_reader_count(f.core.events), 1);
	reader_close(&bob);
	reader_close(&root);
}

/* By the timer: a ticket with a second left. */
static void test_ticket_ends_by_itself(void **state)
{
	struct reader bob;
	struct err err = ERR_INIT;
	uint64_t end = clock_wall() / USEC_PER_SEC + 2;

	(void)state;
	fixture_login(&f, "bob@pve");
	if (access_ticket_make(f.core.access, "bob@pve", end - TICKET_LIFE, f.ticket, f.csrf,
			       &err) < 0)
		fail_msg("%s", err.message);
	reader_open(&f, &bob, "GET /cluster/events", NULL);
	reader_expect(&f, &bob, SYNC("new"));
	reader_expect(&f, &bob, NULL);
	assert_true(clock_wall() / USEC_PER_SEC >= end);
	reader_close(&bob);
}

/* -- slow readers -- */

static size_t memory(void)
{
#ifdef __SANITIZE_ADDRESS__
	return __sanitizer_get_current_allocated_bytes();
#else
	return mallinfo2().uordblks;
#endif
}

/* It stops reading while ten thousand changes happen. */
static void test_slow_reader_is_cut(void **state)
{
	struct reader slow, quick;
	char id[64];

	(void)state;
	open_as(&slow, NULL);
	open_as(&quick, NULL);
	strcpy(id, slow.last_id);
	size_t before = memory();
	usec_t begun = clock_monotonic(); /* whenever it was that it blocked, it was later */
	for (unsigned i = 0; i < 10000; i++) {
		flip(100 + i % GUESTS, i / GUESTS % 2 == 0);
		if (i % GUESTS != GUESTS - 1)
			continue;
		for (unsigned k = 0; k < GUESTS; k++)
			READER_HAS(&f, &quick, "guest", i / GUESTS % 2 ? "stopped" : "running");
	}
	/* what it was owed was merged instead of heaped up */
	assert_in_range(memory(), before + 1000, before + 2 * EVENTS_BUFFER_MAX);
	events_tick(f.core.events, begun + EVENTS_STALL_MAX - 1, clock_wall() / USEC_PER_SEC);
	assert_int_equal(events_reader_count(f.core.events), 2);
	events_tick(f.core.events, clock_monotonic() + EVENTS_STALL_MAX,
		    clock_wall() / USEC_PER_SEC);
	assert_int_equal(events_reader_count(f.core.events), 1);
	unsigned taken = 0;
	for (char *event; (event = reader_next(&f, &slow)); taken++) {
		if (str_starts(event, "id: "))
			snprintf(slow.last_id, sizeof(slow.last_id), "%.*s",
				 (int)strcspn(event + 4, "\n"), event + 4);
		free(event);
	}
	assert_in_range(taken, 100, 5000);
	assert_string_not_equal(slow.last_id, id);
	strcpy(id, slow.last_id);
	reader_close(&slow);
	/* what it did not get comes now, once a guest */
	reader_open(&f, &slow, "GET /cluster/events", id);
	for (unsigned k = 0; k < GUESTS; k++) {
		autofree char *vmid = xasprintf("\"vmid\":%u", 100 + k);

		READER_HAS(&f, &slow, "guest", vmid, "stopped");
	}
	flip(100, true);
	READER_HAS(&f, &slow, "guest", "\"vmid\":100", "running");
	reader_close(&slow);
	reader_close(&quick);
}

/* One that is only late gets the newest state of each thing, without being cut. */
static void test_late_reader_catches_up(void **state)
{
	struct reader r;
	bool seen[GUESTS] = {false};
	unsigned missing = GUESTS, taken = 0;

	(void)state;
	open_as(&r, NULL);
	for (unsigned i = 0; i < 10000; i++) {
		flip(100 + i % GUESTS, i / GUESTS % 2 == 0);
		sd_event_run(f.core.event, 0);
	}
	for (unsigned k = 0; k < GUESTS; k++)
		flip(100 + k, true);
	for (unsigned k = 0; k < GUESTS; k++)
		put_guest(100 + k, "new");
	while (missing > 0) {
		autofree char *event = reader_next(&f, &r);
		const char *vmid = event ? strstr(event, "\"vmid\":") : NULL;

		assert_non_null(event);
		taken++;
		if (!vmid || !strstr(event, "\"name\":\"new\"") || !strstr(event, "running"))
			continue;
		unsigned k = (unsigned)strtoul(vmid + 7, NULL, 10) - 100;
		missing -= !seen[k];
		seen[k] = true;
	}
	assert_true(taken < 5000);
	reader_close(&r);
}

/* So late that its place is not in the log any more: it reads its lists anew, on the same stream. */
static void test_reader_is_too_late(void **state)
{
	struct reader r;

	(void)state;
	open_as(&r, NULL);
	for (unsigned i = 0; i < 10000; i++) {
		flip(100 + i % GUESTS, i / GUESTS % 2 == 0);
		sd_event_run(f.core.event, 0);
	}
	change_more_than_the_log_holds();
	for (bool is_told = false; !is_told;) {
		autofree char *event = reader_next(&f, &r);

		assert_non_null(event);
		is_told = strstr(event, SYNC("too-old")) != NULL;
	}
	flip(100, true);
	READER_HAS(&f, &r, "guest", "\"vmid\":100");
	reader_close(&r);
}

static void test_event_larger_than_a_buffer(void **state)
{
	struct reader r;
	autobuf text = BUF_INIT;

	(void)state;
	open_as(&r, NULL);
	buf_add_str(&text, "tags: ");
	for (unsigned i = 0; i < 100000; i++)
		buf_add_char(&text, '"'); /* two characters in JSON */
	buf_add_char(&text, '\n');
	fixture_put(&f, "/nodes/n1/lxc/100.conf", buf_str(&text));
	reader_expect(&f, &r, SYNC("too-old"));
	flip(101, true);
	READER_HAS(&f, &r, "guest", "\"vmid\":101");
	reader_close(&r);
}

static void test_keep_alive(void **state)
{
	struct reader r;
	usec_t now = clock_monotonic();

	(void)state;
	open_as(&r, NULL);
	events_tick(f.core.events, now + USEC_PER_SEC, clock_wall() / USEC_PER_SEC);
	reader_read(&r);
	assert_string_equal(buf_str(&r.in), "");
	events_tick(f.core.events, now + EVENTS_KEEP_ALIVE + USEC_PER_SEC,
		    clock_wall() / USEC_PER_SEC);
	autofree char *comment = reader_next(&f, &r);
	assert_string_equal(comment, ": ");
	reader_close(&r);
}

static void test_reader_leaves(void **state)
{
	struct reader a, b;

	(void)state;
	open_as(&a, NULL);
	open_as(&b, NULL);
	reader_close(&a);
	while (events_reader_count(f.core.events) > 1)
		fixture_turn(&f);
	assert_int_equal(shutdown(b.fd, SHUT_WR), 0);
	while (events_reader_count(f.core.events) > 0)
		fixture_turn(&f);
	reader_expect(&f, &b, NULL);
	reader_close(&b);
	/* without readers there is neither a round nor a timer */
	flip(100, true);
	assert_int_equal(sd_event_run(f.core.event, 0), 0);
}

static void test_bounds(void **state)
{
	struct reader readers[EVENTS_READERS_MAX], more;
	autobuf users = BUF_INIT;
	const unsigned user_count = EVENTS_READERS_MAX / EVENTS_USER_MAX;

	(void)state;
	for (unsigned i = 0; i <= user_count; i++)
		buf_addf(&users, "user:u%u@pve:1:0::::\n", i);
	fixture_put(&f, "/user.cfg", buf_str(&users));
	for (unsigned i = 0; i < EVENTS_READERS_MAX; i++) {
		autofree char *user = xasprintf("u%u@pve", i / EVENTS_USER_MAX);

		open_as(&readers[i], user);
		if (i != EVENTS_USER_MAX - 1)
			continue;
		assert_int_equal(reader_try(&f, &more, "GET /cluster/events", NULL), 500);
		assert_non_null(strstr(buf_str(&f.last.body),
				       "too many event streams of user 'u0@pve': at most 16"));
	}
	autofree char *user = xasprintf("u%u@pve", user_count);
	fixture_login(&f, user);
	assert_int_equal(reader_try(&f, &more, "GET /cluster/events", NULL), 500);
	assert_non_null(
		strstr(buf_str(&f.last.body), "too many event streams: at most 128 at once"));
	/* one leaves, one comes */
	reader_close(&readers[77]);
	while (events_reader_count(f.core.events) == EVENTS_READERS_MAX)
		fixture_turn(&f);
	open_as(&readers[77], user);
	for (unsigned i = 0; i < EVENTS_READERS_MAX; i++)
		reader_close(&readers[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_resume),
		TEST(test_sync),
		TEST(test_user_disabled),
		TEST(test_ticket_ends),
		TEST(test_ticket_ends_by_itself),
		TEST(test_slow_reader_is_cut),
		TEST(test_late_reader_catches_up),
		TEST(test_reader_is_too_late),
		TEST(test_event_larger_than_a_buffer),
		TEST(test_keep_alive),
		TEST(test_reader_leaves),
		TEST(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
