/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /nodes/{node}/network, dns, hosts and time: who may, what is checked before any helper, and which calls confirm a
 * change. The program behind is a script: helpers refuse with what they were asked, jobs stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/api/node_network.h"
#include "agent/base/paths.h"
#include "agent/net/change.h"
#include "api_test.h"

static struct fixture f;

static const char user_cfg[] = "user:bob@pve:1:0::::\nuser:eve@pve:1:0::::\n"
			       "acl:/nodes/n1:user:bob@pve:PVEAuditor:1\n";

static int set_up(void **state)
{
	autofree char *folder = NULL;

	(void)state;
	fixture_begin(&f);
	fixture_script(
		&f, "lodge-task",
		"#!/bin/sh\n[ \"$1\" != helper ] || { echo \"1 cidr $2 was asked\"; exit 1; }\n"
		"[ \"$1\" != netapply ] || exec sleep 1000\n");
	fixture_start(&f);
	fixture_put(&f, "/user.cfg", user_cfg);
	folder = path_join(path_run(), "network");
	return dir_make(folder, 0700, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static const char *const changing[] = {
	"POST /nodes/n1/network?iface=vmbr1&type=bridge",
	"PUT /nodes/n1/network",
	"DELETE /nodes/n1/network",
	"POST /nodes/n1/network/confirm",
	"PUT /nodes/n1/network/vmbr1?type=bridge",
	"DELETE /nodes/n1/network/vmbr1",
	"PUT /nodes/n1/dns?search=a",
	"POST /nodes/n1/hosts?data=x",
	"PUT /nodes/n1/time?timezone=UTC",
};

static void permissions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changing); i++) {
		fixture_login(&f, "bob@pve");
		assert_int_equal(fixture_call(&f, changing[i]), 403);
		fixture_login(&f, "");
		assert_int_equal(fixture_call(&f, changing[i]), 401);
	}
	fixture_login(&f, "eve@pve");
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/network/eth0"), 403);
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/dns"), 403);
	/* the list is everybody's: it went on to the helper */
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/network"), 400);
	assert_non_null(strstr(buf_str(&f.last.body), "net-list was asked"));
	fixture_login(&f, NULL);
}

static void parameters(void **state)
{
	static const struct {
		const char *request, *field;
	} cases[] = {
		{"POST /nodes/n1/network?type=bridge", "iface"},
		{"POST /nodes/n1/network?iface=vmbr1", "type"},
		{"POST /nodes/n1/network?iface=x&type=bridge", "iface"},
		{"POST /nodes/n1/network?iface=1eth&type=bridge", "iface"},
		{"POST /nodes/n1/network?iface=eth0;x&type=bridge", "iface"},
		{"POST /nodes/n1/network?iface=vmbr1&type=tunnel", "type"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&address=1.2.3", "address"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&address6=1.2.3.4", "address6"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&autostart=maybe", "autostart"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&bond_mode=x", "bond_mode"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&bridge_ports=-x", "bridge_ports"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&bridge_vids=0", "bridge_vids"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&cidr=10.0.0.1/33", "cidr"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&cidr6=fd00::1/129", "cidr6"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&gateway=x", "gateway"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&gateway6=1.2.3.4", "gateway6"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&mtu=1279", "mtu"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&mtu=65521", "mtu"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&netmask=33", "netmask"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&netmask6=129", "netmask6"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&vlan-id=4095", "vlan-id"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&unknown=1", "unknown"},
		{"POST /nodes/n1/network?iface=vmbr1&type=bridge&delete=mtu", "delete"},
		{"PUT /nodes/n1/network/vmbr1", "type"},
		{"PUT /nodes/n1/network?confirm-timeout=601", "confirm-timeout"},
		{"PUT /nodes/n1/network?confirm-timeout=-1", "confirm-timeout"},
		{"PUT /nodes/n1/network?peer=x", "peer"},
		{"GET /nodes/n1/network?type=x", "type"},
		{"PUT /nodes/n1/dns", "search"},
		{"PUT /nodes/n1/dns?search=a\nb", "search"},
		{"PUT /nodes/n1/dns?search=a&dns1=x", "dns1"},
		{"PUT /nodes/n1/time", "timezone"},
		{"POST /nodes/n1/hosts", "data"},
	};

	(void)state;
	fixture_login(&f, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *wanted = xasprintf("\"errors\":{\"%s\":", cases[i].field);
		int status = fixture_call(&f, cases[i].request);

		if (status != 400 || !strstr(buf_str(&f.last.body), wanted) ||
		    strstr(buf_str(&f.last.body), "was asked"))
			fail_msg("%s: %d %s", cases[i].request, status, buf_str(&f.last.body));
	}
}

static bool is_confirmed(void)
{
	autofree char *path = path_join(path_run(), "network/confirmed");

	return access(path, F_OK) == 0;
}

static void wait_for_caller(const char *upid, const char *peer, const char *user, unsigned ago)
{
	autofree char *path = path_join(path_run(), "network/waiting");
	autofree char *text =
		xasprintf("%s\n%llu\n%s\n%s\n", upid,
			  (unsigned long long)(clock_wall() / USEC_PER_SEC - ago), peer, user);

	net_waiting_clear();
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, NULL), 0);
}

static void seen_by(const struct api_route *route, const char *peer, const char *user)
{
	struct api_request req = {.core = &f.core, .route = route};

	str_copy(req.peer, sizeof(req.peer), peer);
	str_copy(req.who.userid, sizeof(req.who.userid), user);
	req.who.is_local_root = str_eq(peer, "local");
	api_network_seen(&req);
}

static void seen(const char *peer, const char *user)
{
	seen_by(NULL, peer, user);
}

static void confirmations(void **state)
{
	static const struct {
		const char *peer, *user;
		unsigned ago;
		bool is_enough;
	} cases[] = {
		{"192.0.2.9", "bob@pve", 5, true},  {"192.0.2.8", "bob@pve", 5, false},
		{"192.0.2.9", "eve@pve", 5, false}, {"192.0.2.9", "bob@pve", 0, false},
		{"127.0.0.1", "bob@pve", 5, false}, {"local", "bob@pve", 5, false},
		{"", "bob@pve", 5, false},
	};

	(void)state;
	fixture_login(&f, NULL);
	expect(&f, "POST /nodes/n1/network/confirm", 500,
	       "{\"data\":null,\"message\":\"no change of the network waits to be confirmed\\n\"}");
	/* a note that a dead job left */
	wait_for_caller("UPID:x", "192.0.2.9", "bob@pve", 5);
	seen("192.0.2.9", "bob@pve");
	assert_false(is_confirmed());
	EXPECT_HAS(&f, "PUT /nodes/n1/network", ":srvreload:networking:root@pam:");
	assert_int_equal(fixture_call(&f, "PUT /nodes/n1/network"), 500);
	const struct task *task = jobs_next(f.core.jobs, NULL);
	char upid[UPID_MAX];

	assert_true(task && str_copy(upid, sizeof(upid), task->upid));
	/* its own, not that one */
	wait_for_caller("UPID:x", "192.0.2.9", "bob@pve", 5);
	assert_int_equal(fixture_call(&f, "POST /nodes/n1/network/confirm"), 500);
	seen("192.0.2.9", "bob@pve");
	assert_false(is_confirmed());
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		wait_for_caller(upid, "192.0.2.9", "bob@pve", cases[i].ago);
		seen(cases[i].peer, cases[i].user);
		if (is_confirmed() != cases[i].is_enough)
			fail_msg("%s of %s", cases[i].user, cases[i].peer);
	}
	static const struct api_route stop = {.verb = API_DELETE,
					      .path = "/nodes/{node}/tasks/{upid}"},
				      look = {.path = "/nodes/{node}/tasks/{upid}"};
	wait_for_caller(upid, "192.0.2.9", "bob@pve", 5);
	seen_by(&stop, "192.0.2.9", "bob@pve");
	assert_false(is_confirmed());
	seen_by(&look, "192.0.2.9", "bob@pve");
	assert_true(is_confirmed());
	wait_for_caller(upid, "127.0.0.1", "bob@pve", 5);
	seen("127.0.0.1", "bob@pve");
	assert_false(is_confirmed());
	assert_int_equal(fixture_call(&f, "POST /nodes/n1/network/confirm"), 200);
	assert_true(is_confirmed());
	assert_int_equal(jobs_stop(f.core.jobs, upid, NULL), 0);
	while (jobs_find(f.core.jobs, upid)->state == TASK_RUNNING)
		fixture_turn(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(permissions),
		cmocka_unit_test(parameters),
		cmocka_unit_test(confirmations),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
