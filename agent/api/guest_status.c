/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a guest's state and load: limits from the configuration, the rest from facts. Pure. */
#include "agent/api/guest_status.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/notices.h"

/* Clients know "running" and "stopped"; "unknown" is shown until the monitor has listed guests. Of a machine that is
 * paused qmpstatus tells. */
static const char *status_name(const struct guest_status *s)
{
	bool hides_pause = s->ops->is_machine && s->fact->state == GUEST_PAUSED;

	return guest_state_name(hides_pause ? GUEST_RUNNING : s->fact->state);
}

static void text_write(const struct guest_status *s, const char *key, struct json *j)
{
	const char *value = s->config ? guest_config_get(s->config, key) : NULL;

	if (value)
		json_kv_string(j, key, value);
}

static void limits_write(const struct guest_status *s, struct json *j)
{
	struct guest_shape shape = {0};

	if (s->config)
		s->ops->shape(s->config, &shape);
	json_kv_uint(j, "cpus", shape.cores ? shape.cores : s->node_cpus);
	json_kv_uint(j, "maxmem", shape.memory);
	if (s->ops->has_swap)
		json_kv_uint(j, "maxswap", shape.swap);
	json_kv_uint(j, "maxdisk", s->fact->max_disk ? s->fact->max_disk : shape.disk);
}

static uint64_t uptime(const struct guest_status *s)
{
	if (s->fact->observed == 0 || s->now < s->fact->observed)
		return s->fact->uptime;
	return s->fact->uptime + (s->now - s->fact->observed) / USEC_PER_SEC;
}

static void load_write(const struct guest_status *s, struct json *j)
{
	static const struct guest_fact idle = {0};
	bool is_running = s->fact->state == GUEST_RUNNING || s->fact->state == GUEST_PAUSED;
	const struct guest_fact *fact = is_running ? s->fact : &idle;

	json_kv_double(j, "cpu", fact->cpu);
	json_kv_uint(j, "mem", fact->mem);
	if (s->ops->has_swap)
		json_kv_uint(j, "swap", fact->swap);
	json_kv_uint(j, "disk", fact->disk);
	json_kv_uint(j, "diskread", fact->disk_read);
	json_kv_uint(j, "diskwrite", fact->disk_write);
	json_kv_uint(j, "netin", fact->net_in);
	json_kv_uint(j, "netout", fact->net_out);
	json_kv_uint(j, "uptime", is_running ? uptime(s) : 0);
	if (is_running && fact->pid > 0)
		json_kv_int(j, "pid", fact->pid);
}

static void notices_write(const struct guest_status *s, struct json *j)
{
	autofields notices = FIELDS_INIT;

	if (s->config)
		guest_notices(s->config, &notices);
	if (notices.count == 0)
		return;
	json_key(j, "notices");
	json_array_begin(j);
	for (size_t i = 0; i < notices.count; i++)
		json_string(j, notices.items[i].value);
	json_array_end(j);
}

/* What somebody asked for, or the guest itself did in order, is nothing to be told. */
static bool is_plain(const char *reason)
{
	static const char *const plain[] = {"", "shutdown", "destroyed", "saved", "migrated"};

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (str_eq(reason, plain[i]))
			return true;
	return false;
}

void guest_end_write(const struct guest_fact *fact, struct json *j)
{
	if (fact->state != GUEST_STOPPED || is_plain(fact->reason))
		return;
	json_kv_string(j, "reason", fact->reason);
	if (fact->exit_code)
		json_kv_uint(j, "exit-code", fact->exit_code);
	if (fact->exit_signal)
		json_kv_uint(j, "exit-signal", fact->exit_signal);
}

void guest_status_write(const struct guest_status *s, struct json *j)
{
	char name[32];
	const char *template = s->config ? guest_config_get(s->config, "template") : NULL;

	json_object_begin(j);
	json_kv_uint(j, "vmid", s->vmid);
	json_kv_string(j, "type", s->ops->name);
	json_kv_string(j, "status", status_name(s));
	json_kv_string(j, "name",
		       guest_display_name(s->ops, s->config, s->vmid, name, sizeof(name)));
	json_kv_bool(j, "template", str_eq(template, "1"));
	text_write(s, "tags", j);
	text_write(s, "lock", j);
	limits_write(s, j);
	load_write(s, j);
	if (s->ops->is_machine)
		json_kv_string(j, "qmpstatus", guest_state_name(s->fact->state));
	guest_end_write(s->fact, j);
	if (s->with_ha) {
		json_key(j, "ha");
		json_object_begin(j);
		json_kv_int(j, "managed", 0);
		json_object_end(j);
		notices_write(s, j);
	}
	json_object_end(j);
}
