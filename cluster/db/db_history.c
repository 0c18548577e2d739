/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the history table. Runs on the writer thread; each read is bounded by its limit. */
#include "cluster/db/db_internal.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static void take_row(sqlite3_stmt *s, struct db_history_row *ret)
{
	const char *who = (const char *)sqlite3_column_text(s, 2);

	*ret = (struct db_history_row){.index = (uint64_t)sqlite3_column_int64(s, 0),
				       .when = (usec_t)sqlite3_column_int64(s, 1),
				       .old_version = (uint64_t)sqlite3_column_int64(s, 3),
				       .had_value = sqlite3_column_int(s, 4) != 0,
				       .old_size = (size_t)sqlite3_column_int64(s, 5)};
	str_copy(ret->who, sizeof(ret->who), who ? who : "");
}

static sqlite3_stmt *begin(struct db *db, enum db_statement which,
			   const struct db_history_read *read, uint64_t index)
{
	sqlite3_stmt *s = db->statements[which];

	sqlite3_bind_text(s, 1, read->path, -1, SQLITE_STATIC);
	if (sqlite3_bind_parameter_count(s) > 1)
		sqlite3_bind_int64(s, 2, index > INT64_MAX ? INT64_MAX : (int64_t)index);
	return s;
}

static int end(struct db *db, sqlite3_stmt *s, int r, struct err *err)
{
	int result = r == SQLITE_ROW || r == SQLITE_DONE ? 0 : db_error(db, "read history", err);

	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return result;
}

static int read_rows(struct db *db, struct db_history_read *read, struct err *err)
{
	sqlite3_stmt *s = begin(db, STMT_HISTORY_BELOW, read, read->before);
	int r;

	sqlite3_bind_int64(s, 3, (int64_t)read->limit);
	read->rows = xcalloc(read->limit, sizeof(*read->rows));
	while ((r = sqlite3_step(s)) == SQLITE_ROW && read->count < read->limit)
		take_row(s, &read->rows[read->count++]);
	return end(db, s, r, err);
}

static int read_next(struct db *db, struct db_history_read *read, struct err *err)
{
	sqlite3_stmt *s = begin(db, STMT_HISTORY_FROM, read, read->before);
	int r = sqlite3_step(s);

	if (r == SQLITE_ROW)
		take_row(s, &read->next);
	return end(db, s, r, err);
}

static int read_creation(struct db *db, struct db_history_read *read, struct err *err)
{
	sqlite3_stmt *s = begin(db, STMT_HISTORY_CREATED, read, 0);
	int r = sqlite3_step(s);

	if (r == SQLITE_ROW)
		read->created = (uint64_t)sqlite3_column_int64(s, 0);
	return end(db, s, r, err);
}

static int read_value(struct db *db, struct db_history_read *read, struct err *err)
{
	sqlite3_stmt *s = begin(db, STMT_HISTORY_VALUE, read, read->version);
	int r = sqlite3_step(s);

	if (r == SQLITE_ROW && (uint64_t)sqlite3_column_int64(s, 0) == read->version &&
	    sqlite3_column_type(s, 1) == SQLITE_BLOB) {
		read->has_value = true;
		buf_add(&read->value, sqlite3_column_blob(s, 1),
			(size_t)sqlite3_column_bytes(s, 1));
	}
	return end(db, s, r, err);
}

int db_history_read(struct db *db, struct db_history_read *read, struct err *err)
{
	int r = read->wants_creation ? read_creation(db, read, err) : 0;

	if (r < 0)
		return r;
	if (read->limit == 0)
		return read_value(db, read, err);
	r = read_rows(db, read, err);
	return r < 0 ? r : read_next(db, read, err);
}

void db_history_read_fini(struct db_history_read *read)
{
	free(read->rows);
	buf_fini(&read->value);
}
