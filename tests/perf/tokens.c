/* SPDX-License-Identifier: MIT
 *
 * tokens.c - the tokenizer by hand.
 *     tokens TOKENIZER.json FILE [MEGABYTES]   speed: the file's lines, over and over, one thread
 *     tokens TOKENIZER.json --word MEGABYTES   one word of so many megabytes, of two, four times it
 *     tokens TOKENIZER.json --ids              reads "special_n length\nTEXT" again and again from
 *                                              stdin; writes the ids, and then the decoded text as
 *                                              "length\nTEXT": tests/data/tokenizers/compare.py
 */
#define _POSIX_C_SOURCE 200809L
#include "lm_decode.h"

#include <drh/util.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Of this process: other programs on the machine change it little. */
static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static char *read_all(const char *path, size_t *n)
{
    FILE  *f = fopen(path, "rb");
    char  *p = NULL;
    size_t cap = 0, got;
    *n = 0;
    if (!f) {
        perror(path);
        exit(1);
    }
    do {
        cap = cap * 2 + 65536;
        p = realloc(p, cap);
        got = p ? fread(p + *n, 1, cap - *n, f) : 0;
        *n += got;
    } while (*n == cap);
    (void)fclose(f);
    return p;
}

static void encode(const struct lm_tok *t, const char *p, size_t n, size_t special_n,
                   struct lm_tok_out *out)
{
    out->count = 0;
    if (lm_tok_encode(t, p, n, special_n, out)) {
        (void)fputs("out of memory\n", stderr);
        exit(1);
    }
}

/* Each line is a text of its own, then the whole file is one. */
static void speed(const struct lm_tok *t, const char *p, size_t n, double megabytes)
{
    struct lm_tok_out out = {malloc((n + 16) * sizeof(uint32_t)), n + 16, 0};
    for (int whole = 0; whole < 2; whole++) {
        size_t bytes = 0, tokens = 0, limit = (size_t)(megabytes * 1e6);
        double start = now();
        while (bytes < limit) {
            for (size_t at = 0, end; at < n; at = end) {
                const char *nl = whole ? NULL : memchr(p + at, '\n', n - at);
                end = nl ? (size_t)(nl - p) + 1 : n;
                encode(t, p + at, end - at, 0, &out);
                tokens += out.count;
            }
            bytes += n;
        }
        start = now() - start;
        printf("%s: %.0f MB, %.1f MB/s, %.2f M tokens/s\n", whole ? "one text" : "lines   ",
               (double)bytes / 1e6, (double)bytes / 1e6 / start, (double)tokens / 1e6 / start);
    }
    free(out.ids);
}

static void words(const struct lm_tok *t, double megabytes)
{
    for (int kind = 0; kind < 3; kind++) {
        for (size_t k = 1; k <= 4; k *= 2) {
            size_t            n = (size_t)(megabytes * 1e6) * k;
            char             *p = malloc(n);
            struct lm_tok_out out = {NULL, 0, 0};
            uint64_t          x = 1;
            double            start;
            for (size_t i = 0; i < n; i++) {
                x = x * 6364136223846793005u + 1442695040888963407u;
                p[i] = kind == 0 ? 'a' : kind == 1 ? (char)('a' + (x >> 33) % 26) : ' ';
            }
            start = now();
            encode(t, p, n, 0, &out);
            printf("%s %zu bytes: %.3f s, %zu tokens\n",
                   kind == 0   ? "one letter    "
                   : kind == 1 ? "random letters"
                               : "spaces        ",
                   n, now() - start, out.count);
            free(p);
        }
    }
}

static void serve(const struct lm_tok *t)
{
    size_t special, n;
    char   line[64];
    while (fgets(line, sizeof(line), stdin)) {
        char                *end, *p;
        struct lm_tok_out    out = {NULL, 0, 0};
        struct lm_decode_out text = {NULL, 0, 0};
        special = strtoull(line, &end, 10);
        n = strtoull(end, NULL, 10);
        p = malloc(n + 1);
        if (!p || fread(p, 1, n, stdin) != n) {
            exit(1);
        }
        encode(t, p, n, special, &out);
        out.cap = out.count;
        out.ids = malloc((out.cap + 1) * sizeof(*out.ids));
        encode(t, p, n, special, &out);
        for (size_t i = 0; i < out.count; i++) {
            printf(i ? " %u" : "%u", out.ids[i]);
        }
        lm_decode(t, out.ids, out.count, 0, &text);
        text.cap = text.count;
        text.p = malloc(text.cap + 1);
        text.count = 0;
        lm_decode(t, out.ids, out.count, 0, &text);
        printf("\n%zu\n", text.count);
        (void)fwrite(text.p, 1, text.count, stdout);
        free(text.p);
        free(out.ids);
        free(p);
    }
}

int main(int argc, char **argv)
{
    struct lm_tok t;
    drh_error     e = DRH_ERROR_INIT;
    size_t        n;
    char         *json;
    double        start;
    if (argc < 3) {
        (void)fputs("tokens TOKENIZER.json FILE [MEGABYTES] | --word MEGABYTES | --ids\n", stderr);
        return 2;
    }
    json = read_all(argv[1], &n);
    start = now();
    if (lm_tok_load(&t, (const uint8_t *)json, n, argv[1], &e) != DRH_OK) {
        (void)fprintf(stderr, "%s\n", e.message);
        return 1;
    }
    free(json);
    (void)fprintf(stderr, "loaded in %.0f ms\n", (now() - start) * 1e3);
    if (strcmp(argv[2], "--ids") == 0) {
        serve(&t);
    } else if (strcmp(argv[2], "--word") == 0) {
        words(&t, argc > 3 ? strtod(argv[3], NULL) : 1);
    } else {
        char *p = read_all(argv[2], &n);
        speed(&t, p, n, argc > 3 ? strtod(argv[3], NULL) : 100);
        free(p);
    }
    lm_tok_free(&t);
    return 0;
}
