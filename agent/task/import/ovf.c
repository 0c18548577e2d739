/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads OVF by libxml2, names without their namespaces. Pure. */
#include "agent/task/import/ovf.h"

#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/import/xml_node.h"
#include "storage/volid/volid.h"

#define ITEMS_MAX  512
#define MEMORY_MAX (UINT64_C(1) << 34) /* MiB */
#define CORES_MAX  8192u
#define COUNT_CHECK(count, max, what, err)                                                         \
	((count) < (max) ? 0 : err_set(err, ERR_LIMIT, "more than %d %s", (int)(max), what))

/* rasd:ResourceType (CIM_ResourceAllocationSettingData) */
enum {
	RES_PROCESSOR = 3,
	RES_MEMORY = 4,
	RES_IDE = 5,
	RES_SCSI = 6,
	RES_ETHERNET = 10,
	RES_CD = 15,
	RES_DVD = 16,
	RES_DISK = 17,
	RES_OTHER_STORAGE = 20,
};

static uint64_t number_in(const char *text)
{
	uint64_t value;
	return str_to_u64(text, &value) ? value : 0;
}

/* "byte * 2^20", "MegaBytes", "GB": what one of it is, in bytes. */
static uint64_t unit_of(const char *text, uint64_t fallback)
{
	static const struct {
		const char *word;
		unsigned shift;
	} units[] = {{"kilo", 10}, {"mega", 20}, {"giga", 30}, {"tera", 40},
		     {"kb", 10},   {"mb", 20},	 {"gb", 30},   {"tb", 40}};
	const char *power = strstr(text, "2^");
	uint64_t shift;
	if (power) {
		autofree char *digits = xstrndup(power + 2, strspn(power + 2, "0123456789"));
		return str_to_u64(digits, &shift) && shift < 50 ? UINT64_C(1) << shift : fallback;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strcasestr(text, units[i].word))
			return UINT64_C(1) << units[i].shift;
	return strncasecmp(text, "byte", 4) == 0 ? 1 : fallback;
}

/* -- disks ------------------------------------------------------------------------------------- */

/* "ovf:/disk/ID", or "ovf:/file/ID" at once. */
static int take_file(const xmlNode *envelope, const char *resource, struct ovf_disk *disk,
		     struct err *err)
{
	char id[NODE_TEXT_MAX] = "", text[NODE_TEXT_MAX], unit[NODE_TEXT_MAX];
	const char *disk_id = strstr(resource, "/disk/"), *file_id = strstr(resource, "/file/");
	if (disk_id) {
		const xmlNode *node = node_find(node_child(envelope, "DiskSection"), "Disk",
						"diskId", disk_id + strlen("/disk/"));
		if (!node)
			return err_set(err, ERR_CORRUPT, "there is no disk '%.100s'", resource);
		node_attribute(node, "fileRef", id);
		node_attribute(node, "capacity", text);
		node_attribute(node, "capacityAllocationUnits", unit);
		uint64_t size = unit_of(unit, 1), count = number_in(text);
		disk->capacity = count <= UINT64_MAX / size ? count * size : 0;
	} else if (file_id) {
		str_copy(id, sizeof(id), file_id + strlen("/file/"));
	}
	const xmlNode *file = node_find(node_child(envelope, "References"), "File", "id", id);
	if (!file)
		return *id ? err_set(err, ERR_CORRUPT, "there is no file '%.100s'", id)
			   : err_set(err, ERR_UNSUPPORTED,
				     "feature not available: a disk without a file");
	node_attribute(file, "compression", text);
	if (*text && !str_eq(text, "identity"))
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: a disk compressed by '%.32s'", text);
	node_attribute(file, "href", text);
	if (volume_file_check(VOLUME_IMPORT, text, NULL) < 0 ||
	    !str_copy(disk->file, sizeof(disk->file), text))
		return err_set(err, ERR_INVALID,
			       "'%.100s' is no name that a disk's file may have here", text);
	return 0;
}

/* The controller that the item hangs on. */
static enum ovf_bus bus_of(const xmlNode *hardware, const xmlNode *item)
{
	char parent[NODE_TEXT_MAX], id[NODE_TEXT_MAX], type[NODE_TEXT_MAX], sub[NODE_TEXT_MAX];
	node_text(item, "Parent", parent);
	const xmlNode *node = hardware->children;
	for (unsigned i = 0; node && i < 4 * ITEMS_MAX; node = node->next, i++) {
		if (node == item ||
		    !str_starts((const char *)(node->name ?: (xmlChar *)""), "Item"))
			continue;
		node_text(node, "InstanceID", id);
		if (!*parent || !str_eq(id, parent))
			continue;
		node_text(node, "ResourceType", type);
		node_text(node, "ResourceSubType", sub);
		if (strcasestr(sub, "nvme"))
			return OVF_NVME;
		return number_in(type) == RES_IDE	      ? OVF_IDE
		       : number_in(type) == RES_OTHER_STORAGE ? OVF_SATA
							      : OVF_SCSI;
	}
	return OVF_SCSI;
}

/* -- items ------------------------------------------------------------------------------------- */

struct reading {
	const xmlNode *envelope, *hardware;
	struct ovf_machine *machine;
};

static int take_cores(struct reading *r, const xmlNode *item, struct err *err)
{
	char text[NODE_TEXT_MAX];
	node_text(item, "VirtualQuantity", text);
	uint64_t all = number_in(text);
	if (all == 0 || all > CORES_MAX)
		return err_set(err, ERR_INVALID, "'%.32s' is no number of processors", text);
	node_text(item, "CoresPerSocket", text);
	uint64_t each = number_in(text);
	if (each == 0 || each > all || all % each != 0)
		each = all;
	r->machine->cores = (unsigned)each;
	r->machine->sockets = (unsigned)(all / each);
	return 0;
}

static int take_memory(struct reading *r, const xmlNode *item, struct err *err)
{
	char text[NODE_TEXT_MAX], unit[NODE_TEXT_MAX];
	node_text(item, "VirtualQuantity", text);
	node_text(item, "AllocationUnits", unit);
	uint64_t count = number_in(text), size = unit_of(unit, UINT64_C(1) << 20);
	if (count == 0 || count > UINT64_MAX / size || count * size >> 20 > MEMORY_MAX ||
	    count * size >> 20 == 0)
		return err_set(err, ERR_INVALID, "'%.32s' is no size of memory", text);
	r->machine->memory = count * size >> 20;
	return 0;
}

static int take_controller(struct reading *r, const xmlNode *item, struct err *err)
{
	char sub[NODE_TEXT_MAX];
	(void)err;
	node_text(item, "ResourceSubType", sub);
	r->machine->has_pvscsi = r->machine->has_pvscsi || strcasestr(sub, "virtualscsi");
	r->machine->has_lsi = r->machine->has_lsi || strcasestr(sub, "lsilogic");
	return 0;
}

static int take_disk(struct reading *r, const xmlNode *item, struct err *err)
{
	struct ovf_machine *m = r->machine;
	char resource[NODE_TEXT_MAX];
	int e = COUNT_CHECK(m->disk_count, OVF_DISKS, "disks", err);
	if (e < 0)
		return e;
	struct ovf_disk disk = {.bus = bus_of(r->hardware, item)};
	node_text(item, "HostResource", resource);
	e = take_file(r->envelope, resource, &disk, err);
	if (e == 0)
		m->disks[m->disk_count++] = disk;
	return e;
}

static int take_cdrom(struct reading *r, const xmlNode *item, struct err *err)
{
	char resource[NODE_TEXT_MAX];
	(void)err;
	node_text(item, "HostResource", resource);
	r->machine->cdroms += *resource != '\0';
	return 0;
}

static bool is_mac(const char *text)
{
	for (int i = 0; i < 17; i++)
		if (i % 3 == 2 ? text[i] != ':'
			       : !text[i] || !strchr("0123456789abcdefABCDEF", text[i]))
			return false;
	return text[17] == '\0';
}

static int take_nic(struct reading *r, const xmlNode *item, struct err *err)
{
	static const struct {
		const char *word, *model;
	} models[] = {{"e1000e", "e1000e"}, {"e1000", "e1000"}, {"vmxnet3", "vmxnet3"},
		      {"virtio", "virtio"}, {"pcnet", "pcnet"}, {"rtl8139", "rtl8139"}};
	struct ovf_machine *m = r->machine;
	char text[NODE_TEXT_MAX];
	int e = COUNT_CHECK(m->nic_count, OVF_NICS, "network interfaces", err);
	if (e < 0)
		return e;
	struct ovf_nic *nic = &m->nics[m->nic_count++];
	str_copy(nic->model, sizeof(nic->model), "virtio");
	node_text(item, "ResourceSubType", text);
	for (size_t i = ARRAY_SIZE(models); i-- > 0;)
		if (strcasestr(text, models[i].word))
			str_copy(nic->model, sizeof(nic->model), models[i].model);
	node_text(item, "Address", text);
	if (is_mac(text))
		str_copy(nic->mac, sizeof(nic->mac), text);
	return 0;
}

static const struct {
	unsigned type;
	int (*take)(struct reading *r, const xmlNode *item, struct err *err);
} takers[] = {
	{RES_PROCESSOR, take_cores}, {RES_MEMORY, take_memory}, {RES_SCSI, take_controller},
	{RES_ETHERNET, take_nic},    {RES_CD, take_cdrom},	{RES_DVD, take_cdrom},
	{RES_DISK, take_disk},
};

static int take_item(struct reading *r, const xmlNode *item, struct err *err)
{
	char type[NODE_TEXT_MAX];
	node_text(item, "ResourceType", type);
	for (size_t i = 0; i < ARRAY_SIZE(takers); i++)
		if (number_in(type) == takers[i].type)
			return takers[i].take(r, item, err);
	return 0;
}

static void take_config(struct ovf_machine *machine, const xmlNode *config)
{
	char key[NODE_TEXT_MAX], value[NODE_TEXT_MAX];
	node_attribute(config, "key", key);
	node_attribute(config, "value", value);
	if (str_eq(key, "firmware") && strcasecmp(value, "efi") == 0)
		machine->is_efi = true;
}

static int take_hardware(struct reading *r, struct err *err)
{
	unsigned count = 0;
	for (const xmlNode *node = r->hardware->children; node; node = node->next) {
		if (node_is(node, "Config"))
			take_config(r->machine, node);
		/* version 2 of the format gives disks and interfaces elements of their own */
		if (!node_is(node, "Item") && !node_is(node, "StorageItem") &&
		    !node_is(node, "EthernetPortItem"))
			continue;
		if (++count > ITEMS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d items", ITEMS_MAX);
		int e = take_item(r, node, err);
		if (e < 0)
			return e;
	}
	return 0;
}

/* -- the machine ------------------------------------------------------------------------------- */

/* Letters, digits and dashes; what is something else becomes a dash. */
static void take_name(const char *text, char ret[64])
{
	size_t n = 0;
	for (; *text && n < 63; text++) {
		bool is_plain = strchr(
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", *text);
		if (is_plain)
			ret[n++] = *text;
		else if (n > 0 && ret[n - 1] != '-')
			ret[n++] = '-';
	}
	while (n > 0 && ret[n - 1] == '-')
		n--;
	ret[n] = '\0';
}

static const char *ostype_of(const xmlNode *system)
{
	static const struct {
		const char *word, *ostype;
	} types[] = {{"windows2022", "win11"}, {"windows11", "win11"}, {"windows2019", "win10"},
		     {"windows2016", "win10"}, {"windows9", "win10"},  {"windows10", "win10"},
		     {"windows", "win10"},     {"solaris", "solaris"}, {"linux", "l26"},
		     {"debian", "l26"},	       {"ubuntu", "l26"},      {"centos", "l26"},
		     {"rhel", "l26"},	       {"red hat", "l26"},     {"suse", "l26"},
		     {"sles", "l26"},	       {"fedora", "l26"},      {"oracle", "l26"}};
	char type[NODE_TEXT_MAX] = "", text[NODE_TEXT_MAX];
	const xmlNode *section = node_child(system, "OperatingSystemSection");
	if (section)
		node_attribute(section, "osType", type);
	node_text(section, "Description", text);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcasestr(type, types[i].word) || strcasestr(text, types[i].word))
			return types[i].ostype;
	return "other";
}

static int read_machine(const xmlNode *envelope, struct ovf_machine *m, struct err *err)
{
	char name[NODE_TEXT_MAX];
	const xmlNode *system = node_child(envelope, "VirtualSystem");
	if (!system && node_child(envelope, "VirtualSystemCollection"))
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: several machines in one description");
	struct reading r = {.envelope = envelope,
			    .hardware = node_child(system, "VirtualHardwareSection"),
			    .machine = m};
	if (!r.hardware)
		return err_set(err, ERR_CORRUPT, "it describes no machine");
	node_text(system, "Name", name);
	if (!*name)
		node_attribute(system, "id", name);
	take_name(name, m->name);
	m->ostype = ostype_of(system);
	return take_hardware(&r, err);
}

static int read_document(xmlDoc *doc, struct ovf_machine *ret, struct err *err)
{
	const xmlNode *root = xmlDocGetRootElement(doc);
	if (xmlGetIntSubset(doc))
		return err_set(err, ERR_INVALID, "a document type is not expected");
	if (!root || !node_is(root, "Envelope"))
		return err_set(err, ERR_CORRUPT, "it is no OVF envelope");
	return read_machine(root, ret, err);
}

int ovf_parse(const char *text, size_t size, struct ovf_machine *ret, struct err *err)
{
	autofree struct ovf_machine *machine = xcalloc(1, sizeof(*machine));
	char keys[OVF_DISKS][16];
	if (size > OVF_TEXT_MAX)
		return err_set(err, ERR_LIMIT, "the description is larger than %u bytes",
			       OVF_TEXT_MAX);
	xmlDoc *doc = xmlReadMemory(text, (int)size, "machine.ovf", NULL,
				    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!doc)
		return err_set(err, ERR_CORRUPT, "the description is no XML");
	int r = read_document(doc, machine, err);
	xmlFreeDoc(doc);
	if (r == 0 && !ovf_disk_keys(machine, keys))
		r = err_set(err, ERR_LIMIT, "more disks than a machine has places for");
	if (r == 0)
		*ret = *machine;
	return r;
}

bool ovf_disk_keys(const struct ovf_machine *machine, char ret[OVF_DISKS][16])
{
	static const struct {
		const char *stem;
		unsigned max;
	} buses[] = {[OVF_SCSI] = {"scsi", 31},
		     [OVF_IDE] = {"ide", 4},
		     [OVF_SATA] = {"sata", 6},
		     [OVF_NVME] = {"scsi", 31}};
	unsigned used[ARRAY_SIZE(buses)] = {0};
	for (size_t i = 0; i < machine->disk_count; i++) {
		enum ovf_bus bus =
			machine->disks[i].bus == OVF_NVME ? OVF_SCSI : machine->disks[i].bus;
		if (used[bus] >= buses[bus].max)
			bus = OVF_SCSI;
		if (used[bus] >= buses[bus].max)
			return false;
		snprintf(ret[i], 16, "%s%u", buses[bus].stem, used[bus]++);
	}
	return true;
}
