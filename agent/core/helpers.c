/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helper processes: queue, output, deadline. Runs on the core's loop; never waits. A helper that
 * hangs in the kernel survives SIGKILL: it gives its slot back and lingers, up to a bound. */
#include "agent/core/helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/list.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/core/child.h"
#include "agent/core/helper_answer.h"

#define HELPER_OUTPUT_MAX  (16u * 1024 * 1024)
#define HELPERS_LINGER_MAX 64
#define STUCK_AFTER	   (500 * USEC_PER_MSEC) /* after SIGKILL */

/*  queued --slot free--> running --exit--> (done, freed)
 *     |                     +--deadline, cancel, too much output--> lingering --exit--> (freed)
 *     +--deadline, cancel--> (done or not, freed)                                              */
enum helper_state { HELPER_QUEUED, HELPER_RUNNING, HELPER_LINGERING };

struct helper {
	struct helpers *owner;
	struct list link; /* of the list of its state */
	enum helper_state state;
	char *name;
	char *storage;	 /* the one that it asks, or NULL */
	bool is_network; /* it waits for a server that somebody named */
	int args_fd;
	helper_done_fn done; /* NULL once called or cancelled */
	void *ctx;
	sd_event_source *deadline;
	pid_t pid;
	int pidfd, output_fd;
	usec_t killed; /* when LINGERING began */
	sd_event_source *exit_source, *output_source;
	struct buf output;
};

struct helpers {
	sd_event *event;
	struct list lists[3];
	size_t counts[3];
	sd_event_source *start_source; /* starts queued ones from the loop, never from a callback */
};

static void set_state(struct helper *h, enum helper_state state)
{
	list_remove(&h->link);
	h->owner->counts[h->state]--;
	h->state = state;
	list_append(&h->owner->lists[state], &h->link);
	h->owner->counts[state]++;
}

static void drop_source(sd_event_source **source)
{
	if (*source)
		sd_event_source_disable_unref(*source);
	*source = NULL;
}

static void drop_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void wake(struct helpers *owner)
{
	if (owner->counts[HELPER_QUEUED] > 0)
		sd_event_source_set_enabled(owner->start_source, SD_EVENT_ONESHOT);
}

static void helper_free(struct helper *h)
{
	struct helpers *owner = h->owner;

	list_remove(&h->link);
	owner->counts[h->state]--;
	drop_source(&h->deadline);
	drop_source(&h->exit_source);
	drop_source(&h->output_source);
	drop_fd(&h->args_fd);
	drop_fd(&h->pidfd);
	drop_fd(&h->output_fd);
	buf_fini(&h->output);
	free(h->name);
	free(h->storage);
	free(h);
	wake(owner);
}

static void answer(struct helper *h, const struct err *err)
{
	helper_done_fn done = TAKE(h->done);

	if (done)
		done(err, &h->output, h->ctx);
}

/* Its slot is free, whether or not the process obeys. */
static void abandon(struct helper *h)
{
	if (h->state == HELPER_QUEUED) {
		helper_free(h);
		return;
	}
	child_signal_group(h->pid, h->pidfd, SIGKILL);
	drop_source(&h->deadline);
	drop_source(&h->output_source);
	drop_fd(&h->output_fd);
	buf_fini(&h->output);
	h->killed = clock_monotonic();
	set_state(h, HELPER_LINGERING);
	wake(h->owner);
}

static void fail(struct helper *h, const struct err *err)
{
	answer(h, err);
	abandon(h);
}

static int on_deadline(sd_event_source *source, uint64_t now, void *ctx)
{
	struct helper *h = ctx;
	struct err err = ERR_INIT;

	(void)source;
	(void)now;
	err_set(&err, ERR_TIMEOUT, "%s took too long", h->name);
	fail(h, &err);
	return 0;
}

/* false: more than a helper may say. */
static bool take_output(struct helper *h)
{
	for (;;) {
		buf_reserve(&h->output, 16384);
		ssize_t n = read(h->output_fd, h->output.data + h->output.size, 16384);

		if (n <= 0) {
			if (n == 0 || errno != EAGAIN)
				drop_source(&h->output_source);
			buf_str(&h->output);
			return true;
		}
		h->output.size += (size_t)n;
		if (h->output.size > HELPER_OUTPUT_MAX)
			return false;
	}
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct helper *h = ctx;
	struct err err = ERR_INIT;

	(void)source;
	(void)fd;
	(void)events;
	if (take_output(h))
		return 0;
	err_set(&err, ERR_LIMIT, "%s answered too much", h->name);
	fail(h, &err);
	return 0;
}

static void judge(struct helper *h, int status, struct err *err)
{
	char how[32];

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1) {
		helper_error_parse(h->name, buf_str(&h->output), h->output.size, err);
		return;
	}
	child_status_text(status, how, sizeof(how));
	err_set(err, ERR_INTERNAL, "helper %s died: %s", h->name, how);
}

static int on_exit_fd(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct helper *h = ctx;
	struct err err = ERR_INIT;
	int status = W_EXITCODE(0, SIGKILL);

	(void)source;
	(void)events;
	child_reap(fd, &status);
	if (h->state == HELPER_RUNNING) {
		if (h->output_fd >= 0 && !take_output(h))
			err_set(&err, ERR_LIMIT, "%s answered too much", h->name);
		else
			judge(h, status, &err);
		answer(h, &err);
	}
	helper_free(h);
	return 0;
}

/* Few need what is large. */
static const char *program_of(const char *name)
{
	return str_starts(name, "url-")	     ? "lodge-task-fetch"
	       : str_starts(name, "import-") ? "lodge-task-import"
					     : "lodge-task";
}

static int start(struct helper *h, struct err *err)
{
	autofree char *program = path_join(path_libexec(), "%s", program_of(h->name));
	const char *argv[] = {program, "helper", h->name, NULL};
	int pipes[2];
	int r;

	if (pipe2(pipes, O_CLOEXEC) != 0)
		return err_errno(err, errno, "pipe");
	autofd int read_end = pipes[0], write_end = pipes[1];
	const struct child_spec child = {argv, {h->args_fd, write_end, STDERR_FILENO, -1}};
	struct child process;
	fd_set_nonblock(read_end, true);
	if ((r = child_spawn(&child, &process, err)) < 0)
		return r;
	h->pid = process.pid;
	h->pidfd = process.pidfd;
	h->output_fd = TAKE_FD(read_end);
	drop_fd(&h->args_fd);
	set_state(h, HELPER_RUNNING);
	r = sd_event_add_io(h->owner->event, &h->output_source, h->output_fd, EPOLLIN, on_output,
			    h);
	if (r >= 0)
		r = sd_event_add_io(h->owner->event, &h->exit_source, h->pidfd, EPOLLIN, on_exit_fd,
				    h);
	return r < 0 ? err_errno(err, -r, "watch helper") : 0;
}

static size_t count_of(const struct helpers *owner, enum helper_state state, const char *storage)
{
	size_t count = 0;

	LIST_FOREACH (&owner->lists[state], h, struct helper, link)
		count += str_eq(h->storage, storage);
	return count;
}

static size_t count_of_network(const struct helpers *owner, enum helper_state state)
{
	size_t count = 0;

	LIST_FOREACH (&owner->lists[state], h, struct helper, link)
		count += h->is_network;
	return count;
}

/* Also those that were killed and are not gone yet. */
static bool has_slot(const struct helpers *owner, const struct helper *h)
{
	if (h->is_network &&
	    count_of_network(owner, HELPER_RUNNING) + count_of_network(owner, HELPER_LINGERING) >=
		    HELPERS_OF_NETWORK)
		return false;
	return !h->storage || count_of(owner, HELPER_RUNNING, h->storage) +
					      count_of(owner, HELPER_LINGERING, h->storage) <
				      HELPERS_OF_STORAGE;
}

/* SIGKILL did not end it: it is stuck in the kernel. */
static bool is_stuck(const struct helpers *owner, const char *storage)
{
	usec_t now = clock_monotonic();

	LIST_FOREACH (&owner->lists[HELPER_LINGERING], h, struct helper, link)
		if (str_eq(h->storage, storage) && now - h->killed > STUCK_AFTER)
			return true;
	return false;
}

/* The first that waits and may start: neither a storage nor a server that is slow takes every slot. */
static struct helper *next_to_start(const struct helpers *owner)
{
	if (owner->counts[HELPER_RUNNING] >= HELPERS_RUNNING ||
	    owner->counts[HELPER_LINGERING] >= HELPERS_LINGER_MAX)
		return NULL;
	LIST_FOREACH (&owner->lists[HELPER_QUEUED], h, struct helper, link)
		if (has_slot(owner, h))
			return h;
	return NULL;
}

static int on_start(sd_event_source *source, void *ctx)
{
	struct helpers *owner = ctx;

	(void)source;
	for (struct helper *h; (h = next_to_start(owner));) {
		struct err err = ERR_INIT;

		if (start(h, &err) < 0) {
			err_prefix(&err, "helper %s", h->name);
			answer(h, &err);
			if (h->state == HELPER_RUNNING)
				child_signal_group(h->pid, h->pidfd, SIGKILL);
			helper_free(h);
		}
	}
	return 0;
}

struct helpers *helpers_new(sd_event *event)
{
	struct helpers *helpers = xcalloc(1, sizeof(*helpers));

	helpers->event = event;
	for (size_t i = 0; i < ARRAY_SIZE(helpers->lists); i++)
		list_init(&helpers->lists[i]);
	if (sd_event_add_defer(event, &helpers->start_source, on_start, helpers) < 0)
		abort(); /* out of memory */
	sd_event_source_set_enabled(helpers->start_source, SD_EVENT_OFF);
	return helpers;
}

void helpers_free(struct helpers *helpers)
{
	if (!helpers)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(helpers->lists); i++)
		LIST_FOREACH (&helpers->lists[i], h, struct helper, link) {
			if (h->pidfd >= 0)
				child_signal_group(h->pid, h->pidfd, SIGKILL);
			helper_free(h);
		}
	sd_event_source_disable_unref(helpers->start_source);
	free(helpers);
}

static int make_args(const struct fields *args, int *ret_fd, struct err *err)
{
	static const struct fields none;
	autobuf text = BUF_INIT;

	fields_encode(args ? args : &none, &text);
	return fd_memfd_sealed("helper", text.data, text.size, ret_fd, err);
}

int helpers_run(struct helpers *helpers, const char *name, const struct fields *args,
		usec_t timeout, helper_done_fn done, void *ctx, struct helper **ret,
		struct err *err)
{
	autofd int args_fd = -1;
	const char *storage = args ? fields_get(args, "storage-id") : NULL;
	int r;

	/* those that hang with it are enough */
	if (storage && is_stuck(helpers, storage))
		return err_set(err, ERR_UNAVAILABLE, "storage '%s' does not answer", storage);
	if (helpers->counts[HELPER_QUEUED] >= HELPERS_QUEUED)
		return err_set(err, ERR_LIMIT, "too many requests are waiting");
	if ((r = make_args(args, &args_fd, err)) < 0)
		return r;
	struct helper *h = xcalloc(1, sizeof(*h));
	*h = (struct helper){.owner = helpers,
			     .state = HELPER_QUEUED,
			     .done = done,
			     .ctx = ctx,
			     .args_fd = TAKE_FD(args_fd),
			     .pidfd = -1,
			     .output_fd = -1};
	h->name = xstrdup(name);
	h->storage = xstrdup(storage);
	h->is_network = str_starts(name, "url-") || str_starts(name, "oci-");
	list_append(&helpers->lists[HELPER_QUEUED], &h->link);
	helpers->counts[HELPER_QUEUED]++;
	r = sd_event_add_time_relative(helpers->event, &h->deadline, CLOCK_MONOTONIC, timeout,
				       10 * USEC_PER_MSEC, on_deadline, h);
	if (r < 0) {
		helper_free(h);
		return err_errno(err, -r, "timer");
	}
	wake(helpers);
	if (ret)
		*ret = h;
	return 0;
}

void helper_cancel(struct helper *helper)
{
	helper->done = NULL;
	abandon(helper);
}
