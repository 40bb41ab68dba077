/* SPDX-License-Identifier: MIT
 * fuzz_input.c - any bytes as a file: the stream ends, its items do not depend on how much is read
 * at once, and from each position on the way the rest comes out the same. */
#include "err.h"
#include "hash.h"
#include "input_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* What a reading gave. */
enum { MOST = 200 };
struct reading {
    size_t           n;
    int              damaged; /* how much comes out before the damage is zstd's affair */
    uint64_t         items[MOST];
    struct input_pos pos[MOST + 1]; /* before each item, and after the last */
};

static uint64_t sum_of(const struct input_item *it)
{
    uint64_t sum = mix64(it->row, it->line);

    MUST(!it->text == !!it->code);
    MUST(it->text || it->message[0]);
    MUST(!it->text || it->len > 0);
    sum = mix64(sum, it->text ? crc32_of(0, it->text, it->len) : crc32_of(1, it->code, 4));
    return mix64(sum, it->text ? it->len : 0);
}

static void read_all(const char *path, const struct input_pos *from, struct reading *r)
{
    struct input     *in;
    struct input_item it;
    drh_error         e = ERR_INIT;
    drh_status        st = DRH_OK;

    r->n = 0;
    r->damaged = 0;
    MUST(input_open(&in, path, from, &e) == DRH_OK);
    input_tell(in, &r->pos[0]);
    while (r->n < MOST && (st = input_next(in, &it, &e)) == DRH_OK) {
        r->items[r->n++] = sum_of(&it);
        r->damaged |= it.code && strcmp(it.code, "bad_compression") == 0;
        input_tell(in, &r->pos[r->n]);
        MUST(r->pos[r->n].row == r->pos[r->n - 1].row + 1);
        MUST(r->pos[r->n].offset >= r->pos[r->n - 1].offset);
        MUST(r->pos[r->n].line >= r->pos[r->n - 1].line);
    }
    MUST(st == DRH_OK || st == DRH_END);
    input_close(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading whole, other;
    struct input_limits   usual = input_limits;
    char                  path[64];
    size_t                i, rest;
    int                   fd;

    if (size < 2) {
        return 0;
    }
    fd = memfd_create("input", MFD_CLOEXEC);
    MUST(fd >= 0 && write(fd, data + 2, size - 2) == (ssize_t)(size - 2));
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (data[1] & 1) {
        input_limits.max_record = 8 + data[1];
        input_limits.sniff = 8 + data[1];
    }
    read_all(path, NULL, &whole);

    input_limits.chunk = 1 + data[0] % 32;
    read_all(path, NULL, &other);
    if (whole.damaged || other.damaged) {
        goto out;
    }
    MUST(other.n == whole.n && memcmp(other.items, whole.items, whole.n * 8) == 0);
    i = whole.n ? data[0] % (whole.n + 1) : 0;
    MUST(memcmp(&other.pos[i], &whole.pos[i], sizeof(whole.pos[i])) == 0);
    read_all(path, &whole.pos[i], &other);
    rest = whole.n - i;
    MUST(other.n >= rest && memcmp(other.items, whole.items + i, rest * 8) == 0);
    MUST(whole.n == MOST || other.n == rest);
out:
    input_limits = usual;
    (void)close(fd);
    return 0;
}
