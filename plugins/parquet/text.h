/* SPDX-License-Identifier: MIT
 * text.h - forms of text that values are shown in. */
#ifndef PQ_TEXT_H
#define PQ_TEXT_H

#include "pq.h"

bool pq_utf8(const char *p, size_t n);
/* UTF-8 that people could have written: no control characters but tab, newline, return. */
bool pq_is_text(const char *p, size_t n);

/* Each writes to `out` and returns past the last byte. */
enum { PQ_NUMBER_SIZE = 24, PQ_TIME_SIZE = 64, PQ_INTERVAL_SIZE = 80, PQ_UUID_SIZE = 36 };
char *pq_put_uint(char *out, uint64_t v);
char *pq_put_base64(char *out, const uint8_t *p, size_t n); /* (n + 2) / 3 * 4 bytes */
char *pq_put_uuid(char *out, const uint8_t *p);
/* Days since 1970: "2024-02-29"; beyond the years 0 to 9999 with a sign: "+12024-02-29". */
char *pq_put_date(char *out, int64_t days);
/* "12:30:00", "12:30:00.250000", with nanoseconds that need it nine digits; of one day. */
char *pq_put_time(char *out, uint64_t v, uint32_t per_second);
/* v / per_second since 1970: date, 'T', time, and "+00:00" when it is in UTC. */
char *pq_put_timestamp(char *out, int64_t v, uint32_t per_second, bool utc);
char *pq_put_int96(char *out, const uint8_t *p);    /* nanoseconds of a day, and a Julian day */
char *pq_put_interval(char *out, const uint8_t *p); /* "P1M2DT3.004S" */

/* A number of n big-endian bytes, two's complement, with `scale` digits behind the point.  It
 * takes pq_decimal_size() bytes; n at most PQ_MAX_DECIMAL. */
enum { PQ_MAX_DECIMAL = 64 };
size_t pq_decimal_size(size_t n, uint32_t scale);
char  *pq_put_decimal(char *out, const uint8_t *p, size_t n, uint32_t scale);

#endif
