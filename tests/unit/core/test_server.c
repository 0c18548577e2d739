/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's sockets: what each may ask, clients that leave, and the monitor's connection. */
#include "tests/unit/core/world.h"

static void sockets_serve_what_they_may(void **state)
{
	(void)state;
	connect_to(CORE_SOCKET);
	assert_int_equal(ask_op(CALL_API, "path", "/version"), 200);
	assert_true(world->was_local);
	assert_int_equal(ask_op(CALL_STORE_GET, "path", "/absent"), 404);
	assert_int_equal(ask_op(CALL_STORE_GET, "path", "../x"), 400);
	assert_int_equal(ask_op(63, "path", "/x"), 501);
	connect_to(GATE_SOCKET);
	assert_int_equal(ask_op(CALL_API, "path", "/version"), 200);
	assert_false(world->was_local);
	assert_int_equal(ask_op(CALL_STORE_GET, "path", "/absent"), 403);
	assert_int_equal(ask_op(CALL_STORE_TXN, "path", "/absent"), 403);
	assert_int_equal(ask_op(CALL_GUEST_STATE, "vmid", "101"), 403);
	autofree char *core_path = fixture_path(CORE_SOCKET);
	struct stat st;
	assert_int_equal(stat(core_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static bool is_cancelled(void *ctx)
{
	(void)ctx;
	return world->cancelled > 0;
}

static void disconnect_cancels(void **state)
{
	struct call call = CALL_INIT;

	(void)state;
	connect_to(GATE_SOCKET);
	call.op = CALL_API;
	fields_add(&call.head, "path", "/never");
	assert_int_equal(conn_call(world->conn, &call, on_reply, world, NULL, NULL), 0);
	call_fini(&call);
	assert_int_equal(ask_op(CALL_API, "path", "/version"), 200);
	assert_int_equal(world->cancelled, 0);
	conn_close(TAKE(world->conn));
	fixture_run_until(world->core.event, is_cancelled, NULL);
}

/* Whoever connects waits; the loop does not spin meanwhile. */
static void accepts_later_without_descriptors(void **state)
{
	autofree char *path = path_join(path_run(), "%s", CORE_SOCKET);
	static const struct conn_ops ops = {.on_closed = on_closed};
	usec_t end = clock_monotonic() + 300 * USEC_PER_MSEC;
	unsigned wakeups = 0;
	int fd = -1;

	(void)state;
	assert_int_equal(conn_connect(path, &fd, NULL), 0);
	assert_int_equal(conn_new(world->core.event, fd, &ops, world, &world->conn, NULL), 0);
	fixture_allow_descriptors(0);
	while (clock_monotonic() < end)
		wakeups += sd_event_run(world->core.event, 50 * USEC_PER_MSEC) > 0;
	fixture_allow_descriptors(-1);
	assert_true(wakeups < 20);
	assert_int_equal(ask_op(CALL_API, "path", "/version"), 200);
}

static void monitor_event(uint16_t op, const char *vmid)
{
	struct call event = CALL_INIT;

	event.op = op;
	if (vmid) {
		fields_add(&event.head, "vmid", vmid);
		fields_add(&event.head, "state", "running");
	}
	conn_event(world->conn, &event);
	call_fini(&event);
}

static void monitor_is_root_only(void **state)
{
	struct facts *facts = world->core.facts;

	(void)state;
	connect_to(GATE_SOCKET);
	monitor_event(EVENT_HELLO, NULL);
	monitor_event(EVENT_GUEST, "101");
	monitor_event(EVENT_LISTED, NULL);
	assert_int_equal(ask_op(CALL_API, "path", "/version"), 200); /* all of it was read */
	assert_int_equal(facts_guest(facts, 101)->state, GUEST_UNKNOWN);
	connect_to(CORE_SOCKET);
	monitor_event(EVENT_HELLO, NULL);
	monitor_event(EVENT_GUEST, "101");
	monitor_event(EVENT_LISTED, NULL);
	assert_int_equal(ask_op(CALL_API, "path", "/version"), 200);
	assert_int_equal(facts_guest(facts, 101)->state, GUEST_RUNNING);
	assert_int_equal(facts_guest(facts, 102)->state, GUEST_STOPPED);
}

static void on_look(struct conn *conn, struct call *event, void *ctx)
{
	(void)conn;
	(void)ctx;
	assert_int_equal(event->op, EVENT_LOOK);
	assert_string_equal(fields_get(&event->head, "vmid"), "101");
	world->cancelled++;
}

static bool has_looked(void *ctx)
{
	(void)ctx;
	return world->cancelled > 0;
}

/* A job that does not know makes the monitor look. */
static void unknown_makes_the_monitor_look(void **state)
{
	static const struct conn_ops ops = {.on_event = on_look, .on_closed = on_closed};
	autofree char *path = path_join(path_run(), "%s", CORE_SOCKET);
	struct call hello = CALL_INIT, call = CALL_INIT;
	struct conn *monitor;
	int fd = -1;

	(void)state;
	hello.op = EVENT_HELLO;
	connect_to(CORE_SOCKET);
	assert_int_equal(conn_connect(path, &fd, NULL), 0);
	assert_int_equal(conn_new(world->core.event, fd, &ops, world, &monitor, NULL), 0);
	conn_event(monitor, &hello);
	call_fini(&hello);
	while (!world->core.monitor)
		sd_event_run(world->core.event, USEC_PER_SEC);
	call.op = CALL_GUEST_STATE;
	fields_add(&call.head, "vmid", "101");
	fields_add(&call.head, "state", "unknown");
	assert_int_equal(ask(&call), 200);
	fixture_run_until(world->core.event, has_looked, NULL);
	conn_close(monitor);
	while (world->core.monitor)
		sd_event_run(world->core.event, USEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(sockets_serve_what_they_may),	 WITH(disconnect_cancels),
		WITH(accepts_later_without_descriptors), WITH(monitor_is_root_only),
		WITH(unknown_makes_the_monitor_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
