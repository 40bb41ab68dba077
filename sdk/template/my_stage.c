/* SPDX-License-Identifier: MIT
 * my_stage.c - a stage plugin to start from: a preprocessor with options, an instance, and counts.
 *
 * Copy this folder, rename my_stage everywhere, and write process().  It builds with the installed
 * SDK: `make`, or CMake.  The header drh/plugin.h says what each slot must do and on which thread.
 */
#include <drh/turns.h>
#include <drh/util.h>

/* One instance a step.  After create() it is only read: several threads use it (DRH_WORKERS). */
struct my_stage {
    const drh_host *host;
    int64_t         min_turns;
    drh_field       mark;
};

/* What users may set; the host checks it, fills in defaults and prints it in `plugin show`. */
static const char SCHEMA[] = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
                             "\"min_turns\":{\"type\":\"integer\",\"minimum\":1,\"default\":2,"
                             "\"description\":\"drop conversations with fewer turns\"},"
                             "\"mark\":{\"type\":\"string\",\"default\":\"/metadata/turns\","
                             "\"description\":\"where the number of turns goes\"}}}";

static drh_status read_options(struct my_stage *s, const drh_config *c, drh_error *e)
{
    const drh_config_api *config = s->host->config;
    drh_str               mark = {NULL, 0};

    if (config->get_i64(c, "/min_turns", &s->min_turns) != DRH_OK ||
        config->get_str(c, "/mark", &mark) != DRH_OK) {
        return drh_fail(e, DRH_E_CONFIG, "cannot read the options"); /* they have defaults */
    }
    s->mark = s->host->field(s->host, mark.ptr, mark.len);
    if (s->mark == DRH_FIELD_NONE) {
        return drh_fail(e, DRH_E_CONFIG,
                        "mark: \"%.*s\" is no field; write it like /metadata/turns", (int)mark.len,
                        mark.ptr);
    }
    return DRH_OK;
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct my_stage *s = h->alloc(h, NULL, sizeof(*s));
    drh_status       st;

    if (!s) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    s->host = h;
    st = read_options(s, c, e);
    if (st != DRH_OK) {
        (void)h->alloc(h, s, 0); /* destroy() is not called when create() fails */
        return st;
    }
    *self = s;
    return DRH_OK;
}

static void destroy(void *self)
{
    struct my_stage *s = self;

    (void)s->host->alloc(s->host, s, 0);
}

/* Settles one record: keep, drop or fail, exactly once.  Reasons are short codes; they are counted
 * and reported. */
static drh_status one(const struct my_stage *s, drh_record *r)
{
    const drh_record_api *api = s->host->records;
    drh_turns             turns;
    drh_turn              turn;
    int64_t               n = 0;
    drh_status            st = drh_turns_open(&turns, s->host, r);

    while (st == DRH_OK) {
        st = drh_turns_next(&turns, &turn);
        n += st == DRH_OK;
    }
    if (st != DRH_END) {
        return api->fail(r, "bad_turns", NULL, 0);
    }
    if (n < s->min_turns) {
        return api->drop(r, "too_few_turns", NULL, 0);
    }
    if (api->set_i64(r, s->mark, n) != DRH_OK) {
        return api->fail(r, "cannot_mark", NULL, 0);
    }
    return api->keep(r);
}

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    drh_status st = DRH_OK;
    size_t     i;

    (void)worker; /* no state a thread: there is no open_worker() */
    for (i = 0; i < n && st == DRH_OK; i++) {
        st = one(self, r[i]);
    }
    return st == DRH_OK ? DRH_OK : drh_fail(e, st, "cannot settle a record");
}

static const drh_life    LIFE = {.struct_size = sizeof(LIFE), .create = create, .destroy = destroy};
static const drh_map_ops OPS = {.struct_size = sizeof(OPS), .process = process};
static const drh_stage   STAGE = {
      .struct_size = sizeof(STAGE),
      .kind = DRH_KIND_PREPROCESSOR,
      .id = "my_stage", /* com.example.my_stage when others will use it */
      .version = "0.1.0",
      .summary = "drop conversations with few turns",
      .config_schema = SCHEMA,
      .threading = DRH_WORKERS,
      .flags = DRH_DETERMINISTIC | DRH_WANTS_CANONICAL,
      .life = &LIFE,
      .ops.map = &OPS,
};
static const drh_stage *const STAGES[] = {&STAGE};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry_v1),
    .abi_minor = DRH_ABI_MINOR,
    .abi_minor_need = 0,
    .n_stages = 1,
    .name = "my_stage",
    .version = "0.1.0",
    .license = "MIT",
    .stages = STAGES,
};
DRH_PLUGIN_NOTE(0, "preprocessor my_stage 0.1.0");
