/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration of a node's interfaces, what ip(8) prints of them, and the small files of a change: the first byte
 * says which. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/base/str.h"
#include "agent/net/change.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_config(const char *text, size_t size)
{
	autonetconfig config = NET_CONFIG_INIT, again = NET_CONFIG_INIT;
	autobuf once = BUF_INIT, twice = BUF_INIT;

	if (net_config_parse(text, size, &config, NULL) < 0)
		return;
	net_config_format(&config, &once);
	if (net_config_parse(buf_str(&once), once.size, &again, NULL) < 0)
		abort();
	net_config_format(&again, &twice);
	if (!str_eq(buf_str(&once), buf_str(&twice)))
		abort();
}

/* Every command is one line of printable words. */
static void check_lines(struct buf *lines)
{
	for (size_t i = 0; i < lines->size; i++)
		if ((lines->data[i] < ' ' && lines->data[i] != '\n') || lines->data[i] > '~')
			abort();
}

static void try_state(const char *text, size_t size)
{
	static const char config_text[] = "bridge: vmbr1\n\tcidr 192.0.2.8/24\n\tautostart 1\n"
					  "\tgateway 192.0.2.1\n\tbridge_ports eth0\n";
	autonetconfig none = NET_CONFIG_INIT, config = NET_CONFIG_INIT;
	autonetstate state = NET_STATE_INIT, after = NET_STATE_INIT;
	autonetlacks lacks = NET_LACKS_INIT;
	autobuf lines = BUF_INIT, back = BUF_INIT;
	struct net_facts facts = {0};
	int r;

	buf_add(&facts.links, text, size);
	buf_add(&facts.routes4, text, size);
	r = net_state_parse(&facts, &state, NULL);
	net_facts_fini(&facts);
	if (r < 0 || net_config_parse(config_text, sizeof(config_text) - 1, &config, NULL) < 0)
		return;
	autostrv char **names = net_managed_names(&none, &config);
	if (net_target(&state, &none, &config, &lacks, &after, NULL) < 0)
		return;
	net_plan(&state, &after, names, &lines);
	net_plan(&after, &state, names, &back);
	(void)net_change_is_safe(&state, &after, names, "192.0.2.1");
	check_lines(&lines);
	check_lines(&back);
}

static void try_snapshot(const char *text, size_t size)
{
	struct net_change change = {.lock = -1}, again = {.lock = -1};
	autobuf in = BUF_INIT, once = BUF_INIT, twice = BUF_INIT;

	buf_add(&in, text, size);
	if (net_snapshot_parse(&in, &change, NULL) == 0) {
		net_snapshot_format(&change, &once);
		if (net_snapshot_parse(&once, &again, NULL) < 0)
			abort();
		net_snapshot_format(&again, &twice);
		if (!str_eq(buf_str(&once), buf_str(&twice)))
			abort();
	}
	net_change_end(&change);
	net_change_end(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	struct net_waiting waiting;

	if (size > 1 && data[0] == 'p')
		try_snapshot(text, size - 1);
	if (size == 0)
		return 0;
	if (data[0] == 'c')
		try_config(text, size - 1);
	else if (data[0] == 's')
		try_state(text, size - 1);
	else
		(void)net_waiting_parse(text, size - 1, &waiting);
	return 0;
}
