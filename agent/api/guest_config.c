/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's configuration over the API: shown, changed, and what waits for the next start. Runs on
 * the core's loop; changes go through the store and hold only if nobody else changed it meanwhile.
 */
#include <string.h>
#include <strings.h>

#include "agent/api/guest_handlers.h"
#include "agent/api/guest_keys.h"
#include "agent/api/guest_request.h"
#include "agent/api/guest_snapshot.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/update.h"
#include "agent/guest/view.h"

int guest_handle_config_get(struct api_request *req, struct err *err)
{
	const char *snapshot = api_str(req, "snapshot");
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r < 0)
		return r;
	if (snapshot)
		return guest_snapshot_show(req, &target, snapshot, err);
	guest_config_write(target.ops, target.guest->config, api_bool(req, "current", false),
			   &req->json);
	return 0;
}

int guest_handle_pending(struct api_request *req, struct err *err)
{
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r < 0)
		return r;
	guest_pending_write(target.ops, target.guest->config, &req->json);
	return 0;
}

void guest_request_config_fields(const struct api_request *req, struct fields *ret)
{
	const struct guest_kind_ops *ops = guest_request_ops(req);

	for (size_t i = 0; i < req->params.count; i++) {
		const struct field *f = &req->params.items[i];

		if (param_find(ops->params, f->name))
			fields_add_n(ret, f->name, f->value, f->size);
	}
}

int guest_request_check_digest(const struct api_request *req, const char *name,
			       const struct guest_config *config, struct err *err)
{
	const char *digest = api_str(req, name);

	if (str_is_empty(digest) || strcasecmp(digest, config->digest) == 0)
		return 0;
	return err_set(err, ERR_CONFLICT,
		       "detected modified configuration - file changed by other user? Try again.");
}

/* Root may take the lock itself away. */
static int check_lock(const struct api_request *req, const struct guest_target *target,
		      const struct guest_update *update, struct err *err)
{
	autostrv char **deleted = str_split(update->delete_list ?: "", ",; ");

	return strv_has(deleted, "lock") ? 0 : guest_request_check_lock(req, target, NULL, err);
}

static int stored(struct api_request *req, struct err *err)
{
	(void)req;
	(void)err;
	return 0;
}

int guest_request_store(struct api_request *req, const struct guest_target *target,
			const struct guest_config *config, struct err *err)
{
	autofree char *path =
		guest_config_path(target->guest->node, target->guest->kind, target->vmid);
	autobuf text = BUF_INIT;
	char digest[SHA1_HEX_SIZE];

	guest_config_format(config, &text);
	digest_sha1_hex(buf_str(&text), text.size, digest);
	if (str_eq(digest, target->guest->config->digest))
		return 0; /* nothing changes, nothing is written */
	if (text.size > GUEST_CONFIG_MAX)
		return err_set(err, ERR_LIMIT, "configuration would be larger than %d bytes",
			       GUEST_CONFIG_MAX);
	struct store_precondition unchanged = {.path = path, .version = target->guest->version};
	struct store_op put = {
		.kind = STORE_PUT, .path = path, .value = buf_str(&text), .size = text.size};

	return api_store(req,
			 &(struct store_txn){
				 .who = api_user(req),
				 .preconditions = &unchanged,
				 .precondition_count = 1,
				 .ops = &put,
				 .op_count = 1,
			 },
			 stored, err);
}

int guest_handle_config_put(struct api_request *req, struct err *err)
{
	autofields set = FIELDS_INIT;
	struct guest_config config __attribute__((cleanup(guest_config_fini))) = {0};
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r < 0)
		return r;
	guest_request_config_fields(req, &set);
	struct guest_update update = {
		.set = &set,
		.delete_list = api_str(req, "delete"),
		.revert_list = api_str(req, "revert"),
		.raw = api_str(req, "lxc"),
		.is_running = guest_target_may_run(req, &target),
	};

	if (set.count == 0 && !update.delete_list && !update.revert_list && !update.raw)
		return err_set(err, ERR_INVALID, "no options specified");
	r = guest_keys_check(req, &target, &update, err);
	if (r == 0)
		r = guest_request_check_digest(req, "digest", target.guest->config, err);
	if (r == 0)
		r = check_lock(req, &target, &update, err);
	if (r < 0)
		return r;
	guest_config_copy(&config, target.guest->config);
	r = guest_config_update(target.ops, &config, &update, err);
	return r < 0 ? r : guest_request_store(req, &target, &config, err);
}
