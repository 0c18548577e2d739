/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moving the WAL into the database. SQLite's own way, at some commit, hides a failed sync: frames that were written
 * without a sync (db_settle) could then be lost in the middle of the WAL, and with them what was synced behind them. */
#include "cluster/db/db_internal.h"

#include "agent/base/log.h"

#define CHECKPOINT_PAGES 4000

static int on_commit(void *ctx, sqlite3 *sql, const char *name, int pages)
{
	struct db *db = ctx;

	(void)sql;
	(void)name;
	db->wal_pages = pages;
	return SQLITE_OK;
}

void db_checkpoint_setup(struct db *db)
{
	sqlite3_wal_hook(db->sql, on_commit, db); /* instead of SQLite's own */
}

int db_checkpoint(struct db *db, struct err *err)
{
	int r;

	if (db->wal_pages < CHECKPOINT_PAGES)
		return 0;
	r = sqlite3_wal_checkpoint_v2(db->sql, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (r == SQLITE_OK) {
		db->wal_pages = 0;
		return 0;
	}
	r = db_error(db, "move the log of the store into it", err);
	if (r != -ERR_NO_SPACE)
		return r;
	log_warning("%s", err->message); /* the WAL grows on; the next time may find room */
	return 0;
}
