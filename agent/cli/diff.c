/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference of two short texts, line by line, in the unified format. Pure. Bounded: where the parts
 * that differ are too long to be compared line by line, they are shown as replaced whole. */
#include "agent/cli/cli.h"

#include <stdint.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define CONTEXT	  3
#define CELLS_MAX (4u * 1024 * 1024) /* of the table: 16 MiB */

struct lines {
	char **items;
	size_t count;
	bool is_whole; /* the last one ends with a newline */
};

static void lines_split(const char *text, struct lines *ret)
{
	size_t size = strlen(text), capacity = 1;

	for (const char *c = text; *c; c++)
		capacity += *c == '\n';
	ret->items = xcalloc(capacity, sizeof(*ret->items));
	ret->is_whole = size == 0 || text[size - 1] == '\n';
	while (*text) {
		size_t length = strcspn(text, "\n");

		ret->items[ret->count++] = xstrndup(text, length);
		text += length + (text[length] == '\n');
	}
}

static void lines_fini(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->items[i]);
	free(lines->items);
}

struct diff {
	struct lines a, b;
	struct step {
		char mark; /* ' ', '-' or '+' */
		const char *text;
		bool lacks_newline;
	} * steps;
	size_t count;
};

/* A last line without newline is another line than one with it. */
static bool is_open_end(const struct lines *l, size_t at)
{
	return at + 1 == l->count && !l->is_whole;
}

static bool is_same(const struct diff *d, size_t i, size_t k)
{
	return str_eq(d->a.items[i], d->b.items[k]) &&
	       is_open_end(&d->a, i) == is_open_end(&d->b, k);
}

static void add_step(struct diff *d, char mark, const struct lines *from, size_t at)
{
	d->steps[d->count++] = (struct step){
		.mark = mark, .text = from->items[at], .lacks_newline = is_open_end(from, at)};
}

/* table[i][k]: length of the longest common sequence of what follows lines i and k */
static uint32_t *table_fill(const struct diff *d, size_t start, size_t n, size_t m)
{
	uint32_t *table = xcalloc((n + 1) * (m + 1), sizeof(*table));

	for (size_t i = n; i-- > 0;) {
		for (size_t k = m; k-- > 0;) {
			uint32_t down = table[(i + 1) * (m + 1) + k];
			uint32_t right = table[i * (m + 1) + k + 1];

			table[i * (m + 1) + k] = is_same(d, start + i, start + k)
							 ? table[(i + 1) * (m + 1) + k + 1] + 1
						 : down > right ? down
								: right;
		}
	}
	return table;
}

static void compare_middle(struct diff *d, size_t start, size_t n, size_t m)
{
	bool is_bounded = (n + 1) <= CELLS_MAX / (m + 1);
	autofree uint32_t *table = is_bounded ? table_fill(d, start, n, m) : NULL;
	size_t i = 0, k = 0;

	while (i < n || k < m) {
		if (table && i < n && k < m && is_same(d, start + i, start + k)) {
			add_step(d, ' ', &d->a, start + i++);
			k++;
		} else if (i < n && (!table || k == m ||
				     table[(i + 1) * (m + 1) + k] >= table[i * (m + 1) + k + 1])) {
			add_step(d, '-', &d->a, start + i++);
		} else {
			add_step(d, '+', &d->b, start + k++);
		}
	}
}

static void compare(struct diff *d)
{
	size_t start = 0, end = 0, n = d->a.count, m = d->b.count;

	while (start < n && start < m && is_same(d, start, start))
		start++;
	while (end < n - start && end < m - start && is_same(d, n - end - 1, m - end - 1))
		end++;
	d->steps = xcalloc(n + m + 1, sizeof(*d->steps));
	for (size_t i = 0; i < start; i++)
		add_step(d, ' ', &d->a, i);
	compare_middle(d, start, n - start - end, m - start - end);
	for (size_t i = n - end; i < n; i++)
		add_step(d, ' ', &d->a, i);
}

/* ---- hunks ---- */

/* The first step after `from` that changes something; count if none. */
static size_t next_change(const struct diff *d, size_t from)
{
	while (from < d->count && d->steps[from].mark == ' ')
		from++;
	return from;
}

/* A hunk goes on as long as the next change is near enough for its context. */
static size_t hunk_end(const struct diff *d, size_t change)
{
	size_t last = change;

	for (size_t next = change; next < d->count && next - last <= 2 * CONTEXT + 1;
	     next = next_change(d, last + 1))
		last = next;
	return last + 1 + CONTEXT < d->count ? last + 1 + CONTEXT : d->count;
}

static size_t count_lines(const struct diff *d, size_t from, size_t to, char other)
{
	size_t n = 0;

	for (; from < to; from++)
		n += d->steps[from].mark != other;
	return n;
}

/* "12,3": first line and how many; the line before it if there are none */
static void add_range(struct buf *out, size_t before, size_t lines)
{
	buf_addf(out, "%zu", lines ? before + 1 : before);
	if (lines != 1)
		buf_addf(out, ",%zu", lines);
}

static void add_hunk(struct buf *out, const struct diff *d, size_t from, size_t to)
{
	buf_add_str(out, "@@ -");
	add_range(out, count_lines(d, 0, from, '+'), count_lines(d, from, to, '+'));
	buf_add_str(out, " +");
	add_range(out, count_lines(d, 0, from, '-'), count_lines(d, from, to, '-'));
	buf_add_str(out, " @@\n");
	for (; from < to; from++) {
		buf_add_char(out, d->steps[from].mark);
		cli_text_add(out, d->steps[from].text);
		buf_add_str(out, d->steps[from].lacks_newline ? "\n\\ No newline at end of file\n"
							      : "\n");
	}
}

void cli_diff(struct buf *out, const struct cli_text *old, const struct cli_text *new)
{
	struct diff d = {0};

	lines_split(old->text, &d.a);
	lines_split(new->text, &d.b);
	compare(&d);
	for (size_t change = next_change(&d, 0), end = 0; change < d.count;
	     change = next_change(&d, end)) {
		size_t from = change > end + CONTEXT ? change - CONTEXT : end;

		if (end == 0) {
			buf_add_str(out, "--- ");
			cli_text_add(out, old->name);
			buf_add_str(out, "\n+++ ");
			cli_text_add(out, new->name);
			buf_add_char(out, '\n');
		}
		end = hunk_end(&d, change);
		add_hunk(out, &d, from, end);
	}
	free(d.steps);
	lines_fini(&d.a);
	lines_fini(&d.b);
}
