/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an identity may do on a path, with a bounded cache of answers that is dropped at each change
 * of the configuration. Runs in the core's loop. */
#include <string.h>

#include "agent/auth/access_internal.h"
#include "agent/auth/privs.h"
#include "agent/auth/rights.h"
#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

/* Callers may hold an identity of whatever age, so its names are looked up again here. */
static struct rights resolve(const struct access *access, const struct identity *who,
			     const char *path)
{
	const struct usercfg *cfg = access->cfg;
	struct rights rights, own;

	if (who->is_local_root && !who->is_token)
		return (struct rights){PRIVSET_ALL, PRIVSET_ALL, false};
	if (!map_get(cfg->users, who->userid) ||
	    (who->is_token && !map_get(cfg->tokens, who->tokenid)))
		return (struct rights){0};
	rights = acl_user_rights(cfg, who->userid, path);
	if (!who->is_token || !who->has_privsep)
		return rights;
	own = acl_token_rights(cfg, who->tokenid, path);
	return (struct rights){
		.granted = rights.granted & own.granted,
		.propagated = rights.propagated & own.propagated,
		.is_denied = rights.is_denied || own.is_denied,
	};
}

bool access_is_unlimited(const struct identity *who)
{
	return str_eq(who->userid, ROOT_USERID) && !(who->is_token && who->has_privsep);
}

static uint64_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325ull; /* FNV-1a: only picks the slot, the key is compared */

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3ull;
	return h ^ (h >> 32);
}

struct rights access_rights(struct access *access, const struct identity *who, const char *path)
{
	autofree char *key = xasprintf("%d%d%s:%s", who->is_local_root, who->has_privsep,
				       who->is_token ? who->tokenid : who->userid, path);
	struct rights_slot *slot = &access->slots[hash(key) % RIGHTS_CACHE_SLOTS];

	if (strlen(path) > USERCFG_ACL_PATH_MAX)
		return (struct rights){0};
	if (!str_eq(slot->key, key)) {
		free(slot->key);
		slot->key = TAKE(key);
		slot->rights = resolve(access, who, path);
	}
	return slot->rights;
}

void access_rights_flush(struct access *access)
{
	for (size_t i = 0; i < RIGHTS_CACHE_SLOTS; i++) {
		free(access->slots[i].key);
		access->slots[i].key = NULL;
	}
}

privset access_privileges(struct access *access, const struct identity *who, const char *path)
{
	return access_rights(access, who, path).granted;
}

int access_check(struct access *access, const struct identity *who, const char *path, privset need,
		 bool any, struct err *err)
{
	privset has = access_privileges(access, who, path);
	autobuf names = BUF_INIT;

	if (any ? (has & need) != 0 : (has & need) == need)
		return 0;
	privset_format(any ? need : need & ~has, any ? "|" : ", ", &names);
	return err_set(err, ERR_DENIED, "Permission check failed (%s, %s)", path, buf_str(&names));
}

bool access_may(struct access *access, const struct identity *who, const char *path,
		const char *privs)
{
	privset any;

	return privset_from_names(privs, &any, NULL) == 0 &&
	       (access_privileges(access, who, path) & any) != 0;
}
