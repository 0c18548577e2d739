/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OVF descriptions: what is taken of an honest one, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/import/ovf.h"

#define HEAD                                                                                       \
	"<?xml version=\"1.0\"?><Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" "       \
	"xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\" xmlns:rasd=\"r\" xmlns:vmw=\"v\">"
#define ITEM(type, more) "<Item>" more "<rasd:ResourceType>" #type "</rasd:ResourceType></Item>"
#define DISK(parent, id)                                                                           \
	ITEM(17, "<rasd:HostResource>ovf:/disk/" id "</rasd:HostResource><rasd:Parent>" parent     \
		 "</rasd:Parent>")

static const char honest[] = HEAD
	"<References><File ovf:id=\"f1\" ovf:href=\"a-disk1.vmdk\"/>"
	"<File ovf:id=\"f2\" ovf:href=\"a-disk2.vmdk\"/></References>"
	"<DiskSection><Disk ovf:diskId=\"d1\" ovf:fileRef=\"f1\" ovf:capacity=\"8\" "
	"ovf:capacityAllocationUnits=\"byte * 2^30\"/>"
	"<Disk ovf:diskId=\"d2\" ovf:fileRef=\"f2\" ovf:capacity=\"512\"/></DiskSection>"
	"<VirtualSystem ovf:id=\"vm\"><Name>My machine_1!</Name>"
	"<OperatingSystemSection ovf:id=\"96\" vmw:osType=\"debian10_64Guest\"/>"
	"<VirtualHardwareSection>" ITEM(
		3,
		"<rasd:VirtualQuantity>4</"
		"rasd:VirtualQuantity><vmw:CoresPerSocket>2</"
		"vmw:CoresPerSocket>") ITEM(4, "<rasd:AllocationUnits>byte * "
					       "2^20</rasd:AllocationUnits>"
					       "<rasd:VirtualQuantity>2048</rasd:VirtualQuantity>")
		ITEM(6, "<rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceSubType>VirtualSCSI</"
			"rasd:ResourceSubType>") ITEM(20,
						      "<rasd:InstanceID>4</"
						      "rasd:InstanceID><rasd:ResourceSubType>"
						      "vmware.sata.ahci</"
						      "rasd:ResourceSubType>") DISK("3",
										    "d1") DISK("4",
											       "d2")
			ITEM(15, "<rasd:HostResource>ovf:/file/iso</rasd:HostResource>") ITEM(
				15, "") ITEM(10, "<rasd:ResourceSubType>VmxNet3</"
						 "rasd:ResourceSubType><rasd:Address>00:50:56:aa:"
						 "bb:cc</rasd:Address>")
				ITEM(10, "<rasd:ResourceSubType>E1000</rasd:ResourceSubType>") ITEM(
					1,
					"") "<vmw:Config ovf:required=\"false\" "
					    "vmw:key=\"firmware\" vmw:value=\"efi\"/>"
					    "</VirtualHardwareSection></VirtualSystem></Envelope>";

static void test_honest(void **state)
{
	struct ovf_machine m;
	struct err err = ERR_INIT;
	char keys[OVF_DISKS][16];
	(void)state;
	if (ovf_parse(honest, strlen(honest), &m, &err) < 0)
		fail_msg("%s", err.message);
	assert_string_equal(m.name, "My-machine-1");
	assert_string_equal(m.ostype, "l26");
	assert_int_equal(m.memory, 2048);
	assert_int_equal(m.cores, 2);
	assert_int_equal(m.sockets, 2);
	assert_true(m.is_efi && m.has_pvscsi && !m.has_lsi);
	assert_int_equal(m.cdroms, 1);
	assert_int_equal(m.disk_count, 2);
	assert_string_equal(m.disks[0].file, "a-disk1.vmdk");
	assert_int_equal(m.disks[0].capacity, 8ull << 30);
	assert_int_equal(m.disks[1].capacity, 512);
	ovf_disk_keys(&m, keys);
	assert_string_equal(keys[0], "scsi0");
	assert_string_equal(keys[1], "sata0");
	assert_int_equal(m.nic_count, 2);
	assert_string_equal(m.nics[0].model, "vmxnet3");
	assert_string_equal(m.nics[0].mac, "00:50:56:aa:bb:cc");
	assert_string_equal(m.nics[1].model, "e1000");
	assert_string_equal(m.nics[1].mac, "");
}

static int parse_with(const char *href, const char *items, struct err *err)
{
	struct ovf_machine m;
	autofree char *text = xasprintf(
		HEAD "<References><File ovf:id=\"f\" ovf:href=\"%s\"/></References><DiskSection>"
		     "<Disk ovf:diskId=\"d\" ovf:fileRef=\"f\" ovf:capacity=\"1\"/>"
		     "<Disk ovf:diskId=\"e\" ovf:capacity=\"1\"/></DiskSection>"
		     "<VirtualSystem><VirtualHardwareSection>%s</VirtualHardwareSection>"
		     "</VirtualSystem></Envelope>",
		href, items);
	*err = ERR_INIT;
	return ovf_parse(text, strlen(text), &m, err);
}

static void test_refused(void **state)
{
	static const struct {
		const char *href, *items;
		int result;
	} cases[] = {
		{"a.vmdk", DISK("1", "d"), 0},
		{"../a.vmdk", DISK("1", "d"), -ERR_INVALID},
		{"/etc/a.vmdk", DISK("1", "d"), -ERR_INVALID},
		{"a.vmdk.gz", DISK("1", "d"), -ERR_INVALID},
		{"", DISK("1", "d"), -ERR_INVALID},
		{"a.vmdk", DISK("1", "x"), -ERR_CORRUPT},
		{"a.vmdk", DISK("1", "e"), -ERR_UNSUPPORTED},
		{"a.vmdk", ITEM(17, ""), -ERR_UNSUPPORTED},
		{"a.vmdk", ITEM(3, "<rasd:VirtualQuantity>0</rasd:VirtualQuantity>"), -ERR_INVALID},
		{"a.vmdk", ITEM(3, "<rasd:VirtualQuantity>-1</rasd:VirtualQuantity>"),
		 -ERR_INVALID},
		{"a.vmdk",
		 ITEM(4, "<rasd:VirtualQuantity>18446744073709551615</rasd:VirtualQuantity>"),
		 -ERR_INVALID},
		{"a.vmdk", ITEM(4, ""), -ERR_INVALID},
	};
	struct err err;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = parse_with(cases[i].href, cases[i].items, &err);
		if (r != cases[i].result)
			fail_msg("case %zu: %d %s", i, r, err.message);
	}
}

static void test_documents(void **state)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{"", -ERR_CORRUPT},
		{"no xml", -ERR_CORRUPT},
		{"<a/>", -ERR_CORRUPT},
		{"<Envelope/>", -ERR_CORRUPT},
		{"<Envelope><VirtualSystemCollection/></Envelope>", -ERR_UNSUPPORTED},
		{"<!DOCTYPE Envelope [<!ENTITY x SYSTEM \"/etc/passwd\">]><Envelope>&x;</Envelope>",
		 -ERR_INVALID},
		{"<!DOCTYPE E [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
		 "\"&a;&a;&a;\">]><Envelope>&b;</Envelope>",
		 -ERR_INVALID},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ovf_machine m;
		int r = ovf_parse(cases[i].text, strlen(cases[i].text), &m, NULL);
		if (r != cases[i].result)
			fail_msg("case %zu: %d", i, r);
	}
}

static void test_bounds(void **state)
{
	struct err err;
	autobuf items = BUF_INIT;
	(void)state;
	for (int i = 0; i <= OVF_DISKS; i++)
		buf_add_str(&items, DISK("1", "d"));
	assert_int_equal(parse_with("a.vmdk", buf_str(&items), &err), -ERR_LIMIT);
	buf_clear(&items);
	for (int i = 0; i <= OVF_NICS; i++)
		buf_add_str(&items, ITEM(10, ""));
	assert_int_equal(parse_with("a.vmdk", buf_str(&items), &err), -ERR_LIMIT);
	buf_clear(&items);
	for (int i = 0; i < 600; i++)
		buf_add_str(&items, ITEM(1, ""));
	assert_int_equal(parse_with("a.vmdk", buf_str(&items), &err), -ERR_LIMIT);
}

/* More disks than a bus takes find place on another one. */
static void test_keys(void **state)
{
	struct ovf_machine m = {.disk_count = 10};
	char keys[OVF_DISKS][16];
	(void)state;
	for (size_t i = 0; i < m.disk_count; i++)
		m.disks[i].bus = OVF_IDE;
	ovf_disk_keys(&m, keys);
	assert_string_equal(keys[3], "ide3");
	assert_string_equal(keys[4], "scsi0");
	assert_string_equal(keys[9], "scsi5");
	m.disk_count = 4 + 31;
	for (size_t i = 0; i < m.disk_count; i++)
		m.disks[i].bus = i % 2 && i < 8 ? OVF_IDE : i % 3 ? OVF_SCSI : OVF_NVME;
	assert_true(ovf_disk_keys(&m, keys));
	assert_string_equal(keys[34], "scsi30");
	m.disk_count++;
	m.disks[35].bus = OVF_IDE;
	assert_true(m.disk_count <= OVF_DISKS);
	assert_false(ovf_disk_keys(&m, keys));
}

static void test_many_disks(void **state)
{
	autobuf items = BUF_INIT;
	struct err err = ERR_INIT;
	(void)state;
	for (int i = 0; i < 31; i++)
		buf_add_str(&items, DISK("1", "d"));
	assert_int_equal(parse_with("a.vmdk", buf_str(&items), &err), 0);
	buf_add_str(&items, DISK("1", "d"));
	assert_int_equal(parse_with("a.vmdk", buf_str(&items), &err), -ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_honest),	  cmocka_unit_test(test_refused),
		cmocka_unit_test(test_documents), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_keys),	  cmocka_unit_test(test_many_disks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
