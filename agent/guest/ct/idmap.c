/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the id ranges that belong to root, and those that a container wants. Runs in jobs. */
#include "agent/guest/ct/idmap.h"

#include "agent/base/fd.h"
#include "agent/base/str.h"

#define SUBID_FILE_MAX (1024 * 1024)
#define KEY	       "lxc.idmap"

/* "root:100000:65536"; false: another user's, or malformed */
static bool read_line(const char *line, uint64_t *ret_first, uint64_t *ret_count)
{
	autostrv char **parts = str_split(line, ":");

	return strv_count(parts) == 3 && (str_eq(parts[0], "root") || str_eq(parts[0], "0")) &&
	       str_to_u64(parts[1], ret_first) && str_to_u64(parts[2], ret_count) &&
	       *ret_count <= UINT32_MAX && *ret_first <= UINT32_MAX;
}

uint32_t ct_subid_find(const char *text)
{
	autostrv char **lines = str_split(text, "\n");

	for (char **line = lines; *line; line++) {
		uint64_t first, count;

		if (read_line(*line, &first, &count) && first > 0 && count >= CT_IDMAP_COUNT &&
		    first < UINT32_MAX - CT_IDMAP_COUNT)
			return (uint32_t)first;
	}
	return 0;
}

static bool is_roots(const char *text, uint64_t first, uint64_t count)
{
	autostrv char **lines = str_split(text, "\n");

	for (char **line = lines; *line; line++) {
		uint64_t own_first, own_count;

		if (read_line(*line, &own_first, &own_count) && first >= own_first &&
		    first + count <= own_first + own_count)
			return true;
	}
	return false;
}

static bool overlap(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
	return (uint64_t)a < (uint64_t)b + b_count && (uint64_t)b < (uint64_t)a + a_count;
}

static int range_add(struct ct_id_range *ranges, unsigned *count, const struct ct_id_range *range,
		     const char *value, struct err *err)
{
	if (*count >= CT_IDMAP_RANGES)
		return err_field(err, "lxc", KEY ": more than %d ranges", CT_IDMAP_RANGES);
	for (unsigned i = 0; i < *count; i++)
		if (overlap(ranges[i].inside, ranges[i].count, range->inside, range->count) ||
		    overlap(ranges[i].host, ranges[i].count, range->host, range->count))
			return err_field(err, "lxc", KEY ": '%s' overlaps another range", value);
	ranges[(*count)++] = *range;
	return 0;
}

/* "u 0 100000 65536" */
static int range_parse(const char *value, const char *subuid, const char *subgid,
		       struct ct_idmap *map, struct err *err)
{
	autostrv char **parts = str_split(value, " \t");
	uint64_t inside, host, count;
	bool is_uid = str_eq(parts[0], "u");

	if (strv_count(parts) != 4 || (!is_uid && !str_eq(parts[0], "g")) ||
	    !str_to_u64(parts[1], &inside) || !str_to_u64(parts[2], &host) ||
	    !str_to_u64(parts[3], &count) || count == 0 || inside + count > UINT32_MAX ||
	    host + count > UINT32_MAX || inside > UINT32_MAX || host > UINT32_MAX ||
	    count > UINT32_MAX)
		return err_field(err, "lxc", KEY ": '%s' is not 'u|g INSIDE OUTSIDE COUNT'", value);
	if (!is_roots(is_uid ? subuid : subgid, host, count))
		return err_field(err, "lxc",
				 KEY ": '%s': /etc/%s does not give these ids to root; add the "
				     "line 'root:%llu:%llu'",
				 value, is_uid ? "subuid" : "subgid", (unsigned long long)host,
				 (unsigned long long)count);
	const struct ct_id_range range = {(uint32_t)inside, (uint32_t)host, (uint32_t)count};

	return is_uid ? range_add(map->uid, &map->uids, &range, value, err)
		      : range_add(map->gid, &map->gids, &range, value, err);
}

bool ct_idmap_host(const struct ct_id_range *ranges, unsigned count, uint32_t inside, uint32_t *ret)
{
	for (unsigned i = 0; i < count; i++) {
		if (inside < ranges[i].inside || inside - ranges[i].inside >= ranges[i].count)
			continue;
		*ret = ranges[i].host + (inside - ranges[i].inside);
		return true;
	}
	return false;
}

int ct_idmap_parse(const struct guest_config *config, const char *subuid, const char *subgid,
		   struct ct_idmap *ret, struct err *err)
{
	const struct fields *keys = &config->sections[0].keys;
	struct ct_idmap map = {0};
	uint32_t root;

	for (size_t i = 0; i < keys->count; i++) {
		int r;

		if (!str_eq(keys->items[i].name, KEY))
			continue;
		if ((r = range_parse(keys->items[i].value, subuid, subgid, &map, err)) < 0)
			return r;
	}
	if (map.uids == 0 && map.gids == 0)
		return 0;
	if (!ct_idmap_host(map.uid, map.uids, 0, &root) ||
	    !ct_idmap_host(map.gid, map.gids, 0, &root))
		return err_field(err, "lxc", KEY ": user 0 and group 0 need a range, too");
	*ret = map;
	return 1;
}

static int default_range(const char *path, const char *text, struct ct_id_range *ret,
			 struct err *err)
{
	uint32_t first = ct_subid_find(text);

	if (first == 0)
		return err_set(err, ERR_UNAVAILABLE,
			       "unprivileged containers need ids of their own: add the line "
			       "'root:100000:65536' to %s",
			       path);
	*ret = (struct ct_id_range){.host = first, .count = CT_IDMAP_COUNT};
	return 0;
}

int ct_idmap_read(const struct guest_config *config, struct ct_idmap *ret, struct err *err)
{
	autobuf uids = BUF_INIT, gids = BUF_INIT;
	struct ct_idmap map = {.uids = 1, .gids = 1};
	int r;

	(void)file_read("/etc/subuid", SUBID_FILE_MAX, &uids, NULL);
	(void)file_read("/etc/subgid", SUBID_FILE_MAX, &gids, NULL);
	r = ct_idmap_parse(config, buf_str(&uids), buf_str(&gids), ret, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if ((r = default_range("/etc/subuid", buf_str(&uids), &map.uid[0], err)) < 0 ||
	    (r = default_range("/etc/subgid", buf_str(&gids), &map.gid[0], err)) < 0)
		return r;
	*ret = map;
	return 0;
}
