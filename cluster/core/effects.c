/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ownership of effects. Pure. */
#include "cluster/core/effects.h"

#include "agent/base/mem.h"

void persist_free(struct persist *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->entry_count; i++)
		log_entry_unref(p->entries[i]);
	free(p->entries);
	buf_fini(&p->snapshot);
	buf_fini(&p->changed);
	free(p);
}

static void applied_free(struct applied *a)
{
	for (size_t i = 0; i < a->row_count; i++) {
		free(a->rows[i].path);
		free(a->rows[i].value);
		free(a->rows[i].old);
	}
	free(a->rows);
	log_entry_unref(a->entry);
	free(a);
}

static void effect_fini(struct effect *e)
{
	switch (e->type) {
	case EFFECT_SEND:
		buf_fini(&e->send);
		break;
	case EFFECT_PERSIST:
		persist_free(e->persist);
		break;
	case EFFECT_ANSWER:
		free(e->answer);
		break;
	case EFFECT_APPLIED:
		applied_free(e->applied);
		break;
	case EFFECT_LEAVE:
	case EFFECT_READ_ONLY:
		free(e->reason);
		break;
	}
}

void effects_clear(struct effects *effects)
{
	for (size_t i = 0; i < effects->count; i++)
		effect_fini(&effects->items[i]);
	effects->count = 0;
}

void effects_fini(struct effects *effects)
{
	effects_clear(effects);
	free(effects->items);
	*effects = (struct effects){0};
}

struct effect *effects_add(struct effects *effects, enum effect_type type)
{
	struct effect *e;

	if (effects->count == effects->capacity) {
		effects->capacity = effects->capacity ? effects->capacity * 2 : 16;
		effects->items =
			xrealloc(effects->items, effects->capacity, sizeof(effects->items[0]));
	}
	e = &effects->items[effects->count++];
	*e = (struct effect){.type = type};
	return e;
}
