/* SPDX-License-Identifier: MIT
 *
 * synth_record.c - a conversation as the canonical record; see synth.h.
 */
#include "synth.h"

void synth_hex(const uint8_t *sum, size_t n, char *out)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < n / 2; i++) {
        out[2 * i] = hex[sum[i] >> 4];
        out[2 * i + 1] = hex[sum[i] & 15];
    }
    out[n] = '\0';
}

drh_status synth_find_fields(const drh_host *h, struct synth_fields *f)
{
    const struct {
        drh_field  *f;
        const char *name;
    } fields[] = {{&f->conversations, "conversations"},
                  {&f->system, "system"},
                  {&f->id, "/metadata/id"},
                  {&f->domain, "/metadata/domain"},
                  {&f->dataset, "/metadata/dataset"},
                  {&f->source, "/metadata/source"},
                  {&f->lang, "/metadata/lang"},
                  {&f->synthesis, "/metadata/synthesis"}};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        *fields[i].f = drh_field_of(h, fields[i].name);
        if (*fields[i].f == DRH_FIELD_NONE) {
            return DRH_E_NOMEM;
        }
    }
    return DRH_OK;
}

static const char *role_of(size_t i, int one_sided)
{
    return one_sided || i % 2 ? "gpt" : "human";
}

static drh_status put_turn(const drh_record_api *api, drh_record *r, const char *from, drh_str text)
{
    drh_status st = api->begin(r, DRH_T_OBJECT);
    st = st == DRH_OK ? api->put_key(r, DRH_LIT("from")) : st;
    st = st == DRH_OK ? api->put_str(r, from, strlen(from)) : st;
    st = st == DRH_OK ? api->put_key(r, DRH_LIT("value")) : st;
    st = st == DRH_OK ? api->put_str(r, text.ptr, text.len) : st;
    return st == DRH_OK ? api->end(r) : st;
}

static drh_status put_turns(const drh_host *h, const struct synth_fields *f, drh_record *r,
                            const drh_str *turn, size_t n, int one_sided)
{
    drh_status st = h->records->open(r, f->conversations, DRH_T_ARRAY);
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        st = put_turn(h->records, r, role_of(i, one_sided), turn[i]);
    }
    return st == DRH_OK ? h->records->close(r) : st;
}

enum { MAX_TURNS = 64 };

/* 16 bytes of SHA-256 over system text, then role and text of each turn. */
static drh_status put_id(const drh_host *h, const struct synth_fields *f, drh_record *r,
                         const drh_str *turn, size_t n, int one_sided, drh_str system)
{
    drh_str    part[1 + 2 * MAX_TURNS];
    uint8_t    sum[32];
    char       id[33];
    drh_status st;
    n = n < MAX_TURNS ? n : MAX_TURNS;
    part[0] = system;
    for (size_t i = 0; i < n; i++) {
        part[1 + 2 * i] = drh_str_of(role_of(i, one_sided));
        part[2 + 2 * i] = turn[i];
    }
    st = h->digest(h, part, 1 + 2 * n, sum);
    synth_hex(sum, 32, id);
    return st == DRH_OK ? h->records->set_str(r, f->id, id, 32) : st;
}

/* A folder's name is not the run's business, only the model's. */
static drh_str last_part(drh_str path)
{
    while (path.len && path.ptr[path.len - 1] == '/') {
        path.len--;
    }
    for (size_t i = path.len; i-- > 0;) {
        if (path.ptr[i] == '/') {
            return drh_str_from(path, i + 1);
        }
    }
    return path;
}

static drh_status set_if(const drh_record_api *api, drh_record *r, drh_field f, drh_str text)
{
    return text.len ? api->set_str(r, f, text.ptr, text.len) : DRH_OK;
}

static drh_status put_source(const drh_host *h, const struct synth_fields *f, drh_record *r,
                             const char *method, const drh_infer_info *info)
{
    drh_text   source = {.host = h};
    drh_status st;
    drh_text_adds(&source, method);
    drh_text_adds(&source, ":");
    drh_text_addv(&source, last_part(drh_str_of(info->model)));
    st = source.failed ? DRH_E_NOMEM : set_if(h->records, r, f->source, drh_text_str(&source));
    drh_text_free(&source);
    return st;
}

drh_status synth_write(const drh_host *h, const struct synth_fields *f, drh_record *r,
                       const drh_str *turn, size_t n, int one_sided, drh_str system,
                       const char *method, const drh_infer_info *info)
{
    drh_record_info where = {.struct_size = sizeof(where)};
    const char     *lang = synth_lang(turn[0]);
    drh_status      st = h->records->info(r, &where);
    system.ptr = system.len ? system.ptr : "";
    st = st == DRH_OK ? put_turns(h, f, r, turn, n, one_sided) : st;
    st = st == DRH_OK ? set_if(h->records, r, f->system, system) : st;
    st = st == DRH_OK ? put_id(h, f, r, turn, n, one_sided, system) : st;
    st = st == DRH_OK ? set_if(h->records, r, f->domain, where.domain) : st;
    st = st == DRH_OK ? set_if(h->records, r, f->dataset, where.dataset) : st;
    st = st == DRH_OK ? put_source(h, f, r, method, info) : st;
    return st == DRH_OK ? h->records->set_str(r, f->lang, lang, strlen(lang)) : st;
}

drh_status synth_word(const drh_host *h, drh_record *r, const char *key, drh_str word)
{
    drh_status st = h->records->put_key(r, key, strlen(key));
    return st == DRH_OK ? h->records->put_str(r, word.ptr, word.len) : st;
}

drh_status synth_number(const drh_host *h, drh_record *r, const char *key, double v)
{
    drh_status st = h->records->put_key(r, key, strlen(key));
    return st == DRH_OK ? h->records->put_f64(r, v) : st;
}

drh_status synth_note(const drh_host *h, const struct synth_fields *f, drh_record *r,
                      const char *method, const drh_infer_info *info, uint64_t seed)
{
    char       digits[24];
    drh_status st = h->records->open(r, f->synthesis, DRH_T_OBJECT);
    (void)snprintf(digits, sizeof(digits), "%016llx", (unsigned long long)seed);
    st = st == DRH_OK ? synth_word(h, r, "method", drh_str_of(method)) : st;
    st = st == DRH_OK ? synth_word(h, r, "model", last_part(drh_str_of(info->model))) : st;
    st = st == DRH_OK ? synth_word(h, r, "backend", drh_str_of(info->identity)) : st;
    return st == DRH_OK ? synth_word(h, r, "seed", drh_str_of(digits)) : st;
}
