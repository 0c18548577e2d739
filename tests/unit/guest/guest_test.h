/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the guest tests: configurations from text and back. Include after cmocka.h. */
#pragma once

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/config.h"

static inline void config_from(const char *text, struct guest_config *ret)
{
	struct err err = ERR_INIT;

	if (guest_config_parse(text, strlen(text), ret, &err) < 0)
		fail_msg("%s: %s", text, err.message);
}

static inline void assert_config(const char *name, const struct guest_config *config,
				 const char *expected)
{
	autobuf out = BUF_INIT;

	guest_config_format(config, &out);
	if (!str_eq(buf_str(&out), expected))
		fail_msg("%s: got\n%s\nexpected\n%s", name, buf_str(&out), expected);
}

/* "key=value|key=value" */
static inline void fields_from(const char *text, struct fields *ret)
{
	autostrv char **pairs = str_split(text, "|");

	for (size_t i = 0; pairs[i]; i++) {
		char *equals = strchr(pairs[i], '=');

		*equals = '\0';
		fields_add(ret, pairs[i], equals + 1);
	}
}
