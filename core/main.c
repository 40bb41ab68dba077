/* SPDX-License-Identifier: MIT
 * main.c - drhost: parses the command line and calls one command. */
#include "cli.h"
#include "cmd.h"
#include "err.h"
#include "mem.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MANY = 1 << 20 };

static int cmd_help(const struct cli_options *o);

static const struct command commands[] = {
    {"run", "RECIPE", "run a recipe; the same command again goes on where it stopped", CMD_RUN, 1,
     1, cmd_run, NULL},
    {"pull", "SOURCE:REPO|ADDRESS [FILE...]",
     "download a repository of a hub, verified; the same command again goes on where it stopped",
     CMD_PULL, 1, MANY, cmd_pull, NULL},
    {"check", "RECIPE", "find every mistake in a recipe that can be found before any download",
     CMD_CHECK, 1, 1, cmd_check, NULL},
    {"report", "RECIPE", "what the last run of a recipe did: counts, reasons, scores", CMD_REPORT,
     1, 1, cmd_report, NULL},
    {"status", "[RECIPE|DATA]", "what is going on, and what is done so far", CMD_STATUS, 0, 1,
     cmd_status, NULL},
    {"why", "ID|FILE:LINE [RECIPE|DATA]", "why a record is missing, or where it went", CMD_WHY, 1,
     2, cmd_why, NULL},
    {"plugin", "list|show", "the plugins that are found; what one is and its options", CMD_PLUGIN,
     0, MANY, NULL, cmd_plugin},
    {"version", "", "print the version of the host and of its plugin ABI", CMD_VERSION, 0, 0,
     cmd_version, NULL},
    {"help", "[COMMAND]", "print this, or the options of a command", CMD_HELP, 0, 1, cmd_help,
     NULL},
    {"step", "", "one step or a few, files to file", CMD_STEP, 0, MANY, cmd_step, NULL},
    {NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};

static int print_help(const struct command *one)
{
    struct buf b;
    int        rc = RC_FAILED;

    buf_init(&b, 1 << 20);
    if (cli_help(commands, one, &b) == DRH_OK) {
        (void)fputs(b.ptr, stdout);
        rc = RC_OK;
    } else {
        (void)fputs("drhost: out of memory\n", stderr);
    }
    buf_free(&b);
    return cli_done(rc);
}

static int cmd_help(const struct cli_options *o)
{
    const struct command *one = NULL;

    if (o->args.n > 0) {
        one = cli_command(commands, o->args.text[0]);
        if (!one) {
            (void)fprintf(stderr, "drhost: no command \"%s\"; see drhost --help\n",
                          o->args.text[0]);
            return RC_USAGE;
        }
    }
    if (one && one->raw) {
        char  name[32], help[] = "--help";
        char *argv[] = {name, help, NULL};
        (void)snprintf(name, sizeof(name), "%s", one->name);
        return one->raw(2, argv);
    }
    return print_help(one);
}

/* Who starts us may have closed standard streams: the next file would get their number, and what is
 * told would go into it.  Held the wrong way round, so that results for a closed standard output
 * are still an error and do not vanish. */
static void hold_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            _exit(RC_FAILED);
        }
    }
}

int main(int argc, char **argv)
{
    struct cli_options o;
    drh_error          e = ERR_INIT;
    drh_status         st;
    int                rest = 0, rc;

    hold_standard_streams();
    mem_fault_from_env();
    /* Workers are the host's (thread_quota): libraries that plugins bring must not add their own.
     */
    (void)setenv("OMP_NUM_THREADS", "1", 0);
    tree_use_mem();
    st = cli_parse(&o, commands, argc, argv, &rest, &e);
    if (st != DRH_OK) {
        rc = cli_fail(&o, st, &e);
    } else if (o.command && o.command->raw) {
        rc = o.command->raw(argc - rest, argv + rest);
    } else if (o.help) {
        rc = print_help(o.command);
    } else if (o.version) {
        rc = cmd_version(&o);
    } else {
        rc = o.command->run(&o);
    }
    cli_free(&o);
    return rc;
}
