/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom emulators run as, by libvirtd's capabilities; and what they may read of root's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/guest/vm/emulator.h"

#define HOST(models) "<capabilities><host><cpu/>" models "</host><guest/></capabilities>"
#define DAC(label)                                                                                 \
	"<secmodel><model>dac</model><doi>0</doi><baselabel type='kvm'>" label                     \
	"</baselabel><baselabel type='qemu'>" label "</baselabel></secmodel>"
#define APPARMOR "<secmodel><model>apparmor</model><doi>0</doi></secmodel>"

static void finds_the_group(void **state)
{
	static const struct {
		const char *text;
		gid_t group; /* 0: none */
	} cases[] = {
		{HOST(APPARMOR DAC("+64055:+107")), 107},
		{HOST(DAC("+64055:+64055")), 64055},
		{HOST(DAC("+0:+0")), 0},
		{HOST(DAC("libvirt-qemu:kvm")), 0},
		{HOST(APPARMOR), 0},
		{HOST(""), 0},
		{"", 0},
		{"<capabilities>", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		gid_t group = 0;

		assert_int_equal(emulator_group(cases[i].text, &group), cases[i].group != 0);
		assert_int_equal(group, cases[i].group);
	}
}

static void only_the_group_may_read(void **state)
{
	char path[] = "/tmp/lodge-base-XXXXXX";
	autofd int fd = mkstemp(path);
	autofree char *link = xasprintf("%s.link", path);
	struct stat st;
	struct err err = ERR_INIT;

	(void)state;
	if (geteuid() != 0) {
		unlink(path);
		skip();
	}
	assert_int_equal(fchmod(fd, 0666), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(emulator_may_read(path, 64055, &err), 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0440);
		assert_int_equal(st.st_uid, 0);
		assert_int_equal(st.st_gid, 64055);
	}
	assert_int_equal(symlink(path, link), 0);
	assert_true(emulator_may_read(link, 107, &err) < 0);
	unlink(link);
	unlink(path);
	assert_int_equal(emulator_may_read(path, 107, &err), -ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_group),
		cmocka_unit_test(only_the_group_may_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
