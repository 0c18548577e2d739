/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a program that runs inside a guest is carried on one byte stream: frames of a kind (one byte), a length (four
 * bytes, big-endian) and as many bytes of data.
 *
 *   '0'  its input, from the caller; of length 0: there is no more
 *   '1'  its output;  '2'  its errors
 *   'e'  its end, the last frame: JSON, {"exitcode":N}, {"signal":N} or {"error":"text"}
 *
 * Pure; fuzzed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

#define EXEC_WIRE_HEAD	   5
#define EXEC_WIRE_DATA_MAX (64u * 1024) /* of one frame */

enum exec_wire_kind {
	EXEC_WIRE_INPUT = '0',
	EXEC_WIRE_OUTPUT = '1',
	EXEC_WIRE_ERRORS = '2',
	EXEC_WIRE_END = 'e',
};

void exec_wire_head(enum exec_wire_kind kind, uint32_t size, uint8_t ret[EXEC_WIRE_HEAD]);

/* A streaming parser: of a frame nothing but its head is kept. */
struct exec_wire {
	uint8_t head[EXEC_WIRE_HEAD];
	unsigned have; /* bytes of the head */
	uint32_t left; /* bytes of data still to come */
};

struct exec_wire_event {
	enum exec_wire_kind kind;
	const char *data; /* inside the input */
	size_t size;
	bool is_last; /* part of its frame */
};

/* Takes bytes from the front of input; *ret_used says how many. 1: an event, 0: all was taken and there is none,
 * -ERR_INVALID: no such frame, or too long a one. */
int exec_wire_next(struct exec_wire *w, const char *input, size_t size, size_t *ret_used,
		   struct exec_wire_event *ret, struct err *err);
