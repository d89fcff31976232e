/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#ifndef SKBSPAN_DOCTOR_COMMAND_H
#define SKBSPAN_DOCTOR_COMMAND_H

/* A JSON line a check. Returns an enum exit_code: 0 whatever the answers are. */
int doctor_command__run(void);

#endif
