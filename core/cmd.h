/* SPDX-License-Identifier: MIT
 * cmd.h - the subcommands.  argv[0] is the subcommand's name; the return value is the exit code:
 * 0 done, 1 failed, 2 usage or recipe error. [main] */
#ifndef CORE_CMD_H
#define CORE_CMD_H

int cmd_plugin(int argc, char **argv); /* plugin list|show */

#endif
