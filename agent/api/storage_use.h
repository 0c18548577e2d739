/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Storages and volumes as requests name them: look-up, arguments for helpers and jobs, rights. */
#pragma once

#include "agent/api/api.h"
#include "storage/volid/storage_cfg.h"
#include "storage/volid/volid.h"

bool storage_is_enabled(const struct storage_def *def);
bool storage_is_shared(const struct storage_def *def);
/* The definition that the parameter "storage" names; borrowed until the loop goes on. */
int storage_find(const struct api_request *req, const struct storage_def **ret, struct err *err);
/* The same, enabled and on this node. */
int storage_find_usable(const struct api_request *req, const struct storage_def **ret,
			struct err *err);

/* The parameter "volume": "local:iso/x.iso", or "iso/x.iso" beside a storage. */
int storage_parse_volume(const struct api_request *req, struct volid *ret, struct err *err);
/* May the caller read this volume? Guest volumes belong to their guest (VM.Config.Disk), backups too
 * (VM.Backup), everything else to those who may look into the storage. */
int storage_check_volume(const struct api_request *req, const char *storage, const char *content,
			 unsigned vmid, struct err *err);
/* A helper's document as it is; it must at least look like a list ("[]") or an object ("{}"). */
int storage_write_answer(struct api_request *req, struct buf *output, const char ends[2],
			 struct err *err);
/* Does the configuration key name this volume? "unusedN" only remembers it. A linked clone has two names: its file is
 * one. */
bool storage_key_uses(const struct field *key, const struct volid *volume);
