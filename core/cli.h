/* SPDX-License-Identifier: MIT
 * cli.h - the command line: one table of options from which parsing and --help come. [main]
 *
 *     drhost COMMAND [OPTION...] [ARGUMENT...]
 *     drhost --plugin FILE[:STAGE] ... [OPTION...] [IN...] [-o OUT]      command "step"
 *
 * --opt VALUE and --opt=VALUE, -j 4 and -j4, -qv; "--" ends the options, "-" is an argument. */
#ifndef CORE_CLI_H
#define CORE_CLI_H

#include "buf.h"
#include "recipe.h"

#include <drh/plugin.h>

#include <stdbool.h>
#include <stdio.h>

/* Commands as bits: which command takes which option. */
enum {
    CMD_RUN = 1,
    CMD_STEP = 2, /* single steps: no command, --plugin */
    CMD_CHECK = 4,
    CMD_STATUS = 8,
    CMD_REPORT = 16,
    CMD_WHY = 32,
    CMD_VERSION = 64,
    CMD_PLUGIN = 128, /* parses its own words */
    CMD_HELP = 256,
    CMD_PULL = 512
};

/* Exit codes. */
enum {
    RC_OK = 0,      /* complete and balanced */
    RC_FAILED = 1,  /* failed */
    RC_USAGE = 2,   /* usage or recipe error */
    RC_BAD = 3,     /* more bad records than allowed, or fewer than asked for */
    RC_STOPPED = 4, /* by budget or signal; can be resumed */
    RC_LATER = 75   /* temporary failure; try again later */
};

struct cli_list {
    const char **text; /* owned; the texts are argv's */
    size_t       n;
};

struct cli_options {
    const struct command *command;
    struct cli_list       args;                        /* what is no option: RECIPE, ID, IN... */
    struct cli_list       set;                         /* --set, in order */
    struct cli_list       plugin;                      /* --plugin, in order */
    struct cli_list       plugin_path;                 /* --plugin-path, in order */
    const char           *model, *backend, *precision; /* NULL: not given, as below */
    const char           *seed, *max_bad, *data, *output;
    /* pull */
    const char     *repo_type, *revision, *endpoint, *local_dir, *domain, *dataset;
    const char     *subset, *split;
    const char     *token, *token_file; /* the command overwrites the token in argv */
    struct cli_list include, exclude;
    int64_t         max_workers; /* 0: not given */
    bool            force_download;
    int64_t         jobs;  /* 0: not given */
    int64_t         limit; /* -1: not given */
    bool            resume_strict, dry_run, fresh;
    bool            json, quiet, verbose, no_progress, help, version;
    uint64_t        given; /* bit i: option i of the table was given */
};

/* A command; one static descriptor each. */
struct command {
    const char *name, *args, *summary;
    unsigned    bit;
    size_t      min_args, max_args;
    int (*run)(const struct cli_options *o);
    int (*raw)(int argc, char **argv); /* instead of run: parses argv itself, argv[0] its name */
};

/* commands: ends with name NULL; the one with bit CMD_STEP has no name to be called by.  DRH_OK, or
 * DRH_E_CONFIG with what is wrong and the nearest known word.  After it cli_free() in any case.
 * With help or version set nothing else was checked.  A raw command: *rest is its place in argv. */
drh_status cli_parse(struct cli_options *o, const struct command *commands, int argc, char **argv,
                     int *rest, drh_error *e);
void       cli_free(struct cli_options *o);
/* Help of one command, or of the program for NULL. */
drh_status cli_help(const struct command *commands, const struct command *one, struct buf *out);
const struct command *cli_command(const struct command *commands, const char *name);

/* --data, --seed, --max-bad, --model, --backend and --precision, then each --set, in this order. */
drh_status cli_apply(const struct cli_options *o, struct recipe *r, drh_error *e);
/* Exit code for a status: CONFIG 2, CANCELLED and BUDGET 4, NETWORK and TIMEOUT 75, else 1. */
int cli_code(drh_status st);
/* "drhost: MESSAGE" on stderr; with --json also {"ok":false,"error":KIND,"message":TEXT} on stdout.
 * Returns cli_code(st). */
int cli_fail(const struct cli_options *o, drh_status st, const drh_error *e);
/* Flushes stdout: rc, or RC_FAILED with a message when it could not be written. */
int cli_done(int rc);

#endif
