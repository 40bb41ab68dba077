/* SPDX-License-Identifier: MIT
 *
 * detect.c - the language of a sample: by its script where one language has it, else by the models
 * of libexttextcat, among those languages that have its script.  What the library holds is one a
 * thread, for it does not say that it can be shared.
 */
#include "lang.h"

#include <libexttextcat/textcat.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utf8proc.h>

enum {
    CANDIDATES = 5, /* most that the library gives */
    OWN_LETTERS = 4 /* fewest of a script that only one language has; of Han, kana, Hangul one */
};

/* ---- loading ------------------------------------------------------------------------------- */

/* Writes the list of models of a script, as the library wants it; how many there are. */
static size_t write_list(const struct lang *l, enum lang_script script, FILE *f)
{
    size_t n = 0;
    for (size_t i = 1; i < lang_count; i++) {
        if (l->chosen[i] && lang_table[i].script == script && lang_table[i].model) {
            n += fprintf(f, "%s.lm %zu\n", lang_table[i].model, i) > 0;
        }
    }
    return n;
}

/* The library reads its list from a file: one in memory, which has a name as long as it is open. */
static drh_status load(struct lang_worker *w, enum lang_script script, drh_error *e)
{
    const struct lang *l = w->lang;
    const int          fd = memfd_create("lang", MFD_CLOEXEC);
    FILE              *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    char               name[48];
    size_t             n;

    if (!f) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return drh_fail(e, DRH_E_IO, "no file in memory for the list of language models");
    }
    n = write_list(l, script, f);
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    if (n > 1 && fflush(f) == 0) {
        w->models[script] = special_textcat_Init(name, l->models);
        w->found[script] =
            w->models[script] ? textcat_GetClassifyFullOutput(w->models[script]) : NULL;
    }
    (void)fclose(f);
    return n < 2 || w->found[script]
               ? DRH_OK
               : drh_fail(e, DRH_E_IO, "libexttextcat cannot load its models from %s", l->models);
}

void lang_worker_close(struct lang_worker *w)
{
    const drh_host *h = w->lang->host;

    for (int i = 1; i < N_SHARED; i++) {
        if (w->found[i]) {
            textcat_ReleaseClassifyFullOutput(w->models[i], w->found[i]);
        }
        if (w->models[i]) {
            textcat_Done(w->models[i]);
        }
    }
    (void)h->alloc(h, w->sample.text, 0);
    (void)h->alloc(h, w, 0);
}

drh_status lang_worker_open(const struct lang *l, struct lang_worker **out, drh_error *e)
{
    const drh_host     *h = l->host;
    struct lang_worker *w = h->alloc(h, NULL, sizeof(*w));
    drh_status          st = DRH_OK;

    if (!w) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(w, 0, sizeof(*w));
    w->lang = l;
    w->sample.cap = l->max_bytes;
    w->sample.text = h->alloc(h, NULL, l->max_bytes + 1);
    if (!w->sample.text) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    for (int i = 1; st == DRH_OK && i < N_SHARED; i++) {
        st = load(w, (enum lang_script)i, e);
    }
    if (st != DRH_OK) {
        lang_worker_close(w);
        return st;
    }
    *out = w;
    return DRH_OK;
}

/* ---- telling ------------------------------------------------------------------------------- */

/* True when the UTF-8 character is in the list. */
static bool has(const char *letters, const char *c, size_t n)
{
    for (const char *p = letters; (p = strchr(p, c[0])) != NULL; p++) {
        if (strncmp(p, c, n) == 0) {
            return true;
        }
    }
    return false;
}

/* Some chosen language of the script has this letter and not every one does. */
static bool is_special(const struct lang *l, enum lang_script script, const char *c, size_t n)
{
    for (size_t i = 1; i < lang_count; i++) {
        if (l->chosen[i] && lang_table[i].script == script && has(lang_table[i].letters, c, n)) {
            return true;
        }
    }
    return false;
}

/* For each candidate the letters of the text that its language does not have. */
static void count_foreign(const struct lang_worker *w, enum lang_script script,
                          const size_t *candidate, size_t n, size_t *foreign)
{
    const struct lang_sample *s = &w->sample;
    int32_t                   c;
    size_t                    bytes;

    memset(foreign, 0, n * sizeof(*foreign));
    for (size_t at = 0; at < s->len; at += bytes) {
        const utf8proc_ssize_t got = utf8proc_iterate((const utf8proc_uint8_t *)s->text + at,
                                                      (utf8proc_ssize_t)(s->len - at), &c);
        bytes = got > 0 ? (size_t)got : 1;
        if (bytes == 1 || !is_special(w->lang, script, s->text + at, bytes)) {
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            foreign[i] += !has(lang_table[candidate[i]].letters, s->text + at, bytes);
        }
    }
}

/* The library gives those whose distance is within 3 % of the least, at most five, nearest first.
 * Of these, the one that has most of the text's letters, then the nearest, if it is near enough. */
static size_t choose(struct lang_worker *w, enum lang_script script, const candidate_t *found,
                     size_t n)
{
    size_t candidate[CANDIDATES], foreign[CANDIDATES], best = 0;
    double nearest;

    for (size_t i = 0; i < n; i++) {
        candidate[i] = (size_t)strtoul(found[i].name, NULL, 10);
    }
    count_foreign(w, script, candidate, n, foreign);
    for (size_t i = 1; i < n; i++) {
        best = foreign[i] < foreign[best] ? i : best;
    }
    nearest = found[best].score * (1 + w->lang->margin);
    for (size_t i = 0; i < n; i++) {
        if (i != best && foreign[i] == foreign[best] && found[i].score < nearest) {
            return LANG_UND;
        }
    }
    return candidate[best];
}

static size_t by_models(struct lang_worker *w, enum lang_script script)
{
    candidate_t *found = w->found[script];
    int          n;

    lang_sample_only(&w->sample, script);
    n = textcat_ClassifyFull(w->models[script], w->sample.text, w->sample.len, found);
    return n > 0 && n <= CANDIDATES ? choose(w, script, found, (size_t)n) : LANG_UND;
}

/* Fewest letters of a script that tell something: one may be a name, or a sign of mathematics. */
static size_t least(const struct lang *l, enum lang_script script)
{
    if (script < N_SHARED) {
        return l->min_letters;
    }
    return script == SCRIPT_HAN || script == SCRIPT_KANA || script == SCRIPT_HANGUL ? 1
                                                                                    : OWN_LETTERS;
}

size_t lang_detect(struct lang_worker *w)
{
    const enum lang_script script = lang_sample_script(&w->sample);

    if (script == SCRIPT_NONE || w->sample.letters[script] < least(w->lang, script)) {
        return LANG_UND;
    }
    return script < N_SHARED && w->models[script] ? by_models(w, script)
                                                  : lang_of_script(script, w->lang->chosen);
}
