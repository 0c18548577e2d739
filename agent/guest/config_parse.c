/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the text of a guest configuration. Pure and strict: what is not understood is an error
 * that names its line, never skipped, because a half-read configuration would be written back. */
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/config.h"

enum {
	LINE_MAX_BYTES = 128 * 1024,
	KEY_MAX_BYTES = 128,
	SECTION_NAME_MAX = 64,
	KEYS_MAX = 512,	    /* of one section */
	SECTIONS_MAX = 128, /* snapshots */
};

struct parser {
	struct guest_config config;
	struct guest_section *section;
	struct buf description; /* of the current section */
	unsigned line;
};

static int line_error(const struct parser *p, const char *what, struct err *err)
{
	return err_set(err, ERR_CORRUPT, "line %u: %s", p->line, what);
}

static bool is_key_char(char c, bool is_first)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

	return letter || (!is_first && ((c >= '0' && c <= '9') || strchr("._-", c)));
}

static size_t key_length(const char *text)
{
	size_t n = 0;

	while (text[n] && is_key_char(text[n], n == 0))
		n++;
	return n;
}

static void description_end(struct parser *p)
{
	if (p->description.size > 0)
		p->section->description = buf_steal(&p->description);
	buf_clear(&p->description);
}

static int description_line(struct parser *p, const char *text, struct err *err)
{
	autobuf line = BUF_INIT;

	if (!url_decode(text, strlen(text), false, &line))
		return line_error(p, "bad percent-encoding in the description", err);
	if (line.size > 0 && !str_is_utf8(line.data, line.size))
		return line_error(p, "description is not UTF-8", err);
	buf_add(&p->description, line.data, line.size);
	buf_add_char(&p->description, '\n');
	return 0;
}

static int section_line(struct parser *p, char *text, struct err *err)
{
	size_t size = strlen(text);
	char *name = text + 1;

	if (size < 3 || text[size - 1] != ']')
		return line_error(p, "bad section header", err);
	text[size - 1] = '\0';
	const char *plain = str_after(name, "special:");

	if (size - 2 > SECTION_NAME_MAX || !str_is_ident(plain ? plain : name))
		return line_error(p, "bad section name", err);
	if (guest_config_section(&p->config, name))
		return line_error(p, "section is there twice", err);
	if (p->config.count >= SECTIONS_MAX)
		return line_error(p, "too many sections", err);
	description_end(p);
	p->section = guest_config_section_add(&p->config, name);
	return 0;
}

/* "key: value"; raw container settings may also be written "lxc.key = value". */
static int key_line(struct parser *p, char *text, struct err *err)
{
	size_t size = key_length(text);
	bool is_raw = str_starts(text, "lxc.");
	char *value = text + size;

	if (size == 0 || size > KEY_MAX_BYTES)
		return line_error(p, "expected \"key: value\"", err);
	if (is_raw)
		value += strspn(value, " ");
	if (*value != ':' && !(is_raw && *value == '='))
		return line_error(p, "expected \"key: value\"", err);
	value++;
	value += strspn(value, " ");
	text[size] = '\0';
	if (*value == '\0')
		return line_error(p, "key has no value", err);
	if (str_eq(text, "description"))
		return line_error(p, "the description belongs into '#' lines", err);
	if (!is_raw && fields_find(&p->section->keys, text))
		return line_error(p, "key is there twice", err);
	if (p->section->keys.count >= KEYS_MAX)
		return line_error(p, "too many keys", err);
	fields_add(&p->section->keys, text, value);
	return 0;
}

static int line_check(const struct parser *p, const char *text, size_t size, struct err *err)
{
	if (size > LINE_MAX_BYTES)
		return line_error(p, "line is too long", err);
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return line_error(p, "control character", err);
	}
	return str_is_utf8(text, size) ? 0 : line_error(p, "not UTF-8", err);
}

static int line_parse(struct parser *p, const char *text, size_t size, struct err *err)
{
	int r = line_check(p, text, size, err);

	if (r < 0)
		return r;
	while (size > 0 && text[0] != '#' && text[size - 1] == ' ')
		size--;
	autofree char *line = xstrndup(text, size);

	if (line[0] == '\0')
		return 0;
	if (line[0] == '#')
		return description_line(p, line + 1, err);
	if (line[0] == '[')
		return section_line(p, line, err);
	return key_line(p, line, err);
}

static int lines_parse(struct parser *p, const char *text, size_t size, struct err *err)
{
	while (size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t length = end ? (size_t)(end - text) : size;
		size_t used = length + (end != NULL);

		p->line++;
		int r = line_parse(p, text, length, err);

		if (r < 0)
			return r;
		text += used;
		size -= used;
	}
	description_end(p);
	return 0;
}

int guest_config_parse(const char *text, size_t size, struct guest_config *ret, struct err *err)
{
	if (size > GUEST_CONFIG_MAX)
		return err_set(err, ERR_LIMIT, "configuration is larger than %d bytes",
			       GUEST_CONFIG_MAX);
	struct parser p = {.description = BUF_INIT};

	guest_config_init(&p.config);
	p.section = p.config.sections;
	int r = lines_parse(&p, text, size, err);

	buf_fini(&p.description);
	if (r < 0) {
		guest_config_fini(&p.config);
		return r;
	}
	digest_sha1_hex(text, size, p.config.digest);
	*ret = p.config;
	return 0;
}
