/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text form of task names. Pure; used by every process. Strict: what it accepts is a safe file
 * name, with room for ".status". */
#include "agent/base/upid.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define PID_MAX	 0x7fffffffu
#define TIME_MAX 0xffffffffu
#define TEXT_MAX 248 /* file names end at 255 bytes; ".status" must fit */

/* All but node, type, id, user, with the longest numbers. */
#define FIXED_SIZE strlen("UPID::01234567:012345678:01234567::::")

/* node: letters, digits, inner '-'; type, id: visible ASCII without ':' and '/', as they are part of a
 * file name; user: the same, but a name has letters of any script. */
static bool is_node(const char *s, size_t size)
{
	if (size == 0 || s[0] == '-' || s[size - 1] == '-')
		return false;
	for (size_t i = 0; i < size; i++) {
		bool is_letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z');

		if (!is_letter && !(s[i] >= '0' && s[i] <= '9') && s[i] != '-')
			return false;
	}
	return true;
}

static bool is_part(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == ':' || s[i] == '/')
			return false;
	return size > 0;
}

static bool is_user(const char *s, size_t size)
{
	return size > 0 && !strpbrk(s, ":/") && str_is_word(s, size);
}

static bool is_id(const char *s, size_t size)
{
	return size == 0 || is_part(s, size);
}

static int check(const struct upid *u, struct err *err)
{
	const struct {
		const char *name, *value;
		bool (*is_valid)(const char *s, size_t size);
	} parts[] = {{"type", u->type, is_part}, {"id", u->id, is_id}, {"user", u->user, is_user}};

	if (!is_node(u->node, strnlen(u->node, sizeof(u->node))))
		return err_field(err, "upid", "invalid node name in task id");
	if (u->pid < 0 || u->pid_start > UPID_PID_START_MAX || u->start_time > TIME_MAX)
		return err_field(err, "upid", "number out of range in task id");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (!parts[i].is_valid(parts[i].value, strlen(parts[i].value)))
			return err_field(err, "upid", "invalid %s in task id", parts[i].name);
	return 0;
}

size_t upid_id_room(const struct upid *u)
{
	size_t used = FIXED_SIZE + strlen(u->node) + strlen(u->type) + strlen(u->user);

	return used < TEXT_MAX ? TEXT_MAX - used : 0;
}

int upid_format(const struct upid *upid, char ret[UPID_MAX], struct err *err)
{
	char text[UPID_MAX];
	int r = check(upid, err);

	if (r < 0)
		return r;
	/* The parts' sizes add up to less than UPID_MAX. */
	snprintf(text, sizeof(text), "UPID:%s:%08X:%08llX:%08llX:%s:%s:%s:", upid->node,
		 (unsigned)upid->pid, (unsigned long long)upid->pid_start,
		 (unsigned long long)upid->start_time, upid->type, upid->id, upid->user);
	if (strlen(text) > TEXT_MAX)
		return err_field(err, "upid", "task id is too long");
	memcpy(ret, text, strlen(text) + 1);
	return 0;
}

/* One component up to ':'; NULL when it does not fit or the colon is missing. */
static const char *take(const char *at, char *dst, size_t size)
{
	const char *end = at ? strchr(at, ':') : NULL;

	if (!end || (size_t)(end - at) >= size)
		return NULL;
	memcpy(dst, at, (size_t)(end - at));
	dst[end - at] = '\0';
	return end + 1;
}

static const char *take_hex(const char *at, size_t digits_max, uint64_t max, uint64_t *ret)
{
	char text[16];
	const char *rest = take(at, text, sizeof(text));
	size_t size = rest ? strlen(text) : 0;

	if (size < 8 || size > digits_max || !str_hex_to_u64(text, size, ret) || *ret > max)
		return NULL;
	return rest;
}

int upid_parse(const char *text, struct upid *ret, struct err *err)
{
	struct upid u = {0};
	uint64_t pid = 0;
	const char *at = text ? str_after(text, "UPID:") : NULL;

	at = take(at, u.node, sizeof(u.node));
	at = take_hex(at, 8, PID_MAX, &pid);
	at = take_hex(at, 9, UPID_PID_START_MAX, &u.pid_start);
	at = take_hex(at, 8, TIME_MAX, &u.start_time);
	at = take(at, u.type, sizeof(u.type));
	at = take(at, u.id, sizeof(u.id));
	at = take(at, u.user, sizeof(u.user));
	u.pid = (pid_t)pid;
	if (!at || *at || strlen(text) > TEXT_MAX)
		return err_field(err, "upid", "unable to parse worker upid '%.200s'",
				 text ? text : "");
	if (check(&u, err) < 0)
		return -ERR_INVALID;
	*ret = u;
	return 0;
}
