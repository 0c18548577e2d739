/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store: opening, closing, reading, subscribing. Everything here runs on the owner's loop thread. */
#include "cluster/driver/driver.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "agent/base/fd.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define OPEN_TIMEOUT  (60 * USEC_PER_SEC)
#define CLOSE_TIMEOUT (5 * USEC_PER_SEC)
#define MACHINE_ID    "/etc/machine-id"

static int watch(struct store *store, int fd, struct err *err)
{
	struct epoll_event on = {.events = EPOLLIN};

	if (fd < 0 || epoll_ctl(store->epoll_fd, EPOLL_CTL_ADD, fd, &on) < 0)
		return err_errno(err, errno, "watch the store");
	return 0;
}

static int poll_setup(struct store *store, struct err *err)
{
	int r;

	store->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	store->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	store->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (store->epoll_fd < 0 || (r = watch(store, store->timer_fd, err)) < 0 ||
	    (r = watch(store, store->wake_fd, err)) < 0)
		return err_errno(err, errno, "watch the store");
	return watch(store, writer_fd(store->writer), err);
}

/* A machine without an identity of its own binds nothing. */
static char *machine_id(void)
{
	autobuf text = BUF_INIT;
	size_t size;

	if (file_read(MACHINE_ID, 256, &text, NULL) < 0)
		return NULL;
	size = strcspn(buf_str(&text), "\n");
	return size == 32 ? xstrndup(text.data, size) : NULL;
}

static int open_database(struct store *store, struct replica_disk *ret, struct err *err)
{
	autofree char *machine = machine_id();
	const struct db_options options = {
		.directory = store->directory, .run = store->run, .machine = machine};
	int r;

	if ((r = db_open(&options, &store->db, err)) < 0 ||
	    (r = db_load(store->db, true, ret, err)) < 0)
		return r;
	return writer_new(store->db, &store->writer, err);
}

/* ---- waiting until it is open ---- */

static bool is_alone_and_leads(const struct store *store)
{
	return replica_leads(store->replica) && !store->is_busy && store->persist_count == 0 &&
	       replica_state(store->replica)->at.index ==
		       log_last(replica_log(store->replica)).index;
}

/* With a group, or with other voters in its list, it becomes writable when they are there. */
static bool is_open(const struct store *store)
{
	enum replica_role role = replica_role(store->replica);

	if (role == ROLE_OPENING)
		return false;
	return store->transport || role == ROLE_LEFT || is_alone_and_leads(store) ||
	       replica_voters(store->replica)->count > 1;
}

static void found_alone(struct store *store)
{
	struct event ev = {.type = EV_FOUND};

	if (store->transport || replica_role(store->replica) != ROLE_WAITING)
		return;
	random_bytes(ev.cluster.bytes, sizeof(ev.cluster.bytes));
	store_step(store, &ev);
	store_wake(store);
}

static void wait_a_moment(struct store *store, usec_t deadline)
{
	struct pollfd p = {.fd = store->epoll_fd, .events = POLLIN};

	poll(&p, 1, clock_left_ms(deadline));
	store_dispatch(store);
}

/* What was loaded may be said, but there is no room for more: it is read, and written when there is. */
static bool is_full_only(const struct store *store, bool was_founded)
{
	return store->is_down && store->has_started && was_founded;
}

static int wait_until_open(struct store *store, bool was_founded, struct err *err)
{
	usec_t deadline = clock_monotonic() + OPEN_TIMEOUT;

	store_pump(store);
	while (!is_open(store)) {
		wait_a_moment(store, deadline);
		found_alone(store);
		if (clock_left_ms(deadline) == 0)
			return err_set(err, ERR_TIMEOUT, "the disk does not answer");
	}
	if (store->read_only && !is_full_only(store, was_founded))
		return err_set(err, store->is_down ? ERR_NO_SPACE : ERR_IO, "%s", store->read_only);
	return db_remember_start(store->db, replica_meta(store->replica), err);
}

static int open_steps(struct store *store, struct err *err)
{
	struct replica_disk disk = {0};
	bool was_founded;
	int r;

	if ((r = open_database(store, &disk, err)) < 0)
		return r;
	if ((r = poll_setup(store, err)) < 0 || (r = store_group_open(store, err)) < 0) {
		db_disk_fini(&disk);
		return r;
	}
	was_founded = !uuid_is_zero(&disk.meta.cluster);
	store->settled = disk.state ? disk.state->at.index : 0;
	store_start(store, &disk);
	if ((r = wait_until_open(store, was_founded, err)) < 0)
		return r;
	store_identify(store);
	return 0;
}

static void subscription_free(struct store_subscription *s)
{
	list_remove(&s->node);
	free(s->prefix);
	free(s);
}

/* The writer may be in the middle of a job, whose data must stay until it ended. */
void store_free(struct store *store)
{
	writer_free(store->writer);
	store_reading_forget(store);
	writer_job_fini(&store->job);
	store_group_free(store);
	db_close(store->db);
	replica_free(store->replica);
	settle_fini(&store->settle);
	store_proposals_drop(&store->waiting);
	store_proposals_drop(&store->asked);
	for (size_t i = 0; i < store->persist_count; i++)
		persist_free(store->persists[i]);
	free(store->persists);
	LIST_FOREACH (&store->subscriptions, s, struct store_subscription, node)
		subscription_free(s);
	closep(&store->epoll_fd);
	closep(&store->timer_fd);
	closep(&store->wake_fd);
	free(store->read_only);
	free(store->directory);
	free(store->run);
	free(store);
}

static struct store *store_new(const struct store_options *options)
{
	struct store *store = xcalloc(1, sizeof(*store));

	list_init(&store->waiting);
	list_init(&store->asked);
	list_init(&store->subscriptions);
	list_init(&store->readings);
	store->epoll_fd = store->timer_fd = store->wake_fd = -1;
	store->directory = xstrdup(options->directory);
	store->run = xstrdup(options->run ? options->run : path_run());
	store->transport = options->transport;
	store->suspended = clock_boottime() - clock_monotonic();
	store->options = replica_options_default;
	store->options.name = options->node;
	store->options.has_group = options->transport != NULL;
	store->options.node = options->transport ? options->transport->node : 1;
	return store;
}

int store_open(const struct store_options *options, struct store **ret, struct err *err)
{
	struct store *store = store_new(options);
	int r = open_steps(store, err);

	if (r < 0) {
		store_free(store);
		return err_prefix(err, "store");
	}
	store_group_join(store);
	store_pump(store);
	store_timer_set(store);
	*ret = store;
	return 0;
}

static bool has_work(const struct store *store)
{
	return store->is_busy || !list_is_empty(&store->waiting) || !list_is_empty(&store->asked);
}

static void close_now(struct store *store)
{
	usec_t deadline = clock_monotonic() + CLOSE_TIMEOUT;
	struct err err = ERR_INIT;

	store_pump(store);
	while (has_work(store) && clock_left_ms(deadline) > 0)
		wait_a_moment(store, deadline);
	err_set(&err, ERR_UNKNOWN, "the node is stopping");
	store->is_down = false;
	if (!store->read_only)
		store->read_only = xstrdup(err.message); /* callbacks submit in vain */
	store_fail_all(&store->asked, STORE_UNKNOWN, &err);
	store_fail_all(&store->waiting, STORE_NOT_SENT, &err);
	err_set(&err, ERR_CANCELLED, "the node is stopping");
	store_readings_fail(store, &err);
	store_free(store);
}

void store_close(struct store *store)
{
	if (!store || store->is_closing)
		return;
	if (store->is_dispatching) {
		store->closes_later = true;
		return;
	}
	store->is_closing = true;
	close_now(store);
}

static void dispatch(struct store *store)
{
	eventfd_t ignored;

	eventfd_read(store->wake_fd, &ignored);
	store_written(store);
	store_group_dispatch(store);
	store_ticks(store);
	store_propose_waiting(store);
	store_pump(store);
	store_timer_set(store);
}

void store_dispatch(struct store *store)
{
	store->is_dispatching = true;
	dispatch(store);
	store->is_dispatching = false;
	if (store->closes_later)
		store_close(store);
}

/* ---- the public face ---- */

int store_fd(const struct store *store)
{
	return store->epoll_fd;
}

const struct store_identity *store_identity(const struct store *store)
{
	return &store->identity;
}

bool store_leads(const struct store *store)
{
	return replica_leads(store->replica) != 0;
}

const char *store_read_only_reason(const struct store *store)
{
	return store->read_only;
}

uint64_t store_applied(const struct store *store)
{
	return replica_state(store->replica)->at.index;
}

static void fill(struct store_value *ret, const char *path, const struct kv_item *item)
{
	*ret = (struct store_value){
		.path = path, .data = item->data, .size = item->size, .version = item->version};
}

bool store_get(const struct store *store, const char *path, struct store_value *ret)
{
	const struct kv_item *item = kv_get(store_kv(store), path);

	if (item)
		fill(ret, path, item);
	return item != NULL;
}

bool store_next(const struct store *store, const char *prefix, const char *after,
		struct store_value *ret)
{
	const char *path;
	const struct kv_item *item = kv_next(store_kv(store), prefix, after, &path);

	if (item)
		fill(ret, path, item);
	return item != NULL;
}

struct store_subscription *store_subscribe(struct store *store, const char *prefix,
					   store_change_fn fn, void *ctx)
{
	struct store_subscription *s = xcalloc(1, sizeof(*s));

	s->store = store;
	s->prefix = xstrdup(prefix);
	s->fn = fn;
	s->ctx = ctx;
	list_append(&store->subscriptions, &s->node);
	return s;
}

void store_forget_ended(struct store *store)
{
	LIST_FOREACH (&store->subscriptions, s, struct store_subscription, node)
		if (!s->fn)
			subscription_free(s);
}

void store_unsubscribe(struct store_subscription *s)
{
	if (!s)
		return;
	s->fn = NULL;
	if (s->store->telling == 0)
		subscription_free(s);
}
