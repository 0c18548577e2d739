/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps the parsed access configuration in step with the store. Runs in the core's loop; what does
 * not parse is logged and counts as empty, so that a damaged file never opens a door. */
#include "agent/auth/access_internal.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static void load_user_cfg(struct access *access, const struct store_value *value)
{
	struct err err = ERR_INIT;
	struct usercfg *cfg;

	if (!value) {
		cfg = usercfg_new();
	} else if (usercfg_parse(value->data, value->size, &cfg, &err) < 0) {
		log_error("%s: %s; until it is mended only %s is known", PATH_USER_CFG, err.message,
			  ROOT_USERID);
		cfg = usercfg_new();
	}
	if (!access->cfg || !usercfg_has_same_pools(access->cfg, cfg))
		access->pools_generation++;
	usercfg_free(access->cfg);
	access->cfg = cfg;
	access->generation++;
	access_rights_flush(access);
}

static void load_secrets(struct secrets **slot, const char *path, const struct store_value *value)
{
	struct err err = ERR_INIT;
	struct secrets *secrets;

	if (!value) {
		secrets = secrets_new();
	} else if (secrets_parse(value->data, value->size, &secrets, &err) < 0) {
		log_error("%s: %s; it counts as empty until it is mended", path, err.message);
		secrets = secrets_new();
	}
	secrets_free(*slot);
	*slot = secrets;
}

static void load_shadow(struct access *access, const struct store_value *value)
{
	load_secrets(&access->shadow, PATH_SHADOW_CFG, value);
}

static void load_tokens(struct access *access, const struct store_value *value)
{
	load_secrets(&access->tokens, PATH_TOKEN_CFG, value);
}

static const struct source {
	const char *path;
	void (*load)(struct access *access, const struct store_value *value /* NULL: absent */);
} sources[] = {
	{PATH_USER_CFG, load_user_cfg},
	{PATH_SHADOW_CFG, load_shadow},
	{PATH_TOKEN_CFG, load_tokens},
	{PATH_AUTHKEY, access_key_load},
};

static void on_change(const struct store_change *change, void *ctx)
{
	struct access *access = ctx;

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		if (str_eq(change->value.path, sources[i].path))
			sources[i].load(access,
					change->kind == STORE_CHANGE_PUT ? &change->value : NULL);
}

int access_new(struct store *store, struct access **ret, struct err *err)
{
	struct access *access = xcalloc(1, sizeof(*access));
	struct store_value value;

	(void)err;
	access->store = store;
	list_init(&access->edits);
	list_init(&access->pending);
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		sources[i].load(access, store_get(store, sources[i].path, &value) ? &value : NULL);
	access->on_user_cfg = store_subscribe(store, PATH_USER_CFG, on_change, access);
	access->on_priv = store_subscribe(store, PATH_PRIV, on_change, access);
	access_key_ensure(access);
	*ret = access;
	return 0;
}

void access_free(struct access *access)
{
	if (!access)
		return;
	access_edits_drop(access);
	store_unsubscribe(access->on_user_cfg);
	store_unsubscribe(access->on_priv);
	LIST_FOREACH (&access->pending, op, struct access_op, link) {
		list_remove(&op->link);
		op->access = NULL;
	}
	access_rights_flush(access);
	usercfg_free(access->cfg);
	secrets_free(access->shadow);
	secrets_free(access->tokens);
	explicit_bzero(access->key, sizeof(access->key));
	free(access);
}

void access_op_start(struct access *access, struct access_op *op)
{
	op->access = access;
	list_append(&access->pending, &op->link);
}

struct access *access_op_end(struct access_op *op)
{
	struct access *access = op->access;

	if (access)
		list_remove(&op->link);
	op->access = NULL;
	return access;
}

uint64_t access_generation(const struct access *access)
{
	return access->generation;
}

uint64_t access_pools_generation(const struct access *access)
{
	return access->pools_generation;
}

const char *access_pool_of(const struct access *access, unsigned vmid)
{
	char path[32];
	snprintf(path, sizeof(path), "/vms/%u", vmid);
	const struct cfg_pool *pool = usercfg_pool_of(access->cfg, path);

	return pool ? pool->id : NULL;
}

const struct usercfg *access_usercfg(const struct access *access)
{
	return access->cfg;
}

const char *access_password_hash(const struct access *access, const char *userid)
{
	return shadow_hash(access->shadow, userid);
}

uint64_t access_tickets_since(const struct access *access, const char *userid)
{
	return shadow_since(access->shadow, userid);
}
