/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the trees of btrfs: which subvolumes lie in one, and where; which quota groups there are. A search asks the
 * kernel for what it knows, where a walk over a guest's files would last as long as they are many. Job and helper
 * processes only. */
#include "storage/btrfs.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"

#define NESTED_MAX 4096 /* subvolumes directly in one */
#define DEPTH_MAX  4096 /* folders on the way to one */
#define FOUND_ALL  1

/* 0: go on, FOUND_ALL: enough. */
typedef int (*item_fn)(const struct btrfs_ioctl_search_header *head, const void *data, void *ctx);

/* All items of one object and type, by offset; -errno. */
static int search(int fd, uint64_t tree, uint64_t object, uint32_t type, item_fn each, void *ctx)
{
	uint64_t from = 0;
	for (;;) {
		struct btrfs_ioctl_search_args args = {.key = {.tree_id = tree,
							       .min_objectid = object,
							       .max_objectid = object,
							       .min_type = type,
							       .max_type = type,
							       .min_offset = from,
							       .max_offset = UINT64_MAX,
							       .max_transid = UINT64_MAX,
							       .nr_items = 4096}};
		if (ioctl(fd, BTRFS_IOC_TREE_SEARCH, &args) < 0)
			return -errno;
		if (args.key.nr_items == 0)
			return 0;
		const char *at = args.buf, *end = args.buf + sizeof(args.buf);
		for (uint32_t i = 0; i < args.key.nr_items; i++) {
			struct btrfs_ioctl_search_header head;
			if ((size_t)(end - at) < sizeof(head))
				return -EUCLEAN;
			memcpy(&head, at, sizeof(head));
			at += sizeof(head);
			if ((size_t)(end - at) < head.len)
				return -EUCLEAN;
			int r = each(&head, at, ctx);
			if (r != 0)
				return r;
			at += head.len;
			if (head.offset == UINT64_MAX)
				return 0;
			from = head.offset + 1;
		}
	}
}

uint64_t btrfs_tree_id(int fd)
{
	struct btrfs_ioctl_ino_lookup_args args = {.objectid = BTRFS_FIRST_FREE_OBJECTID};
	return ioctl(fd, BTRFS_IOC_INO_LOOKUP, &args) < 0 ? 0 : args.treeid;
}

/* -- nested subvolumes ------------------------------------------------------------------------- */

struct nested_list {
	struct btrfs_nested *items;
	size_t count;
};

static bool take_name(const void *data, size_t size, size_t head, uint16_t length, char ret[256])
{
	if (length == 0 || length > 255 || size < head + length)
		return false;
	memcpy(ret, (const char *)data + head, length);
	ret[length] = '\0';
	return !strchr(ret, '/') && strlen(ret) == length;
}

static int add_nested(const struct btrfs_ioctl_search_header *head, const void *data, void *ctx)
{
	struct nested_list *list = ctx;
	struct btrfs_root_ref ref;
	struct btrfs_nested item = {.id = head->offset};
	if (head->len < sizeof(ref))
		return -EUCLEAN;
	memcpy(&ref, data, sizeof(ref));
	item.folder = le64toh(ref.dirid);
	if (!take_name(data, head->len, sizeof(ref), le16toh(ref.name_len), item.name))
		return -EUCLEAN;
	if (list->count >= NESTED_MAX)
		return -E2BIG;
	list->items = xrealloc(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = item;
	return 0;
}

int btrfs_nested_list(int fd, struct btrfs_nested **ret, size_t *ret_count, struct err *err)
{
	struct nested_list list = {0};
	uint64_t id = btrfs_tree_id(fd);
	int r = id == 0 ? -errno
			: search(fd, BTRFS_ROOT_TREE_OBJECTID, id, BTRFS_ROOT_REF_KEY, add_nested,
				 &list);
	if (r < 0) {
		free(list.items);
		return r == -E2BIG ? err_set(err, ERR_LIMIT,
					     "more than %d subvolumes in one that a guest made",
					     NESTED_MAX)
				   : err_errno(err, -r, "find the subvolumes that a guest made");
	}
	*ret = list.items;
	*ret_count = list.count;
	return 0;
}

struct way {
	uint64_t parent;
	char name[256];
};

static int take_way(const struct btrfs_ioctl_search_header *head, const void *data, void *ctx)
{
	struct way *way = ctx;
	struct btrfs_inode_ref ref;
	if (head->len < sizeof(ref))
		return -EUCLEAN;
	memcpy(&ref, data, sizeof(ref));
	way->parent = head->offset;
	return take_name(data, head->len, sizeof(ref), le16toh(ref.name_len), way->name) ? FOUND_ALL
											 : -EUCLEAN;
}

/* From a folder up to the root of its subvolume; a path may be longer than any call takes. */
static int find_way(int fd, uint64_t tree, uint64_t folder, struct way **ret, size_t *ret_count)
{
	size_t count = 0;
	while (folder != BTRFS_FIRST_FREE_OBJECTID) {
		struct way way;
		int r = count < DEPTH_MAX
				? search(fd, tree, folder, BTRFS_INODE_REF_KEY, take_way, &way)
				: -ENAMETOOLONG;
		if (r <= 0)
			return r < 0 ? r : -ENOENT;
		*ret = xrealloc(*ret, count + 1, sizeof(**ret));
		(*ret)[count++] = way;
		folder = way.parent;
	}
	*ret_count = count;
	return 0;
}

int btrfs_open_inode(int fd, uint64_t folder, struct err *err)
{
	autofree struct way *ways = NULL;
	size_t count = 0;
	int r = find_way(fd, btrfs_tree_id(fd), folder, &ways, &count);
	autofd int at = r < 0 ? r : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (; at >= 0 && count > 0; count--) {
		int next = openat(at, ways[count - 1].name,
				  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = next < 0 ? -errno : 0;
		close(at);
		at = next;
	}
	return at < 0 ? err_errno(err, r < 0 ? -r : errno, "folder of a subvolume inside")
		      : TAKE_FD(at);
}

/* -- quota groups --------------------------------------------------------------------------------- */

static int take_flags(const struct btrfs_ioctl_search_header *head, const void *data, void *ctx)
{
	struct btrfs_qgroup_status_item status = {0};
	memcpy(&status, data, head->len < sizeof(status) ? head->len : sizeof(status));
	*(uint64_t *)ctx = le64toh(status.flags);
	return FOUND_ALL;
}

bool btrfs_quota_flags(int fd, uint64_t *ret)
{
	return search(fd, BTRFS_QUOTA_TREE_OBJECTID, 0, BTRFS_QGROUP_STATUS_KEY, take_flags, ret) ==
	       FOUND_ALL;
}

struct groups {
	uint64_t *ids;
	size_t count;
};

/* Groups of single subvolumes that count nothing. */
static int add_empty(const struct btrfs_ioctl_search_header *head, const void *data, void *ctx)
{
	struct groups *groups = ctx;
	struct btrfs_qgroup_info_item info;
	if (head->len < sizeof(info))
		return -EUCLEAN;
	memcpy(&info, data, sizeof(info));
	if (head->offset >> BTRFS_QGROUP_LEVEL_SHIFT || head->offset < BTRFS_FIRST_FREE_OBJECTID ||
	    info.rfer || info.excl)
		return 0;
	groups->ids = xrealloc(groups->ids, groups->count + 1, sizeof(*groups->ids));
	groups->ids[groups->count++] = head->offset;
	return 0;
}

static int found(const struct btrfs_ioctl_search_header *head, const void *data, void *ctx)
{
	(void)head, (void)data, (void)ctx;
	return FOUND_ALL;
}

size_t btrfs_stale_groups(int fd, uint64_t **ret)
{
	struct groups groups = {0};
	size_t kept = 0;
	(void)search(fd, BTRFS_QUOTA_TREE_OBJECTID, 0, BTRFS_QGROUP_INFO_KEY, add_empty, &groups);
	for (size_t i = 0; i < groups.count; i++)
		if (search(fd, BTRFS_ROOT_TREE_OBJECTID, groups.ids[i], BTRFS_ROOT_ITEM_KEY, found,
			   NULL) == 0)
			groups.ids[kept++] = groups.ids[i];
	*ret = groups.ids;
	return kept;
}
