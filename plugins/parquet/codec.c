/* SPDX-License-Identifier: MIT
 * codec.c - the compressions, by their libraries.  Each fills the page exactly, or it is damaged.
 */
#include "page.h"

#include <brotli/decode.h>
#include <lz4.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

static drh_status from_snappy(const uint8_t *in, size_t n, uint8_t *out, size_t n_out)
{
    size_t got = n_out;

    if (snappy_uncompressed_length((const char *)in, n, &got) != SNAPPY_OK || got != n_out) {
        return DRH_E_DATA;
    }
    return snappy_uncompress((const char *)in, n, (char *)out, &got) == SNAPPY_OK && got == n_out
               ? DRH_OK
               : DRH_E_DATA;
}

/* gzip, of several members too, or zlib. */
static drh_status from_gzip(const uint8_t *in, size_t n, uint8_t *out, size_t n_out)
{
    z_stream z = {0};
    int      got;

    if (inflateInit2(&z, 15 + 32) != Z_OK) {
        return DRH_E_NOMEM;
    }
    z.next_in = (unsigned char *)(uintptr_t)in;
    z.avail_in = (unsigned)n;
    z.next_out = out;
    z.avail_out = (unsigned)n_out;
    do {
        got = inflate(&z, Z_FINISH);
    } while (got == Z_STREAM_END && z.avail_out && z.avail_in && inflateReset(&z) == Z_OK);
    (void)inflateEnd(&z);
    if (got == Z_MEM_ERROR) {
        return DRH_E_NOMEM;
    }
    return got == Z_STREAM_END && z.avail_out == 0 ? DRH_OK : DRH_E_DATA;
}

static drh_status from_brotli(const uint8_t *in, size_t n, uint8_t *out, size_t n_out)
{
    size_t got = n_out;

    return BrotliDecoderDecompress(n, in, &got, out) == BROTLI_DECODER_RESULT_SUCCESS &&
                   got == n_out
               ? DRH_OK
               : DRH_E_DATA;
}

static drh_status from_lz4_raw(const uint8_t *in, size_t n, uint8_t *out, size_t n_out)
{
    return LZ4_decompress_safe((const char *)in, (char *)out, (int)n, (int)n_out) == (int)n_out
               ? DRH_OK
               : DRH_E_DATA;
}

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Hadoop's blocks: two sizes before each; all of them fill the page. */
static drh_status from_hadoop(const uint8_t *in, size_t n, uint8_t *out, size_t n_out)
{
    while (n >= 8) {
        uint32_t size = big_endian(in), stored = big_endian(in + 4);

        in += 8;
        n -= 8;
        if (size > n_out || stored > n || from_lz4_raw(in, stored, out, size) != DRH_OK) {
            return DRH_E_DATA;
        }
        in += stored;
        n -= stored;
        out += size;
        n_out -= size;
    }
    return n == 0 && n_out == 0 ? DRH_OK : DRH_E_DATA;
}

/* The codec LZ4 of old: what it means was never written down. */
static drh_status from_lz4(const uint8_t *in, size_t n, uint8_t *out, size_t n_out)
{
    return from_hadoop(in, n, out, n_out) == DRH_OK ? DRH_OK : from_lz4_raw(in, n, out, n_out);
}

static drh_status from_zstd(struct pq_unpack *u, const uint8_t *in, size_t n, uint8_t *out,
                            size_t n_out)
{
    if (!u->zstd && !(u->zstd = ZSTD_createDCtx())) {
        return DRH_E_NOMEM;
    }
    return ZSTD_decompressDCtx(u->zstd, out, n_out, in, n) == n_out ? DRH_OK : DRH_E_DATA;
}

drh_status pq_decompress(struct pq_unpack *u, uint32_t codec, const uint8_t *in, size_t n,
                         uint8_t *out, size_t n_out)
{
    if (codec == PQ_SNAPPY) {
        return from_snappy(in, n, out, n_out);
    }
    if (codec == PQ_GZIP) {
        return from_gzip(in, n, out, n_out);
    }
    if (codec == PQ_BROTLI) {
        return from_brotli(in, n, out, n_out);
    }
    if (codec == PQ_LZ4) {
        return from_lz4(in, n, out, n_out);
    }
    if (codec == PQ_ZSTD) {
        return from_zstd(u, in, n, out, n_out);
    }
    return codec == PQ_LZ4_RAW ? from_lz4_raw(in, n, out, n_out) : DRH_E_DATA;
}

const char *pq_codec_refused(uint32_t codec)
{
    if (codec == PQ_LZO) {
        return "it is compressed with LZO, which cannot be read; write it again with zstd";
    }
    if (codec > PQ_LZ4_RAW) {
        return "its compression is not known; write it again with zstd";
    }
    return NULL;
}

void pq_unpack_free(struct col_file *f, struct pq_unpack *u)
{
    col_release(f, &u->in);
    (void)ZSTD_freeDCtx(u->zstd);
    u->zstd = NULL;
}
