/* SPDX-License-Identifier: MIT
 * journal.c - see journal.h.
 *
 * Entry: u32 length of payload, u32 CRC-32 of payload, payload.  Little-endian, as all of our hosts
 * are; a file of another machine fails its CRCs and is emptied.
 * Payload of the first entry: "drhost journal 1\n" fingerprint.  Of the others: struct fixed, text,
 * values, error text. */
#include "journal.h"

#include "err.h"
#include "hash.h"
#include "mem.h"
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MAGIC[] = "drhost journal 1\n";
enum { MAX_ENTRY = 256 << 20 };

struct fixed {
    struct journal_key key;
    int32_t            status;
    uint32_t           finish, n_prompt, n_target, n_values, first_value;
    uint32_t           text_len, error_len;
};

struct entry {
    struct journal_key key;
    drh_infer_res      res;
    void              *block; /* owned: error, values and text */
};

struct journal {
    int           fd;
    uint64_t      size; /* good bytes */
    struct entry *entry;
    size_t        n, cap;
    uint32_t     *index; /* open addressing over entry, n + 1; 0 is free */
    size_t        index_cap;
};

static size_t slot_of(const struct journal *j, const struct journal_key *k)
{
    uint64_t h = mix64(k->uid, ((uint64_t)k->ordinal << 32) | k->attempt), d;
    size_t   i;

    memcpy(&d, k->digest, sizeof(d));
    i = (size_t)mix64(h, d) & (j->index_cap - 1);

    while (j->index[i]) {
        const struct journal_key *o = &j->entry[j->index[i] - 1].key;
        if (o->uid == k->uid && o->ordinal == k->ordinal && o->attempt == k->attempt &&
            memcmp(o->digest, k->digest, sizeof(k->digest)) == 0) {
            return i;
        }
        i = (i + 1) & (j->index_cap - 1);
    }
    return i;
}

static drh_status grow(struct journal *j)
{
    if (j->n == j->cap) {
        size_t        cap = j->cap ? j->cap * 2 : 256;
        struct entry *more = mem_resize(j->entry, cap * sizeof(*more));
        if (!more) {
            return DRH_E_NOMEM;
        }
        j->entry = more;
        j->cap = cap;
    }
    if (j->n * 2 >= j->index_cap) {
        size_t    cap = j->index_cap ? j->index_cap * 2 : 1024;
        uint32_t *index = mem_alloc(cap, sizeof(*index));
        if (!index) {
            return DRH_E_NOMEM;
        }
        mem_free(j->index);
        j->index = index;
        j->index_cap = cap;
        for (size_t i = 0; i < j->n; i++) {
            j->index[slot_of(j, &j->entry[i].key)] = (uint32_t)(i + 1);
        }
    }
    return DRH_OK;
}

/* Takes a checked payload apart; false when its lengths do not add up. */
static bool entry_parse(struct entry *en, const uint8_t *p, size_t n, bool *nomem)
{
    struct fixed f;
    uint8_t     *block;
    size_t       values;

    *nomem = false;
    if (n < sizeof(f)) {
        return false;
    }
    memcpy(&f, p, sizeof(f));
    values = (size_t)f.n_values * sizeof(float);
    if (n != sizeof(f) + values + f.text_len + f.error_len ||
        f.error_len >= sizeof(((drh_error *)0)->message)) {
        return false;
    }
    block = mem_alloc(1, values + sizeof(drh_error) + f.text_len + 1);
    if (!block) {
        *nomem = true;
        return false;
    }
    memset(en, 0, sizeof(*en));
    en->block = block;
    en->key = f.key;
    memcpy(block + sizeof(drh_error), p + sizeof(f), values + f.text_len);
    en->res =
        (drh_infer_res){.struct_size = sizeof(drh_infer_res),
                        .status = f.status,
                        .finish = f.finish,
                        .n_prompt_tokens = f.n_prompt,
                        .n_target_tokens = f.n_target,
                        .n_values = f.n_values,
                        .first_value = f.first_value,
                        .values = (const float *)(const void *)(block + sizeof(drh_error)),
                        .text = {(const char *)block + sizeof(drh_error) + values, f.text_len}};
    if (f.status != DRH_OK) {
        drh_error *e = (drh_error *)(void *)block;
        *e = (drh_error)ERR_INIT;
        e->code = f.status;
        memcpy(e->message, p + n - f.error_len, f.error_len);
        en->res.error = e;
    }
    return true;
}

static drh_status add_entry(struct journal *j, const uint8_t *p, size_t n, bool *good)
{
    struct entry en;
    size_t       at;
    bool         nomem;

    *good = entry_parse(&en, p, n, &nomem);
    if (!*good) {
        return nomem ? DRH_E_NOMEM : DRH_OK;
    }
    if (grow(j) != DRH_OK) {
        mem_free(en.block);
        return DRH_E_NOMEM;
    }
    at = slot_of(j, &en.key);
    if (j->index[at]) { /* a later answer to the same call replaces the earlier */
        mem_free(j->entry[j->index[at] - 1].block);
        j->entry[j->index[at] - 1] = en;
        return DRH_OK;
    }
    j->entry[j->n++] = en;
    j->index[at] = (uint32_t)j->n;
    return DRH_OK;
}

static drh_status read_all(int fd, void *p, size_t n, bool *full)
{
    size_t got = 0;

    while (got < n) {
        ssize_t k = read(fd, (char *)p + got, n - got);
        if (k < 0 && errno == EINTR) {
            continue;
        }
        if (k < 0) {
            return DRH_E_IO;
        }
        if (k == 0) {
            break;
        }
        got += (size_t)k;
    }
    *full = got == n;
    return DRH_OK;
}

/* One entry's payload into *buf (grown as needed); *full false at the end of the good part. */
static drh_status read_entry(int fd, uint8_t **buf, size_t *cap, uint32_t *len, bool *full)
{
    uint32_t   head[2];
    drh_status st = read_all(fd, head, sizeof(head), full);

    if (st != DRH_OK || !*full || head[0] > MAX_ENTRY) {
        *full = *full && head[0] <= MAX_ENTRY;
        return st;
    }
    if (head[0] > *cap) {
        uint8_t *more = mem_resize(*buf, head[0]);
        if (!more) {
            return DRH_E_NOMEM;
        }
        *buf = more;
        *cap = head[0];
    }
    *len = head[0];
    st = read_all(fd, *buf, head[0], full);
    if (st == DRH_OK && *full && crc32_of(0, *buf, head[0]) != head[1]) {
        *full = false;
    }
    return st;
}

static bool head_fits(const uint8_t *p, uint32_t n, const char *fingerprint)
{
    size_t m = sizeof(MAGIC) - 1, f = strlen(fingerprint);
    return n == m + f && memcmp(p, MAGIC, m) == 0 && memcmp(p + m, fingerprint, f) == 0;
}

static drh_status read_journal(struct journal *j, const char *fingerprint)
{
    uint8_t   *buf = NULL;
    size_t     cap = 0;
    uint32_t   len = 0;
    bool       full = false, good = true;
    drh_status st = read_entry(j->fd, &buf, &cap, &len, &full);

    if (st == DRH_OK && full && head_fits(buf, len, fingerprint)) {
        j->size = 8 + (uint64_t)len;
        while (st == DRH_OK && good) {
            st = read_entry(j->fd, &buf, &cap, &len, &full);
            if (st != DRH_OK || !full) {
                break;
            }
            st = add_entry(j, buf, len, &good);
            j->size += good ? 8 + (uint64_t)len : 0;
        }
    }
    mem_free(buf);
    return st;
}

static drh_status write_entry(struct journal *j, const void *p, size_t n)
{
    const uint8_t *at = p;

    while (n > 0) {
        ssize_t k = write(j->fd, at, n);
        if (k < 0 && errno == EINTR) {
            continue;
        }
        if (k <= 0) {
            return DRH_E_IO;
        }
        at += k;
        n -= (size_t)k;
        j->size += (uint64_t)k;
    }
    return DRH_OK;
}

static void put_head(uint8_t *block, size_t payload)
{
    uint32_t head[2] = {(uint32_t)payload, crc32_of(0, block + 8, payload)};
    memcpy(block, head, sizeof(head));
}

static drh_status write_fingerprint(struct journal *j, const char *fingerprint)
{
    size_t     m = sizeof(MAGIC) - 1, f = strlen(fingerprint);
    uint8_t   *block = mem_alloc(1, 8 + m + f + 1);
    drh_status st;

    if (!block) {
        return DRH_E_NOMEM;
    }
    memcpy(block + 8, MAGIC, m);
    memcpy(block + 8 + m, fingerprint, f);
    put_head(block, m + f);
    st = write_entry(j, block, 8 + m + f);
    mem_free(block);
    return st;
}

drh_status journal_open(struct journal **out, const char *path, const char *fingerprint,
                        drh_error *e)
{
    struct journal *j = mem_alloc(1, sizeof(*j));
    drh_status      st;

    *out = NULL;
    if (!j) {
        return err_nomem(e, "a journal");
    }
    j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (j->fd < 0) {
        mem_free(j);
        return err_errno(e, errno, "cannot open the journal", path);
    }
    st = read_journal(j, fingerprint);
    if (st == DRH_OK &&
        (ftruncate(j->fd, (off_t)j->size) != 0 || lseek(j->fd, (off_t)j->size, SEEK_SET) < 0)) {
        st = DRH_E_IO;
    }
    if (st == DRH_OK && j->size == 0) {
        st = write_fingerprint(j, fingerprint);
    }
    if (st != DRH_OK) {
        st =
            st == DRH_E_NOMEM ? err_nomem(e, "a journal") : err_errno(e, errno, "cannot use", path);
        journal_close(j);
        return st;
    }
    *out = j;
    return DRH_OK;
}

const drh_infer_res *journal_find(const struct journal *j, const struct journal_key *k)
{
    size_t at;

    if (!j || j->n == 0) {
        return NULL;
    }
    at = slot_of(j, k);
    return j->index[at] ? &j->entry[j->index[at] - 1].res : NULL;
}

drh_status journal_append(struct journal *j, const struct journal_key *k, const drh_infer_res *res,
                          drh_error *e)
{
    const char  *text = res->error ? res->error->message : "";
    struct fixed f = {.key = *k,
                      .status = res->status,
                      .finish = res->finish,
                      .n_prompt = res->n_prompt_tokens,
                      .n_target = res->n_target_tokens,
                      .n_values = res->n_values,
                      .first_value = res->first_value,
                      .text_len = (uint32_t)res->text.len,
                      .error_len = (uint32_t)strlen(text)};
    size_t       values = (size_t)f.n_values * sizeof(float);
    size_t       n = sizeof(f) + values + f.text_len + f.error_len;
    uint8_t     *block = mem_alloc(1, 8 + n);
    uint64_t     before = j->size;
    drh_status   st;

    if (!block) {
        return err_nomem(e, "a journal entry");
    }
    memcpy(block + 8, &f, sizeof(f));
    if (values) {
        memcpy(block + 8 + sizeof(f), res->values, values);
    }
    if (f.text_len) {
        memcpy(block + 8 + sizeof(f) + values, res->text.ptr, f.text_len);
    }
    memcpy(block + 8 + n - f.error_len, text, f.error_len);
    put_head(block, n);
    st = write_entry(j, block, 8 + n);
    mem_free(block);
    if (st != DRH_OK) {
        st = err_errno(e, errno, "cannot write", "the journal");
        if (ftruncate(j->fd, (off_t)before) == 0 && lseek(j->fd, (off_t)before, SEEK_SET) >= 0) {
            j->size = before; /* else its CRC tells the torn entry */
        }
        return st;
    }
    return DRH_OK;
}

drh_status journal_sync(struct journal *j, drh_error *e)
{
    return fdatasync(j->fd) == 0 ? DRH_OK : err_errno(e, errno, "cannot sync", "the journal");
}

void journal_close(struct journal *j)
{
    if (!j) {
        return;
    }
    for (size_t i = 0; i < j->n; i++) {
        mem_free(j->entry[i].block);
    }
    if (j->fd >= 0) {
        (void)close(j->fd);
    }
    mem_free(j->entry);
    mem_free(j->index);
    mem_free(j);
}
