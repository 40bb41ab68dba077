/* SPDX-License-Identifier: MIT
 *
 * lm_tok_parts.c - reads the normalizer, pre_tokenizer and decoder of tokenizer.json.  Each is an
 * object with a type; a Sequence holds others.
 */
#include "lm_tok_load.h"

#include <drh/util.h>

#include <stdlib.h>

static drh_status unknown_type(struct loader *l, const char *where, struct lm_slice type)
{
    return drh_fail(l->e, DRH_E_UNSUPPORTED, "%s: %s: the type %.*s is not known", l->file, where,
                    (int)(type.n < 60 ? type.n : 60), type.n ? type.p : "");
}

static int is(struct lm_slice raw, const char *quoted)
{
    return lm_slice_eq(raw, quoted);
}

/* A pattern {"String": ...} or {"Regex": ...}: *re, or, for a String when `text` is given, a
 * copy. */
static drh_status read_pattern(struct loader *l, struct lm_slice raw, const char *where,
                               struct lm_regex **re, char **text, size_t *text_n, lm_split_fn *cut)
{
    enum { STRING, REGEX, N };
    struct part p[N] = {{"String", {NULL, 0}}, {"Regex", {NULL, 0}}};
    drh_status  st = lm_load_parts(l, raw, p, N, where);
    const int   literal = p[STRING].raw.n > 0;
    char        why[200];
    char       *s = NULL;
    size_t      n = 0;
    if (st == DRH_OK) {
        st = lm_load_string(l, p[literal ? STRING : REGEX].raw, where, &s, &n);
    }
    if (st == DRH_OK && literal && text) {
        *text = s;
        *text_n = n;
        return DRH_OK;
    }
    if (st == DRH_OK && cut && !literal) {
        *cut = lm_split_known(s, n);
    }
    if (st == DRH_OK && !(cut && *cut)) {
        *re = lm_regex_new(s, n, literal, why);
        if (!*re) {
            st = why[0] ? drh_fail(l->e, DRH_E_UNSUPPORTED, "%s: %s: the pattern %.*s: %s", l->file,
                                   where, (int)(n < 120 ? n : 120), s, why)
                        : lm_load_no_memory(l);
        }
    }
    free(s);
    return st;
}

/* ---- normalizer ---------------------------------------------------------------------------- */

static drh_status read_norm(struct loader *l, struct lm_slice raw, int depth);

static struct lm_norm_step *norm_step(struct loader *l, enum lm_norm_kind kind)
{
    struct lm_norm_step *s = l->t->norm.n < LM_NORM_MAX ? &l->t->norm.step[l->t->norm.n++] : NULL;
    if (s) {
        s->kind = kind;
    }
    return s;
}

static drh_status read_form(struct loader *l, struct lm_norm_step *s, struct lm_slice type)
{
    s->compat = type.n == 6; /* "NFKC" with its quotes */
    s->compose = type.p[type.n - 2] == 'C';
    return lm_norm_form(s) ? lm_load_no_memory(l) : DRH_OK;
}

enum { TYPE, MEMBERS, PREPEND, PATTERN, CONTENT, LEFT, RIGHT, N_NORM };

static drh_status read_one_norm(struct loader *l, const struct part *p)
{
    static const char    where[] = "normalizer";
    struct lm_slice      type = p[TYPE].raw;
    struct lm_norm_step *s;
    drh_status           st;
    if (l->t->norm.n == LM_NORM_MAX) {
        return lm_load_unsupported(l, where, "too many steps");
    }
    if (is(type, "\"NFC\"") || is(type, "\"NFD\"") || is(type, "\"NFKC\"") ||
        is(type, "\"NFKD\"")) {
        return read_form(l, norm_step(l, LM_NORM_FORM), type);
    }
    if (is(type, "\"Prepend\"")) {
        s = norm_step(l, LM_NORM_PREPEND);
        return lm_load_string(l, p[PREPEND].raw, "normalizer.prepend", &s->to, &s->to_n);
    }
    if (is(type, "\"Replace\"")) {
        s = norm_step(l, LM_NORM_REPLACE);
        st = read_pattern(l, p[PATTERN].raw, "normalizer.pattern", &s->re, &s->from, &s->from_n,
                          NULL);
        return st != DRH_OK
                   ? st
                   : lm_load_string(l, p[CONTENT].raw, "normalizer.content", &s->to, &s->to_n);
    }
    if (is(type, "\"Lowercase\"")) {
        (void)norm_step(l, LM_NORM_LOWER);
        return DRH_OK;
    }
    if (is(type, "\"Strip\"")) {
        s = norm_step(l, LM_NORM_STRIP);
        st = lm_load_bool(l, p[LEFT].raw, "normalizer.strip_left", 1, &s->left);
        return st != DRH_OK ? st
                            : lm_load_bool(l, p[RIGHT].raw, "normalizer.strip_right", 1, &s->right);
    }
    return unknown_type(l, where, type);
}

static drh_status read_norm(struct loader *l, struct lm_slice raw, int depth)
{
    struct part p[N_NORM] = {{"type", {NULL, 0}},       {"normalizers", {NULL, 0}},
                             {"prepend", {NULL, 0}},    {"pattern", {NULL, 0}},
                             {"content", {NULL, 0}},    {"strip_left", {NULL, 0}},
                             {"strip_right", {NULL, 0}}};
    drh_status  st = lm_load_parts(l, raw, p, N_NORM, "normalizer");
    if (st != DRH_OK) {
        return st;
    }
    return is(p[TYPE].raw, "\"Sequence\"")
               ? lm_load_array(l, p[MEMBERS].raw, "normalizer.normalizers", LM_NORM_MAX, read_norm,
                               depth + 1)
               : read_one_norm(l, p);
}

drh_status lm_load_normalizer(struct loader *l, struct lm_slice raw)
{
    return lm_load_is_null(raw) ? DRH_OK : read_norm(l, raw, 0);
}

/* ---- pre_tokenizer ------------------------------------------------------------------------- */

enum {
    P_TYPE,
    P_MEMBERS,
    P_PATTERN,
    P_BEHAVIOR,
    P_INVERT,
    P_PREFIX,
    P_REGEX,
    P_DIGITS,
    P_META,
    P_SCHEME,
    P_SPLIT,
    N_PRE
};

static drh_status read_pre(struct loader *l, struct lm_slice raw, int depth);

static struct lm_pre_step *pre_step(struct loader *l, enum lm_pre_kind kind)
{
    struct lm_pre_step *s = &l->t->pre.step[l->t->pre.n++];
    s->kind = kind;
    return s;
}

static drh_status read_byte_level(struct loader *l, const struct part *p)
{
    int        prefix, regex;
    drh_status st = lm_load_bool(l, p[P_PREFIX].raw, "pre_tokenizer.add_prefix_space", 1, &prefix);
    if (st == DRH_OK) {
        st = lm_load_bool(l, p[P_REGEX].raw, "pre_tokenizer.use_regex", 1, &regex);
    }
    if (st != DRH_OK) {
        return st;
    }
    if (prefix) {
        (void)pre_step(l, LM_PRE_PREFIX);
    }
    if (regex) {
        pre_step(l, LM_PRE_CUT)->cut = lm_split_gpt2;
    }
    l->t->byte_level = 1;
    return DRH_OK;
}

static drh_status read_behavior(struct loader *l, struct lm_slice raw, int otherwise,
                                enum lm_pre_behavior *out)
{
    static const char *const names[] = {"\"Isolated\"", "\"Removed\"", "\"MergedWithPrevious\"",
                                        "\"MergedWithNext\"", "\"Contiguous\""};
    if (otherwise && lm_load_is_null(raw)) {
        *out = LM_ISOLATED;
        return DRH_OK;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (is(raw, names[i])) {
            *out = (enum lm_pre_behavior)i;
            return DRH_OK;
        }
    }
    return unknown_type(l, "pre_tokenizer.behavior", raw);
}

/* The steps that are given by a pattern of ours. */
static drh_status fixed_split(struct loader *l, const char *pattern, enum lm_pre_behavior behavior,
                              int invert)
{
    char                why[200];
    struct lm_pre_step *s = pre_step(l, LM_PRE_SPLIT);
    s->behavior = behavior;
    s->invert = invert;
    s->re = lm_regex_new(pattern, strlen(pattern), 0, why);
    return s->re ? DRH_OK : lm_load_no_memory(l);
}

static drh_status read_split(struct loader *l, const struct part *p)
{
    struct lm_pre_step *s = pre_step(l, LM_PRE_SPLIT);
    drh_status          st = read_behavior(l, p[P_BEHAVIOR].raw, 0, &s->behavior);
    int                 fast;
    if (st == DRH_OK) {
        st = lm_load_bool(l, p[P_INVERT].raw, "pre_tokenizer.invert", 0, &s->invert);
    }
    if (st != DRH_OK) {
        return st;
    }
    /* The known patterns match everything: what they cut is all pieces, and inverted none of them
     * may be Removed. */
    fast = s->behavior == LM_ISOLATED || (s->behavior == LM_REMOVED && s->invert);
    st = read_pattern(l, p[P_PATTERN].raw, "pre_tokenizer.pattern", &s->re, NULL, NULL,
                      fast ? &s->cut : NULL);
    s->kind = s->cut ? LM_PRE_CUT : LM_PRE_SPLIT;
    return st;
}

static drh_status read_digits(struct loader *l, const struct part *p)
{
    int        one;
    drh_status st = lm_load_bool(l, p[P_DIGITS].raw, "pre_tokenizer.individual_digits", 0, &one);
    return st != DRH_OK ? st : fixed_split(l, "\\p{N}", one ? LM_ISOLATED : LM_CONTIGUOUS, 0);
}

static drh_status read_scheme(struct loader *l, const struct part *p, struct lm_pre_step *s)
{
    struct lm_slice raw = p[P_SCHEME].raw;
    int             prefix;
    drh_status st = lm_load_bool(l, p[P_PREFIX].raw, "pre_tokenizer.add_prefix_space", 1, &prefix);
    if (st != DRH_OK) {
        return st;
    }
    if (is(raw, "\"first\"")) {
        s->prepend = LM_PREPEND_FIRST;
    } else if (is(raw, "\"never\"")) {
        s->prepend = LM_PREPEND_NEVER;
    } else if (lm_load_is_null(raw) || is(raw, "\"always\"")) {
        s->prepend = LM_PREPEND_ALWAYS;
    } else {
        return unknown_type(l, "pre_tokenizer.prepend_scheme", raw);
    }
    if (!prefix) { /* the older way to write "never" */
        s->prepend = LM_PREPEND_NEVER;
    }
    return DRH_OK;
}

/* A string of one character, into out[5]. */
static drh_status read_char(struct loader *l, struct lm_slice raw, const char *where, char *out,
                            size_t *out_n)
{
    char      *s;
    size_t     n;
    uint32_t   c = LM_NO_CHAR;
    drh_status st = lm_load_string(l, raw, where, &s, &n);
    if (st != DRH_OK) {
        return st;
    }
    if (n == 0 || lm_utf8((unsigned char *)s, n, &c) != n || c == LM_NO_CHAR) {
        st = lm_load_bad(l, where, "not one character");
    } else {
        memcpy(out, s, n);
        out[n] = 0;
        *out_n = n;
    }
    free(s);
    return st;
}

static drh_status read_metaspace(struct loader *l, const struct part *p)
{
    struct lm_pre_step *s = pre_step(l, LM_PRE_METASPACE);
    drh_status st = read_char(l, p[P_META].raw, "pre_tokenizer.replacement", s->meta, &s->meta_n);
    if (st == DRH_OK) {
        st = read_scheme(l, p, s);
    }
    return st != DRH_OK ? st : lm_load_bool(l, p[P_SPLIT].raw, "pre_tokenizer.split", 1, &s->split);
}

static drh_status read_one_pre(struct loader *l, const struct part *p)
{
    struct lm_slice      type = p[P_TYPE].raw;
    enum lm_pre_behavior b = LM_ISOLATED;
    if (l->t->pre.n + 2 > LM_PRE_MAX) {
        return lm_load_unsupported(l, "pre_tokenizer", "too many steps");
    }
    if (l->t->byte_level) {
        return lm_load_unsupported(l, "pre_tokenizer", "a step behind ByteLevel");
    }
    if (is(type, "\"ByteLevel\"")) {
        return read_byte_level(l, p);
    }
    if (is(type, "\"Split\"")) {
        return read_split(l, p);
    }
    if (is(type, "\"Digits\"")) {
        return read_digits(l, p);
    }
    if (is(type, "\"Metaspace\"")) {
        return read_metaspace(l, p);
    }
    if (is(type, "\"Whitespace\"")) {
        return fixed_split(l, "\\w+|[^\\w\\s]+", LM_REMOVED, 1);
    }
    if (is(type, "\"WhitespaceSplit\"")) {
        return fixed_split(l, "\\s", LM_REMOVED, 0);
    }
    if (is(type, "\"Punctuation\"")) {
        drh_status st = read_behavior(l, p[P_BEHAVIOR].raw, 1, &b);
        return st != DRH_OK ? st : fixed_split(l, "[!-\\/:-@\\[-`{-~\\p{P}]", b, 0);
    }
    return unknown_type(l, "pre_tokenizer", type);
}

static drh_status read_pre(struct loader *l, struct lm_slice raw, int depth)
{
    struct part p[N_PRE] = {{"type", {NULL, 0}},        {"pretokenizers", {NULL, 0}},
                            {"pattern", {NULL, 0}},     {"behavior", {NULL, 0}},
                            {"invert", {NULL, 0}},      {"add_prefix_space", {NULL, 0}},
                            {"use_regex", {NULL, 0}},   {"individual_digits", {NULL, 0}},
                            {"replacement", {NULL, 0}}, {"prepend_scheme", {NULL, 0}},
                            {"split", {NULL, 0}}};
    drh_status  st = lm_load_parts(l, raw, p, N_PRE, "pre_tokenizer");
    if (st != DRH_OK) {
        return st;
    }
    return is(p[P_TYPE].raw, "\"Sequence\"")
               ? lm_load_array(l, p[P_MEMBERS].raw, "pre_tokenizer.pretokenizers", LM_PRE_MAX,
                               read_pre, depth + 1)
               : read_one_pre(l, p);
}

drh_status lm_load_pre(struct loader *l, struct lm_slice raw)
{
    return lm_load_is_null(raw) ? DRH_OK : read_pre(l, raw, 0);
}

/* ---- decoder ------------------------------------------------------------------------------- */

enum {
    D_TYPE,
    D_MEMBERS,
    D_PATTERN,
    D_CONTENT,
    D_START,
    D_STOP,
    D_META,
    D_SCHEME,
    D_PREFIX,
    N_DEC
};

static drh_status read_dec(struct loader *l, struct lm_slice raw, int depth);

/* Replaces in every token. */
static drh_status read_replace(struct loader *l, const struct part *p)
{
    struct lm_norm_step *s = &l->replace.step[l->replace.n];
    drh_status           st;
    if (l->replace.n == LM_NORM_MAX) {
        return lm_load_unsupported(l, "decoder", "too many steps");
    }
    l->replace.n++;
    s->kind = LM_NORM_REPLACE;
    st = read_pattern(l, p[D_PATTERN].raw, "decoder.pattern", &s->re, &s->from, &s->from_n, NULL);
    return st != DRH_OK ? st
                        : lm_load_string(l, p[D_CONTENT].raw, "decoder.content", &s->to, &s->to_n);
}

static drh_status read_number(struct loader *l, struct lm_slice raw, const char *where,
                              uint64_t *out)
{
    struct lm_json j;
    lm_json_init(&j, raw.p, raw.n);
    return lm_json_uint(&j, out) ? lm_load_bad_json(l, &j, where) : DRH_OK;
}

/* Strip is either of every token, or behind Fuse of the whole text. */
static drh_status read_strip(struct loader *l, const struct part *p)
{
    struct lm_tok_decoder *d = &l->t->decoder;
    uint64_t               start = 0, stop = 0;
    drh_status             st = read_number(l, p[D_START].raw, "decoder.start", &start);
    if (st == DRH_OK) {
        st = read_number(l, p[D_STOP].raw, "decoder.stop", &stop);
    }
    if (st != DRH_OK) {
        return st;
    }
    if (stop || !l->fused || d->strip_n) {
        return lm_load_unsupported(l, "decoder",
                                   "a Strip other than one at the start, behind Fuse");
    }
    d->strip_most = start < SIZE_MAX ? (size_t)start : SIZE_MAX;
    return read_char(l, p[D_CONTENT].raw, "decoder.content", d->strip, &d->strip_n);
}

static drh_status read_meta_decoder(struct loader *l, const struct part *p)
{
    struct lm_tok_decoder *d = &l->t->decoder;
    struct lm_norm_step   *s = &l->replace.step[l->replace.n];
    struct lm_pre_step     m;
    struct part            q[N_PRE] = {{NULL, {NULL, 0}}};
    drh_status             st;
    memset(&m, 0, sizeof(m));
    q[P_SCHEME].raw = p[D_SCHEME].raw;
    q[P_PREFIX].raw = p[D_PREFIX].raw;
    if (l->replace.n == LM_NORM_MAX) {
        return lm_load_unsupported(l, "decoder", "too many steps");
    }
    st = read_char(l, p[D_META].raw, "decoder.replacement", m.meta, &m.meta_n);
    if (st == DRH_OK) {
        st = read_scheme(l, q, &m);
    }
    if (st != DRH_OK) {
        return st;
    }
    if (m.prepend != LM_PREPEND_NEVER) {
        memcpy(d->first_drop, m.meta, sizeof(d->first_drop));
        d->first_drop_n = m.meta_n;
    }
    l->replace.n++;
    s->kind = LM_NORM_REPLACE;
    s->from = malloc(sizeof(m.meta));
    s->to = malloc(2);
    if (!s->from || !s->to) {
        return lm_load_no_memory(l);
    }
    memcpy(s->from, m.meta, sizeof(m.meta));
    s->from_n = m.meta_n;
    memcpy(s->to, " ", 2);
    s->to_n = 1;
    return DRH_OK;
}

static drh_status read_one_dec(struct loader *l, const struct part *p)
{
    struct lm_slice type = p[D_TYPE].raw;
    if (l->fused && !is(type, "\"Strip\"") && !is(type, "\"Fuse\"")) {
        return lm_load_unsupported(l, "decoder", "a step other than Strip behind Fuse");
    }
    if (is(type, "\"ByteLevel\"")) {
        l->byte_level_decoder = 1;
        return DRH_OK;
    }
    if (is(type, "\"Replace\"")) {
        return read_replace(l, p);
    }
    if (is(type, "\"ByteFallback\"")) {
        l->t->decoder.byte_fallback = 1;
        return DRH_OK;
    }
    if (is(type, "\"Fuse\"")) {
        l->fused = 1;
        return DRH_OK;
    }
    if (is(type, "\"Strip\"")) {
        return read_strip(l, p);
    }
    if (is(type, "\"Metaspace\"")) {
        return read_meta_decoder(l, p);
    }
    return unknown_type(l, "decoder", type);
}

static drh_status read_dec(struct loader *l, struct lm_slice raw, int depth)
{
    struct part p[N_DEC] = {
        {"type", {NULL, 0}},        {"decoders", {NULL, 0}},       {"pattern", {NULL, 0}},
        {"content", {NULL, 0}},     {"start", {NULL, 0}},          {"stop", {NULL, 0}},
        {"replacement", {NULL, 0}}, {"prepend_scheme", {NULL, 0}}, {"add_prefix_space", {NULL, 0}}};
    drh_status st = lm_load_parts(l, raw, p, N_DEC, "decoder");
    if (st != DRH_OK) {
        return st;
    }
    return is(p[D_TYPE].raw, "\"Sequence\"")
               ? lm_load_array(l, p[D_MEMBERS].raw, "decoder.decoders", LM_NORM_MAX, read_dec,
                               depth + 1)
               : read_one_dec(l, p);
}

drh_status lm_load_decoder(struct loader *l, struct lm_slice raw)
{
    drh_status st = lm_load_is_null(raw) ? DRH_OK : read_dec(l, raw, 0);
    if (st == DRH_OK && !l->t->byte_level && l->byte_level_decoder) {
        return lm_load_unsupported(l, "decoder", "ByteLevel without the same pre_tokenizer");
    }
    if (st == DRH_OK && l->t->byte_level &&
        (l->replace.n || l->t->decoder.byte_fallback || l->t->decoder.strip_n)) {
        return lm_load_unsupported(l, "decoder", "not ByteLevel, as the pre_tokenizer is");
    }
    return st;
}
