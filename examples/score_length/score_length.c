/* SPDX-License-Identifier: MIT
 * score_length - the smallest selector: scores a record by the bytes of its answers.  The host
 * ranks and cuts:  "select": [{ "use": "score_length", "top": 0.2 }] */
#include <drh/turns.h>

struct score {
    const drh_host *host;
    drh_field       length, status;
};

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct score *s = h->alloc(h, NULL, sizeof(*s));

    (void)c;
    if (!s) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    s->host = h;
    s->length = drh_field_of(h, "/metadata/length");
    s->status = drh_field_of(h, "/metadata/length_status");
    *self = s;
    return DRH_OK;
}

static void destroy(void *self)
{
    struct score *s = self;

    (void)s->host->alloc(s->host, s, 0);
}

static drh_status score_one(const struct score *s, drh_record *r)
{
    const drh_record_api *api = s->host->records;
    drh_turns             turns;
    drh_turn              turn;
    int64_t               bytes = 0;
    drh_status            st = drh_turns_open(&turns, s->host, r);

    while (st == DRH_OK && (st = drh_turns_next(&turns, &turn)) == DRH_OK) {
        if (turn.role == DRH_ROLE_ASSISTANT) {
            bytes += (int64_t)turn.text.len;
        }
    }
    if (st != DRH_END) { /* no score: the record stays, with the reason beside it */
        st = api->set_str(r, s->status, DRH_LIT("bad_turns"));
    } else {
        st = api->set_i64(r, s->length, bytes);
    }
    if (st != DRH_OK) {
        return api->fail(r, "cannot_set", NULL, 0);
    }
    return api->keep(r);
}

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    drh_status st = DRH_OK;
    size_t     i;

    (void)worker;
    for (i = 0; i < n && st == DRH_OK; i++) {
        st = score_one(self, r[i]);
    }
    return st == DRH_OK ? st : drh_fail(e, st, "cannot settle a record");
}

static drh_status ranking(void *self, drh_ranking *out, drh_error *e)
{
    (void)self;
    (void)e;
    out->field = "/metadata/length";
    out->status = "/metadata/length_status";
    return DRH_OK;
}

static const drh_life    LIFE = {.struct_size = sizeof(LIFE), .create = create, .destroy = destroy};
static const drh_map_ops MAP = {.struct_size = sizeof(MAP), .process = process};
static const drh_selector_ops OPS = {.struct_size = sizeof(OPS), .map = &MAP, .ranking = ranking};
static const drh_stage        STAGE = {
           .struct_size = sizeof(STAGE),
           .kind = DRH_KIND_SELECTOR,
           .id = "score_length",
           .version = "1.0.0",
           .summary = "score records by the length of their answers",
           .threading = DRH_WORKERS,
           .flags = DRH_DETERMINISTIC | DRH_WANTS_CANONICAL,
           .life = &LIFE,
           .ops.selector = &OPS,
};
static const drh_stage *const STAGES[] = {&STAGE};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry_v1),
    .abi_minor = DRH_ABI_MINOR,
    .n_stages = 1,
    .name = "score_length",
    .version = "1.0.0",
    .license = "MIT",
    .stages = STAGES,
};
DRH_PLUGIN_NOTE(0, "selector score_length 1.0.0");
