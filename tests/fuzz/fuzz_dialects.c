/* SPDX-License-Identifier: MIT
 * fuzz_dialects.c - any record through chat with several sets of options: it comes out as JSON or
 * with a reason, and what came out by the options that change no text goes through again
 * unchanged. */
#include "chat.h"

#include "field.h"
#include "hash.h"
#include "mem.h"
#include "must.h"
#include "record.h"
#include "schema.h"

#include <stdlib.h>

extern const drh_entry drh_entry_v1;

enum { SETS = 4 };

static struct {
    drh_host           host;
    struct drh_config *config;
    void              *self, *worker;
} stage[SETS];
static struct arena       *arena;
static const struct origin origin = {
    .file = {"f", 1}, .domain = {"", 0}, .dataset = {"", 0}, .source = {"", 0}};

static void quiet(const drh_host *h, uint32_t level, const char *msg, size_t len)
{
    (void)h, (void)level, (void)msg, (void)len;
}

static void *alloc(const drh_host *h, void *old, size_t size)
{
    (void)h;
    return mem_resize(old, size);
}

static drh_field field(const drh_host *h, const char *name, size_t len)
{
    (void)h;
    return field_intern(name, len);
}

static drh_status digest(const drh_host *h, const drh_str *parts, size_t n, uint8_t out[32])
{
    (void)h;
    return sha256_parts(parts, n, out);
}

static void start(size_t i, const char *options)
{
    const drh_stage *s = drh_entry_v1.stages[0];
    drh_error        e = DRH_ERROR_INIT;
    cJSON           *schema = NULL, *value = cJSON_Parse(options);
    stage[i].host = (drh_host){.struct_size = sizeof(drh_host),
                               .log = quiet,
                               .alloc = alloc,
                               .field = field,
                               .digest = digest,
                               .records = &record_api,
                               .values = &value_api,
                               .config = &config_api,
                               .json_open = json_doc_open,
                               .json_close = json_doc_close};
    MUST(value && schema_parse(s->config_schema, &schema, &e) == DRH_OK);
    MUST(schema_apply(schema, value, "", NULL, NULL, &e) == DRH_OK);
    MUST(config_new(value, &stage[i].config, &e) == DRH_OK);
    MUST(s->life->create(&stage[i].host, stage[i].config, &stage[i].self, &e) == DRH_OK);
    MUST(s->life->open_worker(stage[i].self, 0, &stage[i].worker, &e) == DRH_OK);
    cJSON_Delete(schema);
    cJSON_Delete(value);
}

/* The record that comes out, to be freed; NULL: none. */
static char *run(size_t i, const char *text, size_t len, bool *record)
{
    struct drh_record r, *list = &r;
    struct json_err   je;
    drh_error         e = DRH_ERROR_INIT;
    struct buf        out;
    arena_reset(arena);
    memset(&r, 0, sizeof(r));
    r.arena = arena;
    r.origin = &origin;
    *record = record_parse(&r, text, len, &je) == DRH_OK;
    if (!*record) {
        return NULL;
    }
    MUST(drh_entry_v1.stages[0]->ops.map->process(stage[i].self, stage[i].worker, &list, 1, &e) ==
         DRH_OK);
    MUST(r.settled != REC_OPEN);
    if (r.settled != REC_KEPT) {
        MUST(r.reason[0]);
        return NULL;
    }
    buf_init(&out, SIZE_MAX / 2);
    MUST(record_write(&r, &out) == DRH_OK);
    return out.ptr;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const options[SETS] = {
        "{}",
        "{\"think\":\"strip\",\"flags\":true,\"same_role\":\"merge\",\"later_system\":\"merge\"}",
        "{\"think\":\"render\",\"tools\":\"render\",\"empty\":\"keep\",\"kind\":true}",
        "{\"output\":\"messages\"}"};
    char *text = malloc(size ? size : 1); /* so that a byte behind it is seen */
    bool  record = true;
    MUST(text);
    if (size) {
        memcpy(text, data, size);
    }
    if (!arena) {
        arena = arena_new();
        for (size_t i = 0; i < SETS; i++) {
            start(i, options[i]);
        }
    }
    for (size_t i = 0; i < SETS && record; i++) {
        char *once = run(i, text, size, &record), *again;
        if (once) {
            again = run(i == 2 ? 2 : 0, once, strlen(once), &record);
            MUST(record);
            MUST(i > 1 || (again && strcmp(again, once) == 0));
            mem_free(again);
        }
        mem_free(once);
    }
    free(text);
    return 0;
}
