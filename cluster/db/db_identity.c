/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether this database may be used here: it is bound to its machine, was not put back to an earlier state while the
 * machine was up, and no write to it failed since then. What no tmpfs and no other member remembers, nobody sees. */
#include "cluster/db/db_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define AS_A_NEW_STORE                                                                             \
	"; to go on with what it holds, make a new store of it: lodge store dump, then lodge "     \
	"store restore"

static int check_marker(const struct db *db, struct err *err)
{
	autofree char *path = xasprintf("%s/%s", db->run, DB_FAILED_MARKER);

	if (access(path, F_OK) < 0)
		return 0;
	return err_set(err, ERR_IO,
		       "a write to the store failed earlier; check the disk and reboot this "
		       "machine (or remove %s, at the risk of losing acknowledged changes)",
		       path);
}

static int check_machine(struct db *db, struct err *err)
{
	autobuf bound = BUF_INIT;
	int r = db_meta_get(db, META_MACHINE, &bound, err);

	if (r < 0 || bound.size == 0 || !db->machine || str_eq(buf_str(&bound), db->machine))
		return r;
	return err_set(
		err, ERR_CONFLICT,
		"this store belongs to another machine (its machine-id is %s, this one's %s): "
		"two copies of one store would contradict each other" AS_A_NEW_STORE,
		buf_str(&bound), db->machine);
}

static int read_meta(struct db *db, struct replica_meta *ret, struct err *err)
{
	autobuf data = BUF_INIT;
	int r = db_meta_get(db, META_REPLICA, &data, err);

	return r < 0 ? r : record_meta_decode(data.data, data.size, ret, err);
}

static void seen_text(const struct uuid *incarnation, uint64_t start, struct buf *ret)
{
	digest_hex(incarnation->bytes, sizeof(incarnation->bytes), ret);
	buf_addf(ret, " %" PRIu64 "\n", start);
}

/* The start number that this incarnation had when it last ran since boot; 0: none is known. */
static uint64_t seen_start(const struct db *db, const struct uuid *incarnation)
{
	autofree char *path = xasprintf("%s/%s", db->run, DB_SEEN_RECORD);
	autobuf text = BUF_INIT, own = BUF_INIT;
	uint64_t start;

	seen_text(incarnation, 0, &own);
	if (file_read(path, 256, &text, NULL) < 0 ||
	    strncmp(buf_str(&text), buf_str(&own), 33) != 0 ||
	    sscanf(buf_str(&text) + 33, "%" SCNu64, &start) != 1)
		return 0;
	return start;
}

static int check_seen(struct db *db, struct err *err)
{
	struct replica_meta meta;
	uint64_t seen;
	int r = read_meta(db, &meta, err);

	if (r < 0)
		return r;
	seen = seen_start(db, &meta.incarnation);
	if (meta.start >= seen)
		return 0;
	return err_set(err, ERR_CONFLICT,
		       "this store has gone back in time: start %" PRIu64 " of it ran on this "
		       "machine since boot, it knows of %" PRIu64 AS_A_NEW_STORE,
		       seen, meta.start);
}

int db_remember_start(struct db *db, const struct replica_meta *meta, struct err *err)
{
	autofree char *path = xasprintf("%s/%s", db->run, DB_SEEN_RECORD);
	autobuf text = BUF_INIT;

	seen_text(&meta->incarnation, meta->start, &text);
	return file_write_atomic(path, text.data, text.size, 0600, err);
}

/* A reader may look at any of them. */
int db_check_identity(struct db *db, struct err *err)
{
	int r;

	if (db->is_reader)
		return 0;
	if ((r = check_marker(db, err)) < 0 || (r = check_machine(db, err)) < 0)
		return r;
	return check_seen(db, err);
}

int db_bind_machine(struct db *db, struct err *err)
{
	autobuf machine = BUF_INIT;

	if (!db->machine)
		return 0;
	buf_add_str(&machine, db->machine);
	return db_meta_put(db, META_MACHINE, &machine, err);
}

int db_make_identity(struct db *db, struct err *err)
{
	struct replica_meta meta = {0};
	autobuf data = BUF_INIT;
	int r;

	random_bytes(meta.incarnation.bytes, sizeof(meta.incarnation.bytes));
	record_meta_encode(&meta, &data);
	r = db_meta_put(db, META_REPLICA, &data, err);
	return r < 0 ? r : db_bind_machine(db, err);
}
