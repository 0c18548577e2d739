/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /user.cfg: what parses has a text that parses to the same again; the same for files of secrets.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/auth/acl.h"
#include "agent/auth/secrets.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void secrets(const char *text, size_t size)
{
	struct secrets *s = NULL;
	autobuf out = BUF_INIT;

	if (secrets_parse(text, size, &s, NULL) < 0)
		return;
	secrets_format(s, &out);
	if (out.size != size)
		abort();
	secrets_free(s);
}

static void path(const char *text, size_t size)
{
	autofree char *given = xstrndup(text, size);
	autofree char *normal = acl_path_normalize(given);
	autofree char *again = normal ? acl_path_normalize(normal) : NULL;

	if (normal && (!str_eq(normal, again) || !acl_path_is_valid(normal)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	autousercfg *cfg = NULL;
	autousercfg *again = NULL;
	autobuf first = BUF_INIT;
	autobuf second = BUF_INIT;

	secrets(text, size);
	path(text, size);
	if (usercfg_parse(text, size, &cfg, NULL) < 0)
		return 0;
	usercfg_format(cfg, &first);
	if (usercfg_parse(buf_str(&first), first.size, &again, NULL) < 0)
		abort();
	usercfg_format(again, &second);
	if (first.size != second.size || memcmp(first.data, second.data, first.size) != 0)
		abort();
	return 0;
}
