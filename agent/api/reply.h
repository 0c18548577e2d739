/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replies of the API: the envelope around data, error documents, reason phrases. Pure. */
#pragma once

#include "agent/api/api.h"
#include "agent/base/frame.h"

/* The envelope's start; data follows directly behind it in the same buffer. */
#define API_ENVELOPE "{\"data\":"

/* Ends the envelope that `data` starts with; extra members follow. Takes data's memory. */
void api_reply_data(struct reply *ret, struct buf *data, const struct fields *extra);
/* errors: parameter -> text, NULL or empty: none. message: its first line becomes the reason. */
void api_reply_error(struct reply *ret, int status, const char *message,
		     const struct fields *errors);
/* The same for an error object: ERR_INVALID with a field is reported as that parameter's. */
void api_reply_err(struct reply *ret, const struct err *err);
