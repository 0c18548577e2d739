/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of the node that a container gets. */
#pragma once

#include "agent/guest/ct/idmap.h"
#include "agent/guest/ct/mounts.h"

/* As the node has it now. */
struct ct_device_id {
	char kind; /* 'c' or 'b' */
	unsigned major, minor;
};
int ct_device_id(const struct ct_dev *dev, struct ct_device_id *ret, struct err *err);

struct ct_devices {
	struct ct_dev *devs; /* owned */
	size_t count;
	struct fields rules; /* of the control group: "c 10:229 rwm" */
	bool denies;	     /* one of them is for reading only */
};

/* Looks them up on the node. */
int ct_devices_read(const struct guest_config *config, struct ct_devices *ret, struct err *err);
void ct_devices_fini(struct ct_devices *devices);
/* Makes their nodes in this process' own mount namespace and appends how they are attached. map NULL: privileged. */
int ct_devices_prepare(const struct ct_devices *devices, unsigned vmid, const struct ct_idmap *map,
		       struct fields *plan, struct err *err);
