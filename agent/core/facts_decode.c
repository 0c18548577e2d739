/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of the facts' fields and their reader. Pure. */
#include "agent/core/facts_decode.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define VMID_MAX 999999999u

enum fact_kind { FACT_U64, FACT_UNSIGNED, FACT_PID, FACT_DOUBLE, FACT_FLAG, FACT_TEXT };

struct fact_field {
	const char *name;
	enum fact_kind kind;
	size_t offset;
	size_t size; /* of text */
	bool required;
};

#define GUEST(name, kind, member)                                                                  \
	{                                                                                          \
		name, kind, offsetof(struct guest_fact, member), 0, false                          \
	}
static const struct fact_field guest_fields[] = {
	GUEST("uptime", FACT_U64, uptime),
	GUEST("cpu", FACT_DOUBLE, cpu),
	GUEST("mem", FACT_U64, mem),
	GUEST("swap", FACT_U64, swap),
	GUEST("disk", FACT_U64, disk),
	GUEST("maxdisk", FACT_U64, max_disk),
	GUEST("diskread", FACT_U64, disk_read),
	GUEST("diskwrite", FACT_U64, disk_write),
	GUEST("netin", FACT_U64, net_in),
	GUEST("netout", FACT_U64, net_out),
};
static const struct fact_field end_fields[] = {
	GUEST("exit_code", FACT_UNSIGNED, exit_code),
	GUEST("exit_signal", FACT_UNSIGNED, exit_signal),
};
static const struct fact_field identity_fields[] = {
	GUEST("pid", FACT_PID, pid),
	GUEST("pid_start", FACT_U64, pid_start),
};

#define NODE(name, kind, member)                                                                   \
	{                                                                                          \
		name, kind, offsetof(struct node_fact, member),                                    \
			sizeof(((struct node_fact *)0)->member), false                             \
	}
#define NODE_MUST(name, kind, member)                                                              \
	{                                                                                          \
		name, kind, offsetof(struct node_fact, member), 0, true                            \
	}
static const struct fact_field node_fields[] = {
	NODE_MUST("uptime", FACT_U64, uptime),
	NODE_MUST("mem_total", FACT_U64, mem_total),
	NODE_MUST("cpus", FACT_UNSIGNED, cpus),
	NODE("mem_used", FACT_U64, mem_used),
	NODE("mem_free", FACT_U64, mem_free),
	NODE("mem_available", FACT_U64, mem_available),
	NODE("swap_total", FACT_U64, swap_total),
	NODE("swap_used", FACT_U64, swap_used),
	NODE("root_total", FACT_U64, root_total),
	NODE("root_used", FACT_U64, root_used),
	NODE("root_avail", FACT_U64, root_avail),
	NODE("cpu", FACT_DOUBLE, cpu),
	NODE("wait", FACT_DOUBLE, wait),
	NODE("load1", FACT_DOUBLE, load[0]),
	NODE("load5", FACT_DOUBLE, load[1]),
	NODE("load15", FACT_DOUBLE, load[2]),
	NODE("cores", FACT_UNSIGNED, cores),
	NODE("sockets", FACT_UNSIGNED, sockets),
	NODE("mhz", FACT_DOUBLE, mhz),
	NODE("cpu_model", FACT_TEXT, cpu_model),
	NODE("cpu_flags", FACT_TEXT, cpu_flags),
	NODE("hvm", FACT_FLAG, hvm),
	NODE("kernel_version", FACT_TEXT, kernel_version),
	NODE("kernel_release", FACT_TEXT, kernel_release),
	NODE("kernel_sysname", FACT_TEXT, kernel_sysname),
	NODE("kernel_machine", FACT_TEXT, kernel_machine),
	NODE("ksm_shared", FACT_U64, ksm_shared),
	NODE("is_cgroup2", FACT_FLAG, is_cgroup2),
	NODE("is_efi", FACT_FLAG, is_efi),
};

static const char *const state_names[] = {
	[GUEST_UNKNOWN] = "unknown",
	[GUEST_STOPPED] = "stopped",
	[GUEST_RUNNING] = "running",
	[GUEST_PAUSED] = "paused",
};

const char *guest_state_name(enum guest_state state)
{
	return (size_t)state < ARRAY_SIZE(state_names) ? state_names[state] : "unknown";
}

static void decode_kind(const struct fields *f, struct guest_fact *fact)
{
	const char *kind = fields_get(f, "kind");

	if (kind)
		fact->is_machine = str_eq(kind, "qemu");
}

static bool store_number(const struct fact_field *field, const char *text, void *at)
{
	uint64_t number = 0;
	double real = 0;

	if (field->kind == FACT_DOUBLE) {
		if (!str_to_double(text, &real) || !isfinite(real) || real < 0)
			return false;
		memcpy(at, &real, sizeof(real));
		return true;
	}
	if (!str_to_u64(text, &number))
		return false;
	if (field->kind == FACT_U64)
		memcpy(at, &number, sizeof(number));
	else if (field->kind == FACT_FLAG && number <= 1)
		*(bool *)at = number == 1;
	else if (field->kind == FACT_UNSIGNED && number <= UINT32_MAX)
		*(unsigned *)at = (unsigned)number;
	else if (field->kind == FACT_PID && number <= INT32_MAX)
		*(pid_t *)at = (pid_t)number;
	else
		return false;
	return true;
}

/* Texts that are too long are cut: a CPU's flags grow with each generation. */
static void store_text(const struct fact_field *field, const char *text, char *at)
{
	size_t size = strlen(text);

	if (size >= field->size)
		size = field->size - 1;
	memcpy(at, text, size);
	at[size] = '\0';
}

static int decode(const struct fields *f, const struct fact_field *table, size_t count, void *base,
		  struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const char *text = fields_get(f, table[i].name);
		char *at = (char *)base + table[i].offset;

		if (!text && table[i].required)
			return err_field(err, table[i].name, "fact is missing");
		if (!text)
			continue;
		if (table[i].kind == FACT_TEXT)
			store_text(&table[i], text, at);
		else if (!store_number(&table[i], text, at))
			return err_field(err, table[i].name, "bad value '%.40s'", text);
	}
	return 0;
}

int facts_decode_vmid(const struct fields *f, unsigned *ret, struct err *err)
{
	const char *text = fields_get(f, "vmid");
	uint64_t vmid;

	if (!text || !str_to_u64(text, &vmid) || vmid == 0 || vmid > VMID_MAX)
		return err_field(err, "vmid", "bad guest id '%.40s'", text ? text : "");
	*ret = (unsigned)vmid;
	return 0;
}

static int decode_state(const struct fields *f, enum guest_state *ret, struct err *err)
{
	const char *text = fields_get(f, "state");

	for (size_t i = 0; text && i < ARRAY_SIZE(state_names); i++) {
		if (!str_eq(text, state_names[i]))
			continue;
		*ret = (enum guest_state)i;
		return 0;
	}
	return err_field(err, "state", "bad state '%.40s'", text ? text : "");
}

/* Monitor and hook both tell of a stop, in any order, and one of them may not know why it was. The first who does
 * counts. */
static int decode_reason(const struct fields *f, const struct guest_fact *before,
			 struct guest_fact *now, struct err *err)
{
	const char *reason = fields_get(f, "reason");

	now->reason[0] = '\0';
	now->exit_code = now->exit_signal = 0;
	if (now->state != GUEST_STOPPED)
		return 0;
	if (before->state == GUEST_STOPPED && before->reason[0]) {
		memcpy(now->reason, before->reason, sizeof(now->reason));
		now->exit_code = before->exit_code;
		now->exit_signal = before->exit_signal;
		return 0;
	}
	if (!reason)
		return 0;
	str_copy(now->reason, sizeof(now->reason), reason);
	return decode(f, end_fields, ARRAY_SIZE(end_fields), now, err);
}

int facts_decode_guest(const struct fields *f, struct guest_fact *fact, struct err *err)
{
	struct guest_fact now = {.vmid = fact->vmid, .is_machine = fact->is_machine};
	int r = decode_state(f, &now.state, err);

	if (r >= 0)
		r = decode(f, identity_fields, ARRAY_SIZE(identity_fields), &now, err);
	if (r < 0)
		return r;
	const struct guest_fact before = *fact;
	bool is_same = now.state != GUEST_STOPPED && fact->state != GUEST_STOPPED &&
		       (!now.pid || (now.pid == fact->pid && now.pid_start == fact->pid_start));
	if (is_same) {
		fact->state = now.state;
		now = *fact;
	}
	if ((r = decode(f, guest_fields, ARRAY_SIZE(guest_fields), &now, err)) < 0)
		return r;
	decode_kind(f, &now);
	if ((r = decode_reason(f, &before, &now, err)) < 0)
		return r;
	*fact = now;
	return 0;
}

int facts_decode_node(const struct fields *f, struct node_fact *node, struct err *err)
{
	return decode(f, node_fields, ARRAY_SIZE(node_fields), node, err);
}
