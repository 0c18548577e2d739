/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of commands. */
#include "agent/cli/cli.h"

#include "agent/base/str.h"

const struct cli_command cli_commands[] = {
	{"ls", "", "list guests", cli_ls, NULL},
	{"status", "", "state of this node and its storages", cli_status, NULL},
	{"create", "[ID] --ostemplate VOLUME …", "create a container or a virtual machine",
	 cli_create, "POST /nodes/{node}/lxc"},
	{"start", "ID", "start a guest", cli_start, "POST /nodes/{node}/lxc/{vmid}/status/start"},
	{"stop", "ID", "stop a guest at once", cli_stop,
	 "POST /nodes/{node}/lxc/{vmid}/status/stop"},
	{"shutdown", "ID", "ask a guest to shut down", cli_shutdown,
	 "POST /nodes/{node}/lxc/{vmid}/status/shutdown"},
	{"reboot", "ID", "shut a guest down and start it again", cli_reboot,
	 "POST /nodes/{node}/lxc/{vmid}/status/reboot"},
	{"destroy", "ID", "remove a guest and its volumes", cli_destroy,
	 "DELETE /nodes/{node}/lxc/{vmid}"},
	{"config", "ID [--KEY VALUE…] [--delete KEYS]", "show or change a guest's configuration",
	 cli_config, "PUT /nodes/{node}/lxc/{vmid}/config"},
	{"kvm-check", "", "test whether virtual machines can use KVM here", cli_kvm_check, NULL},
	{"console", "ID [--serial PORT] [--vnc] [--escape KEY]", "a guest's terminal or screen",
	 cli_console, "POST /nodes/{node}/qemu/{vmid}/termproxy"},
	{"task", "[list | log UPID | stop UPID]", "list, follow or stop tasks", cli_task, NULL},
	{"events", "[--types TYPE,…] [--figures]", "follow what changes", cli_events,
	 "GET /cluster/events"},
	{"history", "PATH|ID [--limit N] [--before V]", "who changed a configuration when",
	 cli_history, NULL},
	{"diff", "PATH|ID [VERSION [VERSION]]", "what changed in a configuration", cli_config_diff,
	 NULL},
	{"revert", "PATH|ID VERSION [--yes]", "bring back an old version of a configuration",
	 cli_revert, NULL},
	{"upload", "FILE STORAGE:CONTENT", "put a file into a storage", cli_upload, NULL},
	{"token", "list|create|remove USER [NAME]", "API tokens of a user", cli_token,
	 "POST /access/users/{userid}/token/{tokenid}"},
	{"passwd", "USER", "set a user's password", cli_passwd, NULL},
	{"store", "check|dump|restore [FILE] [--db DIR] …",
	 "look at the store of a stopped node, save it, make a new one", cli_store, NULL},
	{"get", "PATH [--NAME VALUE…]", "API call GET", cli_raw_get, NULL},
	{"put", "PATH [--NAME VALUE…]", "API call PUT", cli_raw_put, NULL},
	{"post", "PATH [--NAME VALUE…]", "API call POST", cli_raw_post, NULL},
	{"delete", "PATH [--NAME VALUE…]", "API call DELETE", cli_raw_delete, NULL},
	{"api", "", "describe every API call as JSON", cli_api, NULL},
	{"help", "[COMMAND]", "this list, or a command's options", cli_help, NULL},
	{0},
};

const struct cli_command *cli_command_find(const char *name)
{
	for (const struct cli_command *c = cli_commands; c->name; c++)
		if (str_eq(c->name, name))
			return c;
	return NULL;
}
