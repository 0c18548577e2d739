/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of programs inside guests: whole, in pieces, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/exec_wire.h"
#include "agent/base/mem.h"

static void add(struct buf *out, enum exec_wire_kind kind, const char *data, size_t size)
{
	uint8_t head[EXEC_WIRE_HEAD];

	exec_wire_head(kind, (uint32_t)size, head);
	buf_add(out, head, sizeof(head));
	buf_add(out, data, size);
}

static void heads(void **state)
{
	uint8_t head[EXEC_WIRE_HEAD];

	(void)state;
	exec_wire_head(EXEC_WIRE_ERRORS, 0x010203, head);
	assert_memory_equal(head, "2\0\1\2\3", EXEC_WIRE_HEAD);
}

static void same_in_any_pieces(void **state)
{
	autobuf wire = BUF_INIT;

	(void)state;
	add(&wire, EXEC_WIRE_INPUT, "abc", 3);
	add(&wire, EXEC_WIRE_INPUT, "", 0);
	add(&wire, EXEC_WIRE_OUTPUT, "hello", 5);
	add(&wire, EXEC_WIRE_END, "{}", 2);
	for (size_t step = 1; step <= wire.size; step++) {
		struct exec_wire w = {0};
		autobuf out = BUF_INIT;

		for (size_t at = 0; at < wire.size;) {
			struct exec_wire_event e;
			size_t used, here = wire.size - at < step ? wire.size - at : step;
			int r = exec_wire_next(&w, wire.data + at, here, &used, &e, NULL);

			assert_true(r >= 0 && used > 0);
			at += used;
			if (r == 0)
				continue;
			buf_add(&out, e.data, e.size);
			if (e.is_last)
				buf_addf(&out, "<%c>", e.kind);
		}
		assert_string_equal(buf_str(&out), "abc<0><0>hello<1>{}<e>");
	}
}

static void refuses_what_is_no_frame(void **state)
{
	static const struct {
		const char *data, *message;
		size_t size;
	} cases[] = {
		{"x\0\0\0\1a", "no frame of a program begins with byte 120", 6},
		{"\0\0\0\0\1a", "no frame of a program begins with byte 0", 6},
		{"1\0\1\0\1a", "a frame of 65537 bytes is too long", 6},
		{"1\377\377\377\377", "a frame of 4294967295 bytes is too long", 5},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct exec_wire w = {0};
		struct exec_wire_event e;
		struct err err = ERR_INIT;
		size_t used;

		assert_int_equal(exec_wire_next(&w, cases[i].data, cases[i].size, &used, &e, &err),
				 -ERR_INVALID);
		assert_string_equal(err.message, cases[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),
		cmocka_unit_test(same_in_any_pieces),
		cmocka_unit_test(refuses_what_is_no_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
