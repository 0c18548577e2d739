/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: create a container from a template. The config with "lock: create" is there before; the name
 * of the volume is stored in it before the volume is made, so that undoing finds it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/create.h"
#include "agent/guest/ct/image.h"
#include "agent/guest/ct/mount.h"
#include "agent/guest/ct/setup.h"
#include "agent/guest/ct/rootdir.h"
#include "agent/guest/ct/unpack.h"
#include "agent/guest/ct/volume_new.h"
#include "agent/guest/ct_schema.h"
#include "agent/task/guest/slot.h"
#include "agent/task/internal.h"
#include "storage/reserve.h"

#define MOUNTINFO_MAX	(4 * 1024 * 1024)
#define UNPACK_TIMEOUT	(6 * 3600 * USEC_PER_SEC)
#define FULL_BELOW	(1024 * 1024) /* bytes free: too little for the next write */
#define DEFAULT_STORAGE "local"
#define MIB		(1024.0 * 1024.0)

struct create {
	struct guest_config config;
	uint64_t version;
	struct ct_rootfs_request request;
	struct ct_rootfs rootfs;
	struct task_storage storage;
	struct buf template_path, volume_path;
	bool has_volume; /* made by this job: undoing may free it */
	const struct ct_os *
		*os; /* shared with the step that unpacks, which finds it out; NULL before */
	struct reservation space; /* for what the template will take */
};

static void create_fini(struct create *create)
{
	reserve_end(&create->space);
	task_storage_close(&create->storage);
	guest_config_fini(&create->config);
	buf_fini(&create->template_path);
	buf_fini(&create->volume_path);
}

static int read_request(struct task_ctx *task, struct create *create, struct err *err)
{
	const char *template = fields_get(&task->args, "ostemplate");
	const char *storage = fields_get(&task->args, "storage");
	int r;

	if (!template)
		return err_field(err, "ostemplate", "no template given");
	r = ct_rootfs_request_parse(fields_get(&task->args, "rootfs"),
				    storage ? storage : DEFAULT_STORAGE, &create->request, err);
	if (r < 0)
		return r;
	if ((r = ct_volume_path(task, template, &create->template_path, err)) < 0)
		return err_prefix(err, "template '%s'", template);
	if (access(buf_str(&create->template_path), R_OK) != 0)
		return err_field(err, "ostemplate", "template '%s' does not exist", template);
	if ((r = ct_image_config(task, buf_str(&create->template_path), &create->config, err)) < 0)
		return r;
	return task_storage_open(task, create->request.storage, VOLUME_ROOTDIR, &create->storage,
				 err);
}

static int store_config(struct task_ctx *task, struct create *create, struct err *err)
{
	autobuf rootfs = BUF_INIT;
	int r;

	ct_rootfs_format(&create->rootfs, &rootfs);
	guest_config_set(&create->config, "rootfs", buf_str(&rootfs));
	if ((r = task_config_put(task, "lxc", &create->config, create->version, err)) < 0)
		return r;
	guest_config_fini(&create->config);
	create->config = (struct guest_config){0};
	return task_config_get(task, "lxc", &create->config, &create->version, err);
}

static void warn_space(struct task_ctx *task, const struct create *create)
{
	const struct task_storage *storage = &create->storage;
	struct storage_space space;

	if (storage->driver->status(storage->def, &space, NULL) == 0 &&
	    space.available < create->request.size)
		task_warn(task, "storage '%s' has less free space than the volume may grow to",
			  storage->def->id);
}

/* The image is sparse: what unpacking will write is promised to nobody else. Twice the archive is less than
 * most take, and refuses nothing that would have fit. */
static int reserve(struct create *create, struct err *err)
{
	uint64_t size = create->request.size;
	struct stat st;

	if (stat(buf_str(&create->template_path), &st) == 0 && (uint64_t)st.st_size * 2 < size)
		size = (uint64_t)st.st_size * 2;
	return reserve_begin(create->storage.def, size, buf_str(&create->volume_path),
			     &create->space, err);
}

static int make_volume(struct task_ctx *task, struct create *create, struct err *err)
{
	const struct task_storage *storage = &create->storage;
	const char *format = volume_default_format(storage->def->type, VOLUME_ROOTDIR);
	autofree char *name = task_volume_next_name(storage, task->guest, format, NULL, err);
	char volid[VOLID_MAX];
	struct volid parsed;
	struct volume_alloc what = {.vmid = task->guest,
				    .content = VOLUME_ROOTDIR,
				    .format = format,
				    .name = name,
				    .size = create->request.size};
	int r;

	if (!name)
		return err_prefix(err, "storage '%s'", storage->def->id);
	warn_space(task, create);
	create->rootfs = (struct ct_rootfs){.size = create->request.size,
					    .read_only = create->request.read_only};
	str_copy(create->rootfs.options, sizeof(create->rootfs.options), create->request.options);
	snprintf(create->rootfs.volume, sizeof(create->rootfs.volume), "%s:%u/%s", storage->def->id,
		 task->guest, name);
	if ((r = store_config(task, create, err)) < 0 ||
	    (r = storage->driver->alloc(storage->def, &what, volid, err)) < 0)
		return r;
	create->has_volume = true;
	if (!str_eq(volid, create->rootfs.volume)) {
		str_copy(create->rootfs.volume, sizeof(create->rootfs.volume), volid);
		if ((r = store_config(task, create, err)) < 0)
			return r;
	}
	task_log("volume %s, %.0f MiB", volid, (double)create->request.size / MIB);
	if ((r = volid_parse(volid, &parsed, err)) < 0)
		return r;
	return storage->driver->path(storage->def, &parsed, &create->volume_path, err);
}

static int make_mp(struct task_ctx *task, struct create *create, const struct field *f,
		   struct err *err)
{
	const char *key = f->name + strlen("set.");
	autofree char *value = NULL;
	struct ct_new_volume volume;
	struct ct_mp mp;
	int r = ct_mp_parse(key, f->value, &mp, err);

	if (r < 0 || (r = ct_new_volume_open(task, &mp, &create->config, &volume, err)) < 0)
		return r;
	value = ct_mp_value(f->value, volume.volid, volume.size);
	guest_config_set(&create->config, key, value);
	r = store_config(task, create, err);
	if (r == 0 && (r = ct_new_volume_make(task, &volume, err)) == -ERR_EXISTS) {
		guest_config_delete(&create->config, key); /* it is not ours to be removed */
		(void)store_config(task, create, NULL);
	}
	ct_new_volume_close(&volume);
	return r < 0 ? err_prefix(err, "%s", key) : 0;
}

static int make_mps(struct task_ctx *task, struct create *create, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < task->args.count; i++)
		if (str_starts(task->args.items[i].name, "set.mp"))
			r = make_mp(task, create, &task->args.items[i], err);
	return r;
}

static int unpack(const struct task_ctx *task, const struct create *create, int root,
		  struct err *err)
{
	uint64_t kib = 0;
	autofree char *program = path_join(path_libexec(), "lodge-task");
	autofd int archive = open(create->template_path.data, O_RDONLY | O_CLOEXEC);
	int r;

	if (archive < 0)
		return err_set(err, ERR_IO, "open template '%s'", create->template_path.data);
	str_to_u64(fields_get(&task->args, "bwlimit") ?: "0", &kib);
	const struct ct_unpack what = {.program = program,
				       .archive = archive,
				       .root = root,
				       .rate = kib * 1024,
				       .deadline = clock_monotonic() + UNPACK_TIMEOUT};

	r = ct_unpack(&what, err);
	return r < 0 ? err_prefix(err, "unpack template") : 0;
}

static int fill_root(struct task_ctx *task, struct create *create, int root, struct err *err)
{
	const struct ct_setup_credentials credentials = {
		.password = fields_get(&task->args, "password"),
		.ssh_keys = fields_get(&task->args, "ssh-public-keys"),
	};
	int r;

	if ((r = unpack(task, create, root, err)) < 0 &&
	    ct_bool_arg(task, "ignore-unpack-errors") && err->code != ERR_CANCELLED) {
		task_warn(task, "%s", err->message);
		r = 0;
	}
	if (r < 0)
		return r;
	*create->os = ct_os_of(root, &create->config);
	if ((r = ct_setup_settings(task, root, &create->config, true, err)) < 0 ||
	    (r = ct_setup_new(task, root, &credentials, err)) < 0)
		return r;
	return syncfs(root) == 0 ? 0 : err_set(err, ERR_IO, "sync the new root");
}

/* What is mounted below goes first; each is written out by its own unmounting. */
static int umount_tree(const char *target)
{
	autobuf text = BUF_INIT;

	for (int tries = 0; umount2(target, 0) != 0; tries++) {
		autofree char *last = NULL;

		if (errno != EBUSY || tries > CT_MPS_MAX)
			return -1;
		buf_clear(&text);
		(void)file_read("/proc/self/mountinfo", MOUNTINFO_MAX, &text, NULL);
		autostrv char **lines = str_split(buf_str(&text), "\n");

		for (char **line = lines; *line; line++) {
			autostrv char **words = str_split(*line, " ");

			if (strv_count(words) < 5 || !ct_path_is_below(words[4], target) ||
			    str_eq(words[4], target))
				continue;
			free(last);
			last = xstrdup(words[4]);
		}
		if (!last || umount2(last, 0) != 0)
			return -1;
	}
	return 0;
}

/* The root is still empty, but a volume that was there before may hold links: the place is opened inside the root, and
 * never named again. */
static int mount_mp(int root, const struct ct_mp *mp, const char *path, struct err *err)
{
	int r = rootdir_make(root, mp->path, 0755, err);
	autofd int fd = r < 0 ? -1 : rootdir_open(root, mp->path, O_PATH | O_DIRECTORY);

	if (r < 0)
		return r;
	if (fd < 0)
		return err_errno(err, -fd, "guest's %s", mp->path);
	autofree char *place = xasprintf("/proc/self/fd/%d", fd);

	return ct_mount_volume(path, place, MS_NODEV | MS_NOSUID | MS_NOEXEC, err);
}

static int mount_mps(struct task_ctx *task, const struct create *create, int root, struct err *err)
{
	autofree struct ct_mp *mps = NULL;
	size_t count = 0;
	int r = ct_config_mps(&create->config, &mps, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		autobuf path = BUF_INIT;

		if (!mps[i].is_folder && (r = ct_mp_path(task, &mps[i], &path, err)) == 0)
			r = mount_mp(root, &mps[i], buf_str(&path), err);
	}
	return r;
}

/* In a process of its own: the mount is in its namespace alone and goes with it. */
static int fill_child(struct task_ctx *task, void *ctx, struct err *err)
{
	struct create *create = ctx;
	autofree char *target = ct_mount_point(task->guest);
	int root, r;

	if ((r = ct_mount_isolate(err)) < 0 ||
	    (r = ct_mount_volume(create->volume_path.data, target, MS_NODEV | MS_NOSUID | MS_NOEXEC,
				 err)) < 0)
		return r;
	root = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(err, ERR_IO, "open the mounted root");
	if ((r = mount_mps(task, create, root, err)) == 0)
		r = fill_root(task, create, root, err);
	close(root);
	if (umount_tree(target) != 0 && r == 0)
		r = err_set(err, ERR_IO, "unmount the new root");
	return r;
}

/* A sparse image on a full storage: the file system inside only sees that a write failed. */
static int name_full_storage(const struct create *create, struct err *err)
{
	struct statvfs room;

	if (statvfs(create->volume_path.data, &room) == 0 &&
	    (uint64_t)room.f_bavail * room.f_frsize < FULL_BELOW)
		return err_set(err, ERR_NO_SPACE, "storage '%s': No space left on device",
			       create->request.storage);
	return -err->code;
}

/* What was found out about the system stays with the container, where it is seen and can be changed. */
static void keep_ostype(struct create *create)
{
	const struct ct_os *os = *create->os;

	if (os && os->ostype && !guest_config_get(&create->config, "ostype"))
		guest_config_set(&create->config, "ostype", os->ostype);
}

static int fill_volume(struct task_ctx *task, struct create *create, struct err *err)
{
	size_t size = sizeof(*create->os);
	int r;

	create->os = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (create->os == MAP_FAILED)
		return err_errno(err, errno, "mmap");
	r = ct_child_run(task, fill_child, create, 0, err);
	if (r == 0)
		keep_ostype(create);
	munmap(create->os, size);
	create->os = NULL;
	return r < 0 && err->code == ERR_IO ? name_full_storage(create, err) : r;
}

/* The image file itself must be on disk before the config says that the container is there. */
static int sync_volume(const struct create *create, struct err *err)
{
	autofd int fd = open(create->volume_path.data, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return err_set(err, ERR_IO, "sync volume '%s'", create->volume_path.data);
	return 0;
}

static int create_steps(struct task_ctx *task, struct create *create, struct err *err)
{
	autofree char *target = ct_mount_point(task->guest);
	int r;

	if ((r = read_request(task, create, err)) < 0 || (r = make_volume(task, create, err)) < 0 ||
	    (r = task_check_cancelled(err)) < 0 || (r = reserve(create, err)) < 0 ||
	    (r = ct_volume_mkfs(buf_str(&create->volume_path), err)) < 0 ||
	    (r = make_mps(task, create, err)) < 0 || (r = task_check_cancelled(err)) < 0 ||
	    (r = fill_volume(task, create, err)) < 0)
		return r;
	(void)rmdir(target);
	if ((r = sync_volume(create, err)) < 0)
		return r;
	guest_config_delete(&create->config, "lock");
	return store_config(task, create, err);
}

static void undo(struct task_ctx *task, const struct create *create)
{
	struct err err = ERR_INIT;

	task_log("creation failed: removing what was made");
	if (create_undo(task, create->has_volume, &err) < 0)
		task_warn(task, "could not remove everything: %s", err.message);
}

/* The container's monitor is a fork of this process and lives as long as the container. */
static void forget_secrets(struct task_ctx *task)
{
	static const char *const names[] = {"password", "ssh-public-keys"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct field *field = fields_find(&task->args, names[i]);

		if (field)
			explicit_bzero(field->value, field->size);
		fields_remove(&task->args, names[i]);
	}
}

int vzcreate_run(struct task_ctx *task, struct err *err)
{
	struct create create = {0};
	int r;

	if ((r = task_config_get(task, "lxc", &create.config, &create.version, err)) < 0)
		return r;
	if (!str_eq(guest_config_get(&create.config, "lock"), "create")) {
		create_fini(&create);
		return err_set(err, ERR_BUSY, "CT %u is not being created", task->guest);
	}
	if ((r = task_slot_enter(task, err)) == 0)
		r = create_steps(task, &create, err);
	if (r < 0)
		undo(task, &create);
	task_slot_leave();
	create_fini(&create);
	forget_secrets(task);
	if (r == 0 && ct_bool_arg(task, "start"))
		return ct_start(task, err);
	return r < 0 ? err_prefix(err, "unable to create CT %u", task->guest) : 0;
}
