/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configurations and the domains made of them: golden/NAME.conf and NAME.xml. With
 * LODGE_GOLDEN_UPDATE=1 in the environment the XML files are written anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/guest.h"
#include "agent/guest/vm/domain.h"

static char *golden_folder(void)
{
	const char *slash = strrchr(__FILE__, '/');

	return xasprintf("%.*s/golden", (int)(slash - __FILE__), __FILE__);
}

/* As the storage "local" would have it. */
static char *path_of(const struct vm_drive *drive)
{
	if (drive->is_empty)
		return NULL;
	if (drive->is_cdrom)
		return xasprintf("/var/lib/lodge/local/template/iso/%s", drive->volume.file);
	return xasprintf("/var/lib/lodge/local/images/%u/%s", drive->volume.vmid,
			 drive->volume.file);
}

static char *base_of(const struct vm_drive *drive)
{
	struct volid base;

	return volid_base(&drive->volume, &base, NULL) < 0
		       ? NULL
		       : xasprintf("/var/lib/lodge/local/images/%s", base.name);
}

static void format(const char *text, size_t size, struct buf *out)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini))) = {0};
	struct vm_hardware hw;
	char *paths[VM_DRIVES_MAX] = {0}, *bases[VM_DRIVES_MAX] = {0};
	struct err err = ERR_INIT;

	if (guest_config_parse(text, size, &config, &err) < 0 ||
	    guest_kind_vm.check(&config, &err) < 0 || vm_hardware_read(&config, &hw, &err) < 0)
		fail_msg("%s: %s", err.field, err.message);
	for (size_t i = 0; i < hw.drive_count; i++)
		paths[i] = path_of(&hw.drives[i]), bases[i] = base_of(&hw.drives[i]);
	vm_domain_format(&(struct vm_domain){.vmid = 101,
					     .hw = &hw,
					     .paths = (const char *const *)paths,
					     .bases = (const char *const *)bases,
					     .run_dir = "/run/lodge/vm"},
			 out);
	for (size_t i = 0; i < hw.drive_count; i++)
		free(paths[i]), free(bases[i]);
	vm_hardware_fini(&hw);
}

static void compare(const char *folder, const char *name)
{
	autofree char *stem = xstrndup(name, strlen(name) - strlen(".conf"));
	autofree char *conf = xasprintf("%s/%s", folder, name);
	autofree char *xml = xasprintf("%s/%s.xml", folder, stem);
	autobuf text = BUF_INIT, expected = BUF_INIT, got = BUF_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(file_read(conf, 65536, &text, &err), 0);
	format(buf_str(&text), text.size, &got);
	if (getenv("LODGE_GOLDEN_UPDATE"))
		assert_int_equal(file_write_atomic(xml, got.data, got.size, 0644, &err), 0);
	if (file_read(xml, 1 << 20, &expected, &err) < 0)
		fail_msg("%s", err.message);
	if (!str_eq(buf_str(&got), buf_str(&expected)))
		fail_msg("%s: got\n%s", stem, buf_str(&got));
}

static void matches_golden_files(void **state)
{
	autofree char *folder = golden_folder();
	DIR *dir = opendir(folder);
	unsigned count = 0;

	(void)state;
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (!str_ends(entry->d_name, ".conf"))
			continue;
		compare(folder, entry->d_name);
		count++;
	}
	closedir(dir);
	assert_true(count >= 8);
}

/* Texts from outside never become markup. */
static void escapes_texts(void **state)
{
	static const char text[] =
		"smbios1: base64=1,product=PC9zeXNpbmZvPiI8IT4mJw==\n"; /* </sysinfo>"<!>&' */
	autobuf out = BUF_INIT;

	(void)state;
	format(text, strlen(text), &out);
	assert_non_null(strstr(buf_str(&out), "&lt;/sysinfo&gt;\"&lt;!&gt;&amp;'</entry>"));
}

/* A drive that comes or goes leaves the others where they are. */
static void places_do_not_move(void **state)
{
	static const char *const configs[] = {
		"scsihw: virtio-scsi-pci\nscsi3: local:101/vm-101-disk-3.raw\n",
		"scsihw: virtio-scsi-pci\nscsi0: local:101/vm-101-disk-0.raw\n"
		"scsi3: local:101/vm-101-disk-3.raw\nvirtio0: local:101/vm-101-disk-1.raw\n"
		"net0: virtio=BC:24:11:00:00:01,bridge=vmbr0\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		autobuf out = BUF_INIT;

		format(configs[i], strlen(configs[i]), &out);
		const char *disk = strstr(buf_str(&out), "vm-101-disk-3.raw");

		assert_non_null(disk);
		const char *place = strstr(disk, "<address ");

		assert_non_null(place);
		assert_true(str_starts(place, "<address type=\"drive\" controller=\"0\" bus=\"0\" "
					      "target=\"0\" unit=\"3\"/>"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_golden_files),
		cmocka_unit_test(escapes_texts),
		cmocka_unit_test(places_do_not_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
