/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core's parts around a real store: index of guests, ids, storages, first start, start with the
 * host, restarts, and both sockets with what each may ask. */
#include "tests/unit/core/fixture.h"

#include <sys/epoll.h>

#include "agent/base/conn.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/core/core.h"
#include "agent/core/guests.h"
#include "agent/core/nextid.h"
#include "agent/core/onboot.h"
#include "agent/core/remote.h"
#include "agent/core/restart.h"
#include "agent/core/server.h"
#include "agent/core/setup.h"
#include "agent/core/storages.h"

struct world {
	struct core core;
	struct server *server;
	struct conn *conn; /* client */
	struct reply reply;
	bool has_reply;
	bool was_local;
	unsigned cancelled;
	unsigned stored;
};

static struct world *world; /* for the fake API, whose functions have no context */

static void fake_api_call(struct core *core, struct conn *conn, uint64_t id, struct call *call,
			  bool is_local)
{
	struct reply reply = REPLY_INIT;

	(void)core;
	world->was_local = is_local;
	if (str_eq(fields_get(&call->head, "path"), "/never"))
		return;
	reply.status = 200;
	buf_add_str(&reply.body, "{\"data\":1}");
	conn_reply(conn, id, &reply);
	reply_fini(&reply);
}

static void fake_api_cancel(struct core *core, struct conn *conn, uint64_t id)
{
	(void)core;
	(void)conn;
	(void)id;
	world->cancelled++;
}

static int on_store(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	(void)source;
	(void)fd;
	(void)events;
	store_dispatch(((struct core *)ctx)->store);
	return 0;
}

static void open_core(struct core *core)
{
	autofree char *db = path_join(path_state(), "db");
	const struct store_options options = {.directory = db, .node = "alpha"};
	struct err err = ERR_INIT;

	str_copy(core->node, sizeof(core->node), "alpha");
	assert_true(sd_event_new(&core->event) >= 0);
	if (store_open(&options, &core->store, &err) < 0)
		fail_msg("%s", err.message);
	sd_event_add_io(core->event, &core->store_source, store_fd(core->store), EPOLLIN, on_store,
			core);
	assert_int_equal(jobs_new(core->event, core->node, &core->jobs, NULL), 0);
	core->facts = facts_new();
	core->helpers = helpers_new(core->event);
	core->guests = guests_new(core);
	core->nextid = nextid_new();
	core->storages = storages_new(core);
	core->onboot = onboot_new(core);
}

static int set_up(void **state)
{
	static const struct server_ops ops = {fake_api_call, fake_api_cancel};
	struct err err = ERR_INIT;

	fixture_make();
	world = xcalloc(1, sizeof(*world));
	open_core(&world->core);
	if (server_new(&world->core, &ops, &world->server, &err) < 0)
		fail_msg("%s", err.message);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct core *core = &world->core;

	(void)state;
	if (world->conn)
		conn_close(world->conn);
	server_free(world->server);
	onboot_free(core->onboot);
	storages_free(core->storages);
	nextid_free(core->nextid);
	guests_free(core->guests);
	helpers_free(core->helpers);
	facts_free(core->facts);
	jobs_free(core->jobs);
	if (core->tls_timer)
		sd_event_source_disable_unref(core->tls_timer);
	sd_event_source_disable_unref(core->store_source);
	store_close(core->store);
	sd_event_unref(core->event);
	reply_fini(&world->reply);
	free(world);
	fixture_remove();
	return 0;
}

/* Client side */

static void on_reply(struct reply *reply, void *ctx)
{
	struct world *w = ctx;

	reply_fini(&w->reply);
	w->reply = *reply;
	*reply = REPLY_INIT;
	w->has_reply = true;
}

static void on_closed(struct conn *conn, const struct err *err, void *ctx)
{
	(void)conn;
	(void)err;
	((struct world *)ctx)->conn = NULL;
}

static bool has_reply(void *ctx)
{
	return ((struct world *)ctx)->has_reply;
}

static void connect_to(const char *name)
{
	static const struct conn_ops ops = {.on_closed = on_closed};
	autofree char *path = path_join(path_run(), "%s", name);
	int fd = -1;

	if (world->conn)
		conn_close(world->conn);
	assert_int_equal(conn_connect(path, &fd, NULL), 0);
	assert_int_equal(conn_new(world->core.event, fd, &ops, world, &world->conn, NULL), 0);
}

static unsigned ask(struct call *call)
{
	world->has_reply = false;
	assert_int_equal(conn_call(world->conn, call, on_reply, world, NULL, NULL), 0);
	fixture_run_until(world->core.event, has_reply, world);
	call_fini(call);
	return world->reply.status;
}

static unsigned ask_op(unsigned op, const char *head, const char *value)
{
	struct call call = CALL_INIT;

	call.op = (uint16_t)op;
	fields_add(&call.head, head, value);
	return ask(&call);
}

/* Store */

static void on_stored(const struct store_result *result, void *ctx)
{
	(void)ctx;
	assert_int_equal(result->outcome, STORE_DONE);
	world->stored++;
}

static bool has_stored(void *ctx)
{
	(void)ctx;
	return world->stored > 0;
}

static void put(const char *path, const char *text)
{
	const struct store_op op = {
		.kind = STORE_PUT, .path = path, .value = text, .size = strlen(text)};
	const struct store_txn txn = {.who = "test", .ops = &op, .op_count = 1};
	struct err err = ERR_INIT;

	world->stored = 0;
	if (store_submit(world->core.store, &txn, on_stored, NULL, &err) < 0)
		fail_msg("%s", err.message);
	fixture_run_until(world->core.event, has_stored, NULL);
}

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

static unsigned transact(const char *id, const char *require, const char *value)
{
	struct call call = CALL_INIT;

	call.op = CALL_STORE_TXN;
	fields_add(&call.head, "id", id);
	fields_add(&call.head, "who", "root@pam");
	fields_add(&call.params, REMOTE_REQUIRE, require);
	fields_add(&call.params, REMOTE_PUT, value);
	return ask(&call);
}

static void jobs_reach_the_store(void **state)
{
	static const char id[] = "00112233445566778899aabbccddeeff";
	static const char other[] = "10112233445566778899aabbccddeeff";

	(void)state;
	connect_to(CORE_SOCKET);
	assert_int_equal(transact(id, "0 /nodes/alpha/lxc/101.conf",
				  "/nodes/alpha/lxc/101.conf\nhostname: a\n"),
			 200);
	autofree char *version = xstrdup(fields_get(&world->reply.head, "version"));
	assert_non_null(version);
	assert_int_equal(ask_op(CALL_STORE_GET, "path", "/nodes/alpha/lxc/101.conf"), 200);
	assert_string_equal(fields_get(&world->reply.head, "version"), version);
	assert_string_equal(buf_str(&world->reply.body), "hostname: a\n");
	assert_int_equal(transact(other, "0 /nodes/alpha/lxc/101.conf",
				  "/nodes/alpha/lxc/101.conf\nhostname: b\n"),
			 409);
	/* The very same again is the same transaction. */
	assert_int_equal(transact(id, "0 /nodes/alpha/lxc/101.conf",
				  "/nodes/alpha/lxc/101.conf\nhostname: a\n"),
			 200);
	assert_string_equal(
		guest_config_get(guests_find(world->core.guests, 101)->config, "hostname"), "a");
}

static void index_and_ids(void **state)
{
	struct guests *guests = world->core.guests;
	struct nextid *nextid = world->core.nextid;

	(void)state;
	put("/nodes/alpha/lxc/101.conf", "hostname: a\n");
	put("/nodes/beta/qemu/100.conf", "name: b\n");
	put("/nodes/beta/qemu/0103.conf", "name: c\n");
	put("/nodes/beta/other/104.conf", "name: d\n");
	put("/nodes/beta/lxc/104", "name: d\n");
	const struct guest *g = guests_next(guests, 0);
	assert_int_equal(g->vmid, 100);
	assert_int_equal(g->kind, GUEST_QEMU);
	assert_string_equal(g->node, "beta");
	g = guests_next(guests, g->vmid);
	assert_int_equal(g->vmid, 101);
	assert_null(guests_next(guests, 101));
	assert_int_equal(nextid_take(nextid, guests, 0), 102);
	assert_int_equal(nextid_take(nextid, guests, 1), 103);
	assert_int_equal(nextid_take(nextid, guests, NEXTID_LEASE), 102); /* the first one ended */
}

static bool is_measured(void *ctx)
{
	(void)ctx;
	return storages_status(world->core.storages, "local")->observed != 0;
}

static void first_start(void **state)
{
	(void)state;
	setup_storage(&world->core);
	fixture_run_until(world->core.event, is_measured, NULL);
	const struct storage_def *def =
		storage_cfg_find(storages_config(world->core.storages), "local");
	autofree char *local = fixture_path("local");
	assert_string_equal(storage_def_get(def, "path"), local);
	assert_true(storages_status(world->core.storages, "local")->is_active);
	assert_int_equal(storages_status(world->core.storages, "local")->available, 60);
	put("/storage.cfg", "not: a\nvalid config at all\n");
	assert_non_null(storage_cfg_find(storages_config(world->core.storages), "local"));
}

static unsigned count_tasks(const char *type, const char *id)
{
	unsigned count = 0;

	for (const struct task *t = NULL; (t = jobs_next(world->core.jobs, t));)
		count += str_eq(t->id.type, type) && str_eq(t->id.id, id);
	return count;
}

static bool onboot_is_over(void *ctx)
{
	(void)ctx;
	autofree char *marker = fixture_read("onboot-done");
	return strstr(marker, "end\n") != NULL;
}

static void starts_with_the_host_once(void **state)
{
	struct core *core = &world->core;

	(void)state;
	put("/nodes/alpha/lxc/101.conf", "onboot: 1\n");
	put("/nodes/alpha/lxc/102.conf", "onboot: 1\nstartup: order=1\n");
	put("/nodes/alpha/lxc/103.conf", "onboot: 0\n");
	put("/nodes/beta/lxc/104.conf", "onboot: 1\n");
	put("/nodes/alpha/lxc/105.conf", "onboot: 1\nstartup: order=1\n");
	onboot_begin(core->onboot);
	fixture_run_until(core->event, onboot_is_over, NULL);
	autofree char *marker = fixture_read("onboot-done");
	assert_string_equal(strchr(marker, '\n'), "\n102\n105\n101\nend\n");
	assert_int_equal(count_tasks("vzstart", "101"), 1);
	assert_int_equal(count_tasks("vzstart", "103"), 0);
	assert_int_equal(count_tasks("vzstart", "104"), 0);
	onboot_begin(core->onboot); /* another core in the same boot */
	assert_int_equal(count_tasks("vzstart", "101"), 1);
}

static void goes_on_after_a_kill(void **state)
{
	struct core *core = &world->core;

	(void)state;
	put("/nodes/alpha/lxc/101.conf", "onboot: 1\n");
	put("/nodes/alpha/lxc/102.conf", "onboot: 1\n");
	onboot_begin(core->onboot);
	fixture_run_until(core->event, onboot_is_over, NULL);
	autofree char *marker = fixture_read("onboot-done");
	strstr(marker, "102\n")[0] = '\0'; /* as it was when 101 had its turn */
	fixture_write("onboot-done", marker, 0600);
	onboot_free(core->onboot);
	jobs_free(core->jobs);
	assert_int_equal(jobs_new(core->event, core->node, &core->jobs, NULL), 0);
	core->onboot = onboot_new(core);
	onboot_begin(core->onboot);
	fixture_run_until(core->event, onboot_is_over, NULL);
	assert_int_equal(count_tasks("vzstart", "101"), 1);
	assert_int_equal(count_tasks("vzstart", "102"), 2);
}

static void startup_texts(void **state)
{
	static const struct {
		const char *text;
		uint64_t order, up;
	} cases[] = {
		{NULL, ONBOOT_ORDER_NONE, 0},
		{"order=2,up=30", 2, 30},
		{"7", 7, 0},
		{"up=5", ONBOOT_ORDER_NONE, 5},
		{"order=x,up=999999", ONBOOT_ORDER_NONE, 3600},
		{"down=4,order=1", 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct onboot_startup s;

		onboot_startup_parse(cases[i].text, &s);
		assert_true(s.order == cases[i].order);
		assert_true(s.up == cases[i].up);
	}
}

static unsigned tell_stopped(const char *target)
{
	struct call call = CALL_INIT;

	call.op = CALL_GUEST_STATE;
	fields_add(&call.head, "vmid", "101");
	fields_add(&call.head, "kind", "lxc");
	fields_add(&call.head, "state", "stopped");
	fields_add(&call.head, "target", target);
	return ask(&call);
}

static void spool_reboot(void)
{
	autofree char *spool = fixture_path("guests/101.stopped");
	autofields f = FIELDS_INIT;
	autobuf text = BUF_INIT;

	fields_add(&f, "vmid", "101");
	fields_add(&f, "state", "stopped");
	fields_add(&f, "target", "reboot");
	fields_encode(&f, &text);
	assert_int_equal(file_write_atomic(spool, text.data, text.size, 0600, NULL), 0);
}

static bool has_no_spool(void *ctx)
{
	(void)ctx;
	return !fixture_exists("guests/101.stopped");
}

static void reboot_from_inside(void **state)
{
	autofree char *folder = fixture_path("guests");

	(void)state;
	put("/nodes/alpha/lxc/101.conf", "hostname: a\n");
	assert_int_equal(dir_make(folder, 0700, NULL), 0);
	fixture_write("guests/101.stopped", "", 0600);
	connect_to(CORE_SOCKET);
	assert_int_equal(tell_stopped("stop"), 200);
	assert_int_equal(facts_guest(world->core.facts, 101)->state, GUEST_STOPPED);
	assert_int_equal(count_tasks("vzstart", "101"), 0);
	assert_false(fixture_exists("guests/101.stopped"));
	assert_int_equal(tell_stopped("reboot"), 200);
	assert_int_equal(count_tasks("vzstart", "101"), 1);
	/* The core was away. */
	spool_reboot();
	restart_scan(&world->core);
	assert_int_equal(count_tasks("vzstart", "101"), 2);
	assert_false(fixture_exists("guests/101.stopped"));
}

/* What stops a job from being started for now must not leave the guest down. */
static void reboot_is_tried_again(void **state)
{
	autofree char *folder = fixture_path("guests");
	autofree char *program = fixture_path("lodge-task-ct");
	autofree char *away = fixture_path("away");

	(void)state;
	put("/nodes/alpha/lxc/101.conf", "hostname: a\n");
	assert_int_equal(dir_make(folder, 0700, NULL), 0);
	spool_reboot();
	connect_to(CORE_SOCKET);
	assert_int_equal(rename(program, away), 0);
	assert_int_equal(tell_stopped("reboot"), 200);
	assert_int_equal(count_tasks("vzstart", "101"), 0);
	assert_true(fixture_exists("guests/101.stopped"));
	assert_int_equal(rename(away, program), 0);
	assert_non_null(world->core.restart_timer);
	sd_event_source_set_time(world->core.restart_timer, 0);
	fixture_run_until(world->core.event, has_no_spool, NULL);
	assert_int_equal(count_tasks("vzstart", "101"), 1);
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

static bool net_is_applied(void *ctx)
{
	(void)ctx;
	autofree char *text = fixture_read("net-applied");
	return str_eq(text, "net\nnet\n") && !world->core.network.is_running;
}

static void network_is_applied_again(void **state)
{
	(void)state;
	setup_network(&world->core, NULL);
	setup_network(&world->core, NULL); /* both wait for the first: one more */
	setup_network(&world->core, NULL);
	fixture_run_until(world->core.event, net_is_applied, NULL);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(sockets_serve_what_they_may),
		WITH(disconnect_cancels),
		WITH(accepts_later_without_descriptors),
		WITH(jobs_reach_the_store),
		WITH(index_and_ids),
		WITH(first_start),
		WITH(starts_with_the_host_once),
		WITH(goes_on_after_a_kill),
		cmocka_unit_test(startup_texts),
		WITH(reboot_from_inside),
		WITH(reboot_is_tried_again),
		WITH(monitor_is_root_only),
		WITH(unknown_makes_the_monitor_look),
		WITH(network_is_applied_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
