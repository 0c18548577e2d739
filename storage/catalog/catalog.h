/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of container templates: what can be made or downloaded, as text. Sections "[name]" with indented or plain
 * "key = value" lines; "#" begins a comment line. A later section of the same name takes the place of an earlier one,
 * and "disable = 1" takes it away. Pure.
 *
 * keys of every entry: file (name of the template), os, version, headline, description, section ("system"),
 * architectures (words: "amd64 arm64"; none: all)
 * made on the node: make ("busybox", "debian SUITE", "ubuntu SUITE"), mirror (URL), keyring (absolute path)
 * downloaded: url, and sum: "KIND HEX" or "KIND URL", where the URL is https and names a list of checksums or a single
 * one; KIND is sha256 or sha512
 * In file, url and sum "{arch}" stands for amd64, arm64…, "{machine}" for x86_64, aarch64… */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"

#define CATALOG_TEXT_MAX    (256 * 1024)
#define CATALOG_ENTRIES_MAX 512
#define CATALOG_VALUE_MAX   2048

struct catalog_entry {
	char *name;
	struct fields keys; /* checked; "{arch}" and "{machine}" are still in them */
};

struct catalog {
	struct catalog_entry *items;
	size_t count;
};

#define CATALOG_INIT ((struct catalog){0})

/* Adds the entries of one text; all or nothing. The error says the line. */
int catalog_add(struct catalog *catalog, const char *text, size_t size, struct err *err);
void catalog_fini(struct catalog *catalog);
/* As the text of a list, which reads back the same. */
void catalog_format(const struct catalog *catalog, struct buf *out);

/* For this machine ("amd64")? Entries that are disabled are for none. */
bool catalog_entry_is_for(const struct catalog_entry *entry, const char *arch);
const char *catalog_entry_get(const struct catalog_entry *entry, const char *key); /* NULL: unset */
/* The value with "{arch}" and "{machine}" filled in, heap; NULL: unset. */
char *catalog_entry_text(const struct catalog_entry *entry, const char *key, const char *arch);
/* The sum's parts: kind is static, rest (hexadecimal digits or URL) heap. An entry that is downloaded has one. */
int catalog_entry_sum(const struct catalog_entry *entry, const char *arch, const char **ret_kind,
		      char **ret_rest, struct err *err);

/* Finds the checksum of `file` in a text as sha256sum writes it ("HEX  NAME", "HEX *NAME"), as BSD's tools do
 * ("KIND (NAME) = HEX"), or, alone in the text, "HEX". */
int catalog_sum_find(const char *text, size_t size, const char *kind, const char *file,
		     char ret[129], struct err *err);
/* "x86_64" for "amd64" and so on; what is not known stays as it is. */
const char *catalog_machine(const char *arch);
const char *catalog_arch(const char *machine);

static inline void catalog_finip(struct catalog *catalog)
{
	catalog_fini(catalog);
}
#define autocatalog __attribute__((cleanup(catalog_finip))) struct catalog
