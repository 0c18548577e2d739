/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parser and formatter of /user.cfg: strict, what it does not know is an error that names the line.
 * Pure; runs in the core. */
#include <string.h>

#include "agent/auth/acl.h"
#include "agent/auth/privs.h"
#include "agent/auth/usercfg.h"
#include "agent/base/digest.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define LINE_FIELDS_MAX 8

/* ---- parser ---- */

/* Free text, "" gives NULL. */
static int decode_text(const char *value, char **ret, struct err *err)
{
	autobuf text = BUF_INIT;

	if (!url_decode(value, strlen(value), false, &text) || text.size > USERCFG_TEXT_BYTES ||
	    !str_is_utf8(buf_str(&text), text.size))
		return err_set(err, ERR_CORRUPT, "bad text");
	if (text.size > 0) {
		free(*ret);
		*ret = buf_steal(&text);
	}
	return 0;
}

static int decode_bool(const char *value, bool *ret, struct err *err)
{
	if (!str_eq(value, "0") && !str_eq(value, "1"))
		return err_set(err, ERR_CORRUPT, "bad flag");
	*ret = value[0] == '1';
	return 0;
}

static int decode_time(const char *value, uint64_t *ret, struct err *err)
{
	if (!str_to_u64(value, ret) || *ret > INT64_MAX)
		return err_set(err, ERR_CORRUPT, "bad time");
	return 0;
}

static int decode_root(struct cfg_user *root, struct err *err)
{
	if (!root->enable || root->expire)
		return err_set(err, ERR_CORRUPT, "%s cannot be disabled", ROOT_USERID);
	return 0;
}

/* The functions below chain steps that return 0 on success with ?:, the first failure is returned.
 */
static int decode_user(struct usercfg *cfg, char **f, struct err *err)
{
	bool is_root = str_eq(f[0], ROOT_USERID);
	struct cfg_user *user = map_get(cfg->users, ROOT_USERID);

	return (is_root ? 0 : usercfg_add_user(cfg, f[0], &user, err))
		       ?: decode_bool(f[1], &user->enable, err)
		       ?: decode_time(f[2], &user->expire, err)
		       ?: decode_text(f[3], &user->firstname, err)
		       ?: decode_text(f[4], &user->lastname, err)
		       ?: decode_text(f[5], &user->email, err)
		       ?: decode_text(f[6], &user->comment, err)
		       ?: (is_root ? decode_root(user, err) : 0);
}

static int decode_token(struct usercfg *cfg, char **f, struct err *err)
{
	struct cfg_token *token = NULL;

	return usercfg_add_token(cfg, f[0], &token, err)
		       ?: decode_time(f[1], &token->expire, err)
		       ?: decode_bool(f[2], &token->privsep, err)
		       ?: decode_text(f[3], &token->comment, err);
}

static int decode_members(struct usercfg *cfg, const char *groupid, const char *list,
			  struct err *err)
{
	autostrv char **members = str_split(list, ",");
	int r = 0;

	for (char **m = members; *m && r == 0; m++)
		r = usercfg_set_member(cfg, groupid, *m, true, err);
	return r;
}

static int decode_group(struct usercfg *cfg, char **f, struct err *err)
{
	struct cfg_group *group = NULL;

	return usercfg_add_group(cfg, f[0], &group, err)
		       ?: decode_members(cfg, f[0], f[1], err)
		       ?: decode_text(f[2], &group->comment, err);
}

static int decode_role(struct usercfg *cfg, char **f, struct err *err)
{
	privset privs = 0;

	return privset_from_names(f[1], &privs, err) ?: usercfg_add_role(cfg, f[0], privs, err);
}

/* Members of one kind, as they follow the prefix in their path. */
static int decode_pooled(struct usercfg *cfg, struct cfg_pool *pool, const char *prefix,
			 const char *list, struct err *err)
{
	autostrv char **names = str_split(list, ",");
	int r = 0;

	for (char **name = names; *name && r == 0; name++) {
		autofree char *path = xasprintf("%s%s", prefix, *name);

		r = usercfg_pool_add(cfg, pool, path, false, err);
	}
	return r;
}

static int decode_pool(struct usercfg *cfg, char **f, struct err *err)
{
	struct cfg_pool *pool = NULL;

	return usercfg_add_pool(cfg, f[0], &pool, err) ?: decode_text(f[1], &pool->comment, err)
		       ?: decode_pooled(cfg, pool, "/vms/", f[2], err)
		       ?: decode_pooled(cfg, pool, "/storage/", f[3], err);
}

static int decode_acl(struct usercfg *cfg, char **f, struct err *err)
{
	struct acl_entry entry = {.subject = f[2], .role = f[3]};

	while (!str_eq(f[1], acl_kind_name(entry.kind)))
		if (entry.kind++ == ACL_TOKEN)
			return err_set(err, ERR_CORRUPT, "bad kind of ACL entry");
	return decode_bool(f[4], &entry.propagate, err) ?: usercfg_acl_set(cfg, f[0], &entry, err);
}

static const struct record {
	const char *name;
	size_t fields; /* without the name */
	int (*decode)(struct usercfg *cfg, char **f, struct err *err);
} records[] = {
	{"user", 7, decode_user}, {"token", 4, decode_token}, {"group", 3, decode_group},
	{"role", 2, decode_role}, {"pool", 4, decode_pool},   {"acl", 5, decode_acl},
};

static size_t split(char *line, char *ret[LINE_FIELDS_MAX])
{
	size_t count = 0;

	for (char *at = line; at && count < LINE_FIELDS_MAX;) {
		ret[count++] = at;
		at = strchr(at, ':');
		if (at && count < LINE_FIELDS_MAX)
			*at++ = '\0';
	}
	return count;
}

static int decode_line(struct usercfg *cfg, char *line, struct err *err)
{
	char *f[LINE_FIELDS_MAX];
	size_t count = split(line, f);

	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		if (str_eq(f[0], records[i].name)) {
			/* a ninth field would still hang at the eighth */
			if (count != records[i].fields + 1 || strchr(f[count - 1], ':'))
				return err_set(err, ERR_CORRUPT, "wrong number of fields");
			return records[i].decode(cfg, f + 1, err);
		}
	return err_set(err, ERR_CORRUPT, "unknown record");
}

int usercfg_parse(const char *text, size_t size, struct usercfg **ret, struct err *err)
{
	autousercfg *cfg = usercfg_new();
	unsigned number = 0;

	while (size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t length = end ? (size_t)(end - text) : size;

		number++;
		if (!end || memchr(text, '\0', length))
			return err_set(err, ERR_CORRUPT, "line %u: not a line of text", number);
		autofree char *line = xstrndup(text, length);
		struct err why = ERR_INIT;
		/* what the model calls bad input or not found is damage here */
		if (decode_line(cfg, line, &why) < 0)
			return err_set(err, ERR_CORRUPT, "line %u: %s", number, why.message);
		text = end + 1;
		size -= length + 1;
	}
	*ret = TAKE(cfg);
	return 0;
}

/* ---- formatter ---- */

static void add_text(struct buf *out, const char *text)
{
	buf_add_char(out, ':');
	if (text)
		url_encode(text, out);
}

static void format_users(const struct usercfg *cfg, struct buf *out)
{
	const char *id;

	for (const struct cfg_user *u = map_first(cfg->users, NULL, &id); u;
	     u = map_next(cfg->users, id, &id)) {
		buf_addf(out, "user:%s:%d:%llu", id, u->enable, (unsigned long long)u->expire);
		add_text(out, u->firstname);
		add_text(out, u->lastname);
		add_text(out, u->email);
		add_text(out, u->comment);
		buf_add_char(out, '\n');
	}
}

static void format_tokens(const struct usercfg *cfg, struct buf *out)
{
	const char *id;

	for (const struct cfg_token *t = map_first(cfg->tokens, NULL, &id); t;
	     t = map_next(cfg->tokens, id, &id)) {
		buf_addf(out, "token:%s:%llu:%d", id, (unsigned long long)t->expire, t->privsep);
		add_text(out, t->comment);
		buf_add_char(out, '\n');
	}
}

static void format_groups(const struct usercfg *cfg, struct buf *out)
{
	const char *id, *member;

	for (const struct cfg_group *g = map_first(cfg->groups, NULL, &id); g;
	     g = map_next(cfg->groups, id, &id)) {
		const char *comma = "";

		buf_addf(out, "group:%s:", id);
		for (void *m = map_first(g->members, NULL, &member); m;
		     m = map_next(g->members, member, &member)) {
			buf_addf(out, "%s%s", comma, member);
			comma = ",";
		}
		add_text(out, g->comment);
		buf_add_char(out, '\n');
	}
}

static void format_roles(const struct usercfg *cfg, struct buf *out)
{
	const char *id;

	for (const struct cfg_role *r = map_first(cfg->roles, NULL, &id); r;
	     r = map_next(cfg->roles, id, &id)) {
		if (r->special)
			continue;
		buf_addf(out, "role:%s:", id);
		privset_format(r->privs, ",", out);
		buf_add_char(out, '\n');
	}
}

static void add_pooled(struct buf *out, const struct cfg_pool *pool, const char *prefix)
{
	const char *path, *comma = "";

	buf_add_char(out, ':');
	for (void *m = map_first(pool->members, prefix, &path); m && str_starts(path, prefix);
	     m = map_next(pool->members, path, &path)) {
		buf_addf(out, "%s%s", comma, path + strlen(prefix));
		comma = ",";
	}
}

static void format_pools(const struct usercfg *cfg, struct buf *out)
{
	const char *id;

	for (const struct cfg_pool *p = map_first(cfg->pools, NULL, &id); p;
	     p = map_next(cfg->pools, id, &id)) {
		buf_addf(out, "pool:%s", id);
		add_text(out, p->comment);
		add_pooled(out, p, "/vms/");
		add_pooled(out, p, "/storage/");
		buf_add_char(out, '\n');
	}
}

static void format_acl(const struct usercfg *cfg, struct buf *out)
{
	const char *path;

	for (const struct acl_node *n = map_first(cfg->acl, NULL, &path); n;
	     n = map_next(cfg->acl, path, &path))
		for (size_t i = 0; i < n->count; i++)
			buf_addf(out, "acl:%s:%s:%s:%s:%d\n", path, acl_kind_name(n->items[i].kind),
				 n->items[i].subject, n->items[i].role, n->items[i].propagate);
}

void usercfg_format(const struct usercfg *cfg, struct buf *out)
{
	format_users(cfg, out);
	format_tokens(cfg, out);
	format_groups(cfg, out);
	format_roles(cfg, out);
	format_pools(cfg, out);
	format_acl(cfg, out);
}
