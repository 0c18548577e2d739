/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Definitions of storages: made, changed, removed; what is refused changes nothing. The helper that tries a
 * new storage is a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "api_test.h"

static struct fixture f;

static const char user_cfg[] = "user:bob@pve:1:0::::\nacl:/storage/local:user:bob@pve:"
			       "PVEDatastoreAdmin:1\n";
static const char before[] = "dir: local\n\tpath /srv/local\n\tcontent iso,images\n\n";

static const char helper[] =
	"#!/bin/sh\n"
	"tr -cd 'a-z:/.-' <&0 | grep -q '/srv/broken' && { echo '1 path it is broken'; exit 1; }\n"
	"echo '{\"active\":1,\"total\":100,\"used\":25,\"avail\":75}'\n";

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&f);
	fixture_script(&f, "lodge-task", helper);
	fixture_start(&f);
	fixture_put(&f, "/user.cfg", user_cfg);
	fixture_put(&f, "/storage.cfg", before);
	fixture_login(&f, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static void expect_cfg(const char *text)
{
	struct store_value value;
	assert_true(store_get(f.core.store, "/storage.cfg", &value));
	assert_string_equal(value.data, text);
}

static void test_create(void **state)
{
	(void)state;
	expect(&f,
	       "POST /storage?storage=big&type=btrfs&path=/srv/big&content=images,rootdir&nocow=1",
	       200, "{\"data\":{\"storage\":\"big\",\"type\":\"btrfs\"}}");
	expect(&f, "POST /storage?storage=far&type=dir&path=/srv/broken&nodes=n9&disable=0", 200,
	       "{\"data\":{\"storage\":\"far\",\"type\":\"dir\"}}"); /* not tried here */
	EXPECT_HAS(&f, "GET /storage/big", "\"nocow\":1", "\"path\":\"/srv/big\"");
	EXPECT_HAS(&f, "GET /storage/far", "\"content\":\"images,rootdir\"", "\"disable\":0");
	EXPECT_HAS(&f, "GET /nodes/n1/storage", "\"storage\":\"big\"", "!\"far\"");
}

static void test_create_refused(void **state)
{
	static const struct {
		const char *call;
		int status;
		const char *said;
	} cases[] = {
		{"storage=local&type=dir&path=/srv/b", 500, "storage ID 'local' already defined"},
		{"storage=s1&type=nfs&server=h&export=/x", 400,
		 "storage type 'nfs' is not supported by this version"},
		{"storage=s1&type=dir", 400, "\"path\":\"property is missing"},
		{"storage=s1&type=dir&path=srv", 400, "\"path\":"},
		{"storage=s1&type=dir&path=/", 400, "\"path\":\"the root"},
		{"storage=s1&type=dir&path=/srv/../etc", 400, "\"path\":"},
		{"storage=s1&type=dir&path=/srv//b", 400, "\"path\":"},
		{"storage=s1&type=dir&path=/srv/b/", 400, "\"path\":"},
		{"storage=s1&type=dir&path=/etc/b", 400, "belongs to the system"},
		{"storage=s1&type=dir&path=/srv", 400, "within each other"},
		{"storage=s1&type=dir&path=/srv/local", 400, "within each other"},
		{"storage=s1&type=dir&path=/srv/local/b", 400, "within each other"},
		{"storage=s1&type=dir&path=/srv/broken", 400, "it is broken"},
		{"storage=s1&type=dir&path=/srv/b&content=movies", 400, "\"content\":"},
		{"storage=s1&type=dir&path=/srv/b&content=none,iso", 400, "\"content\":"},
		{"storage=s1&type=dir&path=/srv/b&nocow=1", 400, "\"nocow\":"},
		{"storage=s1&type=dir&path=/srv/b&server=h", 400, "\"server\":"},
		{"storage=s1&type=dir&path=/srv/b&shared=maybe", 400, "\"shared\":"},
		{"storage=s1&type=dir&path=/srv/b&nodes=a%20b!", 400, "\"nodes\":"},
		{"storage=s1&type=dir&path=/srv/b&prune-backups=keep-last=x", 400,
		 "\"prune-backups\":"},
		{"storage=s1&type=dir&path=/srv/b&prune-backups=keep-all=1,keep-last=2", 400,
		 "\"prune-backups\":"},
		{"storage=s1&type=dir&path=/srv/b&preallocation=some", 400, "\"preallocation\":"},
		{"storage=s1&type=dir&path=/srv/b&is_mountpoint=perhaps", 400,
		 "\"is_mountpoint\":"},
		{"storage=s1&type=dir&path=/srv/b&format=subvol", 400, "\"format\":"},
		{"storage=s1&type=dir&path=/srv/b&max-protected-backups=-2", 400,
		 "\"max-protected-backups\":"},
		{"storage=s1&type=dir&path=/srv/b&content-dirs=iso=../x", 400, "\"content-dirs\":"},
		{"storage=s1&type=dir&path=/srv/b&snapshot-as-volume-chain=1", 400,
		 "\"snapshot-as-volume-chain\":"},
		{"storage=s1&type=dir&path=/srv/b&bwlimit=move=-1", 400, "\"bwlimit\":"},
		{"storage=1s&type=dir&path=/srv/b", 400, "\"storage\":"},
		{"storage=s1&type=floppy&path=/srv/b", 400, "\"type\":"},
		{"storage=s1&type=dir&path=/srv/b&colour=red", 400, "\"colour\":"},
		{"type=dir&path=/srv/b", 400, "\"storage\":"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *call = xasprintf("POST /storage?%s", cases[i].call);
		int status = fixture_call(&f, call);
		const char *body = buf_str(&f.last.body);
		if (status != cases[i].status || !strstr(body, cases[i].said))
			fail_msg("%s: %d %s", cases[i].call, status, body);
		expect_cfg(before);
	}
}

static void test_update(void **state)
{
	(void)state;
	expect(&f, "PUT /storage/local?content=iso,vztmpl&nodes=n1,n2&prune-backups=keep-last=3",
	       200, "{\"data\":{\"storage\":\"local\",\"type\":\"dir\"}}");
	EXPECT_HAS(&f, "GET /storage/local", "\"content\":\"iso,vztmpl\"", "\"nodes\":\"n1,n2\"",
		   "\"prune-backups\":\"keep-last=3\"");
	assert_int_equal(
		fixture_call(&f, "PUT /storage/local?delete=nodes,prune-backups&disable=1"), 200);
	expect_cfg("dir: local\n\tpath /srv/local\n\tcontent iso,vztmpl\n\tdisable 1\n\n");
}

static void test_update_refused(void **state)
{
	static const struct {
		const char *call;
		int status;
		const char *said;
	} cases[] = {
		{"local?digest=0000000000000000000000000000000000000000&disable=1", 500,
		 "detected modified configuration"},
		{"local?path=/srv/other", 400, "\"path\":"},
		{"local?type=btrfs", 400, "\"type\":"},
		{"local?delete=path", 400, "\"delete\":"},
		{"local?delete=nothing", 400, "\"delete\":"},
		{"local?delete=content&content=iso", 400, "\"delete\":"},
		{"local?nocow=1", 400, "\"nocow\":"},
		{"local?content=movies", 400, "\"content\":"},
		{"local?disable=2", 400, "\"disable\":"},
		{"none?disable=1", 500, "storage 'none' does not exist"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *call = xasprintf("PUT /storage/%s", cases[i].call);
		int status = fixture_call(&f, call);
		const char *body = buf_str(&f.last.body);
		if (status != cases[i].status || !strstr(body, cases[i].said))
			fail_msg("%s: %d %s", cases[i].call, status, body);
		expect_cfg(before);
	}
}

static void test_delete(void **state)
{
	(void)state;
	assert_int_equal(fixture_call(&f, "DELETE /storage/none"), 500);
	expect_cfg(before);
	expect(&f, "DELETE /storage/local", 200, "{\"data\":null}");
	expect_cfg("");
	EXPECT_HAS(&f, "GET /storage", "!local");
}

static void test_rights(void **state)
{
	(void)state;
	fixture_login(&f, "bob@pve");
	assert_int_equal(fixture_call(&f, "POST /storage?storage=s1&type=dir&path=/srv/b"), 403);
	assert_int_equal(fixture_call(&f, "PUT /storage/local?disable=1"), 403);
	assert_int_equal(fixture_call(&f, "DELETE /storage/local"), 403);
	expect_cfg(before);
}

/* Whoever may define storages cannot so get at what is root's: keys, crontabs, homes. */
static void test_places(void **state)
{
	static const struct {
		const char *call;
		bool is_allowed;
	} cases[] = {
		{"path=/root", false},
		{"path=/root/.ssh", false},
		{"path=/root&content=snippets&content-dirs=snippets=.ssh", false},
		{"path=/home/eve", false},
		{"path=/var/spool/cron", false},
		{"path=/var", false},
		{"path=/opt/x", false},
		{"path=/srv/b", true},
		{"path=/mnt/b&content-dirs=iso=all/iso", true},
		{"path=/tank", true},
		{"path=/rootless", true},
		{"path=/var/lib/vz", true},
	};
	(void)state;
	fixture_put(&f, "/user.cfg", "user:eve@pve:1:0::::\nacl:/:user:eve@pve:Administrator:1\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *call =
			xasprintf("POST /storage?storage=s1&type=dir&%s", cases[i].call);
		fixture_put(&f, "/storage.cfg", before);
		fixture_login(&f, "eve@pve");
		int status = fixture_call(&f, call);
		if (status != (cases[i].is_allowed ? 200 : 403))
			fail_msg("%s: %d %s", call, status, buf_str(&f.last.body));
		if (status == 200)
			continue;
		if (!strstr(buf_str(&f.last.body), "only root@pam can put"))
			fail_msg("%s: %s", call, buf_str(&f.last.body));
		expect_cfg(before);
		fixture_login(&f, NULL);
		assert_int_equal(fixture_call(&f, call), 200);
	}
}

/* Of a storage that root put there others change the rest, not the folders. */
static void test_folders_of_roots(void **state)
{
	(void)state;
	fixture_put(&f, "/storage.cfg", "dir: hers\n\tpath /root/isos\n\tcontent iso,snippets\n\n");
	fixture_put(&f, "/user.cfg", "user:eve@pve:1:0::::\nacl:/:user:eve@pve:Administrator:1\n");
	fixture_login(&f, "eve@pve");
	if (fixture_call(&f, "PUT /storage/hers?content-dirs=snippets=x") != 403)
		fail_msg("%s", buf_str(&f.last.body));
	assert_int_equal(fixture_call(&f, "PUT /storage/hers?disable=1"), 200);
	fixture_login(&f, NULL);
	assert_int_equal(fixture_call(&f, "PUT /storage/hers?content-dirs=snippets=x"), 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_create),	   TEST(test_create_refused),	TEST(test_update),
		TEST(test_update_refused), TEST(test_delete),		TEST(test_rights),
		TEST(test_places),	   TEST(test_folders_of_roots),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
