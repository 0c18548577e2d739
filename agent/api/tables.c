/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of all resources: each file NAME.c of this folder defines one api_table_NAME. */
#include "agent/api/match.h"

#define API_TABLES(X)                                                                              \
	X(index)                                                                                   \
	X(version)                                                                                 \
	X(describe)                                                                                \
	X(check)                                                                                   \
	X(nodes)                                                                                   \
	X(node_guests)                                                                             \
	X(node_host)                                                                               \
	X(node_power)                                                                              \
	X(node_kvm)                                                                                \
	X(node_network)                                                                            \
	X(cluster)                                                                                 \
	X(cluster_options)                                                                         \
	X(cluster_history)                                                                         \
	X(resources)                                                                               \
	X(events)                                                                                  \
	X(task_list)                                                                               \
	X(tasks)                                                                                   \
	X(storage)                                                                                 \
	X(storage_edit)                                                                            \
	X(node_storage)                                                                            \
	X(storage_content)                                                                         \
	X(storage_volume)                                                                          \
	X(storage_copy)                                                                            \
	X(storage_import)                                                                          \
	X(storage_upload)                                                                          \
	X(storage_prune)                                                                           \
	X(oci)                                                                                     \
	X(aplinfo)                                                                                 \
	X(pools)                                                                                   \
	X(pool_edit)                                                                               \
	X(access_users)                                                                            \
	X(access_groups)                                                                           \
	X(access_roles)                                                                            \
	X(access_acl)                                                                              \
	X(access_tokens)                                                                           \
	X(access_ticket)                                                                           \
	X(access_password)                                                                         \
	X(access_permissions)                                                                      \
	X(access_domains)                                                                          \
	X(access_vncticket)                                                                        \
	X(lxc_list)                                                                                \
	X(lxc_config)                                                                              \
	X(lxc_status)                                                                              \
	X(lxc_interfaces)                                                                          \
	X(lxc_life)                                                                                \
	X(lxc_exec)                                                                                \
	X(qemu_list)                                                                               \
	X(qemu_config)                                                                             \
	X(qemu_status)                                                                             \
	X(qemu_life)                                                                               \
	X(console)

#define DECLARE(name) extern const struct api_table api_table_##name;
#define LIST(name)    &api_table_##name,

API_TABLES(DECLARE)

const struct api_table *const api_tables[] = {API_TABLES(LIST) NULL};

const struct api_matcher *api_routes(void)
{
	static struct api_matcher *matcher; /* of constant tables: made once, kept for good */
	if (!matcher)
		matcher = api_matcher_new(api_tables);
	return matcher;
}
