/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The archive of a container image: is it one, and its blobs by name. Each look goes over the headers from the start; they
 * are few, and what is between them is jumped over. Job processes only. */
#include "storage/template/image_archive.h"

#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/template/archive_text.h"

#define HEADERS_MAX 4096
#define READ_BLOCK  (128 * 1024)
#define INDEX_DEPTH 4

/* Plain: a compressed one cannot be jumped about in. */
static struct archive *open_archive(int fd)
{
	struct archive *a = archive_read_new();
	if (!a)
		return NULL;
	if (lseek(fd, 0, SEEK_SET) == 0 && archive_read_support_format_tar(a) == ARCHIVE_OK &&
	    archive_read_open_fd(a, fd, READ_BLOCK) == ARCHIVE_OK)
		return a;
	archive_read_free(a);
	return NULL;
}

/* Without what stands for the archive's own folder. */
static const char *plain_name(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry) ?: "?";
	while (str_starts(name, "./"))
		name += 2;
	return str_eq(name, ".") ? "" : name;
}

/* Any other name tells at once that it is a tree like others. */
static bool belongs_to_image(const char *name)
{
	static const char *const files[] = {
		"", "index.json", "oci-layout", "manifest.json", "repositories", "blobs"};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (str_eq(files[i], name))
			return true;
	return str_starts(name, "blobs/");
}

bool image_is_one(int fd)
{
	struct archive *a = open_archive(fd);
	struct archive_entry *entry;
	bool has_index = false, has_layout = false, fits = true;
	for (int i = 0; a && fits && i < HEADERS_MAX; i++) {
		int got = archive_read_next_header(a, &entry);
		if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
			break;
		const char *name = plain_name(entry);
		has_index = has_index || str_eq(name, "index.json");
		has_layout = has_layout || str_eq(name, "oci-layout");
		fits = belongs_to_image(name);
	}
	if (a)
		archive_read_free(a);
	return fits && has_index && has_layout;
}

/* Holes and sizes that the file itself does not have would be read without end. */
static int check_entry(struct archive_entry *entry, int fd, struct err *err)
{
	struct stat st;
	int64_t size = archive_entry_size(entry);
	if (fstat(fd, &st) < 0)
		return err_errno(err, errno, "image archive");
	if (archive_entry_sparse_count(entry) > 0 || !archive_entry_size_is_set(entry) ||
	    size < 0 || size > st.st_size)
		return err_set(
			err, ERR_CORRUPT,
			"damaged image archive: '%.100s' is sparse, or larger than the archive",
			plain_name(entry));
	return 0;
}

static int find_file(struct archive *a, int fd, const char *name, uint64_t *ret_size,
		     struct err *err)
{
	struct archive_entry *entry;
	for (int i = 0; i < HEADERS_MAX; i++) {
		int got = archive_read_next_header(a, &entry);
		if (got == ARCHIVE_EOF)
			break;
		if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
			return archive_fail(a, err);
		if (!str_eq(plain_name(entry), name) || archive_entry_hardlink(entry) ||
		    archive_entry_filetype(entry) != AE_IFREG)
			continue;
		*ret_size = (uint64_t)archive_entry_size(entry);
		return check_entry(entry, fd, err);
	}
	return err_set(err, ERR_CORRUPT, "the image archive has no '%.100s'", name);
}

static int open_file(int fd, const char *name, struct archive **ret, uint64_t *ret_size,
		     struct err *err)
{
	struct archive *a = open_archive(fd);
	if (!a)
		return err_set(err, ERR_CORRUPT, "not an image archive");
	int r = find_file(a, fd, name, ret_size, err);
	if (r < 0)
		archive_read_free(a);
	else
		*ret = a;
	return r;
}

/* -- blobs ------------------------------------------------------------------------------------- */

int blob_open(int fd, const struct image_blob *is, struct blob *ret, struct err *err)
{
	autofree char *name = xasprintf("blobs/sha256/%s", is->sha);
	uint64_t size;
	int r = open_file(fd, name, &ret->outer, &size, err);
	if (r < 0)
		return r;
	ret->is = *is;
	ret->done = 0;
	sha256_init(&ret->sha);
	if (size == is->size)
		return 0;
	blob_close(ret);
	return err_set(err, ERR_CORRUPT,
		       "damaged image archive: '%.16s…' has %llu bytes instead of %llu", is->sha,
		       (unsigned long long)size, (unsigned long long)is->size);
}

void blob_close(struct blob *blob)
{
	archive_read_free(blob->outer);
	blob->outer = NULL;
}

long blob_read(struct blob *blob, struct err *err)
{
	la_ssize_t n;
	if (blob->is_cancelled && blob->is_cancelled())
		return err_set(err, ERR_CANCELLED, "interrupted by signal");
	do
		n = archive_read_data(blob->outer, blob->block, sizeof(blob->block));
	while (n == ARCHIVE_RETRY);
	if (n < 0)
		return archive_fail(blob->outer, err);
	blob->done += (uint64_t)n;
	sha256_update(&blob->sha, (size_t)n, (const uint8_t *)blob->block);
	return (long)n;
}

int blob_verify(struct blob *blob, struct err *err)
{
	uint8_t raw[SHA256_DIGEST_SIZE];
	autobuf hex = BUF_INIT;
	long n;
	while ((n = blob_read(blob, err)) > 0)
		continue;
	if (n < 0)
		return (int)n;
	sha256_digest(&blob->sha, sizeof(raw), raw);
	for (size_t i = 0; i < sizeof(raw); i++)
		buf_addf(&hex, "%02x", raw[i]);
	if (str_eq(buf_str(&hex), blob->is.sha))
		return 0;
	return err_set(err, ERR_CORRUPT,
		       "damaged image archive: '%.16s…' is not what its name says", blob->is.sha);
}

static int read_index(int fd, struct buf *ret, struct err *err)
{
	struct archive *a;
	uint64_t size;
	int r = open_file(fd, "index.json", &a, &size, err);
	if (r < 0)
		return r;
	r = archive_text(a, IMAGE_TEXT_MAX, ret, err);
	archive_read_free(a);
	return r;
}

static int read_blob(int fd, const struct image_blob *is, struct buf *ret, struct err *err)
{
	autofree struct blob *blob = xcalloc(1, sizeof(*blob));
	int r = blob_open(fd, is, blob, err);
	if (r < 0)
		return r;
	long n;
	while ((n = blob_read(blob, err)) > 0 && ret->size + (size_t)n <= IMAGE_TEXT_MAX)
		buf_add(ret, blob->block, (size_t)n);
	if (n > 0)
		r = err_set(err, ERR_LIMIT, "a text of the image is larger than %u bytes",
			    IMAGE_TEXT_MAX);
	else
		r = n < 0 ? (int)n : blob_verify(blob, err);
	blob_close(blob);
	return r;
}

/* -- texts ------------------------------------------------------------------------------------- */

int image_read_manifest(int fd, const char *arch, struct image_manifest *ret, struct err *err)
{
	autobuf text = BUF_INIT;
	struct image_blob next;
	bool is_index = true;
	int r = read_index(fd, &text, err);
	for (int depth = 0; r == 0 && is_index; depth++) {
		r = depth < INDEX_DEPTH
			    ? image_index_parse(buf_str(&text), text.size, arch, &next, &is_index,
						err)
			    : err_set(err, ERR_LIMIT, "the image's lists are nested too deep");
		buf_clear(&text);
		if (r == 0)
			r = read_blob(fd, &next, &text, err);
	}
	return r < 0 ? r : image_manifest_parse(buf_str(&text), text.size, ret, err);
}

int image_read_config(int fd, const char *arch, struct fields *ret, struct err *err)
{
	autofree struct image_manifest *manifest = xcalloc(1, sizeof(*manifest));
	autobuf text = BUF_INIT;
	int r = image_read_manifest(fd, arch, manifest, err);
	if (r == 0)
		r = read_blob(fd, &manifest->config, &text, err);
	return r < 0 ? r : image_config_parse(buf_str(&text), text.size, ret, err);
}
