/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store of a node alone: one voter. Opening, closing, reading, subscribing. Everything here runs on
 * the owner's loop thread. */
#include "cluster/db/store_internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define CLOSE_TIMEOUT (5 * USEC_PER_SEC)

static int replayed(const struct entry *entry, void *ctx, struct err *err)
{
	struct store_result ignored;

	return store_apply(ctx, entry, true, &ignored, err);
}

static int refuse_after_failed_sync(struct err *err)
{
	autofree char *path = path_join(path_run(), "%s", STORE_FAILED_MARKER);

	if (access(path, F_OK) == 0)
		return err_set(
			err, ERR_IO,
			"a write to the store failed earlier; check the disk and reboot this "
			"machine (or remove %s, at the risk of losing acknowledged changes)",
			path);
	return 0;
}

static int poll_setup(struct store *store, struct err *err)
{
	struct epoll_event on = {.events = EPOLLIN};

	store->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	store->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (store->epoll_fd < 0 || store->timer_fd < 0 ||
	    epoll_ctl(store->epoll_fd, EPOLL_CTL_ADD, writer_fd(store->writer), &on) < 0 ||
	    epoll_ctl(store->epoll_fd, EPOLL_CTL_ADD, store->timer_fd, &on) < 0)
		return err_errno(err, errno, "watch the writer thread");
	return 0;
}

static int open_steps(struct store *store, const struct store_options *options, struct err *err)
{
	int r;

	if ((r = refuse_after_failed_sync(err)) < 0 ||
	    (r = db_open(options->directory, &store->db, &store->start, err)) < 0 ||
	    (r = db_load(store->db, store->kv, err)) < 0)
		return r;
	store->last = store->start.last;
	memcpy(store->last_hash, store->start.last_hash, SHA256_SIZE);
	store->applied = store->settle.applied = store->start.applied;
	r = db_replay(store->db, store->start.applied, replayed, store, err);
	if (r < 0 || (r = writer_new(store->db, &store->writer, err)) < 0)
		return r;
	return poll_setup(store, err);
}

/* The writer may be in the middle of a job, whose data must stay until it ended. */
static void store_free(struct store *store)
{
	writer_free(store->writer);
	store_forget_all(&store->batch);
	settle_fini(&store->settling.settle);
	store_reading_forget(store);
	db_close(store->db);
	kv_free(store->kv);
	settle_fini(&store->settle);
	LIST_FOREACH (&store->subscriptions, s, struct store_subscription, node)
		store_unsubscribe(s);
	closep(&store->epoll_fd);
	closep(&store->timer_fd);
	free(store->read_only);
	free(store);
}

int store_open(const struct store_options *options, struct store **ret, struct err *err)
{
	struct store *store = xcalloc(1, sizeof(*store));
	int r;

	list_init(&store->waiting);
	list_init(&store->batch);
	list_init(&store->subscriptions);
	list_init(&store->readings);
	store->epoll_fd = store->timer_fd = -1;
	store->kv = kv_new();
	str_copy(store->node, sizeof(store->node), options->node);
	r = open_steps(store, options, err);
	if (r < 0) {
		store_free(store);
		return err_prefix(err, "store");
	}
	store_pump(store);
	*ret = store;
	return 0;
}

static void drain(struct store *store)
{
	usec_t deadline = clock_monotonic() + CLOSE_TIMEOUT;

	store_pump(store);
	while (store->is_busy && clock_left_ms(deadline) > 0) {
		struct pollfd p = {.fd = store_fd(store), .events = POLLIN};

		poll(&p, 1, clock_left_ms(deadline));
		store_dispatch(store);
	}
}

void store_close(struct store *store)
{
	struct err err = ERR_INIT;

	if (!store)
		return;
	drain(store);
	err_set(&err, ERR_UNKNOWN, "the node is stopping");
	if (!store->read_only)
		store->read_only = xstrdup(err.message); /* callbacks submit in vain */
	store_answer_all(&store->batch, STORE_UNKNOWN, &err);
	store_fail_all(&store->waiting, STORE_NOT_SENT, &err);
	err_set(&err, ERR_CANCELLED, "the node is stopping");
	store_readings_fail(store, &err);
	store_free(store);
}

/* ---- the public face ---- */

int store_fd(const struct store *store)
{
	return store->epoll_fd;
}

const struct store_identity *store_identity(const struct store *store)
{
	return &store->start.identity;
}

const char *store_read_only_reason(const struct store *store)
{
	return store->read_only;
}

uint64_t store_applied(const struct store *store)
{
	return store->applied;
}

bool store_get(const struct store *store, const char *path, struct store_value *ret)
{
	const struct kv_item *item = kv_get(store->kv, path);

	if (!item)
		return false;
	*ret = (struct store_value){
		.path = path, .data = item->data, .size = item->size, .version = item->version};
	return true;
}

bool store_next(const struct store *store, const char *prefix, const char *after,
		struct store_value *ret)
{
	const char *path;
	const struct kv_item *item = kv_next(store->kv, prefix, after, &path);

	if (!item)
		return false;
	*ret = (struct store_value){
		.path = path, .data = item->data, .size = item->size, .version = item->version};
	return true;
}

struct store_subscription *store_subscribe(struct store *store, const char *prefix,
					   store_change_fn fn, void *ctx)
{
	struct store_subscription *s = xcalloc(1, sizeof(*s));

	s->prefix = xstrdup(prefix);
	s->fn = fn;
	s->ctx = ctx;
	list_append(&store->subscriptions, &s->node);
	return s;
}

void store_unsubscribe(struct store_subscription *s)
{
	if (!s)
		return;
	list_remove(&s->node);
	free(s->prefix);
	free(s);
}
