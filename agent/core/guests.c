/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Index of the guests in the store, by vmid. Runs on the core's loop, fed by a subscription. */
#include "agent/core/guests.h"

#include <string.h>

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/core.h"

#define NODES_PREFIX "/nodes/"
#define VMID_MAX     999999999u

struct guests {
	struct facts *facts;
	struct store_subscription *subscription;
	struct guest **items; /* by vmid */
	size_t count, capacity;
	uint64_t generation;
	struct {
		guests_changed_fn fn;
		void *ctx;
	} listeners[GUESTS_LISTENERS];
	size_t listener_count;
};

static const char *const kind_names[] = {[GUEST_LXC] = "lxc", [GUEST_QEMU] = "qemu"};

const char *guest_kind_name(enum guest_kind kind)
{
	return kind_names[kind];
}

char *guest_config_path(const char *node, enum guest_kind kind, unsigned vmid)
{
	return xasprintf(NODES_PREFIX "%s/%s/%u.conf", node, kind_names[kind], vmid);
}

static bool parse_kind(const char *text, enum guest_kind *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++) {
		if (!str_eq(text, kind_names[i]))
			continue;
		*ret = (enum guest_kind)i;
		return true;
	}
	return false;
}

static bool parse_vmid(char *file, unsigned *ret)
{
	uint64_t vmid;
	size_t size = strlen(file);

	if (size <= 5 || !str_ends(file, ".conf"))
		return false;
	file[size - 5] = '\0';
	if (!str_to_u64(file, &vmid) || vmid == 0 || vmid > VMID_MAX || file[0] == '0')
		return false;
	*ret = (unsigned)vmid;
	return true;
}

bool guest_config_path_parse(const char *path, struct guest *ret)
{
	const char *rest = str_after(path, NODES_PREFIX);
	autostrv char **parts = rest ? str_split(rest, "/") : NULL;

	return parts && strv_count(parts) == 3 &&
	       str_copy(ret->node, sizeof(ret->node), parts[0]) &&
	       parse_kind(parts[1], &ret->kind) && parse_vmid(parts[2], &ret->vmid);
}

static size_t position(const struct guests *guests, unsigned vmid)
{
	size_t low = 0, high = guests->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (guests->items[middle]->vmid < vmid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct guest *find(const struct guests *guests, unsigned vmid)
{
	size_t at = position(guests, vmid);

	return at < guests->count && guests->items[at]->vmid == vmid ? guests->items[at] : NULL;
}

static struct guest *insert(struct guests *guests, unsigned vmid)
{
	size_t at = position(guests, vmid);

	if (guests->count == guests->capacity) {
		guests->capacity = guests->capacity ? guests->capacity * 2 : 16;
		guests->items = xrealloc(guests->items, guests->capacity, sizeof(*guests->items));
	}
	memmove(guests->items + at + 1, guests->items + at,
		(guests->count - at) * sizeof(*guests->items));
	guests->count++;
	guests->items[at] = xcalloc(1, sizeof(struct guest));
	return guests->items[at];
}

static void guest_clear(struct guest *guest)
{
	if (guest->config)
		guest_config_fini(guest->config);
	free(guest->config);
	guest->config = NULL;
}

static bool is_same(const struct guest *a, const struct guest *b)
{
	return a->kind == b->kind && str_eq(a->node, b->node);
}

static void put(struct guests *guests, const struct guest *key, const struct store_value *value)
{
	struct guest *guest = find(guests, key->vmid);
	struct guest_config config;
	uint64_t born = guest && is_same(guest, key) ? guest->born : value->version;
	struct err err = ERR_INIT;

	if (guest)
		guest_clear(guest);
	else
		guest = insert(guests, key->vmid);
	*guest = *key;
	guest->version = value->version;
	guest->born = born;
	if (guest_config_parse(value->data, value->size, &config, &err) < 0) {
		log_warning("%s: %s", value->path, err.message);
		guest_config_init(&config);
		guest->config_is_bad = true;
	}
	guest->config = xmemdup(&config, sizeof(config));
}

/* A guest that moved to another node may be put there before it is deleted here. */
static void drop(struct guests *guests, const struct guest *key)
{
	size_t at = position(guests, key->vmid);
	struct guest *guest = find(guests, key->vmid);

	if (!guest || !is_same(guest, key))
		return;
	guest_clear(guest);
	free(guest);
	guests->count--;
	memmove(guests->items + at, guests->items + at + 1,
		(guests->count - at) * sizeof(*guests->items));
	facts_forget(guests->facts, key->vmid);
}

static void on_change(const struct store_change *change, void *ctx)
{
	struct guests *guests = ctx;
	struct guest key = {0};

	if (!guest_config_path_parse(change->value.path, &key))
		return;
	if (change->kind == STORE_CHANGE_PUT)
		put(guests, &key, &change->value);
	else
		drop(guests, &key);
	guests->generation++;
	for (size_t i = 0; i < guests->listener_count; i++)
		guests->listeners[i].fn(key.kind, key.vmid, guests->listeners[i].ctx);
}

/* What the facts ask when they speak of guests that were not reported. */
static bool next_guest(unsigned after, unsigned *ret_vmid, bool *ret_is_machine, void *ctx)
{
	const struct guest *guest = guests_next(ctx, after);

	if (!guest)
		return false;
	*ret_vmid = guest->vmid;
	*ret_is_machine = guest->kind == GUEST_QEMU;
	return true;
}

struct guests *guests_new(struct core *core)
{
	struct guests *guests = xcalloc(1, sizeof(*guests));
	struct store_value value;
	autofree char *after = NULL;

	guests->generation = 1;
	guests->subscription = store_subscribe(core->store, NODES_PREFIX, on_change, guests);
	while (store_next(core->store, NODES_PREFIX, after, &value)) {
		struct guest key = {0};

		if (guest_config_path_parse(value.path, &key))
			put(guests, &key, &value);
		xreplace(&after, value.path);
	}
	guests->facts = core->facts;
	facts_set_guests(guests->facts, next_guest, guests);
	return guests;
}

void guests_free(struct guests *guests)
{
	if (!guests)
		return;
	store_unsubscribe(guests->subscription);
	for (size_t i = 0; i < guests->count; i++) {
		guest_clear(guests->items[i]);
		free(guests->items[i]);
	}
	free(guests->items);
	free(guests);
}

const struct guest *guests_find(const struct guests *guests, unsigned vmid)
{
	return find(guests, vmid);
}

const struct guest *guests_next(const struct guests *guests, unsigned after)
{
	size_t at = position(guests, after + 1);

	return at < guests->count ? guests->items[at] : NULL;
}

uint64_t guests_generation(const struct guests *guests)
{
	return guests->generation;
}

void guests_on_change(struct guests *guests, guests_changed_fn fn, void *ctx)
{
	if (guests->listener_count == GUESTS_LISTENERS)
		abort(); /* listeners are part of the program, not of its input */
	guests->listeners[guests->listener_count].fn = fn;
	guests->listeners[guests->listener_count++].ctx = ctx;
}
