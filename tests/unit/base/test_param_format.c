/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named formats: good and bad values of each. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/param.h"
#include "agent/base/param_format.h"
#include "agent/base/str.h"

#define VALUES_MAX 12

static const struct {
	const char *format;
	const char *good[VALUES_MAX], *bad[VALUES_MAX];
} cases[] = {
	{"pve-node", {"a", "pve1", "a-b"}, {"", "-a", "a-", "a.b", "a b", "a/b"}},
	{"pve-vmid", {"100", "999999999"}, {"", "99", "0100", "1000000000", "10a", "-100"}},
	{"pve-storage-id",
	 {"local", "a1", "a.b-c_d"},
	 {"", "a", "1a", "a-", "a/b", "a:b", "local "}},
	{"pve-configid", {"ab", "a_b-c"}, {"", "a", "1a", "a.b"}},
	{"pve-configid-list", {"", "ab", "ab,cd;ef gh"}, {"a", "ab,1"}},
	{"pve-realm", {"pam", "my.realm-1"}, {"", "p", "1am", "a/b"}},
	{"pve-userid",
	 {"root@pam", "a.b+c@pve", "me@home@pve"},
	 {"", "root", "@pam", "root@", "a:b@pam", "a b@pam", "a/b@pam", "x\x01y@pam", "root@p"}},
	{"pve-userid-list", {"root@pam,a@pve"}, {"root@pam,a"}},
	{"pve-tokenid",
	 {"root@pam!mon"},
	 {"", "root@pam", "root@pam!", "root@pam!1x", "root!x@pam"}},
	{"pve-tokenid-list", {"root@pam!mon,root@pam!mo"}, {"root@pam"}},
	{"pve-token-name", {"t1"}, {"", "1t", "a!b"}},
	{"pve-groupid", {"admins", "1.a_b-c"}, {"", "a b", "a/b"}},
	{"pve-groupid-list", {"a,b"}, {"a,b/c"}},
	{"pve-roleid", {"PVEAdmin"}, {"", "a b"}},
	{"pve-priv-list", {"VM.Audit,Sys.Audit", "VM.Config.CDROM"}, {"vm.audit", "VM_Audit"}},
	{"pve-poolid", {"a", "a/b/c"}, {"", "/a", "a/", "a//b", "a b"}},
	{"pve-tag-list", {"", "a;b", "web_1.2+x"}, {"-a", "a!b"}},
	{"pve-storage-vgname", {"pve", "vg0"}, {"", "a", "-a", "a/b"}},
	{"ldap-simple-attr-list", {"group, user"}, {"a=b"}},
	{"storage-pair-list", {"1", "a1:b1,c1", "local"}, {"a1:", ":a1", "a1:b1:c1"}},
	{"bridge-pair-list", {"1", "vmbr0:vmbr1"}, {"vmbr0:", "a/b"}},
	{"dns-name",
	 {"a", "a.b.c", "1.a", "xn--a.org"},
	 {"", ".", "a.", ".a", "a..b", "-a.b", "a_b"}},
	{"dns-name-list", {"a.b c.d"}, {"a.b,-"}},
	{"address", {"1.2.3.4", "::1", "host.example"}, {"", "a b", "[::1]"}},
	{"ip", {"1.2.3.4", "fe80::1"}, {"", "1.2.3", "a"}},
	{"ipv4",
	 {"0.0.0.0", "255.255.255.255"},
	 {"", "256.1.1.1", "1.2.3.4/8", "01.2.3.4", "1.2.3.4 "}},
	{"ipv6",
	 {"::", "2001:db8::1", "::ffff:1.2.3.4"},
	 {"", ":::", "1.2.3.4", "fe80::1%eth0", "2001:db8::/32"}},
	{"CIDR", {"1.2.3.4/8", "::/0"}, {"1.2.3.4"}},
	{"CIDRv4",
	 {"10.0.0.1/24", "10.0.0.1/32"},
	 {"", "10.0.0.1", "10.0.0.1/33", "10.0.0.1/", "10.0.0.1/-1", "/24"}},
	{"CIDRv6", {"fd00::1/64"}, {"", "fd00::1/129", "fd00::1"}},
	{"IPorCIDR", {"1.2.3.4", "1.2.3.0/24"}, {"", "x"}},
	{"IPorCIDRorAlias",
	 {"1.2.3.4", "my_alias", "dc/alias", "guest/alias"},
	 {"", "9alias", "dc/"}},
	{"mac-addr",
	 {"BC:24:11:aa:bb:cc", "02:00:00:00:00:00"},
	 {"", "01:00:00:00:00:00", "BC:24:11:AA:BB", "BC-24-11-AA-BB-CC", "BC:24:11:AA:BB:CG",
	  "BC:24:11:AA:BB:CC:"}},
	{"email-opt", {"", "a@b.c", "a.b+c@example.org"}, {"a", "@b", "a@", "a@b@c", "a b@c"}},
	{"ipv4mask",
	 {"24", "0", "32", "255.255.255.0", "0.0.0.0"},
	 {"33", "255.0.255.0", "x", "-1"}},
	{"pve-vlan-id-or-range", {"1", "4094", "2-4094"}, {"0", "4095", "5-2", "2-", "-4", "a"}},
	{"pve-iface",
	 {"eth0", "vmbr0.5", "enp3s0:1"},
	 {"", "e", "0eth", "a/b", "averyveryverylongname0"}},
	{"pve-bridge-id", {"vmbr0", "br-lan"}, {"", "-x", "a/b", "0123456789abcdef"}},
	{"pve-bridge-id-list", {"vmbr0,vmbr1"}, {"vmbr0,/"}},
	{"pve-ipv4-config",
	 {"dhcp", "manual", "10.0.0.5/24"},
	 {"", "auto", "10.0.0.5", "10.0.0.5/7", "10.0.0.5/33"}},
	{"pve-ipv6-config",
	 {"auto", "dhcp", "manual", "fd00::5/64"},
	 {"", "fd00::5", "10.0.0.5/24"}},
	{"lxc-ip-with-ll-iface-list",
	 {"host", "1.1.1.1 9.9.9.9", "fe80::1%eth0"},
	 {"1.1.1", "1.1.1.1%eth0", "fe80::1%"}},
	{"pve-storage-server", {"nas", "10.0.0.1"}, {"", "nas/x", "a b"}},
	{"pve-storage-portal-dns-list",
	 {"10.0.0.1", "10.0.0.1:3260", "[fd00::1]:3260", "fd00::1", "nas:6789"},
	 {"nas:0", "nas:65536", "[fd00::1", "[nas]:1", "nas:"}},
	{"pve-fw-addr-spec",
	 {"1.2.3.4", "1.2.3.4,10.0.0.0/8", "1.2.3.4-1.2.3.9", "+set", "+dc/set", "alias"},
	 {"", "+", "1.2.3.4-", "a b"}},
	{"pve-fw-sport-spec", {"80", "80:90", "http,443"}, {"", "0", "70000", "80-90"}},
	{"pve-fw-dport-spec", {"22"}, {"99999"}},
	{"pve-fw-protocol-spec", {"tcp", "17"}, {"", "256", "t p"}},
	{"pve-fw-icmp-type-spec", {"echo-request", "8", "3/4"}, {"", "300"}},
	{"pve-volume-id",
	 {"local:iso/a.iso", "lvm:vm-1-disk-0", "local:101/vm-101-disk-0.raw"},
	 {"", "local", "local:", ":x", "local:a b", "local:../x", "local:a,b", "1:x",
	  "local:a\nb"}},
	{"disk-size",
	 {"8", "8G", "1.5T", "512M", "4K"},
	 {"", "G", "8g", "8GB", "1.", ".5", "1.G", "-1", "8 G", "99999999999T"}},
	{"pve-storage-content", {"images", "rootdir", "none"}, {"", "image", "iso,backup"}},
	{"pve-storage-content-list", {"iso,backup;vztmpl"}, {"iso,x"}},
	{"pve-storage-path", {"/", "/mnt/a b"}, {"", "a", "/a,b", "/a\nb"}},
	{"pve-storage-options", {"vers=4.2,soft"}, {"", "a b"}},
	{"pve-dir-override-list",
	 {"iso=images/iso,backup=b"},
	 {"iso", "iso=", "iso=/x", "iso=a/../../b", "x=y"}},
	{"pve-lxc-mp-string",
	 {"local:8", "/mnt/data", "lvm:vm-1-disk-0"},
	 {"", "data", "/a/../b", "/a,b"}},
	{"pve-lxc-dev-string",
	 {"/dev/dri/card0"},
	 {"", "/dev/", "/etc/passwd", "/dev/../etc", "dev/x", "/dev/a\x7f"}},
	{"pve-startup-order",
	 {"1", "order=1,up=30,down=60", "up=5"},
	 {"", "x", "order=", "order=-1", "left=1"}},
	{"pve-ct-timezone",
	 {"host", "UTC", "Europe/Berlin", "Etc/GMT+5"},
	 {"", "/etc", "../x", "a b"}},
	{"pve-task-status-type-list", {"ok,error", "warning unknown"}, {"bad"}},
	{"prune-backups",
	 {"keep-all=1", "keep-last=3,keep-daily=7"},
	 {"keep", "keep-last=x", "keep-last=-1", "x=1"}},
	{"pve-tfa-config", {"type=oath,digits=6"}, {"", "digits=6", "type=x"}},
	{"realm-sync-options",
	 {"scope=both,enable-new=1", "remove-vanished=acl;entry"},
	 {"scope=x", "remove-vanished=x"}},
	{"proxmox-remote",
	 {"host=10.0.0.1,apitoken=PVEAPIToken=a@pve!t=1,port=8006"},
	 {"", "host=10.0.0.1", "host=/,apitoken=x"}},
};

static void test_formats(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t k = 0; k < VALUES_MAX && cases[i].good[k]; k++)
			if (!param_format_is_valid(cases[i].format, cases[i].good[k]))
				fail_msg("%s refuses '%s'", cases[i].format, cases[i].good[k]);
		for (size_t k = 0; k < VALUES_MAX && cases[i].bad[k]; k++)
			if (param_format_is_valid(cases[i].format, cases[i].bad[k]))
				fail_msg("%s accepts '%s'", cases[i].format, cases[i].bad[k]);
	}
}

/* every format has a case: by its name, or by its list or optional form */
static void test_all_are_tested(void **state)
{
	static const struct param_format *const tables[] = {param_formats_name, param_formats_net,
							    param_formats_value};

	(void)state;
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct param_format *f = tables[t]; f->name; f++) {
			bool found = false;

			for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
				const char *rest = str_after(cases[i].format, f->name);

				found |= rest && (str_eq(rest, "") || str_eq(rest, "-list") ||
						  str_eq(rest, "-opt"));
			}
			if (!found)
				fail_msg("no case for %s", f->name);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_all_are_tested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
