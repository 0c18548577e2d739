/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Container images: from registries, by skopeo, and what an image says of itself. */
#pragma once

#include "agent/base/buf.h"
#include "agent/base/fields.h"
#include "agent/task/task.h"

#define OCI_SKOPEO "/usr/bin/skopeo"

/* Is skopeo there, and the argument "reference" one, with a tag or without? */
int oci_check_reference(const struct fields *args, bool has_tag, struct err *err);
/* args: reference. A JSON list of the tags. */
int helper_oci_tags(const struct fields *args, struct buf *out, struct err *err);
/* args: a storage, content, filename, reference. Registries that speak no TLS, mirrors and credentials are what the
 * node's /etc/containers and root's own settings say. */
int job_ocipull(struct task_ctx *task, struct err *err);
int job_ocipull_undo(struct task_ctx *task, struct err *err);
/* `lodge-task image-config PATH`: fields of image_config_parse() on descriptor 1, none if the file is no image.
 * argv after "image-config"; the exit code. */
int image_config_main(int argc, char **argv);
