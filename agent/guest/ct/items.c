/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Translates a container's configuration for liblxc. Pure. */
#include "agent/guest/ct/items.h"

#include <linux/btrfs.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define DEFAULT_TTYS "2"

bool ct_is_unprivileged(const struct guest_config *config)
{
	const char *text = guest_config_get(config, "unprivileged");
	bool value = false;

	return text && str_to_bool(text, &value) && value;
}

char *ct_veth_names(const struct ct_net *nets, size_t count, unsigned vmid)
{
	autobuf out = BUF_INIT;

	for (size_t i = 0; i < count; i++)
		buf_addf(&out, "%sveth%ui%u", i ? " " : "", vmid, nets[i].index);
	buf_str(&out);
	return buf_steal(&out);
}

static void add_ranges(const struct ct_id_range *ranges, unsigned count, char kind,
		       struct fields *ret)
{
	for (unsigned i = 0; i < count; i++)
		fields_addf(ret, "lxc.idmap", "%c %u %u %u", kind, ranges[i].inside, ranges[i].host,
			    ranges[i].count);
}

static void add_devices(const struct ct_items *in, struct fields *ret)
{
	static const struct fields none = {0};

	/* Who may make no nodes has those that it was given: only denials need rules. */
	if (!ct_is_unprivileged(in->config) || in->denies_devices)
		cgroup_devices(&in->host->cgroups, in->devices ? in->devices : &none, ret);
}

bool ct_items_name_devices(const struct fields *items)
{
	for (size_t i = 0; i < items->count; i++)
		if (str_starts(items->items[i].name, "lxc.cgroup.devices.") ||
		    str_starts(items->items[i].name, "lxc.cgroup2.devices."))
			return true;
	return false;
}

static void add_identity(const struct ct_items *in, struct fields *ret)
{
	const struct ct_idmap *map = &in->host->idmap;

	add_devices(in, ret);
	if (!ct_is_unprivileged(in->config)) {
		fields_add(ret, "lxc.cap.drop",
			   "mac_admin mac_override sys_time sys_module sys_rawio");
		return;
	}
	add_ranges(map->uid, map->uids, 'u', ret);
	add_ranges(map->gid, map->gids, 'g', ret);
	fields_add(ret, "lxc.rootfs.options", "idmap=container");
}

static void add_apparmor(const struct ct_features *features, struct fields *ret)
{
	autostrv char **types = str_split(features->mount, "; ");

	fields_add(ret, "lxc.apparmor.profile", "generated");
	if (features->nesting)
		fields_add(ret, "lxc.apparmor.allow_nesting", "1");
	if (features->fuse)
		fields_add(ret, "lxc.apparmor.raw", "mount fstype=fuse.*,");
	for (char **type = types; *type; type++)
		fields_addf(ret, "lxc.apparmor.raw", "mount fstype=%s,", *type);
}

/* "A=1\0B=2": the two characters stand for what separates them in the API. */
static void add_environment(const struct guest_config *config, struct fields *ret)
{
	const char *text = guest_config_get(config, "env");

	while (text && *text) {
		const char *end = strstr(text, "\\0");
		size_t size = end ? (size_t)(end - text) : strlen(text);

		if (size > 0)
			fields_add_n(ret, "lxc.environment", text, size);
		text += size + (end ? 2 : 0);
	}
}

static void add_system(const struct ct_items *in, const struct ct_features *features,
		       struct fields *ret)
{
	const char *hostname = guest_config_get(in->config, "hostname");
	const char *ttys = guest_config_get(in->config, "tty");
	const char *console = guest_config_get(in->config, "console");
	bool has_console = true;

	fields_addf(ret, "lxc.rootfs.path", "dir:%s", in->rootfs);
	if (hostname)
		fields_add(ret, "lxc.uts.name", hostname);
	else
		fields_addf(ret, "lxc.uts.name", "CT%u", in->vmid);
	fields_add(ret, "lxc.tty.max", ttys ? ttys : DEFAULT_TTYS);
	fields_add(ret, "lxc.pty.max", "1024");
	if (console && str_to_bool(console, &has_console) && !has_console)
		fields_add(ret, "lxc.console.path", "none");
	fields_addf(ret, "lxc.signal.halt", "%d", in->halt_signal);
	if (str_eq(guest_config_get(in->config, "arch"), "i386"))
		fields_add(ret, "lxc.arch", "i686");
	if (in->host->seccomp)
		fields_add(ret, "lxc.seccomp.profile", in->host->seccomp);
	if (in->host->has_apparmor)
		add_apparmor(features, ret);
	if (guest_config_get(in->config, "entrypoint"))
		fields_add(ret, "lxc.init.cmd", guest_config_get(in->config, "entrypoint"));
	add_environment(in->config, ret);
}

/* What systemd would try to mount by itself and may not: bound from the host, where only real root
 * can look into them. */
static const char *const extra_mounts[] = {
	"/sys/fs/fuse/connections sys/fs/fuse/connections none bind,optional 0 0",
	"/sys/kernel/debug sys/kernel/debug none bind,optional 0 0",
	"/sys/kernel/security sys/kernel/security none bind,optional 0 0",
	"/sys/fs/pstore sys/fs/pstore none bind,optional 0 0",
	"mqueue dev/mqueue mqueue rw,relatime,create=dir,optional 0 0",
};

/* The same, and mounted by systemd wherever the folder is there, which it is on a Debian host. The node's own is nobody's
 * business: its files hold secrets (of iSCSI targets) that all may read. */
static const char config_mount[] =
	"none sys/kernel/config tmpfs ro,nosuid,nodev,noexec,size=4k,mode=755,optional 0 0";

/* Without a /proc and a /sys that nothing covers the kernel lets nobody inside mount one. */
static const char *const nesting_mounts[] = {
	"proc dev/.lxc/proc proc create=dir,optional 0 0",
	"sys dev/.lxc/sys sysfs create=dir,optional 0 0",
};

static void add_mounts(const struct ct_items *in, const struct ct_features *features,
		       struct fields *ret)
{
	bool is_unprivileged = ct_is_unprivileged(in->config);

	fields_addf(ret, "lxc.mount.auto", "proc:mixed sys:%s cgroup:mixed",
		    features->force_rw_sys ? "rw" : "mixed");
	for (size_t i = 0; is_unprivileged && i < ARRAY_SIZE(extra_mounts); i++)
		fields_add(ret, "lxc.mount.entry", extra_mounts[i]);
	fields_add(ret, "lxc.mount.entry", config_mount);
	for (size_t i = 0; features->nesting && i < ARRAY_SIZE(nesting_mounts); i++)
		fields_add(ret, "lxc.mount.entry", nesting_mounts[i]);
}

static void add_hooks(const struct ct_items *in, const char *veths, struct fields *ret)
{
	const struct ct_host *host = in->host;

	fields_addf(ret, "lxc.hook.start-host", "%s hook start-host %u %d '%s' %s",
		    host->hook_program, in->vmid, in->halt_signal, veths, in->start);
	fields_addf(ret, "lxc.hook.stop", "%s hook stop %u", host->hook_program, in->vmid);
	fields_addf(ret, "lxc.hook.post-stop", "%s hook post-stop %u", host->hook_program,
		    in->vmid);
	if (host->lxcfs_hook)
		fields_add(ret, "lxc.hook.mount", host->lxcfs_hook);
}

static void net_item(struct fields *ret, unsigned index, const char *key, const char *value)
{
	autofree char *name = xasprintf("lxc.net.%u.%s", index, key);

	fields_add(ret, name, value);
}

/* For what sets up no interface by itself, such as a program in the place of an init. Of DHCP nobody takes care then. */
static void add_addresses(const struct ct_net *net, struct fields *ret)
{
	if (strchr(net->ip, '/'))
		net_item(ret, net->index, "ipv4.address", net->ip);
	if (strchr(net->ip, '/') && *net->gw)
		net_item(ret, net->index, "ipv4.gateway", net->gw);
	if (strchr(net->ip6, '/'))
		net_item(ret, net->index, "ipv6.address", net->ip6);
	if (strchr(net->ip6, '/') && *net->gw6)
		net_item(ret, net->index, "ipv6.gateway", net->gw6);
}

static void add_net(const struct ct_net *net, unsigned vmid, struct fields *ret)
{
	autofree char *pair = xasprintf("veth%ui%u", vmid, net->index);
	autofree char *tag = net->tag ? xasprintf("%u", net->tag) : NULL;
	autostrv char **trunks = str_split(net->trunks, ";");
	autofree char *mtu = net->mtu ? xasprintf("%u", net->mtu) : NULL;

	net_item(ret, net->index, "type", "veth");
	net_item(ret, net->index, "veth.pair", pair);
	net_item(ret, net->index, "name", net->name);
	net_item(ret, net->index, "flags", "up");
	net_item(ret, net->index, "hwaddr", *net->hwaddr ? net->hwaddr : NULL);
	net_item(ret, net->index, "link", *net->bridge ? net->bridge : NULL);
	net_item(ret, net->index, "veth.vlan.id", tag);
	for (char **vlan = trunks; *vlan; vlan++)
		net_item(ret, net->index, "veth.vlan.tagged.id", *vlan);
	net_item(ret, net->index, "mtu", mtu);
	if (net->host_managed)
		add_addresses(net, ret);
}

/* Last: they change what is above. Ranges of ids are in the map already. */
static void add_raw(const struct guest_config *config, struct fields *ret)
{
	const struct fields *keys = &config->sections[0].keys;

	for (size_t i = 0; i < keys->count; i++) {
		const struct field *f = &keys->items[i];

		if (str_starts(f->name, "lxc.") && !str_eq(f->name, "lxc.idmap") &&
		    !ct_raw_is_dropped(f->name))
			fields_add(ret, f->name, f->value);
	}
}

/* A subvolume or snapshot that a guest makes inside of its own is not counted with it: its size would be no limit. */
static const unsigned long subvolume_calls[] = {
	BTRFS_IOC_SUBVOL_CREATE,
	BTRFS_IOC_SUBVOL_CREATE_V2,
	BTRFS_IOC_SNAP_CREATE,
	BTRFS_IOC_SNAP_CREATE_V2,
};

void ct_seccomp_text(const char *base, const struct ct_features *features, bool is_unprivileged,
		     struct buf *out)
{
	bool denies_keyctl = !features->keyctl && is_unprivileged;

	if (!denies_keyctl && features->nesting)
		return;
	/* the last section of the file is that of all architectures */
	buf_addf(out, "%s%s", base, str_ends(base, "\n") ? "" : "\n");
	if (denies_keyctl)
		buf_add_str(out, "keyctl errno 38\n");
	/* The kernel looks at 32 bits of a command. ENOTTY: as on other file systems, where folders do as well. */
	for (size_t i = 0; !features->nesting && i < ARRAY_SIZE(subvolume_calls); i++)
		buf_addf(out, "ioctl errno 25 [1,%lu,SCMP_CMP_MASKED_EQ,4294967295]\n",
			 subvolume_calls[i]);
}

int ct_items_build(const struct ct_items *in, struct fields *ret, struct fields *warnings,
		   struct err *err)
{
	autofree struct ct_net *nets = NULL;
	autofree char *veths = NULL;
	struct ct_features features;
	size_t count = 0;
	int r;

	if ((r = ct_config_nets(in->config, &nets, &count, err)) < 0 ||
	    (r = ct_config_features(in->config, &features, err)) < 0)
		return r;
	/* Both reach a shell that liblxc starts; they are ours, and must stay as plain as they are.
	 */
	if (strpbrk(in->host->hook_program, " \t'\"\\$`;&|<>()*?"))
		return err_set(err, ERR_INVALID, "path of programs '%s' has special characters",
			       in->host->hook_program);
	veths = ct_veth_names(nets, count, in->vmid);
	add_system(in, &features, ret);
	add_identity(in, ret);
	add_mounts(in, &features, ret);
	add_hooks(in, veths, ret);
	/* Without any network item liblxc would share the host's network. */
	if (count == 0)
		fields_add(ret, "lxc.net.0.type", "empty");
	for (size_t i = 0; i < count; i++)
		add_net(&nets[i], in->vmid, ret);
	cgroup_limits(&(struct cgroup_limits){.layout = &in->host->cgroups,
					      .config = in->config,
					      .host_cpus = in->host->cpus,
					      .cpuset = in->host->cpuset},
		      ret, warnings);
	add_raw(in->config, ret);
	return 0;
}
