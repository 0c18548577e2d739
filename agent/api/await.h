/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests that are answered when a job has ended: what the contract calls synchronous and this node does in
 * a job all the same. */
#pragma once

#include "agent/api/api.h"

/* Starts the job and waits: its success finishes the request (with null, or what the handler wrote), its error
 * text fails it. A caller that goes away leaves the job alone. Returns API_LATER or an error. */
int api_await_job(struct api_request *req, struct job_spec *spec, struct err *err);
