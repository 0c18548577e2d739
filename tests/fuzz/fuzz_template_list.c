/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of templates: what is taken reads back the same, and every entry has what it needs. The same bytes as a list of
 * checksums: what is found is one. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "storage/catalog/catalog.h"
#include "storage/volid/volid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_entry(const struct catalog_entry *entry)
{
	const char *kind;
	autofree char *rest = NULL;
	if (!catalog_entry_is_for(entry, "amd64"))
		return;
	autofree char *file = catalog_entry_text(entry, "file", "amd64");
	if (volume_file_check(VOLUME_VZTMPL, file, NULL) < 0)
		abort();
	if (catalog_entry_get(entry, "url") &&
	    catalog_entry_sum(entry, "amd64", &kind, &rest, NULL) < 0)
		abort();
}

static void check_sums(const char *text, size_t size)
{
	char sum[129];
	if (catalog_sum_find(text, size, "sha256", "a.tar.gz", sum, NULL) == 0 &&
	    (strlen(sum) != 64 || strspn(sum, "0123456789abcdef") != 64))
		abort();
	if (catalog_sum_find(text, size, "sha512", "a.tar.gz", sum, NULL) == 0 &&
	    (strlen(sum) != 128 || strspn(sum, "0123456789abcdef") != 128))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autocatalog catalog = CATALOG_INIT, again = CATALOG_INIT;
	autobuf one = BUF_INIT, two = BUF_INIT;
	check_sums((const char *)data, size);
	if (catalog_add(&catalog, (const char *)data, size, NULL) < 0)
		return 0;
	for (size_t i = 0; i < catalog.count; i++)
		check_entry(&catalog.items[i]);
	catalog_format(&catalog, &one);
	if (one.size > CATALOG_TEXT_MAX)
		return 0;
	if (catalog_add(&again, buf_str(&one), one.size, NULL) < 0)
		abort();
	catalog_format(&again, &two);
	if (strcmp(buf_str(&one), buf_str(&two)) != 0)
		abort();
	return 0;
}
