/* SPDX-License-Identifier: MIT
 *
 * stage.c - speed of one preprocessor or converter on one core, without files and threads:
 *
 *     perf_stage build/plugins/chat.so data.jsonl [OPTIONS]
 *
 * Reads the lines into memory, then parses, runs the stage and writes each record into a buffer,
 * several rounds; prints bytes of input a second for parse and write alone and with the stage.  By
 * hand, not in ctest.
 */
#include "err.h"
#include "field.h"
#include "hash.h"
#include "mem.h"
#include "outfile.h"
#include "record.h"
#include "schema.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 5, BATCH = 64 };

struct perf {
    drh_host           host;
    const drh_map_ops *map;
    void              *self, *worker;
    struct arena      *arena;
    struct origin      origin;
    struct buf         out;
    size_t             kept, settled;
};

static void perf_log(const drh_host *h, uint32_t level, const char *msg, size_t len)
{
    (void)h, (void)level, (void)msg, (void)len;
}

static void *perf_alloc(const drh_host *h, void *old, size_t size)
{
    (void)h;
    return mem_resize(old, size);
}

static drh_field perf_field(const drh_host *h, const char *name, size_t len)
{
    (void)h;
    return field_intern(name, len);
}

static drh_status perf_digest(const drh_host *h, const drh_str *parts, size_t n, uint8_t out[32])
{
    (void)h;
    return sha256_parts(parts, n, out);
}

/* CPU time, so that a busy machine does not count. */
static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const char *what, const drh_error *e)
{
    (void)fprintf(stderr, "perf_stage: %s: %s\n", what, e ? e->message : "");
    exit(1);
}

static void run_batch(struct perf *p, struct drh_record *r, size_t n, int with_stage)
{
    drh_record *list[BATCH] = {NULL};
    drh_error   e = ERR_INIT;
    size_t      i;
    for (i = 0; i < n; i++) {
        list[i] = &r[i];
    }
    if (with_stage && p->map->process(p->self, p->worker, list, n, &e) != DRH_OK) {
        die("process", &e);
    }
    for (i = 0; i < n; i++) {
        p->settled++;
        if (!with_stage || r[i].settled == REC_KEPT) {
            p->kept++;
            if (record_write(&r[i], &p->out) != DRH_OK) {
                die("write", NULL);
            }
        }
    }
    buf_reset(&p->out);
    arena_reset(p->arena);
}

static double run_all(struct perf *p, const char *text, size_t len, int with_stage)
{
    static struct drh_record r[BATCH];
    double                   from = now();
    const char              *at = text, *end = text + len;
    size_t                   n = 0;
    p->kept = p->settled = 0;
    while (at < end) {
        const char     *nl = memchr(at, '\n', (size_t)(end - at));
        size_t          line = nl ? (size_t)(nl - at) : (size_t)(end - at);
        struct json_err je;
        memset(&r[n], 0, sizeof(r[n]));
        r[n].arena = p->arena;
        r[n].origin = &p->origin;
        r[n].line = 1;
        if (line > 0 && record_parse(&r[n], at, line, &je) == DRH_OK) {
            n++;
        }
        at += line + 1;
        if (n == BATCH) {
            run_batch(p, r, n, with_stage);
            n = 0;
        }
    }
    run_batch(p, r, n, with_stage);
    return now() - from;
}

static void open_stage(struct perf *p, const char *path, const char *options)
{
    void              *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const drh_entry   *entry = so ? dlsym(so, "drh_entry_v1") : NULL;
    const drh_stage   *stage;
    cJSON             *schema = NULL, *value = cJSON_Parse(options);
    struct drh_config *config = NULL;
    drh_error          e = ERR_INIT;
    if (!entry || !value) {
        die(path, NULL);
    }
    stage = entry->stages[0];
    p->map = stage->kind == DRH_KIND_CONVERTER ? stage->ops.converter->map : stage->ops.map;
    p->host = (drh_host){.struct_size = sizeof(drh_host),
                         .max_workers = 1,
                         .step = stage->id,
                         .log = perf_log,
                         .alloc = perf_alloc,
                         .field = perf_field,
                         .digest = perf_digest,
                         .records = &record_api,
                         .values = &value_api,
                         .config = &config_api,
                         .json_open = json_doc_open,
                         .json_close = json_doc_close};
    if (schema_parse(stage->config_schema, &schema, &e) != DRH_OK ||
        schema_apply(schema, value, "", NULL, NULL, &e) != DRH_OK ||
        config_new(value, &config, &e) != DRH_OK ||
        stage->life->create(&p->host, config, &p->self, &e) != DRH_OK ||
        stage->life->open_worker(p->self, 0, &p->worker, &e) != DRH_OK) {
        die(path, &e);
    }
}

int main(int argc, char **argv)
{
    static struct perf p;
    drh_error          e = ERR_INIT;
    char              *text;
    size_t             len;
    double             base = 0, full = 0;
    int                i;
    if (argc < 3) {
        (void)fprintf(stderr, "usage: perf_stage PLUGIN.so FILE.jsonl [OPTIONS as JSON]\n");
        return 2;
    }
    if (read_file(argv[2], (size_t)4 << 30, &text, &len, &e) != DRH_OK) {
        die("read", &e);
    }
    p.arena = arena_new();
    p.origin = (struct origin){{"d/x.jsonl", 9}, {"General", 7}, {"set", 3}, {"local:x", 7}};
    buf_init(&p.out, (size_t)1 << 30);
    open_stage(&p, argv[1], argc > 3 ? argv[3] : "{}");
    for (i = 0; i < ROUNDS; i++) { /* in turns, the best of each */
        double t = run_all(&p, text, len, 0);
        base = i == 0 || t < base ? t : base;
        t = run_all(&p, text, len, 1);
        full = i == 0 || t < full ? t : full;
    }
    printf("%zu of %zu records kept, %.1f MB\n", p.kept, p.settled, (double)len / 1e6);
    printf("parse, write         %8.1f MB/s\n", (double)len / 1e6 / base);
    printf("parse, stage, write  %8.1f MB/s\n", (double)len / 1e6 / full);
    printf("the stage alone      %8.1f MB/s\n", (double)len / 1e6 / (full - base));
    return 0;
}
