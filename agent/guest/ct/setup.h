/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Lodge writes inside a container: host name, network, DNS, time zone, log-ins on its terminals, and once, at
 * creation, credentials. Works on the mounted root of a stopped container, through rootdir.h only.
 *
 * What the user wrote is kept. A file that is all ours begins with our mark and is rewritten as long as it does;
 * where a file has others' lines as well, ours lie in a section between two marks. Without them a file is the
 * user's, as is every link. */
#pragma once

#include <stdbool.h>

#include "agent/guest/ct/distro.h"
#include "agent/guest/ct/net_text.h"
#include "agent/guest/ct_schema.h"
#include "agent/task/task.h"

enum ct_init { CT_INIT_OTHER, CT_INIT_SYSTEMD, CT_INIT_BUSYBOX };

enum ct_init ct_init_detect(int root);
int ct_init_halt_signal(enum ct_init init);

/* Before each start, and at creation (is_new: files of the template are replaced as well). ostype "unmanaged":
 * nothing. At a start what cannot be written is a warning: a guest can make that so by itself, and shall start all the
 * same. */
int ct_setup_settings(struct task_ctx *task, int root, const struct guest_config *config,
		      bool is_new, struct err *err);
struct ct_setup_credentials {
	const char *password; /* clear text or NULL */
	const char *ssh_keys; /* lines, or NULL */
};
/* Once: credentials of root, an identity. */
int ct_setup_new(struct task_ctx *task, int root, const struct ct_setup_credentials *credentials,
		 struct err *err);

/* An identity of its own, for new containers and for copies: an empty machine-id, which the first boot fills. */
int ct_setup_identity(struct task_ctx *task, int root, struct err *err);

struct ct_setup {
	struct task_ctx *task;
	int root;
	const struct guest_config *config;
	const struct ct_os *os;
	bool is_new;
};
int ct_setup_network(const struct ct_setup *setup, const struct ct_dns *dns,
		     struct err *err);				      /* setup_net.c */
int ct_setup_timezone(const struct ct_setup *setup, struct err *err); /* setup_time.c */
/* setup_file.c: a file that is ours alone, and a section of one. Left alone (0) where they are the
 * user's. An empty section is only written where there is one. */
int ct_setup_file(const struct ct_setup *setup, const char *path, const struct buf *body,
		  mode_t mode, struct err *err);
int ct_setup_section(const struct ct_setup *setup, const char *path, const struct buf *body,
		     struct err *err);
/* Removes our own files FOLDER/PREFIX*SUFFIX of interfaces that are not there any more. */
void ct_setup_remove_stale(const struct ct_setup *setup, const struct ct_nets *nets,
			   const char *folder, const char *const affixes[2]);

/* Texts, pure. */
#define CT_SETUP_MARK                                                                              \
	"# Written by Lodge at each start; remove this line to keep your own version.\n"
void ct_hosts_text(const char *old, const char *hostname, const char *domain, struct buf *out);
void ct_resolv_text(const char *nameserver, const char *searchdomain, struct buf *out);
/* The servers and domains of a resolv.conf, separated by spaces; those that only the host itself can
 * reach (127.0.0.53, ::1) are left out. */
void ct_resolv_parse(const char *text, struct buf *servers, struct buf *domains);
/* Replaces root's password hash in a shadow file, adds root if it is missing. day: since 1970. */
void ct_shadow_text(const char *old, const char *hash, unsigned long day, struct buf *out);
