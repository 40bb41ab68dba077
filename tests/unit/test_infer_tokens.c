/* SPDX-License-Identifier: MIT
 *
 * test_infer_tokens.c - the tokenizer of infer-openblas: goldens of two vocabularies, long words
 * against a plain merge loop, tokenizer.json variants that must be refused.
 */
#define _POSIX_C_SOURCE 200809L
#include "infer_help.h"
#include "lm_decode.h"

#include <cjson/cJSON.h>
#include <check.h>
#include <drh/util.h>
#include <stdlib.h>

#define TINY DRH_SOURCE_DIR "/examples/models/tiny-gpt2/tokenizer.json"
#define DATA DRH_SOURCE_DIR "/tests/data/"

static void load(struct lm_tok *t, const char *path)
{
    drh_error e = DRH_ERROR_INIT;
    size_t    n;
    char     *text = lab_read(path, &n);
    ck_assert_msg(lm_tok_load(t, (const uint8_t *)text, n, "tokenizer.json", &e) == DRH_OK, "%s",
                  e.message);
    free(text);
}

static size_t encode(const struct lm_tok *t, const char *text, size_t n, int special, uint32_t *ids,
                     size_t cap)
{
    struct lm_tok_out out = {ids, cap, 0};
    ck_assert_int_eq(lm_tok_encode(t, text, n, special ? n : 0, &out), 0);
    return out.count;
}

/* cJSON ends a text at U+0000: the row's own text is decoded by hand there. */
static size_t row_text(const cJSON *row, const char *line, char *buf)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItem(row, "text"));
    if (strstr(line, "\\u0000nul\\u0001")) {
        memcpy(buf, "\0nul\1", 5);
        return 5;
    }
    strncpy(buf, s, 65535);
    return strlen(s);
}

static void check_rows(const struct lm_tok *t, const char *path)
{
    static char text[65536];
    size_t      n, rows = 0;
    char       *file = lab_read(path, &n), *save = NULL;
    for (char *l = strtok_r(file, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        cJSON       *row;
        const cJSON *want, *v;
        uint32_t     ids[4096];
        size_t       len, got, i = 0;
        char        *nul = strstr(l, "\\u0000nul"), *line = strdup(l);
        if (nul) {
            memcpy(nul, "\\u0001nul", 9);
        }
        row = cJSON_Parse(l);
        ck_assert_ptr_nonnull(row);
        len = row_text(row, line, text);
        want = cJSON_GetObjectItem(row, "ids");
        got = encode(t, text, len, cJSON_IsTrue(cJSON_GetObjectItem(row, "special")), ids, 4096);
        ck_assert_msg((int)got == cJSON_GetArraySize(want), "%s: %zu tokens", line, got);
        cJSON_ArrayForEach(v, want)
        {
            ck_assert_msg(ids[i] == (uint32_t)v->valuedouble, "%s: token %zu is %u", line, i,
                          ids[i]);
            i++;
        }
        cJSON_Delete(row);
        free(line);
        rows++;
    }
    ck_assert_uint_gt(rows, 30);
    free(file);
}

START_TEST(golden_tokens)
{
    struct lm_tok t;
    load(&t, _i ? DATA "gpt2-tokenizer/tokenizer.json" : TINY);
    ck_assert_uint_eq(t.n_vocab, _i ? 50257 : 4096);
    check_rows(&t, _i ? DATA "gpt2-tokenizer/tokens.jsonl" : DATA "tiny-gpt2/tokens.jsonl");
    lm_tok_free(&t);
}
END_TEST

/* Prompt and answer of every golden row, as the plain Python tokenizer cut them. */
START_TEST(golden_rows)
{
    static const char *const keys[][2] = {{"prompt", "prompt_ids"}, {"output", "answer_ids"}};
    struct lm_tok            t;
    size_t                   n;
    char                    *file = lab_read(DATA "tiny-gpt2/golden.jsonl", &n), *save = NULL;
    load(&t, TINY);
    for (char *l = strtok_r(file, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        cJSON *row = cJSON_Parse(l);
        for (size_t k = 0; k < 2; k++) {
            const char  *s = cJSON_GetStringValue(cJSON_GetObjectItem(row, keys[k][0]));
            const cJSON *want = cJSON_GetObjectItem(row, keys[k][1]), *v;
            uint32_t     ids[2048];
            size_t       i = 0;
            ck_assert_int_eq((int)encode(&t, s, strlen(s), 0, ids, 2048), cJSON_GetArraySize(want));
            cJSON_ArrayForEach(v, want)
            {
                ck_assert_uint_eq(ids[i], (uint32_t)v->valuedouble);
                i++;
            }
        }
        cJSON_Delete(row);
    }
    free(file);
    lm_tok_free(&t);
}
END_TEST

/* The definition: again and again the pair of lowest rank, the first of its kind. */
static size_t plain_bpe(const struct lm_tok *t, const char *s, size_t n, uint32_t *sym)
{
    for (size_t i = 0; i < n; i++) {
        sym[i] = t->byte_id[(unsigned char)s[i]];
    }
    for (;;) {
        uint32_t best = UINT32_MAX, id = 0;
        size_t   at = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            const struct lm_tok_merge *m =
                &t->merges[lm_tok_merge_slot(t, (uint64_t)sym[i] << 32 | sym[i + 1])];
            if (m->key != UINT64_MAX && m->rank < best) {
                best = m->rank;
                id = m->id;
                at = i;
            }
        }
        if (best == UINT32_MAX) {
            return n;
        }
        sym[at] = id;
        n--;
        memmove(sym + at + 1, sym + at + 2, (n - at - 1) * sizeof(*sym));
    }
}

/* Words of 2 to 700 letters, on both sides of the change of method at 192. */
START_TEST(long_words_as_the_definition)
{
    static const char *const bits[] = {"a", "ing", "the", "ab", "zz", "tion", "e", "er", "q", "ss"};
    struct lm_tok            t;
    uint64_t                 state = 3;
    load(&t, DATA "gpt2-tokenizer/tokenizer.json");
    for (size_t round = 0; round < 400; round++) {
        char     word[800];
        uint32_t want[800], got[800];
        size_t   n = 0, most = round % 2 ? 60 + round % 9 : 2 + round * 7 / 4;
        while (n < most) {
            const char *b;
            state = state * 6364136223846793005u + 1442695040888963407u;
            b = bits[round % 5 == 0    ? 0
                     : state >> 33 & 7 ? state >> 40 & 7
                                       : 8 + (state >> 50 & 1)];
            memcpy(word + n, b, strlen(b));
            n += strlen(b);
        }
        most = plain_bpe(&t, word, n, want);
        ck_assert_uint_eq(encode(&t, word, n, 0, got, 800), most);
        ck_assert_mem_eq(got, want, most * sizeof(*got));
    }
    lm_tok_free(&t);
}
END_TEST

static size_t utf8(char *o, uint32_t c)
{
    if (c < 0x80) {
        o[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        o[0] = (char)(0xc0 | c >> 6);
        o[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        o[0] = (char)(0xe0 | c >> 12);
        o[1] = (char)(0x80 | (c >> 6 & 63));
        o[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    o[0] = (char)(0xf0 | c >> 18);
    o[1] = (char)(0x80 | (c >> 12 & 63));
    o[2] = (char)(0x80 | (c >> 6 & 63));
    o[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* ---- a random vocabulary -------------------------------------------------------------------- */

enum { N_MERGES = 150, MAX_JSON = 1 << 16 };

struct random_merges { /* token i of 256 + i is left and right, as bytes */
    char     bytes[256 + N_MERGES][64];
    size_t   len[256 + N_MERGES];
    uint32_t left[N_MERGES], right[N_MERGES], n;
};

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* A word of few characters of one to four bytes, so that bytes of theirs are joined in any way. */
static size_t random_word(uint64_t *state, size_t chars, char *to)
{
    static const char *const some[] = {"a",
                                       "\xc3\xa9",
                                       "\xc3\xa5",
                                       "\xe4\xbd\xa0",
                                       "\xe4\xbd\xa5",
                                       "\xe5\xa5\xbd",
                                       "\xf0\x9f\x91\x8d",
                                       "\xf0\x9f\x91\xa5"};
    size_t                   n = 0;
    for (size_t i = 0; i < chars; i++) {
        const char *c = some[next_random(state) % 8];
        memcpy(to + n, c, strlen(c));
        n += strlen(c);
    }
    return n;
}

/* The definition once more, over the list of merges. */
static size_t merge_by_list(const struct random_merges *r, uint32_t *sym, size_t n)
{
    for (uint32_t m = 0; m < r->n; m++) {
        for (size_t i = 0; i + 1 < n; i++) {
            if (sym[i] == r->left[m] && sym[i + 1] == r->right[m]) {
                sym[i] = 256 + m;
                memmove(sym + i + 1, sym + i + 2, (n - i - 2) * sizeof(*sym));
                n--;
            }
        }
    }
    return n;
}

static size_t symbols_of(const struct random_merges *r, const char *word, size_t n, uint32_t *sym)
{
    for (size_t i = 0; i < n; i++) {
        sym[i] = (unsigned char)word[i];
    }
    return merge_by_list(r, sym, n);
}

/* Any two tokens that are neighbours in some word. */
static void make_merges(struct random_merges *r, uint64_t *state)
{
    r->n = 0;
    for (size_t i = 0; i < 256; i++) {
        r->bytes[i][0] = (char)i;
        r->len[i] = 1;
    }
    while (r->n < N_MERGES) {
        char     word[64];
        uint32_t sym[64], k = 256 + r->n;
        size_t   n = symbols_of(r, word, random_word(state, 8, word), sym), at, i = 0;
        if (n < 2) {
            continue;
        }
        at = next_random(state) % (n - 1);
        r->len[k] = r->len[sym[at]] + r->len[sym[at + 1]];
        memcpy(r->bytes[k], r->bytes[sym[at]], r->len[sym[at]]);
        memcpy(r->bytes[k] + r->len[sym[at]], r->bytes[sym[at + 1]], r->len[sym[at + 1]]);
        while (i < k && (r->len[i] != r->len[k] || memcmp(r->bytes[i], r->bytes[k], r->len[k]))) {
            i++;
        }
        if (i == k) { /* else the same bytes by other merges */
            r->left[r->n] = sym[at];
            r->right[r->n++] = sym[at + 1];
        }
    }
}

/* Bytes in GPT-2's letters. */
static size_t put_letters(char *to, const char *p, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        const unsigned b = (unsigned char)p[i];
        uint32_t       c = b, next = 256;
        for (unsigned x = 0; x < b; x++) {
            next += !((x >= 33 && x <= 126) || (x >= 161 && x <= 172) || x >= 174);
        }
        c = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174 ? b : next;
        if (c == '"' || c == '\\') {
            to[len++] = '\\';
        }
        len += utf8(to + len, c);
    }
    to[len] = 0;
    return len;
}

static void write_json(const struct random_merges *r, char *json)
{
    char   a[256], b[256];
    size_t n = (size_t)snprintf(json, MAX_JSON,
                                "{\"pre_tokenizer\":{\"type\":\"ByteLevel\","
                                "\"add_prefix_space\":false,\"use_regex\":false},"
                                "\"model\":{\"vocab\":{");
    for (uint32_t i = 0; i < 256 + r->n; i++) {
        put_letters(a, r->bytes[i], r->len[i]);
        ck_assert_uint_lt(n, MAX_JSON);
        n += (size_t)snprintf(json + n, MAX_JSON - n, "%s\"%s\":%u", i ? "," : "", a, i);
    }
    n += (size_t)snprintf(json + n, MAX_JSON - n, "},\"merges\":[");
    for (uint32_t i = 0; i < r->n; i++) {
        put_letters(a, r->bytes[r->left[i]], r->len[r->left[i]]);
        put_letters(b, r->bytes[r->right[i]], r->len[r->right[i]]);
        ck_assert_uint_lt(n, MAX_JSON);
        n += (size_t)snprintf(json + n, MAX_JSON - n, "%s[\"%s\",\"%s\"]", i ? "," : "", a, b);
    }
    n += (size_t)snprintf(json + n, MAX_JSON - n, "]}}");
    ck_assert_uint_lt(n, MAX_JSON);
}

/* Words are cut where no merge can join, between any characters and whatever parts of them tokens
 * have: the tokens are those of the whole word. */
START_TEST(parts_as_the_definition)
{
    static struct random_merges r;
    static char                 json[MAX_JSON];
    uint64_t                    state = (uint64_t)_i + 1;
    struct lm_tok               t;
    drh_error                   e = DRH_ERROR_INIT;
    make_merges(&r, &state);
    write_json(&r, json);
    ck_assert_msg(lm_tok_load(&t, (const uint8_t *)json, strlen(json), "f", &e) == DRH_OK, "%s",
                  e.message);
    for (size_t round = 0; round < 500; round++) {
        char     word[512];
        uint32_t want[512], got[512];
        size_t n = random_word(&state, 1 + round % 100, word), most = symbols_of(&r, word, n, want);
        ck_assert_uint_eq(encode(&t, word, n, 0, got, 512), most);
        ck_assert_mem_eq(got, want, most * sizeof(*got));
    }
    lm_tok_free(&t);
}
END_TEST

/* 300 KB without a space must not take square time: it would run into the time limit. */
START_TEST(huge_word)
{
    enum { N = 300000 };
    struct lm_tok t;
    char         *word = malloc(N);
    load(&t, DATA "gpt2-tokenizer/tokenizer.json");
    for (size_t i = 0; i < N; i++) {
        word[i] = "abcdefghij"[(i * i + i / 7) % 10];
    }
    ck_assert_uint_gt(encode(&t, word, N, 0, NULL, 0), N / 8);
    memset(word, 'a', N);
    ck_assert_uint_gt(encode(&t, word, N, 0, NULL, 0), N / 20);
    free(word);
    lm_tok_free(&t);
}
END_TEST

/* Classes by the Unicode character database: White_Space, categories L and N, and the rest. */
static const struct {
    uint32_t c;
    char     cls; /* s, L, N, o */
} classes[] = {
    {0x09, 's'},    {0x0a, 's'},   {0x0b, 's'},    {0x0c, 's'},    {0x0d, 's'},    {0x85, 's'},
    {0xa0, 's'},    {0x1680, 's'}, {0x2000, 's'},  {0x2001, 's'},  {0x2002, 's'},  {0x2003, 's'},
    {0x2004, 's'},  {0x2005, 's'}, {0x2006, 's'},  {0x2007, 's'},  {0x2008, 's'},  {0x2009, 's'},
    {0x200a, 's'},  {0x2028, 's'}, {0x2029, 's'},  {0x202f, 's'},  {0x205f, 's'},  {0x3000, 's'},
    {0x41, 'L'},    {0xaa, 'L'},   {0xb5, 'L'},    {0x2b0, 'L'},   {0x3b1, 'L'},   {0x5d0, 'L'},
    {0x904, 'L'},   {0xe01, 'L'},  {0x4e2d, 'L'},  {0xac00, 'L'},  {0x1d400, 'L'}, {0x20000, 'L'},
    {0x2a6df, 'L'}, {0x30, 'N'},   {0xb2, 'N'},    {0xbc, 'N'},    {0x660, 'N'},   {0x966, 'N'},
    {0x2160, 'N'},  {0x2460, 'N'}, {0x3007, 'N'},  {0x1d7ce, 'N'}, {0x300, 'o'},   {0x903, 'o'},
    {0x200b, 'o'},  {0x200d, 'o'}, {0x20ac, 'o'},  {0x1f600, 'o'}, {0xfeff, 'o'},  {0x180e, 'o'},
    {0x1c, 'o'},    {0x1f, 'o'},   {0xe0041, 'o'}, {0x10ffff, 'o'}};

/* Twice the character between letters, digits or signs of its own class: where words end tells its
 * class. */
START_TEST(unicode_classes)
{
    struct lm_uni s;
    ck_assert_int_eq(lm_uni_init(&s), 0);
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        char         text[16];
        const char   with = classes[i].cls == 'L' ? 'x' : classes[i].cls == 'N' ? '7' : '#';
        const size_t n = utf8(text + 1, classes[i].c);
        text[0] = with;
        utf8(text + 1 + n, classes[i].c);
        text[1 + 2 * n] = with;
        if (classes[i].cls == 's') { /* # | first | second | # */
            ck_assert_uint_eq(lm_split_gpt2(&s, text, 2 * n + 2, 0), 1);
            ck_assert_uint_eq(lm_split_gpt2(&s, text, 2 * n + 2, 1), 1 + n);
            ck_assert_uint_eq(lm_split_gpt2(&s, text, 2 * n + 2, 1 + n), 1 + 2 * n);
        } else {
            ck_assert_msg(lm_split_gpt2(&s, text, 2 * n + 2, 0) == 2 * n + 2, "U+%04X is not %c",
                          classes[i].c, classes[i].cls);
            for (const char *o = "x7#"; *o; o++) { /* and it ends where another class begins */
                text[1 + n] = *o;
                ck_assert_msg((lm_split_gpt2(&s, text, n + 2, 0) == n + 2) == (*o == with),
                              "U+%04X is not %c", classes[i].c, classes[i].cls);
            }
        }
    }
    lm_uni_free(&s);
}
END_TEST

/* Any bytes: nothing is lost, since every token stands for its bytes. */
START_TEST(invalid_utf8_is_taken_bytewise)
{
    struct lm_tok t;
    uint64_t      state = 17;
    load(&t, TINY);
    for (size_t round = 0; round < 2000; round++) {
        char                 s[40], back[256];
        uint32_t             ids[40];
        size_t               n = round % 40, got, at;
        struct lm_decode_out out = {back, sizeof(back), 0};
        for (size_t i = 0; i < n; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            s[i] = (char)(state >> 56 | (round & 1 ? 0x80 : 0));
        }
        got = encode(&t, s, n, 0, ids, 40);
        lm_decode(&t, ids, got, LM_DECODE_BYTES, &out);
        at = out.count;
        ck_assert_uint_eq(at, n);
        ck_assert_mem_eq(back, s, n);
    }
    lm_tok_free(&t);
}
END_TEST

/* ---- files --------------------------------------------------------------------------------- */

/* Replaces the first `from` in the bundled file. */
static char *changed(const char *from, const char *to, size_t *n)
{
    char *text = lab_read(TINY, n), *hit = strstr(text, from), *out;
    ck_assert_msg(hit, "%s", from);
    out = malloc(*n + strlen(to) + 1);
    memcpy(out, text, (size_t)(hit - text));
    memcpy(out + (hit - text), to, strlen(to));
    memcpy(out + (hit - text) + strlen(to), hit + strlen(from), strlen(hit + strlen(from)) + 1);
    *n = strlen(out);
    free(text);
    return out;
}

static const struct {
    const char *from, *to;
    drh_status  status;
    const char *says;
} variants[] = {
    {"\"normalizer\": null", "\"normalizer\": {\"type\": \"Precompiled\"}", DRH_E_UNSUPPORTED,
     "normalizer: the type \"Precompiled\""},
    {"\"type\": \"ByteLevel\"", "\"type\": \"UnicodeScripts\"", DRH_E_UNSUPPORTED,
     "pre_tokenizer: the type \"UnicodeScripts\""},
    {"\"add_prefix_space\": false", "\"add_prefix_space\": 0", DRH_E_DATA, "add_prefix_space"},
    {"\"use_regex\": true", "\"use_regex\": \"no\"", DRH_E_DATA, "use_regex"},
    {"\"post_processor\": {\"type\": \"ByteLevel\"",
     "\"post_processor\": {\"type\": \"BertProcessing\"", DRH_E_UNSUPPORTED, "post_processor"},
    {"\"type\": \"BPE\"", "\"type\": \"Unigram\"", DRH_E_UNSUPPORTED, "model.type \"Unigram\""},
    {"\"type\": \"BPE\"", "\"type\": \"WordPiece\"", DRH_E_UNSUPPORTED,
     "model.type \"WordPiece\" is not supported"},
    {"\"model\": {", "\"modal\": {", DRH_E_UNSUPPORTED, "model: is missing"},
    {"\"merges\": [", "\"marges\": [", DRH_E_UNSUPPORTED, "vocab or merges is missing"},
    {"\"dropout\": null", "\"dropout\": 0.1", DRH_E_UNSUPPORTED, "model.dropout"},
    {"\"byte_fallback\": false", "\"byte_fallback\": 1", DRH_E_DATA, "byte_fallback"},
    {"\"end_of_word_suffix\": \"\"", "\"end_of_word_suffix\": \"</w>\"", DRH_E_UNSUPPORTED,
     "end_of_word_suffix"},
    {"\"lstrip\": false", "\"lstrip\": 1", DRH_E_DATA, "added_tokens.lstrip"},
    {"\"\xc4\xa0\": 32", "\"\xc4\xa0\": 33", DRH_OK, ""}, /* ids may repeat */
    {"\"\xc4\xa0\": 32, ", "", DRH_E_UNSUPPORTED, "0x20"},
    {"\"!\": 33", "\"!\": -1", DRH_E_DATA, "vocab"},
    {"\"!\": 33", "\"!\": 99999999999999999999999", DRH_E_DATA, "vocab"},
    {"\"!\": 33", "\"!\": 33, \"!\": 34", DRH_E_DATA, "same text"},
    {"\"\xc4\xa0 t\"", "\"\xc4\xa0t\"", DRH_E_DATA, "merges[0]"},
    {"\"\xc4\xa0 t\"", "\"\xc4\xa0 !!!!!\"", DRH_E_DATA, "merges[0]"},
    {"\"\xc4\xa0 t\"", "[\"\xc4\xa0\"]", DRH_E_DATA, "merges[0]"},
    {"\"\xc4\xa0 t\"", "[\"\xc4\xa0\", \"t\"]", DRH_OK, ""},
    {"\"\xc4\xa0 t\"", "[\"\xc4\xa0\", \"t\", \"t\"]", DRH_E_DATA, "merges[0]"},
    {"\"added_tokens\": [", "\"added_tokens\": [7, ", DRH_E_DATA, "added_tokens"},
    {"\"id\": 4095", "\"id\": null", DRH_E_DATA, "added_tokens"},
};

START_TEST(variants_of_the_file)
{
    struct lm_tok t;
    drh_error     e = DRH_ERROR_INIT;
    size_t        n;
    char         *text = changed(variants[_i].from, variants[_i].to, &n);
    drh_status    st = lm_tok_load(&t, (const uint8_t *)text, n, "tokenizer.json", &e);
    ck_assert_msg(st == variants[_i].status, "%s: %d %s", variants[_i].to, st, e.message);
    if (st == DRH_OK) {
        lm_tok_free(&t);
    } else {
        ck_assert_msg(strstr(e.message, variants[_i].says) && strstr(e.message, "tokenizer.json"),
                      "%s", e.message);
    }
    free(text);
}
END_TEST

/* Merges written as pairs give the same tokens. */
START_TEST(merges_as_pairs)
{
    struct lm_tok t;
    drh_error     e = DRH_ERROR_INIT;
    size_t        n;
    char         *text = lab_read(TINY, &n), *printed;
    cJSON        *all = cJSON_Parse(text), *merges, *pairs = cJSON_CreateArray(), *m;
    merges = cJSON_GetObjectItem(cJSON_GetObjectItem(all, "model"), "merges");
    cJSON_ArrayForEach(m, merges)
    {
        cJSON *pair = cJSON_CreateArray();
        char  *sp = strchr(m->valuestring, ' ');
        *sp = 0;
        cJSON_AddItemToArray(pair, cJSON_CreateString(m->valuestring));
        cJSON_AddItemToArray(pair, cJSON_CreateString(sp + 1));
        cJSON_AddItemToArray(pairs, pair);
    }
    cJSON_ReplaceItemInObject(cJSON_GetObjectItem(all, "model"), "merges", pairs);
    printed = cJSON_PrintUnformatted(all);
    ck_assert_msg(lm_tok_load(&t, (const uint8_t *)printed, strlen(printed), "f", &e) == DRH_OK,
                  "%s", e.message);
    check_rows(&t, DATA "tiny-gpt2/tokens.jsonl");
    lm_tok_free(&t);
    free(printed);
    cJSON_Delete(all);
    free(text);
}
END_TEST

/* A file cut anywhere is an error, and not a fault. */
START_TEST(cut_files)
{
    struct lm_tok t;
    size_t        n;
    char         *text = lab_read(TINY, &n), *copy;
    while (n > 0 && text[n - 1] != '}') {
        n--;
    }
    for (size_t cut = 0; cut < n; cut += cut < 1200 ? 7 : 4001) {
        drh_error e = DRH_ERROR_INIT;
        copy = malloc(cut + 1);
        memcpy(copy, text, cut);
        copy = realloc(copy, cut ? cut : 1);
        ck_assert_int_ne(lm_tok_load(&t, (const uint8_t *)copy, cut, "f", &e), DRH_OK);
        free(copy);
    }
    free(text);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("infer_tokens");
    TCase   *t = tcase_create("tokens"), *f = tcase_create("files");
    SRunner *r;
    int      failed;
    tcase_set_timeout(t, 60);
    tcase_set_timeout(f, 60);
    tcase_add_loop_test(t, golden_tokens, 0, 2);
    tcase_add_test(t, golden_rows);
    tcase_add_test(t, long_words_as_the_definition);
    tcase_add_loop_test(t, parts_as_the_definition, 0, 20);
    tcase_add_test(t, huge_word);
    tcase_add_test(t, unicode_classes);
    tcase_add_test(t, invalid_utf8_is_taken_bytewise);
    tcase_add_loop_test(f, variants_of_the_file, 0, (int)(sizeof(variants) / sizeof(variants[0])));
    tcase_add_test(f, merges_as_pairs);
    tcase_add_test(f, cut_files);
    suite_add_tcase(s, t);
    suite_add_tcase(s, f);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
