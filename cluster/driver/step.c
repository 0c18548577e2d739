/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events go into the replica, one at a time; its effects are carried out in order. Callbacks of the owner run here,
 * and only queue: no step begins inside another. */
#include "cluster/driver/driver.h"

#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"

#define THAW_GAP (2 * USEC_PER_SEC) /* a timer that is so late says that the process stood still */

const struct kv *store_kv(const struct store *store)
{
	return replica_state(store->replica)->kv;
}

static void do_send(struct store *store, struct effect *e)
{
	store_group_send(store, &e->send);
}

static void do_persist(struct store *store, struct effect *e)
{
	store_owe(store, TAKE(e->persist));
}

static void do_answer(struct store *store, struct effect *e)
{
	store_answered(store, e->answer);
}

static void do_applied(struct store *store, struct effect *e)
{
	store_applied_now(store, e->applied);
}

static void do_leave(struct store *store, struct effect *e)
{
	store_leave(store, e->reason);
}

/* What the replica found out by itself. The writer leaves its own marker, before the replica knows. */
static void do_read_only(struct store *store, struct effect *e)
{
	autofree char *path = xasprintf("%s/%s", store->run, DB_FAILED_MARKER);
	struct err err = ERR_INIT;

	if (access(path, F_OK) < 0 &&
	    file_write_atomic(path, e->reason, strlen(e->reason), 0600, &err) < 0)
		log_error("remember why the store is read-only: %s", err.message);
	store_become_read_only(store, e->reason);
}

static void (*const doers[])(struct store *store, struct effect *e) = {
	[EFFECT_SEND] = do_send,     [EFFECT_PERSIST] = do_persist,
	[EFFECT_ANSWER] = do_answer, [EFFECT_APPLIED] = do_applied,
	[EFFECT_LEAVE] = do_leave,   [EFFECT_READ_ONLY] = do_read_only,
};

void store_step(struct store *store, struct event *event)
{
	struct effects effects = {0};

	event->now = clock_monotonic();
	replica_step(store->replica, event, &effects);
	for (size_t i = 0; i < effects.count; i++)
		doers[effects.items[i].type](store, &effects.items[i]);
	effects_fini(&effects);
}

void store_start(struct store *store, struct replica_disk *disk)
{
	struct event started = {.type = EV_STARTED, .started = disk};

	store->replica = replica_new(&store->options);
	store_step(store, &started);
	db_disk_fini(disk);
}

/* ---- time ---- */

void store_wake(struct store *store)
{
	eventfd_write(store->wake_fd, 1);
}

static usec_t earliest(usec_t a, usec_t b)
{
	return !a || (b && b < a) ? b : a;
}

void store_timer_set(struct store *store)
{
	usec_t at = replica_deadline(store->replica);
	struct itimerspec spec;

	at = store_proposals_earliest(store, store_readings_earliest(store, at));
	at = earliest(at, store_group_deadline(store));
	at = earliest(at, store_settle_deadline(store));
	if (store->is_down)
		at = earliest(at, store->recover_at);
	if (at == store->timer)
		return;
	spec = (struct itimerspec){.it_value = {.tv_sec = (time_t)(at / USEC_PER_SEC),
						.tv_nsec = (long)(at % USEC_PER_SEC) * 1000}};
	store->timer = at;
	timerfd_settime(store->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* The machine was suspended, or the process stopped: what was known of the group is old. */
static bool has_stood_still(struct store *store, usec_t now)
{
	usec_t suspended = clock_boottime() - now;
	bool is_thaw = suspended > store->suspended + THAW_GAP ||
		       (store->timer && now > store->timer + THAW_GAP);

	store->suspended = suspended;
	return is_thaw;
}

void store_ticks(struct store *store)
{
	usec_t now = clock_monotonic(), due = replica_deadline(store->replica);
	bool is_thaw = store->transport && has_stood_still(store, now);
	uint64_t ignored;

	if (read(store->timer_fd, &ignored, sizeof(ignored)) == sizeof(ignored))
		store->timer = 0;
	if (is_thaw)
		store_step(store, &(struct event){.type = EV_THAW});
	if (due && now >= due)
		store_step(store, &(struct event){.type = EV_TICK});
	store_proposals_expire(store, now);
	store_readings_expire(store, now);
}
