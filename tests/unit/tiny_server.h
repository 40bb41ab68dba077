/* SPDX-License-Identifier: MIT
 *
 * tiny_server.h - an HTTP server on 127.0.0.1 that answers with what a test has written down, and
 * remembers what it was asked.  A thread a connection.
 */
#ifndef TINY_SERVER_H
#define TINY_SERVER_H

#include <stdbool.h>
#include <stddef.h>

/* The answer to one request; the connection ends with it. */
struct tiny_answer {
    const char *raw;     /* head and body as they are sent; NULL: nothing */
    size_t      n;       /* of raw; 0: strlen */
    unsigned    wait_ms; /* before it */
    const char *more;    /* sent after raw and more_ms */
    unsigned    more_ms;
    bool        hang; /* then nothing, and the connection stays open */
};

struct tiny;

/* The i-th request gets the i-th answer, those after the last one get that, too. */
struct tiny *tiny_start(const struct tiny_answer *answers, size_t n);
void         tiny_stop(struct tiny *t);
unsigned     tiny_port(const struct tiny *t);
size_t       tiny_requests(struct tiny *t);
/* The i-th request, head and body; "" when there was none.  Valid until tiny_stop(). */
const char *tiny_request(struct tiny *t, size_t i);

#endif
