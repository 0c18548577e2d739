/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Start-up work of the core, all of it by the writer thread or by helper processes. A failure is
 * logged and stops nothing. Runs on the core's loop. */
#include "agent/core/setup.h"

#include <json-c/json.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "storage/volid/storage_cfg.h"

#define STORAGE_CFG_PATH "/storage.cfg"
#define TLS_TIMEOUT	 (30 * USEC_PER_SEC)
#define TLS_EVERY	 (24 * 3600 * USEC_PER_SEC) /* the helper renews what will soon end */
#define NETWORK_TIMEOUT	 (60 * USEC_PER_SEC)
#define OUTPUT_MAX	 65536

static void on_storage_written(const struct store_result *result, void *ctx)
{
	struct core *core = ctx;

	core->is_storage_first = false;
	if (result->outcome != STORE_DONE && result->outcome != STORE_REFUSED)
		log_error("first %s: %s", STORAGE_CFG_PATH, result->err.message);
}

void setup_storage(struct core *core)
{
	struct store_value value;
	struct err err = ERR_INIT;

	if (store_get(core->store, STORAGE_CFG_PATH, &value))
		return;
	autofree char *local = path_join(path_state(), "local");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	/* the format is a constant of lodge_volid */
	autofree char *text = xasprintf(storage_cfg_default_format, local);
#pragma GCC diagnostic pop
	const struct store_precondition absent = {.path = STORAGE_CFG_PATH, .version = 0};
	const struct store_op put = {
		.kind = STORE_PUT, .path = STORAGE_CFG_PATH, .value = text, .size = strlen(text)};
	const struct store_txn txn = {.who = "node",
				      .preconditions = &absent,
				      .precondition_count = 1,
				      .ops = &put,
				      .op_count = 1};
	core->is_storage_first = true;
	if (store_submit(core->store, &txn, on_storage_written, core, &err) < 0) {
		core->is_storage_first = false;
		log_error("first %s: %s", STORAGE_CFG_PATH, err.message);
	}
}

static int on_tls_time(sd_event_source *source, uint64_t now, void *ctx)
{
	(void)now;
	setup_tls(ctx);
	sd_event_source_set_time_relative(source, TLS_EVERY);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

static void on_tls(const struct err *err, struct buf *output, void *ctx)
{
	(void)output;
	(void)ctx;
	if (err->code != 0)
		log_error("HTTPS certificate: %s", err->message);
}

void setup_tls(struct core *core)
{
	struct err err = ERR_INIT;

	if (helpers_run(core->helpers, "tls-init", NULL, TLS_TIMEOUT, on_tls, NULL, NULL, &err) < 0)
		log_error("HTTPS certificate: %s", err.message);
	if (!core->tls_timer)
		sd_event_add_time_relative(core->event, &core->tls_timer, CLOCK_MONOTONIC,
					   TLS_EVERY, 60 * USEC_PER_SEC, on_tls_time, core);
}

/* What the helper found wrong beyond what it may change: who reads the log shall know. */
static void log_warnings(const struct buf *output)
{
	struct json_object *root = NULL, *warnings = NULL;

	if (!output || json_parse(output->data, output->size, OUTPUT_MAX, &root, NULL) < 0)
		return;
	json_object_object_get_ex(root, "warnings", &warnings);
	for (size_t i = 0; json_object_is_type(warnings, json_type_array) &&
			   i < json_object_array_length(warnings);
	     i++)
		log_warning("guests' network: %s",
			    json_object_get_string(json_object_array_get_idx(warnings, i)));
	json_object_put(root);
}

static void on_network(const struct err *err, struct buf *output, void *ctx)
{
	struct core *core = ctx;
	void (*done)(struct core * core) = TAKE(core->network.done);

	core->network.is_running = false;
	if (err->code != 0)
		log_error("guests' network: %s", err->message);
	else
		log_warnings(output);
	if (core->network.is_wanted)
		setup_network(core, NULL);
	if (done)
		done(core);
}

/* One at a time: applying it may itself cause the event that asks for it, so that there is at most
 * one more. */
void setup_network(struct core *core, void (*done)(struct core *core))
{
	struct err err = ERR_INIT;

	if (done)
		core->network.done = done;
	core->network.is_wanted = core->network.is_running;
	if (core->network.is_running)
		return;
	core->network.is_running = true;
	if (helpers_run(core->helpers, "net-apply", NULL, NETWORK_TIMEOUT, on_network, core, NULL,
			&err) < 0)
		on_network(&err, NULL, core);
}
