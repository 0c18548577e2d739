/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uploads: a multipart body whose file goes on to a job of the core while it comes in. Fields first, then the
 * file: with its head the core is asked, which answers with a socket and the document for the end. The file
 * travels as frames, u32 length (little-endian) and so many bytes; length 0 says that it is complete, an end
 * without that that it is not. Nothing of it is kept here.
 *
 * Who has no credential is known as late as that, and until then takes nothing from others: only what the core
 * accepted counts. Before, an address has few that wait for their file, each for a short time. */
#pragma once

#include "agent/gate/request.h"

#define GATE_UPLOADS		32
#define GATE_UPLOADS_OF_ADDRESS 16 /* so that none takes all places from the others */
#define GATE_UPLOADS_WAITING	8  /* of one address */

struct uploads;
struct uploads *uploads_new(struct gate *gate, const struct gate_options *options);
void uploads_stop(struct uploads *uploads); /* resumes all, which end */
void uploads_free(struct uploads *uploads);

/* Is this what the head of the request says? */
bool upload_is_one(const struct request *r);
/* The head is complete: makes r->upload. false: the state is ANSWERED. */
bool upload_start(struct request *r);
/* As request_body() and request_dispatch(); both may suspend the connection. */
bool upload_body(struct request *r, const char *data, size_t size);
void upload_end(struct request *r);
/* The core took it: reply holds the document for the end, and the socket to the job. */
void upload_reply(struct request *r, struct reply *reply);
void upload_free(struct request *r);
