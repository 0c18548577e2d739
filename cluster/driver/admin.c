/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Acts of an admin: founding, joining, votes. */
#include "cluster/driver/driver.h"

#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/str.h"

static void id_text(const struct uuid *id, char ret[33])
{
	autobuf hex = BUF_INIT;

	digest_hex(id->bytes, sizeof(id->bytes), &hex);
	str_copy(ret, 33, buf_str(&hex));
}

void store_identify(struct store *store)
{
	const struct replica_meta *meta = replica_meta(store->replica);

	id_text(&meta->cluster, store->identity.cluster_id);
	id_text(&meta->fork, store->identity.fork_id);
	id_text(&meta->incarnation, store->identity.incarnation);
	store->identity.start = meta->start;
}

static int nibble(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static int parse_id(const char *text, const char *field, struct uuid *ret, struct err *err)
{
	for (size_t i = 0; i < sizeof(ret->bytes); i++) {
		int high = nibble(text[2 * i]), low = high < 0 ? -1 : nibble(text[2 * i + 1]);

		if (low < 0)
			return err_field(err, field, "must be 32 hexadecimal digits");
		ret->bytes[i] = (uint8_t)(high << 4 | low);
	}
	if (text[2 * sizeof(ret->bytes)] != '\0')
		return err_field(err, field, "must be 32 hexadecimal digits");
	return 0;
}

static int check_empty(const struct store *store, struct err *err)
{
	if (replica_role(store->replica) == ROLE_WAITING)
		return 0;
	return err_set(err, ERR_CONFLICT, "this node belongs to a cluster already");
}

static void decide(struct store *store, struct event *event)
{
	store_step(store, event);
	store_identify(store);
	store_wake(store);
}

int store_found(struct store *store, struct err *err)
{
	struct event ev = {.type = EV_FOUND};
	int r = check_empty(store, err);

	if (r < 0)
		return r;
	random_bytes(ev.cluster.bytes, sizeof(ev.cluster.bytes));
	decide(store, &ev);
	return 0;
}

int store_join(struct store *store, const char *cluster_id, const char *fork_id, struct err *err)
{
	struct event ev = {.type = EV_JOIN};
	int r;

	if ((r = parse_id(cluster_id, "cluster", &ev.join.cluster, err)) < 0 ||
	    (r = parse_id(fork_id, "fork", &ev.join.fork, err)) < 0 ||
	    (r = check_empty(store, err)) < 0)
		return r;
	decide(store, &ev);
	return 0;
}

int store_admit(struct store *store, uint32_t node, const char *incarnation, store_done_fn done,
		void *ctx, struct err *err)
{
	struct member member = {.node = node};
	autobuf payload = BUF_INIT;
	int r = parse_id(incarnation, "incarnation", &member.incarnation, err);

	if (r < 0)
		return r;
	member_encode(&member, &payload);
	return store_ask(store, REQUEST_ADD_VOTER, &payload, done, ctx, err);
}
