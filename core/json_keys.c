/* SPDX-License-Identifier: MIT
 * json_keys.c - finds duplicate keys in any number of nested objects, in linear time whatever the
 * input.  Used by json_scan() and by the builder; memory comes from the arena they name. */
#include "json_impl.h"

enum { FIRST_TABLE = 256 };

void json_keys_init(struct json_keys *k, struct arena *a)
{
    k->arena = a;
    k->keys = k->first;
    k->n = 0;
    k->cap = sizeof(k->first) / sizeof(k->first[0]);
    k->table = NULL;
    k->mask = k->used = 0;
}

static uint64_t mix(uint64_t h, uint64_t w)
{
    h = (h ^ w) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 32)) * 0x94d049bb133111ebu;
    return h ^ (h >> 29);
}

/* Seeded by where this process has its arena, so that nobody can prepare keys that collide; what is
 * found does not depend on it. */
static uint64_t hash_of(const struct json_keys *k, const struct json_key *key, uint32_t base)
{
    const char *p = key->ptr;
    uint32_t    len = key->len;
    uint64_t    h = mix((uint64_t)(uintptr_t)k->arena, (uint64_t)base << 32 | len), w;

    for (; len >= 8; p += 8, len -= 8) {
        memcpy(&w, p, 8);
        h = mix(h, w);
    }
    w = 0;
    memcpy(&w, p, len);
    return mix(h, w);
}

static bool same(const struct json_key *a, const struct json_key *b)
{
    return a->len == b->len && json_same(a->ptr, b->ptr, b->len);
}

static void table_put(struct json_keys *k, uint32_t i)
{
    uint32_t s = (uint32_t)k->keys[i].head & k->mask;

    while (k->table[s]) {
        s = (s + 1) & k->mask;
    }
    k->table[s] = i + 1;
    k->keys[i].slot = s + 1;
    k->used++;
}

/* Keys go in again in stack order.  So each can leave by just clearing its slot: all that were put
 * after it have left before. */
static drh_status table_grow(struct json_keys *k)
{
    size_t    slots = k->table ? 2 * ((size_t)k->mask + 1) : FIRST_TABLE;
    uint32_t *t, i;

    if (slots > UINT32_MAX / 2) {
        return DRH_E_NOMEM;
    }
    t = arena_alloc(k->arena, slots * sizeof(*t));
    if (!t) {
        return DRH_E_NOMEM;
    }
    memset(t, 0, slots * sizeof(*t));
    k->table = t;
    k->mask = (uint32_t)slots - 1;
    k->used = 0;
    for (i = 0; i < k->n; i++) {
        if (k->keys[i].slot) {
            table_put(k, i);
        }
    }
    return DRH_OK;
}

/* Hashes key number i, which is on the stack; DRH_E_DATA when its object has it already. */
static drh_status table_add(struct json_keys *k, uint32_t base, uint32_t i)
{
    struct json_key *key = &k->keys[i];
    uint32_t         s;

    if (!k->table || k->used >= k->mask / 2) {
        drh_status st = table_grow(k);
        if (st != DRH_OK) {
            return st;
        }
    }
    key->head = hash_of(k, key, base);
    for (s = (uint32_t)key->head & k->mask; k->table[s]; s = (s + 1) & k->mask) {
        const struct json_key *other = &k->keys[k->table[s] - 1];
        /* from `base` on the stack holds this object's keys only */
        if (k->table[s] > base && other->head == key->head && same(other, key)) {
            return DRH_E_DATA;
        }
    }
    table_put(k, i);
    return DRH_OK;
}

static drh_status keys_grow(struct json_keys *k)
{
    struct json_key *bigger;

    if (k->cap > UINT32_MAX / 4) {
        return DRH_E_NOMEM;
    }
    bigger = arena_alloc(k->arena, 2 * (size_t)k->cap * sizeof(*bigger));
    if (!bigger) {
        return DRH_E_NOMEM;
    }
    memcpy(bigger, k->keys, k->n * sizeof(*bigger));
    k->keys = bigger;
    k->cap *= 2;
    return DRH_OK;
}

static drh_status key_decode(struct json_keys *k, struct json_key *key)
{
    char *copy = arena_alloc(k->arena, key->len);

    if (!copy) {
        return DRH_E_NOMEM;
    }
    key->len = (uint32_t)json_unescape(key->ptr, key->len, copy);
    key->ptr = copy;
    return DRH_OK;
}

drh_status json_keys_add(struct json_keys *k, uint32_t base, const char *ptr, uint32_t len,
                         bool escaped)
{
    struct json_key key = {ptr, 0, len, 0};
    char            head[8] = {0};
    drh_status      st = DRH_OK;
    uint32_t        i;

    if (escaped) {
        st = key_decode(k, &key);
    }
    if (st == DRH_OK && key.len > 0) {
        memcpy(head, key.ptr, key.len < 8 ? key.len : 8);
    }
    key.head = json_key_head(head, key.len);
    if (st == DRH_OK && k->n == k->cap) {
        st = keys_grow(k);
    }
    if (st != DRH_OK) {
        return st;
    }
    if (k->n - base < JSON_KEYS_PLAIN) {
        for (i = base; i < k->n; i++) {
            if (same(&k->keys[i], &key)) {
                return DRH_E_DATA;
            }
        }
        k->keys[k->n++] = key;
        return DRH_OK;
    }
    /* The object has just become large, or is so already: its keys are hashed from now on. */
    i = k->n - base == JSON_KEYS_PLAIN ? base : k->n;
    k->keys[k->n++] = key;
    for (; st == DRH_OK && i < k->n; i++) {
        st = table_add(k, base, i);
    }
    return st;
}

void json_keys_close(struct json_keys *k, uint32_t base)
{
    while (k->n > base) {
        struct json_key *key = &k->keys[--k->n];
        if (key->slot) {
            k->table[key->slot - 1] = 0;
            k->used--;
        }
    }
}

void json_keys_moved(struct json_keys *k, const char *from, const char *to)
{
    uint32_t i;

    for (i = 0; i < k->n; i++) {
        k->keys[i].ptr = to + (k->keys[i].ptr - from);
    }
}
