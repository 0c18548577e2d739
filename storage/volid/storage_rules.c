/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules for definitions of storages. Pure. */
#include "storage/volid/storage_rules.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define PATH_MAX_SIZE 1024
#define FILES	      "images,rootdir,vztmpl,iso,backup,snippets,import"

static const struct {
	const char *type, *contents;
} types[] = {{"dir", FILES}, {"btrfs", FILES}};

/* Keys beside those that every type has. */
static const struct {
	const char *type, *key;
} keys[] = {
	{"dir", "content-dirs"},
	{"dir", "snapshot-as-volume-chain"},
	{"btrfs", "nocow"},
};
static const char *const common_keys[] = {
	"path",
	"content",
	"nodes",
	"disable",
	"shared",
	"prune-backups",
	"format",
	"bwlimit",
	"max-protected-backups",
	"preallocation",
	"is_mountpoint",
	"mkdir",
	"create-base-path",
	"create-subdirs",
};

/* What the system keeps there is not to be mixed with guests' disks. */
static const char *const refused[] = {"/bin",  "/boot", "/dev",	 "/etc", "/lib", "/lib32", "/lib64",
				      "/proc", "/run",	"/sbin", "/sys", "/usr", "/tmp"};

bool storage_rules_has_type(const char *type)
{
	return storage_rules_contents(type) != NULL;
}

const char *storage_rules_contents(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_eq(types[i].type, type))
			return types[i].contents;
	return NULL;
}

static bool has_key(const char *type, const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(common_keys); i++)
		if (str_eq(common_keys[i], key))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (str_eq(keys[i].key, key) && str_eq(keys[i].type, type))
			return true;
	return false;
}

static int check_content(const struct storage_def *def, struct err *err)
{
	const char *content = storage_def_get(def, "content");
	autostrv char **can = str_split(storage_rules_contents(def->type), ",");
	autostrv char **wants = str_split(content ? content : "", ",; ");
	for (size_t i = 0; wants[i]; i++) {
		if (str_eq(wants[i], "none") && wants[1])
			return err_field(err, "content", "'none' cannot stand with other content");
		if (!str_eq(wants[i], "none") && !strv_has(can, wants[i]))
			return err_field(err, "content",
					 "storage type '%s' does not support content type '%s'",
					 def->type, wants[i]);
	}
	return 0;
}

static int check_format(const struct storage_def *def, struct err *err)
{
	const char *format = storage_def_get(def, "format");
	bool can = str_eq(format, "raw") || str_eq(format, "qcow2") ||
		   (str_eq(format, "subvol") && str_eq(def->type, "btrfs"));
	if (format && !can)
		return err_field(err, "format",
				 "storage type '%s' does not make volumes of "
				 "format '%s'",
				 def->type, format);
	return 0;
}

static int check_mountpoint(const struct storage_def *def, struct err *err)
{
	const char *text = storage_def_get(def, "is_mountpoint");
	bool on;
	if (text && text[0] != '/' && !str_to_bool(text, &on))
		return err_field(err, "is_mountpoint", "yes, no or an absolute path, not '%.64s'",
				 text);
	return 0;
}

static int check_chain(const struct storage_def *def, struct err *err)
{
	bool on = false;
	str_to_bool(storage_def_get(def, "snapshot-as-volume-chain"), &on);
	return on ? err_field(err, "snapshot-as-volume-chain",
			      "snapshots as a chain of volumes are not supported by this version")
		  : 0;
}

/* "keep-all" stands alone. */
static int check_prune(const struct storage_def *def, struct err *err)
{
	const char *rule = storage_def_get(def, "prune-backups");
	autostrv char **parts = str_split(rule ? rule : "", ",");
	bool has_all = strv_has(parts, "keep-all=1") || strv_has(parts, "keep-all=yes");
	if (has_all && strv_count(parts) > 1)
		return err_field(err, "prune-backups", "keep-all cannot stand with other options");
	return 0;
}

int storage_rules_check(const struct storage_def *def, struct err *err)
{
	static int (*const checks[])(const struct storage_def *, struct err *) = {
		check_content, check_format, check_mountpoint, check_chain, check_prune};
	if (!storage_rules_has_type(def->type))
		return err_field(err, "type", "storage type '%s' is not supported by this version",
				 def->type);
	for (size_t i = 0; i < def->keys.count; i++) {
		const char *key = def->keys.items[i].name;
		if (!has_key(def->type, key))
			return err_field(err, key, "storage type '%s' has no property '%s'",
					 def->type, key);
	}
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(checks); i++)
		r = checks[i](def, err);
	return r;
}

/* Is b the same folder as a, or below it? */
static bool is_within(const char *a, const char *b)
{
	const char *rest = str_after(b, a);
	return rest && (*rest == '\0' || *rest == '/');
}

static bool is_normal(const char *path)
{
	autostrv char **parts = str_split(path, "/");
	size_t size = 0;
	for (size_t i = 0; parts[i]; i++) {
		if (str_eq(parts[i], ".") || str_eq(parts[i], ".."))
			return false;
		size += strlen(parts[i]) + 1;
	}
	return path[0] == '/' && size == strlen(path); /* no "//", no "/" at the end */
}

static bool is_agents(const char *path, const char *state)
{
	static const char *const folders[] = {"db", "tasks", "tls"};
	if (is_within(path, state))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		autofree char *own = xasprintf("%s/%s", state, folders[i]);
		if (is_within(own, path))
			return true;
	}
	return false;
}

static int check_path(const char *path, const char *state, struct err *err)
{
	if (str_is_empty(path))
		return err_field(err, "path", "property is missing and it is not optional");
	if (strlen(path) > PATH_MAX_SIZE)
		return err_field(err, "path", "value may only be %d characters long",
				 PATH_MAX_SIZE);
	if (str_eq(path, "/"))
		return err_field(err, "path",
				 "the root of the file system is no place for a "
				 "storage");
	if (!is_normal(path))
		return err_field(err, "path",
				 "an absolute path without '.', '..', '//' and '/' at its end");
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (is_within(refused[i], path))
			return err_field(err, "path", "%s belongs to the system", refused[i]);
	if (is_agents(path, state))
		return err_field(err, "path", "'%s' holds the agent's own files", path);
	return 0;
}

/* Beside refused[]: root may have reasons to put a storage there. */
static const char *const of_the_system[] = {"/home", "/libx32", "/lost+found", "/nix",
					    "/opt",  "/root",	"/snap",       "/var"};

int storage_rules_check_others(const struct storage_def *def, struct err *err)
{
	const char *path = storage_def_get(def, "path");
	if (str_is_empty(path) || is_within("/var/lib/vz", path))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(of_the_system); i++)
		if (is_within(of_the_system[i], path))
			return err_set(
				err, ERR_DENIED,
				"only root@pam can put folders of a storage below %s; others "
				"may below /srv, /mnt, /media and folders of their own",
				of_the_system[i]);
	return 0;
}

/* Both without a list, or a node in both lists. */
static bool share_a_node(const struct storage_def *a, const struct storage_def *b)
{
	const char *x = storage_def_get(a, "nodes"), *y = storage_def_get(b, "nodes");
	if (str_is_empty(x) || str_is_empty(y))
		return true;
	autostrv char **nodes = str_split(x, ",; ");
	for (size_t i = 0; nodes[i]; i++)
		if (storage_def_is_on_node(b, nodes[i]))
			return true;
	return false;
}

int storage_rules_check_place(const struct storage_cfg *cfg, const struct storage_def *def,
			      const char *state, struct err *err)
{
	const char *path = storage_def_get(def, "path");
	int r = check_path(path, state, err);
	for (size_t i = 0; r == 0 && i < cfg->count; i++) {
		const struct storage_def *other = &cfg->items[i];
		const char *its = storage_def_get(other, "path");
		if (str_eq(other->id, def->id) || str_is_empty(its) || !share_a_node(def, other))
			continue;
		if (is_within(its, path) || is_within(path, its))
			r = err_field(err, "path",
				      "'%s' and '%s' of storage '%s' lie within each "
				      "other",
				      path, its, other->id);
	}
	return r;
}

char *storage_rules_folder(const struct storage_def *def, const char *content)
{
	const char *list = storage_def_get(def, "content-dirs");
	autostrv char **parts = str_split(list ? list : "", ", ");
	for (size_t i = 0; parts[i]; i++) {
		const char *rest = str_after(parts[i], content);
		if (rest && *rest == '=' && rest[1])
			return xstrdup(rest + 1);
	}
	return NULL;
}
