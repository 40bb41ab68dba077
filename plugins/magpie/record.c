/* SPDX-License-Identifier: MIT
 *
 * record.c - a conversation as the canonical record.
 */
#include "dialog.h"

static drh_status put_turn(const drh_record_api *api, drh_record *r, const char *from, drh_str text)
{
    drh_status st = api->begin(r, DRH_T_OBJECT);
    st = st == DRH_OK ? api->put_key(r, DRH_LIT("from")) : st;
    st = st == DRH_OK ? api->put_str(r, from, strlen(from)) : st;
    st = st == DRH_OK ? api->put_key(r, DRH_LIT("value")) : st;
    st = st == DRH_OK ? api->put_str(r, text.ptr, text.len) : st;
    return st == DRH_OK ? api->end(r) : st;
}

static drh_status put_turns(struct magpie *m, drh_record *r, const struct dialog *d)
{
    const drh_record_api *api = m->host->records;
    drh_status            st = api->open(r, m->conversations, DRH_T_ARRAY);
    for (size_t i = 0; st == DRH_OK && i < d->n; i++) {
        st = put_turn(api, r, i % 2 ? "gpt" : "human", drh_text_str(&d->turn[i]));
    }
    return st == DRH_OK ? api->close(r) : st;
}

/* As the chat stage makes it: 16 bytes of SHA-256 over system text, then role and text of each
 * turn. */
static drh_status put_id(struct magpie *m, drh_record *r, const struct dialog *d)
{
    static const char hex[] = "0123456789abcdef";
    drh_str           part[1 + 4 * MAGPIE_MAX_ROUNDS];
    uint8_t           sum[32];
    char              id[33];
    drh_status        st;
    part[0] = m->o.answer_system.len ? m->o.answer_system : drh_str_of("");
    for (size_t i = 0; i < d->n; i++) {
        part[1 + 2 * i] = drh_str_of(i % 2 ? "gpt" : "human");
        part[2 + 2 * i] = drh_text_str(&d->turn[i]);
    }
    st = m->host->digest(m->host, part, 1 + 2 * d->n, sum);
    for (size_t i = 0; i < 16; i++) {
        id[2 * i] = hex[sum[i] >> 4];
        id[2 * i + 1] = hex[sum[i] & 15];
    }
    return st == DRH_OK ? m->host->records->set_str(r, m->id, id, 32) : st;
}

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

static drh_status put_word(const drh_record_api *api, drh_record *r, const char *key, drh_str word)
{
    drh_status st = api->put_key(r, key, strlen(key));
    return st == DRH_OK ? api->put_str(r, word.ptr, word.len) : st;
}

static drh_status put_number(const drh_record_api *api, drh_record *r, const char *key, double v)
{
    drh_status st = api->put_key(r, key, strlen(key));
    return st == DRH_OK ? api->put_f64(r, v) : st;
}

/* How the record was made: enough to tell and to repeat it. */
static drh_status put_synthesis(struct magpie *m, drh_record *r, const struct dialog *d)
{
    const drh_record_api        *api = m->host->records;
    const struct magpie_options *o = &m->o;
    char                         seed[24];
    drh_status                   st = api->open(r, m->synthesis, DRH_T_OBJECT);
    (void)snprintf(seed, sizeof(seed), "%016llx", (unsigned long long)d->seed);
    st = st == DRH_OK ? put_word(api, r, "method", drh_str_of("magpie")) : st;
    st = st == DRH_OK ? put_word(api, r, "model", last_part(drh_str_of(m->info.model))) : st;
    st = st == DRH_OK ? put_word(api, r, "backend", drh_str_of(m->info.identity)) : st;
    st = st == DRH_OK ? put_word(api, r, "seed", drh_str_of(seed)) : st;
    st = st == DRH_OK ? put_word(api, r, "system", d->system->name) : st;
    st = st == DRH_OK ? put_word(api, r, "prompt", drh_str_of(m->prompt_digest)) : st;
    st = st == DRH_OK ? put_number(api, r, "temperature", o->question.temperature) : st;
    st = st == DRH_OK ? put_number(api, r, "top_p", o->question.top_p) : st;
    st = st == DRH_OK ? put_number(api, r, "answer_temperature", o->answer.temperature) : st;
    st = st == DRH_OK ? put_number(api, r, "answer_top_p", o->answer.top_p) : st;
    if (st == DRH_OK && d->class) {
        st = put_word(api, r, "sanitised", drh_str_of(d->class));
    }
    return st == DRH_OK ? api->close(r) : st;
}

static drh_status set_if(const drh_record_api *api, drh_record *r, drh_field f, drh_str text)
{
    return text.len ? api->set_str(r, f, text.ptr, text.len) : DRH_OK;
}

drh_status magpie_write(struct magpie *m, drh_record *r, const struct dialog *d)
{
    const drh_record_api *api = m->host->records;
    drh_record_info       info = {.struct_size = sizeof(info)};
    const char           *lang = magpie_lang(drh_text_str(&d->turn[0]));
    drh_text              source = {.host = m->host};
    drh_status            st = api->info(r, &info);
    drh_text_adds(&source, "magpie:");
    drh_text_addv(&source, last_part(drh_str_of(m->info.model)));
    st = st == DRH_OK && source.failed ? DRH_E_NOMEM : st;
    st = st == DRH_OK ? put_turns(m, r, d) : st;
    st = st == DRH_OK ? set_if(api, r, m->system, m->o.answer_system) : st;
    st = st == DRH_OK ? put_id(m, r, d) : st;
    st = st == DRH_OK ? set_if(api, r, m->domain, info.domain) : st;
    st = st == DRH_OK ? set_if(api, r, m->dataset, info.dataset) : st;
    st = st == DRH_OK ? set_if(api, r, m->source, drh_text_str(&source)) : st;
    st = st == DRH_OK ? api->set_str(r, m->lang, lang, strlen(lang)) : st;
    st = st == DRH_OK ? put_synthesis(m, r, d) : st;
    drh_text_free(&source);
    return st;
}
