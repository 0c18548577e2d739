/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing our files, and our sections of others, without touching what is the user's. Runs in jobs, in forked
 * steps. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/rootdir.h"
#include "agent/guest/ct/section.h"
#include "agent/guest/ct/setup.h"

#define GUEST_FILE_MAX (1024 * 1024)
#define NAMES_MAX      1024 /* looked at in one folder */

enum owner { ABSENT, OURS, OTHERS };

/* A link is somebody's choice even where what it names only exists while the guest runs, and what cannot be read is
 * not ours. */
static enum owner read_owner(int root, const char *path, struct buf *ret_old)
{
	char link[256];
	int r;

	rootdir_read_link(root, path, link, sizeof(link));
	if (link[0])
		return OTHERS;
	r = rootdir_read(root, path, GUEST_FILE_MAX, ret_old, NULL);
	if (r == -ERR_NOT_FOUND)
		return ABSENT;
	if (r < 0 || (ret_old->size > 0 && memchr(ret_old->data, '\0', ret_old->size))) {
		buf_clear(ret_old);
		return OTHERS;
	}
	return str_starts(buf_str(ret_old), CT_SETUP_MARK) ? OURS : OTHERS;
}

int ct_setup_file(const struct ct_setup *setup, const char *path, const struct buf *body,
		  mode_t mode, struct err *err)
{
	autobuf old = BUF_INIT, text = BUF_INIT;

	if (read_owner(setup->root, path, &old) == OTHERS && !setup->is_new)
		return 0;
	buf_add_str(&text, CT_SETUP_MARK);
	buf_add(&text, body->data, body->size);
	return rootdir_write(setup->root, path, text.data, text.size, mode, err);
}

/* Of a template's file only what brings in other files stays. */
static void keep_sources(const char *old, struct buf *out)
{
	const char *end;

	for (const char *line = old; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (str_starts(line, "source ") || str_starts(line, "source-directory "))
			buf_addf(out, "%.*s\n", (int)(end - line), line);
	}
}

int ct_setup_section(const struct ct_setup *setup, const char *path, const struct buf *body,
		     struct err *err)
{
	autobuf old = BUF_INIT, text = BUF_INIT, copy = BUF_INIT;
	enum owner owner = read_owner(setup->root, path, &old);

	buf_add(&copy, body->data, body->size);
	if (owner == OTHERS && ct_section_replace(buf_str(&old), buf_str(&copy), &text))
		return rootdir_write(setup->root, path, text.data, text.size, 0644, err);
	if (body->size == 0 || (owner == OTHERS && !setup->is_new))
		return 0;
	if (owner == OTHERS)
		keep_sources(buf_str(&old), &text);
	ct_section_add(&text, buf_str(&copy));
	return rootdir_write(setup->root, path, text.data, text.size, 0644, err);
}

static bool is_stale(const char *name, const struct ct_nets *nets, const char *const affixes[2])
{
	const char *middle = str_after(name, affixes[0]);

	if (!middle || !str_ends(middle, affixes[1]))
		return false;
	for (size_t i = 0; i < nets->count; i++) {
		size_t length = strlen(nets->items[i].name);

		if (strncmp(middle, nets->items[i].name, length) == 0 &&
		    str_eq(middle + length, affixes[1]))
			return false;
	}
	return true;
}

void ct_setup_remove_stale(const struct ct_setup *setup, const struct ct_nets *nets,
			   const char *folder, const char *const affixes[2])
{
	int fd = rootdir_open(setup->root, folder, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	for (unsigned i = 0; dir && i < NAMES_MAX && (e = readdir(dir)); i++) {
		autofree char *path = xasprintf("%s/%s", folder, e->d_name);
		autobuf old = BUF_INIT;

		if (is_stale(e->d_name, nets, affixes) &&
		    read_owner(setup->root, path, &old) == OURS)
			(void)rootdir_remove(setup->root, path, NULL);
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}
