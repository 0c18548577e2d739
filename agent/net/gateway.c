/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A gateway is asked by ARP or neighbour discovery: the kernel does that for any datagram to it. */
#include "agent/net/gateway.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/json.h"
#include "agent/base/str.h"

#include <json-c/json.h>

#define PROBE_TIME   (8 * USEC_PER_SEC) /* a bridge's port may need its time to forward */
#define PROBE_STEP   (100 * USEC_PER_MSEC)
#define ASK_DEADLINE (5 * USEC_PER_SEC)
#define DISCARD_PORT 9

static void send_something(const struct net_route *route)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(DISCARD_PORT)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(DISCARD_PORT)};
	const struct sockaddr *to = route->is_v6 ? (void *)&six : (void *)&four;
	autofd int fd = socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	six.sin6_scope_id = if_nametoindex(route->dev);
	if (fd < 0 ||
	    inet_pton(to->sa_family, route->gateway,
		      route->is_v6 ? (void *)&six.sin6_addr : (void *)&four.sin_addr) != 1)
		return;
	(void)!sendto(fd, "", 1, MSG_DONTWAIT, to, route->is_v6 ? sizeof(six) : sizeof(four));
}

static bool has_answered(struct json_object *neighbours)
{
	static const char *const good[] = {"REACHABLE", "STALE",     "DELAY",
					   "PROBE",	"PERMANENT", "NOARP"};
	struct json_object *states = NULL;

	if (!json_object_is_type(neighbours, json_type_array) ||
	    json_object_array_length(neighbours) == 0)
		return false;
	json_object_object_get_ex(json_object_array_get_idx(neighbours, 0), "state", &states);
	for (size_t i = 0;
	     json_object_is_type(states, json_type_array) && i < json_object_array_length(states);
	     i++)
		for (size_t k = 0; k < sizeof(good) / sizeof(good[0]); k++)
			if (str_eq(json_object_get_string(json_object_array_get_idx(states, i)),
				   good[k]))
				return true;
	return false;
}

static bool is_known(const struct net_route *route)
{
	const char *argv[] = {"ip",	      "-json", "neighbour", "show", "to",
			      route->gateway, "dev",   route->dev,  NULL};
	struct exec_run run = {.argv = argv, .deadline = clock_monotonic() + ASK_DEADLINE};
	struct exec_result result = {0};
	struct json_object *neighbours = NULL;
	bool is_there = exec_run(&run, &result, NULL) == 0 && result.output.size > 0 &&
			json_parse(result.output.data, result.output.size, NET_JSON_MAX,
				   &neighbours, NULL) == 0 &&
			has_answered(neighbours);

	json_object_put(neighbours);
	exec_result_fini(&result);
	return is_there;
}

/* What the kernel knows of it may be from before a change, and is an answer for minutes. */
static void forget(const struct net_route *route)
{
	const char *argv[] = {"ip",	      "neighbour", "flush",    "to",
			      route->gateway, "dev",	   route->dev, NULL};
	struct exec_run run = {.argv = argv, .deadline = clock_monotonic() + ASK_DEADLINE};

	(void)exec_run(&run, NULL, NULL);
}

int net_gateway_probe(const struct net_route *route, struct err *err)
{
	usec_t deadline = clock_monotonic() + PROBE_TIME;

	forget(route);
	for (;;) {
		send_something(route);
		usleep(PROBE_STEP);
		if (is_known(route))
			return 0;
		if (clock_left_ms(deadline) == 0)
			return err_set(err, ERR_UNAVAILABLE, "gateway %s does not answer on %s",
				       route->gateway, route->dev);
	}
}
