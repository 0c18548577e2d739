/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frame of a helper process: arguments in, one answer or one error line out. */
#include "agent/task/host/helper.h"

#include <unistd.h>

#include "agent/base/cursor.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/str.h"

#define ARGS_MAX     (4u * 1024 * 1024)
#define LIFE_SECONDS 120 /* belt and braces: the core kills at its own, shorter deadline */

static int run(const struct helper_entry *table, const char *name, struct buf *out, struct err *err)
{
	autobuf input = BUF_INIT;
	autofields args = FIELDS_INIT;
	while (table->name && !str_eq(table->name, name))
		table++;
	if (!table->name)
		return err_set(err, ERR_UNSUPPORTED, "unknown helper '%.64s'", name);
	int r = fd_read_all(STDIN_FILENO, ARGS_MAX, &input, err);
	if (r < 0)
		return r;
	struct cursor c = cursor_on(input.data, input.size);
	r = input.size > 0 ? fields_decode(&c, &args, err) : 0; /* nothing: no arguments */
	return r < 0 ? r : table->run(&args, out, err);
}

int helper_main(const struct helper_entry *table, const char *name)
{
	autobuf out = BUF_INIT;
	struct err err = ERR_INIT;
	alarm(LIFE_SECONDS);
	int r = run(table, name, &out, &err);
	if (r < 0) {
		buf_clear(&out);
		buf_addf(&out, "%d %s %s\n", err.code ? err.code : ERR_INTERNAL,
			 err.field[0] ? err.field : "-", err.message);
	}
	if (fd_write_all(STDOUT_FILENO, out.data, out.size, &err) < 0) {
		log_error("helper %s: %s", name, err.message);
		return 1;
	}
	return r < 0 ? 1 : 0;
}
