/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Store access for job processes over CALL_STORE_GET and CALL_STORE_TXN: the encoding of a
 * transaction as call params, shared by the core (decode) and lodge_task_common (encode).
 *
 * head:   id (32 hex digits), who; first, when asking again: as the answer 202 said
 * params: "require" = "VERSION PATH" (repeated), "put" = "PATH\nVALUE", "delete" = "PATH",
 *         "rename" = "PATH\nTO", in order
 * Reply:  200 done (head version) · 409 refused (head path, message) · 202 unknown (head first) · 503 not sent */
#pragma once

#define REMOTE_REQUIRE "require"
#define REMOTE_PUT     "put"
#define REMOTE_DELETE  "delete"
#define REMOTE_RENAME  "rename"
