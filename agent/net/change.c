/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of the network with a way back. Runs in helper and job processes. */
#include "agent/net/change.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/net/gateway.h"

#define IP_DEADLINE   (30 * USEC_PER_SEC)
#define PASSES	      4 /* what the kernel takes away by itself is seen after the first */
#define SNAPSHOT_MAX  (64u * 1024 * 1024)
#define SNAPSHOT_FILE "network/snapshot"

/* ---- running a plan ---- */

static int run_batch(struct buf *lines, struct err *err)
{
	const char *argv[] = {"ip", "-force", "-batch", "-", NULL};
	struct exec_run run = {.argv = argv,
			       .input = lines->data,
			       .input_size = lines->size,
			       .deadline = clock_monotonic() + IP_DEADLINE};

	return exec_run(&run, NULL, err);
}

/* Some commands may fail for good reasons (an address went with another one): what counts is what the kernel
 * has in the end. */
int net_change_to(const struct net_state *wanted, char *const *names, struct err *err)
{
	struct err why = ERR_INIT;

	for (int i = 0; i < PASSES; i++) {
		autonetstate now = NET_STATE_INIT;
		autobuf lines = BUF_INIT;
		int r = net_state_read(&now, err);

		if (r < 0)
			return r;
		net_plan(&now, wanted, names, &lines);
		if (lines.size == 0)
			return 0;
		why = ERR_INIT;
		(void)run_batch(&lines, &why);
	}
	return err_set(err, ERR_IO, "%s", why.code ? why.message : "the kernel did not take it");
}

/* ---- the snapshot ---- */

static int write_snapshot(const struct net_change *change, struct err *err)
{
	autofree char *path = path_join(path_run(), SNAPSHOT_FILE);
	autobuf out = BUF_INIT;

	net_snapshot_format(change, &out);
	return file_write_atomic(path, out.data, out.size, 0600, err);
}

static int remove_snapshot(struct err *err)
{
	autofree char *path = path_join(path_run(), SNAPSHOT_FILE);

	return file_remove(path, err);
}

/* ---- a change ---- */

/* Both of one moment: an edit in between could make the one that is gone a new one without any interface. */
static int read_configs(struct net_change *change, struct err *err)
{
	autofd int lock = -1;
	int r = net_config_lock(&lock, err);

	if (r < 0 || (r = net_config_read(false, &change->old, &change->old_text, err)) < 0)
		return r;
	return net_config_read_next(&change->new, &change->new_text, err);
}

static int prepare(struct net_change *change, struct err *err)
{
	int r;

	if ((r = read_configs(change, err)) < 0 || (r = net_facts_read(&change->facts, err)) < 0 ||
	    (r = net_state_parse(&change->facts, &change->before, err)) < 0 ||
	    (r = net_target(&change->before, &change->old, &change->new, NULL, &change->after,
			    err)) < 0)
		return r;
	change->names = net_managed_names(&change->old, &change->new);
	return 0;
}

int net_change_begin(struct net_change *change, struct err *err)
{
	struct err undo_err = ERR_INIT;
	const char *outcome;
	int r;

	*change = (struct net_change){.lock = -1};
	if ((r = net_change_undo(&outcome, &undo_err)) < 0) {
		if (err)
			*err = undo_err;
		return r;
	}
	if ((r = net_change_lock(&change->lock, err)) == 0)
		r = prepare(change, err);
	if (r < 0)
		net_change_end(change);
	return r;
}

void net_change_end(struct net_change *change)
{
	net_facts_fini(&change->facts);
	net_state_fini(&change->before);
	net_state_fini(&change->after);
	net_config_fini(&change->old);
	net_config_fini(&change->new);
	buf_fini(&change->old_text);
	buf_fini(&change->new_text);
	strv_free(change->names);
	change->names = NULL;
	closep(&change->lock);
	change->lock = -1;
}

void net_change_describe(const struct net_change *change, struct buf *out)
{
	net_plan(&change->before, &change->after, change->names, out);
}

/* Only one that answers now can be missed afterwards. */
static void ask_gateways(struct net_change *change)
{
	for (int is_v6 = 0; is_v6 <= 1; is_v6++) {
		const struct net_route *had = net_state_default(&change->before, is_v6);

		change->was_deaf[is_v6] = had && *had->gateway && net_gateway_probe(had, NULL) < 0;
	}
}

int net_change_forward(struct net_change *change, struct err *err)
{
	int r;

	ask_gateways(change);
	r = write_snapshot(change, err);
	change->has_snapshot = r == 0;
	return r < 0 ? r : net_change_to(&change->after, change->names, err);
}

int net_change_check(const struct net_change *change, struct err *err)
{
	autonetstate now = NET_STATE_INIT;
	int r = net_state_read(&now, err);

	for (int is_v6 = 0; r == 0 && is_v6 <= 1; is_v6++) {
		const struct net_route *had = net_state_default(&change->before, is_v6);
		const struct net_route *has = net_state_default(&now, is_v6);

		if (had && !has)
			return err_set(err, ERR_UNAVAILABLE, "the node lost its default route (%s)",
				       is_v6 ? "IPv6" : "IPv4");
		/* the same one on the same device, too: what lies below that may be another port, or none */
		if (!has || !*has->gateway ||
		    (had && str_eq(had->gateway, has->gateway) && change->was_deaf[is_v6]))
			continue;
		r = net_gateway_probe(has, err);
	}
	return r;
}

static bool has_equal_texts(const struct net_change *change)
{
	const struct buf *old = &change->old_text, *new = &change->new_text;

	return old->size == new->size &&
	       (old->size == 0 || memcmp(old->data, new->data, old->size) == 0);
}

int net_change_commit(struct net_change *change, struct err *err)
{
	int r = 0;

	if (change->has_snapshot && has_equal_texts(change)) {
		change->is_confirmed = true;
		r = write_snapshot(change, err);
	}
	if (r == 0)
		r = net_config_commit(buf_str(&change->new_text), change->new_text.size, err);
	if (r == 0)
		net_boot_done(); /* nothing of it was lacking */
	if (r == 0)
		(void)remove_snapshot(NULL); /* left over, it leads forward to the same end */
	return r;
}

int net_change_back(struct net_change *change, struct err *err)
{
	int r = net_change_to(&change->before, change->names, err);

	return r < 0 ? err_prefix(err, "go back") : remove_snapshot(err);
}

/* ---- what a dead one left ---- */

static bool was_committed(const struct net_change *change)
{
	autonetconfig config = NET_CONFIG_INIT;
	autobuf text = BUF_INIT;

	if (has_equal_texts(change))
		return change->is_confirmed;
	return net_config_read(false, &config, &text, NULL) == 0 &&
	       str_eq(buf_str(&text), change->new_text.data ? change->new_text.data : "");
}

static int finish(struct net_change *change, const char **ret_outcome, struct err *err)
{
	autonetstate now = NET_STATE_INIT;
	autonetlacks lacks = NET_LACKS_INIT;
	int r;

	if (!was_committed(change)) {
		*ret_outcome = "the state before it is back";
		return net_change_back(change, err);
	}
	*ret_outcome = "it was confirmed and is finished";
	if ((r = net_state_read(&now, err)) < 0 ||
	    (r = net_target(&now, &change->old, &change->new, &lacks, &change->after, err)) < 0 ||
	    (r = net_change_to(&change->after, change->names, err)) < 0)
		return r;
	return remove_snapshot(err);
}

int net_change_undo(const char **ret_outcome, struct err *err)
{
	autofree char *path = path_join(path_run(), SNAPSHOT_FILE);
	struct net_change change = {.lock = -1};
	struct err why = ERR_INIT;
	autobuf text = BUF_INIT;
	int r;

	*ret_outcome = "";
	if ((r = net_change_lock(&change.lock, err)) < 0)
		return r;
	r = file_read(path, SNAPSHOT_MAX, &text, &why);
	if (r == 0 && (r = net_snapshot_parse(&text, &change, &why)) == 0)
		r = finish(&change, ret_outcome, &why);
	net_change_end(&change);
	if (r == -ERR_NOT_FOUND && text.size == 0)
		return 0;
	if (r < 0 && err)
		*err = why;
	return r;
}
