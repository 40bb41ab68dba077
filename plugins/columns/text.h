/* SPDX-License-Identifier: MIT
 * text.h - forms of text that values are shown in. */
#ifndef COL_TEXT_H
#define COL_TEXT_H

#include "file.h"

bool col_utf8(const char *p, size_t n);
/* UTF-8 that people could have written: no control characters but tab, newline, return. */
bool col_is_text(const char *p, size_t n);

/* Each writes to `out` and returns past the last byte. */
enum { COL_NUMBER_SIZE = 24, COL_TIME_SIZE = 64, COL_INTERVAL_SIZE = 80, COL_UUID_SIZE = 36 };
char *col_put_uint(char *out, uint64_t v);
char *col_put_base64(char *out, const uint8_t *p, size_t n); /* (n + 2) / 3 * 4 bytes */
char *col_put_uuid(char *out, const uint8_t *p);
/* Days since 1970: "2024-02-29"; beyond the years 0 to 9999 with a sign: "+12024-02-29". */
char *col_put_date(char *out, int64_t days);
/* "12:30:00", "12:30:00.250000", with nanoseconds that need it nine digits; of one day. */
char *col_put_time(char *out, uint64_t v, uint32_t per_second);
/* v / per_second since 1970: date, 'T', time, and "+00:00" when it is in UTC. */
char *col_put_timestamp(char *out, int64_t v, uint32_t per_second, bool utc);
char *col_put_int96(char *out, const uint8_t *p);    /* nanoseconds of a day, and a Julian day */
char *col_put_interval(char *out, const uint8_t *p); /* "P1M2DT3.004S" */

/* A number of n big-endian bytes, two's complement, with `scale` digits behind the point.  It
 * takes col_decimal_size() bytes; n at most COL_MAX_DECIMAL. */
enum { COL_MAX_DECIMAL = 64 };
size_t col_decimal_size(size_t n, uint32_t scale);
char  *col_put_decimal(char *out, const uint8_t *p, size_t n, uint32_t scale);

#endif
