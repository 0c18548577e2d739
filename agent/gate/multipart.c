/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cuts a multipart body at its boundaries. Pure. */
#include "agent/gate/multipart.h"

#include <string.h>
#include <strings.h>

#include "agent/base/digest.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define BOUNDARY_MAX 70
#define PREAMBLE_MAX 65536
#define BLANKS_MAX   64 /* behind a boundary */

/*  PREAMBLE --boundary--> BEHIND --CRLF--> HEAD --empty line--> DATA --boundary--> BEHIND
 *                            \--"--"--> OVER                                                */
enum state { PREAMBLE, BEHIND, HEAD, DATA, OVER };

struct multipart {
	const struct multipart_ops *ops; /* borrowed */
	void *ctx;
	enum state state;
	char delimiter[BOUNDARY_MAX + 5]; /* CR LF - - boundary */
	size_t delimiter_size;
	size_t preamble;
	struct buf in; /* what is not decided yet */
};

/* The value of a parameter like boundary=x or name="a \"b\"", heap; NULL if there is none. */
static char *parameter(const char *header, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = strchr(header, ';'); at; at = strchr(at, ';')) {
		at += 1 + strspn(at + 1, " \t");
		bool is_it = strncasecmp(at, name, length) == 0 && at[length] == '=';
		autobuf value = BUF_INIT;
		const char *c = at + strcspn(at, "=;");
		c += *c == '=';
		bool is_quoted = *c == '"';
		c += is_quoted;
		for (; *c && (is_quoted ? *c != '"' : !strchr("; \t", *c)); c++) {
			if (is_quoted && *c == '\\' && (c[1] == '"' || c[1] == '\\'))
				c++;
			buf_add_char(&value, *c);
		}
		if (is_it)
			return xstrdup(buf_str(&value));
		at = c;
	}
	return NULL;
}

static bool boundary_is_valid(const char *b)
{
	size_t size = b ? strlen(b) : 0;
	if (size == 0 || size > BOUNDARY_MAX)
		return false;
	for (; *b; b++)
		if ((unsigned char)*b < 0x20 || (unsigned char)*b > 0x7e)
			return false;
	return true;
}

int multipart_new(const char *content_type, const struct multipart_ops *ops, void *ctx,
		  struct multipart **ret, struct err *err)
{
	autofree char *boundary = parameter(content_type, "boundary");
	if (!boundary_is_valid(boundary))
		return err_set(err, ERR_INVALID, "multipart/form-data without a valid boundary");
	struct multipart *m = xcalloc(1, sizeof(*m));
	m->ops = ops;
	m->ctx = ctx;
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary, strlen(boundary));
	m->delimiter_size = 4 + strlen(boundary);
	buf_add(&m->in, "\r\n", 2); /* the first boundary may stand at the very beginning */
	*ret = m;
	return 0;
}

void multipart_free(struct multipart *m)
{
	if (!m)
		return;
	buf_fini(&m->in);
	free(m);
}

bool multipart_is_over(const struct multipart *m)
{
	return m->state == OVER;
}

/* Moves on behind the next delimiter; what stands before it, or cannot be part of it, is `taken`. */
static bool find_delimiter(const struct multipart *m, size_t *ret_before, size_t *ret_taken)
{
	const char *at = m->in.size >= m->delimiter_size
				 ? memmem(m->in.data, m->in.size, m->delimiter, m->delimiter_size)
				 : NULL;
	size_t keep = m->delimiter_size - 1;
	if (at) {
		*ret_before = (size_t)(at - m->in.data);
		*ret_taken = *ret_before + m->delimiter_size;
		return true;
	}
	*ret_before = *ret_taken = m->in.size > keep ? m->in.size - keep : 0;
	return false;
}

/* Each step: 1 went on, 0 needs more input, negative error. */
static int step_preamble(struct multipart *m, struct err *err)
{
	size_t before, taken;
	bool found = find_delimiter(m, &before, &taken);
	m->preamble += before;
	if (m->preamble > PREAMBLE_MAX)
		return err_set(err, ERR_INVALID, "the multipart body does not begin");
	buf_drop_front(&m->in, taken);
	if (found)
		m->state = BEHIND;
	return found;
}

static int step_behind(struct multipart *m, struct err *err)
{
	size_t blanks = 0;
	while (blanks < m->in.size && strchr(" \t", m->in.data[blanks]) && m->in.data[blanks])
		blanks++;
	if (blanks > BLANKS_MAX)
		return err_set(err, ERR_INVALID, "a bad boundary in the multipart body");
	if (m->in.size < blanks + 2)
		return 0;
	if (memcmp(m->in.data + blanks, "\r\n", 2) == 0) {
		/* the line end stays: a part without a head is an empty line at once */
		buf_drop_front(&m->in, blanks);
		m->state = HEAD;
	} else if (memcmp(m->in.data + blanks, "--", 2) == 0) {
		m->state = OVER;
		buf_clear(&m->in);
	} else {
		return err_set(err, ERR_INVALID, "a bad boundary in the multipart body");
	}
	return 1;
}

/* Browsers on Windows once sent whole paths. */
static const char *without_folders(const char *file)
{
	const char *slash = strrchr(file, '/');
	file = slash ? slash + 1 : file;
	slash = strrchr(file, '\\');
	return slash ? slash + 1 : file;
}

static char *file_name(const char *header)
{
	char *plain = parameter(header, "filename");
	autofree char *coded = plain ? NULL : parameter(header, "filename*");
	const char *text = coded ? strstr(coded, "''") : NULL; /* UTF-8''NAME, RFC 5987 */
	autobuf decoded = BUF_INIT;
	if (plain || !text)
		return plain;
	if (!url_decode(text + 2, strlen(text + 2), false, &decoded))
		return NULL;
	return xstrdup(buf_str(&decoded));
}

static int begin_part(struct multipart *m, const char *head, struct err *err)
{
	for (const char *line = head; line; line = strstr(line, "\r\n")) {
		line += line == head ? 0 : 2;
		const char *end = strstr(line, "\r\n");
		if (strncasecmp(line, "content-disposition:", 20) != 0)
			continue;
		autofree char *header = xstrndup(line, end ? (size_t)(end - line) : strlen(line));
		autofree char *name = parameter(header, "name");
		autofree char *file = file_name(header);
		if (!name || !*name || strlen(name) > MULTIPART_NAME_MAX)
			break;
		return m->ops->on_part(m->ctx, name, file ? without_folders(file) : NULL, err);
	}
	return err_set(err, ERR_INVALID, "a part of the multipart body has no name");
}

static int step_head(struct multipart *m, struct err *err)
{
	const char *end = memmem(m->in.data, m->in.size, "\r\n\r\n", 4);
	size_t size = end ? (size_t)(end - m->in.data) : m->in.size;
	if (size > MULTIPART_HEAD_MAX)
		return err_set(err, ERR_INVALID, "the head of a part is too large");
	if (!end)
		return 0;
	if (memchr(m->in.data, '\0', size))
		return err_set(err, ERR_INVALID, "a NUL in the head of a part");
	autofree char *head = xstrndup(m->in.data, size);
	buf_drop_front(&m->in, size + 4);
	int r = begin_part(m, str_starts(head, "\r\n") ? head + 2 : head, err);
	if (r < 0)
		return r;
	m->state = DATA;
	return 1;
}

static int step_data(struct multipart *m, struct err *err)
{
	size_t before, taken;
	bool found = find_delimiter(m, &before, &taken);
	int r = before ? m->ops->on_data(m->ctx, m->in.data, before, err) : 0;
	if (r < 0)
		return r;
	buf_drop_front(&m->in, taken);
	if (!found)
		return 0;
	m->state = BEHIND;
	r = m->ops->on_part_end(m->ctx, err);
	return r < 0 ? r : 1;
}

int multipart_feed(struct multipart *m, const char *data, size_t size, struct err *err)
{
	static int (*const steps[])(struct multipart *, struct err *) = {
		[PREAMBLE] = step_preamble,
		[BEHIND] = step_behind,
		[HEAD] = step_head,
		[DATA] = step_data,
	};
	int r = 1;
	if (m->state == OVER)
		return 0; /* the epilogue */
	buf_add(&m->in, data, size);
	while (r > 0 && m->state != OVER)
		r = steps[m->state](m, err);
	return r < 0 ? r : 0;
}
