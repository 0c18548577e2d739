/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Retention of backups. Pure. */
#include "storage/volid/prune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define PERIOD_MAX 32

enum period { EACH, HOUR, DAY, WEEK, MONTH, YEAR };

/* In the order in which they are applied. */
static const struct {
	const char *key;
	enum period period; /* EACH: every backup is one of its own */
} options[] = {
	{"keep-last", EACH},   {"keep-hourly", HOUR},	{"keep-daily", DAY},
	{"keep-weekly", WEEK}, {"keep-monthly", MONTH}, {"keep-yearly", YEAR},
};

static const char *const names[] = {
	[PRUNE_KEEP] = "keep",
	[PRUNE_REMOVE] = "remove",
	[PRUNE_PROTECTED] = "protected",
	[PRUNE_RENAMED] = "renamed",
};

const char *prune_mark_name(enum prune_mark mark)
{
	return names[mark];
}

bool prune_name_parse(const struct volid *volume, struct prune_backup *ret)
{
	struct tm when = {.tm_isdst = -1};
	unsigned vmid;
	int end = 0;
	snprintf(ret->volid, sizeof(ret->volid), "%.100s:%.400s", volume->storage, volume->name);
	ret->vmid = volume->vmid;
	if (sscanf(volume->file, "vzdump-%7[a-z]-%u-%4d_%2d_%2d-%2d_%2d_%2d%n", ret->type, &vmid,
		   &when.tm_year, &when.tm_mon, &when.tm_mday, &when.tm_hour, &when.tm_min,
		   &when.tm_sec, &end) != 8 ||
	    volume->file[end] != '.') {
		ret->mark = PRUNE_RENAMED;
		return false;
	}
	when.tm_year -= 1900;
	when.tm_mon -= 1;
	time_t time = mktime(&when);
	ret->ctime = time > 0 ? (uint64_t)time : 0;
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct prune_backup *x = a, *y = b;
	if (x->vmid != y->vmid)
		return x->vmid < y->vmid ? -1 : 1;
	int r = strcmp(x->type, y->type);
	if (r == 0 && x->ctime != y->ctime)
		r = x->ctime > y->ctime ? -1 : 1;
	return r ? r : strcmp(x->volid, y->volid);
}

/* A text that is the same for all backups of one period. */
static void period_of(const struct prune_backup *backup, enum period period, char ret[PERIOD_MAX])
{
	time_t when = (time_t)backup->ctime;
	struct tm t = {0};
	ret[0] = '\0';
	localtime_r(&when, &t);
	if (period == WEEK)
		strftime(ret, PERIOD_MAX, "%G week %V", &t);
	else
		snprintf(ret, PERIOD_MAX, "%d/%d/%d/%d", t.tm_year, period < YEAR ? t.tm_mon : 0,
			 period < MONTH ? t.tm_mday : 0, period == HOUR ? t.tm_hour : 0);
}

/* Has a kept one of this guest that period? */
static bool is_covered(const struct prune_backup *backups, size_t count, const bool *kept,
		       enum period period, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		char other[PERIOD_MAX];
		if (!kept[i])
			continue;
		period_of(&backups[i], period, other);
		if (str_eq(other, text))
			return true;
	}
	return false;
}

/* One option over one guest's backups, newest first: the newest of each period that none covers yet. */
static void keep_some(const struct prune_backup *backups, size_t count, bool *kept,
		      enum period period, uint64_t want)
{
	for (size_t i = 0; i < count && want > 0; i++) {
		char text[PERIOD_MAX];
		if (kept[i] || backups[i].mark != PRUNE_REMOVE)
			continue;
		if (period != EACH) {
			period_of(&backups[i], period, text);
			if (is_covered(backups, count, kept, period, text))
				continue;
		}
		kept[i] = true;
		want--;
	}
}

static void mark_guest(const uint64_t *wants, struct prune_backup *backups, size_t count)
{
	autofree bool *kept = xcalloc(count, sizeof(*kept));
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		keep_some(backups, count, kept, options[i].period, wants[i]);
	for (size_t i = 0; i < count; i++)
		if (kept[i])
			backups[i].mark = PRUNE_KEEP;
}

static int take_option(const char *text, uint64_t *wants, bool *ret_all, struct err *err)
{
	const char *value = strchr(text, '=');
	for (size_t i = 0; value && i < ARRAY_SIZE(options); i++) {
		size_t size = strlen(options[i].key);
		if (size != (size_t)(value - text) || memcmp(text, options[i].key, size) != 0)
			continue;
		if (str_to_u64(value + 1, &wants[i]))
			return 0;
	}
	if (value && str_starts(text, "keep-all=") && str_to_bool(value + 1, ret_all))
		return 0;
	return err_field(err, "prune-backups", "bad option '%.64s'", text);
}

/* is_all: nothing is asked for, so nothing goes. */
static int parse(const char *rule, uint64_t *wants, bool *ret_all, struct err *err)
{
	autostrv char **parts = str_split(rule ? rule : "", ",");
	bool is_all = false;
	uint64_t sum = 0;
	for (size_t i = 0; parts[i]; i++) {
		int r = take_option(parts[i], wants, &is_all, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		sum |= wants[i];
	*ret_all = is_all || sum == 0;
	return 0;
}

int prune_mark(const char *rule, struct prune_backup *backups, size_t count, struct err *err)
{
	uint64_t wants[ARRAY_SIZE(options)] = {0};
	bool is_all;
	int r = parse(rule, wants, &is_all, err);
	if (r < 0)
		return r;
	if (count > 0)
		qsort(backups, count, sizeof(*backups), compare);
	for (size_t i = 0; i < count; i++)
		if (backups[i].mark != PRUNE_RENAMED)
			backups[i].mark = backups[i].is_protected ? PRUNE_PROTECTED
					  : is_all		  ? PRUNE_KEEP
								  : PRUNE_REMOVE;
	for (size_t i = 0, next; !is_all && i < count; i = next) {
		for (next = i + 1; next < count && backups[next].vmid == backups[i].vmid &&
				   str_eq(backups[next].type, backups[i].type);)
			next++;
		mark_guest(wants, backups + i, next - i);
	}
	return 0;
}
