/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers that read and stage the configuration of a node's interfaces. */
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/net/change.h"
#include "agent/net/net.h"
#include "agent/net/node_net.h"

/* "" where there is none. */
static void read_nat_bridge(char ret[NET_NAME_SIZE])
{
	autofree char *path = path_join(path_state(), "network.conf");
	struct net_choice choice;
	autobuf text = BUF_INIT;

	ret[0] = '\0';
	if (file_read(path, 4096, &text, NULL) == 0 &&
	    net_choice_parse(buf_str(&text), text.size, &choice, NULL) == 0 && choice.is_nat)
		str_copy(ret, NET_NAME_SIZE, choice.bridge);
}

static int check_free(const char *name, struct err *err)
{
	char nat[NET_NAME_SIZE];

	read_nat_bridge(nat);
	if (*nat && str_eq(name, nat))
		return err_field(
			err, "iface",
			"'%s' is Lodge's own bridge with NAT for guests; give another bridge a "
			"name of its own, or set LODGE_BRIDGE in lodge.conf",
			name);
	return 0;
}

static int write_list(const struct fields *args, struct buf *data, struct err *err)
{
	autonetconfig next = NET_CONFIG_INIT;
	autonetstate now = NET_STATE_INIT;
	char nat[NET_NAME_SIZE];
	struct json j;
	int r;

	if ((r = net_config_read_next(&next, NULL, err)) < 0 || (r = net_state_read(&now, err)) < 0)
		return r;
	read_nat_bridge(nat);
	const struct net_listing listing = {.now = &now,
					    .next = &next,
					    .nat_bridge = nat,
					    .type = fields_get(args, "type"),
					    .only = fields_get(args, "iface")};
	json_init(&j, data);
	if (!net_listing_write(&listing, &j))
		return err_set(err, ERR_NOT_FOUND, "interface '%s' does not exist", listing.only);
	return 0;
}

int net_helper_list(const struct fields *args, struct buf *out, struct err *err)
{
	autobuf data = BUF_INIT, changes = BUF_INIT;
	autofields answer = FIELDS_INIT;
	int r;

	if ((r = write_list(args, &data, err)) < 0 || (r = net_config_changes(&changes, err)) < 0)
		return r;
	if (data.size > FIELDS_VALUE_MAX || changes.size > FIELDS_VALUE_MAX)
		return err_set(err, ERR_LIMIT, "there are too many interfaces");
	fields_add_n(&answer, "data", buf_str(&data), data.size);
	if (changes.size > 0)
		fields_add_n(&answer, "changes", buf_str(&changes), changes.size);
	fields_encode(&answer, out);
	return 0;
}

int net_helper_set(const struct fields *args, struct buf *out, struct err *err)
{
	const char *name = fields_get(args, "iface");
	autonetconfig next = NET_CONFIG_INIT;
	autofd int lock = -1;
	int r;

	(void)out;
	if (!name)
		return err_field(err, "iface", "missing");
	if ((r = check_free(name, err)) < 0 || (r = net_config_lock(&lock, err)) < 0 ||
	    (r = net_config_read_next(&next, NULL, err)) < 0 ||
	    (r = net_config_set(&next, name, fields_get(args, "is_new") != NULL, args, err)) < 0)
		return r;
	return net_config_write_staged(&next, err);
}

int net_helper_delete(const struct fields *args, struct buf *out, struct err *err)
{
	const char *name = fields_get(args, "iface");
	autonetconfig next = NET_CONFIG_INIT;
	autofd int lock = -1;
	int r;

	(void)out;
	if ((r = check_free(name, err)) < 0 || (r = net_config_lock(&lock, err)) < 0 ||
	    (r = net_config_read_next(&next, NULL, err)) < 0)
		return r;
	if (!net_config_find(&next, name)) {
		autonetstate now = NET_STATE_INIT;

		if (net_state_read(&now, NULL) == 0 && net_state_link(&now, name))
			return err_field(err, "iface",
					 "'%s' is the host's, Lodge does not configure it", name);
	}
	if ((r = net_config_remove(&next, name, err)) < 0)
		return r;
	return net_config_write_staged(&next, err);
}

int net_helper_revert(const struct fields *args, struct buf *out, struct err *err)
{
	autofd int lock = -1;
	int r = net_config_lock(&lock, err);

	(void)args;
	(void)out;
	return r < 0 ? r : net_config_revert(err);
}

int net_helper_boot(const struct fields *args, struct buf *out, struct err *err)
{
	autonetlacks lacks = NET_LACKS_INIT;
	int r = net_boot_apply_and_wait(&lacks, err);

	(void)args;
	buf_add(out, lacks.warnings.data, lacks.warnings.size);
	return r;
}
