/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists that are compared with a state, and differences that are put together with one. What a list lacks makes a
 * difference that can be read; what can be put together holds nothing that is not in one of the two. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/core/difference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct state *state_here(void)
{
	struct state *s = state_new(10);

	s->at = (struct position){1, 9};
	kv_load(s->kv, "/a", 1, "one", 3);
	kv_load(s->kv, "/b", 2, "two", 3);
	kv_load(s->kv, "/c/d", 3, "", 0);
	return s;
}

static void list(const struct state *here, const uint8_t *data, size_t size)
{
	struct frozen *f = frozen_new(here);
	struct comparison *c = comparison_new(f);
	autobuf difference = BUF_INIT;
	struct state *s;

	if (comparison_take(c, data, size)) {
		comparison_end(c);
		portion_read(f, &c->portion, 0, SIZE_MAX, &difference);
		if (difference.size != c->portion.total ||
		    difference_apply(here, difference.data, difference.size, &s, NULL, NULL) < 0)
			abort();
		state_free(s);
	}
	comparison_free(c);
	frozen_unref(f);
}

static void difference(const struct state *here, const uint8_t *data, size_t size)
{
	autobuf changed = BUF_INIT, whole = BUF_INIT;
	struct state *s, *again;

	if (difference_apply(here, data, size, &s, &changed, NULL) < 0)
		return;
	state_encode(s, &whole);
	if (state_decode(whole.data, whole.size, &again, NULL) < 0)
		abort();
	state_free(again);
	state_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state *here = state_here();

	list(here, data, size);
	difference(here, data, size);
	state_free(here);
	return 0;
}
