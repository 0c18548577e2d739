/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables for people, JSON for programs. Names, notes and logs come from guests' owners and their
 * templates: control characters never reach the terminal. */
#include "agent/cli/cli.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

/* Length of the control character at text, 0 if it is none. Those of 8 bits are two bytes in UTF-8. */
static size_t control_size(const char *text)
{
	unsigned char c = (unsigned char)text[0], next = c == 0xc2 ? (unsigned char)text[1] : 0;

	return c < 0x20 || c == 0x7f ? 1 : next >= 0x80 && next < 0xa0 ? 2 : 0;
}

static void add_printable(struct buf *out, const char *text, const char *allowed)
{
	while (*text) {
		size_t control = strchr(allowed, *text) ? 0 : control_size(text);

		buf_add_char(out, control ? '?' : *text);
		text += control ? control : 1;
	}
}

void cli_text_add(struct buf *out, const char *text)
{
	add_printable(out, text, "\n\t");
}

static void add_bytes(struct buf *out, double bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	size_t unit = 0;

	while (bytes >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		bytes /= 1024;
		unit++;
	}
	buf_addf(out, unit == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

static void add_duration(struct buf *out, int64_t seconds)
{
	if (seconds >= 86400)
		buf_addf(out, "%" PRId64 "d ", seconds / 86400);
	buf_addf(out, "%02d:%02d:%02d", (int)(seconds / 3600 % 24), (int)(seconds / 60 % 60),
		 (int)(seconds % 60));
}

static void add_time(struct buf *out, int64_t seconds)
{
	char text[32];
	time_t t = (time_t)seconds;
	struct tm tm;

	if (localtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		buf_add_str(out, text);
}

void cli_format(struct buf *out, const struct cli_column *column, struct json_object *row)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(row, column->key, &value) || !value)
		return;
	switch (column->kind) {
	case CLI_TEXT:
		add_printable(out, json_object_get_string(value), "");
		break;
	case CLI_BYTES:
		add_bytes(out, (double)json_object_get_int64(value));
		break;
	case CLI_PERCENT:
		buf_addf(out, "%.1f %%", 100 * json_object_get_double(value));
		break;
	case CLI_DURATION:
		add_duration(out, json_object_get_int64(value));
		break;
	case CLI_TIME:
		add_time(out, json_object_get_int64(value));
		break;
	}
}

/* columns of a terminal, for UTF-8: continuation bytes take none */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void print_cell(FILE *out, const char *text, size_t width, bool is_last)
{
	fputs(text, out);
	if (is_last) {
		fputc('\n', out);
		return;
	}
	for (size_t n = width_of(text); n < width + 2; n++)
		fputc(' ', out);
}

void cli_table_print(FILE *out, const struct cli_column *columns, size_t count,
		     struct json_object *rows)
{
	size_t row_count = json_object_array_length(rows);
	size_t *widths = xcalloc(count, sizeof(*widths));
	struct buf *cells = xcalloc(count * (row_count + 1), sizeof(*cells));

	for (size_t c = 0; c < count; c++)
		widths[c] = strlen(columns[c].title);
	for (size_t i = 0; i < row_count * count; i++) {
		size_t width;

		cli_format(&cells[i], &columns[i % count],
			   json_object_array_get_idx(rows, i / count));
		width = width_of(buf_str(&cells[i]));
		if (width > widths[i % count])
			widths[i % count] = width;
	}
	for (size_t c = 0; c < count; c++)
		print_cell(out, columns[c].title, widths[c], c + 1 == count);
	for (size_t i = 0; i < row_count * count; i++) {
		print_cell(out, buf_str(&cells[i]), widths[i % count], i % count + 1 == count);
		buf_fini(&cells[i]);
	}
	free(cells);
	free(widths);
}

void cli_json_print(FILE *out, struct json_object *data)
{
	fprintf(out, "%s\n",
		json_object_to_json_string_ext(data, JSON_C_TO_STRING_PRETTY |
							     JSON_C_TO_STRING_NOSLASHESCAPE));
}
