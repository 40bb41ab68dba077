/* SPDX-License-Identifier: MIT
 * card.c - see card.h. */
#include "card.h"

enum { MAX_NAMES = 300 }; /* bytes of names in a message */

drh_status card_check(const drh_host *h, const drh_config *config, drh_error *e)
{
    const drh_str split = drh_hub_option(h, config, "/split");
    return split.len && memchr(split.ptr, '[', split.len)
               ? drh_fail(e, DRH_E_CONFIG,
                          "split: \"%.*s\": a part of a split cannot be taken; take all of it, and "
                          "--limit or filter what there is too much of",
                          (int)(split.len < 100 ? split.len : 100), split.ptr)
               : DRH_OK;
}

void card_open(struct card *c, const drh_host *h, const drh_config *config)
{
    memset(c, 0, sizeof(*c));
    c->host = c->json.host = c->base.host = c->splits.host = c->folders.host = h;
    c->subset = drh_hub_option(h, config, "/subset");
    c->split = drh_hub_option(h, config, "/split");
    c->way = CARD_WAYS;
}

void card_close(struct card *c)
{
    if (c->doc) {
        c->host->json_close(c->doc);
        c->doc = NULL;
    }
    drh_text_free(&c->json);
    drh_text_free(&c->base);
    drh_text_free(&c->splits);
    drh_text_free(&c->folders);
}

int card_asked(const struct card *c)
{
    return c->subset.len || c->split.len;
}

static int same(drh_str a, drh_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Adds a name that is not there yet; what does not fit is dots. */
static void add_name(drh_text *names, drh_str name)
{
    drh_str rest = drh_text_str(names);
    while (rest.len) {
        drh_str one = drh_str_cut(rest, ',', &rest);
        rest = drh_str_from(rest, drh_hub_span(rest, " ", 1));
        if (same(one, name)) {
            return;
        }
    }
    if (names->len + name.len < MAX_NAMES) {
        drh_text_adds(names, names->len ? ", " : "");
        drh_text_addv(names, name);
    } else if (!drh_str_ends(drh_text_str(names), "...")) {
        drh_text_adds(names, ", ...");
    }
}

/* ---- the card ------------------------------------------------------------------------------ */

static drh_str config_name(const struct card *c, const drh_value *config)
{
    drh_str name = drh_hub_text(c->host, config, "config_name");
    return name.ptr ? name : drh_str_of("default");
}

static int is_true(drh_str s)
{
    return drh_str_eq(s, "true") || drh_str_eq(s, "True") || drh_str_eq(s, "TRUE");
}

/* How well a config answers to what is asked for: the one with that name; else the one that the
 * card calls the default, then the one of that name, then one that is alone. */
static int rank_of(const struct card *c, const drh_value *config, size_t n)
{
    const drh_str name = config_name(c, config);
    if (c->subset.len) {
        return same(name, c->subset) ? 3 : 0;
    }
    return is_true(drh_hub_text(c->host, config, "default")) ? 3
           : drh_str_eq(name, "default")                     ? 2
                                                             : n == 1;
}

static drh_status choose_config(struct card *c, const drh_value *list, drh_error *e)
{
    drh_text   names = {.host = c->host};
    drh_value  one;
    int        best = 0;
    drh_status st;
    for (st = c->host->values->child(list, &one); st == DRH_OK; st = c->host->values->next(&one)) {
        const int rank = rank_of(c, &one, c->host->values->count(list));
        add_name(&names, config_name(c, &one));
        if (rank > best) {
            best = rank;
            c->config = one;
        }
    }
    if (best) {
        st = DRH_OK;
    } else if (c->subset.len) {
        st = drh_fail(e, DRH_E_CONFIG, "subset: there is no \"%.*s\"; the data set has %s",
                      (int)(c->subset.len < 100 ? c->subset.len : 100), c->subset.ptr,
                      drh_text_str(&names).ptr);
    } else {
        st = drh_fail(e, DRH_E_CONFIG,
                      "split: of which subset? The data set has %s; give one as \"subset\"",
                      drh_text_str(&names).ptr);
    }
    drh_text_free(&names);
    return st;
}

/* "./data/en/" as "data/en/", "." as "". */
static void set_base(struct card *c, drh_str folder)
{
    while (drh_str_starts(folder, "./")) {
        folder = drh_str_from(folder, 2);
    }
    while (drh_str_ends(folder, "/")) {
        folder.len--;
    }
    drh_text_clear(&c->base);
    if (folder.len && !drh_str_eq(folder, ".")) {
        drh_text_addv(&c->base, folder);
        drh_text_adds(&c->base, "/");
    }
}

drh_status card_read(struct card *c, drh_str readme, drh_error *e)
{
    drh_error  why = DRH_ERROR_INIT;
    drh_value  list;
    drh_status st;
    if (!card_asked(c)) {
        return DRH_OK;
    }
    st = card_front(readme, &c->json, &why);
    if (st == DRH_OK && c->json.len) {
        st = c->host->json_open(c->host, c->json.ptr, c->json.len, &c->doc, &list, &why);
    }
    if (st == DRH_E_NOMEM) {
        return drh_fail(e, st, "out of memory for a card");
    }
    if (st != DRH_OK) {
        drh_logf(c->host, DRH_LOG_WARN,
                 "README.md: its front matter cannot be read, %.200s; subset and split are told by "
                 "paths",
                 why.message);
        return DRH_OK;
    }
    if (!c->doc || c->host->values->type(&list) != DRH_T_ARRAY ||
        c->host->values->count(&list) == 0) {
        c->host->json_close(c->doc);
        c->doc = NULL;
        return DRH_OK;
    }
    st = choose_config(c, &list, e);
    if (st == DRH_OK) {
        set_base(c, drh_hub_text(c->host, &c->config, "data_dir"));
        c->has_files = c->host->values->member(&c->config, "data_files", 10, &c->files) == DRH_OK;
    }
    return st == DRH_OK && c->base.failed ? drh_fail(e, DRH_E_NOMEM, "out of memory for a card")
                                          : st;
}

/* ---- data_files ---------------------------------------------------------------------------- */

/* Calls each(pattern, split) for all patterns of the chosen config until one says 1. */
typedef int pattern_fn(void *ctx, drh_str pattern, drh_str split);

static int patterns_in(const struct card *c, const drh_value *v, drh_str split, pattern_fn *each,
                       void *ctx)
{
    const drh_value_api *values = c->host->values;
    drh_value            one;
    drh_str              text;
    drh_status           st;
    if (values->str(v, &text) == DRH_OK) {
        return each(ctx, text, split);
    }
    if (values->type(v) != DRH_T_ARRAY) {
        return 0;
    }
    for (st = values->child(v, &one); st == DRH_OK; st = values->next(&one)) {
        if (values->str(&one, &text) == DRH_OK && each(ctx, text, split)) {
            return 1;
        }
    }
    return 0;
}

/* {"split": S, "path": P} of a list. */
static int entry_in(const struct card *c, const drh_value *entry, pattern_fn *each, void *ctx)
{
    drh_str   split = drh_hub_text(c->host, entry, "split");
    drh_value path;
    return c->host->values->member(entry, "path", 4, &path) == DRH_OK &&
           patterns_in(c, &path, split.ptr ? split : drh_str_of("train"), each, ctx);
}

/* What data_files may be: a pattern or a list of them, which are of train; a list of entries; an
 * object of splits. */
static int each_pattern(const struct card *c, pattern_fn *each, void *ctx)
{
    const drh_value_api *values = c->host->values;
    const int            map = values->type(&c->files) == DRH_T_OBJECT;
    drh_value            one;
    drh_str              split;
    drh_status           st;
    if (patterns_in(c, &c->files, drh_str_of("train"), each, ctx)) {
        return 1;
    }
    for (st = values->child(&c->files, &one); st == DRH_OK; st = values->next(&one)) {
        if (map ? values->key(&one, &split) == DRH_OK && patterns_in(c, &one, split, each, ctx)
                : values->type(&one) == DRH_T_OBJECT && entry_in(c, &one, each, ctx)) {
            return 1;
        }
    }
    return 0;
}

struct question {
    const struct card *c;
    drh_str            path; /* below base */
};

static int path_fits(void *ctx, drh_str pattern, drh_str split)
{
    const struct question *q = ctx;
    return (!q->c->split.len || same(split, q->c->split)) && card_match(pattern, q->path);
}

static int note_split(void *ctx, drh_str pattern, drh_str split)
{
    (void)pattern;
    add_name(ctx, split);
    return 0;
}

/* ---- paths --------------------------------------------------------------------------------- */

/* Without a card a subset is a folder, wherever it is.  *rest gets what is behind it. */
static int in_folder(drh_str path, drh_str folder, drh_str *rest)
{
    while (path.len) {
        const size_t n = path.len;
        drh_str      part = drh_str_cut(path, '/', &path);
        if (part.len == n) {
            return 0;
        }
        if (same(part, folder)) {
            *rest = path;
            return 1;
        }
    }
    return 0;
}

/* Is the path of the subset?  *rest gets what paths of the subset differ in. */
static int in_subset(const struct card *c, drh_str path, drh_str *rest)
{
    *rest = path;
    if (c->doc) {
        if (c->base.len && !drh_str_starts(path, c->base.ptr)) {
            return 0;
        }
        *rest = drh_str_from(path, c->base.len);
        return 1;
    }
    return !c->subset.len || drh_str_eq(c->subset, "default") || in_folder(path, c->subset, rest);
}

void card_see(struct card *c, drh_str path)
{
    drh_str rest, shard, top;
    if (!card_asked(c) || drh_hub_aside(path)) {
        return;
    }
    top = drh_str_cut(path, '/', &rest);
    if (top.len < path.len) {
        add_name(&c->folders, top);
    }
    if (!in_subset(c, path, &rest)) {
        return;
    }
    c->n_seen++;
    shard = card_shard(rest);
    if (shard.ptr) {
        add_name(&c->splits, shard);
        c->seen[CARD_SHARDS] = 1;
        c->seen_split |= same(shard, c->split);
    }
    c->seen_split |= c->split.len && card_has_word(rest, c->split) ? 2 : 0;
    for (int way = CARD_NAMES; way <= CARD_FOLDERS; way++) {
        c->seen[way] |= card_words(rest, way);
    }
    c->seen[CARD_ALL] = 1;
}

/* The splits that there are, into c->splits. */
static void name_splits(struct card *c)
{
    static const char *const names[] = {"train", "validation", "test"};
    for (int i = 0; i < 3 && (c->way == CARD_NAMES || c->way == CARD_FOLDERS); i++) {
        if (c->seen[c->way] & 1u << i) {
            add_name(&c->splits, drh_str_of(names[i]));
        }
    }
}

static drh_status no_split(struct card *c, drh_error *e)
{
    name_splits(c);
    return drh_fail(e, DRH_E_CONFIG, "split: there is no \"%.*s\"; the data set has %s",
                    (int)(c->split.len < 100 ? c->split.len : 100), c->split.ptr,
                    c->splits.len ? c->splits.ptr : "train only");
}

static int is_split(void *ctx, drh_str pattern, drh_str split)
{
    (void)pattern;
    return same(*(const drh_str *)ctx, split);
}

static drh_status choose_files(struct card *c, drh_error *e)
{
    drh_text_clear(&c->splits);
    (void)each_pattern(c, note_split, &c->splits);
    return c->split.len && !each_pattern(c, is_split, &c->split) ? no_split(c, e) : DRH_OK;
}

/* The first way by which some path tells a split decides for all. */
static drh_status choose_way(struct card *c, drh_error *e)
{
    const unsigned asked = card_means(c->split);
    int            there;
    c->way = CARD_SHARDS;
    while (!c->seen[c->way]) {
        c->way++;
    }
    there = c->way == CARD_SHARDS ? c->seen_split & 1
            : !asked              ? c->seen_split & 2
            : c->way == CARD_ALL  ? asked == CARD_TRAIN
                                  : (c->seen[c->way] & asked) != 0;
    return there ? DRH_OK : no_split(c, e);
}

drh_status card_choose(struct card *c, drh_error *e)
{
    drh_status st = DRH_OK;
    if (!card_asked(c)) {
        return DRH_OK;
    }
    if (c->has_files) {
        st = choose_files(c, e);
    } else if (c->n_seen == 0) {
        st = c->subset.len && !c->doc
                 ? drh_fail(e, DRH_E_CONFIG,
                            "subset: there is no \"%.*s\": the data set's card names no subsets, "
                            "and its folders are %s",
                            (int)(c->subset.len < 100 ? c->subset.len : 100), c->subset.ptr,
                            c->folders.len ? c->folders.ptr : "none")
                 : drh_fail(e, DRH_E_CONFIG, "subset: no file with records is in %s",
                            c->base.len ? c->base.ptr : "the data set");
    } else if (c->split.len) {
        st = choose_way(c, e);
    }
    return c->splits.failed || c->folders.failed
               ? drh_fail(e, DRH_E_NOMEM, "out of memory for a card")
               : st;
}

static int split_wants(const struct card *c, drh_str rest)
{
    const unsigned asked = card_means(c->split);
    switch (c->way) {
    case CARD_SHARDS:
        return same(card_shard(rest), c->split);
    case CARD_NAMES:
    case CARD_FOLDERS:
        return asked ? (card_words(rest, c->way) & asked) != 0 : card_has_word(rest, c->split);
    case CARD_ALL:
        return asked || card_has_word(rest, c->split);
    default:
        return 1;
    }
}

int card_wants(const struct card *c, drh_str path)
{
    struct question q = {c, path};
    if (!card_asked(c)) {
        return 1;
    }
    if (!in_subset(c, path, &q.path)) {
        return 0;
    }
    if (c->has_files) {
        return each_pattern(c, path_fits, &q);
    }
    return !drh_hub_aside(path) && split_wants(c, q.path);
}
