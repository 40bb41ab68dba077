/* SPDX-License-Identifier: MIT
 * old_plugin.c - a stage of each kind and shape, built from the frozen headers beside it: a plugin
 * that was made with SDK 1.0 and must load for ever.  The stages do nothing. */
#include <drh/infer.h>
#include <drh/turns.h>

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    (void)h;
    (void)c;
    (void)self;
    return drh_fail(e, DRH_E_UNSUPPORTED, "this plugin is only loaded");
}

static void destroy(void *self)
{
    (void)self;
}

static drh_status list(void *self, drh_list *l, drh_error *e)
{
    (void)self;
    (void)l;
    (void)e;
    return DRH_OK;
}

static int32_t sniff(void *self, const uint8_t *head, size_t len, const char *name)
{
    (void)self;
    (void)head;
    (void)len;
    (void)name;
    return 0;
}

static drh_status open_stream(void *self, const char *path, const drh_str *position, void **stream,
                              drh_error *e)
{
    (void)self;
    (void)path;
    (void)position;
    (void)stream;
    (void)e;
    return DRH_E_UNSUPPORTED;
}

static drh_status next(void *self, void *stream, drh_record *slot, drh_error *e)
{
    (void)self;
    (void)stream;
    (void)slot;
    (void)e;
    return DRH_END;
}

static drh_status tell(void *self, void *stream, drh_str *position, drh_error *e)
{
    (void)self;
    (void)stream;
    (void)position;
    (void)e;
    return DRH_OK;
}

static void close_stream(void *self, void *stream)
{
    (void)self;
    (void)stream;
}

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    (void)self;
    (void)worker;
    (void)r;
    (void)n;
    (void)e;
    return DRH_OK;
}

static drh_status start(void *self, void *worker, drh_record *r, drh_error *e)
{
    (void)self;
    (void)worker;
    (void)r;
    (void)e;
    return DRH_OK;
}

static drh_status resume(void *self, void *worker, drh_record *r, uint64_t tag, const void *result,
                         drh_error *e)
{
    (void)tag;
    (void)result;
    return start(self, worker, r, e);
}

static drh_status observe(void *self, void *worker, drh_record *const *r, size_t n, drh_sink *notes,
                          drh_error *e)
{
    (void)notes;
    return process(self, worker, r, n, e);
}

static drh_status merge(void *self, const char *const *notes, size_t n, drh_sink *result,
                        drh_error *e)
{
    (void)self;
    (void)notes;
    (void)n;
    (void)result;
    (void)e;
    return DRH_OK;
}

static drh_status prepare(void *self, const char *result, drh_error *e)
{
    (void)self;
    (void)result;
    (void)e;
    return DRH_OK;
}

static drh_status ranking(void *self, drh_ranking *out, drh_error *e)
{
    (void)self;
    (void)e;
    out->field = "/metadata/score";
    return DRH_OK;
}

static drh_status sink_edge(void *self, drh_sink *s, drh_error *e)
{
    (void)self;
    (void)s;
    (void)e;
    return DRH_OK;
}

static drh_status sink_records(void *self, drh_record *const *r, size_t n, drh_sink *s,
                               drh_error *e)
{
    (void)s;
    return process(self, NULL, r, n, e);
}

static const void *get(void *self, const char *id)
{
    (void)self;
    (void)id;
    return NULL;
}

static const drh_life life = {.struct_size = sizeof(life), .create = create, .destroy = destroy};
static const drh_source_ops source = {.struct_size = sizeof(source), .list = list};
static const drh_reader_ops reader = {.struct_size = sizeof(reader),
                                      .sniff = sniff,
                                      .open = open_stream,
                                      .next = next,
                                      .tell = tell,
                                      .close = close_stream};
static const drh_map_ops    simple = {.struct_size = sizeof(simple), .process = process};
static const drh_map_ops    asks = {.struct_size = sizeof(asks), .start = start, .resume = resume};
static const drh_map_ops    all = {.struct_size = sizeof(all),
                                   .observe = observe,
                                   .merge = merge,
                                   .prepare = prepare,
                                   .apply = process};
static const drh_selector_ops selector = {
    .struct_size = sizeof(selector), .map = &asks, .ranking = ranking};
static const drh_converter_ops records = {.struct_size = sizeof(records), .map = &simple};
static const char *const       suffixes[] = {".bin", ".idx", NULL};
static const drh_converter_ops bytes = {.struct_size = sizeof(bytes),
                                        .suffixes = suffixes,
                                        .begin = sink_edge,
                                        .write = sink_records,
                                        .end = sink_edge};
static const char *const       ids[] = {DRH_INFER, "com.example.old/1", NULL};
static const drh_service_ops   service = {.struct_size = sizeof(service), .ids = ids, .get = get};
static const char *const       needs[] = {DRH_INFER, NULL};

#define STAGE(name, stage_kind, member, table, ...)                                                \
    static const drh_stage name = {.struct_size = sizeof(drh_stage),                               \
                                   .kind = stage_kind,                                             \
                                   .id = "old-" #name,                                             \
                                   .version = "1.0.0",                                             \
                                   .summary = "loads for ever",                                    \
                                   .life = &life,                                                  \
                                   .ops.member = &table,                                           \
                                   __VA_ARGS__}
STAGE(src, DRH_KIND_SOURCE, source, source, .flags = DRH_NETWORK);
STAGE(read, DRH_KIND_READER, reader, reader, .threading = DRH_WORKERS);
STAGE(prep, DRH_KIND_PREPROCESSOR, map, simple, .flags = DRH_GIVES_CANONICAL);
STAGE(dedup, DRH_KIND_PREPROCESSOR, map, all, .scope = DRH_SCOPE_DATASET);
STAGE(synth, DRH_KIND_SYNTHESIZER, map, asks, .needs = needs);
STAGE(select, DRH_KIND_SELECTOR, selector, selector, .needs = needs);
STAGE(conv, DRH_KIND_CONVERTER, converter, records, .scope = DRH_SCOPE_SHARD);
STAGE(write, DRH_KIND_CONVERTER, converter, bytes, .config_schema = "{\"type\":\"object\"}");
STAGE(infer, DRH_KIND_SERVICE, service, service, .threading = DRH_PINNED);

static const drh_stage *const stages[] = {&src,    &read, &prep,  &dedup, &synth,
                                          &select, &conv, &write, &infer};

static drh_status init(const drh_host *h, drh_error *e)
{
    if (h->struct_size < sizeof(*h) || h->extension(h, DRH_INFER)) {
        return drh_fail(e, DRH_E_UNSUPPORTED, "not the host that 1.0 promised to init()");
    }
    return h->field(h, "/metadata/score", 15) ? DRH_OK : drh_fail(e, DRH_E_NOMEM, "no field");
}

static void fini(void)
{
}

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry_v1),
    .abi_minor = DRH_ABI_MINOR,
    .n_stages = sizeof(stages) / sizeof(stages[0]),
    .name = "old_plugin",
    .version = "1.0.0",
    .license = "MIT",
    .stages = stages,
    .init = init,
    .fini = fini,
};
DRH_PLUGIN_NOTE(0, "source old-src 1.0.0\n"
                   "reader old-read 1.0.0\n"
                   "preprocessor old-prep 1.0.0 canonical\n"
                   "preprocessor old-dedup 1.0.0\n"
                   "synthesizer old-synth 1.0.0\n"
                   "selector old-select 1.0.0\n"
                   "converter old-conv 1.0.0\n"
                   "converter old-write 1.0.0\n"
                   "service old-infer 1.0.0 drh.infer/1 com.example.old/1");
