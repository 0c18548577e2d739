/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a job leaves at its end, tasks/X/UPID.status: "ENDTIME TEXT\n", and a second line if its undo is to be run all
 * the same. Shared by the core (decode) and lodge_task_common (encode). */
#pragma once

#define JOB_STATUS_UNDO "undo\n"
