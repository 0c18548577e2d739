/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/guest/vm/hypervisor_call.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/task/internal.h"

void hv_call_unref(struct hv_call *call)
{
	if (atomic_fetch_sub(&call->users, 1) > 1)
		return;
	closep(&call->done);
	closep(&call->fd);
	free(call->text);
	free(call);
}

static void *hv_call_main(void *arg)
{
	struct hv_call *call = arg;

	call->r = call->run(call);
	(void)!eventfd_write(call->done, 1);
	hv_call_unref(call);
	return NULL;
}

/* Signals are for the job's own thread: they end its waiting. */
static int thread_start(struct hv_call *call, struct err *err)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	int r = pthread_create(&thread, &attr, hv_call_main, call);

	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r ? err_errno(err, r, "start a thread") : 0;
}

static int hv_call_await(const struct hv_call *call, usec_t deadline, struct err *err)
{
	struct pollfd fds[2] = {{.fd = call->done, .events = POLLIN},
				{.fd = task_cancel_fd(), .events = POLLIN}};

	for (;;) {
		int r = poll(fds, 2, clock_left_ms(deadline));

		if (r > 0 && fds[0].revents)
			return 0;
		if (r < 0 && errno != EINTR)
			return err_set(err, ERR_UNKNOWN, "waiting for libvirtd failed");
		if (task_is_cancelled())
			return err_set(err, ERR_UNKNOWN, "interrupted by signal");
		if (r == 0 && clock_left_ms(deadline) == 0)
			return err_set(err, ERR_UNKNOWN, "libvirtd does not answer");
	}
}

int hv_call_make(struct hv *hv, int (*run)(struct hv_call *call), const char *text,
		 struct hv_call **ret, struct err *err)
{
	struct hv_call *call;
	int r;

	if (hv->is_lost)
		return err_set(err, ERR_UNKNOWN, "libvirtd does not answer");
	call = xcalloc(1, sizeof(*call));
	*call = (struct hv_call){
		.users = 2, .run = run, .conn = hv->conn, .fd = -1, .text = xstrdup(text)};
	call->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = call->done < 0 ? err_errno(err, errno, "eventfd") : thread_start(call, err);
	if (r < 0) {
		call->users = 1;
		hv_call_unref(call);
		return r;
	}
	if ((r = hv_call_await(call, hv->deadline, err)) < 0) {
		hv->is_lost = true;
	} else if ((r = call->r) < 0) {
		if (err)
			*err = call->err;
		hv->is_lost = r == -ERR_UNKNOWN;
	}
	if (r < 0) {
		hv_call_unref(call);
		return r;
	}
	*ret = call;
	return 0;
}

int hv_call_simple(struct hv *hv, int (*run)(struct hv_call *call), const char *text,
		   struct err *err)
{
	struct hv_call *call;
	int r = hv_call_make(hv, run, text, &call, err);

	if (r == 0)
		hv_call_unref(call);
	return r;
}
