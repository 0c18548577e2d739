/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The link to libvirtd as the monitor's loop sees it. One connection attempt at a time; while one hangs there
 * is no other.
 *
 *   AWAY --socket there--> ASKED --list--> LINKED --lost--> ASKED (after a pause)
 *
 * What is believed (trust) follows more slowly: see machines.h. */
#include "agent/monitor/machines.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define SYSTEM_URI "qemu:///system"
#define RETRY_MIN  (100 * USEC_PER_MSEC)
#define RETRY_MAX  (2 * USEC_PER_SEC)
#define SLOW_MAX   3
#define AGAIN	   (200 * USEC_PER_MSEC) /* until a list that did not agree is made again */

enum link { LINK_AWAY, LINK_ASKED, LINK_LINKED };

struct machines {
	struct monitor *monitor;
	const struct domains_ops *(*load)(void);
	const char *uri;
	const struct domains_ops *ops; /* NULL until there was a libvirtd */
	struct domains *domains;
	enum link link;
	enum machines_trust trust;
	bool is_doubtful; /* what the next list lacks is not stopped yet */
	usec_t settles;	  /* what a list from then on lacks is stopped; 0: no list was doubtful */
	unsigned slow;	  /* lists in a row that took long: a busy node is not a silent libvirtd */
	bool is_unbuilt;
	usec_t asked; /* for a list, not answered; 0: none */
	usec_t pause;
	sd_event_source *news, *retry, *again, *silence;
};

static void arm(sd_event_source *timer, usec_t delay)
{
	sd_event_source_set_time(timer, clock_monotonic() + delay);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

/* Earlier than it stands, or not at all. */
static void arm_sooner(sd_event_source *timer, usec_t delay)
{
	int enabled = SD_EVENT_OFF;
	uint64_t at = 0;

	sd_event_source_get_enabled(timer, &enabled);
	sd_event_source_get_time(timer, &at);
	if (enabled == SD_EVENT_OFF || at > clock_monotonic() + delay)
		arm(timer, delay);
}

static void send_kind(struct machines *m, enum call_op op)
{
	autofields f = FIELDS_INIT;

	fields_add(&f, "kind", "qemu");
	reporter_send(m->monitor->reporter, op, &f);
}

static void distrust(struct machines *m, const char *why)
{
	m->is_doubtful = true;
	if (m->trust == TRUST_NOBODY)
		return;
	log_warning("libvirtd: %s: states of virtual machines are unknown", why);
	m->trust = TRUST_NOBODY;
	guests_watch_forget_domains(m->monitor->guests);
	send_kind(m, EVENT_UNLISTED);
}

/* Every question has its end: silence is seen even when the link does not break. */
static void note_asked(struct machines *m)
{
	if (!m->asked)
		m->asked = clock_monotonic();
	arm_sooner(m->silence, MACHINES_UNKNOWN_AFTER);
}

static void list(struct machines *m)
{
	if (m->link != LINK_LINKED)
		return; /* the first thing after connecting is a list */
	note_asked(m);
	m->ops->list(m->domains);
}

static void conclude(struct machines *m, enum machines_trust trust)
{
	if (trust == TRUST_LIST && m->trust != trust)
		log_info("libvirtd answers: states of virtual machines are known");
	m->trust = trust;
	send_kind(m, EVENT_LISTING);
	guests_watch_tell_machines(m->monitor->guests);
	send_kind(m, EVENT_LISTED);
}

/* After a doubtful list, and whatever others come before that time. */
static bool is_settled(struct machines *m, usec_t now)
{
	if (m->is_doubtful)
		m->settles = now + MACHINES_SETTLE;
	if (now >= m->settles) {
		m->settles = 0;
		return true;
	}
	arm_sooner(m->again, m->settles - now);
	return false;
}

static void take_list(struct machines *m, const struct domains_news *news)
{
	usec_t now = clock_monotonic(), took = m->asked ? now - m->asked : 0;
	enum domain_verdict verdict;

	m->asked = 0;
	m->link = LINK_LINKED;
	m->pause = RETRY_MIN;
	sd_event_source_set_enabled(m->silence, SD_EVENT_OFF);
	verdict = guests_watch_domains(m->monitor->guests, news->items, news->count);
	if (took <= MACHINES_SLOW)
		m->slow = 0;
	else if (m->slow++ < SLOW_MAX)
		m->is_doubtful = true;
	if (verdict == DOMAIN_MOVING)
		arm_sooner(m->again, MACHINES_SETTLE);
	if (verdict == DOMAIN_ODD) {
		arm_sooner(m->again, AGAIN);
		return;
	}
	if (is_settled(m, now))
		conclude(m, TRUST_LIST);
	m->is_doubtful = false;
}

static void take_lost(struct machines *m, const struct domains_news *news)
{
	bool was_linked = m->link == LINK_LINKED;

	log_debug("libvirtd: %s", news->text);
	m->link = LINK_AWAY;
	m->asked = 0;
	if (m->settles)
		m->is_doubtful = true; /* the next one may run what the last one did not */
	if (news->is_hung)
		distrust(m, news->text);
	else if (m->trust == TRUST_LIST)
		arm_sooner(m->silence, MACHINES_UNKNOWN_AFTER);
	arm(m->retry, was_linked ? RETRY_MIN : m->pause);
	m->pause = m->pause * 2 < RETRY_MAX ? m->pause * 2 : RETRY_MAX;
}

static void take(struct machines *m, const struct domains_news *news)
{
	switch (news->kind) {
	case DOMAINS_LISTED:
		take_list(m, news);
		break;
	case DOMAINS_CHANGED:
		if (guests_watch_domain(m->monitor->guests, &news->items[0]) != DOMAIN_CLEAR)
			machines_ask(m);
		break;
	case DOMAINS_LOST:
		take_lost(m, news);
		break;
	}
}

static int on_news(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct machines *m = userdata;
	struct domains_news news;

	(void)source;
	(void)fd;
	(void)events;
	while (m->ops->take(m->domains, &news)) {
		take(m, &news);
		free(news.items);
	}
	return 0;
}

static bool is_socket_there(const struct machines *m)
{
	static const char *const sockets[] = {"/run/libvirt/libvirt-sock",
					      "/run/libvirt/virtqemud-sock"};

	for (size_t i = 0; !m->uri && i < ARRAY_SIZE(sockets); i++)
		if (access(sockets[i], F_OK) == 0)
			return true;
	return m->uri;
}

/* Where libvirt's part is missing, machines cannot be started, either. */
static bool open_domains(struct machines *m)
{
	struct err err = ERR_INIT;
	int r;

	if (m->domains)
		return true;
	m->ops = m->load();
	if (!m->ops) {
		m->is_unbuilt = true;
		conclude(m, TRUST_RECORDS);
		return false;
	}
	r = m->ops->open(m->uri ? m->uri : SYSTEM_URI, &m->domains, &err);
	if (r == 0) {
		r = sd_event_add_io(m->monitor->event, &m->news, m->ops->fd(m->domains), EPOLLIN,
				    on_news, m);
		r = r < 0 ? err_errno(&err, -r, "watch it") : 0;
	}
	if (r < 0)
		log_error("libvirtd: %s", err.message);
	return r == 0;
}

static void connect_now(struct machines *m)
{
	if (m->link != LINK_AWAY || m->is_unbuilt)
		return;
	if (!is_socket_there(m) || !open_domains(m)) {
		/* the next sample looks again */
		sd_event_source_set_enabled(m->retry, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_enabled(m->retry, SD_EVENT_OFF);
	m->link = LINK_ASKED;
	note_asked(m);
	m->ops->connect(m->domains);
}

static int on_retry(sd_event_source *source, uint64_t now, void *userdata)
{
	(void)source;
	(void)now;
	connect_now(userdata);
	return 0;
}

static int on_again(sd_event_source *source, uint64_t now, void *userdata)
{
	(void)source;
	(void)now;
	list(userdata);
	return 0;
}

static int on_silence(sd_event_source *source, uint64_t now, void *userdata)
{
	struct machines *m = userdata;

	(void)source;
	(void)now;
	distrust(m, m->asked ? "it does not answer" : "it is not there");
	return 0;
}

enum machines_trust machines_trust(const struct machines *m)
{
	return m->trust;
}

void machines_ask(struct machines *m)
{
	if (m->link == LINK_LINKED)
		arm_sooner(m->again, AGAIN);
	else if (m->trust == TRUST_RECORDS)
		connect_now(m);
}

void machines_look(struct machines *m)
{
	m->is_doubtful = true;
	list(m);
}

void machines_check(struct machines *m)
{
	int retrying = SD_EVENT_OFF;

	sd_event_source_get_enabled(m->retry, &retrying);
	if (retrying == SD_EVENT_OFF)
		connect_now(m);
}

void machines_tell_listed(struct machines *m)
{
	if (m->trust == TRUST_RECORDS && m->link == LINK_AWAY)
		send_kind(m, EVENT_LISTED);
	else
		machines_look(m);
}

const char *machines_uri(void)
{
	return secure_getenv("LODGE_LIBVIRT_URI");
}

const struct domains_ops *machines_load(void)
{
	autofree char *path = path_join(path_libexec(), "%s", DOMAINS_MODULE);
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	domains_ops_fn ops = NULL;

	if (module)
		*(void **)&ops = dlsym(module, DOMAINS_SYMBOL);
	if (!ops)
		log_notice("there is a libvirtd, but no %s: %s", path, dlerror());
	return ops ? ops() : NULL;
}

int machines_new(struct monitor *monitor, const struct domains_ops *(*load)(void), const char *uri,
		 struct machines **ret, struct err *err)
{
	struct machines *m = xcalloc(1, sizeof(*m));
	int r;

	*m = (struct machines){.monitor = monitor,
			       .load = load,
			       .uri = uri,
			       .is_doubtful = true,
			       .pause = RETRY_MIN};
	if ((r = sd_event_add_time(monitor->event, &m->retry, CLOCK_MONOTONIC, 0, 1000, on_retry,
				   m)) < 0 ||
	    (r = sd_event_add_time(monitor->event, &m->again, CLOCK_MONOTONIC, 0, 1000, on_again,
				   m)) < 0 ||
	    (r = sd_event_add_time(monitor->event, &m->silence, CLOCK_MONOTONIC, 0, 1000,
				   on_silence, m)) < 0) {
		machines_free(m);
		return err_errno(err, -r, "timer");
	}
	sd_event_source_set_enabled(m->again, SD_EVENT_OFF);
	sd_event_source_set_enabled(m->silence, SD_EVENT_OFF);
	if (is_socket_there(m))
		m->trust = TRUST_NOBODY;
	*ret = m;
	return 0;
}

bool machines_free(struct machines *m)
{
	if (!m)
		return true;
	m->news = sd_event_source_disable_unref(m->news);
	m->retry = sd_event_source_disable_unref(m->retry);
	m->again = sd_event_source_disable_unref(m->again);
	m->silence = sd_event_source_disable_unref(m->silence);
	if (m->domains && !m->ops->close(m->domains))
		return false;
	free(m);
	return true;
}
