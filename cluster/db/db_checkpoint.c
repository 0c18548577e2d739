/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moving the WAL into the database. SQLite's own way, at some commit, hides a failed sync: frames that were written
 * without a sync (db_settle) could then be lost in the middle of the WAL, and with them what was synced behind them. */
#include "cluster/db/db_internal.h"

#include "agent/base/log.h"

static int move(struct db *db, struct err *err)
{
	int r = sqlite3_wal_checkpoint_v2(db->sql, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

	if (r != SQLITE_OK)
		return db_error(db, "move the log of the store into it", err);
	db->wal_pages = 0;
	return 0;
}

static int on_commit(void *ctx, sqlite3 *sql, const char *name, int pages)
{
	struct db *db = ctx;

	(void)sql;
	(void)name;
	db->wal_pages = pages;
	return SQLITE_OK;
}

static void on_close(struct db *db, bool moves)
{
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !moves, NULL);
}

void db_checkpoint_setup(struct db *db)
{
	sqlite3_wal_hook(db->sql, on_commit, db); /* instead of SQLite's own */
	on_close(db, false);
}

/* After a failed write the pages of the WAL may have been dropped, and SQLite copies them without looking at their
 * checksums: it is left as it is for the next start, which does look. */
void db_checkpoint_last(struct db *db)
{
	struct err err = ERR_INIT;
	int r;

	if (!db->is_usable || db->has_failed || !sqlite3_get_autocommit(db->sql))
		return;
	r = move(db, &err);
	if (r < 0) {
		db_failed(db, r, &err);
		log_error("%s", err.message);
		return;
	}
	on_close(db, true); /* nothing is left to be moved; the empty WAL goes */
}

int db_checkpoint(struct db *db, struct err *err)
{
	int r;

	if (db->wal_pages < db->checkpoint_pages)
		return 0;
	r = move(db, err);
	if (r != -ERR_NO_SPACE)
		return r;
	log_warning("%s", err->message); /* the WAL grows on; the next time may find room */
	return 0;
}
