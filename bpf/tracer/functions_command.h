/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#ifndef SKBSPAN_FUNCTIONS_COMMAND_H
#define SKBSPAN_FUNCTIONS_COMMAND_H

/* A JSON line for every function that has an sk_buff; `probes` says which are chosen. Returns an enum exit_code. */
int functions_command__run(const char *probes);

#endif
