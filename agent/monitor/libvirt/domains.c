/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The module's thread and what goes to it and comes from it. One thread for the life of the process: while
 * it hangs there is no second one. */
#include <errno.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/monitor/libvirt/session.h"

#define END_WAIT_MS 300

/* -- for the thread ----------------------------------------------------------------------------- */

static void forget_news(struct domains *d)
{
	for (; d->count > 0; d->count--) {
		free(d->news[d->first].items);
		d->first = (d->first + 1) % NEWS_MAX;
	}
}

void domains_post(struct domains *d, struct domains_news *news)
{
	pthread_mutex_lock(&d->lock);
	if (d->count == NEWS_MAX) {
		forget_news(d);
		d->is_stale = true;
	}
	d->news[(d->first + d->count++) % NEWS_MAX] = *news;
	pthread_mutex_unlock(&d->lock);
	(void)eventfd_write(d->ready, 1);
}

bool domains_hear(struct domains *d)
{
	pthread_mutex_lock(&d->lock);
	d->is_stale |= d->wants_list;
	d->wants_list = false;
	bool goes_on = !d->wants_end;

	pthread_mutex_unlock(&d->lock);
	return goes_on;
}

/* false: the end is wanted. */
static bool await_connect(struct domains *d)
{
	for (;;) {
		eventfd_t count;

		pthread_mutex_lock(&d->lock);
		bool ends = d->wants_end, connects = d->wants_connect;

		d->wants_connect = d->wants_list = false;
		pthread_mutex_unlock(&d->lock);
		if (ends || connects)
			return !ends;
		(void)poll(&(struct pollfd){.fd = d->wake, .events = POLLIN}, 1, -1);
		(void)eventfd_read(d->wake, &count);
	}
}

static void *thread_main(void *arg)
{
	struct domains *d = arg;

	while (await_connect(d))
		session_run(d);
	return NULL;
}

/* -- for the monitor's loop --------------------------------------------------------------------- */

/* libvirt would print to stderr. */
static void be_quiet(void *ctx, virErrorPtr why)
{
	(void)ctx;
	(void)why;
}

static void domains_free(struct domains *d)
{
	forget_news(d);
	if (d->wake >= 0)
		close(d->wake);
	if (d->ready >= 0)
		close(d->ready);
	pthread_mutex_destroy(&d->lock);
	free(d->uri);
	free(d);
}

/* Signals are for the loop's thread. */
static int start_thread(struct domains *d)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_create(&d->thread, NULL, thread_main, d);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

static int domains_open(const char *uri, struct domains **ret, struct err *err)
{
	struct domains *d = xcalloc(1, sizeof(*d));
	int r;

	d->uri = xstrdup(uri);
	d->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	d->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&d->lock, NULL);
	virSetErrorFunc(NULL, be_quiet);
	if (d->wake < 0 || d->ready < 0) {
		r = err_errno(err, errno, "eventfd");
	} else if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0) {
		r = err_set(err, ERR_INTERNAL, "libvirt: %s", query_error());
	} else {
		r = start_thread(d);
		r = r ? err_errno(err, r, "start a thread") : 0;
	}
	if (r < 0) {
		domains_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

static int domains_fd(const struct domains *d)
{
	return d->ready;
}

static bool domains_take(struct domains *d, struct domains_news *ret)
{
	eventfd_t count;

	(void)eventfd_read(d->ready, &count);
	pthread_mutex_lock(&d->lock);
	bool has = d->count > 0;

	if (has) {
		*ret = d->news[d->first];
		d->first = (d->first + 1) % NEWS_MAX;
		d->count--;
	}
	pthread_mutex_unlock(&d->lock);
	return has;
}

static void wish(struct domains *d, bool *which)
{
	pthread_mutex_lock(&d->lock);
	*which = true;
	pthread_mutex_unlock(&d->lock);
	(void)eventfd_write(d->wake, 1);
}

static void domains_connect(struct domains *d)
{
	wish(d, &d->wants_connect);
}

static void domains_list(struct domains *d)
{
	wish(d, &d->wants_list);
}

static bool domains_close(struct domains *d)
{
	struct timespec end;

	wish(d, &d->wants_end);
	clock_gettime(CLOCK_REALTIME, &end); /* what pthread_timedjoin_np() takes */
	end.tv_nsec += END_WAIT_MS * 1000000L;
	end.tv_sec += end.tv_nsec / 1000000000L;
	end.tv_nsec %= 1000000000L;
	if (pthread_timedjoin_np(d->thread, NULL, &end) != 0)
		return false;
	domains_free(d);
	return true;
}

const struct domains_ops domains_libvirt_ops = {
	.open = domains_open,
	.fd = domains_fd,
	.take = domains_take,
	.connect = domains_connect,
	.list = domains_list,
	.close = domains_close,
};
