/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helper import-metadata on a temporary dir storage: .ovf, .ova, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/base/utf8.h"
#include "agent/task/import/metadata.h"
#include "storage/volid/storage_cfg.h"

static const char machine[] =
	"<Envelope><References><File id=\"f\" href=\"a-1.vmdk\"/></References>"
	"<DiskSection><Disk diskId=\"d\" fileRef=\"f\" capacity=\"1\"/></DiskSection>"
	"<VirtualSystem id=\"one\"><VirtualHardwareSection>"
	"<Item><ResourceType>4</ResourceType><VirtualQuantity>512</VirtualQuantity></Item>"
	"<Item><ResourceType>17</ResourceType><HostResource>ovf:/disk/d</HostResource></Item>"
	"<Item><ResourceType>10</ResourceType></Item>"
	"</VirtualHardwareSection></VirtualSystem></Envelope>";

static char path[64];

static int setup(void **state)
{
	(void)state;
	strcpy(path, "/tmp/lodge-import-XXXXXX");
	if (!mkdtemp(path))
		return -1;
	autofree char *folder = xasprintf("%s/import", path);
	return dir_make(folder, 0755, NULL);
}

static int teardown(void **state)
{
	(void)state;
	return dir_remove_tree(path, NULL);
}

static void put(const char *name, const char *text)
{
	autofree char *file = xasprintf("%s/import/%s", path, name);
	assert_int_equal(file_write_atomic(file, text, strlen(text), 0644, NULL), 0);
}

static void put_package(const char *name, const char *const *files)
{
	autofree char *file = xasprintf("%s/import/%s", path, name);
	autoutf8 scope = utf8_enter();
	struct archive *a = archive_write_new();
	(void)scope;
	archive_write_set_format_pax(a);
	assert_int_equal(archive_write_open_filename(a, file), ARCHIVE_OK);
	for (; *files; files++) {
		const char *data = str_ends(*files, ".ovf") ? machine : "disk";
		struct archive_entry *e = archive_entry_new();
		archive_entry_set_pathname_utf8(e, *files);
		archive_entry_set_filetype(e, AE_IFREG);
		archive_entry_set_perm(e, 0644);
		archive_entry_set_size(e, (int64_t)strlen(data));
		assert_true(archive_write_header(a, e) >= ARCHIVE_WARN);
		assert_true(archive_write_data(a, data, strlen(data)) >= 0);
		archive_entry_free(e);
	}
	archive_write_free(a);
}

static int ask(const char *volid, struct buf *out, struct err *err)
{
	autofields args = FIELDS_INIT;
	struct storage_def def = {.type = xstrdup("dir"), .id = xstrdup("local")};
	fields_add(&def.keys, "path", path);
	fields_add(&def.keys, "content", "import");
	storage_def_encode(&def, &args);
	storage_def_fini(&def);
	fields_add(&args, "volid", volid);
	buf_clear(out);
	*err = ERR_INIT;
	return helper_import_metadata(&args, out, err);
}

static void test_description(void **state)
{
	autobuf out = BUF_INIT;
	struct err err;
	(void)state;
	put("a.ovf", machine);
	assert_int_equal(ask("local:import/a.ovf", &out, &err), 0);
	assert_string_equal(
		buf_str(&out),
		"{\"type\":\"vm\",\"source\":\"esxi\",\"create-args\":{\"name\":\"one\","
		"\"memory\":512,\"ostype\":\"other\"},"
		"\"disks\":{\"scsi0\":\"local:import/a-1.vmdk\"},"
		"\"net\":{\"net0\":{\"model\":\"virtio\"}},\"warnings\":[]}");
}

static void test_package(void **state)
{
	static const char *const whole[] = {"a.ovf", "a.mf", "a-1.vmdk", NULL};
	static const char *const foreign[] = {"Gerät-ß.ovf", "読.txt", "a-1.vmdk", NULL};
	static const char *const half[] = {"a.ovf", NULL};
	static const char *const none[] = {"a-1.vmdk", NULL};
	autobuf out = BUF_INIT;
	struct err err;
	(void)state;
	put_package("a.ova", whole);
	assert_int_equal(ask("local:import/a.ova", &out, &err), 0);
	assert_non_null(strstr(buf_str(&out), "\"scsi0\":\"local:import/a.ova/a-1.vmdk\""));
	assert_non_null(strstr(buf_str(&out), "\"ova-needs-extracting\""));
	put_package("utf8.ova", foreign);
	if (ask("local:import/utf8.ova", &out, &err) < 0)
		fail_msg("%s", err.message);
	put_package("half.ova", half);
	assert_int_equal(ask("local:import/half.ova", &out, &err), -ERR_CORRUPT);
	assert_non_null(strstr(err.message, "no file 'a-1.vmdk'"));
	put_package("none.ova", none);
	assert_int_equal(ask("local:import/none.ova", &out, &err), -ERR_CORRUPT);
	put("text.ova", "no archive at all");
	assert_int_equal(ask("local:import/text.ova", &out, &err), -ERR_CORRUPT);
	put("empty.ova", "");
	assert_int_equal(ask("local:import/empty.ova", &out, &err), -ERR_CORRUPT);
	assert_int_equal(ask("local:import/absent.ova", &out, &err), -ERR_NOT_FOUND);
	autofree char *link = xasprintf("%s/import/link.ovf", path);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_true(ask("local:import/link.ovf", &out, &err) < 0);
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {IN_ROOM(test_description), IN_ROOM(test_package)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
