/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a storage's definition may say: keys by type, values, and where its path may lie. Pure. Errors are
 * ERR_INVALID and name the key. */
#pragma once

#include "storage/volid/storage_cfg.h"

/* Types that this version serves. */
bool storage_rules_has_type(const char *type);
/* Type and keys of one definition. */
int storage_rules_check(const struct storage_def *def, struct err *err);
/* Its path: normal, no place of the system's, not the agent's own folder (state) nor above it, and apart from
 * those of the other definitions, unless no node has both. */
int storage_rules_check_place(const struct storage_cfg *cfg, const struct storage_def *def,
			      const char *state, struct err *err);
/* Where anybody but root@pam may put a storage, and folders of one (content-dirs): not where the system, its users or
 * its services keep files. Who may upload a snippet there could write /root/.ssh/authorized_keys or a crontab, and the
 * contract asks for Datastore.Allocate alone. Left are /srv, /mnt, /media, /var/lib/vz and what is no folder of the
 * system's at all ("/tank"). ERR_DENIED. */
int storage_rules_check_others(const struct storage_def *def, struct err *err);
/* The folder of a content type as the definition's content-dirs gives it ("iso=a,backup=b"), heap; NULL if it
 * says nothing. */
char *storage_rules_folder(const struct storage_def *def, const char *content);
/* The content types that a type can hold, comma-separated. */
const char *storage_rules_contents(const char *type);
