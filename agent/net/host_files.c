/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes /etc/resolv.conf, /etc/hosts and the time zone of this host. */
#include "agent/net/host_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/digest.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define RESOLV	  "/etc/resolv.conf"
#define HOSTS	  "/etc/hosts"
#define LOCALTIME "/etc/localtime"
#define TIMEZONE  "/etc/timezone"
#define ZONEINFO  "/usr/share/zoneinfo/"
#define ZONE_MAX  64

/* Reading what is there and writing another one is one step. Whoever waits too long is ended by the core. */
static int take_lock(int *ret, struct err *err)
{
	autofree char *path = path_join(path_run(), "host-files.lock");
	autofd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	while (fd >= 0 && flock(fd, LOCK_EX) != 0)
		if (errno != EINTR)
			return err_errno(err, errno, "lock %s", path);
	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	*ret = TAKE_FD(fd);
	return 0;
}

/* ---- DNS ---- */

static bool is_own_line(const char *line)
{
	static const char *const words[] = {"nameserver", "search", "domain"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *rest = str_after(line, words[i]);

		if (rest && (*rest == '\0' || strchr(" \t\n", *rest)))
			return true;
	}
	return false;
}

void host_resolv_text(const char *old, const char *search, const char *const *servers,
		      struct buf *out)
{
	const char *end;

	if (!str_is_empty(search) && !str_eq(search, "."))
		buf_addf(out, "search %s\n", search);
	for (size_t i = 0; servers[i]; i++)
		buf_addf(out, "nameserver %s\n", servers[i]);
	for (const char *line = old; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (!is_own_line(line) && end != line)
			buf_addf(out, "%.*s\n", (int)(end - line), line);
	}
}

/* What is written through a link, or by a resolver of the host, is gone with its next word. */
static int check_resolv_owner(const char *old, struct err *err)
{
	static const char *const writers[] = {"systemd-resolved", "NetworkManager", "resolvconf"};
	const char *end;
	struct stat st;

	if (lstat(RESOLV, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(err, ERR_UNSUPPORTED,
			       "another program of this host writes " RESOLV
			       " (it is a link): set its name servers there");
	/* the head of the file says it */
	for (const char *line = old; *line == '#'; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
			if (memmem(line, (size_t)(end - line), writers[i], strlen(writers[i])))
				return err_set(err, ERR_UNSUPPORTED,
					       "%s writes " RESOLV
					       " of this host: set its name servers there",
					       writers[i]);
	}
	return 0;
}

int host_helper_dns(const struct fields *args, struct buf *out, struct err *err)
{
	static const char *const keys[] = {"dns1", "dns2", "dns3"};
	const char *servers[4] = {NULL};
	autobuf old = BUF_INIT, text = BUF_INIT;
	autofd int lock = -1;
	size_t count = 0;
	int r = take_lock(&lock, err);

	(void)out;
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!str_is_empty(fields_get(args, keys[i])))
			servers[count++] = fields_get(args, keys[i]);
	if (file_read(RESOLV, HOST_FILE_MAX, &old, NULL) < 0)
		buf_clear(&old);
	if ((r = check_resolv_owner(buf_str(&old), err)) < 0)
		return r;
	host_resolv_text(buf_str(&old), fields_get(args, "search"), servers, &text);
	return file_write_atomic(RESOLV, text.data ? text.data : "", text.size, 0644, err);
}

/* ---- names ---- */

static int check_digest(const char *wanted, struct err *err)
{
	char now[SHA1_HEX_SIZE];
	autobuf old = BUF_INIT;
	int r;

	if (str_is_empty(wanted))
		return 0;
	if ((r = file_read(HOSTS, HOST_FILE_MAX, &old, err)) < 0)
		return r;
	digest_sha1_hex(buf_str(&old), old.size, now);
	if (!str_eq(now, wanted))
		return err_set(err, ERR_CONFLICT,
			       "detected modified configuration - file changed by other user? Try "
			       "again.");
	return 0;
}

/* A line is an address and names; anything else is a mistake that takes names away from the node. */
static int check_hosts(const char *text, struct err *err)
{
	autostrv char **lines = str_split(text, "\n");

	for (char **line = lines; *line; line++) {
		(*line)[strcspn(*line, "#")] = '\0';
		autostrv char **words = str_split(*line, " \t\r");

		if (strv_count(words) == 1 ||
		    (words[0] && strspn(words[0], "0123456789abcdefABCDEF.:%") == 0))
			return err_field(err, "data", "'%.60s' is no address with names", *line);
	}
	return 0;
}

int host_helper_hosts(const struct fields *args, struct buf *out, struct err *err)
{
	const struct field *data = fields_find(args, "data");
	autobuf text = BUF_INIT;
	autofd int lock = -1;
	int r;

	(void)out;
	if (!data || memchr(data->value, '\0', data->size))
		return err_field(err, "data", "not a text");
	buf_add(&text, data->value, data->size);
	if (text.size > 0 && text.data[text.size - 1] != '\n')
		buf_add_char(&text, '\n');
	if ((r = check_hosts(buf_str(&text), err)) < 0 || (r = take_lock(&lock, err)) < 0 ||
	    (r = check_digest(fields_get(args, "digest"), err)) < 0)
		return r;
	return file_write_atomic(HOSTS, buf_str(&text), text.size, 0644, err);
}

/* ---- time ---- */

bool host_zone_is_name(const char *name)
{
	if (strlen(name) > ZONE_MAX || name[0] < 'A' || name[0] > 'Z')
		return false;
	for (const char *c = name; *c; c++) {
		bool is_word = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			       (*c >= '0' && *c <= '9') || strchr("_+-", *c);

		if (!is_word && (*c != '/' || c[1] == '/' || c[1] == '\0'))
			return false;
	}
	return true;
}

static int replace_link(const char *path, const char *target, struct err *err)
{
	autofree char *new = xasprintf("%s.lodge-new", path);

	(void)unlink(new);
	if (symlink(target, new) != 0 || rename(new, path) != 0) {
		int errnum = errno;

		(void)unlink(new);
		return err_errno(err, errnum, "%s", path);
	}
	return 0;
}

int host_helper_time(const struct fields *args, struct buf *out, struct err *err)
{
	const char *zone = fields_get(args, "timezone");
	autofree char *file = NULL, *line = NULL;
	struct stat st;
	int r;

	(void)out;
	if (str_is_empty(zone) || !host_zone_is_name(zone))
		return err_field(err, "timezone", "'%s' is not a time zone", zone ? zone : "");
	file = xasprintf(ZONEINFO "%s", zone);
	if (stat(file, &st) != 0 || !S_ISREG(st.st_mode))
		return err_field(err, "timezone", "this node has no time zone '%s'", zone);
	if ((r = replace_link(LOCALTIME, file, err)) < 0 || access(TIMEZONE, F_OK) != 0)
		return r;
	line = xasprintf("%s\n", zone);
	return file_write_atomic(TIMEZONE, line, strlen(line), 0644, err);
}
