/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks behind the named formats, one table a file; joined by param_format.c. Not for others. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct param_format {
	const char *name; /* as in the API contract; NULL ends a table */
	bool (*is_valid)(const char *value); /* value is not empty and is UTF-8 */
};

extern const struct param_format param_formats_name[];	/* ids and names */
extern const struct param_format param_formats_net[];	/* addresses and network names */
extern const struct param_format param_formats_value[]; /* sizes, paths, small languages */

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"
#define ALNUM LOWER UPPER DIGIT

/* min to max bytes, all of them in set */
bool format_has_only(const char *s, const char *set, size_t min, size_t max);
/* "left<separator>right" with both parts valid; without the separator left alone is enough if
 * may_be_single */
bool format_is_pair(const char *s, char separator, bool may_be_single,
		    bool (*is_left)(const char *), bool (*is_right)(const char *));
bool format_is_node(const char *s);
bool format_is_storage_id(const char *s);
bool format_is_dns_name(const char *s);
bool format_is_content(const char *s);
