/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The texts of container images: digests that are taken are file names of ours, commands and environment are what a
 * configuration may hold. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "storage/template/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sha(const char *sha)
{
	if (strlen(sha) != 64 || strspn(sha, "0123456789abcdef") != 64)
		abort();
}

static void check_plain(const char *text, size_t max)
{
	if (text && strlen(text) > max)
		abort();
	for (; text && *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct image_manifest manifest;
	autofields config = FIELDS_INIT;
	struct image_blob blob;
	bool is_index;
	const char *text = (const char *)data;
	if (image_index_parse(text, size, "amd64", &blob, &is_index, NULL) == 0)
		check_sha(blob.sha);
	if (image_manifest_parse(text, size, &manifest, NULL) == 0) {
		check_sha(manifest.config.sha);
		for (size_t i = 0; i < manifest.count; i++)
			check_sha(manifest.layers[i].sha);
	}
	if (image_config_parse(text, size, &config, NULL) == 0) {
		check_plain(fields_get(&config, "entrypoint"), 4096);
		check_plain(fields_get(&config, "env"), 65536);
		if (fields_get(&config, "cwd"))
			abort();
	}
	return 0;
}
