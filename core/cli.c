/* SPDX-License-Identifier: MIT
 * cli.c - see cli.h. */
#include "cli.h"

#include "err.h"
#include "json.h"
#include "mem.h"
#include "schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum kind { FLAG, TEXT, LIST, COUNT, RESUME };

struct option {
    const char *name;
    char        letter; /* 0: none */
    enum kind   kind;
    const char *arg;
    unsigned    commands;
    size_t      offset;
    const char *help;
};

enum {
    WORK = CMD_RUN | CMD_STEP,
    TELL = CMD_RUN | CMD_STEP | CMD_CHECK | CMD_STATUS | CMD_REPORT | CMD_WHY | CMD_PULL,
    ALL = 0x3FF
};

#define AT(member) offsetof(struct cli_options, member)
/* The one table of options. */
static const struct option options[] = {
    {"plugin", 'p', LIST, "FILE[:STAGE]", WORK | CMD_CHECK | CMD_PULL, AT(plugin),
     "run this stage of this plugin; again for the next step. A bare name is looked up in the "
     "plugin folders, a path is used as it is. With a command: load this plugin"},
    {"output", 'o', TEXT, "OUT", CMD_STEP | CMD_REPORT, AT(output),
     "write to this file; default: standard output"},
    {"set", 's', LIST, "[ID.]KEY=VALUE", TELL, AT(set),
     "set a value of the recipe or an option of step ID (services.NAME for a service); the bare "
     "KEY "
     "when there is one step"},
    {"model", 'm', TEXT, "PATH", WORK | CMD_CHECK, AT(model),
     "short for --set services.infer.model=PATH"},
    {"backend", 'b', TEXT, "STAGE", WORK | CMD_CHECK, AT(backend),
     "short for --set services.infer.use=STAGE"},
    {"precision", 0, TEXT, "NAME", WORK | CMD_CHECK, AT(precision),
     "short for --set services.infer.precision=NAME"},
    {"revision", 0, TEXT, "REV", CMD_PULL, AT(revision),
     "branch, tag or, where the hub has them, commit; default: the address's, else the hub's main "
     "branch"},
    {"repo-type", 0, TEXT, "TYPE", CMD_PULL, AT(repo_type),
     "dataset or model; default: what the address says, else dataset"},
    {"include", 0, LIST, "GLOB", CMD_PULL, AT(include),
     "only files whose path matches; * stands for / too, DIR/ for all in it; may be given again"},
    {"exclude", 0, LIST, "GLOB", CMD_PULL, AT(exclude),
     "no file whose path matches; may be given again"},
    {"subset", 0, TEXT, "NAME", CMD_PULL, AT(subset),
     "only this subset: a name from the data set's card, or a folder where it names none"},
    {"split", 0, TEXT, "NAME", CMD_PULL, AT(split),
     "only this split: train, test, a name from the card"},
    {"local-dir", 0, TEXT, "DIR", CMD_PULL, AT(local_dir),
     "put the files here; default: DATA/raw/DOMAIN/DATASET, where a recipe looks for them"},
    {"domain", 0, TEXT, "NAME", CMD_PULL, AT(domain), "default: General"},
    {"dataset", 0, TEXT, "NAME", CMD_PULL, AT(dataset), "default: the repository's own name"},
    {"max-workers", 0, COUNT, "N", CMD_PULL, AT(max_workers), "at most N files at once"},
    {"endpoint", 0, TEXT, "URL", CMD_PULL, AT(endpoint), "of the hub"},
    {"token", 0, TEXT, "TOKEN", CMD_PULL, AT(token),
     "sent to the hub and to nobody else. Better --token-file, or the hub's own variable: a "
     "command "
     "line can be seen by others"},
    {"token-file", 0, TEXT, "FILE", CMD_PULL, AT(token_file), "read the token from this file"},
    {"force-download", 0, FLAG, NULL, CMD_PULL, AT(force_download),
     "bring again what is there already"},
    {"data", 'd', TEXT, "DIR", CMD_RUN | CMD_CHECK | CMD_STATUS | CMD_REPORT | CMD_WHY | CMD_PULL,
     AT(data), "folder of all data, instead of the recipe's"},
    {"seed", 0, TEXT, "N", WORK | CMD_CHECK, AT(seed), "everything random depends on it"},
    {"max-bad", 0, TEXT, "X", WORK | CMD_CHECK, AT(max_bad),
     "bad records allowed: a share below 1, or a count; default 0.05"},
    {"jobs", 'j', COUNT, "N", WORK, AT(jobs), "worker threads; default: as many as there are CPUs"},
    {"limit", 'n', COUNT, "N", WORK, AT(limit), "read at most N records of each source or file"},
    {"dry-run", 0, FLAG, NULL, CMD_RUN | CMD_PULL, AT(dry_run),
     "print what would be done, and do nothing"},
    {"fresh", 0, FLAG, NULL, CMD_RUN, AT(fresh), "start over; do not use what earlier runs left"},
    {"resume", 0, RESUME, "strict|auto", CMD_RUN, AT(resume_strict),
     "auto: redo what has changed since the earlier run (default); strict: refuse then"},
    {"plugin-path", 'P', LIST, "DIR", TELL, AT(plugin_path),
     "search this folder for plugins first; may be given again"},
    {"json", 0, FLAG, NULL, ALL & ~(unsigned)CMD_HELP, AT(json), "print JSON on standard output"},
    {"no-progress", 0, FLAG, NULL, WORK | CMD_PULL, AT(no_progress), "no progress display"},
    {"quiet", 'q', FLAG, NULL, TELL, AT(quiet), "print warnings and errors only"},
    {"verbose", 'v', FLAG, NULL, TELL, AT(verbose), "print more"},
    {"help", 'h', FLAG, NULL, ALL, AT(help), "print this"},
    {"version", 'V', FLAG, NULL, 0, AT(version), "print the version"},
};
enum { N_OPTIONS = sizeof(options) / sizeof(options[0]), MAX_NAMES = 64 };

/* ---- parsing ---- */

const struct command *cli_command(const struct command *commands, const char *name)
{
    for (; commands->name; commands++) {
        if (commands->bit != CMD_STEP && strcmp(commands->name, name) == 0) {
            return commands;
        }
    }
    return NULL;
}

static const struct command *by_bit(const struct command *commands, unsigned bit)
{
    for (; commands->name; commands++) {
        if (commands->bit == bit) {
            return commands;
        }
    }
    return NULL;
}

static const char *suggest(const char *word, const char *const *known, size_t n, const char *dashes,
                           char *out, size_t cap)
{
    const char *near = nearest(word, known, n);
    out[0] = 0;
    if (near) {
        (void)snprintf(out, cap, "; did you mean %s%s?", dashes, near);
    }
    return out;
}

static drh_status unknown_option(const char *word, drh_error *e)
{
    const char *known[N_OPTIONS] = {NULL};
    char        hint[80], name[64];

    (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
    for (size_t i = 0; i < N_OPTIONS; i++) {
        known[i] = options[i].name;
    }
    suggest(name, known, N_OPTIONS, "--", hint, sizeof(hint));
    return err_set(e, DRH_E_CONFIG, "unknown option --%s%s", name,
                   hint[0] ? hint : "; see drhost --help");
}

static drh_status unknown_command(const struct command *commands, const char *word, drh_error *e)
{
    const char *known[MAX_NAMES] = {NULL};
    char        hint[80];
    size_t      n = 0, len = strlen(word);

    if (len > 5 && strcmp(word + len - 5, ".json") == 0) {
        return err_set(e, DRH_E_CONFIG, "no command given; write: drhost run %.300s", word);
    }
    for (; commands->name && n < MAX_NAMES; commands++) {
        if (commands->bit != CMD_STEP) {
            known[n++] = commands->name;
        }
    }
    suggest(word, known, n, "", hint, sizeof(hint));
    return err_set(e, DRH_E_CONFIG, "unknown command \"%.80s\"%s", word,
                   hint[0] ? hint : "; see drhost --help");
}

static drh_status list_add(struct cli_list *l, const char *text, drh_error *e)
{
    const char **bigger = mem_resize((void *)l->text, (l->n + 1) * sizeof(*bigger));
    if (!bigger) {
        return err_nomem(e, "the command line");
    }
    l->text = bigger;
    l->text[l->n++] = text;
    return DRH_OK;
}

static drh_status count_of(const struct option *o, const char *value, int64_t *out, drh_error *e)
{
    const bool      limit = o->letter == 'n';
    const long long most = limit ? INT64_MAX : o->letter == 'j' ? 1024 : 64;
    char           *end, range[40] = "";
    long long       v;

    errno = 0;
    v = strtoll(value, &end, 10);
    if (!limit) {
        (void)snprintf(range, sizeof(range), " from 1 to %lld", most);
    }
    if (value[0] < '0' || value[0] > '9' || *end || errno || v < !limit || v > most) {
        return err_set(e, DRH_E_CONFIG, "--%s: must be a whole number%s, is \"%.40s\"", o->name,
                       range, value);
    }
    *out = v;
    return DRH_OK;
}

static drh_status take(struct cli_options *o, const struct option *opt, const char *value,
                       drh_error *e)
{
    char *at = (char *)o + opt->offset;

    o->given |= (uint64_t)1 << (opt - options);
    switch (opt->kind) {
    case FLAG:
        *(bool *)(void *)at = true;
        return DRH_OK;
    case LIST:
        return list_add((struct cli_list *)(void *)at, value, e);
    case COUNT:
        return count_of(opt, value, (int64_t *)(void *)at, e);
    case RESUME:
        if (strcmp(value, "strict") != 0 && strcmp(value, "auto") != 0) {
            return err_set(e, DRH_E_CONFIG, "--resume: must be strict or auto, is \"%.40s\"",
                           value);
        }
        o->resume_strict = value[0] == 's';
        return DRH_OK;
    case TEXT:
    default:
        if (!value[0]) {
            return err_set(e, DRH_E_CONFIG, "--%s: must not be empty", opt->name);
        }
        *(const char **)(void *)at = value;
        return DRH_OK;
    }
}

struct words {
    int    argc, i;
    char **argv;
};

static drh_status need_value(struct words *w, const struct option *opt, const char **value,
                             drh_error *e)
{
    if (w->i + 1 >= w->argc) {
        return err_set(e, DRH_E_CONFIG, "--%s: needs %s after it", opt->name, opt->arg);
    }
    *value = w->argv[++w->i];
    return DRH_OK;
}

/* --local_dir is --local-dir: the hubs' own tools spell it both ways. */
static bool same_name(const char *known, const char *word, size_t len)
{
    size_t i = 0;

    while (i < len && known[i] && (known[i] == word[i] || (known[i] == '-' && word[i] == '_'))) {
        i++;
    }
    return i == len && !known[i];
}

static drh_status parse_long(struct cli_options *o, struct words *w, drh_error *e)
{
    const char *word = w->argv[w->i], *value = strchr(word, '=');
    size_t      len = value ? (size_t)(value - word) - 2 : strlen(word) - 2;
    drh_status  st = DRH_OK;

    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *opt = &options[i];
        if (!same_name(opt->name, word + 2, len)) {
            continue;
        }
        if (opt->kind == FLAG && value) {
            return err_set(e, DRH_E_CONFIG, "--%s: takes no value", opt->name);
        }
        if (value) {
            value++;
        } else if (opt->kind != FLAG) {
            st = need_value(w, opt, &value, e);
        }
        return st == DRH_OK ? take(o, opt, value, e) : st;
    }
    return unknown_option(word, e);
}

static drh_status parse_short(struct cli_options *o, struct words *w, drh_error *e)
{
    const char *p = w->argv[w->i] + 1;
    drh_status  st = DRH_OK;

    while (*p && st == DRH_OK) {
        const struct option *opt = options;
        const char          *value = p + 1;
        while (opt < options + N_OPTIONS && opt->letter != *p) {
            opt++;
        }
        if (opt == options + N_OPTIONS) {
            return err_set(e, DRH_E_CONFIG, "unknown option -%.1s; see drhost --help", p);
        }
        if (opt->kind == FLAG) {
            st = take(o, opt, NULL, e);
            p++;
            continue;
        }
        if (!*value) {
            st = need_value(w, opt, &value, e);
        }
        return st == DRH_OK ? take(o, opt, value, e) : st;
    }
    return st;
}

/* The first word that is no option names the command, unless --plugin came before it. */
static drh_status parse_word(struct cli_options *o, const struct command *commands,
                             const char *word, drh_error *e)
{
    if (!o->command && o->plugin.n == 0) {
        o->command = cli_command(commands, word);
        return o->command ? DRH_OK : list_add(&o->args, word, e);
    }
    return list_add(&o->args, word, e);
}

static drh_status check_given(const struct cli_options *o, drh_error *e)
{
    for (size_t i = 0; i < N_OPTIONS; i++) {
        bool given = o->given >> i & 1;
        if (given && (options[i].commands & o->command->bit) == 0) {
            if (o->command->bit == CMD_STEP) {
                return err_set(e, DRH_E_CONFIG, "--%s does not go with --plugin", options[i].name);
            }
            return err_set(e, DRH_E_CONFIG, "drhost %s takes no --%s; see drhost %s --help",
                           o->command->name, options[i].name, o->command->name);
        }
    }
    return DRH_OK;
}

static drh_status check_words(struct cli_options *o, const struct command *commands, drh_error *e)
{
    if (!o->command) {
        if (o->plugin.n == 0 && o->args.n > 0) {
            return unknown_command(commands, o->args.text[0], e);
        }
        o->command = by_bit(commands, CMD_STEP);
        if (!o->command || o->plugin.n == 0) {
            return err_set(e, DRH_E_CONFIG,
                           "say what to do: a command, or --plugin FILE; see "
                           "drhost --help");
        }
    }
    if (o->args.n < o->command->min_args) {
        return err_set(e, DRH_E_CONFIG, "write: drhost %s %s", o->command->name, o->command->args);
    }
    if (o->args.n > o->command->max_args) {
        return err_set(e, DRH_E_CONFIG, "drhost %s: one argument too many: \"%.100s\"",
                       o->command->name, o->args.text[o->command->max_args]);
    }
    return check_given(o, e);
}

drh_status cli_parse(struct cli_options *o, const struct command *commands, int argc, char **argv,
                     int *rest, drh_error *e)
{
    struct words w = {argc, 1, argv};
    bool         only_words = false;
    drh_status   st = DRH_OK;

    memset(o, 0, sizeof(*o));
    o->limit = -1;
    for (; w.i < argc && st == DRH_OK; w.i++) {
        const char *word = argv[w.i];
        if (only_words || word[0] != '-' || !word[1]) {
            st = parse_word(o, commands, word, e);
        } else if (strcmp(word, "--") == 0) {
            only_words = true;
        } else if (word[1] == '-') {
            st = parse_long(o, &w, e);
        } else {
            st = parse_short(o, &w, e);
        }
        if (st == DRH_OK && o->command && o->command->raw) {
            *rest = w.i;
            return DRH_OK;
        }
    }
    return st != DRH_OK || o->help || o->version ? st : check_words(o, commands, e);
}

void cli_free(struct cli_options *o)
{
    mem_free((void *)o->args.text);
    mem_free((void *)o->set.text);
    mem_free((void *)o->plugin.text);
    mem_free((void *)o->plugin_path.text);
    mem_free((void *)o->include.text);
    mem_free((void *)o->exclude.text);
    memset(o, 0, sizeof(*o));
}

/* ---- help ---- */

enum { LEFT = 29, WIDTH = 80 };

/* `text` from column LEFT on, broken at WIDTH; the cursor is at column `at`. */
static drh_status put_column(struct buf *out, size_t at, const char *text)
{
    drh_status st = DRH_OK;
    bool       first = true;

    if (at + 2 > LEFT) {
        st = buf_addc(out, '\n');
        at = 0;
    }
    while (*text && st == DRH_OK) {
        size_t n = strcspn(text, " ");
        if (!first && at + 1 + n > WIDTH) {
            st = buf_addc(out, '\n');
            at = 0;
            first = true;
        }
        if (st == DRH_OK) {
            st = buf_addf(out, "%*s%.*s", first ? (int)(LEFT - at) : 1, "", (int)n, text);
        }
        at = first ? LEFT + n : at + 1 + n;
        first = false;
        text += n + (text[n] != 0);
    }
    return st == DRH_OK ? buf_addc(out, '\n') : st;
}

static drh_status put_option(struct buf *out, const struct option *o)
{
    char left[80], letter[8] = "    ";
    int  n;

    if (o->letter) {
        (void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
    }
    n = snprintf(left, sizeof(left), "  %s--%s%s%s", letter, o->name, o->arg ? " " : "",
                 o->arg ? o->arg : "");
    return buf_adds(out, left) == DRH_OK ? put_column(out, (size_t)n, o->help) : DRH_E_NOMEM;
}

static drh_status put_options(struct buf *out, unsigned bit)
{
    drh_status st = buf_adds(out, "\nOptions\n");
    for (size_t i = 0; i < N_OPTIONS && st == DRH_OK; i++) {
        if (bit == 0 || (options[i].commands & bit)) {
            st = put_option(out, &options[i]);
        }
    }
    return st;
}

static drh_status put_commands(const struct command *commands, struct buf *out)
{
    drh_status st = buf_adds(out, "\nCommands\n");
    for (; commands->name && st == DRH_OK; commands++) {
        char left[80];
        int  n;
        if (commands->bit == CMD_STEP) {
            continue;
        }
        n = snprintf(left, sizeof(left), "  %s %s", commands->name, commands->args);
        st = buf_adds(out, left);
        st = st == DRH_OK ? put_column(out, (size_t)n, commands->summary) : st;
    }
    return st;
}

static const char about[] =
    "drhost runs LLM data recipes; every step is a plugin.\n\n"
    "usage: drhost COMMAND [OPTION...] [ARGUMENT...]\n"
    "       drhost --plugin FILE[:STAGE] ... [OPTION...] [IN...] [-o OUT]\n";
static const char codes[] =
    "\nOptions are of single steps (--plugin) and of the commands that need them:\n"
    "see drhost COMMAND --help.\n"
    "\nExit codes: 0 complete and balanced; 1 failed; 2 usage or recipe error; 3 more\n"
    "bad records than allowed, or fewer than asked for; 4 stopped, can be resumed;\n"
    "75 temporary failure, try again later.\n";

drh_status cli_help(const struct command *commands, const struct command *one, struct buf *out)
{
    drh_status st;

    if (one && one->bit != CMD_STEP) {
        st = buf_addf(out, "usage: drhost %s %s%s[OPTION...]\n\n%c%s.\n", one->name, one->args,
                      one->args[0] ? " " : "", one->summary[0] & ~0x20, one->summary + 1);
        return st == DRH_OK ? put_options(out, one->bit) : st;
    }
    st = buf_adds(out, about);
    st = st == DRH_OK && !one ? put_commands(commands, out) : st;
    st = st == DRH_OK ? put_options(out, one ? CMD_STEP : 0) : st;
    return st == DRH_OK && !one ? buf_adds(out, codes) : st;
}

/* ---- for the commands ---- */

static drh_status set_from(struct recipe *r, const char *key, const char *value, drh_error *e)
{
    char      *text;
    drh_status st;

    if (!value) {
        return DRH_OK;
    }
    text = mem_printf("%s=%s", key, value);
    if (!text) {
        return err_nomem(e, "the command line");
    }
    st = recipe_set(r, text, e);
    mem_free(text);
    return st;
}

drh_status cli_apply(const struct cli_options *o, struct recipe *r, drh_error *e)
{
    drh_status st = set_from(r, "data", o->data, e);

    st = st == DRH_OK ? set_from(r, "seed", o->seed, e) : st;
    st = st == DRH_OK ? set_from(r, "max_bad", o->max_bad, e) : st;
    st = st == DRH_OK ? set_from(r, "services.infer.model", o->model, e) : st;
    st = st == DRH_OK ? set_from(r, "services.infer.use", o->backend, e) : st;
    st = st == DRH_OK ? set_from(r, "services.infer.precision", o->precision, e) : st;
    for (size_t i = 0; i < o->set.n && st == DRH_OK; i++) {
        st = recipe_set(r, o->set.text[i], e);
    }
    for (size_t i = 0; i < r->n_steps && st == DRH_OK; i++) {
        st = recipe_check_per(&r->steps[i], e);
    }
    return st;
}

int cli_code(drh_status st)
{
    switch (st) {
    case DRH_OK:
        return RC_OK;
    case DRH_E_CONFIG:
        return RC_USAGE;
    case DRH_E_CANCELLED:
    case DRH_E_BUDGET:
        return RC_STOPPED;
    case DRH_E_NETWORK:
    case DRH_E_TIMEOUT:
        return RC_LATER;
    default:
        return RC_FAILED;
    }
}

int cli_fail(const struct cli_options *o, drh_status st, const drh_error *e)
{
    struct buf b;

    (void)fprintf(stderr, "drhost: %s\n", e->message);
    if (o && o->json) {
        buf_init(&b, 8192);
        if (json_quote(&b, e->message, strlen(e->message)) == DRH_OK) {
            (void)printf("{\"ok\":false,\"error\":\"%s\",\"message\":%s}\n", err_name(st), b.ptr);
        }
        buf_free(&b);
    }
    return cli_done(cli_code(st));
}

int cli_done(int rc)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        (void)fprintf(stderr, "drhost: cannot write to standard output\n");
        return rc == RC_OK ? RC_FAILED : rc;
    }
    return rc;
}
