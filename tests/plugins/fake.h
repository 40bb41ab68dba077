/* SPDX-License-Identifier: MIT
 * fake.h - what both stages of infer_fake.so compute: a pure function of the request. */
#ifndef FAKE_H
#define FAKE_H

#include <drh/infer.h>
#include <drh/util.h>

#include <stdlib.h>
#include <unistd.h>

/* FNV-1a, chained. */
static inline uint64_t fake_hash(uint64_t h, const void *p, size_t n)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ b[i]) * 0x100000001b3ull;
    }
    return h;
}

static inline uint64_t fake_mix(uint64_t h)
{
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdull;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ull;
    return h ^ (h >> 33);
}

static inline uint64_t fake_key(const drh_infer_req *q)
{
    uint64_t h = fake_hash(0xcbf29ce484222325ull, &q->seed, sizeof(q->seed));
    h = fake_hash(h, q->prompt.ptr, q->prompt.len);
    h = fake_hash(h, q->target.ptr, q->target.len);
    for (uint32_t i = 0; i < q->n_messages; i++) {
        h = fake_hash(h, q->messages[i]->role.ptr, q->messages[i]->role.len);
        h = fake_hash(h, q->messages[i]->content.ptr, q->messages[i]->content.len);
    }
    for (uint32_t i = 0; i < q->n_stop; i++) {
        h = fake_hash(h, q->stop[i].ptr, q->stop[i].len);
    }
    return fake_mix(h);
}

/* Where the next word of s begins and ends, from `at`; false after the last. */
static inline int fake_word(drh_str s, size_t *at, size_t *len)
{
    while (*at < s.len && (s.ptr[*at] == ' ' || s.ptr[*at] == '\n')) {
        (*at)++;
    }
    for (*len = 0; *at + *len < s.len && s.ptr[*at + *len] != ' ' && s.ptr[*at + *len] != '\n';) {
        (*len)++;
    }
    return *len > 0;
}

static inline uint32_t fake_count(drh_str s)
{
    size_t   at = 0, len;
    uint32_t n = 0;
    for (; fake_word(s, &at, &len); at += len) {
        n++;
    }
    return n;
}

/* Log-probabilities of the target's words; `shape` goes into the last bits, as with BLAS.  The
 * caller frees res->values. */
static inline drh_status fake_score(const drh_infer_req *q, uint32_t context, float shape,
                                    drh_infer_res *res)
{
    uint32_t n = fake_count(q->target), prompt = fake_count(q->prompt), i = 0;
    uint32_t bos = (q->flags & DRH_INFER_BOS) ? 1 : 0, skip = bos || prompt ? 0 : 1;
    uint32_t room = q->max_total && q->max_total < context ? q->max_total : context;
    float   *v = malloc((n + 1) * sizeof(*v));
    size_t   at = 0, len;

    if (!v) {
        return DRH_E_NOMEM;
    }
    res->n_prompt_tokens = prompt;
    res->n_target_tokens = n;
    res->first_value = skip;
    for (; fake_word(q->target, &at, &len) && prompt + bos + i < room; at += len, i++) {
        uint64_t h = fake_hash(0xcbf29ce484222325ull, q->prompt.ptr, q->prompt.len);
        h = fake_mix(fake_hash(h, q->target.ptr + at, len) + i);
        if (i >= skip) {
            v[res->n_values++] = -0.1F - (float)(h % 1000) / 250 - shape;
        }
    }
    res->values = v;
    return DRH_OK;
}

/* One line a request into the file that tests count: asked, and what it hashes to. */
static inline void fake_log(int fd, uint64_t key)
{
    char line[32];
    int  n = snprintf(line, sizeof(line), "%016llx\n", (unsigned long long)key);
    if (fd >= 0 && write(fd, line, (size_t)n) != n) {
        abort();
    }
}

#endif
