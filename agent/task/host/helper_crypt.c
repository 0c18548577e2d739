/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers "crypt-verify" and "crypt-hash". Run in a process of their own; must never put a password
 * or a hash into an error. */
#include "agent/task/host/helper_crypt.h"

#include <crypt.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define METHOD "$y$" /* yescrypt */
#define COST   5ul   /* its "j9T": some 20 ms and 16 MiB */

static int require(const struct fields *args, const char *name, const char **ret, struct err *err)
{
	const struct field *field = fields_find(args, name);

	if (!field || memchr(field->value, '\0', field->size))
		return err_field(err, name, "missing, or not a text");
	*ret = field->value;
	return 0;
}

/* NULL if the password cannot be hashed so; "*…" is libcrypt's other way to say it. Owned by data.
 */
static const char *hash(const char *password, const char *setting, struct crypt_data *data)
{
	const char *text = crypt_rn(password, setting, data, (int)sizeof(*data));

	return text && text[0] != '*' ? text : NULL;
}

static void data_free(struct crypt_data **data)
{
	explicit_bzero(*data, sizeof(**data));
	free(*data);
}

int helper_crypt_verify(const struct fields *args, struct buf *out, struct err *err)
{
	__attribute__((cleanup(data_free))) struct crypt_data *data = xcalloc(1, sizeof(*data));
	const char *password = NULL, *stored = NULL, *made;
	int r = require(args, "password", &password, err);

	if (r == 0)
		r = require(args, "hash", &stored, err);
	if (r < 0)
		return r;
	made = hash(password, stored, data);
	buf_add_str(out, made && str_eq_constant_time(made, stored) ? "true" : "false");
	return 0;
}

int helper_crypt_hash(const struct fields *args, struct buf *out, struct err *err)
{
	__attribute__((cleanup(data_free))) struct crypt_data *data = xcalloc(1, sizeof(*data));
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *password = NULL, *made;
	int r = require(args, "password", &password, err);

	if (r < 0)
		return r;
	/* without bytes of ours the salt comes from the kernel */
	if (!crypt_gensalt_rn(METHOD, COST, NULL, 0, setting, (int)sizeof(setting)))
		return err_set(err, ERR_INTERNAL, "libcrypt has no yescrypt");
	made = hash(password, setting, data);
	if (!made)
		return err_field(err, "password", "cannot be used as a password");
	buf_add_str(out, made);
	return 0;
}
