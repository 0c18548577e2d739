/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libvirt calls with a deadline: a detached thread makes the call, this one waits for its word. Who comes
 * last frees the call; a call given up is left to its thread, which the job's end takes along. */
#include "agent/guest/vm/hypervisor.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/internal.h"

#define DEFAULT_URI  "qemu:///system"
#define RESTART_WAIT (3 * USEC_PER_SEC)
#define RESTART_LOOK 100 /* ms */

struct hv {
	virConnectPtr conn;
	usec_t deadline;
	bool is_lost; /* a call was given up */
};

struct call {
	atomic_int users;
	int done; /* eventfd */
	int (*run)(struct call *call);
	virConnectPtr conn;
	char *text; /* name or XML, or what run says */
	enum hv_state state;
	int fd; /* owned; -1: none */
	int r;
	struct err err;
};

static void call_unref(struct call *call)
{
	if (atomic_fetch_sub(&call->users, 1) > 1)
		return;
	closep(&call->done);
	closep(&call->fd);
	free(call->text);
	free(call);
}

static void *call_main(void *arg)
{
	struct call *call = arg;

	call->r = call->run(call);
	(void)!eventfd_write(call->done, 1);
	call_unref(call);
	return NULL;
}

/* Signals are for the job's own thread: they end its waiting. */
static int thread_start(struct call *call, struct err *err)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	int r = pthread_create(&thread, &attr, call_main, call);

	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r ? err_errno(err, r, "start a thread") : 0;
}

static int call_await(const struct call *call, usec_t deadline, struct err *err)
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

/* On success *ret is to be given back by call_unref(). */
static int call_make(struct hv *hv, int (*run)(struct call *call), const char *text,
		     struct call **ret, struct err *err)
{
	struct call *call;
	int r;

	if (hv->is_lost)
		return err_set(err, ERR_UNKNOWN, "libvirtd does not answer");
	call = xcalloc(1, sizeof(*call));
	*call = (struct call){
		.users = 2, .run = run, .conn = hv->conn, .fd = -1, .text = xstrdup(text)};
	call->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = call->done < 0 ? err_errno(err, errno, "eventfd") : thread_start(call, err);
	if (r < 0) {
		call->users = 1;
		call_unref(call);
		return r;
	}
	if ((r = call_await(call, hv->deadline, err)) < 0) {
		hv->is_lost = true;
	} else if ((r = call->r) < 0) {
		if (err)
			*err = call->err;
		hv->is_lost = r == -ERR_UNKNOWN;
	}
	if (r < 0) {
		call_unref(call);
		return r;
	}
	*ret = call;
	return 0;
}

static int call_simple(struct hv *hv, int (*run)(struct call *call), const char *text,
		       struct err *err)
{
	struct call *call;
	int r = call_make(hv, run, text, &call, err);

	if (r == 0)
		call_unref(call);
	return r;
}

/* -- in the thread ------------------------------------------------------------------------------ */

static const struct {
	int virt;
	enum err_code code;
} codes[] = {
	{VIR_ERR_NO_DOMAIN, ERR_NOT_FOUND},	  {VIR_ERR_CONFIG_UNSUPPORTED, ERR_UNSUPPORTED},
	{VIR_ERR_NO_SUPPORT, ERR_UNSUPPORTED},	  {VIR_ERR_OPERATION_UNSUPPORTED, ERR_UNSUPPORTED},
	{VIR_ERR_OPERATION_TIMEOUT, ERR_TIMEOUT}, {VIR_ERR_OPERATION_FAILED, ERR_BUSY},
};

/* What libvirt says of its last failure in this thread; asking whether the link lives clears that. */
static int failed(struct call *call)
{
	const virError *why = virGetLastError();
	enum err_code code = ERR_INTERNAL;

	for (size_t i = 0; why && i < ARRAY_SIZE(codes); i++) {
		if (codes[i].virt == why->code)
			code = codes[i].code;
	}
	err_set(&call->err, code, "%s",
		why && why->message ? why->message : "libvirt failed without a reason");
	if (call->conn && virConnectIsAlive(call->conn) != 1)
		return err_set(&call->err, ERR_UNKNOWN, "the connection to libvirtd broke");
	return -call->err.code;
}

static int run_open(struct call *call)
{
	call->conn = virConnectOpen(call->text);
	if (call->conn)
		return 0;
	const virError *why = virGetLastError();

	return err_set(&call->err, ERR_UNAVAILABLE, "libvirtd is not reachable: %s",
		       why && why->message ? why->message : "no reason given");
}

/* A start that was given up leaves these; every other reason is of a machine that ran. */
static bool is_start_reason(int reason)
{
	return reason == VIR_DOMAIN_PAUSED_UNKNOWN || reason == VIR_DOMAIN_PAUSED_USER ||
	       reason == VIR_DOMAIN_PAUSED_STARTING_UP;
}

static enum hv_state state_of(virDomainPtr domain, int state, int reason)
{
	switch (state) {
	case VIR_DOMAIN_RUNNING:
	case VIR_DOMAIN_BLOCKED:
	case VIR_DOMAIN_PMSUSPENDED:
		return HV_RUNNING;
	case VIR_DOMAIN_PAUSED:
		return is_start_reason(reason) ? HV_PAUSED : HV_RUNNING;
	case VIR_DOMAIN_SHUTOFF:
		/* only a definition, which somebody else stored: it stays for ever */
		return virDomainIsPersistent(domain) == 1 ? HV_ABSENT : HV_ENDING;
	default:
		return HV_ENDING;
	}
}

static int run_look(struct call *call)
{
	virDomainPtr domain = virDomainLookupByName(call->conn, call->text);
	int state, reason, r = 0;

	call->state = HV_ABSENT;
	if (domain && virDomainGetState(domain, &state, &reason, 0) == 0)
		call->state = state_of(domain, state, reason);
	else if (virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
		r = failed(call);
	if (domain)
		virDomainFree(domain);
	return r;
}

static int run_create(struct call *call)
{
	virDomainPtr domain = virDomainCreateXML(call->conn, call->text, VIR_DOMAIN_START_PAUSED);

	if (!domain)
		return failed(call);
	virDomainFree(domain);
	return 0;
}

static int act(struct call *call, int (*fn)(virDomainPtr domain))
{
	virDomainPtr domain = virDomainLookupByName(call->conn, call->text);
	int r = domain && fn(domain) == 0 ? 0 : failed(call);

	if (domain)
		virDomainFree(domain);
	return r;
}

static int reset(virDomainPtr domain)
{
	return virDomainReset(domain, 0);
}

/* With both, libvirt falls back from the agent to the button. */
static int shut_down(virDomainPtr domain)
{
	return virDomainShutdownFlags(domain, VIR_DOMAIN_SHUTDOWN_GUEST_AGENT |
						      VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN);
}

static int run_resume(struct call *call)
{
	return act(call, virDomainResume);
}

static int run_destroy(struct call *call)
{
	return act(call, virDomainDestroy);
}

static int run_reset(struct call *call)
{
	return act(call, reset);
}

static int run_shutdown(struct call *call)
{
	return act(call, shut_down);
}

/* "SIZE PATH" behind the name: all that a call takes along is one text. */
static int run_resize_disk(struct call *call)
{
	char *size = strchr(call->text, '\n'), *path = NULL;
	unsigned long long bytes = size ? strtoull(size + 1, &path, 10) : 0;

	if (!bytes || !path || *path != ' ')
		return err_set(&call->err, ERR_INTERNAL, "malformed call");
	*size = '\0';
	virDomainPtr domain = virDomainLookupByName(call->conn, call->text);
	int r = domain && virDomainBlockResize(domain, path + 1, bytes,
					       VIR_DOMAIN_BLOCK_RESIZE_BYTES) == 0
			? 0
			: failed(call);

	if (domain)
		virDomainFree(domain);
	return r;
}

static int run_capabilities(struct call *call)
{
	char *text = virConnectGetCapabilities(call->conn);

	if (!text)
		return failed(call);
	free(call->text);
	call->text = text;
	return 0;
}

static int run_open_graphics(struct call *call)
{
	virDomainPtr domain = virDomainLookupByName(call->conn, call->text);
	int r = 0;

	if (domain)
		call->fd = virDomainOpenGraphicsFD(domain, 0, VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH);
	if (call->fd < 0)
		r = failed(call);
	if (domain)
		virDomainFree(domain);
	return r;
}

/* -- for jobs ----------------------------------------------------------------------------------- */

/* libvirt would print to stderr, which is the task log. */
static void be_quiet(void *ctx, virErrorPtr why)
{
	(void)ctx;
	(void)why;
}

/* A libvirtd that is just starting again is waited for. */
static int open_patiently(struct hv *hv, struct call **ret, struct err *err)
{
	const char *uri = secure_getenv("LODGE_LIBVIRT_URI") ?: DEFAULT_URI;
	usec_t end = clock_monotonic() + RESTART_WAIT;

	for (;;) {
		int r = call_make(hv, run_open, uri, ret, err);

		if (r != -ERR_UNAVAILABLE || clock_left_ms(end) == 0 ||
		    clock_left_ms(hv->deadline) == 0 || task_is_cancelled())
			return r;
		poll(NULL, 0, RESTART_LOOK);
	}
}

int hv_open(usec_t deadline, struct hv **ret, struct err *err)
{
	static struct hv *links[8]; /* reachable to the end: a thread may still use them */
	static size_t count;
	struct hv *hv = xcalloc(1, sizeof(*hv));
	struct call *call;
	int r;

	if (count < ARRAY_SIZE(links))
		links[count++] = hv;
	hv->deadline = deadline;
	virSetErrorFunc(NULL, be_quiet);
	virInitialize();
	r = open_patiently(hv, &call, err);
	if (r < 0)
		return r;
	hv->conn = call->conn;
	call_unref(call);
	*ret = hv;
	return 0;
}

void hv_set_deadline(struct hv *hv, usec_t deadline)
{
	hv->deadline = deadline;
}

int hv_look(struct hv *hv, const char *name, enum hv_state *ret, struct err *err)
{
	struct call *call;
	int r = call_make(hv, run_look, name, &call, err);

	if (r < 0)
		return r;
	*ret = call->state;
	call_unref(call);
	return 0;
}

int hv_create_paused(struct hv *hv, const char *xml, struct err *err)
{
	return call_simple(hv, run_create, xml, err);
}

int hv_resume(struct hv *hv, const char *name, struct err *err)
{
	return call_simple(hv, run_resume, name, err);
}

int hv_destroy(struct hv *hv, const char *name, struct err *err)
{
	return call_simple(hv, run_destroy, name, err);
}

int hv_reset(struct hv *hv, const char *name, struct err *err)
{
	return call_simple(hv, run_reset, name, err);
}

int hv_shutdown(struct hv *hv, const char *name, struct err *err)
{
	return call_simple(hv, run_shutdown, name, err);
}

int hv_resize_disk(struct hv *hv, const char *name, const char *path, unsigned long long size,
		   struct err *err)
{
	autofree char *text = xasprintf("%s\n%llu %s", name, size, path);

	return call_simple(hv, run_resize_disk, text, err);
}

int hv_capabilities(struct hv *hv, char **ret, struct err *err)
{
	struct call *call;
	int r = call_make(hv, run_capabilities, "", &call, err);

	if (r < 0)
		return r;
	*ret = TAKE(call->text);
	call_unref(call);
	return 0;
}

int hv_open_graphics(struct hv *hv, const char *name, int *ret_fd, struct err *err)
{
	struct call *call;
	int r = call_make(hv, run_open_graphics, name, &call, err);

	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(call->fd);
	call_unref(call);
	return 0;
}
