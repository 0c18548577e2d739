/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of lodge.db, version DB_SCHEMA. Encoded columns: record.h. */
#pragma once

/* Not as in schema 1. */
static const char db_schema_new_sql[] =
	/* A row is a batch: entries first to last. epoch and hash are those of its last entry; what was
	 * accepted with it need not be written to meta as well. */
	"CREATE TABLE log (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, epoch INTEGER NOT "
	"NULL,"
	" hash BLOB NOT NULL, accepted_epoch INTEGER NOT NULL, accepted_index INTEGER NOT NULL,"
	" data BLOB NOT NULL) STRICT;"
	/* entries that were cut off the log: never committed, shown to the admin */
	"CREATE TABLE orphans (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, epoch INTEGER NOT "
	"NULL,"
	" idx INTEGER NOT NULL, data BLOB NOT NULL) STRICT;"
	/* appended to at one end and trimmed at the other; looked up by id in memory only */
	"CREATE TABLE requests (idx INTEGER PRIMARY KEY, id BLOB NOT NULL, payload_hash BLOB NOT "
	"NULL,"
	" outcome INTEGER NOT NULL, failed INTEGER NOT NULL) STRICT;";

/* As in schema 1. */
static const char db_schema_sql[] =
	/* replica (meta), base, head, machine, history_bytes */
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE kv (path TEXT PRIMARY KEY, version INTEGER NOT NULL, value BLOB NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	/* old is NULL where the path was absent before */
	"CREATE TABLE history (idx INTEGER NOT NULL, path TEXT NOT NULL, at INTEGER NOT NULL,"
	" who TEXT NOT NULL, old_version INTEGER NOT NULL, old BLOB, PRIMARY KEY (idx, path))"
	" STRICT, WITHOUT ROWID;"
	"CREATE INDEX history_by_path ON history (path, idx);";
