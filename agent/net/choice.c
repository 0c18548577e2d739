/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Choosing the bridge for guests, once, and remembering it. */
#include "agent/net/net.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/param.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/net/range.h"

#include <json-c/json.h>

#define CHOICE_FILE "network.conf"
#define IP_DEADLINE (10 * USEC_PER_SEC)
#define ROUTES_MAX  (1024 * 1024)

static bool is_foreign_name(const char *name)
{
	static const char *const prefixes[] = {"lxcbr", "docker", "br-", "virbr"};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_starts(name, prefixes[i]))
			return true;
	return false;
}

static bool exists(const char *sysfs, const char *interface, const char *below)
{
	autofree char *path = xasprintf("%s/%s/%s", sysfs, interface, below);

	return access(path, F_OK) == 0;
}

static bool has_physical_port(const struct net_host *host, const char *bridge)
{
	autofree char *path = xasprintf("%s/%s/brif", host->sysfs, bridge);
	DIR *dir = opendir(path);
	struct dirent *e;
	bool found = false;

	while (dir && !found && (e = readdir(dir)))
		found = e->d_name[0] != '.' && exists(host->sysfs, e->d_name, "device");
	if (dir)
		closedir(dir);
	return found;
}

bool net_bridge_is_own(const struct net_host *host, const char *bridge)
{
	if (is_foreign_name(bridge) || !exists(host->sysfs, bridge, "bridge"))
		return false;
	return str_eq(host->default_device, bridge) || has_physical_port(host, bridge);
}

bool net_find_bridge(const struct net_host *host, char ret[16])
{
	DIR *dir = opendir(host->sysfs);
	struct dirent *e;
	bool found = false;

	while (dir && (e = readdir(dir))) {
		if (strlen(e->d_name) >= 16 || !net_bridge_is_own(host, e->d_name))
			continue;
		if (!found || strcmp(e->d_name, ret) < 0)
			str_copy(ret, 16, e->d_name);
		found = true;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* ---- what the host has ---- */

int net_routes_parse(char *text, size_t size, struct json_object **ret, struct err *err)
{
	struct json_object *routes = NULL;
	int r = json_parse(text, size, ROUTES_MAX, &routes, err);

	if (r < 0)
		return r;
	if (!json_object_is_type(routes, json_type_array)) {
		json_object_put(routes);
		return err_set(err, ERR_CORRUPT, "no list");
	}
	*ret = routes;
	return 0;
}

static int ip_routes(struct json_object **ret, struct err *err)
{
	const char *argv[] = {"ip", "-j", "-4", "route", "show", NULL};
	struct exec_run run = {.argv = argv, .deadline = clock_monotonic() + IP_DEADLINE};
	struct exec_result result = {0};
	int r = exec_run(&run, &result, err);

	if (r == 0)
		r = net_routes_parse(result.output.data, result.output.size, ret, err);
	exec_result_fini(&result);
	return r < 0 ? err_prefix(err, "read the routes") : 0;
}

static const char *route_text(struct json_object *route, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(route, key, &value);
	return value ? json_object_get_string(value) : "";
}

static void default_device(struct json_object *routes, char ret[16])
{
	ret[0] = '\0';
	for (size_t i = 0; i < json_object_array_length(routes); i++) {
		struct json_object *route = json_object_array_get_idx(routes, i);

		if (str_eq(route_text(route, "dst"), "default"))
			str_copy(ret, 16, route_text(route, "dev"));
	}
}

/* A wider one is a way out (0.0.0.0/1, as VPNs set), and no network of somebody's. */
#define BITS_MIN 8

static bool is_free(struct json_object *routes, const char *prefix)
{
	autofree char *text = xasprintf("%s.0/24", prefix);
	struct net_range wanted, dst;

	if (!net_range_parse(text, &wanted))
		return false;
	for (size_t i = 0; i < json_object_array_length(routes); i++)
		if (net_range_parse(route_text(json_object_array_get_idx(routes, i), "dst"),
				    &dst) &&
		    dst.bits >= BITS_MIN && net_range_overlap(&wanted, &dst))
			return false;
	return true;
}

bool net_free_prefix(struct json_object *routes, char ret[16])
{
	/* in this order; -1: what varies */
	static const struct {
		int first, second, third, from, to;
	} ranges[] = {{10, -1, 0, 77, 249},
		      {10, -1, 0, 0, 76},
		      {172, -1, 77, 16, 31},
		      {192, 168, -1, 77, 249}};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		for (int n = ranges[i].from; n <= ranges[i].to; n++) {
			autofree char *prefix =
				xasprintf("%d.%d.%d", ranges[i].first,
					  ranges[i].second < 0 ? n : ranges[i].second,
					  ranges[i].third < 0 ? n : ranges[i].third);

			if (is_free(routes, prefix))
				return str_copy(ret, 16, prefix);
		}
	}
	return false;
}

static int make_choice(struct net_choice *ret, struct err *err)
{
	const char *wanted = getenv("LODGE_BRIDGE");
	struct net_host host = {.sysfs = "/sys/class/net"};
	struct json_object *routes = NULL;
	struct net_choice choice = {0};
	char device[16];
	int r;

	if (!str_is_empty(wanted) && !param_format_is_valid("pve-bridge-id", wanted))
		return err_field(err, "LODGE_BRIDGE", "'%s' is not a bridge name", wanted);
	if ((r = ip_routes(&routes, err)) < 0)
		return r;
	default_device(routes, device);
	host.default_device = device;
	if (!str_is_empty(wanted)) {
		str_copy(choice.bridge, sizeof(choice.bridge), wanted);
		choice.is_nat = !exists(host.sysfs, wanted, "bridge");
	} else if (!net_find_bridge(&host, choice.bridge)) {
		str_copy(choice.bridge, sizeof(choice.bridge), NET_BRIDGE_DEFAULT);
		choice.is_nat = true;
	}
	r = choice.is_nat && !net_free_prefix(routes, choice.prefix)
		    ? err_set(err, ERR_UNAVAILABLE,
			      "every private network overlaps a route of this host: set "
			      "LODGE_BRIDGE to a bridge of its own, or to none")
		    : 0;
	json_object_put(routes);
	if (r == 0)
		*ret = choice;
	return r;
}

/* ---- the stored choice ---- */

void net_choice_format(const struct net_choice *choice, struct buf *out)
{
	buf_addf(out, "bridge=%s\nmode=%s\n", choice->bridge, choice->is_nat ? "nat" : "host");
	if (choice->is_nat)
		buf_addf(out, "prefix=%s\n", choice->prefix);
}

static bool is_prefix(const char *s)
{
	autofree char *address = xasprintf("%s.1", s);

	return strlen(s) < 16 && param_format_is_valid("ipv4", address);
}

static int take_line(const char *line, struct net_choice *choice, struct err *err)
{
	const char *value;

	if ((value = str_after(line, "bridge=")) && param_format_is_valid("pve-bridge-id", value))
		str_copy(choice->bridge, sizeof(choice->bridge), value);
	else if (str_eq(line, "mode=nat") || str_eq(line, "mode=host"))
		choice->is_nat = str_eq(line, "mode=nat");
	else if ((value = str_after(line, "prefix=")) && is_prefix(value))
		str_copy(choice->prefix, sizeof(choice->prefix), value);
	else
		return err_set(err, ERR_CORRUPT, "cannot read '%.60s'", line);
	return 0;
}

int net_choice_parse(const char *text, size_t size, struct net_choice *ret, struct err *err)
{
	autofree char *copy = xstrndup(text, size);
	autostrv char **lines = str_split(copy, "\n");
	struct net_choice choice = {0};

	for (char **line = lines; *line; line++) {
		int r = (*line)[0] == '#' ? 0 : take_line(*line, &choice, err);

		if (r < 0)
			return r;
	}
	if (!choice.bridge[0] || (choice.is_nat && !choice.prefix[0]))
		return err_set(err, ERR_CORRUPT, "bridge or prefix is missing");
	*ret = choice;
	return 0;
}

int net_choice_get(struct net_choice *ret, struct err *err)
{
	autofree char *path = path_join(path_state(), "%s", CHOICE_FILE);
	autobuf text = BUF_INIT;
	struct net_choice choice;
	int r = file_read(path, 4096, &text, err);

	if (r == 0) {
		r = net_choice_parse(text.data ? text.data : "", text.size, ret, err);
		return r < 0 ? err_prefix(err, "%s", path) : 0;
	}
	if (err->code != ERR_NOT_FOUND || (r = make_choice(&choice, err)) < 0)
		return r;
	buf_clear(&text);
	net_choice_format(&choice, &text);
	r = file_write_atomic(path, text.data, text.size, 0644, err);
	if (r == 0)
		*ret = choice;
	return r;
}
