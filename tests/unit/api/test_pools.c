/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools: changing them, who sees and may what through them, and guests that are made into one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/api/resources.h"
#include "tests/unit/api/api_test.h"

#define STORAGES                                                                                   \
	"dir: local\n\tpath /nowhere\n\tcontent rootdir,images,vztmpl\n\n"                         \
	"dir: nas\n\tpath /nowhere2\n\tcontent iso\n"
#define USERS                                                                                      \
	"user:joe@pve:1:0::::\nuser:sam@pve:1:0::::\n"                                             \
	"pool:all:::\npool:mine:::local\n"                                                         \
	"acl:/pool/mine:user:joe@pve:PVEAdmin:1\nacl:/pool/mine:user:sam@pve:PVEPoolUser:1\n"
#define FAILED "\"message\":\""
#define CREATE "POST /nodes/n1/lxc?ostemplate=local:vztmpl/d.tar.zst&rootfs=local:1"

static int start(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	fixture_begin(f);
	fixture_script(f, "lodge-task-ct", "#!/bin/sh\ncat > /dev/null\n");
	fixture_start(f);
	fixture_put(f, "/storage.cfg", STORAGES);
	fixture_put(f, "/user.cfg", USERS);
	fixture_put(f, "/nodes/n1/lxc/100.conf", "hostname: web\n");
	fixture_put(f, "/nodes/n1/qemu/200.conf", "name: big\n");
	*state = f;
	return 0;
}

static int stop(void **state)
{
	fixture_end(*state);
	free(*state);
	return 0;
}

static void fails(struct fixture *f, const char *request, int status, const char *part)
{
	int got = fixture_call(f, request);

	if (got != status || !strstr(buf_str(&f->last.body), part))
		fail_msg("%s: got %d %s\nexpected %d %s", request, got, buf_str(&f->last.body),
			 status, part);
}

static void is_edited(void **state)
{
	struct fixture *f = *state;

	expect(f, "POST /pools?poolid=web&comment=both", 200, "{\"data\":null}");
	fails(f, "POST /pools?poolid=web", 500, "pool 'web' already exists");
	fails(f, "POST /pools?poolid=ghost/x", 400, "\"poolid\":\"parent 'ghost'");
	fails(f, "POST /pools?poolid=.x", 400, "\"poolid\":");
	expect(f, "POST /pools?poolid=web/db", 200, "{\"data\":null}");
	expect(f, "PUT /pools?poolid=web&vms=100,200&storage=nas", 200, "{\"data\":null}");
	fails(f, "PUT /pools?poolid=web&vms=100", 400,
	      "\"vms\":\"VM 100 belongs to pool 'web' already\"");
	fails(f, "PUT /pools?poolid=web/db&vms=100", 400, "allow-move");
	fails(f, "PUT /pools?poolid=web&vms=300", 400, "\"vms\":\"VM '300' does not exist\"");
	fails(f, "PUT /pools?poolid=web&storage=x1", 400,
	      "\"storage\":\"storage 'x1' does not exist\"");
	fails(f, "PUT /pools?poolid=ghost&comment=x", 500, "pool 'ghost' does not exist");
	EXPECT_HAS(f, "GET /pools?poolid=web", "\"poolid\":\"web\",\"comment\":\"both\"",
		   "\"id\":\"lxc/100\"", "\"id\":\"qemu/200\"", "\"id\":\"storage/n1/nas\"");
	EXPECT_HAS(f, "GET /pools/web?type=lxc", "\"id\":\"lxc/100\"", "!qemu", "!storage");
	fails(f, "GET /pools?type=lxc", 400, "\"poolid\":\"missing property - 'type'");
	expect(f, "PUT /pools/web?vms=100&storage=nas&delete=1&comment=", 200, "{\"data\":null}");
	fails(f, "PUT /pools/web?vms=100&delete=1", 400, "'100' is not a member of pool 'web'");
	expect(f, "PUT /pools?poolid=web/db&vms=200&allow-move=1", 200, "{\"data\":null}");
	expect(f, "GET /pools/web", 200, "{\"data\":{\"members\":[]}}");
	fails(f, "DELETE /pools/web", 500, "contains other pools");
	fails(f, "DELETE /pools?poolid=web/db", 500, "is not empty");
	expect(f, "PUT /pools?poolid=web/db&vms=200&delete=1", 200, "{\"data\":null}");
	expect(f, "DELETE /pools?poolid=web/db", 200, "{\"data\":null}");
	expect(f, "DELETE /pools/web", 200, "{\"data\":null}");
	EXPECT_HAS(f, "GET /pools", "!\"web\"", "\"poolid\":\"mine\"");
}

static void shows_in_resources(void **state)
{
	struct fixture *f = *state;

	EXPECT_HAS(f, "GET /cluster/resources?type=vm", "!\"pool\":");
	expect(f, "PUT /pools/mine?vms=100", 200, "{\"data\":null}");
	EXPECT_HAS(f, "GET /cluster/resources", "\"id\":\"lxc/100\"", "\"pool\":\"mine\"",
		   "{\"id\":\"/pool/all\",\"type\":\"pool\",\"pool\":\"all\"}");
	uint64_t encoded = api_resources_encoded();
	fixture_put(f, "/user.cfg", USERS "acl:/vms:user:joe@pve:PVEAuditor:1\n");
	EXPECT_HAS(f, "GET /cluster/resources?type=vm", "!\"pool\":");
	fixture_put(f, "/user.cfg", USERS);
	EXPECT_HAS(f, "GET /cluster/resources?type=vm", "!\"pool\":");
	assert_int_equal(api_resources_encoded() - encoded, 2); /* when 100 left the pool */
}

static void gives_rights(void **state)
{
	struct fixture *f = *state;

	fixture_login(f, "joe@pve");
	fails(f, "GET /nodes/n1/lxc/100/config", 403, "VM.Audit");
	EXPECT_HAS(f, "GET /pools", "\"mine\"", "!\"all\"");
	fails(f, "GET /pools/all", 403, "(/pool/all, Pool.Audit)");
	fails(f, "PUT /pools/mine?vms=100", 403, "(/vms/100, Permissions.Modify)");
	fails(f, "POST /pools?poolid=own", 403, "(/pool/own, Pool.Allocate)");
	fixture_login(f, NULL);
	expect(f, "PUT /pools/mine?vms=100", 200, "{\"data\":null}");
	fixture_login(f, "joe@pve");
	EXPECT_HAS(f, "GET /nodes/n1/lxc/100/config", "\"hostname\":\"web\"");
	EXPECT_HAS(f, "GET /access/permissions", "\"/vms/100\":{", "\"/storage/local\":{");
	EXPECT_HAS(f, "GET /cluster/resources", "\"lxc/100\"", "!qemu/200", "!storage/n1/nas");
	fixture_login(f,
		      "sam@pve"); /* sees the pool, and no more of its members than who they are */
	EXPECT_HAS(f, "GET /pools/mine",
		   "{\"id\":\"lxc/100\",\"type\":\"lxc\",\"node\":\"n1\",\"vmid\":100}");
}

static void takes_new_guests(void **state)
{
	struct fixture *f = *state;

	fails(f, CREATE "&vmid=101&pool=ghost", 400, "\"pool\":\"pool 'ghost' does not exist\"");
	fixture_login(f, "joe@pve");
	fails(f, CREATE "&vmid=101", 403, "(/vms/101, VM.Allocate)");
	fails(f, CREATE "&vmid=101&pool=all", 403, "(/vms/101, VM.Allocate)");
	EXPECT_HAS(f, CREATE "&vmid=101&memory=64&pool=mine", "UPID:n1:");
	EXPECT_HAS(f, "GET /pools/mine", "\"id\":\"lxc/101\"");
	EXPECT_HAS(f, "GET /nodes/n1/lxc/101/config", "\"memory\":64");
	fails(f, CREATE "&vmid=102&pool=mine&unprivileged=0", 403, "(/, Sys.Modify)");
	fixture_login(f, "sam@pve");
	fails(f, CREATE "&vmid=102&pool=mine", 403, "(/vms/102, VM.Allocate)");
	fixture_login(f, NULL);
	EXPECT_HAS(f, "GET /pools/mine", "!lxc/102");
}

static void denies_what_is_denied(void **state)
{
	struct fixture *f = *state;

	fixture_put(f, "/user.cfg", USERS "acl:/vms:user:joe@pve:NoAccess:1\n");
	fixture_login(f, "joe@pve");
	fails(f, CREATE "&vmid=101&pool=mine", 403, "(/vms/101, VM.Allocate)");
}

/* What a pool gives to anybody is what the caller may give on the member. */
static void takes_members_from_who_may_give(void **state)
{
	struct fixture *f = *state;

	fixture_put(f, "/user.cfg",
		    USERS "pool:yard:::\nacl:/pool/yard:user:joe@pve:PVEPoolAdmin:1\n"
			  "acl:/vms/100:user:joe@pve:PVEVMAdmin:1\n"
			  "acl:/pool/yard:user:sam@pve:PVEVMUser:1\n");
	fixture_login(f, "joe@pve");
	expect(f, "PUT /pools?poolid=yard&vms=100", 403,
	       "{\"data\":null,\"message\":\"Permission check failed (/vms/100, Pool.Allocate, "
	       "Pool.Audit)\\n\"}");
	fixture_put(f, "/user.cfg",
		    USERS "pool:yard:::\nacl:/pool/yard:user:sam@pve:PVEVMUser:1\n"
			  "acl:/vms/100:user:joe@pve:PVEVMAdmin:1\n"
			  "acl:/pool:user:joe@pve:PVEPoolAdmin:0\n");
	fails(f, "PUT /pools?poolid=yard&vms=100", 403, "(/pool/yard, Pool.Allocate)");
}

static void forgets_storages_that_are_gone(void **state)
{
	struct fixture *f = *state;

	fixture_put(f, "/user.cfg", USERS "acl:/storage/local:user:joe@pve:PVEAuditor:1\n");
	EXPECT_HAS(f, "GET /pools/mine", "\"storage\":\"local\"");
	fixture_login(f, "sam@pve"); /* who may not see how full it is */
	EXPECT_HAS(f, "GET /pools/mine", "\"storage\":\"local\"", "!maxdisk");
	fixture_login(f, NULL);
	expect(f, "DELETE /storage/local", 200, "{\"data\":null}");
	fixture_put(f, "/storage.cfg", STORAGES);
	EXPECT_HAS(f, "GET /pools/mine", "!local");
	EXPECT_HAS(f, "GET /access/acl", "!/storage/local");
	expect(f, "DELETE /storage/nas", 200, "{\"data\":null}"); /* one that nothing names */
	fails(f, "DELETE /storage/nas", 500, "does not exist");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_edited, start, stop),
		cmocka_unit_test_setup_teardown(shows_in_resources, start, stop),
		cmocka_unit_test_setup_teardown(gives_rights, start, stop),
		cmocka_unit_test_setup_teardown(takes_new_guests, start, stop),
		cmocka_unit_test_setup_teardown(denies_what_is_denied, start, stop),
		cmocka_unit_test_setup_teardown(takes_members_from_who_may_give, start, stop),
		cmocka_unit_test_setup_teardown(forgets_storages_that_are_gone, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
