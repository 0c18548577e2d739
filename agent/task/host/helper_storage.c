/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions about a storage: capacity, content, one volume. Helper processes: each may hang with the file
 * system it asks. */
#include "agent/task/host/helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/host/volume.h"
#include "storage/reserve.h"

#define PROTECTED_MAX 5

int helper_storage_status(const struct fields *args, struct buf *out, struct err *err)
{
	autotarget target = {0};
	struct storage_space space;
	struct json j;
	int r = volume_target_storage(args, &target, err);
	if (r == 0)
		r = target.driver->activate(&target.def, err);
	if (r == 0)
		r = reserve_status(&target.def, &space, err);
	if (r < 0)
		return r;
	json_init(&j, out);
	json_object_begin(&j);
	json_kv_bool(&j, "active", true);
	json_kv_uint(&j, "total", space.total);
	json_kv_uint(&j, "used", space.used);
	json_kv_uint(&j, "avail", space.available);
	json_object_end(&j);
	return 0;
}

struct content_filter {
	const char *content; /* NULL: all */
	uint64_t vmid;	     /* 0: all */
	char **containers;   /* NULL: unknown */
	const struct storage_def *def;
	struct volume_info *found;
	size_t count, capacity;
};

static bool is_guest_volume(const struct volume_info *info)
{
	return str_eq(info->content, "images") || str_eq(info->content, "rootdir");
}

/* A raw image does not tell whose it is; the list of containers does. */
static void name_content(const struct content_filter *filter, struct volume_info *info)
{
	char vmid[16];
	if (!filter->containers || !is_guest_volume(info))
		return;
	snprintf(vmid, sizeof(vmid), "%u", info->vmid);
	str_copy(info->content, sizeof(info->content),
		 strv_has(filter->containers, vmid) ? "rootdir" : "images");
}

static bool filter_matches(const struct content_filter *filter, const struct volume_info *info)
{
	if (filter->vmid && info->vmid != filter->vmid)
		return false;
	if (!filter->content)
		return true;
	if (!filter->containers && is_guest_volume(info))
		return str_eq(filter->content, "images") || str_eq(filter->content, "rootdir");
	return str_eq(filter->content, info->content);
}

static int filter_add(const struct volume_info *info, void *ctx)
{
	struct content_filter *filter = ctx;
	struct volume_info named = *info;
	name_content(filter, &named);
	if (!filter_matches(filter, &named))
		return 0;
	if (filter->count == filter->capacity) {
		filter->capacity = filter->capacity ? filter->capacity * 2 : 64;
		filter->found = xrealloc(filter->found, filter->capacity, sizeof(*filter->found));
	}
	filter->found[filter->count++] = named;
	return 0;
}

static int compare_volids(const void *a, const void *b)
{
	const struct volume_info *x = a, *y = b;
	return strcmp(x->volid, y->volid);
}

static void content_write(struct json *j, const struct volume_info *info)
{
	json_kv_string(j, "volid", info->volid);
	json_kv_string(j, "content", info->content);
	json_kv_string(j, "format", info->format);
	json_kv_uint(j, "size", info->size);
	if (is_guest_volume(info))
		json_kv_uint(j, "used", info->used);
	json_kv_uint(j, "ctime", info->ctime);
	if (info->vmid)
		json_kv_uint(j, "vmid", info->vmid);
	if (info->parent[0])
		json_kv_string(j, "parent", info->parent);
}

/* Backups only. In a list the first line of the notes is enough. */
static void attributes_write(const struct volume_target *target, struct json *j,
			     const struct volume_info *info, bool is_whole)
{
	autobuf notes = BUF_INIT;
	struct volid volume;
	if (info->is_protected)
		json_kv_bool(j, "protected", true);
	if (!info->has_notes || volid_parse(info->volid, &volume, NULL) < 0 ||
	    target->driver->notes(&target->def, &volume, &notes, NULL) < 0)
		return;
	size_t size = is_whole ? notes.size : strcspn(buf_str(&notes), "\n");
	json_key(j, "notes");
	json_string_n(j, buf_str(&notes), size);
}

static void contents_write(const struct volume_target *target, struct content_filter *filter,
			   struct buf *out)
{
	struct json j;
	if (filter->count > 0)
		qsort(filter->found, filter->count, sizeof(*filter->found), compare_volids);
	json_init(&j, out);
	json_array_begin(&j);
	for (size_t i = 0; i < filter->count; i++) {
		json_object_begin(&j);
		content_write(&j, &filter->found[i]);
		attributes_write(target, &j, &filter->found[i], false);
		json_object_end(&j);
	}
	json_array_end(&j);
}

int helper_storage_content(const struct fields *args, struct buf *out, struct err *err)
{
	autotarget target = {0};
	enum volume_content content;
	struct content_filter filter = {.content = fields_get(args, "content")};
	const char *containers = fields_get(args, "containers");
	int r = volume_target_storage(args, &target, err);
	if (r == 0 && filter.content)
		r = volume_content_from_name(filter.content, &content, err);
	if (r == 0)
		r = volume_arg_u64(args, "vmid", 0, &filter.vmid, err);
	if (r == 0)
		r = target.driver->activate(&target.def, err);
	if (r < 0)
		return r;
	autostrv char **ids = containers ? str_split(containers, ",") : NULL;
	filter.containers = ids;
	r = target.driver->list(&target.def, filter_add, &filter, err);
	if (r == 0)
		contents_write(&target, &filter, out);
	free(filter.found);
	return r;
}

int helper_storage_info(const struct fields *args, struct buf *out, struct err *err)
{
	autotarget target = {0};
	autobuf path = BUF_INIT;
	struct volume_info info;
	struct json j;
	int r = volume_target_volume(args, &target, err);
	if (r == 0)
		r = target.driver->info(&target.def, &target.volume, &info, err);
	if (r == 0)
		r = target.driver->path(&target.def, &target.volume, &path, err);
	if (r < 0)
		return r;
	json_init(&j, out);
	json_object_begin(&j);
	json_kv_string(&j, "path", buf_str(&path));
	json_kv_string(&j, "format", info.format);
	json_kv_uint(&j, "size", info.size);
	json_kv_uint(&j, "used", info.used);
	json_kv_string(&j, "content", info.content);
	json_kv_uint(&j, "ctime", info.ctime);
	if (info.vmid)
		json_kv_uint(&j, "vmid", info.vmid);
	if (info.parent[0])
		json_kv_string(&j, "parent", info.parent);
	attributes_write(&target, &j, &info, true);
	json_object_end(&j);
	return 0;
}

struct protected_count {
	unsigned vmid;
	const char *but; /* does not count */
	int64_t count;
};

static int count_protected(const struct volume_info *info, void *ctx)
{
	struct protected_count *c = ctx;
	c->count += info->is_protected && info->vmid == c->vmid && !str_eq(info->volid, c->but);
	return 0;
}

/* The definition's limit; where it has none, those who do not own the storage have one all the same. */
static int check_protected(const struct volume_target *target, const struct fields *args,
			   struct err *err)
{
	struct protected_count c = {.vmid = target->volume.vmid, .but = fields_get(args, "volid")};
	int64_t limit = fields_find(args, "owner") ? -1 : PROTECTED_MAX;
	str_to_i64(storage_def_get(&target->def, "max-protected-backups"), &limit);
	if (limit < 0)
		return 0;
	int r = target->driver->list(&target->def, count_protected, &c, err);
	if (r == 0 && c.count >= limit)
		r = err_set(err, ERR_LIMIT,
			    "guest %u has %lld protected backups on storage '%s' "
			    "already",
			    c.vmid, (long long)c.count, target->def.id);
	return r;
}

int helper_storage_attributes(const struct fields *args, struct buf *out, struct err *err)
{
	autotarget target = {0};
	const char *text = fields_get(args, "protected");
	bool is_protected = str_eq(text, "1");
	int r = volume_target_volume(args, &target, err);
	(void)out;
	if (r == 0)
		r = target.driver->activate(&target.def, err);
	if (r == 0 && is_protected)
		r = check_protected(&target, args, err);
	return r < 0 ? r
		     : target.driver->set_attributes(&target.def, &target.volume,
						     fields_get(args, "notes"),
						     text ? &is_protected : NULL, err);
}
