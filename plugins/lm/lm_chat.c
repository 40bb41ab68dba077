/* SPDX-License-Identifier: MIT
 *
 * lm_chat.c - opens a model's chat form: finds the template and its form, and the tokens in the
 * form's texts.  See lm_chat.h.
 */
#include "lm_chat.h"
#include "lm_file.h"

#include <drh/util.h>

#include <stdlib.h>

enum { MAX_TEMPLATE = 1 << 18 }; /* published ones have 10 KB */

/* ---- the template in the folder ------------------------------------------------------------ */

struct source { /* what is being read */
    struct lm_json  j;
    struct lm_text *out;
    int             no_memory;
};

static int take_text(struct source *s)
{
    struct lm_slice text;
    if (lm_json_string(&s->j, &text)) {
        return -1;
    }
    s->no_memory |= lm_text_put(s->out, text.p, text.n);
    return s->no_memory ? -1 : 0;
}

/* {"name": ..., "template": ...}: its template, if the name is default. */
static int from_item(struct source *s)
{
    const size_t    before = s->out->n;
    int             is_default = 0, rc = lm_json_enter(&s->j, '{'), more;
    struct lm_slice key, name;
    while (!rc && (more = lm_json_key(&s->j, &key)) != 0) {
        const int text = more == 1 && lm_json_peek(&s->j) == '"';
        if (text && lm_slice_eq(key, "template")) {
            rc = take_text(s);
        } else if (text && lm_slice_eq(key, "name")) {
            rc = lm_json_string(&s->j, &name);
            is_default = !rc && lm_slice_eq(name, "default");
        } else {
            rc = more < 0 ? -1 : lm_json_skip(&s->j, NULL);
        }
    }
    s->out->n = is_default ? s->out->n : before;
    return rc;
}

static int from_list(struct source *s)
{
    int rc = lm_json_enter(&s->j, '['), more = 1;
    while (!rc && (more = lm_json_item(&s->j)) == 1) {
        rc = from_item(s);
    }
    return rc || more < 0 ? -1 : 0;
}

/* The member chat_template of a JSON file: *found; DRH_E_DATA: the file is broken. */
static drh_status from_json(const struct lm_map *f, struct lm_text *out, int *found)
{
    struct source   s = {.out = out};
    struct lm_slice key;
    int             rc, more;
    lm_json_init(&s.j, f->p, f->n);
    rc = lm_json_enter(&s.j, '{');
    while (!rc && !*found && (more = lm_json_key(&s.j, &key)) != 0) {
        const int c = more == 1 && lm_slice_eq(key, "chat_template") ? lm_json_peek(&s.j) : 0;
        rc = more < 0   ? -1
             : c == '"' ? take_text(&s)
             : c == '[' ? from_list(&s)
                        : lm_json_skip(&s.j, NULL);
        *found = c == '"' || (c == '[' && out->n > 0);
    }
    s.no_memory |= s.j.no_memory;
    lm_json_free(&s.j);
    return !rc ? DRH_OK : s.no_memory ? DRH_E_NOMEM : DRH_E_DATA;
}

/* In the order in which the original library prefers them. */
static const char *const template_files[] = {"chat_template.jinja", "chat_template.json",
                                             "tokenizer_config.json"};

/* Its text and the file that has it; NULL: there is none.  A broken file has an empty one. */
static drh_status find_template(const char *dir, struct lm_text *out, const char **file)
{
    drh_status st = DRH_OK;
    *file = NULL;
    for (size_t i = 0; st == DRH_OK && !*file && i < 3; i++) {
        struct lm_map f;
        int           found = i == 0;
        if (lm_map_open(&f, dir, template_files[i], NULL) != DRH_OK) {
            continue;
        }
        if (i > 0) {
            st = from_json(&f, out, &found);
        } else if (lm_text_put(out, (const char *)f.p, f.n)) {
            st = DRH_E_NOMEM;
        }
        lm_map_close(&f);
        if (st == DRH_E_DATA) {
            out->n = 0;
            found = 1;
            st = DRH_OK;
        }
        *file = found ? template_files[i] : NULL;
    }
    return st;
}

/* ---- words for people ---------------------------------------------------------------------- */

enum { NAMES = 256 }; /* all names, with commas */

static void names_of(char *out, size_t size)
{
    size_t n = 0;
    for (const struct lm_chat_form *f = lm_chat_forms; f->name && n < size; f++) {
        n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", f->name);
    }
}

static void no_form(struct lm_chat *c, const char *file)
{
    char names[NAMES];
    names_of(names, sizeof(names));
    if (file) {
        (void)snprintf(c->why, sizeof(c->why),
                       "%.32s: its chat_template is of no known form; give prompt as text, or name "
                       "a form by the service's option chat: %s",
                       file, names);
    } else {
        (void)snprintf(c->why, sizeof(c->why),
                       "the model has no chat template, as base models do; give prompt as text, or "
                       "name a form by the service's option chat: %s",
                       names);
    }
}

/* ---- the form's texts with this tokenizer's tokens ----------------------------------------- */

static int named_by(const struct lm_chat_form *f, const struct lm_tok_added *a)
{
    for (size_t i = 0; i < LM_CHAT_NEEDS && f->needs[i]; i++) {
        if (strcmp(f->needs[i], a->text) == 0) {
            return 1;
        }
    }
    for (size_t i = 0; i < LM_CHAT_ENDS && f->ends[i]; i++) {
        if (strcmp(f->ends[i], a->text) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Longest control token at p[0..n). */
static struct lm_tok_added *token_at(const struct lm_chat_form *f, struct lm_tok *t, const char *p,
                                     size_t n)
{
    struct lm_tok_added *best = NULL;
    for (size_t i = 0; i < t->n_added; i++) {
        struct lm_tok_added *a = &t->added[i];
        if (a->len <= n && memcmp(a->text, p, a->len) == 0 && (!best || a->len > best->len) &&
            (a->special || named_by(f, a))) {
            best = a;
        }
    }
    return best;
}

static int find_marks(const struct lm_chat_form *f, struct lm_tok *t, struct lm_chat_piece *p)
{
    p->mark = malloc((p->n + 1) * sizeof(*p->mark));
    if (!p->mark) {
        return -1;
    }
    for (size_t at = 0; at < p->n;) {
        struct lm_tok_added *a = token_at(f, t, p->p + at, p->n - at);
        if (a) {
            a->special = 1;
            p->mark[p->n_marks++] = (struct lm_tok_mark){at, a};
        }
        at += a ? a->len : 1;
    }
    return 0;
}

struct names { /* texts of bos and eos */
    const char *bos, *eos;
    size_t      bos_n, eos_n;
};

static int make_piece(const struct lm_chat_form *f, struct lm_tok *t, const struct names *n,
                      const char *text, struct lm_chat_piece *out)
{
    struct lm_text s = {NULL, 0, 0};
    int            rc = 0;
    for (; text && *text && !rc; text++) {
        rc = *text == '\1'   ? lm_text_put(&s, n->bos, n->bos_n)
             : *text == '\2' ? lm_text_put(&s, n->eos, n->eos_n)
                             : lm_text_put(&s, text, 1);
    }
    out->p = s.p;
    out->n = s.n;
    return rc || find_marks(f, t, out) ? -1 : 0;
}

static int make_pieces(struct lm_chat *c, struct lm_tok *t, const struct names *n, const char *open)
{
    const struct lm_chat_form *f = c->form;
    struct lm_text             first = {NULL, 0, 0};
    int                        rc = c->begins_with_bos && lm_text_put(&first, "\1", 1);
    rc = rc || lm_text_put(&first, f->first ? f->first : "", f->first ? strlen(f->first) + 1 : 1);
    rc = rc || make_piece(f, t, n, first.p, &c->piece[LM_CHAT_FIRST]);
    for (size_t i = 0; !rc && i < LM_CHAT_ROLES; i++) {
        rc = make_piece(f, t, n, f->turn[i].before, &c->piece[LM_CHAT_BEFORE + i]) ||
             make_piece(f, t, n, f->turn[i].after, &c->piece[LM_CHAT_AFTER + i]);
    }
    rc = rc || make_piece(f, t, n, open, &c->piece[LM_CHAT_OPEN]);
    lm_text_free(&first);
    return rc ? -1 : 0;
}

/* ---- opening ------------------------------------------------------------------------------- */

static void add_stop(struct lm_chat *c, const struct lm_tok_added *a)
{
    if (a && c->n_stop < LM_CHAT_STOPS) {
        c->stop[c->n_stop++] = a->id;
    }
}

/* Text of a token that the configuration names, or else of the form's own one, if it is there. */
static const char *text_of(const struct lm_tok *t, uint32_t named, const char *other, size_t *n)
{
    const char *p = named == LM_TOK_NONE ? NULL : lm_tok_text(t, named, n);
    if (!p && other && lm_tok_added_of(t, other, strlen(other))) {
        p = other;
        *n = strlen(other);
    }
    *n = p ? *n : 0;
    return p ? p : "";
}

/* What the form needs and the tokenizer does not have, or NULL. */
static const char *missing(const struct lm_chat_form *f, const struct lm_tok *t)
{
    for (size_t i = 0; i < LM_CHAT_NEEDS && f->needs[i]; i++) {
        if (!lm_tok_added_of(t, f->needs[i], strlen(f->needs[i]))) {
            return f->needs[i];
        }
    }
    return NULL;
}

static drh_status bind_form(struct lm_chat *c, struct lm_tok *t, struct lm_chat_names ids,
                            const char *open, int by_name)
{
    const struct lm_chat_form *f = c->form;
    struct names               n;
    const char                *lacks = missing(f, t);
    n.bos = text_of(t, ids.bos, by_name ? f->bos : NULL, &n.bos_n);
    n.eos = text_of(t, ids.eos, f->eos, &n.eos_n);
    if (n.bos_n == 0) {
        c->begins_with_bos = 0;
        c->flags &= ~(unsigned)LM_CHAT_BOS_IN_TURN;
    }
    if (!lacks && n.eos_n == 0 && f->eos) {
        lacks = f->eos;
    }
    if (lacks) {
        (void)snprintf(c->why, sizeof(c->why),
                       "the chat form %s needs the token %s, which the model's tokenizer does not "
                       "have; name another form with the service's option chat, or give prompt as "
                       "text",
                       f->name, lacks);
        c->form = NULL;
        return DRH_OK;
    }
    if (make_pieces(c, t, &n, open)) {
        return DRH_E_NOMEM;
    }
    for (size_t i = 0; i < LM_CHAT_ENDS && f->ends[i]; i++) {
        struct lm_tok_added *a = lm_tok_added_of(t, f->ends[i], strlen(f->ends[i]));
        if (a) {
            a->special = 1;
        }
        add_stop(c, a);
    }
    return DRH_OK;
}

static int has(const char *canon, const char *what)
{
    return strstr(canon, what) != NULL;
}

/* What the template says beyond its form. */
static void read_flags(struct lm_chat *c, const char *canon)
{
    static const char *const trims[] = {"content|trim+'<|im_end|>", "content.strip()+'<|im_end|>"};
    for (size_t i = 0; i < sizeof(trims) / sizeof(trims[0]); i++) {
        c->flags |= has(canon, trims[i]) ? (unsigned)LM_CHAT_TRIM : 0;
    }
    if (has(canon, ".split('</think>')[-1]")) {
        c->flags |= LM_CHAT_NO_THOUGHTS;
    }
    if (has(canon, ".split('</think>')[-1].lstrip('\n')")) {
        c->flags |=
            has(canon, "if'</think>'in") ? LM_CHAT_NO_THOUGHTS_LINES : LM_CHAT_NO_FIRST_LINES;
    }
    c->begins_with_bos = !(c->flags & LM_CHAT_BOS_IN_TURN) && has(canon, "bos_token");
}

static int keep_system(struct lm_chat *c, struct lm_slice s)
{
    static const char plain[] = "You are a helpful assistant";
    const size_t      n = sizeof(plain) - 1;
    c->system = malloc(s.n + 1);
    if (!c->system) {
        return -1;
    }
    if (s.n) {
        memcpy(c->system, s.p, s.n);
    }
    c->system_n = s.n;
    if ((s.n == n || (s.n == n + 1 && s.p[n] == '.')) && memcmp(s.p, plain, n) == 0) {
        c->flags |= LM_CHAT_BARE_QUERY; /* as Magpie has it for the models with this one */
    }
    return 0;
}

static drh_status open_template(struct lm_chat *c, struct lm_tok *t, struct lm_chat_names ids,
                                const struct lm_text *template, const char *file)
{
    struct lm_text  canon = {NULL, 0, 0};
    struct lm_slice system = {"", 0};
    const char     *open = NULL;
    const size_t    n = template->n <= MAX_TEMPLATE ? template->n : 0;
    drh_status      st = lm_chat_canon(template->p, n, &canon) ? DRH_E_NOMEM : DRH_OK;
    c->form = st == DRH_OK ? lm_chat_match(canon.p, &c->flags, &open) : NULL;
    if (!c->form) {
        no_form(c, file);
        lm_text_free(&canon);
        return st;
    }
    read_flags(c, canon.p);
    if ((lm_chat_default(canon.p, &system) == DRH_OK && !(c->flags & LM_CHAT_NO_SYSTEM)) ||
        c->form->system) {
        st = keep_system(c, system) ? DRH_E_NOMEM : DRH_OK;
    }
    st = st == DRH_OK ? bind_form(c, t, ids, open, 0) : st;
    lm_text_free(&canon);
    return st;
}

static drh_status open_auto(struct lm_chat *c, struct lm_tok *t, struct lm_chat_names ids,
                            const char *dir)
{
    struct lm_text template = {NULL, 0, 0};
    const char *file;
    drh_status  st = find_template(dir, &template, &file);
    if (st == DRH_OK && file) {
        st = open_template(c, t, ids, &template, file);
    } else {
        no_form(c, NULL);
    }
    lm_text_free(&template);
    return st;
}

static drh_status open_named(struct lm_chat *c, struct lm_tok *t, struct lm_chat_names ids,
                             const char *name, drh_error *e)
{
    drh_status st = DRH_OK;
    for (c->form = lm_chat_forms; c->form->name && strcmp(c->form->name, name) != 0;) {
        c->form++;
    }
    if (!c->form->name) {
        char names[NAMES];
        names_of(names, sizeof(names));
        return drh_fail(e, DRH_E_CONFIG, "chat: there is no form \"%.60s\"; auto, or one of %s",
                        name, names);
    }
    c->flags = c->form->flags;
    c->begins_with_bos = (c->flags & LM_CHAT_BOS) != 0;
    if (c->form->system) {
        st = keep_system(c, (struct lm_slice){c->form->system, strlen(c->form->system)})
                 ? DRH_E_NOMEM
                 : DRH_OK;
    }
    st = st == DRH_OK ? bind_form(c, t, ids, c->form->open, 1) : st;
    return st == DRH_OK && !c->form ? drh_fail(e, DRH_E_CONFIG, "chat: %s", c->why) : st;
}

drh_status lm_chat_open(struct lm_chat *c, struct lm_tok *t, struct lm_chat_names names,
                        const char *dir, const char *name, drh_error *e)
{
    drh_status st;
    memset(c, 0, sizeof(*c));
    st = strcmp(name, "auto") == 0 ? open_auto(c, t, names, dir) : open_named(c, t, names, name, e);
    if (st != DRH_OK) {
        lm_chat_free(c);
    }
    return st == DRH_E_NOMEM ? drh_fail(e, st, "out of memory for the chat form") : st;
}

static int put_fact(struct lm_text *out, const char *p, size_t n)
{
    const uint64_t size = n;
    return lm_text_put(out, (const char *)&size, sizeof(size)) || lm_text_put(out, p, n);
}

int lm_chat_facts(const struct lm_chat *c, struct lm_text *out)
{
    int rc = 0;
    if (!c->form) {
        return 0;
    }
    rc = put_fact(out, c->form->name, strlen(c->form->name)) ||
         put_fact(out, (const char *)&c->flags, sizeof(c->flags)) ||
         put_fact(out, c->system, c->system_n) ||
         put_fact(out, (const char *)c->stop, c->n_stop * sizeof(c->stop[0]));
    for (size_t i = 0; !rc && i < LM_CHAT_PIECES; i++) {
        rc = put_fact(out, c->piece[i].p, c->piece[i].n);
    }
    return rc ? -1 : 0;
}

void lm_chat_free(struct lm_chat *c)
{
    for (size_t i = 0; i < LM_CHAT_PIECES; i++) {
        free(c->piece[i].p);
        free(c->piece[i].mark);
    }
    free(c->system);
    memset(c, 0, sizeof(*c));
}
