/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to libvirtd. Runs on the module's thread; each may hang as long as libvirtd does. */
#include <libvirt/virterror.h>
#include <stdlib.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm_process.h"
#include "agent/monitor/libvirt/session.h"

#define LIST_MAX 65536

static const char *const reasons[] = {
	[VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN] = "shutdown",
	[VIR_DOMAIN_EVENT_STOPPED_DESTROYED] = "destroyed",
	[VIR_DOMAIN_EVENT_STOPPED_CRASHED] = "crashed",
	[VIR_DOMAIN_EVENT_STOPPED_MIGRATED] = "migrated",
	[VIR_DOMAIN_EVENT_STOPPED_SAVED] = "saved",
	[VIR_DOMAIN_EVENT_STOPPED_FAILED] = "failed",
	[VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT] = "rollback",
};

const char *query_reason(int stopped_detail)
{
	size_t at = (size_t)stopped_detail;

	return stopped_detail >= 0 && at < ARRAY_SIZE(reasons) && reasons[at] ? reasons[at] : "";
}

const char *query_error(void)
{
	const virError *why = virGetLastError();

	return why && why->message ? why->message : "no reason given";
}

/* A transient domain that has no process is on its way into the list or out of it. A definition, which
 * somebody else stored, stays in the list for ever. */
static enum domain_state state_of(virDomainPtr domain, int state)
{
	switch (state) {
	case VIR_DOMAIN_RUNNING:
	case VIR_DOMAIN_BLOCKED:
	case VIR_DOMAIN_SHUTDOWN:
		return DOMAIN_RUNNING;
	case VIR_DOMAIN_PAUSED:
	case VIR_DOMAIN_PMSUSPENDED:
	case VIR_DOMAIN_CRASHED:
		return DOMAIN_PAUSED;
	case VIR_DOMAIN_SHUTOFF:
		return virDomainIsPersistent(domain) == 1 ? DOMAIN_ABSENT : DOMAIN_UNSETTLED;
	default:
		return DOMAIN_UNSETTLED;
	}
}

/* One that vanished in between is on its way out. */
static enum domain_state ask_state(virDomainPtr domain)
{
	int state;

	return virDomainGetState(domain, &state, NULL, 0) == 0 ? state_of(domain, state)
							       : DOMAIN_UNSETTLED;
}

bool query_list(virConnectPtr conn, struct domains_news *ret)
{
	virDomainPtr *all = NULL;
	int count = virConnectListAllDomains(conn, &all, 0);

	if (count < 0)
		return false;
	*ret = (struct domains_news){.kind = DOMAINS_LISTED};
	ret->items = xcalloc((size_t)count + 1, sizeof(*ret->items));
	for (int i = 0; i < count; i++) {
		struct domain *item = &ret->items[ret->count];

		if (ret->count < LIST_MAX &&
		    vm_domain_vmid(virDomainGetName(all[i]), &item->vmid)) {
			item->state = ask_state(all[i]);
			ret->count += item->state != DOMAIN_ABSENT;
		}
		virDomainFree(all[i]);
	}
	free(all);
	if (virConnectIsAlive(conn) == 1)
		return true;
	free(ret->items);
	return false;
}

bool query_domain(virConnectPtr conn, struct domain *domain)
{
	char name[VM_DOMAIN_NAME_SIZE];

	vm_domain_name(domain->vmid, name);
	virDomainPtr found = virDomainLookupByName(conn, name);

	if (!found) {
		domain->state = DOMAIN_ABSENT;
		return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN;
	}
	domain->state = ask_state(found);
	virDomainFree(found);
	return virConnectIsAlive(conn) == 1;
}
