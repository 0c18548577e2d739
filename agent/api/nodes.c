/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /nodes, /nodes/{node} and /nodes/{node}/status, from the monitor's facts. Core's loop. */
#include <stdio.h>

#include "agent/api/node_entry.h"
#include "agent/api/version.h"
#include "agent/core/certificate.h"

#define USER_HZ 100

static int get_nodes(struct api_request *req, struct err *err)
{
	struct json *j = &req->json;
	(void)err;
	json_array_begin(j);
	json_object_begin(j);
	api_write_node(req->core, api_node_load_is_visible(req->core, &req->who), &req->json);
	json_kv_string(j, "ssl_fingerprint", certificate_fingerprint(req->core->certificate));
	json_object_end(j);
	json_array_end(j);
	return 0;
}

/* "free" of memory is what nobody uses; "available" also counts what caches would give back. */
static void write_space(struct json *j, const char *key, uint64_t total, uint64_t used,
			uint64_t free_bytes, const char *available_key, uint64_t available)
{
	json_key(j, key);
	json_object_begin(j);
	json_kv_uint(j, "total", total);
	json_kv_uint(j, "used", used);
	json_kv_uint(j, "free", free_bytes);
	if (available_key)
		json_kv_uint(j, available_key, available);
	json_object_end(j);
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static void write_spaces(struct json *j, const struct node_fact *f)
{
	write_space(j, "memory", f->mem_total, f->mem_used, f->mem_free, "available",
		    f->mem_available);
	write_space(j, "swap", f->swap_total, f->swap_used, minus(f->swap_total, f->swap_used),
		    NULL, 0);
	write_space(j, "rootfs", f->root_total, f->root_used, minus(f->root_total, f->root_used),
		    "avail", f->root_avail);
	json_key(j, "ksm");
	json_object_begin(j);
	json_kv_uint(j, "shared", f->ksm_shared);
	json_object_end(j);
}

static void write_text_number(struct json *j, int digits, double value)
{
	char text[64];
	snprintf(text, sizeof(text), "%.*f", digits, value);
	json_string(j, text);
}

/* mhz and hvm are texts in the contract, user_hz is a number. */
static void write_cpu(struct json *j, const struct node_fact *f)
{
	json_kv_double(j, "cpu", f->cpu);
	json_kv_double(j, "wait", f->wait);
	json_kv_int(j, "idle", 0);
	json_key(j, "loadavg");
	json_array_begin(j);
	for (size_t i = 0; i < ARRAY_SIZE(f->load); i++)
		write_text_number(j, 2, f->load[i]);
	json_array_end(j);
	json_key(j, "cpuinfo");
	json_object_begin(j);
	json_kv_string(j, "model", f->cpu_model);
	json_kv_uint(j, "cpus", f->cpus);
	json_kv_uint(j, "cores", f->cores);
	json_kv_uint(j, "sockets", f->sockets);
	json_key(j, "mhz");
	write_text_number(j, 3, f->mhz);
	json_kv_int(j, "user_hz", USER_HZ);
	json_kv_string(j, "flags", f->cpu_flags);
	json_kv_string(j, "hvm", f->hvm ? "1" : "0");
	json_object_end(j);
}

static void write_software(struct json *j, const struct node_fact *f)
{
	json_kv_string(j, "kversion", f->kernel_version);
	json_kv_string(j, "pveversion",
		       "pve-manager/" API_CONTRACT_VERSION "/" API_CONTRACT_REPOID);
	json_key(j, "current-kernel");
	json_object_begin(j);
	json_kv_string(j, "sysname", f->kernel_sysname);
	json_kv_string(j, "release", f->kernel_release);
	json_kv_string(j, "version", f->kernel_version);
	json_kv_string(j, "machine", f->kernel_machine);
	json_object_end(j);
	json_key(j, "boot-info");
	json_object_begin(j);
	json_kv_string(j, "mode", f->is_efi ? "efi" : "legacy-bios");
	json_object_end(j);
}

static int get_status(struct api_request *req, struct err *err)
{
	const struct node_fact *fact = facts_node(req->core->facts);
	struct json *j = &req->json;
	if (!fact->observed)
		return err_set(err, ERR_UNAVAILABLE,
			       "nothing is known of node '%s' yet: the monitor "
			       "has not reported",
			       req->core->node);
	json_object_begin(j);
	json_kv_uint(j, "uptime", fact->uptime);
	write_cpu(j, fact);
	write_spaces(j, fact);
	write_software(j, fact);
	json_object_end(j);
	return 0;
}

static const struct param node_params[] = {
	PARAM_NODE,
	PARAM_END,
};

#define INTEGER "{\"type\":\"integer\"}"
#define STRING	"{\"type\":\"string\"}"
#define SPACE                                                                                      \
	"{\"type\":\"object\",\"properties\":{\"total\":" INTEGER ",\"used\":" INTEGER             \
	",\"free\":" INTEGER "}}"
#define RETURNS_NODES                                                                              \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"node\":" STRING      \
	",\"status\":" STRING ",\"id\":" STRING ",\"type\":" STRING ",\"level\":" STRING           \
	",\"cpu\":{\"type\":\"number\",\"optional\":1},\"ssl_fingerprint\":" STRING "}}}"
#define RETURNS_INDEX "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{}}}"
#define RETURNS_STATUS                                                                             \
	"{\"type\":\"object\",\"properties\":{\"uptime\":" INTEGER                                 \
	",\"cpu\":{\"type\":\"number\"},\"loadavg\":{\"type\":\"array\",\"items\":" STRING         \
	"},\"cpuinfo\":{\"type\":\"object\"},\"memory\":" SPACE ",\"swap\":" SPACE                 \
	",\"rootfs\":" SPACE ",\"kversion\":" STRING ",\"pveversion\":" STRING                     \
	",\"current-kernel\":{\"type\":\"object\"},\"boot-info\":{\"type\":\"object\"}}}"

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/nodes",
	 .text = "List the nodes.",
	 .permission = {.kind = API_USER, .text = "A node's load needs Sys.Audit on it."},
	 .returns = RETURNS_NODES,
	 .handle = get_nodes},
	{.verb = API_GET,
	 .path = "/nodes/{node}",
	 .text = "List what there is below a node.",
	 .params = node_params,
	 .permission = {.kind = API_USER},
	 .returns = RETURNS_INDEX,
	 .handle = api_index_names},
	{.verb = API_GET,
	 .path = "/nodes/{node}/status",
	 .text = "Load, memory, processors and kernel of a node.",
	 .params = node_params,
	 .permission = {.kind = API_CHECK, .path = "/nodes/{node}", .privs = "Sys.Audit"},
	 .returns = RETURNS_STATUS,
	 .handle = get_status},
};

const struct api_table api_table_nodes = {routes, ARRAY_SIZE(routes)};
