/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parameter tables of virtual machines: data only. A key belongs here once it has an effect. */
#include "agent/guest/vm_schema.h"

#define OPTIONAL .optional = true
#define MIN(n)	 .has_min = true, .min = (n)
#define MAX(n)	 .has_max = true, .max = (n)

/* 4 TiB in MiB. */
#define MEMORY_MAX 4194304

#define BRIDGE_NAME "[-_.A-Za-z0-9]{1,15}"
#define SMBIOS_TEXT "[A-Za-z0-9+/._ -]+=*"
#define UUID_TEXT   "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

const char *const vm_net_models[] = {"e1000", "e1000e", "rtl8139", "virtio", "vmxnet3", NULL};
static const char *const scsi_controllers[] = {
	"lsi", "megasas", "pvscsi", "virtio-scsi-pci", "virtio-scsi-single", NULL};
static const char *const ostypes[] = {"other", "wxp",	"w2k",	 "w2k3", "w2k8", "wvista",  "win7",
				      "win8",  "win10", "win11", "l24",	 "l26",	 "solaris", NULL};
static const char *const locks[] = {"backup",	 "clone",    "create",		"migrate",
				    "rollback",	 "snapshot", "snapshot-delete", "suspending",
				    "suspended", NULL};
static const char *const caches[] = {"none",   "writethrough", "writeback",
				     "unsafe", "directsync",   NULL};
static const char *const aios[] = {"native", "threads", "io_uring", NULL};
static const char *const medias[] = {"cdrom", "disk", NULL};
static const char *const discards[] = {"ignore", "on", NULL};
static const char *const formats[] = {"raw", "qcow2", NULL};
static const char *const agent_types[] = {"virtio", NULL};
static const char *const firmwares[] = {"seabios", NULL};
static const char *const vgas[] = {"cirrus",  "none",	 "qxl", "serial0", "serial1",
				   "serial2", "serial3", "std", "virtio",  NULL};
static const char *const cpus[] = {"host",
				   "max",
				   "kvm64",
				   "qemu64",
				   "x86-64-v2",
				   "x86-64-v2-AES",
				   "x86-64-v3",
				   "Nehalem",
				   "Westmere",
				   "SandyBridge",
				   "IvyBridge",
				   "Haswell",
				   "Haswell-noTSX",
				   "Broadwell",
				   "Broadwell-noTSX",
				   "Skylake-Client",
				   "Skylake-Server",
				   "Cascadelake-Server",
				   "Icelake-Server",
				   "Opteron_G3",
				   "Opteron_G4",
				   "Opteron_G5",
				   "EPYC",
				   "EPYC-Rome",
				   "EPYC-Milan",
				   NULL};

/* Each model is also a key whose value is the address: "virtio=BC:24:11:00:00:01". */
#define MODEL_KEY(name_)                                                                           \
	{                                                                                          \
		name_, PARAM_STRING, OPTIONAL, .format = "mac-addr",                               \
					       .text = "Model " name_ " with this MAC address."    \
	}

const struct param vm_net_keys[] = {
	{"model", PARAM_STRING, OPTIONAL, .choices = vm_net_models, .text = "Model of the card."},
	MODEL_KEY("e1000"),
	MODEL_KEY("e1000e"),
	MODEL_KEY("rtl8139"),
	MODEL_KEY("virtio"),
	MODEL_KEY("vmxnet3"),
	{"macaddr", PARAM_STRING, OPTIONAL, .format = "mac-addr",
	 .text = "MAC address; a random one by default."},
	{"bridge", PARAM_STRING, OPTIONAL, .pattern = BRIDGE_NAME,
	 .text = "Bridge to attach the card to."},
	{"firewall", PARAM_BOOLEAN, OPTIONAL, .text = "Whether the firewall filters this card."},
	{"link_down", PARAM_BOOLEAN, OPTIONAL, .text = "Whether the card is disconnected."},
	{"mtu", PARAM_INTEGER, OPTIONAL, MIN(64), MAX(65520),
	 .text = "Maximum transfer unit that a virtio card tells the guest."},
	{"queues", PARAM_INTEGER, OPTIONAL, MIN(0), MAX(64),
	 .text = "Number of packet queues of a virtio card."},
	PARAM_END,
};

const struct param vm_drive_keys[] = {
	{"file", PARAM_STRING, .pattern = "[A-Za-z0-9][A-Za-z0-9:._/+~@-]*",
	 .text = "Volume, none for an empty CD drive; STORAGE:SIZE_IN_GiB makes a new volume."},
	{"aio", PARAM_STRING, OPTIONAL, .choices = aios, .text = "Kind of asynchronous I/O."},
	{"cache", PARAM_STRING, OPTIONAL, .choices = caches, .text = "Cache mode.",
	 .default_text = "none"},
	{"discard", PARAM_STRING, OPTIONAL, .choices = discards,
	 .text = "Whether discarded blocks are given back."},
	{"format", PARAM_STRING, OPTIONAL, .choices = formats, .text = "Format of the volume."},
	{"iothread", PARAM_BOOLEAN, OPTIONAL, .text = "A thread of its own for this drive's I/O."},
	{"media", PARAM_STRING, OPTIONAL, .choices = medias, .text = "Disk or CD drive.",
	 .default_text = "disk"},
	{"ro", PARAM_BOOLEAN, OPTIONAL, .text = "Read-only."},
	{"serial", PARAM_STRING, OPTIONAL, .pattern = "[A-Za-z0-9._-]{1,36}",
	 .text = "Serial number that the guest sees."},
	{"size", PARAM_STRING, OPTIONAL, .format = "disk-size",
	 .text = "Size of the volume (shown)."},
	{"ssd", PARAM_BOOLEAN, OPTIONAL, .text = "Show the drive as a solid-state disk."},
	PARAM_END,
};

const struct param vm_agent_keys[] = {
	{"enabled", PARAM_BOOLEAN, .text = "Give the guest a channel for its agent."},
	{"type", PARAM_STRING, OPTIONAL, .choices = agent_types, .text = "Kind of the channel."},
	PARAM_END,
};

const struct param vm_boot_keys[] = {
	{"legacy", PARAM_STRING, OPTIONAL, .pattern = "[acdn]{1,4}",
	 .text = "Kinds of devices in order: c disk, d CD drive, n network."},
	{"order", PARAM_STRING, OPTIONAL, .pattern = "[a-z]+[0-9]+(;[a-z]+[0-9]+)*",
	 .text = "Devices in order: scsi0;ide2;net0."},
	PARAM_END,
};

const struct param vm_cpu_keys[] = {
	{"cputype", PARAM_STRING, OPTIONAL, .choices = cpus, .text = "Model of the processor.",
	 .default_text = "kvm64"},
	{"flags", PARAM_STRING, OPTIONAL,
	 .pattern = "[+-][a-z0-9._-]{1,30}(;[+-][a-z0-9._-]{1,30})*", MAX(500),
	 .text = "Features to add or to take away: +aes;-avx."},
	PARAM_END,
};

const struct param vm_memory_keys[] = {
	{"current", PARAM_INTEGER, MIN(16), MAX(MEMORY_MAX), .text = "Memory in MiB."},
	PARAM_END,
};

const struct param vm_smbios_keys[] = {
	{"uuid", PARAM_STRING, OPTIONAL, .pattern = UUID_TEXT, .text = "UUID of the machine."},
	{"base64", PARAM_BOOLEAN, OPTIONAL, .text = "The other texts are in base64."},
	{"family", PARAM_STRING, OPTIONAL, .pattern = SMBIOS_TEXT, .text = "Family."},
	{"manufacturer", PARAM_STRING, OPTIONAL, .pattern = SMBIOS_TEXT, .text = "Manufacturer."},
	{"product", PARAM_STRING, OPTIONAL, .pattern = SMBIOS_TEXT, .text = "Product."},
	{"serial", PARAM_STRING, OPTIONAL, .pattern = SMBIOS_TEXT, .text = "Serial number."},
	{"sku", PARAM_STRING, OPTIONAL, .pattern = SMBIOS_TEXT, .text = "SKU."},
	{"version", PARAM_STRING, OPTIONAL, .pattern = SMBIOS_TEXT, .text = "Version."},
	PARAM_END,
};

const struct param vm_vga_keys[] = {
	{"type", PARAM_STRING, OPTIONAL, .choices = vgas,
	 .text = "Graphics card; serialN or none for a machine without one.",
	 .default_text = "std"},
	{"memory", PARAM_INTEGER, OPTIONAL, MIN(4), MAX(512), .text = "Its memory in MiB."},
	PARAM_END,
};

#define DRIVE(name_, max_)                                                                         \
	{                                                                                          \
		name_, PARAM_STRING, OPTIONAL, .keys = vm_drive_keys, .default_key = "file",       \
					       .index_max = (max_), .text = "A disk or CD drive."  \
	}

const struct param vm_config_params[] = {
	{"acpi", PARAM_BOOLEAN, OPTIONAL, .text = "Give the guest ACPI.", .default_text = "1"},
	{"agent", PARAM_STRING, OPTIONAL, .keys = vm_agent_keys, .default_key = "enabled",
	 .text = "The guest agent."},
	{"balloon", PARAM_INTEGER, OPTIONAL, MIN(0), MAX(0),
	 .text = "0: no balloon device. There is nothing that inflates one."},
	{"bios", PARAM_STRING, OPTIONAL, .choices = firmwares, .text = "Firmware.",
	 .default_text = "seabios"},
	{"boot", PARAM_STRING, OPTIONAL, .keys = vm_boot_keys, .default_key = "legacy",
	 .text = "Devices to boot from, in order."},
	{"cores", PARAM_INTEGER, OPTIONAL, MIN(1), MAX(512), .text = "Cores a socket.",
	 .default_text = "1"},
	{"cpu", PARAM_STRING, OPTIONAL, .keys = vm_cpu_keys, .default_key = "cputype",
	 .text = "The processor."},
	{"description", PARAM_STRING, OPTIONAL, MAX(8192), .text = "Notes."},
	DRIVE("ide[n]", 4),
	{"kvm", PARAM_BOOLEAN, OPTIONAL,
	 .text = "Use the processor's virtualisation; 0: plain emulation, slow.",
	 .default_text = "1"},
	{"lock", PARAM_STRING, OPTIONAL, .choices = locks, .text = "Lock; root only."},
	{"machine", PARAM_STRING, OPTIONAL, MAX(40),
	 .pattern = "pc|q35|pc-(i440fx|q35)-[0-9]+([.][0-9]+)+", .text = "Type of the machine.",
	 .default_text = "pc"},
	{"memory", PARAM_STRING, OPTIONAL, .keys = vm_memory_keys, .default_key = "current",
	 .text = "Memory in MiB.", .default_text = "512"},
	{"name", PARAM_STRING, OPTIONAL, .format = "dns-name", MAX(255),
	 .text = "Name of the machine."},
	{"net[n]", PARAM_STRING, OPTIONAL, .keys = vm_net_keys, .default_key = "model",
	 .index_max = VM_NETS_MAX, .text = "A network card."},
	{"numa", PARAM_BOOLEAN, OPTIONAL, .text = "Not built: off.", .default_text = "0"},
	{"onboot", PARAM_BOOLEAN, OPTIONAL, .text = "Start when the node starts.",
	 .default_text = "0"},
	{"ostype", PARAM_STRING, OPTIONAL, .choices = ostypes, .text = "Kind of system inside.",
	 .default_text = "other"},
	{"protection", PARAM_BOOLEAN, OPTIONAL,
	 .text = "Neither the machine nor its volumes can be removed.", .default_text = "0"},
	DRIVE("sata[n]", 6),
	DRIVE("scsi[n]", 31),
	{"scsihw", PARAM_STRING, OPTIONAL, .choices = scsi_controllers,
	 .text = "Model of the SCSI controllers.", .default_text = "lsi"},
	{"serial[n]", PARAM_STRING, OPTIONAL, .pattern = "socket", .index_max = VM_SERIALS_MAX,
	 .text = "A serial port; socket: for the console."},
	{"smbios1", PARAM_STRING, OPTIONAL, .keys = vm_smbios_keys, MAX(512),
	 .text = "What the machine says of itself."},
	{"sockets", PARAM_INTEGER, OPTIONAL, MIN(1), MAX(16), .text = "Processor sockets.",
	 .default_text = "1"},
	{"startup", PARAM_STRING, OPTIONAL, .format = "pve-startup-order",
	 .text = "Start and stop order: [[order=]N][,up=SECONDS][,down=SECONDS]."},
	{"tablet", PARAM_BOOLEAN, OPTIONAL, .text = "A pointer with absolute positions.",
	 .default_text = "1"},
	{"tags", PARAM_STRING, OPTIONAL, .format = "pve-tag-list", .text = "Tags, for lists only."},
	{"template", PARAM_BOOLEAN, OPTIONAL, .text = "It is a template: only to be copied.",
	 .default_text = "0"},
	{"unused[n]", PARAM_STRING, OPTIONAL, .index_max = VM_UNUSED_MAX, MAX(256),
	 .text = "A volume that no drive uses; to be deleted, which frees it."},
	{"vga", PARAM_STRING, OPTIONAL, .keys = vm_vga_keys, .default_key = "type",
	 .text = "The graphics card."},
	DRIVE("virtio[n]", 16),
	PARAM_END,
};

const char *const vm_live_keys[] = {"description", "lock", "name",	"onboot", "protection",
				    "startup",	   "tags", "unused[n]", NULL};
