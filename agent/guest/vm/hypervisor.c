/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What jobs ask of libvirt. The functions named run_… are in the thread of their call. */
#include "agent/guest/vm/hypervisor.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm/hypervisor_call.h"
#include "agent/task/internal.h"

#define DEFAULT_URI  "qemu:///system"
#define RESTART_WAIT (3 * USEC_PER_SEC)
#define RESTART_LOOK 100 /* ms */

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
static int failed(struct hv_call *call)
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

static int run_open(struct hv_call *call)
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

static int run_look(struct hv_call *call)
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

static int run_create(struct hv_call *call)
{
	virDomainPtr domain = virDomainCreateXML(call->conn, call->text, VIR_DOMAIN_START_PAUSED);

	if (!domain)
		return failed(call);
	virDomainFree(domain);
	return 0;
}

static int act(struct hv_call *call, int (*fn)(virDomainPtr domain))
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

static int run_resume(struct hv_call *call)
{
	return act(call, virDomainResume);
}

static int run_destroy(struct hv_call *call)
{
	return act(call, virDomainDestroy);
}

static int run_reset(struct hv_call *call)
{
	return act(call, reset);
}

static int run_shutdown(struct hv_call *call)
{
	return act(call, shut_down);
}

/* "SIZE PATH" behind the name: all that a call takes along is one text. */
static int run_resize_disk(struct hv_call *call)
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

static int run_capabilities(struct hv_call *call)
{
	char *text = virConnectGetCapabilities(call->conn);

	if (!text)
		return failed(call);
	free(call->text);
	call->text = text;
	return 0;
}

static int run_open_graphics(struct hv_call *call)
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
static int open_patiently(struct hv *hv, struct hv_call **ret, struct err *err)
{
	const char *uri = secure_getenv("LODGE_LIBVIRT_URI") ?: DEFAULT_URI;
	usec_t end = clock_monotonic() + RESTART_WAIT;

	for (;;) {
		int r = hv_call_make(hv, run_open, uri, ret, err);

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
	struct hv_call *call;
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
	hv_call_unref(call);
	*ret = hv;
	return 0;
}

void hv_set_deadline(struct hv *hv, usec_t deadline)
{
	hv->deadline = deadline;
}

int hv_look(struct hv *hv, const char *name, enum hv_state *ret, struct err *err)
{
	struct hv_call *call;
	int r = hv_call_make(hv, run_look, name, &call, err);

	if (r < 0)
		return r;
	*ret = call->state;
	hv_call_unref(call);
	return 0;
}

int hv_create_paused(struct hv *hv, const char *xml, struct err *err)
{
	return hv_call_simple(hv, run_create, xml, err);
}

int hv_resume(struct hv *hv, const char *name, struct err *err)
{
	return hv_call_simple(hv, run_resume, name, err);
}

int hv_destroy(struct hv *hv, const char *name, struct err *err)
{
	return hv_call_simple(hv, run_destroy, name, err);
}

int hv_reset(struct hv *hv, const char *name, struct err *err)
{
	return hv_call_simple(hv, run_reset, name, err);
}

int hv_shutdown(struct hv *hv, const char *name, struct err *err)
{
	return hv_call_simple(hv, run_shutdown, name, err);
}

int hv_resize_disk(struct hv *hv, const char *name, const char *path, unsigned long long size,
		   struct err *err)
{
	autofree char *text = xasprintf("%s\n%llu %s", name, size, path);

	return hv_call_simple(hv, run_resize_disk, text, err);
}

int hv_capabilities(struct hv *hv, char **ret, struct err *err)
{
	struct hv_call *call;
	int r = hv_call_make(hv, run_capabilities, "", &call, err);

	if (r < 0)
		return r;
	*ret = TAKE(call->text);
	hv_call_unref(call);
	return 0;
}

int hv_open_graphics(struct hv *hv, const char *name, int *ret_fd, struct err *err)
{
	struct hv_call *call;
	int r = hv_call_make(hv, run_open_graphics, name, &call, err);

	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(call->fd);
	hv_call_unref(call);
	return 0;
}
