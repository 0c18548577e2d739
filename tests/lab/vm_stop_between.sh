#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs inside a lab node, beside a start of a machine: stops libvirtd when it has made the machine, paused, and
# before the job lets it run. vm_stop_between.sh VMID LIBVIRTD
until [ -s "/run/libvirt/qemu/lodge-$1.pid" ]; do sleep 0.005; done # its process is there, the creation goes on
job=$(pgrep -f '^/usr/libexec/lodge/lodge-task-vm qmstart') && kill -STOP "$job" || exit
until [ "$(virsh -q domstate "lodge-$1")" = paused ]; do sleep 0.02; done
# libvirtd's answer lies in the socket of the job, which does not read it now
answered() { ss -Hxp | awk -v job="pid=$job," 'index($0, job) && $3 > 0 {found = 1} END {exit !found}'; }
until answered; do sleep 0.02; done
kill -STOP "$2"
kill -CONT "$job"
