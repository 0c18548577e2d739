/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helper import-metadata: which machine an .ovf, or an .ova (a tar of one and its disks), describes. */
#include "agent/task/import/metadata.h"

#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/fd.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/base/utf8.h"
#include "agent/task/host/volume.h"
#include "agent/task/import/ovf.h"
#include "storage/template/archive_text.h"

#define FILES_MAX 1024
#define BLOCK	  (128 * 1024)

/* What is in an .ova: the description, and the names of all files. */
struct package {
	struct buf text;
	struct fields files;
};

static int read_entries(struct archive *a, struct package *ret, struct err *err)
{
	struct archive_entry *entry;
	int r = 0;
	for (int i = 0; r == 0; i++) {
		int got = archive_read_next_header(a, &entry);
		if (got == ARCHIVE_EOF)
			return 0;
		if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
			return archive_fail(a, err);
		if (i == FILES_MAX)
			return err_set(err, ERR_LIMIT, "more than %d files", FILES_MAX);
		const char *name = archive_entry_pathname(entry) ?: "";
		name = str_after(name, "./") ?: name;
		if (strlen(name) <
		    sizeof(((struct ovf_disk *)0)->file)) /* a longer one is no disk's */
			fields_add(&ret->files, "file", name);
		if (str_ends(name, ".ovf") && ret->text.size == 0)
			r = archive_text(a, OVF_TEXT_MAX, &ret->text, err);
	}
	return r;
}

static int read_package(int fd, struct package *ret, struct err *err)
{
	autoutf8 scope = utf8_enter();
	struct archive *a = archive_read_new();
	int r;
	(void)scope;
	if (!a)
		return err_set(err, ERR_INTERNAL, "no memory for the archive reader");
	if (archive_read_support_format_tar(a) != ARCHIVE_OK ||
	    archive_read_open_fd(a, fd, BLOCK) != ARCHIVE_OK)
		r = archive_fail(a, err);
	else
		r = read_entries(a, ret, err);
	archive_read_free(a);
	if (r == 0 && ret->text.size == 0)
		r = err_set(err, ERR_CORRUPT, "the archive holds no description (.ovf)");
	return r;
}

static bool has_file(const struct package *package, const char *file)
{
	for (size_t i = 0; i < package->files.count; i++)
		if (str_eq(package->files.items[i].value, file))
			return true;
	return false;
}

static int check_files(const struct package *package, const struct ovf_machine *m, struct err *err)
{
	for (size_t i = 0; i < m->disk_count; i++)
		if (!has_file(package, m->disks[i].file))
			return err_set(err, ERR_CORRUPT, "the archive has no file '%s'",
				       m->disks[i].file);
	return 0;
}

/* -- the answer -------------------------------------------------------------------------------- */

static void write_args(struct json *j, const struct ovf_machine *m)
{
	json_key(j, "create-args");
	json_object_begin(j);
	if (m->name[0])
		json_kv_string(j, "name", m->name);
	if (m->memory)
		json_kv_uint(j, "memory", m->memory);
	if (m->cores) {
		json_kv_uint(j, "cores", m->cores);
		json_kv_uint(j, "sockets", m->sockets);
	}
	json_kv_string(j, "ostype", m->ostype);
	if (m->is_efi)
		json_kv_string(j, "bios", "ovmf");
	if (m->has_pvscsi || m->has_lsi)
		json_kv_string(j, "scsihw", m->has_pvscsi ? "pvscsi" : "lsi");
	json_object_end(j);
}

/* A disk in an archive is named below it. */
static void write_disks(struct json *j, const struct ovf_machine *m, const struct volid *volume)
{
	char keys[OVF_DISKS][16];
	bool is_package = str_eq(volume->format, "ova");
	ovf_disk_keys(m, keys);
	json_key(j, "disks");
	json_object_begin(j);
	for (size_t i = 0; i < m->disk_count; i++) {
		autofree char *value =
			is_package ? xasprintf("%s:%s/%s", volume->storage, volume->name,
					       m->disks[i].file)
				   : xasprintf("%s:import/%s", volume->storage, m->disks[i].file);
		json_kv_string(j, keys[i], value);
	}
	json_object_end(j);
}

static void write_nics(struct json *j, const struct ovf_machine *m)
{
	json_key(j, "net");
	json_object_begin(j);
	for (size_t i = 0; i < m->nic_count; i++) {
		char key[32];
		snprintf(key, sizeof(key), "net%zu", i);
		json_key(j, key);
		json_object_begin(j);
		json_kv_string(j, "model", m->nics[i].model);
		if (m->nics[i].mac[0])
			json_kv_string(j, "macaddr", m->nics[i].mac);
		json_object_end(j);
	}
	json_object_end(j);
}

static void write_warning(struct json *j, const char *type, const char *key)
{
	json_object_begin(j);
	json_kv_string(j, "type", type);
	if (key)
		json_kv_string(j, "key", key);
	json_object_end(j);
}

static void write_warnings(struct json *j, const struct ovf_machine *m, const struct volid *volume)
{
	char keys[OVF_DISKS][16];
	ovf_disk_keys(m, keys);
	json_key(j, "warnings");
	json_array_begin(j);
	if (str_eq(volume->format, "ova"))
		write_warning(j, "ova-needs-extracting", NULL);
	if (m->is_efi)
		write_warning(j, "efi-state-lost", "bios");
	if (m->is_efi && m->has_lsi && !m->has_pvscsi)
		write_warning(j, "ovmf-with-lsi-unsupported", "scsihw");
	for (unsigned i = 0; i < m->cdroms; i++)
		write_warning(j, "cdrom-image-ignored", NULL);
	for (size_t i = 0; i < m->disk_count; i++)
		if (m->disks[i].bus == OVF_NVME)
			write_warning(j, "nvme-unsupported", keys[i]);
	json_array_end(j);
}

/* The contract knows one source. */
static void write_machine(const struct ovf_machine *m, const struct volid *volume, struct buf *out)
{
	struct json j;
	json_init(&j, out);
	json_object_begin(&j);
	json_kv_string(&j, "type", "vm");
	json_kv_string(&j, "source", "esxi");
	write_args(&j, m);
	write_disks(&j, m, volume);
	write_nics(&j, m);
	write_warnings(&j, m, volume);
	json_object_end(&j);
}

static int open_volume(const struct volume_target *target, int *ret, struct err *err)
{
	autobuf path = BUF_INIT;
	struct stat st;
	int r = target->driver->path(&target->def, &target->volume, &path, err);
	if (r < 0)
		return r;
	autofd int fd = open(buf_str(&path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, errno, "volume '%s:%s'", target->volume.storage,
				 target->volume.name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "'%s' is no file", target->volume.name);
	*ret = TAKE_FD(fd);
	return 0;
}

static int read_machine(int fd, const struct volid *volume, struct ovf_machine *ret,
			struct err *err)
{
	struct package package = {0};
	bool is_package = str_eq(volume->format, "ova");
	int r = is_package ? read_package(fd, &package, err)
			   : fd_read_all(fd, OVF_TEXT_MAX, &package.text, err);
	if (r == 0)
		r = ovf_parse(buf_str(&package.text), package.text.size, ret, err);
	if (r == 0 && is_package)
		r = check_files(&package, ret, err);
	buf_fini(&package.text);
	fields_fini(&package.files);
	return r < 0 ? err_prefix(err, "'%s'", volume->file) : 0;
}

int helper_import_metadata(const struct fields *args, struct buf *out, struct err *err)
{
	autofree struct ovf_machine *machine = xcalloc(1, sizeof(*machine));
	autotarget target = {0};
	autofd int fd = -1;
	int r = volume_target_volume(args, &target, err);
	if (r == 0)
		r = open_volume(&target, &fd, err);
	if (r == 0)
		r = read_machine(fd, &target.volume, machine, err);
	if (r == 0)
		write_machine(machine, &target.volume, out);
	return r;
}
