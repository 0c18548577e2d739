/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `lodge store dump`: all values as text. They are secrets, too: the file is for root alone. */
#include "agent/cli/cmd_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/cli/store_dump.h"

struct dumping {
	FILE *out;
	struct store_dump dump;
	uint64_t secrets;
};

static int write_line(struct dumping *d, struct store_dump_line *line, struct err *err)
{
	autobuf text = BUF_INIT;

	store_dump_put(&d->dump, line, &text);
	if (fwrite(text.data, 1, text.size, d->out) != text.size)
		return err_errno(err, errno, "write the dump");
	return 0;
}

/* Known to be: all that a node alone has, of several voters what was applied. */
static int write_header(struct dumping *d, const struct replica_disk *disk, uint64_t applied,
			struct err *err)
{
	const struct state *state = disk->state;
	struct store_dump_line line = {.kind = STORE_DUMP_HEADER,
				       .epoch = state->at.epoch,
				       .index = state->at.index,
				       .committed =
					       state->voters.count > 1 ? applied : state->at.index,
				       .voters = state->voters.count};

	store_id_text(&disk->meta.cluster, line.cluster);
	store_id_text(&disk->meta.fork, line.fork);
	store_id_text(&disk->meta.incarnation, line.incarnation);
	if (line.committed < line.index)
		fprintf(stderr,
			"lodge: there are %zu voters: changes %" PRIu64 " to %" PRIu64
			" are in the dump, but whether they were done is not known here\n",
			state->voters.count, line.committed + 1, line.index);
	return write_line(d, &line, err);
}

static int write_values(struct dumping *d, const struct kv *kv, struct err *err)
{
	const struct kv_item *item;
	const char *path = NULL;
	int r = 0;

	while (r == 0 && (item = kv_next(kv, "", path, &path))) {
		struct store_dump_line line = {.kind = STORE_DUMP_VALUE, .version = item->version};

		str_copy(line.path, sizeof(line.path), path);
		buf_add(&line.value, item->data, item->size);
		d->secrets += str_starts(path, STORE_PRIVATE_PATH);
		r = write_line(d, &line, err);
		store_dump_line_fini(&line);
	}
	return r;
}

static int write_all(struct dumping *d, struct replica_disk *disk, struct err *err)
{
	struct store_dump_line end = {.kind = STORE_DUMP_END};
	uint64_t applied = disk->state ? disk->state->at.index : 0;
	int r = db_replay(disk, err);

	if (r < 0 || (r = write_header(d, disk, applied, err)) < 0 ||
	    (r = write_values(d, disk->state->kv, err)) < 0 || (r = write_line(d, &end, err)) < 0)
		return r;
	if (fflush(d->out) != 0)
		return err_errno(err, errno, "write the dump");
	fprintf(stderr,
		"lodge: %" PRIu64 " values, %" PRIu64 " of them secrets (%s): keep it safe\n",
		d->dump.count, d->secrets, STORE_PRIVATE_PATH);
	return 0;
}

/* Beside its name first: a dump that was cut short never stands in the place of a whole one. */
static int dump_to_file(const char *name, struct replica_disk *disk, struct err *err)
{
	autofree char *part = xasprintf("%s.part", name);
	int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct dumping d = {.out = fd < 0 ? NULL : fdopen(fd, "w")};
	int r;

	if (!d.out)
		return err_errno(err, errno, "make %s", part);
	r = write_all(&d, disk, err);
	if (r == 0 && fsync(fd) < 0)
		r = err_errno(err, errno, "write %s", part);
	fclose(d.out);
	if (r == 0 && rename(part, name) < 0)
		r = err_errno(err, errno, "make %s", name);
	if (r < 0)
		unlink(part);
	return r;
}

int store_dump(struct cli *cli, struct err *err)
{
	const char *file = fields_get(&cli->options, "file");
	struct dumping d = {.out = stdout};
	autofree char *folder = NULL;
	struct replica_disk disk;
	struct db *db;
	int r = store_folder(cli, (const char *const[]){"file", NULL}, &folder, err);

	if (r < 0 || (r = store_look(folder, &db, err)) < 0)
		return r;
	r = db_load(db, true, &disk, err);
	db_close(db);
	if (r < 0)
		return r;
	r = file ? dump_to_file(file, &disk, err) : write_all(&d, &disk, err);
	db_disk_fini(&disk);
	return r;
}
