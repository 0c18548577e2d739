/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OVF descriptions of machines (DSP0243), as far as a machine here can be made of them. Pure; the text is hostile. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

#define OVF_TEXT_MAX (4u * 1024 * 1024)
#define OVF_DISKS    64
#define OVF_NICS     32

enum ovf_bus { OVF_SCSI, OVF_IDE, OVF_SATA, OVF_NVME };

struct ovf_disk {
	enum ovf_bus bus;
	char file[256];	   /* a name that a volume of content import may have */
	uint64_t capacity; /* bytes, 0: not said */
};

struct ovf_nic {
	char model[16]; /* as a configuration has it */
	char mac[18];	/* or "" */
};

struct ovf_machine {
	char name[64];	    /* a DNS name, or "" */
	const char *ostype; /* static */
	uint64_t memory;    /* MiB, 0: not said */
	unsigned cores, sockets;
	bool is_efi, has_lsi, has_pvscsi;
	unsigned cdroms; /* with a disc in them */
	struct ovf_disk disks[OVF_DISKS];
	size_t disk_count;
	struct ovf_nic nics[OVF_NICS];
	size_t nic_count;
};

/* No DTD, no entities, nothing from the network or from files. ERR_LIMIT for more disks than there are keys. */
int ovf_parse(const char *text, size_t size, struct ovf_machine *ret, struct err *err);
/* "scsi0", "ide1" of the disks: ret[i] for disk i. Those beyond what a bus here takes go to scsi; false when that is full,
 * which no machine of ovf_parse() is. */
bool ovf_disk_keys(const struct ovf_machine *machine, char ret[OVF_DISKS][16]);
