/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Static files, opened below one folder without following links. */
#include "agent/gate/request.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static const struct {
	const char *suffix, *type;
} types[] = {
	{".html", "text/html; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".mjs", "text/javascript; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".json", "application/json"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".ico", "image/x-icon"},
	{".woff2", "font/woff2"},
	{".txt", "text/plain; charset=utf-8"},
};

static const char *type_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_ends(path, types[i].suffix))
			return types[i].type;
	return "application/octet-stream";
}

static int open_below(int dir, const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
					  RESOLVE_NO_MAGICLINKS};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

void static_serve(struct request *r, const char *path)
{
	const char *file = str_eq(path, "/") ? "index.html" : path + 1;
	const char *known =
		MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "If-None-Match");
	autofd int fd = r->gate->webui_fd >= 0 ? open_below(r->gate->webui_fd, file) : -1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		request_fail(r, 404, "no such file");
		return;
	}
	r->is_static = true;
	r->state = REQUEST_ANSWERED;
	r->status = 200;
	xreplace(&r->content_type, type_of(file));
	free(r->etag);
	r->etag = xasprintf("\"%llx.%lx-%llx\"", (unsigned long long)st.st_mtim.tv_sec,
			    (unsigned long)st.st_mtim.tv_nsec, (unsigned long long)st.st_size);
	if (str_eq(known, r->etag))
		r->status = 304;
	else
		r->answer_fd = TAKE_FD(fd);
}
