/* SPDX-License-Identifier: MIT
 * fault.c - see fault.h: rules, and which calls they are for. */
#include "fault_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct rule {
    unsigned long long   id;
    cJSON               *o; /* owned */
    const struct action *action;
    const cJSON         *match; /* in o, or NULL */
    unsigned long long   hits, applied;
};

void faults_init(struct faults *f)
{
    memset(f, 0, sizeof(*f));
    (void)pthread_mutex_init(&f->lock, NULL);
}

static void rules_free(struct rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        cJSON_Delete(rules[i].o);
    }
    free(rules);
}

void faults_free(struct faults *f)
{
    rules_free(f->rules, f->n);
    (void)pthread_mutex_destroy(&f->lock);
}

void faults_reset(struct faults *f)
{
    (void)pthread_mutex_lock(&f->lock);
    rules_free(f->rules, f->n);
    f->rules = NULL;
    f->n = 0;
    (void)pthread_mutex_unlock(&f->lock);
}

void plan_init(struct plan *p)
{
    memset(p, 0, sizeof(*p));
    p->stall_at = NEVER;
}

/* ---- reading rules ------------------------------------------------------------------------- */

static const char match_keys[] = " port method path file repo status token range ";
static const char rule_keys[] = " match action comment nth every after_hits count prob seed tag ";

static bool known_keys(const cJSON *o, const char *a, const char *b, struct sb *why)
{
    const cJSON *v;

    cJSON_ArrayForEach(v, o)
    {
        char *word = xprintf(" %s ", v->string);
        bool  known = strstr(a, word) || strstr(b, word);

        free(word);
        if (!known) {
            sb_printf(why, "unknown key \"%s\"; there are%s%s\n", v->string, a, b + 1);
            return false;
        }
    }
    return true;
}

static bool rule_read(const cJSON *o, struct rule *r, struct sb *why)
{
    const char *name = cJSON_IsObject(o) ? fault_text(o, "action", "") : "";

    memset(r, 0, sizeof(*r));
    r->action = action_named(name);
    if (!r->action) {
        sb_printf(why, "no action \"%s\"; there are:", name);
        actions_list(why);
        sb_putc(why, '\n');
        return false;
    }
    if (!known_keys(o, rule_keys, r->action->keys, why)) {
        return false;
    }
    r->o = cJSON_Duplicate(o, true);
    r->match = cJSON_GetObjectItemCaseSensitive(r->o, "match");
    if (r->match && !known_keys(r->match, match_keys, " ", why)) {
        cJSON_Delete(r->o);
        return false;
    }
    return true;
}

bool faults_put(struct faults *f, const cJSON *list, bool add, struct sb *why)
{
    struct rule *rules = NULL;
    size_t       n = 0;
    const cJSON *o;

    if (cJSON_IsObject(list)) {
        list = cJSON_GetObjectItemCaseSensitive(list, "faults");
    }
    if (!cJSON_IsArray(list)) {
        sb_puts(why, "a list of rules is wanted\n");
        return false;
    }
    cJSON_ArrayForEach(o, list)
    {
        rules = xgrow(rules, n + 1, sizeof(*rules));
        if (!rule_read(o, &rules[n], why)) {
            rules_free(rules, n);
            return false;
        }
        n++;
    }
    if (!add) {
        faults_reset(f);
    }
    (void)pthread_mutex_lock(&f->lock);
    f->rules = xgrow(f->rules, f->n + n, sizeof(*rules));
    for (size_t i = 0; i < n; i++) {
        rules[i].id = ++f->next_id;
        f->rules[f->n++] = rules[i];
    }
    (void)pthread_mutex_unlock(&f->lock);
    free(rules);
    return true;
}

void faults_list(struct faults *f, struct sb *out)
{
    (void)pthread_mutex_lock(&f->lock);
    sb_putc(out, '[');
    for (size_t i = 0; i < f->n; i++) {
        const struct rule *r = &f->rules[i];
        char              *text = cJSON_PrintUnformatted(r->o);

        sb_printf(out, "%s{\"id\":%llu,\"hits\":%llu,\"applied\":%llu,\"rule\":%s}", i ? "," : "",
                  r->id, r->hits, r->applied, text ? text : "null");
        cJSON_free(text);
    }
    sb_putc(out, ']');
    (void)pthread_mutex_unlock(&f->lock);
}

/* ---- who they are for ---------------------------------------------------------------------- */

/* "cdn" is also the TLS port "cdns"; "cdns" only that. */
static bool port_fits(const char *want, const char *name)
{
    size_t n = strlen(want);

    return strcmp(want, "*") == 0 ||
           (strncmp(name, want, n) == 0 && (!name[n] || strcmp(name + n, "s") == 0));
}

static bool range_fits(const cJSON *range, const struct call *c)
{
    double from = cJSON_GetNumberValue(cJSON_GetArrayItem(range, 0));
    double to = cJSON_GetNumberValue(cJSON_GetArrayItem(range, 1));

    return c->r.file && (double)c->r.from < to && (double)(c->r.from + c->r.n) > from;
}

static bool rule_fits(const struct rule *r, const struct call *c)
{
    const cJSON *m = r->match, *v = cJSON_GetObjectItemCaseSensitive(m, "range");
    const char  *file = fault_text(m, "file", NULL), *repo = fault_text(m, "repo", NULL);
    int          status = (int)fault_number(m, "status", 0);
    const cJSON *token = cJSON_GetObjectItemCaseSensitive(m, "token");

    return port_fits(fault_text(m, "port", "*"), c->port->name) &&
           glob_match(fault_text(m, "method", "*"), c->q.method) &&
           glob_match(fault_text(m, "path", "*"), c->q.target) &&
           (!file || (c->named && glob_match(file, c->named))) &&
           (!repo || strstr(c->q.path, repo) ||
            (c->r.file && glob_match(repo, c->r.file->repo->id))) &&
           (!status || status == c->r.status) &&
           (!token || cJSON_IsTrue(token) == (c->token != NULL)) && (!v || range_fits(v, c));
}

/* Counts the hit.  Which of the hits it is for. */
static bool rule_due(struct rule *r)
{
    unsigned long long nth = (unsigned long long)fault_number(r->o, "nth", 0);
    unsigned long long every = (unsigned long long)fault_number(r->o, "every", 0);
    unsigned long long after = (unsigned long long)fault_number(r->o, "after_hits", 0);
    double   count = fault_number(r->o, "count", -1), prob = fault_number(r->o, "prob", 1);
    uint64_t seed = (uint64_t)fault_number(r->o, "seed", 1);

    r->hits++;
    if ((nth && r->hits != nth) || (every && r->hits % every != 0) || r->hits <= after ||
        (count >= 0 && (double)r->applied >= count)) {
        return false;
    }
    if (prob < 1 && (double)(mix64(mix64(seed) + r->hits) >> 11) / 9007199254740992.0 >= prob) {
        return false;
    }
    r->applied++;
    return true;
}

static void note(struct sb *s, const struct rule *r)
{
    sb_printf(s, "%s%s", s->n ? " " : "", fault_text(r->o, "tag", r->action->name));
}

void faults_apply(struct call *c)
{
    struct faults *f = &c->hub->faults;

    (void)pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->n; i++) {
        struct rule *r = &f->rules[i];

        if (r->action->act && rule_fits(r, c) && rule_due(r)) {
            note(&c->plan.names, r);
            r->action->act(c, r->o);
        }
    }
    (void)pthread_mutex_unlock(&f->lock);
}

bool faults_accept(struct faults *f, struct conn *conn, enum ending *how)
{
    bool accept = true, silent = false;

    (void)pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->n && accept; i++) {
        struct rule *r = &f->rules[i];

        if (!r->action->act && conn->port->kind != PORT_CTL &&
            port_fits(fault_text(r->match, "port", "*"), conn->port->name) && rule_due(r)) {
            accept = false;
            silent = strcmp(r->action->name, "accept-silent") == 0;
            *how = fault_ending(r->o);
        }
    }
    (void)pthread_mutex_unlock(&f->lock);
    if (silent) {
        (void)conn_wait(conn, -1);
    }
    return accept;
}

/* ---- parameters ---------------------------------------------------------------------------- */

double fault_number(const cJSON *p, const char *key, double otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(p, key);

    return cJSON_IsNumber(v) ? v->valuedouble : otherwise;
}

const char *fault_text(const cJSON *p, const char *key, const char *otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(p, key);

    return cJSON_IsString(v) ? v->valuestring : otherwise;
}

bool fault_flag(const cJSON *p, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(p, key));
}

enum ending fault_ending(const cJSON *p)
{
    const char *how = fault_text(p, "how", "rst");

    return strcmp(how, "fin") == 0         ? END_FIN
           : strcmp(how, "no-notify") == 0 ? END_NO_NOTIFY
                                           : END_RST;
}
