/* SPDX-License-Identifier: MIT
 * cmd_plugin.c - `drhost plugin list|show`.  list reads the notes and runs no plugin code; show
 * loads the one file that is asked for.  Called by main. [main] */
#include "cmd.h"

#include "buf.h"
#include "cli.h"
#include "err.h"
#include "loader.h"
#include "mem.h"
#include "schema.h"

#include <stdio.h>
#include <string.h>

enum { HELP_MAX = 1 << 20 };

struct args {
    const char  *action, *name;
    const char **path; /* owned; the texts are argv's */
    size_t       n_path;
    bool         json, help;
};

struct flag {
    const char *name, *value, *help;
};

/* The one list of options: parsed and printed from here. */
static const struct flag flags[] = {
    {"--plugin-path", "DIR", "search DIR first for plugins; may be given again"},
    {"--json", NULL, "print JSON"},
    {"--help", NULL, "print this"},
};
enum { FLAG_PATH, FLAG_JSON, FLAG_HELP, N_FLAGS };

static void print_help(FILE *to)
{
    size_t i;

    (void)fputs("usage: drhost plugin list [OPTION...]\n"
                "       drhost plugin show ID|FILE [OPTION...]\n\n"
                "  list  the stages of all plugins in the plugin folders; runs no plugin\n"
                "  show  what one plugin is, its stages and their options; loads it\n\n",
                to);
    for (i = 0; i < N_FLAGS; i++) {
        (void)fprintf(to, "  %s%s%-*s  %s\n", flags[i].name, flags[i].value ? " " : "",
                      (int)(17 - strlen(flags[i].name)) + !flags[i].value,
                      flags[i].value ? flags[i].value : "", flags[i].help);
    }
}

static int usage(const char *why, const char *what)
{
    (void)fprintf(stderr, "drhost: plugin: %s%s; see drhost plugin --help\n", why, what);
    return RC_USAGE;
}

/* A name that is not found is a mistake of usage here. */
static int fail(const struct args *a, drh_status st, const drh_error *e)
{
    struct cli_options o = {.json = a->json};
    int                rc = cli_fail(&o, st, e);

    return st == DRH_E_MISSING ? RC_USAGE : rc;
}

/* ---- arguments ----------------------------------------------------------------------------- */

/* Index in flags of argv's word, with its value after '=' in *value; N_FLAGS when unknown. */
static size_t flag_of(const char *word, const char **value)
{
    size_t i;

    for (i = 0; i < N_FLAGS; i++) {
        size_t n = strlen(flags[i].name);
        if (strncmp(word, flags[i].name, n) != 0) {
            continue;
        }
        if (word[n] == 0) {
            *value = NULL;
            return i;
        }
        if (word[n] == '=' && flags[i].value) {
            *value = word + n + 1;
            return i;
        }
    }
    return N_FLAGS;
}

static int take_word(struct args *a, const char *word)
{
    if (!a->action) {
        a->action = word;
    } else if (!a->name) {
        a->name = word;
    } else {
        return usage("one too many: ", word);
    }
    return RC_OK;
}

static int parse(struct args *a, int argc, char **argv)
{
    int i, rc = RC_OK;

    a->path = mem_alloc((size_t)argc, sizeof(*a->path));
    if (!a->path) {
        (void)fputs("drhost: out of memory\n", stderr);
        return RC_FAILED;
    }
    for (i = 1; i < argc && rc == RC_OK; i++) {
        const char *value = NULL;
        size_t      f = argv[i][0] == '-' ? flag_of(argv[i], &value) : N_FLAGS;

        if (argv[i][0] != '-') {
            rc = take_word(a, argv[i]);
        } else if (f == FLAG_JSON) {
            a->json = true;
        } else if (f == FLAG_HELP || strcmp(argv[i], "-h") == 0) {
            a->help = true;
        } else if (f == N_FLAGS) {
            rc = usage("unknown option ", argv[i]);
        } else if (!value && i + 1 == argc) {
            rc = usage("no DIR after ", argv[i]);
        } else {
            a->path[a->n_path++] = value ? value : argv[++i];
        }
    }
    return rc;
}

/* ---- list ---------------------------------------------------------------------------------- */

/* The earlier file that has the same stage, or NULL: that one is used. */
static const char *hidden_by(const struct found_plugin *f, size_t at, const struct note_stage *s)
{
    size_t i, k;

    for (i = 0; i < at; i++) {
        for (k = 0; k < f[i].n_stages; k++) {
            if (f[i].stages[k].kind == s->kind && strcmp(f[i].stages[k].id, s->id) == 0) {
                return f[i].path;
            }
        }
    }
    return NULL;
}

static void list_text(const struct found_plugin *f, size_t n)
{
    int    wide = 2, wide_version = 7;
    size_t i, k;
    bool   skipped = false;

    for (i = 0; i < n; i++) {
        for (k = 0; k < f[i].n_stages; k++) {
            int id = (int)strlen(f[i].stages[k].id), version = (int)strlen(f[i].stages[k].version);
            wide = id > wide ? id : wide;
            wide_version = version > wide_version ? version : wide_version;
        }
    }
    (void)printf("%-12s  %-*s  %-*s  %s\n", "KIND", wide, "ID", wide_version, "VERSION", "FILE");
    for (i = 0; i < n; i++) {
        for (k = 0; k < f[i].n_stages; k++) {
            const struct note_stage *s = &f[i].stages[k];
            const char              *by = hidden_by(f, i, s);
            (void)printf("%-12s  %-*s  %-*s  %s%s%s%s\n", kind_name(s->kind), wide, s->id,
                         wide_version, s->version, f[i].path, by ? " (not used: " : "",
                         by ? by : "", by ? " comes first)" : "");
        }
    }
    for (i = 0; i < n; i++) {
        if (f[i].why) {
            (void)printf("%s%s\n", skipped ? "" : "\nSkipped:\n", f[i].why);
            skipped = true;
        }
    }
}

static bool put_text(cJSON *o, const char *key, const char *text)
{
    return cJSON_AddStringToObject(o, key, text) != NULL;
}

static bool list_stage(cJSON *to, const struct found_plugin *f, size_t at,
                       const struct note_stage *s)
{
    const char *by = hidden_by(f, at, s);
    cJSON      *o = cJSON_CreateObject();
    cJSON      *words;
    uint32_t    i;
    bool        ok;

    if (!o || !cJSON_AddItemToArray(to, o)) {
        cJSON_Delete(o);
        return false;
    }
    ok = put_text(o, "kind", kind_name(s->kind)) && put_text(o, "id", s->id) &&
         put_text(o, "version", s->version) && put_text(o, "file", f[at].path) &&
         (!by || put_text(o, "hidden_by", by));
    words = ok ? cJSON_AddArrayToObject(o, "words") : NULL;
    ok = words != NULL;
    for (i = 0; i < s->n_words && ok; i++) {
        ok = cJSON_AddItemToArray(words, cJSON_CreateString(s->words[i]));
    }
    return ok;
}

static bool list_tree(cJSON *root, const struct loader *l, const struct found_plugin *f, size_t n)
{
    cJSON             *folders = cJSON_AddArrayToObject(root, "folders");
    cJSON             *stages = cJSON_AddArrayToObject(root, "stages");
    cJSON             *skipped = cJSON_AddArrayToObject(root, "skipped");
    const char *const *dir;
    size_t             i, k, n_dirs = loader_folders(l, &dir);
    bool               ok = folders && stages && skipped;

    for (i = 0; i < n_dirs && ok; i++) {
        ok = cJSON_AddItemToArray(folders, cJSON_CreateString(dir[i]));
    }
    for (i = 0; i < n && ok; i++) {
        if (f[i].why) {
            cJSON *o = cJSON_CreateObject();
            ok = cJSON_AddItemToArray(skipped, o) && put_text(o, "file", f[i].path) &&
                 put_text(o, "reason", f[i].why);
        }
        for (k = 0; k < f[i].n_stages && ok; k++) {
            ok = list_stage(stages, f, i, &f[i].stages[k]);
        }
    }
    return ok;
}

/* Prints and deletes the tree; ok false means that memory ran out while it was built. */
static int print_json(cJSON *root, bool ok)
{
    char *text = ok ? cJSON_Print(root) : NULL;

    cJSON_Delete(root);
    if (!text) {
        (void)fputs("drhost: out of memory for the list\n", stderr);
        return RC_FAILED;
    }
    (void)puts(text);
    cJSON_free(text);
    return RC_OK;
}

static int list(struct loader *l, const struct args *a)
{
    drh_error                  e = ERR_INIT;
    const struct found_plugin *f;
    size_t                     n;
    drh_status                 st = loader_files(l, &f, &n, &e);

    if (st != DRH_OK) {
        return fail(a, st, &e);
    }
    if (a->json) {
        cJSON *root = cJSON_CreateObject();
        return print_json(root, root && list_tree(root, l, f, n));
    }
    list_text(f, n);
    return RC_OK;
}

/* ---- show ---------------------------------------------------------------------------------- */

static const char *threading_name(uint32_t t)
{
    static const char *const names[] = {"serial", "workers", "pinned"};
    return names[t];
}

static const char *scope_name(uint32_t s)
{
    static const char *const names[] = {"record", "shard", "dataset"};
    return names[s];
}

static const struct {
    uint32_t    bit;
    const char *name;
} flag_names[] = {{DRH_DETERMINISTIC, "deterministic"},
                  {DRH_NETWORK, "network"},
                  {DRH_ACCELERATOR, "accelerator"},
                  {DRH_GIVES_CANONICAL, "gives-canonical"},
                  {DRH_WANTS_CANONICAL, "wants-canonical"}};
enum { N_FLAG_NAMES = sizeof(flag_names) / sizeof(flag_names[0]) };

static void print_texts(const char *label, const char *const *list)
{
    size_t i;

    for (i = 0; list && list[i]; i++) {
        (void)printf("%s%s", i ? " " : label, list[i]);
    }
    (void)fputs(i ? "\n" : "", stdout);
}

static const char *const *offers(const struct stage *s)
{
    return s->desc.kind == DRH_KIND_SERVICE ? s->ops.service.ids : NULL;
}

static drh_status show_stage(const struct stage *s, drh_error *e)
{
    cJSON     *schema = NULL;
    struct buf help;
    size_t     i;
    drh_status st;

    (void)printf("\n%s %s %s\n    %s\n    threading %s, scope %s", kind_name(s->desc.kind),
                 s->desc.id, s->desc.version, s->desc.summary, threading_name(s->desc.threading),
                 scope_name(s->desc.scope));
    for (i = 0; i < N_FLAG_NAMES; i++) {
        if (s->desc.flags & flag_names[i].bit) {
            (void)printf(", %s", flag_names[i].name);
        }
    }
    (void)putchar('\n');
    print_texts("    needs ", s->desc.needs);
    print_texts("    offers ", offers(s));
    buf_init(&help, HELP_MAX);
    st = schema_parse(s->desc.config_schema, &schema, e);
    if (st == DRH_OK) {
        st = schema_help(schema, &help);
    }
    if (st == DRH_OK) {
        (void)printf("\n%s", help.len ? help.ptr : "    no options\n");
    } else {
        err_prefix(e, "%s: schema: stage \"%s\"", s->plugin->path, s->desc.id);
    }
    buf_free(&help);
    cJSON_Delete(schema);
    return st;
}

static drh_status show_text(const struct plugin *p, drh_error *e)
{
    size_t     i;
    drh_status st = DRH_OK;

    (void)printf("%s %s\n    file %s\n    license %s\n    plugin ABI %u.%u\n", p->entry->name,
                 p->entry->version, p->path, p->entry->license, DRH_ABI_MAJOR, p->minor);
    for (i = 0; i < p->n_stages && st == DRH_OK; i++) {
        st = show_stage(&p->stages[i], e);
    }
    return st;
}

static bool put_texts(cJSON *o, const char *key, const char *const *list)
{
    cJSON *array = cJSON_AddArrayToObject(o, key);
    size_t i;
    bool   ok = array != NULL;

    for (i = 0; list && list[i] && ok; i++) {
        ok = cJSON_AddItemToArray(array, cJSON_CreateString(list[i]));
    }
    return ok;
}

static bool stage_tree(cJSON *o, const struct stage *s)
{
    const char *set[N_FLAG_NAMES + 1] = {NULL};
    size_t      i, n = 0;

    for (i = 0; i < N_FLAG_NAMES; i++) {
        if (s->desc.flags & flag_names[i].bit) {
            set[n++] = flag_names[i].name;
        }
    }
    return put_text(o, "kind", kind_name(s->desc.kind)) && put_text(o, "id", s->desc.id) &&
           put_text(o, "version", s->desc.version) && put_text(o, "summary", s->desc.summary) &&
           put_text(o, "threading", threading_name(s->desc.threading)) &&
           put_text(o, "scope", scope_name(s->desc.scope)) && put_texts(o, "flags", set) &&
           put_texts(o, "needs", s->desc.needs) && put_texts(o, "offers", offers(s));
}

static drh_status show_tree(const struct plugin *p, cJSON *root, bool *ok, drh_error *e)
{
    cJSON     *stages;
    size_t     i;
    drh_status st = DRH_OK;

    *ok = put_text(root, "name", p->entry->name) && put_text(root, "version", p->entry->version) &&
          put_text(root, "license", p->entry->license) && put_text(root, "file", p->path) &&
          cJSON_AddNumberToObject(root, "abi_major", DRH_ABI_MAJOR) &&
          cJSON_AddNumberToObject(root, "abi_minor", p->minor);
    stages = *ok ? cJSON_AddArrayToObject(root, "stages") : NULL;
    *ok = stages != NULL;
    for (i = 0; i < p->n_stages && *ok && st == DRH_OK; i++) {
        cJSON *o = cJSON_CreateObject(), *schema = NULL;
        *ok = cJSON_AddItemToArray(stages, o) && stage_tree(o, &p->stages[i]);
        st = *ok ? schema_parse(p->stages[i].desc.config_schema, &schema, e) : DRH_OK;
        if (schema && !cJSON_AddItemToObject(o, "schema", schema)) {
            cJSON_Delete(schema);
            *ok = false;
        }
    }
    return st;
}

static drh_status show_json(const struct plugin *p, int *rc, drh_error *e)
{
    cJSON     *root = cJSON_CreateObject();
    bool       ok = false;
    drh_status st = root ? show_tree(p, root, &ok, e) : DRH_OK;

    if (st != DRH_OK) {
        cJSON_Delete(root);
        err_prefix(e, "%s: schema", p->path);
        return st;
    }
    *rc = print_json(root, ok);
    return DRH_OK;
}

static bool is_file_name(const char *name)
{
    size_t n = strlen(name);

    return strchr(name, '/') || (n > 3 && strcmp(name + n - 3, ".so") == 0);
}

static int show(struct loader *l, const struct args *a)
{
    drh_error            e = ERR_INIT;
    const struct plugin *p = NULL;
    const struct stage  *s;
    int                  rc = RC_OK;
    drh_status           st;

    if (is_file_name(a->name)) {
        st = loader_open(l, a->name, &p, &e);
    } else {
        st = loader_stage(l, 0, a->name, &s, &e);
        p = st == DRH_OK ? s->plugin : NULL;
    }
    if (st == DRH_OK) {
        st = a->json ? show_json(p, &rc, &e) : show_text(p, &e);
    }
    return st == DRH_OK ? rc : fail(a, st, &e);
}

/* -------------------------------------------------------------------------------------------- */

static int run(const struct args *a)
{
    drh_error      e = ERR_INIT;
    struct loader *l;
    int            rc;
    drh_status     st = loader_new(&l, a->path, a->n_path, &e);

    if (st != DRH_OK) {
        return fail(a, st, &e);
    }
    rc = strcmp(a->action, "list") == 0 ? list(l, a) : show(l, a);
    loader_free(l);
    return cli_done(rc);
}

int cmd_plugin(int argc, char **argv)
{
    struct args a = {0};
    int         rc = parse(&a, argc, argv);

    if (rc == RC_OK && a.help) {
        print_help(stdout);
    } else if (rc == RC_OK && !a.action) {
        rc = usage("say what to do: ", "list or show");
    } else if (rc == RC_OK && strcmp(a.action, "list") == 0 && a.name) {
        rc = usage("list takes no name: ", a.name);
    } else if (rc == RC_OK && strcmp(a.action, "show") == 0 && !a.name) {
        rc = usage("show needs an ID or a FILE", "");
    } else if (rc == RC_OK && strcmp(a.action, "list") != 0 && strcmp(a.action, "show") != 0) {
        rc = usage("unknown action ", a.action);
    } else if (rc == RC_OK) {
        rc = run(&a);
    }
    mem_free((void *)a.path);
    return rc;
}
