/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Targets, forms, cookies and credentials. Pure. */
#include "agent/gate/parse.h"

#include <string.h>
#include <strings.h>

#include "agent/base/digest.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

int parse_target(const char *target, char **ret_path, const char **ret_query, struct err *err)
{
	size_t n = strcspn(target, "?");
	autobuf path = BUF_INIT;

	if (target[0] != '/')
		return err_set(err, ERR_INVALID, "the request target must be a path");
	if (!url_decode(target, n, false, &path))
		return err_set(err, ERR_INVALID, "the path has a bad percent escape");
	for (size_t i = 0; i < path.size; i++)
		if ((unsigned char)path.data[i] < 0x20 || path.data[i] == 0x7f)
			return err_set(err, ERR_INVALID, "the path has a control character");
	if (!str_is_utf8(path.data, path.size))
		return err_set(err, ERR_INVALID, "the path is not valid UTF-8");
	*ret_query = target[n] == '?' ? target + n + 1 : target + n;
	*ret_path = buf_steal(&path);
	return 0;
}

static int take_pair(const char *text, size_t size, struct fields *f, struct err *err)
{
	const char *equals = memchr(text, '=', size);
	size_t name_size = equals ? (size_t)(equals - text) : size;
	autobuf name = BUF_INIT, value = BUF_INIT;

	if (!url_decode(text, name_size, true, &name) ||
	    (equals && !url_decode(equals + 1, size - name_size - 1, true, &value)))
		return err_set(err, ERR_INVALID, "a parameter has a bad percent escape");
	if (name.size == 0 || str_eq(buf_str(&name), "_dc"))
		return 0;
	if (name.size > FIELDS_NAME_MAX)
		return err_set(err, ERR_INVALID, "the name of a parameter is too long");
	if (f->count >= FIELDS_COUNT_MAX)
		return err_set(err, ERR_INVALID, "more than %d parameters", FIELDS_COUNT_MAX);
	fields_add_n(f, buf_str(&name), value.data, value.size);
	return 0;
}

int parse_form(const char *text, size_t size, struct fields *ret, struct err *err)
{
	int r = 0;

	while (r == 0 && size > 0) {
		size_t n = 0;

		while (n < size && text[n] != '&' && text[n] != ';')
			n++;
		r = take_pair(text, n, ret, err);
		n += n < size;
		text += n;
		size -= n;
	}
	return r;
}

char *parse_cookie(const char *header, const char *name)
{
	size_t length = strlen(name);

	while (header && *header) {
		size_t n;

		header += strspn(header, "; \t");
		n = strcspn(header, ";");
		if (n > length && strncmp(header, name, length) == 0 && header[length] == '=') {
			autobuf value = BUF_INIT;

			if (!url_decode(header + length + 1, n - length - 1, false, &value))
				return NULL;
			return buf_steal(&value);
		}
		header += n;
	}
	return NULL;
}

/* the text after keyword and '=' or spaces, or NULL */
static const char *after_keyword(const char *header, const char *keyword)
{
	size_t n = strlen(keyword);

	if (strncasecmp(header, keyword, n) != 0 || !strchr("= ", header[n]) || header[n] == '\0')
		return NULL;
	header += n;
	return header + strspn(header, "= ");
}

void parse_authorization(const char *header, char **ret_ticket, char **ret_token)
{
	const char *value;

	if (!header)
		return;
	if ((value = after_keyword(header, "PVEAPIToken")))
		*ret_token = xstrdup(value);
	else if ((value = after_keyword(header, "PVEAuthCookie")))
		*ret_ticket = xstrdup(value);
}

#define HEX_DIGITS     "0123456789ABCDEF"
#define BASE64_DIGITS  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#define TIME_SIZE      8
#define SIGNATURE_SIZE 43 /* digits of 32 bytes, without the padding */

bool parse_is_ticket(const char *text)
{
	const char *at = str_after(text, "PVE:");
	size_t n = at ? strcspn(at, ":") : 0;

	if (n == 0 || !at[n] || !memchr(at, '@', n))
		return false;
	at += n + 1;
	if (strspn(at, HEX_DIGITS) != TIME_SIZE || !(at = str_after(at + TIME_SIZE, "::")))
		return false;
	n = strspn(at, BASE64_DIGITS);
	return n == SIGNATURE_SIZE && (str_eq(at + n, "") || str_eq(at + n, "="));
}

bool parse_path_is(const char *path, const char *names)
{
	for (;;) {
		size_t n = strcspn(names, "/");

		path += strspn(path, "/");
		if (n == 0)
			return *path == '\0';
		if (strcspn(path, "/") != n || memcmp(path, names, n) != 0)
			return false;
		path += n;
		names += n;
		names += *names == '/';
	}
}

enum body_type parse_content_type(const char *header)
{
	static const struct {
		const char *name;
		enum body_type type;
	} types[] = {
		{"application/x-www-form-urlencoded", BODY_TYPE_FORM},
		{"application/json", BODY_TYPE_JSON},
		{"multipart/form-data", BODY_TYPE_MULTIPART},
	};
	size_t n = header ? strcspn(header, "; \t") : 0;

	if (n == 0)
		return BODY_TYPE_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strlen(types[i].name) == n && strncasecmp(header, types[i].name, n) == 0)
			return types[i].type;
	return BODY_TYPE_OTHER;
}

/* "gzip", "gzip;q=0.5" but not "gzip;q=0" */
static bool is_gzip_wanted(const char *item, size_t size)
{
	size_t n = strcspn(item, "; \t,");
	const char *weight = memchr(item, '=', size);

	if (n != 4 || strncasecmp(item, "gzip", 4) != 0)
		return false;
	return !weight || strspn(weight + 1, "0. \t") < (size_t)(item + size - weight - 1);
}

bool parse_accepts_gzip(const char *header)
{
	while (header && *header) {
		size_t size;

		header += strspn(header, ", \t");
		size = strcspn(header, ",");
		if (is_gzip_wanted(header, size))
			return true;
		header += size;
	}
	return false;
}
