/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a state of the network to another: the commands, the way back, and what counts as safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/net/node_net.h"
#include "agent/net/plan.h"

/* eth0 with the node's address by DHCP, eth1 idle, a bridge of somebody else's with a guest's port. */
static const char links[] =
	"[{},{\"ifname\":\"lo\",\"link_type\":\"loopback\",\"flags\":[\"LOOPBACK\",\"UP\"],\"mtu\":"
	"65536,"
	"\"addr_info\":[{\"family\":\"inet\",\"local\":\"127.0.0.1\",\"prefixlen\":8,\"scope\":"
	"\"host\"}]},"
	"{\"ifname\":\"eth0\",\"link_type\":\"ether\",\"address\":\"02:00:00:00:00:01\",\"mtu\":"
	"1500,"
	"\"flags\":[\"UP\",\"LOWER_UP\"],\"addr_info\":["
	"{\"family\":\"inet\",\"local\":\"192.0.2.7\",\"prefixlen\":24,\"broadcast\":\"192.0.2."
	"255\","
	"\"scope\":\"global\",\"dynamic\":true,\"label\":\"eth0\",\"valid_life_time\":600,"
	"\"preferred_life_time\":500},"
	"{\"family\":\"inet6\",\"local\":\"fe80::1\",\"prefixlen\":64,\"scope\":\"link\"}]},"
	"{\"ifname\":\"eth1\",\"link_type\":\"ether\",\"mtu\":9000,\"flags\":[],\"addr_info\":[]},"
	"{\"ifname\":\"br9\",\"link_type\":\"ether\",\"mtu\":1400,\"flags\":[\"UP\"],"
	"\"linkinfo\":{\"info_kind\":\"bridge\"},\"addr_info\":[]},"
	"{\"ifname\":\"veth100i0\",\"link_type\":\"ether\",\"master\":\"br9\",\"mtu\":1280,"
	"\"flags\":[\"UP\"],\"linkinfo\":{\"info_kind\":\"veth\"},\"addr_info\":[]},"
	"{\"ifname\":\"x; reboot\",\"link_type\":\"ether\",\"mtu\":1500},"
	"{\"ifname\":\"-batch\",\"link_type\":\"ether\",\"mtu\":1500}]";
static const char routes[] =
	"[{\"dst\":\"default\",\"gateway\":\"192.0.2.1\",\"dev\":\"eth0\",\"protocol\":\"dhcp\","
	"\"metric\":100},"
	"{\"dst\":\"192.0.2.0/24\",\"dev\":\"eth0\",\"protocol\":\"kernel\",\"scope\":\"link\"},"
	"{\"dst\":\"198.51.100.0/24\",\"gateway\":\"192.0.2.9\",\"dev\":\"eth0\"},"
	"{\"dst\":\"203.0.113.0/24\",\"nexthops\":[{\"gateway\":\"192.0.2.3\"}]}]";

static void state_of(const char *link_json, const char *route_json, struct net_state *ret)
{
	struct net_facts facts = {0};
	struct err err = ERR_INIT;

	buf_add_str(&facts.links, link_json);
	buf_add_str(&facts.routes4, route_json);
	if (net_state_parse(&facts, ret, &err) < 0)
		fail_msg("%s", err.message);
	net_facts_fini(&facts);
}

static void config_of(const char *text, struct net_config *ret)
{
	struct err err = ERR_INIT;

	if (net_config_parse(text, strlen(text), ret, &err) < 0)
		fail_msg("%s", err.message);
}

static void reads_ip(void **s)
{
	autonetstate state = NET_STATE_INIT;

	(void)s;
	state_of(links, routes, &state);
	assert_int_equal(state.link_count, 5); /* names that are no words are nobody's */
	assert_int_equal(state.route_count, 2);
	const struct net_link *eth0 = net_state_link(&state, "eth0");
	assert_int_equal(eth0->addr_count, 2);
	assert_true(eth0->addrs[0].is_dynamic && !eth0->addrs[0].is_automatic);
	assert_true(eth0->addrs[1].is_automatic);
	assert_string_equal(net_state_default(&state, false)->gateway, "192.0.2.1");
	assert_null(net_state_default(&state, true));
	assert_string_equal(net_state_link(&state, "veth100i0")->master, "br9");
}

struct planned {
	struct net_state before, after;
	struct net_config old, new;
	char **names;
	struct buf forward, back;
	struct net_lacks lacks;
	struct err err;
	int r;
};

static void plan(const char *old, const char *new, bool is_boot, struct planned *ret)
{
	struct planned p = {0};

	state_of(links, routes, &p.before);
	config_of(old, &p.old);
	config_of(new, &p.new);
	p.names = net_managed_names(&p.old, &p.new);
	p.r = net_target(&p.before, &p.old, &p.new, is_boot ? &p.lacks : NULL, &p.after, &p.err);
	if (p.r == 0) {
		net_plan(&p.before, &p.after, p.names, &p.forward);
		net_plan(&p.after, &p.before, p.names, &p.back);
	}
	*ret = p;
}

static void planned_fini(struct planned *p)
{
	net_state_fini(&p->before);
	net_state_fini(&p->after);
	net_config_fini(&p->old);
	net_config_fini(&p->new);
	strv_free(p->names);
	buf_fini(&p->forward);
	buf_fini(&p->back);
	net_lacks_fini(&p->lacks);
}

static const char own_bridge[] = "bridge: vmbr1\n\tcidr 192.0.2.8/24\n\tautostart 1\n"
				 "\tgateway 192.0.2.1\n\tbridge_ports eth0\n";

static const struct {
	const char *old, *new, *forward, *back;
	bool is_safe;
} planned_cases[] = {
	{"", "", "", "", true},
	/* not to be set up: nothing */
	{"", "bridge: vmbr1\n\tcidr 10.0.0.1/24\n", "", "", true},
	{"", "bridge: vmbr1\n\tcidr 10.0.0.1/24\n\tautostart 1\n\tmtu 1400\n",
	 "link add name vmbr1 type bridge\nlink set dev vmbr1 mtu 1400\n"
	 "link set dev vmbr1 up\naddress add 10.0.0.1/24 broadcast + dev vmbr1\n",
	 "link delete dev vmbr1 type bridge\n", true},
	/* a network that covers the gateway would take the way to it */
	{"", "bridge: vmbr1\n\tcidr 192.0.0.1/16\n\tautostart 1\n",
	 "link add name vmbr1 type bridge\nlink set dev vmbr1 up\n"
	 "address add 192.0.0.1/16 broadcast + dev vmbr1\n",
	 "link delete dev vmbr1 type bridge\n", false},
	/* as would one that covers the caller */
	{"", "bridge: vmbr1\n\tcidr 100.64.0.1/10\n\tautostart 1\n",
	 "link add name vmbr1 type bridge\nlink set dev vmbr1 up\n"
	 "address add 100.64.0.1/10 broadcast + dev vmbr1\n",
	 "link delete dev vmbr1 type bridge\n", false},
	/* an idle port */
	{"", "bridge: vmbr1\n\tautostart 1\n\tbridge_ports eth1\n",
	 "link add name vmbr1 type bridge\nlink set dev eth1 master vmbr1\n"
	 "link set dev eth1 up\nlink set dev vmbr1 up\n",
	 "link delete dev vmbr1 type bridge\nlink set dev eth1 nomaster\n"
	 "link set dev eth1 down\n",
	 true},
	/* the node's own address moves onto a bridge */
	{"", own_bridge,
	 "route del 0.0.0.0/0 via 192.0.2.1 dev eth0 metric 100\n"
	 "route del 198.51.100.0/24 via 192.0.2.9 dev eth0\n"
	 "address del 192.0.2.7/24 dev eth0\nlink add name vmbr1 type bridge\n"
	 "link set dev eth0 master vmbr1\nlink set dev vmbr1 up\n"
	 "address add 192.0.2.8/24 broadcast + dev vmbr1\n"
	 "route add 0.0.0.0/0 via 192.0.2.1 dev vmbr1 proto static\n",
	 "route del 0.0.0.0/0 via 192.0.2.1 dev vmbr1\nlink delete dev vmbr1 type bridge\n"
	 "link set dev eth0 nomaster\n"
	 "address add 192.0.2.7/24 broadcast 192.0.2.255 dev eth0 valid_lft 600 "
	 "preferred_lft 500\n"
	 "route add 0.0.0.0/0 via 192.0.2.1 dev eth0 metric 100 proto dhcp\n"
	 "route add 198.51.100.0/24 via 192.0.2.9 dev eth0\n",
	 false},
	/* an interface of the host's taken over; a gateway outside of its network */
	{"", "eth: eth0\n\tcidr 192.0.2.7/32\n\tautostart 1\n\tgateway 192.0.2.1\n",
	 "route del 0.0.0.0/0 via 192.0.2.1 dev eth0 metric 100\n"
	 "route del 198.51.100.0/24 via 192.0.2.9 dev eth0\n"
	 "address del 192.0.2.7/24 dev eth0\naddress add 192.0.2.7/32 dev eth0\n"
	 "route add 0.0.0.0/0 via 192.0.2.1 dev eth0 proto static onlink\n",
	 NULL, false},
	/* an address from DHCP, kept: it would go with its lease */
	{"", "eth: eth0\n\tcidr 192.0.2.7/24\n\tautostart 1\n\tgateway 192.0.2.1\n",
	 "route del 0.0.0.0/0 via 192.0.2.1 dev eth0 metric 100\n"
	 "address replace 192.0.2.7/24 broadcast + dev eth0 valid_lft forever "
	 "preferred_lft forever\n"
	 "route add 0.0.0.0/0 via 192.0.2.1 dev eth0 proto static\n",
	 "route del 0.0.0.0/0 via 192.0.2.1 dev eth0\n"
	 "address replace 192.0.2.7/24 broadcast 192.0.2.255 dev eth0 valid_lft 600 "
	 "preferred_lft 500\n"
	 "route add 0.0.0.0/0 via 192.0.2.1 dev eth0 metric 100 proto dhcp\n",
	 false},
	/* an MTU that Lodge set goes with its setting, that of a bridge becomes its port's */
	{"bridge: br9\n\tautostart 1\n\tmtu 1400\n\neth: eth1\n\tautostart 1\n\tmtu 9000\n",
	 "bridge: br9\n\tautostart 1\n\neth: eth1\n\tautostart 1\n",
	 "link set dev eth1 mtu 1500\nlink set dev eth1 up\nlink set dev br9 mtu 1280\n",
	 "link set dev eth1 mtu 9000\nlink set dev eth1 down\nlink set dev br9 mtu 1400\n", true},
	{"bridge: br9\n\tautostart 1\n", "bridge: br9\n\tautostart 1\n", "", "", true},
	{"bridge: br9\n\tmtu 1400\n", "bridge: br9\n\tautostart 1\n", "", "", true},
	/* given up, it stays as it is */
	{"eth: eth0\n\tcidr 192.0.2.7/24\n\tautostart 1\n", "", "", "", true},
};

static void plans(void **s)
{
	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(planned_cases); i++) {
		struct planned p;

		plan(planned_cases[i].old, planned_cases[i].new, false, &p);
		if (p.r < 0)
			fail_msg("%s: %s", planned_cases[i].new, p.err.message);
		assert_string_equal(buf_str(&p.forward), planned_cases[i].forward);
		if (planned_cases[i].back)
			assert_string_equal(buf_str(&p.back), planned_cases[i].back);
		assert_int_equal(net_change_is_safe(&p.before, &p.after, p.names, "100.64.0.9"),
				 planned_cases[i].is_safe);
		planned_fini(&p);
	}
}

/* An address that a router gave: kept, it is one; a lifetime alone is a change, and none that is safe. */
static void lifetimes(void **s)
{
	static const char autoconf[] =
		"[{\"ifname\":\"eth0\",\"link_type\":\"ether\",\"mtu\":1500,\"flags\":[\"UP\"],"
		"\"addr_info\":[{\"family\":\"inet6\",\"local\":\"2001:db8::7\",\"prefixlen\":64,"
		"\"scope\":\"global\",\"dynamic\":true,\"mngtmpaddr\":true,"
		"\"valid_life_time\":900,\"preferred_life_time\":800}]}]";
	autonetstate before = NET_STATE_INIT, after = NET_STATE_INIT, later = NET_STATE_INIT;
	autonetconfig none = NET_CONFIG_INIT, config = NET_CONFIG_INIT;
	autobuf forward = BUF_INIT, back = BUF_INIT, nothing = BUF_INIT;

	(void)s;
	state_of(autoconf, "[]", &before);
	config_of("eth: eth0\n\tcidr6 2001:db8:0::7/64\n\tautostart 1\n", &config);
	autostrv char **names = net_managed_names(&none, &config);
	assert_int_equal(net_target(&before, &none, &config, NULL, &after, NULL), 0);
	assert_int_equal(net_state_link(&after, "eth0")->addr_count, 1);
	net_plan(&before, &after, names, &forward);
	assert_string_equal(buf_str(&forward), "address replace 2001:db8:0::7/64 dev eth0 "
					       "valid_lft forever preferred_lft forever\n");
	assert_false(net_change_is_safe(&before, &after, names, "203.0.113.9"));
	net_plan(&after, &before, names, &back);
	assert_string_equal(buf_str(&back), "address replace 2001:db8::7/64 dev eth0 "
					    "valid_lft 900 preferred_lft 800\n");
	/* what is left of it is no difference */
	net_state_copy(&later, &before);
	later.links[0].addrs[0].valid = 1;
	net_plan(&before, &later, names, &nothing);
	assert_string_equal(buf_str(&nothing), "");
}

/* Of the lines of a plan those of routes. */
static void routes_are(struct buf *lines, const char *expected)
{
	autostrv char **all = str_split(buf_str(lines), "\n");
	autobuf routes_of = BUF_INIT;

	for (char **line = all; *line; line++)
		if (str_starts(*line, "route "))
			buf_addf(&routes_of, "%s\n", *line);
	assert_string_equal(buf_str(&routes_of), expected);
}

/* Another address of a device: what leads from the old one, or by a neighbour that only its network reached, goes. */
static void dead_routes(void **s)
{
	static const struct {
		const char *route, *cidr, *forward, *back;
	} cases[] = {
		{"{\"dst\":\"10.50.0.0/16\",\"gateway\":\"192.0.2.9\",\"dev\":\"eth0\"}",
		 "10.9.0.2/24", "route del 10.50.0.0/16 via 192.0.2.9 dev eth0\n",
		 "route add 10.50.0.0/16 via 192.0.2.9 dev eth0\n"},
		/* as systemd-networkd has its lease's gateway, and a route by way of it */
		{"{\"dst\":\"192.0.2.1\",\"dev\":\"eth0\",\"protocol\":\"dhcp\",\"scope\":\"link\","
		 "\"prefsrc\":\"192.0.2.7\",\"metric\":1024},"
		 "{\"dst\":\"10.50.0.0/16\",\"gateway\":\"192.0.2.1\",\"dev\":\"eth0\"}",
		 "10.9.0.2/24",
		 "route del 192.0.2.1 dev eth0 metric 1024\n"
		 "route del 10.50.0.0/16 via 192.0.2.1 dev eth0\n",
		 "route add 192.0.2.1 dev eth0 metric 1024 proto dhcp src 192.0.2.7\n"
		 "route add 10.50.0.0/16 via 192.0.2.1 dev eth0\n"},
		/* the same network: the gateway still is there, the address is not */
		{"{\"dst\":\"10.50.0.0/16\",\"gateway\":\"192.0.2.9\",\"dev\":\"eth0\","
		 "\"prefsrc\":\"192.0.2.7\"}",
		 "192.0.2.77/24",
		 "route del 10.50.0.0/16 via 192.0.2.9 dev eth0\n"
		 "route add 10.50.0.0/16 via 192.0.2.9 dev eth0\n",
		 "route del 10.50.0.0/16 via 192.0.2.9 dev eth0\n"
		 "route add 10.50.0.0/16 via 192.0.2.9 dev eth0 src 192.0.2.7\n"},
		{"{\"dst\":\"10.50.0.0/16\",\"gateway\":\"192.0.2.9\",\"dev\":\"eth0\"}",
		 "192.0.2.77/24", "", ""},
		/* reached by other means */
		{"{\"dst\":\"10.50.0.0/16\",\"gateway\":\"192.0.2.9\",\"dev\":\"eth0\",\"flags\":"
		 "[\"onlink\"]}",
		 "10.9.0.2/24", "", ""},
		{"{\"dst\":\"192.0.2.9\",\"dev\":\"eth0\"},"
		 "{\"dst\":\"10.50.0.0/16\",\"gateway\":\"192.0.2.9\",\"dev\":\"eth0\"}",
		 "10.9.0.2/24", "", ""},
		{"{\"dst\":\"10.50.0.0/16\",\"gateway\":\"172.16.0.1\",\"dev\":\"eth0\"}",
		 "10.9.0.2/24", "", ""},
		/* of another device */
		{"{\"dst\":\"10.50.0.0/16\",\"gateway\":\"192.0.2.9\",\"dev\":\"eth1\"}",
		 "10.9.0.2/24", "", ""},
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *json = xasprintf("[%s]", cases[i].route);
		autofree char *text =
			xasprintf("eth: eth0\n\tcidr %s\n\tautostart 1\n", cases[i].cidr);
		autonetstate before = NET_STATE_INIT, after = NET_STATE_INIT;
		autonetconfig none = NET_CONFIG_INIT, config = NET_CONFIG_INIT;
		autobuf forward = BUF_INIT, back = BUF_INIT;

		state_of(links, json, &before);
		config_of(text, &config);
		autostrv char **names = net_managed_names(&none, &config);
		assert_int_equal(net_target(&before, &none, &config, NULL, &after, NULL), 0);
		net_plan(&before, &after, names, &forward);
		net_plan(&after, &before, names, &back);
		routes_are(&forward, cases[i].forward);
		routes_are(&back, cases[i].back);
		assert_non_null(strstr(buf_str(&forward), "address del 192.0.2.7/24 dev eth0\n"));
	}
}

/* Whose way here is not known may come from anywhere: then a network is never new to nobody. */
static void callers(void **s)
{
	static const char net[] = "bridge: vmbr1\n\tcidr 10.5.0.1/16\n\tautostart 1\n";
	static const char port[] = "bridge: vmbr1\n\tautostart 1\n\tbridge_ports eth1\n";
	static const struct {
		const char *config, *peer;
		bool is_safe;
	} cases[] = {
		{net, "10.6.3.3", true}, {net, "10.5.3.3", false}, {net, "2001:db8::1", true},
		{net, "", false},	 {net, "nonsense", false}, {port, "", true},
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct planned p;

		plan("", cases[i].config, false, &p);
		if (net_change_is_safe(&p.before, &p.after, p.names, cases[i].peer) !=
		    cases[i].is_safe)
			fail_msg("%s: %s", cases[i].peer, cases[i].config);
		planned_fini(&p);
	}
}

/* Only reached by what a router gave it: that is a way here as well. */
static void autoconfigured_port(void **s)
{
	static const char autoconf[] =
		"[{\"ifname\":\"eth0\",\"link_type\":\"ether\",\"mtu\":1500,\"flags\":[\"UP\"],"
		"\"addr_info\":[{\"family\":\"inet6\",\"local\":\"2001:db8::7\",\"prefixlen\":64,"
		"\"scope\":\"global\",\"dynamic\":true,\"mngtmpaddr\":true,"
		"\"valid_life_time\":900,\"preferred_life_time\":800},"
		"{\"family\":\"inet6\",\"local\":\"fe80::7\",\"prefixlen\":64,\"scope\":\"link\"}]}"
		","
		"{\"ifname\":\"eth1\",\"link_type\":\"ether\",\"mtu\":1500,\"flags\":[\"UP\"],"
		"\"addr_info\":[{\"family\":\"inet6\",\"local\":\"fe80::8\",\"prefixlen\":64,"
		"\"scope\":\"link\"}]}]";
	static const char *const ports[] = {"eth0", "eth1"};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		autonetstate before = NET_STATE_INIT, after = NET_STATE_INIT;
		autonetconfig none = NET_CONFIG_INIT, config = NET_CONFIG_INIT;
		autofree char *text =
			xasprintf("bridge: vmbr1\n\tautostart 1\n\tbridge_ports %s\n", ports[i]);

		state_of(autoconf, "[]", &before);
		config_of(text, &config);
		autostrv char **names = net_managed_names(&none, &config);
		assert_int_equal(net_target(&before, &none, &config, NULL, &after, NULL), 0);
		assert_int_equal(net_change_is_safe(&before, &after, names, "192.0.2.1"), i == 1);
	}
}

static void impossible(void **s)
{
	static const struct {
		const char *old, *new, *text;
	} cases[] = {
		{"", "bridge: vmbr1\n\tautostart 1\n\tbridge_ports eth7\n",
		 "port 'eth7' of 'vmbr1' does not exist"},
		{"", "eth: eth7\n\tautostart 1\n", "interface 'eth7' does not exist"},
		{"", "bridge: eth1\n\tautostart 1\n", "'eth1' exists and is no bridge"},
		{"", "eth: br9\n\tautostart 1\n", "'br9' exists and is a bridge"},
		{"", "bridge: vmbr1\n\tautostart 1\n\tbridge_ports br9\n", "cannot be a port"},
		{"", "bridge: vmbr1\n\tautostart 1\n\tbridge_ports veth100i0\n",
		 "belongs to 'br9' already"},
		{"", "eth: eth1\n\tcidr 10.0.0.2/24\n\tgateway 10.0.0.1\n\tautostart 1\n",
		 "default route by 'eth0', which Lodge does not configure"},
		{"bridge: br9\n\tautostart 1\n", "", "bridge 'br9' is in use: 'veth100i0'"},
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct planned p;

		plan(cases[i].old, cases[i].new, false, &p);
		if (p.r >= 0)
			fail_msg("was taken: %s", cases[i].new);
		if (!strstr(p.err.message, cases[i].text))
			fail_msg("%s: %s", cases[i].new, p.err.message);
		planned_fini(&p);
		/* at boot it is a warning, and the rest is done */
		plan(cases[i].old, cases[i].new, true, &p);
		assert_int_equal(p.r, 0);
		assert_non_null(strstr(buf_str(&p.lacks.warnings), cases[i].text));
		/* what may come yet is told apart from what stays wrong */
		assert_string_equal(buf_str(&p.lacks.links),
				    strstr(cases[i].text, "'eth7'") ? "eth7\n" : "");
		planned_fini(&p);
	}
}

static void listing(void **s)
{
	static const struct {
		const char *type, *only, *has, *has_not;
	} cases[] = {
		{NULL, NULL, "\"iface\":\"eth0\",\"type\":\"eth\"", "veth100i0"},
		{NULL, NULL,
		 "\"method\":\"dhcp\",\"cidr\":\"192.0.2.7/24\",\"address\":\"192.0.2.7\","
		 "\"netmask\":\"24\",\"gateway\":\"192.0.2.1\"",
		 "\"lo\""},
		{"any_bridge", NULL, "\"iface\":\"vmbr1\"", "eth0\",\"type"},
		{NULL, "vmbr1", "{\"iface\":\"vmbr1\",\"type\":\"bridge\"", "br9"},
		{NULL, "vmbr1", "\"cidr6\":\"fd00::1/64\",\"address6\":\"fd00::1\",\"netmask6\":64",
		 "active"},
		{NULL, "br9", "LODGE_BRIDGE", "lodge\""},
		{NULL, "eth1", "\"managed\":\"host\"", "active"},
	};
	autonetstate state = NET_STATE_INIT;
	autonetconfig config = NET_CONFIG_INIT;

	(void)s;
	state_of(links, routes, &state);
	config_of("bridge: vmbr1\n\tcidr6 fd00::1/64\n\tbridge_ports eth1\n", &config);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct net_listing l = {&state, &config, "br9", cases[i].type, cases[i].only};
		autobuf out = BUF_INIT;
		struct json j;

		json_init(&j, &out);
		assert_true(net_listing_write(&l, &j));
		if (!strstr(buf_str(&out), cases[i].has) || strstr(buf_str(&out), cases[i].has_not))
			fail_msg("%zu: %s", i, buf_str(&out));
	}
	const struct net_listing none = {&state, &config, "", NULL, "veth100i0"};
	autobuf out = BUF_INIT;
	struct json j;

	json_init(&j, &out);
	assert_false(net_listing_write(&none, &j));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ip),   cmocka_unit_test(plans),
		cmocka_unit_test(lifetimes),  cmocka_unit_test(dead_routes),
		cmocka_unit_test(callers),    cmocka_unit_test(autoconfigured_port),
		cmocka_unit_test(impossible), cmocka_unit_test(listing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
