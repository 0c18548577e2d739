/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a virtual machine's configuration may hold, as parameter tables for API, stored text and job,
 * and the same as typed values. Pure but for random addresses and ids. */
#pragma once

#include <stdint.h>

#include "agent/base/param.h"
#include "agent/base/propstr.h"
#include "agent/guest/config.h"
#include "storage/volid/volid.h"

/* All configuration keys, ended by PARAM_END. Only keys that Lodge really honours are listed: an
 * unknown one is refused by name. */
extern const struct param vm_config_params[];
extern const struct param vm_net_keys[];    /* default key "model" */
extern const struct param vm_drive_keys[];  /* default key "file" */
extern const struct param vm_agent_keys[];  /* default key "enabled" */
extern const struct param vm_boot_keys[];   /* default key "legacy" */
extern const struct param vm_cpu_keys[];    /* default key "cputype" */
extern const struct param vm_memory_keys[]; /* default key "current" */
extern const struct param vm_smbios_keys[]; /* default key: none */
extern const struct param vm_vga_keys[];    /* default key "type" */
extern const char *const vm_net_models[];
extern const char *const vm_live_keys[]; /* change at once even while running */

#define VM_DRIVES_MAX  57
#define VM_NETS_MAX    32
#define VM_SERIALS_MAX 4
#define VM_UNUSED_MAX  256

enum vm_bus { VM_IDE, VM_SATA, VM_SCSI, VM_VIRTIO };

struct vm_drive {
	char key[12]; /* "scsi0" */
	enum vm_bus bus;
	unsigned index;
	bool is_cdrom;
	bool is_new; /* STORAGE:GIB asks for a new volume of `size` on `storage` */
	char storage[101];
	struct volid volume; /* valid unless is_new or is_empty */
	char volid[VOLID_MAX];
	bool is_empty;	/* CD drive without a medium */
	uint64_t size;	/* bytes, 0 unknown */
	char format[8]; /* of a new volume: "raw" or "qcow2" */
	bool read_only, ssd, discard, iothread;
	char cache[16], aio[16], serial[40]; /* "" default */
};

/* false if key names no drive ("scsi31", "ide07", "net0"). */
bool vm_drive_key(const char *key, enum vm_bus *ret_bus, unsigned *ret_index);
int vm_drive_parse(const char *key, const char *value, struct vm_drive *ret, struct err *err);
/* The value of drive with the volume and size put in place of what was there: "local:101/vm-101-disk-0.raw,
 * cache=none,size=4G" (heap). */
char *vm_drive_value(const char *value, const char *volid, uint64_t size);
/* All drives of a config, by bus and number; heap array. */
int vm_config_drives(const struct guest_config *config, struct vm_drive **ret, size_t *ret_count,
		     struct err *err);

/* vm_unused.c: volumes that the machine keeps and does not use, "unused3: local:101/vm-101-disk-1.raw" */
bool vm_unused_key(const char *key, unsigned *ret_index);
/* false when there are too many; ret_key may be NULL. */
bool vm_unused_add(struct guest_config *config, const char *volid, char ret_key[16]);
/* The drive that has this volume, or waits in [PENDING] for it (heap); NULL if there is none. */
char *vm_volume_drive(struct guest_config *config, const char *volid);
/* A disk that was a drive before and is none after is kept as unusedN, one that became a drive is not any
 * more. A drive that waits in [PENDING] counts. ERR_LIMIT: no key is left for a volume, whose name would be
 * lost; `after` is half done then. */
int vm_unused_follow(struct guest_config *before, struct guest_config *after, struct err *err);
/* Is the volume the one of a drive among these keys (what waits in [PENDING] left out)? */
bool vm_drives_hold(const struct guest_config *config, char *const *keys, const char *volid);

struct vm_net {
	unsigned index;
	char model[16];
	char macaddr[18]; /* "" only before vm_config_complete() */
	char bridge[16];
	unsigned mtu, queues;
	bool link_down;
};

/* By number; heap array. */
int vm_config_nets(const struct guest_config *config, struct vm_net **ret, size_t *ret_count,
		   struct err *err);
int vm_net_parse(const char *key, const char *value, struct vm_net *ret, struct err *err);
/* The stored form, "virtio=BC:24:11:…,bridge=vmbr0", whichever way the model was written; before is the
 * config whose address an interface without one keeps (heap). */
int vm_net_complete(const struct guest_config *before, const char *key, const char *value,
		    char **ret, struct err *err);

struct vm_smbios {
	char uuid[37]; /* "" none */
	char manufacturer[256], product[256], version[256], serial[256], sku[256], family[256];
};

/* Everything of a config that a machine is made of, with the defaults filled in. */
struct vm_hardware {
	uint64_t memory; /* bytes */
	unsigned sockets, cores;
	bool kvm, acpi, tablet, has_agent, has_balloon;
	char cpu[32], cpu_flags[512]; /* "+aes;-avx" */
	char machine[41], vga[16], scsihw[24], ostype[16];
	unsigned vga_memory; /* MiB, 0: default */
	struct vm_smbios smbios;
	bool serial[VM_SERIALS_MAX];
	struct vm_drive *drives;
	struct vm_net *nets;
	size_t drive_count, net_count;
	char boot[64][12]; /* device keys in order, "" ends */
};

int vm_hardware_read(const struct guest_config *config, struct vm_hardware *ret, struct err *err);
void vm_hardware_fini(struct vm_hardware *hw);
static inline bool vm_is_q35(const struct vm_hardware *hw)
{
	return hw->machine[0] == 'q' || hw->machine[3] == 'q'; /* "q35", "pc-q35-7.2" */
}
/* A graphics card, hence VNC; not with "none" and "serial0". */
bool vm_has_screen(const struct vm_hardware *hw);
/* Socket of a serial port, in the run folder's vm/ (heap). */
char *vm_serial_path(const char *run_dir, unsigned vmid, unsigned index);

/* Fills in what a new machine needs: MAC addresses, an SMBIOS UUID, boot order, a SCSI controller that
 * common systems have drivers for; then checks that keys fit together. drives: keys whose volumes will
 * be made later (name "scsi0", value as asked for), for the boot order. */
int vm_config_complete(struct guest_config *config, const struct fields *drives, struct err *err);
