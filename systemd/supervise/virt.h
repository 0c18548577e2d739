/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libvirtd and virtlogd under the supervisor: wanted where libvirtd.conf lies beside lodge.conf, unless the
 * host has a libvirtd of its own at work. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "agent/base/buf.h"

bool virt_is_wanted(void);
/* Does a process listen there? Only sockets: never waits. */
bool virt_libvirtd_answers(void);
bool virt_virtlogd_answers(void);
/* libvirtd is wanted, but does not listen yet. */
bool virt_is_coming(void);

/* Where /dev/kvm is there but was not found usable (agent/guest/kvm_record.h), libvirtd must not see it: it would
 * probe every emulator again, for more than a minute, at each start of a machine. */
bool virt_may_see_kvm(void);
/* Was /dev/kvm hidden from this process of ours? */
bool virt_is_kvm_hidden(pid_t pid);

/* `lodge-supervise exec NAME`: becomes libvirtd or virtlogd, with /dev/kvm hidden if need be. Returns the exit
 * status of a failure. */
int virt_exec(const char *name);

/* The text of qemu.conf with `namespaces = []` instead of what it says of them: libvirt's own private /dev for
 * each machine cannot be made where /dev/kvm is hidden. Pure. */
void virt_qemu_conf(const char *text, struct buf *ret);
