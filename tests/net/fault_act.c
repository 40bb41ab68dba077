/* SPDX-License-Identifier: MIT
 * fault_act.c - the table of actions, and those that only change the plan. */
#include "fault_impl.h"

#include <stdlib.h>
#include <string.h>

static void act_drop(struct call *c, const cJSON *p)
{
    c->plan.cut_how = fault_ending(p);
    if (fault_flag(p, "headers")) {
        c->plan.hang_up = true;
        return;
    }
    c->plan.cut = true;
    c->plan.cut_at = (uint64_t)fault_number(p, "after", 0);
}

static void act_flip(struct call *c, const cJSON *p)
{
    if (c->plan.flips < FLIPS) {
        c->plan.flip[c->plan.flips++] = (uint64_t)fault_number(p, "offset", 0);
    }
}

static void act_empty(struct call *c, const cJSON *p)
{
    if (strcmp(fault_text(p, "length", "promised"), "zero") == 0) {
        reply_set(&c->r, "Content-Length", "0");
        c->r.n = 0;
        c->r.no_length = false;
    } else {
        c->plan.cut = true;
        c->plan.cut_at = 0;
        c->plan.cut_how = END_FIN;
    }
}

static void act_stall(struct call *c, const cJSON *p)
{
    double seconds = fault_number(p, "seconds", -1);

    if (fault_flag(p, "headers")) {
        c->plan.silent = seconds < 0;
        c->plan.wait += seconds > 0 ? seconds : 0;
        return;
    }
    c->plan.stall_at = (uint64_t)fault_number(p, "after", 0);
    c->plan.stall_for = seconds;
}

static void act_trickle(struct call *c, const cJSON *p)
{
    c->plan.each = fault_number(p, "bps", 1);
    c->plan.slow_from = (uint64_t)fault_number(p, "after", 0);
}

static void act_bandwidth(struct call *c, const cJSON *p)
{
    c->plan.each = fault_number(p, "each", c->plan.each);
    c->plan.total = fault_number(p, "total", c->plan.total);
}

static void act_latency(struct call *c, const cJSON *p)
{
    c->plan.wait += fault_number(p, "ms", 100) / 1000;
}

static void act_silent(struct call *c, const cJSON *p)
{
    (void)p;
    c->plan.silent = true;
}

static void act_close(struct call *c, const cJSON *p)
{
    unsigned k = (unsigned)fault_number(p, "requests", 1);

    if (k && c->nth % k == 0) {
        c->plan.close_after = true;
        c->plan.close_quietly = fault_flag(p, "quiet");
        c->plan.cut_how = END_FIN;
    }
}

static void act_length(struct call *c, const cJSON *p)
{
    c->plan.length = LENGTH_WRONG;
    c->plan.length_by = (long long)fault_number(p, "by", -1);
}

static void act_chunked(struct call *c, const cJSON *p)
{
    (void)p;
    c->plan.length = LENGTH_CHUNKED;
}

static void act_chunked_cut(struct call *c, const cJSON *p)
{
    c->plan.length = LENGTH_CHUNKED_CUT;
    c->plan.cut_how = END_FIN;
    if (cJSON_HasObjectItem(p, "after")) {
        c->plan.cut = true;
        c->plan.cut_at = (uint64_t)fault_number(p, "after", 0);
    }
}

static void act_close_delimited(struct call *c, const cJSON *p)
{
    (void)p;
    c->plan.length = LENGTH_NONE;
}

static void act_header_case(struct call *c, const cJSON *p)
{
    c->plan.upper_case = strcmp(fault_text(p, "to", "lower"), "upper") == 0;
    c->plan.lower_case = !c->plan.upper_case;
}

static const struct action actions[] = {
    {"drop", " after how headers ", act_drop},
    {"flip", " offset ", act_flip},
    {"empty", " length ", act_empty},
    {"stall", " after seconds headers ", act_stall},
    {"trickle", " bps after ", act_trickle},
    {"bandwidth", " each total ", act_bandwidth},
    {"latency", " ms ", act_latency},
    {"silent", " ", act_silent},
    {"close", " requests quiet ", act_close},
    {"length", " by ", act_length},
    {"chunked", " ", act_chunked},
    {"chunked-cut", " after ", act_chunked_cut},
    {"close-delimited", " ", act_close_delimited},
    {"header-case", " to ", act_header_case},
    {"status", " code body type retry_after ratelimit_r ratelimit_t ", act_status},
    {"416", " total ", act_416},
    {"full200", " ", act_full200},
    {"content-range", " value start end total none ", act_content_range},
    {"multipart", " ", act_multipart},
    {"headers", " set remove ", act_headers},
    {"no-linked", " ", act_no_linked},
    {"swap", " with ", act_swap},
    {"gzip", " bomb ", act_gzip},
    {"json-error", " status ", act_json_error},
    {"html", " status ", act_html},
    {"redirect", " to status hops ", act_redirect},
    {"expire", " ", act_expire},
    {"link", " origin cursor value ", act_link},
    {"truncate", " after ", act_truncate},
    {"bad-utf8", " ", act_bad_utf8},
    {"rows", " rows endless ", act_rows},
    {"ms-page", " add skip ", act_ms_page},
    {"move", " hub type repo branch to ", act_move},
    {"port", " name seconds ", act_port},
    {"refuse", " how ", NULL},
    {"accept-silent", " ", NULL},
};

const struct action *action_named(const char *name)
{
    for (size_t i = 0; i < COUNT(actions); i++) {
        if (strcmp(actions[i].name, name) == 0) {
            return &actions[i];
        }
    }
    return NULL;
}

void actions_list(struct sb *out)
{
    for (size_t i = 0; i < COUNT(actions); i++) {
        sb_printf(out, " %s", actions[i].name);
    }
}
