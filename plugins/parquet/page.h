/* SPDX-License-Identifier: MIT
 * page.h - pages: their headers, and their bytes, checked and decompressed. */
#ifndef PQ_PAGE_H
#define PQ_PAGE_H

#include "thrift.h"

enum { PQ_DATA_PAGE, PQ_INDEX_PAGE, PQ_DICTIONARY_PAGE, PQ_DATA_PAGE_V2 };

enum pq_encoding {
    PQ_PLAIN = 0,
    PQ_PLAIN_DICTIONARY = 2,
    PQ_RLE = 3,
    PQ_BIT_PACKED = 4,
    PQ_DELTA_BINARY_PACKED = 5,
    PQ_DELTA_LENGTH_BYTE_ARRAY = 6,
    PQ_DELTA_BYTE_ARRAY = 7,
    PQ_RLE_DICTIONARY = 8,
    PQ_BYTE_STREAM_SPLIT = 9
};

enum pq_codec {
    PQ_UNCOMPRESSED,
    PQ_SNAPPY,
    PQ_GZIP,
    PQ_LZO,
    PQ_BROTLI,
    PQ_LZ4,
    PQ_ZSTD,
    PQ_LZ4_RAW
};

/* What a header says; sizes are checked to be no negative ones. */
struct pq_page {
    int32_t  type;
    uint32_t size, stored; /* decompressed; in the file */
    uint32_t crc;
    bool     has_crc;
    uint32_t values; /* with nulls; of a dictionary: its entries */
    uint32_t rows;   /* DATA_PAGE_V2 */
    int32_t  encoding, def_encoding, rep_encoding;
    uint32_t def_size, rep_size; /* DATA_PAGE_V2: bytes of the levels */
    bool     compressed;
    uint64_t at; /* of its bytes in the file */
};

/* What decompresses, and room for what is compressed; of one stream.  All zeros: not used yet. */
struct pq_unpack {
    struct col_block in;   /* owned */
    void            *zstd; /* owned */
};

/* The header at `at`, before `end`. */
drh_status pq_page_head(struct col_file *f, uint64_t at, uint64_t end, struct pq_page *p,
                        drh_error *e);
/* The page's p->size bytes into `out`: its checksum is compared when it has one, and what is
 * compressed is not any more.  Levels of a DATA_PAGE_V2 come first. */
drh_status pq_page_read(struct col_file *f, struct pq_unpack *u, const struct pq_page *p,
                        uint32_t codec, struct col_block *out, drh_error *e);
void       pq_unpack_free(struct col_file *f, struct pq_unpack *u);

/* codec.c: exactly n_out bytes of what in[0,n) holds.  DRH_E_DATA, DRH_E_NOMEM; no message. */
drh_status pq_decompress(struct pq_unpack *u, uint32_t codec, const uint8_t *in, size_t n,
                         uint8_t *out, size_t n_out);
/* NULL: it can be read.  Else what to say of it. */
const char *pq_codec_refused(uint32_t codec);

#endif
