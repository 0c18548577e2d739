/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /nodes/{node}/network: interfaces, bridges and their addresses. Everything is read and staged by helpers and applied
 * by a job; what a PUT on the whole applies is kept once the caller has called again. Core's loop. */
#include "agent/api/node_network.h"

#include <string.h>

#include "agent/api/node_bridges.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/net/change.h"

#define HELPER_TIMEOUT (20 * USEC_PER_SEC)
#define JOB_TYPE       "srvreload"
#define SETTLE_SECONDS 1 /* a call that is younger than the change */

/* ---- lists ---- */

static int on_list(struct api_request *req, struct buf *output, struct err *err)
{
	struct cursor c = cursor_on(output->data, output->size);
	autofields answer = FIELDS_INIT;
	const struct field *data, *changes;
	int r = fields_decode(&c, &answer, err);

	if (r < 0)
		return r;
	if (!(data = fields_find(&answer, "data")))
		return err_set(err, ERR_INTERNAL, "the helper said nothing");
	if (!api_bridges_are_asked(req))
		json_raw(&req->json, data->value, data->size);
	else if ((r = api_bridges_write(req, data->value, data->size, err)) < 0)
		return r;
	changes = fields_find(&answer, "changes");
	if (changes && !api_str(req, "iface")) {
		autobuf text = BUF_INIT;
		struct json j;

		json_init(&j, &text);
		json_string_n(&j, changes->value, changes->size);
		fields_add(&req->extra, "changes", buf_str(&text));
	}
	return 0;
}

static int list_interfaces(struct api_request *req, struct err *err)
{
	return api_run_helper(req, "net-list", &req->params, HELPER_TIMEOUT, on_list, err);
}

/* ---- changes ---- */

static int on_done(struct api_request *req, struct buf *output, struct err *err)
{
	(void)req;
	(void)output;
	(void)err;
	return 0;
}

static int create_interface(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;

	fields_copy(&args, &req->params);
	fields_add(&args, "is_new", "1");
	return api_run_helper(req, "net-set", &args, HELPER_TIMEOUT, on_done, err);
}

static int update_interface(struct api_request *req, struct err *err)
{
	return api_run_helper(req, "net-set", &req->params, HELPER_TIMEOUT, on_done, err);
}

static int delete_interface(struct api_request *req, struct err *err)
{
	return api_run_helper(req, "net-delete", &req->params, HELPER_TIMEOUT, on_done, err);
}

static int revert_changes(struct api_request *req, struct err *err)
{
	return api_run_helper(req, "net-revert", &req->params, HELPER_TIMEOUT, on_done, err);
}

/* ---- applying ---- */

static bool is_running(const struct core *core)
{
	for (const struct task *t = jobs_next(core->jobs, NULL); t; t = jobs_next(core->jobs, t))
		if (t->state == TASK_RUNNING && str_eq(t->id.type, JOB_TYPE))
			return true;
	return false;
}

static bool is_loopback(const char *peer)
{
	return str_starts(peer, "127.") || str_starts(peer, "::ffff:127.") || str_eq(peer, "::1");
}

/* Who has to reach the node afterwards. A call over loopback says nothing of that; one on the node itself says it of
 * whoever is logged in there. */
static int add_caller(const struct api_request *req, struct fields *args, struct err *err)
{
	const char *via = api_str(req, "peer");

	if (via && !req->who.is_local_root)
		return err_field(err, "peer", "the caller's own address counts");
	if (req->who.is_local_root)
		fields_add(args, "via", via);
	else if (!is_loopback(req->peer))
		fields_add(args, "peer", req->peer);
	return 0;
}

static int apply_changes(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	int r;

	if (is_running(req->core))
		return err_set(err, ERR_BUSY,
			       "a change of the network is under way or waits to be confirmed");
	fields_add(&args, "confirm-timeout", api_str(req, "confirm-timeout"));
	if ((r = add_caller(req, &args, err)) < 0)
		return r;
	return api_start_job(req,
			     &(struct job_spec){.program = JOB_HOST,
						.command = "netapply",
						.type = JOB_TYPE,
						.id = "networking",
						.args = &args,
						.fd = -1,
						.undo = "netapply-undo"},
			     err);
}

/* One that a dead job left behind waits for nobody. */
static bool read_waiting(const struct core *core, struct net_waiting *ret)
{
	const struct task *task;

	return net_waiting_read(ret) && (task = jobs_find(core->jobs, ret->upid)) &&
	       task->state == TASK_RUNNING;
}

static int confirm_changes(struct api_request *req, struct err *err)
{
	struct net_waiting waiting;

	if (!read_waiting(req->core, &waiting))
		return err_set(err, ERR_NOT_FOUND,
			       "no change of the network waits to be confirmed");
	return net_waiting_confirm(&waiting, err);
}

/* Who stops a task may mean the change itself: "go back now" must not keep it on its way. */
static bool stops_task(const struct api_request *req)
{
	return req->route && req->route->verb == API_DELETE &&
	       str_eq(req->route->path, "/nodes/{node}/tasks/{upid}");
}

/* One look for a file in memory, for each call. */
void api_network_seen(const struct api_request *req)
{
	struct net_waiting waiting;

	if (req->who.is_local_root || !req->peer[0] || is_loopback(req->peer) || stops_task(req) ||
	    !read_waiting(req->core, &waiting))
		return;
	if (str_eq(waiting.peer, req->peer) && str_eq(waiting.user, api_user(req)) &&
	    clock_wall() / USEC_PER_SEC > waiting.since + SETTLE_SECONDS)
		(void)net_waiting_confirm(&waiting, NULL);
}

/* ---- routes ---- */

static const char *const types[] = {"bridge", "bond",	   "eth",     "alias",	 "vlan",
				    "fabric", "OVSBridge", "OVSBond", "OVSPort", "OVSIntPort",
				    "vnet",   "unknown",   NULL};
static const char *const filters[] = {
	"bridge",	    "bond",	   "eth",     "alias",	    "vlan", "fabric",
	"OVSBridge",	    "OVSBond",	   "OVSPort", "OVSIntPort", "vnet", "any_bridge",
	"any_local_bridge", "include_sdn", NULL};
static const char *const bond_modes[] = {
	"balance-rr",	    "active-backup",	"balance-xor", "broadcast",
	"802.3ad",	    "balance-tlb",	"balance-alb", "balance-slb",
	"lacp-balance-slb", "lacp-balance-tcp", NULL};
static const char *const hash_policies[] = {"layer2", "layer2+3", "layer3+4", NULL};

#define OPTIONAL .optional = true
#define MIN(n)	 .has_min = true, .min = (n)
#define MAX(n)	 .has_max = true, .max = (n)
#define IFACE                                                                                      \
	{                                                                                          \
		"iface", PARAM_STRING, .format = "pve-iface", MIN(2), MAX(20),                     \
				       .text = "The interface."                                    \
	}

static const struct param iface_params[] = {
	PARAM_NODE,
	IFACE,
	{"type", PARAM_STRING, .choices = types, .text = "What it is: bridge or eth."},
	{"address", PARAM_STRING, OPTIONAL, .format = "ipv4",
	 .text = "IPv4 address; with netmask."},
	{"address6", PARAM_STRING, OPTIONAL, .format = "ipv6",
	 .text = "IPv6 address; with netmask6."},
	{"autostart", PARAM_BOOLEAN, OPTIONAL,
	 .text = "Set up when changes are applied, and at boot."},
	{"bond-primary", PARAM_STRING, OPTIONAL, .format = "pve-iface", .text = "Not built."},
	{"bond_mode", PARAM_STRING, OPTIONAL, .choices = bond_modes, .text = "Not built."},
	{"bond_xmit_hash_policy", PARAM_STRING, OPTIONAL, .choices = hash_policies,
	 .text = "Not built."},
	{"bridge_ports", PARAM_STRING, OPTIONAL, .format = "pve-iface-list",
	 .text = "The interfaces that the bridge joins."},
	{"bridge_vids", PARAM_STRING, OPTIONAL, .format = "pve-vlan-id-or-range-list",
	 .text = "Not built."},
	{"bridge_vlan_aware", PARAM_BOOLEAN, OPTIONAL, .text = "Not built."},
	{"cidr", PARAM_STRING, OPTIONAL, .format = "CIDRv4", .text = "IPv4 address and network."},
	{"cidr6", PARAM_STRING, OPTIONAL, .format = "CIDRv6", .text = "IPv6 address and network."},
	{"comments", PARAM_STRING, OPTIONAL, MAX(4096), .text = "Notes."},
	{"comments6", PARAM_STRING, OPTIONAL, MAX(4096), .text = "Notes."},
	{"gateway", PARAM_STRING, OPTIONAL, .format = "ipv4", .text = "The node's IPv4 gateway."},
	{"gateway6", PARAM_STRING, OPTIONAL, .format = "ipv6", .text = "The node's IPv6 gateway."},
	{"mtu", PARAM_INTEGER, OPTIONAL, MIN(1280), MAX(65520), .text = "Maximum transfer unit."},
	{"netmask", PARAM_STRING, OPTIONAL, .format = "ipv4mask", .text = "Of address."},
	{"netmask6", PARAM_INTEGER, OPTIONAL, MIN(0), MAX(128), .text = "Of address6."},
	{"ovs_bonds", PARAM_STRING, OPTIONAL, .format = "pve-iface-list", .text = "Not built."},
	{"ovs_bridge", PARAM_STRING, OPTIONAL, .format = "pve-iface", .text = "Not built."},
	{"ovs_options", PARAM_STRING, OPTIONAL, MAX(1024), .text = "Not built."},
	{"ovs_ports", PARAM_STRING, OPTIONAL, .format = "pve-iface-list", .text = "Not built."},
	{"ovs_tag", PARAM_INTEGER, OPTIONAL, MIN(1), MAX(4094), .text = "Not built."},
	{"slaves", PARAM_STRING, OPTIONAL, .format = "pve-iface-list", .text = "Not built."},
	{"vlan-id", PARAM_INTEGER, OPTIONAL, MIN(1), MAX(4094), .text = "Not built."},
	{"vlan-raw-device", PARAM_STRING, OPTIONAL, .format = "pve-iface", .text = "Not built."},
	PARAM_END,
};

static const struct param delete_param[] = {
	{"delete", PARAM_STRING, OPTIONAL, .format = "pve-configid-list",
	 .text = "Settings that shall be gone."},
	PARAM_END,
};

static const struct param list_params[] = {
	PARAM_NODE,
	{"type", PARAM_STRING, OPTIONAL, .choices = filters,
	 .text = "Only those of this type; any_bridge, any_local_bridge and include_sdn leave out "
		 "bridges without SDN.Audit or SDN.Use."},
	PARAM_END,
};

static const struct param one_params[] = {PARAM_NODE, IFACE, PARAM_END};
static const struct param node_params[] = {PARAM_NODE, PARAM_END};

static const struct param apply_params[] = {
	PARAM_NODE,
	{"confirm-timeout", PARAM_INTEGER, OPTIONAL, MIN(0), MAX(600),
	 .text = "Seconds in which the caller must call again, or everything goes back; 0: no "
		 "confirmation.",
	 .default_text = "60"},
	{"peer", PARAM_STRING, OPTIONAL, .format = "ip",
	 .text = "For calls on the node itself: the address that somebody is logged in from. A "
		 "change that may cut it off needs a confirmation; without it any new network "
		 "does."},
	{"regenerate-frr", PARAM_BOOLEAN, OPTIONAL, .text = "No effect: there is no FRR here.",
	 .default_text = "0"},
	PARAM_END,
};

#define AUDIT                                                                                      \
	{                                                                                          \
		.kind = API_CHECK, .path = "/nodes/{node}", .privs = "Sys.Audit"                   \
	}
#define MODIFY                                                                                     \
	{                                                                                          \
		.kind = API_CHECK, .path = "/nodes/{node}", .privs = "Sys.Modify"                  \
	}
#define MAYBE	"{\"type\":\"string\",\"optional\":1}"
#define FLAG	"{\"type\":\"boolean\",\"optional\":1}"
#define NUMBER	"{\"type\":\"integer\",\"optional\":1}"
#define NOTHING "{\"type\":\"null\"}"
#define INTERFACE                                                                                  \
	"{\"type\":\"object\",\"properties\":{\"iface\":{\"type\":\"string\"},\"type\":{\"type\":" \
	"\"string\"},\"method\":" MAYBE ",\"method6\":" MAYBE ",\"address\":" MAYBE                \
	",\"netmask\":" MAYBE ",\"cidr\":" MAYBE ",\"gateway\":" MAYBE ",\"address6\":" MAYBE      \
	",\"netmask6\":" NUMBER ",\"cidr6\":" MAYBE ",\"gateway6\":" MAYBE ",\"comments\":" MAYBE  \
	",\"comments6\":" MAYBE ",\"bridge_ports\":" MAYBE ",\"bridge_stp\":" MAYBE                \
	",\"bridge_fd\":" MAYBE ",\"mtu\":" NUMBER ",\"priority\":" NUMBER ",\"active\":" FLAG     \
	",\"exists\":" FLAG ",\"autostart\":" FLAG ",\"managed\":" MAYBE                           \
	",\"families\":{\"type\":\"array\",\"optional\":1,\"items\":{\"type\":\"string\"}}}}"

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/nodes/{node}/network",
	 .text = "List the interfaces of a node: those that Lodge configures, as they shall be, "
		 "and "
		 "the host's own.",
	 .params = list_params,
	 .permission = {.kind = API_USER},
	 .returns = "{\"type\":\"array\",\"items\":" INTERFACE "}",
	 .handle = list_interfaces},
	{.verb = API_POST,
	 .path = "/nodes/{node}/network",
	 .text = "Configure an interface or make a bridge, once the changes are applied.",
	 .params = iface_params,
	 .permission = MODIFY,
	 .returns = NOTHING,
	 .handle = create_interface},
	{.verb = API_PUT,
	 .path = "/nodes/{node}/network",
	 .text = "Apply the changes. They stay if the node keeps its way out, and if the caller "
		 "calls "
		 "again in time.",
	 .params = apply_params,
	 .permission = MODIFY,
	 .returns = "{\"type\":\"string\"}",
	 .handle = apply_changes},
	{.verb = API_DELETE,
	 .path = "/nodes/{node}/network",
	 .text = "Drop the changes that are not applied.",
	 .params = node_params,
	 .permission = MODIFY,
	 .returns = NOTHING,
	 .handle = revert_changes},
	{.verb = API_POST,
	 .path = "/nodes/{node}/network/confirm",
	 .text = "Keep the changes that were just applied.",
	 .params = node_params,
	 .permission = MODIFY,
	 .returns = NOTHING,
	 .handle = confirm_changes},
	{.verb = API_GET,
	 .path = "/nodes/{node}/network/{iface}",
	 .text = "One interface.",
	 .params = one_params,
	 .permission = AUDIT,
	 .returns = INTERFACE,
	 .handle = list_interfaces},
	{.verb = API_PUT,
	 .path = "/nodes/{node}/network/{iface}",
	 .text = "Replace the settings of an interface, once the changes are applied.",
	 .params = iface_params,
	 .more = delete_param,
	 .permission = MODIFY,
	 .returns = NOTHING,
	 .handle = update_interface},
	{.verb = API_DELETE,
	 .path = "/nodes/{node}/network/{iface}",
	 .text = "Give up an interface: a bridge goes, others become the host's again.",
	 .params = one_params,
	 .permission = MODIFY,
	 .returns = NOTHING,
	 .handle = delete_interface},
};

const struct api_table api_table_node_network = {routes, ARRAY_SIZE(routes)};
