/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line. */
#include "agent/gate/gate.h"

#include <getopt.h>
#include <stdlib.h>

#include "agent/base/paths.h"
#include "agent/base/str.h"

#define PORT_DEFAULT 8006

enum { OPT_LISTEN = 'l', OPT_PORT = 'p', OPT_PER_ADDRESS = 'a', OPT_USER = 'u' };

static int number(const char *name, const char *text, uint64_t max, unsigned *ret, struct err *err)
{
	uint64_t n;

	if (!str_to_u64(text, &n) || n < 1 || n > max)
		return err_set(err, ERR_INVALID, "%s: '%s' is not a number from 1 to %llu", name,
			       text, (unsigned long long)max);
	*ret = (unsigned)n;
	return 0;
}

static int port_from(const char *name, const char *text, struct gate_options *ret, struct err *err)
{
	unsigned n = 0;
	int r = number(name, text, 65535, &n, err);

	if (r == 0)
		ret->port = (uint16_t)n;
	return r;
}

static int take(int option, const char *value, struct gate_options *ret, struct err *err)
{
	switch (option) {
	case OPT_LISTEN:
		ret->listen = value;
		return 0;
	case OPT_PORT:
		return port_from("--port", value, ret, err);
	case OPT_PER_ADDRESS:
		return number("--per-address", value, GATE_CONNECTIONS, &ret->per_address, err);
	case OPT_USER:
		ret->user = value;
		return 0;
	default:
		return err_set(err, ERR_INVALID,
			       "usage: lodge-gate [--port N] [--listen ADDRESS] [--per-address N] "
			       "[--user NAME]");
	}
}

int gate_options_parse(int argc, char **argv, struct gate_options *ret, struct err *err)
{
	static const struct option table[] = {
		{"listen", required_argument, NULL, OPT_LISTEN},
		{"port", required_argument, NULL, OPT_PORT},
		{"per-address", required_argument, NULL, OPT_PER_ADDRESS},
		{"user", required_argument, NULL, OPT_USER},
		{0},
	};
	struct gate_options options = {.listen = "::",
				       .port = PORT_DEFAULT,
				       .per_address = GATE_PER_ADDRESS,
				       .user = GATE_USER};
	const char *port = secure_getenv("LODGE_PORT"), *listen = secure_getenv("LODGE_LISTEN");
	int c, r = str_is_empty(port) ? 0 : port_from("LODGE_PORT", port, &options, err);

	if (!str_is_empty(listen))
		options.listen = listen;
	opterr = 0;
	optind = 1;
	while (r == 0 && (c = getopt_long(argc, argv, "", table, NULL)) != -1)
		r = take(c, optarg, &options, err);
	if (r == 0 && optind < argc)
		r = take('?', NULL, &options, err);
	if (r == 0)
		*ret = options;
	return r;
}
