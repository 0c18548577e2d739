/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Template archives, unpacked into a folder of their own. Beside it lies a file that must not
 * change. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "storage/template/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_outside(const char *path)
{
	struct stat st;
	char name[128];
	snprintf(name, sizeof(name), "%s/victim", path);
	if (stat(name, &st) < 0 || st.st_size != 1 || st.st_nlink != 1 ||
	    (st.st_mode & 07777) != 0600)
		abort();
	if (stat(path, &st) < 0 || st.st_nlink > 3)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct template_limits limits = {.max_bytes = 1 << 20, .max_entries = 200};
	struct template_report report;
	char path[] = "/tmp/lodge-fuzz-XXXXXX", name[128];
	if (!mkdtemp(path))
		return 0;
	snprintf(name, sizeof(name), "%s/victim", path);
	autofd int victim = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (victim < 0 || write(victim, "x", 1) != 1)
		abort();
	snprintf(name, sizeof(name), "%s/root", path);
	if (mkdir(name, 0700) < 0)
		abort();
	autofd int root = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autofd int input = memfd_create("input", MFD_CLOEXEC);
	if (fd_write_all(input, data, size, NULL) == 0 && lseek(input, 0, SEEK_SET) == 0)
		template_unpack(input, root, &limits, NULL, NULL, &report, NULL);
	check_outside(path);
	dir_remove_tree(path, NULL);
	return 0;
}
