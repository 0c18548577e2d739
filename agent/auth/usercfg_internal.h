/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of the /user.cfg model only. */
#pragma once

#include "agent/auth/usercfg.h"

void acl_node_free(void *node);
/* Drops every entry of a subject, or with a role. */
void acl_forget(struct usercfg *cfg, enum acl_kind kind, const char *subject);
void acl_forget_role(struct usercfg *cfg, const char *role);
void acl_forget_path(struct usercfg *cfg, const char *path);
void pool_free(void *pool);
