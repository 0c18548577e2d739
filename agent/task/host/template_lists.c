/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lists of templates of this node: the one that Lodge brings, then the administrator's. Helper and job processes only. */
#include "agent/task/host/templates.h"

#include <dirent.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "storage/template/template.h"

#define LISTS_MAX 64 /* of the administrator */

/* One that cannot be read hides itself alone. */
static void add_list(struct catalog *catalog, const char *path)
{
	autobuf text = BUF_INIT;
	struct err err = ERR_INIT;
	int r = file_read(path, CATALOG_TEXT_MAX, &text, &err);
	if (r == 0)
		r = catalog_add(catalog, buf_str(&text), text.size, &err);
	if (r < 0)
		log_warning("list of templates %s: %s", path, err.message);
}

static int is_list(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && str_ends(entry->d_name, ".list");
}

void templates_load(struct catalog *ret)
{
	autofree char *own = path_join(path_share(), "templates.list");
	autofree char *folder = path_join(path_etc(), "templates.d");
	struct dirent **names = NULL;
	add_list(ret, own);
	int count = scandir(folder, &names, is_list, alphasort);
	for (int i = 0; i < count; i++) {
		autofree char *path = path_join(folder, "%s", names[i]->d_name);
		if (i < LISTS_MAX)
			add_list(ret, path);
		free(names[i]);
	}
	if (count > LISTS_MAX)
		log_warning("%s: only the first %d lists are read", folder, LISTS_MAX);
	free(names);
}

/* What makes it is here, and the key that its source is checked by. What is downloaded needs nothing. */
static bool is_possible(const struct catalog_entry *entry)
{
	const char *make = catalog_entry_get(entry, "make");
	const char *keyring = catalog_entry_get(entry, "keyring");
	if (!catalog_entry_is_for(entry, template_arch()))
		return false;
	if (!make)
		return true;
	return access(str_eq(make, "busybox") ? "/bin/busybox" : "/usr/bin/mmdebstrap", X_OK) ==
		       0 &&
	       (!keyring || access(keyring, R_OK) == 0);
}

const struct catalog_entry *templates_next(const struct catalog *catalog,
					   const struct catalog_entry *after)
{
	size_t i = after ? (size_t)(after - catalog->items) + 1 : 0;
	for (; i < catalog->count; i++)
		if (is_possible(&catalog->items[i]))
			return &catalog->items[i];
	return NULL;
}

int templates_find(const struct catalog *catalog, const char *file,
		   const struct catalog_entry **ret, struct err *err)
{
	const struct catalog_entry *entry = NULL;
	while ((entry = templates_next(catalog, entry))) {
		autofree char *own = catalog_entry_text(entry, "file", template_arch());
		if (!str_eq(own, file))
			continue;
		*ret = entry;
		return 0;
	}
	return err_field(err, "template", "this node has no template '%.200s' in its lists",
			 file ? file : "");
}
