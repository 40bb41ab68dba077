/* SPDX-License-Identifier: MIT
 *
 * stream.c - server-sent events, as they come: lines "data: {...}", "data: [DONE]" at the end.
 * Runs on the thread of drh.http/1, one stream at a time.
 */
#include "oa.h"

#include <drh/util.h>

enum { MAX_LINE = 16 << 20 };

void oa_stream_start(struct oa_stream *s, const drh_host *h, bool chat, const drh_str *stop,
                     uint32_t n_stop)
{
    drh_text_clear(&s->line);
    s->line.host = h;
    s->chat = chat;
    s->done = s->stopped = false;
    s->stop = stop;
    s->n_stop = n_stop;
    s->verdict = OA_GOOD;
}

/* Cuts the answer at the first stop text that the server did not look for. */
static void look_for_stops(struct oa_stream *s, struct oa_answer *a)
{
    size_t cut = a->text.len;

    for (uint32_t i = 0; i < s->n_stop; i++) {
        const char *at = s->stop[i].len && a->text.len
                             ? memmem(a->text.ptr, cut, s->stop[i].ptr, s->stop[i].len)
                             : NULL;
        if (at) {
            cut = (size_t)(at - a->text.ptr);
            s->stopped = true;
        }
    }
    if (s->stopped) {
        a->text.len = cut;
        a->text.ptr[cut] = '\0';
        a->finish = DRH_INFER_STOP;
    }
}

static bool take_line(struct oa_stream *s, const drh_host *h, struct oa_answer *a)
{
    drh_str line = drh_text_str(&s->line);

    if (line.len && line.ptr[line.len - 1] == '\r') {
        line.len--;
    }
    if (!drh_str_starts(line, "data:")) { /* empty, a comment, "event:" */
        return true;
    }
    line = drh_str_from(line, 5);
    line = drh_str_from(line, drh_hub_span(line, " ", 1));
    if (drh_str_eq(line, "[DONE]")) {
        s->done = true;
        return true;
    }
    if (line.len) {
        s->verdict = oa_read_event(h, line, s->chat, a);
        look_for_stops(s, a);
    }
    return s->verdict == OA_GOOD && !s->stopped;
}

bool oa_stream_feed(struct oa_stream *s, const drh_host *h, const char *p, size_t n,
                    struct oa_answer *a)
{
    while (n && s->verdict == OA_GOOD && !s->stopped) {
        const char *end = memchr(p, '\n', n);
        size_t      take = end ? (size_t)(end - p) : n;

        if (take > MAX_LINE - s->line.len || a->text.len > OA_MAX_ANSWER) {
            a->code = DRH_E_DATA;
            oa_words(a, "the answer is too long", (drh_str){NULL, 0}, NULL);
            s->verdict = OA_FAIL;
            return false;
        }
        drh_text_add(&s->line, p, take);
        if (end) {
            (void)take_line(s, h, a);
            drh_text_clear(&s->line);
            take++;
        }
        p += take;
        n -= take;
    }
    return s->verdict == OA_GOOD && !s->stopped;
}

enum oa_verdict oa_stream_end(struct oa_stream *s, struct oa_answer *a)
{
    if (s->verdict == OA_GOOD && !a->finish) {
        a->code = DRH_E_NETWORK;
        oa_words(a, "the answer breaks off", (drh_str){NULL, 0}, NULL);
        s->verdict = OA_AGAIN;
    }
    if (s->verdict == OA_GOOD && (a->text.failed || s->line.failed)) {
        a->code = DRH_E_NOMEM;
        oa_words(a, "out of memory", (drh_str){NULL, 0}, NULL);
        s->verdict = OA_FAIL;
    }
    return s->verdict;
}

void oa_stream_free(struct oa_stream *s)
{
    drh_text_free(&s->line);
}
