/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Summaries of an identity's rights over the whole tree, for log-ins and permission dumps. */
#pragma once

#include "agent/auth/access.h"

/* {"vms":{"VM.Audit":1},…}: per area of the UI what the identity holds anywhere in it. */
void access_caps_to_json(struct access *access, const struct identity *who, struct json *j);
/* {"/vms":{"VM.Audit":1},…}: paths with rights; the value says whether they propagate. */
void access_tree_to_json(struct access *access, const struct identity *who, struct json *j);
/* The same for one path; the object is empty without any right there. */
void access_path_to_json(struct access *access, const struct identity *who, const char *path,
			 struct json *j);
