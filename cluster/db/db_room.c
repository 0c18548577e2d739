/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Space that is kept beside the database, so that a full disk does not keep this node from starting, and from
 * promising another epoch. */
#include "cluster/db/db_internal.h"

#include <errno.h>
#include <fcntl.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"

#define RESERVE_SIZE (256 * 1024)

static int open_reserve(struct db *db, int flags)
{
	autofree char *path = xasprintf("%s/lodge.reserve", db->directory);

	return open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
}

/* posix_fallocate() writes where the file system cannot reserve. */
void db_reserve_take(struct db *db)
{
	autofd int fd = -1;

	if (db->reserve_fd >= 0 || (fd = open_reserve(db, O_CREAT)) < 0)
		return;
	if (posix_fallocate(fd, 0, RESERVE_SIZE) == 0)
		db->reserve_fd = TAKE_FD(fd);
	else if (ftruncate(fd, 0) < 0)
		return;
}

bool db_reserve_spend(struct db *db)
{
	autofd int fd = TAKE_FD(db->reserve_fd);

	return fd >= 0 && ftruncate(fd, 0) == 0;
}

int db_make_room(struct db *db, struct err *err)
{
	db_reserve_take(db);
	if (db->reserve_fd < 0)
		return err_set(err, ERR_NO_SPACE, "no space left for the configuration store");
	return 0;
}
