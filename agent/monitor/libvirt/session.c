/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection to libvirtd from its opening to its end. Runs on the module's thread, which is libvirt's
 * event loop, too: callbacks only note what they were told, questions are asked between two turns. */
#include "agent/monitor/libvirt/session.h"

#include <stdio.h>
#include <sys/eventfd.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm_process.h"

/* A libvirtd that is silent for 2 s is asked; without an answer the link is cut 2 s later. */
#define KEEPALIVE_INTERVAL 2
#define KEEPALIVE_COUNT	   1
#define HUNG_AFTER	   (2 * USEC_PER_SEC) /* a question that failed after so long was not answered */

static void on_close(virConnectPtr conn, int reason, void *ctx)
{
	struct domains *d = ctx;

	(void)conn;
	d->is_closed = true;
	d->is_hung |= reason == VIR_CONNECT_CLOSE_REASON_KEEPALIVE;
}

static void touch(struct domains *d, unsigned vmid, const char *reason)
{
	size_t at = 0;

	while (at < d->touched_count && d->touched[at].vmid != vmid)
		at++;
	if (at == TOUCHED_MAX) {
		d->is_stale = true;
		return;
	}
	if (at == d->touched_count)
		d->touched[d->touched_count++] = (struct domain){.vmid = vmid};
	if (reason)
		str_copy(d->touched[at].reason, sizeof(d->touched[at].reason), reason);
}

static int on_event(virConnectPtr conn, virDomainPtr domain, int event, int detail, void *ctx)
{
	unsigned vmid;

	(void)conn;
	if (vm_domain_vmid(virDomainGetName(domain), &vmid))
		touch(ctx, vmid, event == VIR_DOMAIN_EVENT_STOPPED ? query_reason(detail) : NULL);
	return 0;
}

static void on_wake(int watch, int fd, int events, void *ctx)
{
	eventfd_t count;

	(void)watch;
	(void)events;
	(void)ctx;
	(void)eventfd_read(fd, &count);
}

static void lost(struct domains *d, const char *why)
{
	struct domains_news news = {.kind = DOMAINS_LOST, .is_hung = d->is_hung};

	snprintf(news.text, sizeof(news.text), "%s", why);
	domains_post(d, &news);
}

/* false: the connection is of no use any more. */
static bool ask_list(struct domains *d)
{
	struct domains_news news;

	d->is_stale = false;
	d->touched_count = 0;
	if (!query_list(d->conn, &news))
		return false;
	domains_post(d, &news);
	return true;
}

static bool ask_touched(struct domains *d)
{
	for (size_t i = 0; i < d->touched_count; i++) {
		struct domains_news news = {.kind = DOMAINS_CHANGED, .count = 1};

		if (!query_domain(d->conn, &d->touched[i]))
			return false;
		if (d->touched[i].state != DOMAIN_ABSENT)
			d->touched[i].reason[0] = '\0';
		news.items = xmemdup(&d->touched[i], sizeof(d->touched[i]));
		domains_post(d, &news);
	}
	d->touched_count = 0;
	return true;
}

static bool ask(struct domains *d)
{
	usec_t began = clock_monotonic();

	while (d->is_stale || d->touched_count > 0) {
		if (d->is_stale ? ask_list(d) : ask_touched(d))
			continue;
		d->is_hung |= clock_monotonic() - began > HUNG_AFTER;
		return false;
	}
	return true;
}

static void follow(struct domains *d)
{
	while (!d->is_closed && domains_hear(d)) {
		if (!ask(d)) {
			lost(d, query_error());
			return;
		}
		if (virEventRunDefaultImpl() < 0)
			break;
	}
	lost(d, d->is_hung ? "it does not answer" : "it closed the connection");
}

void session_run(struct domains *d)
{
	int events = -1, wake;

	d->is_closed = d->is_hung = false;
	d->is_stale = true;
	d->touched_count = 0;
	d->conn = virConnectOpen(d->uri);
	if (!d->conn) {
		lost(d, query_error());
		return;
	}
	(void)virConnectRegisterCloseCallback(d->conn, on_close, d, NULL);
	/* -1 or 1: a driver within this process, which cannot hang */
	(void)virConnectSetKeepAlive(d->conn, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT);
	wake = virEventAddHandle(d->wake, VIR_EVENT_HANDLE_READABLE, on_wake, d, NULL);
	events = virConnectDomainEventRegisterAny(d->conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
						  VIR_DOMAIN_EVENT_CALLBACK(on_event), d, NULL);
	if (wake < 0 || events < 0)
		lost(d, query_error());
	else
		follow(d);
	if (events >= 0)
		(void)virConnectDomainEventDeregisterAny(d->conn, events);
	if (wake >= 0)
		(void)virEventRemoveHandle(wake);
	(void)virConnectUnregisterCloseCallback(d->conn, on_close);
	(void)virConnectClose(d->conn);
	d->conn = NULL;
}
