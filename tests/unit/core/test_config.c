/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration in the store and what the core makes of it: transactions of jobs, index of
 * guests, ids, storages and the network at the first start. */
#include "tests/unit/core/world.h"

#include "agent/core/remote.h"
#include "agent/core/setup.h"

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
	core_found(&world->core);
	/* before anybody can ask for it */
	assert_non_null(storage_cfg_find(storages_config(world->core.storages), "local"));
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

/* Of the folder /slow nothing is said before somebody lets it. */
static const char slow_program[] =
	"#!/bin/sh\n"
	"cd \"$LODGE_STATE_DIR\"\n"
	"case \"$(tr -c '[:print:]' ' ')\" in\n"
	"*/slow*) touch began; while [ ! -e go ]; do sleep 0.05; done; total=100 ;;\n"
	"*) total=7 ;;\n"
	"esac\n"
	"echo \"{\\\"active\\\":1,\\\"total\\\":$total,\\\"used\\\":1,\\\"avail\\\":1}\"\n";

static bool has_begun(void *ctx)
{
	(void)ctx;
	return fixture_exists("began");
}

/* The answer about the old definition is on its way while there is a new one. */
static void changed_storage_is_asked_anew(void **state)
{
	struct storages *storages = world->core.storages;

	(void)state;
	fixture_write("lodge-task", slow_program, 0755);
	put("/storage.cfg", "dir: local\n\tpath /slow\n\tcontent iso\n");
	fixture_run_until(world->core.event, has_begun, NULL);
	put("/storage.cfg", "dir: local\n\tpath /other\n\tcontent iso\n");
	fixture_write("go", "", 0600);
	fixture_run_until(world->core.event, is_measured, NULL);
	assert_int_equal(storages_status(storages, "local")->total, 7);
	/* what was said of it is no longer true, from the first moment */
	put("/storage.cfg", "dir: local\n\tpath /other\n\tcontent iso\n\tdisable 1\n");
	assert_false(storages_status(storages, "local")->is_active);
	/* and what is said of one stays while others change */
	put("/storage.cfg", "dir: local\n\tpath /other\n\tcontent iso\n");
	fixture_run_until(world->core.event, is_measured, NULL);
	put("/storage.cfg", "dir: local\n\tpath /other\n\tcontent iso\n\n"
			    "dir: more\n\tpath /more\n\tcontent iso\n");
	assert_int_equal(storages_status(storages, "local")->total, 7);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(jobs_reach_the_store),
		WITH(index_and_ids),
		WITH(first_start),
		WITH(changed_storage_is_asked_anew),
		WITH(network_is_applied_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
