/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the cached JSON of guests for /cluster/resources: ten thousand guests of which one changed
 * cost one encoding and one copy of the text. Core's loop. */
#include <stdio.h>
#include <string.h>

#include "agent/api/resources.h"
#include "agent/base/str.h"
#include "agent/core/guests.h"
#include "agent/guest/guest.h"

#define LISTS 4 /* identities whose whole list is kept */

struct fragment {
	unsigned vmid;
	enum guest_state state;
	uint64_t version, generation; /* of configuration and facts that the text shows */
	size_t size;
	char *text;
};

struct guest_list {
	char key[USERID_MAX]; /* identity, or "" for one that sees everything */
	bool is_used;
	uint64_t access_generation, built, last_use;
	struct buf text; /* elements with commas between */
};

static struct cache {
	const struct core *core;
	char incarnation[33]; /* of the core's store: another core may get the same address */
	unsigned cpus;	      /* of the node; shown for guests without a limit */
	uint64_t guests_generation, facts_generation;
	uint64_t built; /* counts up when fragments may have changed */
	uint64_t uses;
	struct fragment *fragments; /* by vmid */
	size_t count, capacity;
	struct guest_list lists[LISTS];
} cache;

static uint64_t encoded; /* texts of guests that were made */

static const struct guest_kind_ops *const kinds[] = {
	[GUEST_LXC] = &guest_kind_ct, [GUEST_QEMU] = &guest_kind_vm};

static void write_identity(struct json *j, const struct guest *guest,
			   const struct guest_kind_ops *ops)
{
	char text[64], name[64];
	snprintf(text, sizeof(text), "%s/%u", guest_kind_name(guest->kind), guest->vmid);
	json_kv_string(j, "id", text);
	json_kv_string(j, "type", guest_kind_name(guest->kind));
	json_kv_string(j, "node", guest->node);
	json_kv_uint(j, "vmid", guest->vmid);
	if (ops && guest->config)
		json_kv_string(
			j, "name",
			guest_display_name(ops, guest->config, guest->vmid, name, sizeof(name)));
}

static void write_config(struct json *j, const struct guest_config *config)
{
	bool is_template = false;
	const char *text = config ? guest_config_get(config, "template") : NULL;
	json_kv_bool(j, "template", text && str_to_bool(text, &is_template) && is_template);
	if (!config)
		return;
	if ((text = guest_config_get(config, "tags")))
		json_kv_string(j, "tags", text);
	if ((text = guest_config_get(config, "lock")))
		json_kv_string(j, "lock", text);
}

static void write_figures(struct json *j, const struct guest_shape *shape,
			  const struct guest_fact *fact)
{
	bool is_running = fact->state == GUEST_RUNNING || fact->state == GUEST_PAUSED;
	static const struct guest_fact none = {0};
	const struct guest_fact *now = is_running ? fact : &none;
	json_kv_string(j, "status", guest_state_name(fact->state));
	if (fact->state == GUEST_STOPPED && fact->reason[0])
		json_kv_string(j, "reason", fact->reason);
	json_kv_uint(j, "uptime", now->uptime);
	json_kv_double(j, "cpu", now->cpu);
	json_kv_uint(j, "maxcpu", shape->cores ? shape->cores : cache.cpus);
	json_kv_uint(j, "mem", now->mem);
	json_kv_uint(j, "maxmem", shape->memory);
	json_kv_uint(j, "disk", now->disk);
	json_kv_uint(j, "maxdisk", now->max_disk ? now->max_disk : shape->disk);
	json_kv_uint(j, "netin", now->net_in);
	json_kv_uint(j, "netout", now->net_out);
	json_kv_uint(j, "diskread", now->disk_read);
	json_kv_uint(j, "diskwrite", now->disk_write);
}

static void fragment_encode(struct fragment *f, const struct guest *guest,
			    const struct guest_fact *fact)
{
	const struct guest_kind_ops *ops =
		(size_t)guest->kind < ARRAY_SIZE(kinds) ? kinds[guest->kind] : NULL;
	struct guest_shape shape = {0};
	struct buf out = BUF_INIT;
	struct json j;
	if (ops && guest->config)
		ops->shape(guest->config, &shape);
	json_init(&j, &out);
	json_object_begin(&j);
	write_identity(&j, guest, ops);
	write_config(&j, guest->config);
	write_figures(&j, &shape, fact);
	json_object_end(&j);
	encoded++;
	free(f->text);
	*f = (struct fragment){.vmid = guest->vmid,
			       .state = fact->state,
			       .version = guest->version,
			       .generation = fact->generation,
			       .size = out.size};
	f->text = buf_steal(&out);
}

static void fragments_free(struct fragment *fragments, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(fragments[i].text);
	free(fragments);
}

static bool fragment_is_current(const struct fragment *f, const struct guest *guest,
				const struct guest_fact *fact)
{
	return f->text && f->version == guest->version && f->generation == fact->generation &&
	       f->state == fact->state;
}

/* One walk over the guests and the old fragments, both by vmid; texts that still hold move over. */
static void fragments_update(const struct core *core)
{
	size_t capacity = cache.count + 64, count = 0, old = 0;
	struct fragment *fresh = xcalloc(capacity, sizeof(*fresh));
	const struct guest *guest = guests_next(core->guests, 0);
	for (; guest; guest = guests_next(core->guests, guest->vmid)) {
		const struct guest_fact *fact = facts_guest(core->facts, guest->vmid);
		if (count == capacity) {
			capacity *= 2;
			fresh = xrealloc(fresh, capacity, sizeof(*fresh));
		}
		struct fragment *f = &fresh[count++];
		*f = (struct fragment){0};
		while (old < cache.count && cache.fragments[old].vmid < guest->vmid)
			old++;
		if (old < cache.count && cache.fragments[old].vmid == guest->vmid) {
			*f = cache.fragments[old];
			cache.fragments[old++].text = NULL;
		}
		if (!fragment_is_current(f, guest, fact))
			fragment_encode(f, guest, fact);
	}
	fragments_free(cache.fragments, cache.count);
	cache.fragments = fresh;
	cache.count = count;
	cache.capacity = capacity;
	cache.built++;
}

static void cache_claim(const struct core *core)
{
	const char *incarnation = store_identity(core->store)->incarnation;
	unsigned cpus = facts_node(core->facts)->cpus;
	if (cache.core != core || !str_eq(cache.incarnation, incarnation) || cache.cpus != cpus) {
		api_resources_forget();
		cache.core = core;
		cache.cpus = cpus;
		str_copy(cache.incarnation, sizeof(cache.incarnation), incarnation);
	}
}

static void cache_follow(const struct core *core)
{
	cache_claim(core);
	uint64_t guests = guests_generation(core->guests);
	uint64_t facts = facts_generation(core->facts);
	if (cache.built && cache.guests_generation == guests && cache.facts_generation == facts)
		return;
	fragments_update(core);
	cache.guests_generation = guests;
	cache.facts_generation = facts;
}

/* The place of this guest's text; an empty one if there was none. */
static struct fragment *fragment_of(unsigned vmid)
{
	size_t low = 0, high = cache.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (cache.fragments[middle].vmid < vmid)
			low = middle + 1;
		else
			high = middle;
	}
	struct fragment *f;
	if (low < cache.count && cache.fragments[low].vmid == vmid)
		return &cache.fragments[low];
	if (cache.count == cache.capacity) {
		cache.capacity = cache.capacity ? cache.capacity * 2 : 64;
		cache.fragments =
			xrealloc(cache.fragments, cache.capacity, sizeof(*cache.fragments));
	}
	f = &cache.fragments[low];
	memmove(f + 1, f, (cache.count - low) * sizeof(*f));
	cache.count++;
	*f = (struct fragment){.vmid = vmid};
	return f;
}

/* Lists that hold the old text are made anew all the same: what changed counts as a generation. */
const char *api_resources_guest(const struct core *core, const struct guest *guest,
				size_t *ret_size)
{
	const struct guest_fact *fact = facts_guest(core->facts, guest->vmid);
	cache_claim(core);
	struct fragment *f = fragment_of(guest->vmid);
	if (!fragment_is_current(f, guest, fact))
		fragment_encode(f, guest, fact);
	*ret_size = f->size;
	return f->text;
}

uint64_t api_resources_encoded(void)
{
	return encoded;
}

void api_resources_forget(void)
{
	fragments_free(cache.fragments, cache.count);
	for (size_t i = 0; i < LISTS; i++)
		buf_fini(&cache.lists[i].text);
	cache = (struct cache){0};
}

/* The list of that identity, or the one that was not asked for the longest. */
static struct guest_list *list_for(const char *key)
{
	struct guest_list *oldest = &cache.lists[0];
	for (size_t i = 0; i < LISTS; i++) {
		struct guest_list *list = &cache.lists[i];
		if (list->is_used && str_eq(list->key, key))
			return list;
		if (list->last_use < oldest->last_use)
			oldest = list;
	}
	str_copy(oldest->key, sizeof(oldest->key), key);
	oldest->is_used = true;
	oldest->built = 0;
	return oldest;
}

static bool may_see(const struct api_request *req, privset audit, unsigned vmid)
{
	char path[32];
	snprintf(path, sizeof(path), "/vms/%u", vmid);
	return access_privileges(req->core->access, &req->who, path) & audit;
}

static void list_build(struct guest_list *list, const struct api_request *req, bool all)
{
	privset audit = 0;
	privset_from_names("VM.Audit", &audit, NULL);
	buf_clear(&list->text);
	for (size_t i = 0; i < cache.count; i++) {
		const struct fragment *f = &cache.fragments[i];
		if (!all && !may_see(req, audit, f->vmid))
			continue;
		if (list->text.size)
			buf_add_char(&list->text, ',');
		buf_add(&list->text, f->text, f->size);
	}
}

void api_resources_write_guests(struct api_request *req)
{
	uint64_t rights = access_generation(req->core->access);
	bool all = access_is_unlimited(&req->who);
	cache_follow(req->core);
	struct guest_list *list = list_for(all ? "" : api_user(req));
	if (list->built != cache.built || list->access_generation != rights) {
		list_build(list, req, all);
		list->built = cache.built;
		list->access_generation = rights;
	}
	list->last_use = ++cache.uses;
	if (list->text.size)
		json_raw(&req->json, list->text.data, list->text.size);
}
