/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rooms of template unpacking, private to this folder. Names of the archive are hostile; every
 * path is resolved by the kernel below the root (openat2), never by text alone. */
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "storage/template/template.h"

struct unpack {
	struct archive *archive;
	int root_fd;
	struct template_limits limits;
	template_progress_fn progress;
	void *ctx;
	struct template_report report;
	uint64_t headers; /* of all archives and passes */
	uint64_t taken,
		decoded; /* bytes of layers, as they lie in the image and without compression */
	bool is_layer; /* one over another: whiteouts are no files, and folders give way to what replaces them */
	struct unpack_dir *dirs; /* folders whose times are set at the end */
	size_t dirs_count, dirs_capacity, dirs_bytes;
};

/* One entry, its name taken apart. */
struct place {
	char path[PATH_MAX]; /* below the root: no leading slash, no ".", no "..", "" is the root */
	const char *name;    /* last component, inside path */
	int parent_fd;	     /* O_PATH; owned; -1 for the root itself */
};

/* Cleans a name of the archive; ".." and over-long ones are refused. */
int place_clean(const char *text, char ret[PATH_MAX], struct err *err);
/* Finds the parent of text's last component, making missing folders. */
int place_find(int root_fd, const char *text, struct place *ret, struct err *err);
void place_fini(struct place *place);
/* Opens below root, following links inside of it only. Returns a descriptor or -errno. */
int place_open(int root_fd, const char *path, int flags);
/* The same where no link is on the way, nor the last: -ELOOP. */
int place_open_real(int root_fd, const char *path, int flags);
/* Removes what is at the place, so that an entry can be made; a folder that is not empty only with is_deep. */
int place_clear(const struct place *place, bool is_deep, struct err *err);

/* All entries of the open archive; a plain one's end is looked for. */
int unpack_entries(struct unpack *u, struct err *err);
/* Container images (image.h). */
int unpack_image(struct unpack *u, int fd, const char *arch, struct err *err);
/* Counts bytes of layers that were read and what became of them. */
int unpack_count_decoded(struct unpack *u, uint64_t taken, uint64_t decoded, struct err *err);
bool unpack_is_whiteout(const char *name);
/* Takes away what the open layer says, and makes nothing. */
int unpack_whiteouts(struct unpack *u, struct err *err);

/* Makers of entries, by kind; the place is free (folders: may exist). */
int unpack_regular(struct unpack *u, struct archive_entry *entry, const struct place *place,
		   struct err *err);
int unpack_folder(struct unpack *u, struct archive_entry *entry, const struct place *place,
		  struct err *err);
int unpack_symlink(struct unpack *u, struct archive_entry *entry, const struct place *place,
		   struct err *err);
int unpack_fifo(struct unpack *u, struct archive_entry *entry, const struct place *place,
		struct err *err);
int unpack_hardlink(struct unpack *u, struct archive_entry *entry, const struct place *place,
		    struct err *err);

/* Owner, mode, attributes and times of an open file or folder. */
int meta_apply(int fd, struct archive_entry *entry, struct err *err);
/* The same for what cannot be opened: links and pipes. */
int meta_apply_at(const struct place *place, struct archive_entry *entry, struct err *err);
/* Remembers the times of a folder until nothing is put into it any more. */
void meta_defer(struct unpack *u, const char *path, struct archive_entry *entry);
void meta_finish(struct unpack *u);
void meta_fini(struct unpack *u);
/* Refuses owners that a container's id range does not have. */
int meta_check_owner(struct archive_entry *entry, struct err *err);

/* Counts bytes against the limit, reports progress, asks for cancellation. */
int unpack_count(struct unpack *u, uint64_t bytes, struct err *err);
/* Counts one more header, whatever is made of it. */
int unpack_count_header(struct unpack *u, struct err *err);
