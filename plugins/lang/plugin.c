/* SPDX-License-Identifier: MIT
 *
 * plugin.c - the call and the tables of lang.so.
 */
#include "lang.h"

/* Letters with which an answer stands for itself. */
enum { ENOUGH = 100 };

/* ---- the call ------------------------------------------------------------------------------ */

/* Adds the turns of one side, or of both.  DRH_E_DATA: there is no conversation. */
static drh_status add_turns(struct lang_worker *w, const drh_record *r, enum lang_of of)
{
    drh_turns  turns;
    drh_turn   turn;
    drh_status st = drh_turns_open(&turns, w->lang->host, r);

    if (st != DRH_OK) {
        return st == DRH_E_NOMEM ? st : DRH_E_DATA;
    }
    while ((st = drh_turns_next(&turns, &turn)) != DRH_END) {
        if (st != DRH_OK) {
            return st == DRH_E_NOMEM ? st : DRH_E_DATA;
        }
        if (turn.type == DRH_T_STRING && ((of != OF_QUESTION && turn.role == DRH_ROLE_ASSISTANT) ||
                                          (of != OF_ANSWER && turn.role == DRH_ROLE_USER))) {
            lang_sample_add(&w->sample, turn.text);
        }
    }
    return DRH_OK;
}

static drh_status hear(struct lang_worker *w, const drh_record *r, enum lang_of of)
{
    lang_sample_clear(&w->sample);
    return add_turns(w, r, of);
}

/* Short answers (names, numbers, one sentence) are often mistaken: the question then helps, unless
 * it is in another script. */
static drh_status tell(struct lang_worker *w, const drh_record *r, size_t *row)
{
    const struct lang_sample *s = &w->sample;
    enum lang_script          script;
    size_t                    both;
    drh_status                st = hear(w, r, w->lang->of);

    if (st != DRH_OK) {
        return st;
    }
    script = lang_sample_script(s);
    *row = lang_detect(w);
    if (w->lang->of != OF_ANSWER ||
        (*row != LANG_UND && (script >= N_SHARED || s->letters[script] >= ENOUGH))) {
        return DRH_OK;
    }
    st = hear(w, r, OF_ALL);
    if (st == DRH_OK && (*row == LANG_UND || lang_sample_script(s) == script)) {
        both = lang_detect(w);
        *row = both != LANG_UND ? both : *row;
    }
    return st;
}

static drh_status one(struct lang_worker *w, drh_record *r, drh_error *e)
{
    const struct lang    *l = w->lang;
    const drh_record_api *api = l->host->records;
    const char           *code;
    size_t                row;
    drh_status            st = tell(w, r, &row);

    if (st == DRH_E_DATA) {
        return api->fail(r, "no_conversation", DRH_LIT("put chat before this step"));
    }
    if (st != DRH_OK) {
        return drh_fail(e, st, "out of memory");
    }
    code = lang_table[row].written;
    if (l->keeps && !l->keep[row]) {
        return api->drop(r, "lang", code, strlen(code));
    }
    st = api->set_str(r, l->lang, code, strlen(code));
    if (st == DRH_E_TYPE) {
        return api->fail(r, "bad_metadata", DRH_LIT("metadata is no object"));
    }
    return st == DRH_OK ? api->keep(r) : drh_fail(e, st, "out of memory");
}

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    drh_status st = DRH_OK;

    (void)self;
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        st = one(worker, r[i], e);
        if (st != DRH_OK && e->record < 0) {
            e->record = (int64_t)i;
        }
    }
    return st;
}

/* ---- life ---------------------------------------------------------------------------------- */

static void destroy(void *self)
{
    struct lang    *l = self;
    const drh_host *h = l->host;
    (void)h->alloc(h, l->models, 0);
    (void)h->alloc(h, l, 0);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct lang *l = h->alloc(h, NULL, sizeof(*l));
    drh_status   st;

    if (!l) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(l, 0, sizeof(*l));
    l->host = h;
    l->lang = drh_field_of(h, "/metadata/lang");
    st = l->lang ? lang_options(l, c, e) : drh_fail(e, DRH_E_NOMEM, "out of memory");
    if (st != DRH_OK) {
        destroy(l);
        return st;
    }
    *self = l;
    return DRH_OK;
}

static drh_status open_worker(void *self, uint32_t index, void **worker, drh_error *e)
{
    struct lang_worker *w = NULL;
    const drh_status    st = lang_worker_open(self, &w, e);
    (void)index;
    *worker = w;
    return st;
}

static void close_worker(void *self, void *worker)
{
    (void)self;
    lang_worker_close(worker);
}

static const drh_life life = {sizeof(drh_life), 0,   create, destroy, open_worker,
                              close_worker,     NULL};

static const drh_map_ops map = {.struct_size = sizeof(drh_map_ops), .process = process};

static const drh_stage lang = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_PREPROCESSOR,
    .id = "lang",
    .version = "1.0.0",
    .summary = "tells the language of a conversation, keeps those of the languages named",
    .config_schema = lang_schema,
    .threading = DRH_WORKERS,
    .scope = DRH_SCOPE_RECORD,
    .flags = DRH_DETERMINISTIC | DRH_WANTS_CANONICAL,
    .life = &life,
    .ops.map = &map,
};

static const drh_stage *const stages[] = {&lang};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry),
    .abi_minor = DRH_ABI_MINOR,
    .abi_minor_need = 0,
    .n_stages = 1,
    .name = "lang",
    .version = "1.0.0",
    .license = "MIT",
    .stages = stages,
};

DRH_PLUGIN_NOTE(0, "preprocessor lang 1.0.0\n");
