/* SPDX-License-Identifier: MIT
 *
 * test_infer_families.c - the tokenizer on twelve small files in the manner of well-known models,
 * with goldens of Hugging Face tokenizers (tests/data/tokenizers/make.py): ids, texts, streams that
 * are cut anywhere, added tokens, very long words.
 */
#define _POSIX_C_SOURCE 200809L
#include "infer_help.h"
#include "lm_decode.h"
#include "lm_json.h"
#include "run.h"

#include <drh/util.h>

#define DATA DRH_SOURCE_DIR "/tests/data/tokenizers/"

enum { MAX_TEXT = 4096, MAX_IDS = 4096, MAX_ROWS = 128 };

/* bytewise: every byte of a text is in its tokens, and nothing else is. */
static const struct {
    const char *name;
    int         bytewise;
} families[] = {{"llama3", 1}, {"qwen2", 0},    {"qwen3", 0},   {"o200k", 1},
                {"tekken", 1}, {"deepseek", 1}, {"roberta", 0}, {"starcoder", 1},
                {"llama2", 0}, {"mistral", 0},  {"gemma", 0},   {"misc", 0}};

static void load(struct lm_tok *t, const char *name)
{
    drh_error e = DRH_ERROR_INIT;
    char      path[512], *text;
    size_t    n;
    (void)snprintf(path, sizeof(path), DATA "%s.json", name);
    text = lab_read(path, &n);
    ck_assert_msg(lm_tok_load(t, (const uint8_t *)text, n, path, &e) == DRH_OK, "%s", e.message);
    free(text);
}

/* ---- goldens ------------------------------------------------------------------------------- */

struct ids {
    uint32_t id[MAX_IDS];
    size_t   n;
};

struct golden {
    char       text[MAX_TEXT], decoded[MAX_TEXT];
    size_t     text_n, decoded_n;
    struct ids plain, special;
    int        has_special, has_decoded;
};

static void read_text(struct lm_json *j, char *to, size_t *n)
{
    struct lm_slice s;
    ck_assert_int_eq(lm_json_string(j, &s), 0);
    ck_assert_uint_lt(s.n, MAX_TEXT);
    memcpy(to, s.p, s.n);
    *n = s.n;
}

static void read_ids(struct lm_json *j, struct ids *to)
{
    uint64_t id;
    to->n = 0;
    ck_assert_int_eq(lm_json_enter(j, '['), 0);
    while (lm_json_item(j) == 1) {
        ck_assert_int_eq(lm_json_uint(j, &id), 0);
        ck_assert_uint_lt(to->n, MAX_IDS);
        to->id[to->n++] = (uint32_t)id;
    }
}

static void read_row(const char *line, size_t n, struct golden *g)
{
    struct lm_json  j;
    struct lm_slice k;
    g->has_special = g->has_decoded = 0;
    lm_json_init(&j, line, n);
    ck_assert_int_eq(lm_json_enter(&j, '{'), 0);
    while (lm_json_key(&j, &k) == 1) {
        if (lm_slice_eq(k, "text")) {
            read_text(&j, g->text, &g->text_n);
        } else if (lm_slice_eq(k, "decoded")) {
            g->has_decoded = 1;
            read_text(&j, g->decoded, &g->decoded_n);
        } else if (lm_slice_eq(k, "special")) {
            g->has_special = 1;
            read_ids(&j, &g->special);
        } else {
            read_ids(&j, &g->plain);
        }
    }
    ck_assert_int_eq(lm_json_end(&j), 0);
    lm_json_free(&j);
    if (!g->has_special) {
        g->special = g->plain;
    }
    if (!g->has_decoded) {
        memcpy(g->decoded, g->text, g->text_n);
        g->decoded_n = g->text_n;
    }
}

/* All rows of a family; the caller frees them. */
static struct golden *goldens(const char *name, size_t *rows)
{
    struct golden *all = malloc(MAX_ROWS * sizeof(*all));
    char           path[512], *file;
    size_t         n;
    (void)snprintf(path, sizeof(path), DATA "%s.jsonl", name);
    file = lab_read(path, &n);
    *rows = 0;
    for (char *p = file, *nl; (nl = strchr(p, '\n')); p = nl + 1) {
        ck_assert_uint_lt(*rows, MAX_ROWS);
        read_row(p, (size_t)(nl - p), &all[(*rows)++]);
    }
    ck_assert_uint_gt(*rows, 80);
    free(file);
    return all;
}

static void encode(const struct lm_tok *t, const char *text, size_t n, size_t special_n,
                   struct ids *ids)
{
    struct lm_tok_out out = {ids->id, MAX_IDS, 0};
    ck_assert_int_eq(lm_tok_encode(t, text, n, special_n, &out), 0);
    ck_assert_uint_le(out.count, MAX_IDS);
    ids->n = out.count;
}

static void check_ids(const struct golden *g, const struct ids *got, const struct ids *want)
{
    for (size_t i = 0; i < got->n && i < want->n; i++) {
        ck_assert_msg(got->id[i] == want->id[i], "%.*s: token %zu is %u, not %u", (int)g->text_n,
                      g->text, i, got->id[i], want->id[i]);
    }
    ck_assert_msg(got->n == want->n, "%.*s: %zu tokens, not %zu", (int)g->text_n, g->text, got->n,
                  want->n);
}

START_TEST(encodes_as_the_goldens)
{
    struct lm_tok  t;
    struct ids     got;
    size_t         rows;
    struct golden *g = goldens(families[_i].name, &rows);
    load(&t, families[_i].name);
    for (size_t i = 0; i < rows; i++) {
        encode(&t, g[i].text, g[i].text_n, 0, &got);
        check_ids(&g[i], &got, &g[i].plain);
        encode(&t, g[i].text, g[i].text_n, g[i].text_n, &got);
        check_ids(&g[i], &got, &g[i].special);
    }
    free(g);
    lm_tok_free(&t);
}
END_TEST

START_TEST(decodes_as_the_goldens)
{
    struct lm_tok  t;
    size_t         rows;
    struct golden *g = goldens(families[_i].name, &rows);
    load(&t, families[_i].name);
    for (size_t i = 0; i < rows; i++) {
        char                 text[MAX_TEXT];
        struct lm_decode_out out = {text, sizeof(text), 0};
        lm_decode(&t, g[i].plain.id, g[i].plain.n, 0, &out);
        ck_assert_msg(out.count == g[i].decoded_n && memcmp(text, g[i].decoded, out.count) == 0,
                      "%.*s: %.*s", (int)g[i].text_n, g[i].text, (int)out.count, text);
    }
    free(g);
    lm_tok_free(&t);
}
END_TEST

/* ---- streams ------------------------------------------------------------------------------- */

static int is_utf8(const char *p, size_t n)
{
    uint32_t c = 0;
    for (size_t at = 0; at < n && c != LM_NO_CHAR;) {
        at += lm_utf8((const unsigned char *)p + at, n - at, &c);
    }
    return c != LM_NO_CHAR;
}

/* Pushes the ids; what is there at any moment is whole characters, and stays. */
static void push_all(struct lm_decoder *d, const struct ids *ids, struct lm_decode_out *out)
{
    for (size_t k = 0; k < ids->n; k++) {
        lm_decode_push(d, ids->id[k], out);
        ck_assert_uint_le(out->count, out->cap);
        ck_assert(is_utf8(out->p, out->count));
    }
}

/* Token by token the same text comes as all at once. */
START_TEST(streams_as_the_goldens)
{
    struct lm_tok  t;
    size_t         rows;
    struct golden *g = goldens(families[_i].name, &rows);
    load(&t, families[_i].name);
    for (size_t i = 0; i < rows; i++) {
        char                 text[MAX_TEXT];
        struct lm_decode_out out = {text, sizeof(text), 0};
        struct lm_decoder    d;
        lm_decode_init(&d, &t, 0);
        push_all(&d, &g[i].plain, &out);
        lm_decode_end(&d, &out);
        ck_assert_msg(out.count == g[i].decoded_n && memcmp(text, g[i].decoded, out.count) == 0,
                      "%.*s: %.*s", (int)g[i].text_n, g[i].text, (int)out.count, text);
    }
    free(g);
    lm_tok_free(&t);
}
END_TEST

/* The text is cut at every byte, also within characters, and both halves are encoded apart: in one
 * stream their tokens give the text again.  After the first half only a character's first bytes may
 * wait. */
static void cut_at(const struct lm_tok *t, const struct golden *g, size_t cut)
{
    char                 text[MAX_TEXT];
    struct lm_decode_out out = {text, sizeof(text), 0};
    struct lm_decoder    d;
    struct ids           ids;
    lm_decode_init(&d, t, 0);
    encode(t, g->text, cut, 0, &ids);
    push_all(&d, &ids, &out);
    ck_assert_uint_le(out.count, cut);
    ck_assert_uint_lt(cut - out.count, 4);
    ck_assert(is_utf8(g->text, cut) == (out.count == cut));
    encode(t, g->text + cut, g->text_n - cut, 0, &ids);
    push_all(&d, &ids, &out);
    lm_decode_end(&d, &out);
    ck_assert_msg(out.count == g->text_n && memcmp(text, g->text, out.count) == 0,
                  "%.*s, cut at %zu: %.*s", (int)g->text_n, g->text, cut, (int)out.count, text);
}

START_TEST(streams_cut_at_every_byte)
{
    struct lm_tok  t;
    size_t         rows;
    struct golden *g = goldens(families[_i].name, &rows);
    load(&t, families[_i].name);
    for (size_t i = 0; families[_i].bytewise && i < rows; i++) {
        for (size_t cut = 0; cut <= g[i].text_n; cut++) {
            cut_at(&t, &g[i], cut);
        }
    }
    free(g);
    lm_tok_free(&t);
}
END_TEST

/* What can be said by hand of <0xE4> and the like: ids to text.  ids of llama2. */
static const struct {
    const char *tokens[8];
    const char *text;
    size_t      waits_from, waits_to; /* nothing comes with these tokens */
} byte_tokens[] = {
    {{"<0xE4>", "<0xBD>", "<0xA0>"}, "\xe4\xbd\xa0", 0, 2},
    {{"<0xF0>", "<0x9F>", "<0x91>", "<0x8D>", "a"},
     "\xf0\x9f\x91\x8d"
     "a",
     0,
     3},
    {{"a", "<0xE4>", "<0xBD>", "a"},
     "a\xef\xbf\xbd\xef\xbf\xbd"
     "a",
     1,
     3},
    {{"a", "<0xE4>", "<0xBD>"}, "a\xef\xbf\xbd\xef\xbf\xbd", 1, 3},
    {{"<0x41>", "<0x42>"}, "AB", 0, 0},
    {{"a", "<0xFF>", "a"},
     "a\xef\xbf\xbd"
     "a",
     0,
     0},
    {{"a", "<0xE0>", "<0x80>", "a"},
     "a\xef\xbf\xbd\xef\xbf\xbd"
     "a",
     1,
     2},
    {{"a", "<0xED>", "<0xA0>", "<0x80>", "a"},
     "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
     "a",
     1,
     2},
};

START_TEST(byte_tokens_in_streams)
{
    struct lm_tok        t;
    char                 text[64];
    struct lm_decode_out out = {text, sizeof(text), 0};
    struct lm_decoder    d;
    load(&t, "llama2");
    lm_decode_init(&d, &t, 0);
    for (size_t i = 0; i < 8 && byte_tokens[_i].tokens[i]; i++) {
        const char    *s = byte_tokens[_i].tokens[i];
        const uint32_t id = lm_tok_id(&t, s, strlen(s));
        const size_t   before = out.count;
        ck_assert_uint_ne(id, LM_TOK_NONE);
        lm_decode_push(&d, id, &out);
        if (i >= byte_tokens[_i].waits_from && i < byte_tokens[_i].waits_to) {
            ck_assert_uint_eq(out.count, before);
        }
    }
    lm_decode_end(&d, &out);
    ck_assert_uint_eq(out.count, strlen(byte_tokens[_i].text));
    ck_assert_mem_eq(text, byte_tokens[_i].text, out.count);
    lm_tok_free(&t);
}
END_TEST

/* ---- added tokens -------------------------------------------------------------------------- */

/* Whatever a text holds, as data it gives no special token; as a prompt each of them. */
START_TEST(special_tokens_in_data_are_text)
{
    struct lm_tok t;
    struct ids    ids;
    size_t        seen = 0;
    load(&t, families[_i].name);
    for (size_t i = 0; i < t.n_added; i++) {
        const struct lm_tok_added *a = &t.added[i];
        char                       text[256];
        const int                  n = snprintf(text, sizeof(text), "x %s y%sz", a->text, a->text);
        if (!a->special) {
            continue;
        }
        encode(&t, text, (size_t)n, 0, &ids);
        for (size_t k = 0; k < ids.n; k++) {
            /* unk is no control: it stands for what the vocabulary has not. */
            ck_assert_msg(!lm_tok_is_special(&t, ids.id[k]) || ids.id[k] == t.unk, "%s", text);
        }
        seen = 0;
        encode(&t, text, (size_t)n, (size_t)n, &ids);
        for (size_t k = 0; k < ids.n; k++) {
            seen += ids.id[k] == a->id;
        }
        ck_assert_msg(seen >= 1, "%s of %s: %zu", a->text, families[_i].name, seen);
    }
    ck_assert_uint_gt(seen, 0);
    lm_tok_free(&t);
}
END_TEST

/* With ignore_merges a word that is an entry is that token, whether merges come to it ("ab") or not
 * ("ba"); but for a control token. */
START_TEST(entries_before_merges)
{
    static const char json[] =
        "{\"added_tokens\":[{\"id\":0,\"content\":\"<s>\",\"special\":true}],"
        "\"model\":{\"type\":\"BPE\",\"ignore_merges\":true,\"merges\":[\"a b\"],"
        "\"vocab\":{\"<s>\":0,\"a\":1,\"b\":2,\"ab\":3,\"ba\":4,\"<\":5,\"s\":6,\">\":7}}}";
    static const struct {
        const char *text;
        size_t      special_n, n;
        uint32_t    ids[4];
    } rows[] = {{"<s>", 0, 3, {5, 6, 7}}, {"<s>", 3, 1, {0}},    {"ab", 0, 1, {3}},
                {"ba", 0, 1, {4}},        {"bab", 0, 2, {2, 3}}, {"<s>ba", 3, 2, {0, 4}}};
    struct lm_tok t;
    struct ids    got;
    drh_error     e = DRH_ERROR_INIT;
    ck_assert_msg(lm_tok_load(&t, (const uint8_t *)json, sizeof(json) - 1, "f", &e) == DRH_OK, "%s",
                  e.message);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        encode(&t, rows[i].text, strlen(rows[i].text), rows[i].special_n, &got);
        ck_assert_uint_eq(got.n, rows[i].n);
        ck_assert_mem_eq(got.id, rows[i].ids, got.n * sizeof(*got.id));
    }
    lm_tok_free(&t);
}
END_TEST

/* A prompt's own part ends within the text: only tokens that lie in it as a whole are control. */
START_TEST(special_up_to_a_byte)
{
    static const char text[] = "<|im_start|>a<|im_start|>";
    struct lm_tok     t;
    struct ids        ids;
    uint32_t          id;
    load(&t, _i ? "qwen2" : "llama3");
    id = lm_tok_id(&t, "<|im_start|>", 12);
    for (size_t n = 0; n <= sizeof(text) - 1; n++) {
        size_t seen = 0;
        encode(&t, text, sizeof(text) - 1, n, &ids);
        for (size_t i = 0; i < ids.n; i++) {
            seen += ids.id[i] == id;
        }
        ck_assert_uint_eq(seen, (size_t)(n >= 12) + (n >= 25));
        ck_assert(n < 12 || ids.id[0] == id);
    }
    lm_tok_free(&t);
}
END_TEST

/* By hand: where a token is found, and what it takes with it.  "|" is the token. */
static const struct {
    const char *family, *token, *text, *rest;
} found[] = {
    {"roberta", "TOKEN", "TOKEN", "|"},
    {"roberta", "TOKEN", "a TOKEN.", " a | ."}, /* add_prefix_space, of each part */
    {"roberta", "TOKEN", "xTOKEN", " xTOKEN"},
    {"roberta", "TOKEN", "TOKENs", " TOKENs"},
    {"roberta", "TOKEN", "TOKEN_", " TOKEN_"},
    {"roberta", "TOKEN", "TOKEN TOKEN", "| |"},
    {"roberta", "<r>", "a<r>  b", " a| b"},
    {"roberta", "<r>", "a  <r>b", " a  | b"},
    {"deepseek", "<think>", "a <think> b", "a | b"},
    {"misc", "Word", "a WORD b", "a|b"}, /* looked for behind the lower case */
    {"misc", "Word", "words", "words"},
};

START_TEST(added_tokens_in_texts)
{
    struct lm_tok        t;
    struct ids           ids;
    char                 text[64];
    struct lm_decode_out out = {text, sizeof(text), 0};
    uint32_t             id;
    load(&t, found[_i].family);
    id = lm_tok_id(&t, found[_i].token, strlen(found[_i].token));
    ck_assert_uint_ne(id, LM_TOK_NONE);
    encode(&t, found[_i].text, strlen(found[_i].text), 0, &ids);
    for (size_t from = 0, i = 0; i <= ids.n; i++) {
        if (i == ids.n || ids.id[i] == id) {
            lm_decode(&t, ids.id + from, i - from, 0, &out);
            if (i < ids.n) {
                text[out.count++] = '|';
            }
            from = i + 1;
        }
    }
    ck_assert_msg(out.count == strlen(found[_i].rest) && !memcmp(text, found[_i].rest, out.count),
                  "%s: %.*s", found[_i].text, (int)out.count, text);
    lm_tok_free(&t);
}
END_TEST

/* ---- long words ---------------------------------------------------------------------------- */

/* As long_word of make.py. */
static char *long_word(const char *kind, size_t *n)
{
    const size_t chars = strcmp(kind, "han") == 0 || strcmp(kind, "mark") == 0 ? 333333 : 1000000;
    char        *p = malloc(4 * chars + 4);
    uint64_t     x = 1;
    *n = 0;
    if (strcmp(kind, "mark") == 0) {
        p[(*n)++] = 'e';
    }
    for (size_t i = 0; i < chars; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        if (strcmp(kind, "han") == 0) {
            *n += lm_utf8_put(p + *n, 0x4e00 + (uint32_t)((x >> 33) % 5000));
        } else if (strcmp(kind, "mark") == 0) {
            *n += lm_utf8_put(p + *n, 0x301);
        } else {
            p[(*n)++] = strcmp(kind, "letters") == 0 ? (char)('a' + (x >> 33) % 26) : kind[0];
        }
    }
    return p;
}

static uint64_t fnv(const uint32_t *ids, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++) {
        for (unsigned k = 0; k < 4; k++) {
            h = (h ^ (ids[i] >> (8 * k) & 255)) * 0x100000001b3u;
        }
    }
    return h;
}

struct word_row {
    char     family[16], kind[16], sum[17];
    unsigned n;
};

static void check_word(const struct lm_tok *t, const struct word_row *w)
{
    size_t            n;
    char             *word = long_word(w->kind, &n), sum[17];
    struct lm_tok_out out = {malloc((n + 1) * sizeof(*out.ids)), n + 1, 0}; /* and a space before */
    ck_assert_int_eq(lm_tok_encode(t, word, n, 0, &out), 0);
    ck_assert_msg(out.count == w->n, "%s, %s: %zu tokens", w->family, w->kind, out.count);
    (void)snprintf(sum, sizeof(sum), "%016llx", (unsigned long long)fnv(out.ids, out.count));
    ck_assert_msg(strcmp(sum, w->sum) == 0, "%s, %s", w->family, w->kind);
    free(out.ids);
    free(word);
}

/* A million letters without a break: the same tokens; and with square time hours would not do. */
START_TEST(long_words_as_the_goldens)
{
    struct lm_tok t;
    size_t        n, rows = 0;
    char         *file = lab_read(DATA "words.jsonl", &n);
    load(&t, families[_i].name);
    for (char *p = file, *nl; (nl = strchr(p, '\n')); p = nl + 1) {
        struct word_row w;
        ck_assert_int_eq(sscanf(p,
                                "{\"family\": \"%15[^\"]\", \"kind\": \"%15[^\"]\", \"n\": %u, "
                                "\"fnv\": \"%16[^\"]\"}",
                                w.family, w.kind, &w.n, w.sum),
                         4);
        if (strcmp(w.family, families[_i].name) == 0) {
            check_word(&t, &w);
            rows++;
        }
    }
    ck_assert_uint_eq(rows, 5);
    free(file);
    lm_tok_free(&t);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("families");
    tcase_add_loop_test(t, encodes_as_the_goldens, 0, ROWS(families));
    tcase_add_loop_test(t, decodes_as_the_goldens, 0, ROWS(families));
    tcase_add_loop_test(t, streams_as_the_goldens, 0, ROWS(families));
    tcase_add_loop_test(t, streams_cut_at_every_byte, 0, ROWS(families));
    tcase_add_loop_test(t, byte_tokens_in_streams, 0, ROWS(byte_tokens));
    tcase_add_loop_test(t, special_tokens_in_data_are_text, 0, ROWS(families));
    tcase_add_test(t, entries_before_merges);
    tcase_add_loop_test(t, special_up_to_a_byte, 0, 2);
    tcase_add_loop_test(t, added_tokens_in_texts, 0, ROWS(found));
    tcase_add_loop_test(t, long_words_as_the_goldens, 0, ROWS(families));
    return run_case("infer_families", t);
}
