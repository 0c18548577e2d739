/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge-task: `lodge-task helper NAME` for short questions, `lodge-task COMMAND` for jobs, `lodge-task
 * unpack` and `image-config` for steps of others. Storage,
 * TLS, network and password work: what may block, away from the core. Links neither libvirt nor
 * liblxc. */
#include "agent/base/log.h"
#include "agent/base/str.h"
#include "agent/net/host_files.h"
#include "agent/net/net.h"
#include "agent/net/node_net.h"
#include "agent/task/host/helper.h"
#include "agent/task/host/helper_crypt.h"
#include "agent/task/host/helper_interfaces.h"
#include "agent/task/host/jobs.h"
#include "agent/task/host/oci.h"
#include "agent/task/host/templates.h"
#include "agent/task/host/unpack.h"
#include "agent/task/task.h"

static const struct helper_entry helpers[] = {
	{"storage-status", helper_storage_status},
	{"storage-content", helper_storage_content},
	{"storage-info", helper_storage_info},
	{"storage-attributes", helper_storage_attributes},
	{"prune-backups", helper_prune},
	{"templates", helper_templates},
	{"oci-tags", helper_oci_tags},
	{"storage-alloc", helper_storage_alloc},
	{"tls-init", helper_tls_init},
	{"crypt-verify", helper_crypt_verify},
	{"crypt-hash", helper_crypt_hash},
	{"ct-interfaces", helper_ct_interfaces},
	{"net-apply", net_apply},
	{"net-remove", net_remove},
	{"net-boot", net_helper_boot},
	{"net-list", net_helper_list},
	{"net-set", net_helper_set},
	{"net-delete", net_helper_delete},
	{"net-revert", net_helper_revert},
	{"host-dns", host_helper_dns},
	{"host-hosts", host_helper_hosts},
	{"host-time", host_helper_time},
	{0},
};

static const struct task_command commands[] = {
	{"imgdel", job_imgdel},
	{"imgcopy", job_imgcopy},
	{"ocipull", job_ocipull},
	{"ocipull-undo", job_ocipull_undo},
	{"volcopy", job_volcopy},
	{"volcopy-undo", job_volcopy_undo},
	{"prunebackups", job_prunebackups},
	{"kvmcheck", job_kvmcheck},
	{"startall", job_startall},
	{"stopall", job_stopall},
	{"nodereboot", job_nodereboot},
	{"nodeshutdown", job_nodeshutdown},
	{"netapply", job_netapply},
	{"netapply-undo", job_netapply_undo},
	{0},
};

int main(int argc, char **argv)
{
	log_open("lodge-task");
	if (argc == 3 && str_eq(argv[1], "helper"))
		return helper_main(helpers, argv[2]);
	if (argc > 1 && str_eq(argv[1], "unpack"))
		return unpack_main(argc - 2, argv + 2);
	if (argc > 1 && str_eq(argv[1], "image-config"))
		return image_config_main(argc - 2, argv + 2);
	return task_main(argc, argv, commands);
}
