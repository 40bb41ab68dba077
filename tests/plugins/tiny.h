/* SPDX-License-Identifier: MIT
 * tiny.h - a file format for tests, made by make_tiny, read by tiny.c: "TINY", a version digit and
 * a newline, then rows: their length (4 bytes, little-endian), then question, tab, answer. */
#ifndef TINY_H
#define TINY_H

#include <stdint.h>

enum { TINY_HEAD = 6, TINY_MOST = 1 << 20 };

static inline void tiny_put(uint8_t *p, uint32_t n)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(n >> (8 * i));
    }
}

static inline uint32_t tiny_get(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

#endif
