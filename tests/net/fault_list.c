/* SPDX-License-Identifier: MIT
 * fault_list.c - faults of listings, and things that happen elsewhere when a call comes. */
#include "fault_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Another origin in the Link, the same cursor again, or any other text. */
void act_link(struct call *c, const cJSON *p)
{
    const char *link = reply_get(&c->r, "Link"), *value = fault_text(p, "value", NULL);
    const char *origin = fault_text(p, "origin", NULL), *path;
    struct sb   s = {NULL, 0, 0};

    if (value) {
        reply_set(&c->r, "Link", value);
    } else if (link && origin && (path = strstr(link, "/api/"))) {
        sb_printf(&s, "<%s%s", origin, path);
        reply_set(&c->r, "Link", s.p);
    } else if (link && fault_text(p, "cursor", NULL)) {
        char *own = origin_of(c);

        sb_printf(&s, "<%s%s>; rel=\"next\"", own, c->q.target);
        reply_set(&c->r, "Link", s.p);
        free(own);
    }
    sb_free(&s);
}

/* Cut, with a length that fits what is left. */
void act_truncate(struct call *c, const cJSON *p)
{
    double after = fault_number(p, "after", -1);

    if (c->r.n == ENDLESS) {
        return;
    }
    c->r.n = after < 0 ? c->r.n / 2 : after < (double)c->r.n ? (uint64_t)after : c->r.n;
}

/* Into the first path of a listing; without one, in the middle. */
void act_bad_utf8(struct call *c, const cJSON *p)
{
    static const char *const keys[] = {"\"path\":\"", "\"Path\":\"", "\"rfilename\":\""};
    struct sb                s = {NULL, 0, 0};
    size_t                   at;

    (void)p;
    if (c->r.content) {
        return;
    }
    at = c->r.text.n / 2;
    for (size_t i = 0; i < COUNT(keys); i++) {
        const char *found = strstr(sb_text(&c->r.text), keys[i]);

        if (found) {
            at = (size_t)(found - c->r.text.p) + strlen(keys[i]);
            break;
        }
    }
    sb_add(&s, sb_text(&c->r.text), at);
    sb_puts(&s, "\xc3\x28");
    sb_add(&s, sb_text(&c->r.text) + at, c->r.text.n - at);
    sb_free(&c->r.text);
    c->r.text = s;
    c->r.n = s.n;
}

/* A listing of any length, made while it is sent. */
void act_rows(struct call *c, const cJSON *p)
{
    bool     ms = c->port->kind == PORT_MS;
    uint64_t n = fault_flag(p, "endless") ? ENDLESS : (uint64_t)fault_number(p, "rows", 200000);

    if (n == 0) {
        return;
    }
    if (ms) {
        c->r.mine = content_rows(
            "{\"Code\":200,\"Data\":{\"Files\":[{\"Name\":\"first\",\"Path\":\"first\",\"Type\":"
            "\"blob\",\"Size\":0,\"Sha256\":"
            "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}",
            ",{\"Name\":\"##########\",\"Path\":\"rows/##########\",\"Type\":\"blob\",\"Size\":1,"
            "\"Sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\","
            "\"IsLFS\":false,\"Revision\":\"0000000000000000000000000000000000000000\",\"Mode\":"
            "\"33188\"}",
            "],\"LatestCommitter\":{\"Id\":\"\",\"ShortId\":\"00000000\"}},\"Message\":\"success\","
            "\"RequestId\":\"0\",\"Success\":true}",
            n);
    } else {
        c->r.mine = content_rows(
            "[{\"type\":\"file\",\"oid\":\"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\",\"size\":0,"
            "\"path\":\"first\"}",
            ",{\"type\":\"file\",\"oid\":\"0000000000000000000000000000000000000000\",\"size\":1,"
            "\"path\":\"rows/##########\"}",
            "]", n);
    }
    reply_unset(&c->r, "Link");
    reply_unset(&c->r, "Content-Encoding");
    c->r.status = 200;
    c->r.content = c->r.mine;
    c->r.from = 0;
    c->r.n = c->r.mine->size;
    c->r.no_length = true;
}

/* The page `add` further on (-1: the one before again); `skip` rows moved by a commit. */
void act_ms_page(struct call *c, const cJSON *p)
{
    if (c->port->kind == PORT_MS) {
        c->page_add = (long)fault_number(p, "add", 0);
        c->page_skip = (long)fault_number(p, "skip", 0);
        answer_again(c);
    }
}

/* A branch moves once this answer is made. */
void act_move(struct call *c, const cJSON *p)
{
    bool ms = strcmp(fault_text(p, "hub", c->port->kind == PORT_MS ? "ms" : "hf"), "ms") == 0;
    struct repo *r = world_find(&c->hub->world, ms ? HUB_MS : HUB_HF,
                                fault_text(p, "type", "datasets"), fault_text(p, "repo", ""), NULL);

    if (r) {
        (void)repo_move(&c->hub->world, r, fault_text(p, "branch", ms ? "master" : "main"),
                        fault_text(p, "to", ""));
    }
}

/* A port is closed for a time. */
void act_port(struct call *c, const cJSON *p)
{
    struct port *port = port_named(c->hub, fault_text(p, "name", "cdn"));

    if (port && port->kind != PORT_CTL) {
        order_port(c->hub, port, false, fault_number(p, "seconds", 3));
    }
}
