/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The viewer of a console, at the other end of the job's descriptor 3. Runs in console jobs. */
#pragma once

#include "agent/base/buf.h"
#include "agent/task/console/termproxy.h"

#define VIEWER_INPUT_MAX 16384

struct viewer {
	int fd;
	struct termproxy parser;
	struct buf input; /* read, not yet parsed; at most VIEWER_INPUT_MAX bytes */
};

void viewer_init(struct viewer *v);
void viewer_fini(struct viewer *v);
/* Waits until the core hands the stream out. ERR_TIMEOUT: no viewer came. */
int viewer_await(struct viewer *v, struct err *err);
/* The first line must be this one, within 10 s; then says OK. */
int viewer_login(struct viewer *v, const char *secret, struct err *err);
/* Reads once. 1: got bytes, 0: none now, -ERR_UNAVAILABLE: the viewer left. */
int viewer_read(struct viewer *v, struct err *err);
/* Tells why there will be nothing to see, as a line on the viewer's screen. */
void viewer_tell(struct viewer *v, const char *text);
/* The same to a viewer that speaks RFB and has heard nothing yet: there is no security type, and this is why. */
void viewer_refuse(struct viewer *v, const char *text);
