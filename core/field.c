/* SPDX-License-Identifier: MIT
 * field.c - see field.h.  Numbers index a table of chunks; names are found through a hash table.
 * Readers take no lock: a record's getters and field_intern() of a known name run on every worker
 * for every record.  Only a new name takes the mutex. */
#include "field.h"
#include "json.h"
#include "mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { CHUNK_BITS = 8, CHUNK = 1 << CHUNK_BITS, CHUNKS = 1 << 10, FIRST_SLOTS = 256 };

struct entry {
    struct field_path path;
    uint64_t          hash;
    drh_str           name;
    drh_str           part[FIELD_MAX_PARTS], json[FIELD_MAX_PARTS];
    char             *text;   /* owned: the name, then the unescaped parts */
    char             *quoted; /* owned: the parts in quotes, or NULL when none needs an escape */
};

/* Open addressing, at most half full; slot values are field numbers, 0 is empty. */
struct index {
    struct index    *retired; /* older and smaller one: a reader may still be in it */
    size_t           mask;
    _Atomic uint32_t slot[];
};

static pthread_mutex_t         lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct entry *) chunks[CHUNKS];
static _Atomic uint32_t        n_fields;
static _Atomic(struct index *) current;

static uint64_t hash_of(const char *p, size_t len)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ len, w;

    for (; len >= 8; p += 8, len -= 8) {
        memcpy(&w, p, 8);
        h = (h ^ w) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    w = 0;
    memcpy(&w, p, len);
    h = (h ^ w) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 29;
}

static struct entry *entry_at(uint32_t f)
{
    struct entry *c = atomic_load_explicit(&chunks[(f - 1) >> CHUNK_BITS], memory_order_acquire);

    return &c[(f - 1) & (CHUNK - 1)];
}

static drh_field look_up(const struct index *x, uint64_t hash, const char *name, size_t len)
{
    size_t i;

    for (i = hash & x->mask;; i = (i + 1) & x->mask) {
        uint32_t            f = atomic_load_explicit(&x->slot[i], memory_order_acquire);
        const struct entry *en;
        if (f == 0) {
            return DRH_FIELD_NONE;
        }
        en = entry_at(f);
        if (en->hash == hash && en->name.len == len && memcmp(en->name.ptr, name, len) == 0) {
            return f;
        }
    }
}

/* Copies name[0,len) up to the next '/' to *out, unescaped; 0 for "~" without 0 or 1. */
static bool unescape_part(const char **name, const char *end, char **out)
{
    const char *p = *name;
    char       *q = *out;

    for (; p < end && *p != '/'; p++) {
        if (*p == '~') {
            if (++p == end || (*p != '0' && *p != '1')) {
                return false;
            }
            *q++ = *p == '0' ? '~' : '/';
        } else {
            *q++ = *p;
        }
    }
    *q++ = '\0';
    *name = p;
    *out = q;
    return true;
}

static bool split(struct entry *en, const char *name, size_t len, char *out)
{
    const char *end = name + len;
    uint32_t    n = 0;

    if (*name != '/') {
        en->part[n++] = en->name;
    }
    while (*name == '/') {
        if (n == FIELD_MAX_PARTS) {
            return false;
        }
        name++;
        en->part[n].ptr = out;
        if (!unescape_part(&name, end, &out)) {
            return false;
        }
        en->part[n].len = (size_t)(out - en->part[n].ptr) - 1;
        if (en->part[n++].len > JSON_MAX_KEY) {
            return false;
        }
    }
    en->path.n = n;
    en->path.part = en->part;
    en->path.bit = field_bit(en->part[0].ptr, en->part[0].len);
    return en->name.len <= JSON_MAX_KEY || en->name.ptr[0] == '/';
}

/* Quoted forms of the parts; they are the parts themselves when no escape is needed. */
static bool quote_parts(struct entry *en)
{
    size_t   size[FIELD_MAX_PARTS], all = 0, plain = 0;
    uint32_t i;
    char    *q;

    for (i = 0; i < en->path.n; i++) {
        if (json_quoted(en->part[i].ptr, en->part[i].len, &size[i]) != DRH_OK ||
            size[i] - 2 > JSON_MAX_KEY) {
            return false;
        }
        all += size[i];
        plain += en->part[i].len + 2;
    }
    memcpy(en->json, en->part, sizeof(en->json));
    if (all == plain) {
        return true;
    }
    q = en->quoted = mem_alloc(all, 1);
    for (i = 0; q && i < en->path.n; i++) {
        en->json[i].ptr = q + 1;
        en->json[i].len = size[i] - 2;
        q = json_quote_to(q, en->part[i].ptr, en->part[i].len, size[i]);
    }
    return en->quoted != NULL;
}

static bool entry_fill(struct entry *en, const char *name, size_t len)
{
    /* Parts need a terminator each but lose their '/'. */
    en->text = mem_alloc(2 * len + 2, 1);
    if (!en->text) {
        return false;
    }
    memcpy(en->text, name, len);
    en->name.ptr = en->text;
    en->name.len = len;
    en->path.json = en->json;
    if (!split(en, en->text, len, en->text + len + 1) || !quote_parts(en)) {
        mem_free(en->text);
        en->text = NULL;
        return false;
    }
    return true;
}

static void index_put(struct index *x, uint64_t hash, uint32_t f)
{
    size_t i = hash & x->mask;

    while (atomic_load_explicit(&x->slot[i], memory_order_relaxed)) {
        i = (i + 1) & x->mask;
    }
    atomic_store_explicit(&x->slot[i], f, memory_order_release);
}

/* Room in the index for number f, under the lock. */
static struct index *index_for(uint32_t f)
{
    struct index *old = atomic_load_explicit(&current, memory_order_relaxed), *x;
    size_t        slots = old ? (old->mask + 1) * 2 : FIRST_SLOTS;
    uint32_t      i;

    if (old && f <= (old->mask + 1) / 2) {
        return old;
    }
    x = mem_alloc(1, sizeof(*x) + slots * sizeof(x->slot[0]));
    if (!x) {
        return NULL;
    }
    x->mask = slots - 1;
    x->retired = old;
    for (i = 1; i < f; i++) {
        index_put(x, entry_at(i)->hash, i);
    }
    atomic_store_explicit(&current, x, memory_order_release);
    return x;
}

/* A new name, under the lock. */
static drh_field add(uint64_t hash, const char *name, size_t len)
{
    uint32_t      f = atomic_load_explicit(&n_fields, memory_order_relaxed) + 1;
    size_t        c = (f - 1) >> CHUNK_BITS;
    struct index *x;
    struct entry *en;

    if (c >= CHUNKS || !(x = index_for(f))) {
        return DRH_FIELD_NONE;
    }
    if (!atomic_load_explicit(&chunks[c], memory_order_relaxed)) {
        en = mem_alloc(CHUNK, sizeof(*en));
        if (!en) {
            return DRH_FIELD_NONE;
        }
        atomic_store_explicit(&chunks[c], en, memory_order_release);
    }
    en = entry_at(f);
    if (!entry_fill(en, name, len)) {
        return DRH_FIELD_NONE;
    }
    en->hash = hash;
    atomic_store_explicit(&n_fields, f, memory_order_release);
    index_put(x, hash, f);
    return f;
}

drh_field field_intern(const char *name, size_t len)
{
    uint64_t            hash;
    const struct index *x;
    drh_field           f = DRH_FIELD_NONE;

    if (len == 0 || len > (size_t)FIELD_MAX_PARTS * 2 * (JSON_MAX_KEY + 1)) {
        return DRH_FIELD_NONE;
    }
    hash = hash_of(name, len);
    x = atomic_load_explicit(&current, memory_order_acquire);
    if (x) {
        f = look_up(x, hash, name, len);
    }
    if (f != DRH_FIELD_NONE || !json_utf8_valid(name, len)) {
        return f;
    }
    (void)pthread_mutex_lock(&lock);
    x = atomic_load_explicit(&current, memory_order_relaxed);
    if (x) {
        f = look_up(x, hash, name, len);
    }
    if (f == DRH_FIELD_NONE) {
        f = add(hash, name, len);
    }
    (void)pthread_mutex_unlock(&lock);
    return f;
}

const struct field_path *field_path(drh_field f)
{
    if (f == DRH_FIELD_NONE || f > atomic_load_explicit(&n_fields, memory_order_acquire)) {
        return NULL;
    }
    return &entry_at(f)->path;
}

drh_str field_name(drh_field f)
{
    drh_str none = {NULL, 0};

    return field_path(f) ? entry_at(f)->name : none;
}

void field_free_all(void)
{
    struct index *x = atomic_exchange(&current, NULL);
    uint32_t      i, n = atomic_exchange(&n_fields, 0);
    size_t        c;

    for (i = 1; i <= n; i++) {
        mem_free(entry_at(i)->text);
        mem_free(entry_at(i)->quoted);
    }
    for (c = 0; c < CHUNKS; c++) {
        mem_free(atomic_exchange(&chunks[c], NULL));
    }
    while (x) {
        struct index *older = x->retired;
        mem_free(x);
        x = older;
    }
}
