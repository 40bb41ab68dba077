/* SPDX-License-Identifier: MIT
 *
 * tell.c - says in the log what the records of a data set are read as, and by which fields.  Called
 * on the workers' threads; what was said before is behind a lock, which a worker takes only when
 * a record is not like its last one.
 */
#include "chat.h"

#include <pthread.h>

enum { MOST = 200 }; /* lines of an instance; then it keeps quiet */

struct chat_told {
    pthread_mutex_t  lock;
    size_t           n;
    struct chat_line line[MOST];
};

drh_status chat_tell_new(struct chat *c)
{
    struct chat_told *t = c->host->alloc(c->host, NULL, sizeof(*t));
    if (!t) {
        return DRH_E_NOMEM;
    }
    t->n = 0;
    if (pthread_mutex_init(&t->lock, NULL) != 0) {
        (void)c->host->alloc(c->host, t, 0);
        return DRH_E_NOMEM;
    }
    c->told = t;
    return DRH_OK;
}

void chat_tell_free(struct chat *c)
{
    if (c->told) {
        (void)pthread_mutex_destroy(&c->told->lock);
        (void)c->host->alloc(c->host, c->told, 0);
        c->told = NULL;
    }
}

void chat_read_as(struct chat_worker *w, uint32_t as, const char *field, const char *second)
{
    w->as = as;
    w->as_field[0] = field;
    w->as_field[1] = second;
}

/* Where the record is from, as people call it. */
static drh_str data_set(const drh_record_info *info)
{
    return info->dataset.len ? info->dataset : info->source.len ? info->source : info->from_file;
}

static bool same(const struct chat_line *a, const struct chat_line *b)
{
    return a->as == b->as && a->field[0] == b->field[0] && a->field[1] == b->field[1] &&
           strcmp(a->data_set, b->data_set) == 0;
}

/* Notes the line; false when it was there or there are too many.  *other: the data set was. */
static bool is_new(struct chat_told *t, const struct chat_line *l, bool *other)
{
    size_t i;
    *other = false;
    for (i = 0; i < t->n; i++) {
        if (same(&t->line[i], l)) {
            return false;
        }
        *other = *other || strcmp(t->line[i].data_set, l->data_set) == 0;
    }
    if (t->n == MOST) {
        return false;
    }
    t->line[t->n++] = *l;
    return true;
}

static void say(const struct chat_worker *w, const drh_record_info *info, const struct chat_line *l,
                bool other)
{
    static const char *const words[CHAT_AS_COUNT] = {"a list of turns", "MOSS turns",
                                                     "a tree of messages", "a dialogue as one text",
                                                     "a question"};
    char                     answer[200] = "";
    drh_str                  file = {"", 0};
    if (l->field[1]) {
        (void)snprintf(answer, sizeof(answer), " and its answer in %s", l->field[1]);
    }
    if (strncmp(l->data_set, info->from_file.ptr, sizeof(l->data_set) - 1) != 0) {
        file = info->from_file;
    }
    drh_logf(w->host, DRH_LOG_INFO, "%s%s: %s in %s%s (%.*s%s%llu)", l->data_set,
             other ? ", other records" : "", words[l->as], l->field[0], answer,
             (int)(file.len < 200 ? file.len : 200), file.ptr, file.len ? ":" : "line ",
             (unsigned long long)(info->from_line ? info->from_line : info->row + 1));
}

void chat_tell(struct chat_worker *w, const drh_record_info *info)
{
    struct chat_told *t = w->chat->told;
    drh_str           set = data_set(info);
    struct chat_line  l;
    bool              other = false, tell;
    size_t            n = set.len < sizeof(l.data_set) ? set.len : sizeof(l.data_set) - 1;

    if (w->chat->dialect != CHAT_AUTO) {
        return; /* told by the user */
    }
    if (w->told.as == w->as && w->told.field[0] == w->as_field[0] &&
        w->told.field[1] == w->as_field[1] && w->told.data_set[n] == '\0' &&
        (n == 0 || memcmp(w->told.data_set, set.ptr, n) == 0)) {
        return;
    }
    memset(&l, 0, sizeof(l));
    l.as = w->as;
    l.field[0] = w->as_field[0];
    l.field[1] = w->as_field[1];
    if (n > 0) {
        memcpy(l.data_set, set.ptr, n);
    }
    w->told = l;
    (void)pthread_mutex_lock(&t->lock);
    tell = is_new(t, &l, &other);
    (void)pthread_mutex_unlock(&t->lock);
    if (tell) {
        say(w, info, &l, other);
    }
}
