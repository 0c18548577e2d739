/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Storages and volumes: definitions, helpers' answers, rights on volumes, and what is refused
 * before any job starts. The helper program is a script that shows what it was asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "api_test.h"

static struct fixture f;

static const char user_cfg[] = "user:bob@pve:1:0::::\nuser:eve@pve:1:0::::\nuser:sam@pve:1:0::::\n"
			       "acl:/storage/local:user:sam@pve:PVEDatastoreAdmin:1\n"
			       "acl:/vms/106:user:sam@pve:PVEVMAdmin:1\n"
			       "acl:/storage/local:user:bob@pve:PVEDatastoreUser:1\n"
			       "acl:/vms/101:user:bob@pve:PVEVMAdmin:1\n";

static const char helper[] =
	"#!/bin/sh\n"
	"case \"$2\" in\n"
	"storage-content) echo '[{\"volid\":\"local:iso/a.iso\",\"content\":\"iso\"},"
	"{\"volid\":\"local:101/vm-101-disk-0.raw\",\"content\":\"rootdir\",\"vmid\":101},"
	"{\"volid\":\"local:102/vm-102-disk-0.raw\",\"content\":\"rootdir\",\"vmid\":102}]' ;;\n"
	"storage-info) tr -cd 'a-z:/.-' | grep -q 'storage-type.*local:iso/a.iso' &&"
	" echo '{\"path\":\"/x/a.iso\",\"size\":1}' ||"
	" { echo '4 - no such volume'; exit 1; } ;;\n"
	"storage-alloc) echo 'local:101/vm-101-disk-7.raw' ;;\n"
	"storage-status) echo '{\"active\":1,\"total\":100,\"used\":25,\"avail\":75}' ;;\n"
	"esac\n";

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&f);
	fixture_script(&f, "lodge-task", helper);
	fixture_start(&f);
	fixture_put(&f, "/user.cfg", user_cfg);
	fixture_put(&f, "/storage.cfg",
		    "dir: local\n\tpath /x\n\tcontent iso,rootdir,images\n\tshared 0\n\n"
		    "dir: off\n\tpath /y\n\tcontent iso\n\tdisable 1\n\n"
		    "dir: far\n\tpath /z\n\tcontent iso\n\tnodes n9\n");
	fixture_put(&f, "/nodes/n1/lxc/101.conf",
		    "hostname: a\nmemory: 16\nrootfs: local:101/vm-101-disk-0.raw,size=8G\n"
		    "unused0: local:101/vm-101-disk-1.raw\n");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static void test_definitions(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	EXPECT_HAS(&f, "GET /storage", "\"storage\":\"local\"", "\"disable\":1", "\"shared\":0",
		   "\"content\":\"iso,rootdir,images\"", "\"digest\":\"");
	EXPECT_HAS(&f, "GET /storage?type=nfs", "!local");
	EXPECT_HAS(&f, "GET /storage/far", "\"nodes\":\"n9\"");
	expect(&f, "GET /storage/none", 500,
	       "{\"data\":null,\"message\":\"storage 'none' does not exist\\n\"}");
	fixture_login(&f, "bob@pve");
	EXPECT_HAS(&f, "GET /storage", "\"storage\":\"local\"", "!\"far\"");
	assert_int_equal(fixture_call(&f, "GET /storage/local"), 403);
}

static void test_lists(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	EXPECT_HAS(&f, "GET /nodes/n1/storage", "\"storage\":\"local\"",
		   "\"active\":1,\"shared\":0,\"total\":100,\"used\":25,\"avail\":75,"
		   "\"used_fraction\":0.25}",
		   "\"storage\":\"off\",\"type\":\"dir\",\"content\":\"iso\",\"enabled\":0",
		   "!\"far\"");
	EXPECT_HAS(&f, "GET /nodes/n1/storage?enabled=1", "\"local\"", "!\"off\"");
	EXPECT_HAS(&f, "GET /nodes/n1/storage?content=rootdir", "\"local\"", "!\"off\"");
	EXPECT_HAS(&f, "GET /nodes/n1/storage?format=1", "\"default\":\"raw\"");
	EXPECT_HAS(&f, "GET /nodes/n1/storage/local", "{\"subdir\":\"content\"}",
		   "{\"subdir\":\"status\"}", "{\"subdir\":\"upload\"}");
	EXPECT_HAS(&f, "GET /nodes/n1/storage/local/status", "\"type\":\"dir\"", "\"enabled\":1");
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/storage/off/status"), 500);
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/storage/far/content"), 500);
	fixture_login(&f, "eve@pve");
	expect(&f, "GET /nodes/n1/storage", 200, "{\"data\":[]}");
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/storage/local/status"), 403);
}

static void test_content(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	EXPECT_HAS(&f, "GET /nodes/n1/storage/local/content", "a.iso", "vm-101", "vm-102");
	fixture_login(&f, "bob@pve");
	expect(&f, "GET /nodes/n1/storage/local/content", 200,
	       "{\"data\":[{\"volid\":\"local:iso/a.iso\",\"content\":\"iso\"},"
	       "{\"volid\":\"local:101/"
	       "vm-101-disk-0.raw\",\"content\":\"rootdir\",\"vmid\":101}]}");
}

static void test_volume(void **state)
{
	(void)state;
	fixture_login(&f, "bob@pve");
	expect(&f, "GET /nodes/n1/storage/local/content/local:iso/a.iso", 200,
	       "{\"data\":{\"path\":\"/x/a.iso\",\"size\":1}}");
	expect(&f, "GET /nodes/n1/storage/local/content/iso/a.iso", 200,
	       "{\"data\":{\"path\":\"/x/a.iso\",\"size\":1}}");
	expect(&f, "GET /nodes/n1/storage/local/content/iso/b.iso", 500,
	       "{\"data\":null,\"message\":\"no such volume\\n\"}");
	assert_int_equal(
		fixture_call(&f, "GET /nodes/n1/storage/local/content/102/vm-102-disk-0.raw"), 403);
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/storage/local/content/iso/../../x"), 400);
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/storage/local/content/off:iso/a.iso"),
			 400);
}

static void test_delete(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	expect(&f, "DELETE /nodes/n1/storage/local/content/101/vm-101-disk-0.raw", 500,
	       "{\"data\":null,\"message\":\"volume 'local:101/vm-101-disk-0.raw' is in use by "
	       "guest "
	       "101 (rootfs)\\n\"}");
	fixture_put(
		&f, "/nodes/n1/qemu/105.conf",
		"name: c\nscsi0: local:100/base-100-disk-0.raw/105/vm-105-disk-0.qcow2,size=8G\n");
	expect(&f, "DELETE /nodes/n1/storage/local/content/105/vm-105-disk-0.qcow2", 500,
	       "{\"data\":null,\"message\":\"volume 'local:105/vm-105-disk-0.qcow2' is in use by "
	       "guest 105 (scsi0)\\n\"}");
	fixture_put(&f, "/nodes/n1/lxc/104.conf", "hostname: d\nlock: create\nmemory: 16\n");
	expect(&f, "DELETE /nodes/n1/storage/local/content/104/vm-104-disk-0.raw", 500,
	       "{\"data\":null,\"message\":\"guest 104 is locked (create)\\n\"}");
	EXPECT_HAS(&f, "DELETE /nodes/n1/storage/local/content/101/vm-101-disk-1.raw",
		   "{\"data\":\"UPID:n1:", ":imgdel:101@local:root@pam:\"}");
	EXPECT_HAS(&f, "DELETE /nodes/n1/storage/local/content/local:iso/a.iso",
		   ":imgdel:local:root@pam:\"}");
	fixture_login(&f, "bob@pve");
	assert_int_equal(fixture_call(&f, "DELETE /nodes/n1/storage/local/content/iso/a.iso"), 403);
}

/* What cannot be read may name every volume of the guest. */
static void test_delete_of_unreadable(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	fixture_put(&f, "/nodes/n1/lxc/120.conf",
		    "hostname: a\nrootfs: local:120/vm-120-disk-0.raw\nthis is no line\n");
	assert_int_equal(
		fixture_call(&f, "DELETE /nodes/n1/storage/local/content/120/vm-120-disk-0.raw"),
		500);
	assert_non_null(strstr(buf_str(&f.last.body), "cannot be read"));
}

static void test_alloc(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	expect(&f,
	       "POST /nodes/n1/storage/local/content?vmid=101&filename=vm-101-disk-7.raw&size=1G",
	       200, "{\"data\":\"local:101/vm-101-disk-7.raw\"}");
	assert_int_equal(fixture_call(&f, "POST /nodes/n1/storage/local/content?vmid=101&size=1T"),
			 400);
	assert_non_null(strstr(buf_str(&f.last.body), "\"filename\":\"property is missing"));
	assert_non_null(strstr(buf_str(&f.last.body), "\"size\":\""));
	assert_int_equal(
		fixture_call(&f, "POST /nodes/n1/storage/local/content?vmid=101&filename=x&size=0"),
		400);
}

#define COPY "POST /nodes/n1/storage/local/content/"

static void test_copy(void **state)
{
	(void)state;
	static const struct {
		const char *request, *words;
	} wrong[] = {
		{COPY "iso/a.iso", "\"target\":\"property is missing"},
		{COPY "snippets/a.sh?target=snippets/b.sh", "put there by hand"},
		{COPY "iso/a.iso?target=iso/a.iso", "is the volume itself"},
		{COPY "iso/a.iso?target=vztmpl/a.tar.gz", "cannot become 'vztmpl' content"},
		{COPY "iso/a.iso?target=101/vm-101-disk-7.raw", "cannot become 'images' content"},
		{COPY "iso/a.iso?target=iso/../b.iso", "\"target\":"},
		{COPY "iso/a.iso?target=none:iso/b.iso", "storage 'none' does not exist"},
		{COPY "iso/a.iso?target=off:iso/b.iso", "is not available on node 'n1'"},
		{COPY "iso/a.iso?target=far:iso/b.iso", "is not available on node 'n1'"},
		{COPY "103/vm-103-disk-0.raw?target=103/base-103-disk-1.raw",
		 "a copy is neither a base"},
		{COPY "103/vm-103-disk-0.raw?target=103/vm-103-copying+x.raw",
		 "volumes that are being made"},
	};
	fixture_login(&f, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(fixture_call(&f, wrong[i].request), 400);
		assert_non_null(strstr(buf_str(&f.last.body), wrong[i].words));
	}
	assert_int_equal(fixture_call(&f, COPY "iso/a.iso?target=iso/b.iso&target_node=n9"), 400);
	assert_non_null(strstr(buf_str(&f.last.body), "\"target_node\":\"feature not available"));
	EXPECT_HAS(&f, COPY "iso/a.iso?target=iso/b.iso", ":imgcopy:local:root@pam:\"}");
	EXPECT_HAS(&f, COPY "103/vm-103-disk-0.raw?target=106/vm-106-disk-1.qcow2",
		   ":imgcopy:103@local:root@pam:\"}");
	/* nothing is known of its state: that is not stopped */
	assert_int_equal(
		fixture_call(&f, COPY "101/vm-101-disk-0.raw?target=101/vm-101-disk-5.raw"), 500);
	assert_non_null(strstr(buf_str(&f.last.body), "guest 101 is"));
	fixture_login(&f, "bob@pve");
	/* who may fill both, and may do all with the guest, may not yet take its volumes elsewhere */
	assert_int_equal(
		fixture_call(&f, COPY "101/vm-101-disk-0.raw?target=101/vm-101-disk-5.raw"), 403);
	assert_non_null(strstr(buf_str(&f.last.body), "Datastore.Allocate)"));
	assert_int_equal(fixture_call(&f, COPY "iso/a.iso?target=iso/c.iso"), 403);
	assert_int_equal(
		fixture_call(&f, COPY "102/vm-102-disk-0.raw?target=101/vm-101-disk-5.raw"), 403);
	assert_int_equal(
		fixture_call(&f, COPY "101/vm-101-disk-0.raw?target=102/vm-102-disk-5.raw"), 403);
	/* nor may who has all of the storage give some to anybody's guest */
	fixture_login(&f, "sam@pve");
	assert_int_equal(
		fixture_call(&f, COPY "103/vm-103-disk-0.raw?target=102/vm-102-disk-5.raw"), 403);
	assert_non_null(strstr(buf_str(&f.last.body), "VM.Config.Disk)"));
	EXPECT_HAS(&f, COPY "103/vm-103-disk-0.raw?target=106/vm-106-disk-5.raw",
		   ":imgcopy:103@local:sam@pve:\"}");
}

/* Whoever uses a volume, whatever its name says, in a snapshot too. */
static void test_copy_of_used(void **state)
{
	static const struct {
		const char *config, *words;
	} users[] = {
		{"scsi0: local:108/vm-108-disk-0.raw,size=8G\n", "guest 107 is not stopped"},
		{"lock: backup\nscsi0: local:108/vm-108-disk-0.raw,size=8G\n",
		 "guest 107 is locked"},
		{"memory: 16\n\n[snap]\nscsi0: local:108/vm-108-disk-0.raw,size=8G\n",
		 "guest 107 is not stopped"},
	};
	static const char request[] = COPY "108/vm-108-disk-0.raw?target=109/vm-109-disk-1.raw";
	(void)state;
	fixture_login(&f, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		fixture_put(&f, "/nodes/n1/qemu/107.conf", users[i].config);
		assert_int_equal(fixture_call(&f, request), 500);
		assert_non_null(strstr(buf_str(&f.last.body), users[i].words));
	}
	fixture_put(&f, "/nodes/n1/qemu/107.conf",
		    "unused0: local:108/vm-108-disk-0.raw\nscsi0: local:107/vm-108-disk-0.raw\n");
	EXPECT_HAS(&f, request, ":imgcopy:108@local:root@pam:\"}");
	fixture_put(&f, "/nodes/n9/qemu/110.conf", "scsi0: local:108/vm-108-disk-0.raw\n");
	assert_int_equal(fixture_call(&f, request), 500);
	assert_non_null(strstr(buf_str(&f.last.body), "guest 110 of node 'n9'"));
}

static void test_upload(void **state)
{
	(void)state;
	static const char *const wrong[] = {"content=iso&filename=a.iso", /* no file came with it */
					    "content=rootdir&filename=a.iso", "filename=a.iso",
					    "content=snippets&filename=a.sh"};
	fixture_login(&f, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		autofree char *request =
			xasprintf("POST /nodes/n1/storage/local/upload?%s", wrong[i]);
		assert_int_equal(fixture_call(&f, request), 400);
	}
	struct call call;
	unsigned before = f.replies;
	fixture_fill(&f,
		     "POST /nodes/n1/storage/local/upload?content=iso&filename=C:\\d\\a(x64).iso",
		     &call);
	call.fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	call.fd_count = 1;
	assert_int_equal(conn_call(f.client, &call, fixture_on_reply, &f, NULL, NULL), 0);
	call_fini(&call);
	while (f.replies == before)
		fixture_turn(&f);
	assert_int_equal(f.last.status, 200);
	assert_non_null(strstr(buf_str(&f.last.body), ":imgcopy::root@pam:"));
}

#define DOWNLOAD "POST /nodes/n1/storage/local/download-url?content=iso&url=http://h/x&filename="

static void test_download(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	fixture_script(&f, "lodge-task-fetch", "#!/bin/sh\nexit 0\n");
	EXPECT_HAS(&f, DOWNLOAD "some/where/a(x64).iso", ":download:a_x64_.iso:root@pam:\"}");
	assert_int_equal(fixture_call(&f, DOWNLOAD "a/..iso"), 400);
	assert_int_equal(fixture_call(&f, DOWNLOAD "a.iso/"), 400);
	assert_int_equal(fixture_call(&f, DOWNLOAD "a(x64).exe"), 400);
	assert_non_null(strstr(buf_str(&f.last.body), "\"filename\":\"wrong file extension"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_definitions),  cmocka_unit_test(test_lists),
		cmocka_unit_test(test_content),	     cmocka_unit_test(test_volume),
		cmocka_unit_test(test_delete),	     cmocka_unit_test(test_delete_of_unreadable),
		cmocka_unit_test(test_alloc),	     cmocka_unit_test(test_upload),
		cmocka_unit_test(test_download),     cmocka_unit_test(test_copy),
		cmocka_unit_test(test_copy_of_used),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
