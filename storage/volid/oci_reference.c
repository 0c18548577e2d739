/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of container images in registries. Pure. */
#include "storage/volid/oci_reference.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define LOWER	"abcdefghijklmnopqrstuvwxyz"
#define UPPER	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"
#define TAG_MAX 128

static bool is_among(char c, const char *set)
{
	return c && strchr(set, c);
}

/* Letters and digits, and between them "." , "_", "__" or dashes. */
static bool is_component(const char *text, size_t size)
{
	for (size_t i = 0; i < size;) {
		size_t start = i;
		if (!is_among(text[i], LOWER DIGITS))
			return false;
		while (i < size && is_among(text[i], LOWER DIGITS))
			i++;
		if (i == size)
			return true;
		for (start = i; i < size && text[i] == '-';)
			i++;
		if (i == start && is_among(text[i], "._"))
			i += text[i] == '_' && i + 1 < size && text[i + 1] == '_' ? 2 : 1;
		if (i == start)
			return false;
	}
	return false;
}

static bool is_label(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!is_among(text[i], LOWER UPPER DIGITS) &&
		    (text[i] != '-' || i == 0 || i + 1 == size))
			return false;
	return size > 0;
}

/* "host.example:5000" */
static bool is_host(const char *text, size_t size)
{
	const char *end = text + size, *colon = memchr(text, ':', size);
	if (colon && (colon + 1 == end || strspn(colon + 1, DIGITS) < (size_t)(end - colon - 1)))
		return false;
	end = colon ? colon : end;
	for (;;) {
		const char *dot = memchr(text, '.', (size_t)(end - text));
		if (!is_label(text, (size_t)((dot ? dot : end) - text)))
			return false;
		if (!dot)
			return true;
		text = dot + 1;
	}
}

static bool is_path(const char *text, const char *end)
{
	for (;;) {
		const char *slash = memchr(text, '/', (size_t)(end - text));
		if (!is_component(text, (size_t)((slash ? slash : end) - text)))
			return false;
		if (!slash)
			return true;
		text = slash + 1;
	}
}

static bool is_tag(const char *text)
{
	size_t size = strlen(text);
	return size > 0 && size <= TAG_MAX && is_among(*text, LOWER UPPER DIGITS "_") &&
	       strspn(text, LOWER UPPER DIGITS "_.-") == size;
}

/* The colon of the tag: the one of a port has a slash behind it. */
static const char *find_tag(const char *text)
{
	const char *colon = strrchr(text, ':');
	return colon && !strchr(colon, '/') ? colon : NULL;
}

int oci_reference_check(const char *text, bool has_tag, struct err *err)
{
	const char *tag = find_tag(text), *end = tag ? tag : text + strlen(text);
	const char *slash = memchr(text, '/', (size_t)(end - text));
	if (strlen(text) > OCI_REFERENCE_MAX)
		return err_field(err, "reference", "is longer than %d characters",
				 OCI_REFERENCE_MAX);
	if (has_tag != (tag != NULL) || (tag && !is_tag(tag + 1)))
		return err_field(err, "reference", "%s",
				 has_tag ? "a tag is expected behind a colon"
					 : "a tag is not expected");
	if (is_path(text, end) ||
	    (slash && is_host(text, (size_t)(slash - text)) && is_path(slash + 1, end)))
		return 0;
	return err_field(err, "reference", "'%.100s' is no name of an image: [HOST[:PORT]/]NAME",
			 text);
}

char *oci_reference_file(const char *text)
{
	const char *tag = find_tag(text);
	const char *slash = strrchr(text, '/');
	const char *name = slash ? slash + 1 : text;
	return xasprintf("%.*s_%s.tar", (int)(tag - name), name, tag + 1);
}
