/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds a fuzz harness the files given as arguments, and those in the folders given: the corpus as
 * an ordinary test. No input at all is a failure, so that a lost corpus is noticed. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define INPUT_MAX (16u * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	autobuf input = BUF_INIT;
	struct err err = ERR_INIT;
	autofree uint8_t *exact = NULL;

	if (file_read(path, INPUT_MAX, &input, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		return -1;
	}
	/* a copy of exactly that size, so that reading past its end is seen by the sanitizers */
	exact = xmemdup(input.data, input.size);
	LLVMFuzzerTestOneInput(exact, input.size);
	return 1;
}

static int is_visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int replay_folder(const char *path)
{
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, is_visible, alphasort), count = 0;

	for (int i = 0; i < n; i++) {
		autofree char *file = xasprintf("%s/%s", path, entries[i]->d_name);

		if (count >= 0)
			count = replay_file(file) < 0 ? -1 : count + 1;
		free(entries[i]);
	}
	free(entries);
	return n < 0 ? -1 : count;
}

static int replay(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		perror(path);
		return -1;
	}
	return S_ISDIR(st.st_mode) ? replay_folder(path) : replay_file(path);
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int n = replay(argv[i]);

		if (n < 0)
			return 1;
		total += n;
	}
	printf("%d inputs\n", total);
	return total > 0 ? 0 : 1;
}
