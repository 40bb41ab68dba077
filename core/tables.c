/* SPDX-License-Identifier: MIT
 * tables.c - checks a plugin's tables and copies them into the host's own structs, so that nobody
 * after this asks how long a table of the other side is.  Reads only; runs no plugin code. [main]
 *
 * A pointer into the plugin cannot be checked, only what it points to: sizes against limits, texts
 * against lengths, required slots against NULL, and everything against the note. */
#include "err.h"
#include "json.h"
#include "loader_impl.h"
#include "mem.h"
#include "sink.h"

#include <string.h>

enum {
    TABLE_MAX = 4096, /* no table of any minor is longer */
    NAME_MAX_LEN = 63,
    VERSION_MAX_LEN = 31,
    LICENSE_MAX_LEN = 255,
    SUMMARY_MAX_LEN = 255,
    SCHEMA_MAX_LEN = 1 << 20,
    LIST_MAX = 16,
    KNOWN_FLAGS = DRH_DETERMINISTIC | DRH_NETWORK | DRH_ACCELERATOR | DRH_GIVES_CANONICAL |
                  DRH_WANTS_CANONICAL | DRH_READS_DECOMPRESSED
};

/* Size of a struct in ABI 1.0, whose last member then is named: never to be changed. */
#define SIZE_1_0(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

struct slot {
    size_t      offset;
    const char *name;
};
#define SLOT(type, member)                                                                         \
    {                                                                                              \
        offsetof(type, member), #member                                                            \
    }

typedef void (*any_fn)(void);

static const struct slot life_slots[] = {SLOT(drh_life, create), SLOT(drh_life, destroy)};
static const struct slot source_slots[] = {SLOT(drh_source_ops, list)};
static const struct slot reader_slots[] = {SLOT(drh_reader_ops, sniff), SLOT(drh_reader_ops, open),
                                           SLOT(drh_reader_ops, next), SLOT(drh_reader_ops, tell),
                                           SLOT(drh_reader_ops, close)};
static const struct slot selector_slots[] = {SLOT(drh_selector_ops, ranking)};
static const struct slot service_slots[] = {SLOT(drh_service_ops, get)};
static const struct slot bytes_slots[] = {
    SLOT(drh_converter_ops, begin), SLOT(drh_converter_ops, write), SLOT(drh_converter_ops, end)};
static const struct slot async_slots[] = {SLOT(drh_map_ops, start), SLOT(drh_map_ops, resume)};
static const struct slot dataset_slots[] = {SLOT(drh_map_ops, observe), SLOT(drh_map_ops, merge),
                                            SLOT(drh_map_ops, prepare), SLOT(drh_map_ops, apply)};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool has_slot(const void *table, const struct slot *s)
{
    any_fn fn;

    memcpy(&fn, (const char *)table + s->offset, sizeof(fn));
    return fn != NULL;
}

static drh_status need_slots(const void *table, const struct slot *s, size_t n, const char *what,
                             drh_error *e)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (!has_slot(table, &s[i])) {
            return err_set(e, DRH_E_ARG, "%s: no %s(); every stage of this kind gives one", what,
                           s[i].name);
        }
    }
    return DRH_OK;
}

/* Copies a table as far as both sides know it; what the plugin's is too short for stays 0. */
static drh_status take(void *dst, size_t cap, const void *src, size_t least, const char *what,
                       drh_error *e)
{
    uint32_t size;

    if (!src) {
        return err_set(e, DRH_E_ARG, "%s: NULL; point it at the table", what);
    }
    memcpy(&size, src, sizeof(size));
    if (size < least || size > TABLE_MAX) {
        return err_set(e, DRH_E_ARG,
                       "%s: struct_size is %u, from %zu to %d can be; set .struct_size = "
                       "sizeof(the struct)",
                       what, size, least, (int)TABLE_MAX);
    }
    memset(dst, 0, cap);
    memcpy(dst, src, size < cap ? size : cap);
    return DRH_OK;
}

/* One line of text for people, `least` to `most` bytes. */
static drh_status text_ok(const char *s, size_t least, size_t most, const char *what, drh_error *e)
{
    size_t i, n;

    if (!s) {
        return err_set(e, DRH_E_ARG, "%s: NULL; give a text", what);
    }
    n = strnlen(s, most + 1);
    if (n < least || n > most) {
        return err_set(e, DRH_E_RANGE, "%s: %s; from %zu to %zu bytes can be", what,
                       n > most ? "too long" : "empty", least, most);
    }
    for (i = 0; i < n; i++) {
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f) {
            return err_set(e, DRH_E_DATA, "%s: a control character; give one line of text", what);
        }
    }
    return json_utf8_valid(s, n) ? DRH_OK
                                 : err_set(e, DRH_E_DATA, "%s: not UTF-8; save it as UTF-8", what);
}

/* A NULL-terminated array of texts; *n gets their number. */
static drh_status list_ok(const char *const *list, size_t most, const char *what, size_t *n,
                          drh_error *e)
{
    drh_status st = DRH_OK;

    for (*n = 0; list && list[*n] && st == DRH_OK; ++*n) {
        st = *n == most ? err_set(e, DRH_E_RANGE,
                                  "%s: more than %zu texts, or no NULL at the end; end it with "
                                  "NULL",
                                  what, most)
                        : text_ok(list[*n], 1, NAME_MAX_LEN, what, e);
    }
    return st;
}

/* ---- one stage ----------------------------------------------------------------------------- */

static drh_status id_ok(const char *id, size_t index, drh_error *e)
{
    char       what[32];
    drh_status st;

    (void)snprintf(what, sizeof(what), "stage %zu: id", index);
    st = text_ok(id, 1, NAME_MAX_LEN, what, e);
    if (st == DRH_OK && id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789._-")] != 0) {
        st = err_set(e, DRH_E_DATA, "%s: \"%s\"; use only a-z 0-9 . _ - in ids", what, id);
    }
    return st;
}

static drh_status desc_ok(const drh_stage *d, drh_error *e)
{
    drh_status st;
    size_t     n;

    if (!kind_name(d->kind)) {
        return err_set(e, DRH_E_UNSUPPORTED,
                       "kind: %u is unknown; use DRH_KIND_*, or a newer drhost", d->kind);
    }
    if (d->threading > DRH_PINNED) {
        return err_set(e, DRH_E_UNSUPPORTED,
                       "threading: %u is unknown; use DRH_SERIAL, DRH_WORKERS or DRH_PINNED",
                       d->threading);
    }
    if (d->scope > DRH_SCOPE_DATASET) {
        return err_set(e, DRH_E_UNSUPPORTED, "scope: %u is unknown; use DRH_SCOPE_*", d->scope);
    }
    if (d->flags & ~(uint32_t)KNOWN_FLAGS) {
        return err_set(e, DRH_E_UNSUPPORTED,
                       "flags: 0x%x has unknown bits; use those of drh/plugin.h, or a newer drhost",
                       d->flags);
    }
    st = text_ok(d->version, 1, VERSION_MAX_LEN, "version", e);
    if (st == DRH_OK) {
        st = text_ok(d->summary, 1, SUMMARY_MAX_LEN, "summary", e);
    }
    if (st == DRH_OK && d->config_schema &&
        strnlen(d->config_schema, SCHEMA_MAX_LEN + 1) > SCHEMA_MAX_LEN) {
        st = err_set(e, DRH_E_RANGE, "config_schema: longer than %d bytes; make it shorter",
                     (int)SCHEMA_MAX_LEN);
    }
    return st == DRH_OK ? list_ok(d->needs, LIST_MAX, "needs", &n, e) : st;
}

static drh_status map_ok(const struct stage *s, drh_error *e)
{
    const drh_map_ops *m = &s->map;

    if (s->desc.scope == DRH_SCOPE_DATASET) {
        return need_slots(m, dataset_slots, COUNT(dataset_slots), "ops (scope data set)", e);
    }
    if (m->process && (m->start || m->resume)) {
        return err_set(e, DRH_E_ARG, "ops: both process() and start(); give one of them");
    }
    if (m->start || m->resume) {
        return need_slots(m, async_slots, COUNT(async_slots), "ops", e);
    }
    if (!m->process) {
        return err_set(e, DRH_E_ARG,
                       "ops: neither process() nor start() and resume(); give one of them");
    }
    return DRH_OK;
}

static drh_status take_map(struct stage *s, const drh_map_ops *src, drh_error *e)
{
    drh_status st = take(&s->map, sizeof(s->map), src, SIZE_1_0(drh_map_ops, apply), "map ops", e);

    s->has_map = st == DRH_OK;
    return st == DRH_OK ? map_ok(s, e) : st;
}

static drh_status take_selector(struct stage *s, drh_error *e)
{
    drh_selector_ops *o = &s->ops.selector;
    drh_status st = take(o, sizeof(*o), s->desc.ops.selector, SIZE_1_0(drh_selector_ops, ranking),
                         "selector ops", e);

    if (st == DRH_OK) {
        st = need_slots(o, selector_slots, COUNT(selector_slots), "ops", e);
    }
    return st == DRH_OK ? take_map(s, o->map, e) : st;
}

/* Each becomes the end of a file's name, and two of them may not be one file. */
static drh_status suffixes_ok(const char *const *list, size_t n, drh_error *e)
{
    if (list && n == 0) {
        return err_set(e, DRH_E_ARG, "suffixes: none; name the files' endings, or leave it NULL");
    }
    for (size_t i = 0; i < n; i++) {
        if (list[i][strspn(list[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789._-")] != 0) {
            return err_set(e, DRH_E_DATA, "suffixes: \"%s\"; use only A-Z a-z 0-9 . _ -", list[i]);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(list[i], list[k]) == 0) {
                return err_set(e, DRH_E_ARG, "suffixes: \"%s\" twice; rename one", list[i]);
            }
        }
    }
    return DRH_OK;
}

static drh_status take_converter(struct stage *s, drh_error *e)
{
    drh_converter_ops *o = &s->ops.converter;
    size_t             n = 0;
    drh_status st = take(o, sizeof(*o), s->desc.ops.converter, SIZE_1_0(drh_converter_ops, end),
                         "converter ops", e);

    if (st == DRH_OK) {
        st = list_ok(o->suffixes, SINK_MAX_PARTS, "suffixes", &n, e);
    }
    st = st == DRH_OK ? suffixes_ok(o->suffixes, n, e) : st;
    if (st != DRH_OK) {
        return st;
    }
    if (o->map && o->write) {
        return err_set(e, DRH_E_ARG, "ops: both map and write(); give one of them");
    }
    return o->map ? take_map(s, o->map, e)
                  : need_slots(o, bytes_slots, COUNT(bytes_slots), "ops (without map)", e);
}

static drh_status take_service(struct stage *s, drh_error *e)
{
    drh_service_ops *o = &s->ops.service;
    size_t           n = 0;
    drh_status       st =
        take(o, sizeof(*o), s->desc.ops.service, SIZE_1_0(drh_service_ops, get), "service ops", e);

    if (st == DRH_OK) {
        st = need_slots(o, service_slots, COUNT(service_slots), "ops", e);
    }
    if (st == DRH_OK) {
        st = list_ok(o->ids, NOTE_MAX_WORDS, "ids", &n, e);
    }
    return st == DRH_OK && n == 0 ? err_set(e, DRH_E_ARG, "ids: none; name what the service offers")
                                  : st;
}

static drh_status take_ops(struct stage *s, drh_error *e)
{
    drh_status st;

    switch (s->desc.kind) {
    case DRH_KIND_SOURCE:
        st = take(&s->ops.source, sizeof(s->ops.source), s->desc.ops.source,
                  SIZE_1_0(drh_source_ops, provenance), "source ops", e);
        return st == DRH_OK && !s->ops.source.stands_for
                   ? need_slots(&s->ops.source, source_slots, COUNT(source_slots), "ops", e)
                   : st;
    case DRH_KIND_READER:
        st = take(&s->ops.reader, sizeof(s->ops.reader), s->desc.ops.reader,
                  SIZE_1_0(drh_reader_ops, close), "reader ops", e);
        return st == DRH_OK
                   ? need_slots(&s->ops.reader, reader_slots, COUNT(reader_slots), "ops", e)
                   : st;
    case DRH_KIND_SELECTOR:
        return take_selector(s, e);
    case DRH_KIND_CONVERTER:
        return take_converter(s, e);
    case DRH_KIND_SERVICE:
        return take_service(s, e);
    default:
        return take_map(s, s->desc.ops.map, e);
    }
}

/* ---- the note ------------------------------------------------------------------------------ */

static bool note_has(const struct note_stage *note, const char *word)
{
    uint32_t i;

    for (i = 0; i < note->n_words; i++) {
        if (strcmp(note->words[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static drh_status ids_match(const struct note_stage *note, const char *const *ids, drh_error *e)
{
    uint32_t n;

    for (n = 0; ids[n]; n++) {
        if (!note_has(note, ids[n])) {
            return err_set(e, DRH_E_ARG,
                           "offers %s, its line in the note does not say so; add the word", ids[n]);
        }
    }
    return n == note->n_words ? DRH_OK
                              : err_set(e, DRH_E_ARG,
                                        "its line in the note has %u services, the stage %u; make "
                                        "them equal",
                                        note->n_words, n);
}

/* The words of a source are beginnings of addresses: "https://hub.example/". */
static drh_status addresses_ok(const struct note_stage *note, drh_error *e)
{
    for (uint32_t i = 0; i < note->n_words; i++) {
        if (!strstr(note->words[i], "://")) {
            return err_set(e, DRH_E_ARG,
                           "the word \"%s\" in the note is no address; a source names the "
                           "beginnings of those that it takes, \"https://hub.example/\"",
                           note->words[i]);
        }
    }
    return DRH_OK;
}

/* plugin list and the choice of services go by the note, so it has to tell the truth. */
static drh_status note_match(const struct stage *s, const struct probe *note, drh_error *e)
{
    const struct note_stage *line = NULL;
    uint32_t                 i;
    bool                     canonical = (s->desc.flags & DRH_GIVES_CANONICAL) != 0;

    for (i = 0; i < note->n_stages && !line; i++) {
        line = strcmp(note->stages[i].id, s->desc.id) == 0 ? &note->stages[i] : NULL;
    }
    if (!line) {
        return err_set(e, DRH_E_ARG, "not in the note; add its line to DRH_PLUGIN_NOTE");
    }
    if (line->kind != s->desc.kind) {
        return err_set(e, DRH_E_ARG, "a %s in the note, a %s in the table; make them equal",
                       kind_name(line->kind), kind_name(s->desc.kind));
    }
    if (strcmp(line->version, s->desc.version) != 0) {
        return err_set(e, DRH_E_ARG, "version %s in the note, %s in the table; make them equal",
                       line->version, s->desc.version);
    }
    if (s->desc.kind == DRH_KIND_SERVICE) {
        return ids_match(line, s->ops.service.ids, e);
    }
    if (s->desc.kind == DRH_KIND_SOURCE) {
        return addresses_ok(line, e);
    }
    if (note_has(line, "canonical") != canonical) {
        return err_set(e, DRH_E_ARG,
                       "the word \"canonical\" in the note goes with DRH_GIVES_CANONICAL in the "
                       "table; give both or none");
    }
    return DRH_OK;
}

/* ---- all of them --------------------------------------------------------------------------- */

static drh_status take_stage(struct plugin *p, size_t i, const drh_stage *src,
                             const struct probe *note, drh_error *e)
{
    struct stage *s = &p->stages[i];
    char          what[32];
    size_t        k;
    drh_status    st;

    (void)snprintf(what, sizeof(what), "stage %zu", i);
    s->plugin = p;
    st = take(&s->desc, sizeof(s->desc), src, SIZE_1_0(drh_stage, ops), what, e);
    if (st == DRH_OK) {
        st = id_ok(s->desc.id, i, e);
    }
    if (st != DRH_OK) {
        return st;
    }
    for (k = 0; k < i; k++) {
        if (strcmp(p->stages[k].desc.id, s->desc.id) == 0) {
            return err_set(e, DRH_E_ARG, "stages %zu and %zu are both \"%s\"; rename one", k, i,
                           s->desc.id);
        }
    }
    st = desc_ok(&s->desc, e);
    if (st == DRH_OK) {
        st = take(&s->life, sizeof(s->life), s->desc.life, SIZE_1_0(drh_life, cancel), "life", e);
    }
    if (st == DRH_OK) {
        st = need_slots(&s->life, life_slots, COUNT(life_slots), "life", e);
    }
    if (st == DRH_OK) {
        st = take_ops(s, e);
    }
    if (st == DRH_OK) {
        st = note_match(s, note, e);
    }
    if (st != DRH_OK) {
        err_prefix(e, "stage \"%s\"", s->desc.id);
    }
    return st;
}

static drh_status entry_ok(const drh_entry *n, const struct probe *note, drh_error *e)
{
    drh_status st = text_ok(n->name, 1, NAME_MAX_LEN, "entry: name", e);

    if (st == DRH_OK) {
        st = text_ok(n->version, 1, VERSION_MAX_LEN, "entry: version", e);
    }
    if (st == DRH_OK) {
        st = text_ok(n->license, 1, LICENSE_MAX_LEN, "entry: license", e);
    }
    if (st != DRH_OK) {
        return st;
    }
    if (n->abi_minor_need != note->minor_need) {
        return err_set(e, DRH_E_ARG,
                       "entry: abi_minor_need is %u, the note says %u; make them equal",
                       n->abi_minor_need, note->minor_need);
    }
    if (n->abi_minor_need > n->abi_minor) {
        return err_set(e, DRH_E_ARG,
                       "entry: abi_minor_need %u is newer than abi_minor %u; set abi_minor to "
                       "DRH_ABI_MINOR",
                       n->abi_minor_need, n->abi_minor);
    }
    if (n->n_stages != note->n_stages) {
        return err_set(e, DRH_E_ARG,
                       "entry: %u stages, %u lines in the note; give DRH_PLUGIN_NOTE one line for "
                       "each",
                       n->n_stages, note->n_stages);
    }
    return n->stages ? DRH_OK : err_set(e, DRH_E_ARG, "entry: stages is NULL; point it at them");
}

drh_status tables_take(struct plugin *p, const struct probe *note, drh_error *e)
{
    drh_entry  entry = {0};
    drh_status st;
    size_t     i;

    st = take(&entry, sizeof(entry), p->entry, SIZE_1_0(drh_entry, fini), "entry", e);
    if (st == DRH_OK) {
        st = entry_ok(&entry, note, e);
    }
    if (st != DRH_OK) {
        return st;
    }
    p->stages = mem_alloc(entry.n_stages, sizeof(*p->stages));
    if (!p->stages) {
        return err_nomem(e, "a plugin's stages");
    }
    p->n_stages = entry.n_stages;
    p->minor = entry.abi_minor;
    for (i = 0; i < p->n_stages && st == DRH_OK; i++) {
        st = take_stage(p, i, entry.stages[i], note, e);
    }
    return st;
}

void tables_free(struct plugin *p)
{
    mem_free(p->stages);
    p->stages = NULL;
    p->n_stages = 0;
}
