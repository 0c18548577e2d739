/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What core and console jobs agree on. Program lodge-task-console, commands termproxy and vncproxy, both of
 * task type CONSOLE_TASK_TYPE and of no guest's queue; descriptor 3 is the viewer's stream. Arguments:
 *
 *   vmid, kind ("lxc", "qemu")
 *   mode    tty, console, shell of a container; serial0 … serial3, screen of a machine
 *   width, height  vncproxy of a container: its screen in pixels
 *   secret  termproxy: the first line that the viewer must send
 *
 * The stream begins with CONSOLE_TAKEN, which the core sends when it hands the other end out: until then
 * there is no viewer, and nothing is opened for one. It ends before that if none came in time. */
#pragma once

#define CONSOLE_TASK_TYPE "vncproxy"
#define CONSOLE_FD	  3
#define CONSOLE_TAKEN	  '!'
