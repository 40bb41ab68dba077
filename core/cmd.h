/* SPDX-License-Identifier: MIT
 * cmd.h - the subcommands, one file each.  They return the exit code (cli.h, RC_*). [main] */
#ifndef CORE_CMD_H
#define CORE_CMD_H

#include <stdint.h>

struct cli_options;

int cmd_run(const struct cli_options *o);
int cmd_pull(const struct cli_options *o);
int cmd_step(const struct cli_options *o); /* drhost --plugin ... */
int cmd_status(const struct cli_options *o);
int cmd_why(const struct cli_options *o);
int cmd_check(const struct cli_options *o);
int cmd_report(const struct cli_options *o);
int cmd_version(const struct cli_options *o);
int cmd_plugin(int argc, char **argv); /* plugin list|show; argv[0] is "plugin" */

/* Shared: -j or the machine's cores; -q, -v, --no-progress. */
uint32_t cmd_workers(const struct cli_options *o);
void     cmd_loudness(const struct cli_options *o);

#endif
