/* SPDX-License-Identifier: MIT
 * settings.c - see settings.h: one table says names, defaults and values. */
#include "settings.h"

#include <stdlib.h>
#include <string.h>

#define YES_NO "no yes"

static const struct {
    const char *name, *words; /* words: names of 0, 1, ...; NULL: a number */
    long long   first;
} table[SETTINGS] = {
    [HF_DIRECT] = {"hf.direct", "private always never", DIRECT_PRIVATE},
    [HF_LINKED] = {"hf.linked", YES_NO, 1},
    [HF_SLASH] = {"hf.slash", YES_NO, 0},
    [HF_GZIP] = {"hf.gzip", YES_NO, 1},
    [HF_LINK_ORIGIN] = {"hf.link_origin", "own huggingface", LINK_OWN},
    [HF_COMMIT_HEADER] = {"hf.commit_header", YES_NO, 1},
    [HF_REFERER] = {"hf.referer", YES_NO, 0},
    [HF_AWAY] = {"hf.away", YES_NO, 0},
    [HF_HTML_429] = {"hf.html_429", YES_NO, 0},
    [HF_PAGE] = {"hf.page", NULL, 1000},
    [HF_JUNK_ETAG] = {"hf.junk_etag", YES_NO, 0},
    [HF_NO_LENGTH] = {"hf.no_length", YES_NO, 0},
    [HF_NO_RANGE] = {"hf.no_range", YES_NO, 0},
    [HF_RANGE_200] = {"hf.range_200", YES_NO, 0},
    [HF_NO_REDIRECT] = {"hf.no_redirect", YES_NO, 0},
    [HF_TREE_SLASH] = {"hf.tree_slash", YES_NO, 0},
    [HF_NO_ROOT_TREE] = {"hf.no_root_tree", YES_NO, 0},
    [HF_BARE] = {"hf.bare", YES_NO, 0},
    [MS_MISSING] = {"ms.missing", NULL, 200},
    [MS_OPEN] = {"ms.open", "whole lying", OPEN_WHOLE},
    [MS_PAGE] = {"ms.page", NULL, 0},
    [MS_DENIED] = {"ms.denied", NULL, 404},
    [MS_BARE_LIST] = {"ms.bare_list", YES_NO, 0},
    [MS_INLINE_206] = {"ms.inline_206", YES_NO, 0},
    [SIGN_SECONDS] = {"sign.seconds", NULL, 3600},
    [SIGN_USES] = {"sign.uses", NULL, 0},
    [RATE_API_Q] = {"rate.api.q", NULL, 100000},
    [RATE_API_W] = {"rate.api.w", NULL, 300},
    [RATE_RESOLVERS_Q] = {"rate.resolvers.q", NULL, 1000000},
    [RATE_RESOLVERS_W] = {"rate.resolvers.w", NULL, 300},
    [RATE_PAGES_Q] = {"rate.pages.q", NULL, 100000},
    [RATE_PAGES_W] = {"rate.pages.w", NULL, 300},
    [RATE_AFTER] = {"rate.after", "none seconds date garbage", AFTER_NONE},
    [RATE_MS_Q] = {"rate.ms.q", NULL, 0},
    [RATE_MS_W] = {"rate.ms.w", NULL, 60},
    [NET_IDLE] = {"net.idle", NULL, 60},
};

static const struct {
    unsigned     profile;
    enum setting which;
    long long    value;
} presets[] = {
    {PROFILE_MIRROR, HF_LINK_ORIGIN, LINK_HUGGINGFACE},
    {PROFILE_MIRROR, HF_COMMIT_HEADER, 0},
    {PROFILE_MIRROR, HF_REFERER, 1},
    {PROFILE_MIRROR, HF_HTML_429, 1},
    {PROFILE_MIRROR, HF_RANGE_200, 1},
    {PROFILE_OLAH, HF_JUNK_ETAG, 1},
    {PROFILE_OLAH, HF_NO_LENGTH, 1},
    {PROFILE_OLAH, HF_NO_RANGE, 1},
    {PROFILE_OLAH, HF_NO_REDIRECT, 1},
    {PROFILE_OLAH, HF_TREE_SLASH, 1},
    {PROFILE_OLAH, HF_NO_ROOT_TREE, 1},
    {PROFILE_OLAH, HF_LINK_ORIGIN, LINK_HUGGINGFACE},
    {PROFILE_NGINX, HF_BARE, 1},
    {PROFILE_NGINX, HF_NO_REDIRECT, 1},
    {PROFILE_NGINX, HF_COMMIT_HEADER, 0},
    {PROFILE_NGINX, HF_GZIP, 0},
};

void settings_reset(struct settings *s)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        atomic_store(&s->value[i], table[i].first);
    }
}

long long setting(struct settings *s, enum setting which)
{
    return atomic_load_explicit(&s->value[which], memory_order_relaxed);
}

/* The place of `word` in a list with one space between two; -1: not there. */
static int place_of(const char *words, const char *word)
{
    size_t n = strlen(word);
    int    i = 0;

    for (const char *p = words;; i++) {
        size_t k = strcspn(p, " ");

        if (k == n && strncmp(p, word, n) == 0) {
            return i;
        }
        if (!p[k]) {
            return -1;
        }
        p += k + 1;
    }
}

static bool profile_put(struct settings *s, const char *value)
{
    int p = place_of("hf hf-mirror olah plain-nginx", value);

    if (p < 0) {
        return false;
    }
    for (size_t i = HF_DIRECT; i <= HF_BARE; i++) {
        atomic_store(&s->value[i], table[i].first);
    }
    for (size_t i = 0; i < COUNT(presets); i++) {
        if (presets[i].profile == (unsigned)p) {
            atomic_store(&s->value[presets[i].which], presets[i].value);
        }
    }
    return true;
}

bool settings_put(struct settings *s, const char *name, const char *value)
{
    char     *end;
    long long v;

    if (strcmp(name, "hf.profile") == 0) {
        return profile_put(s, value);
    }
    for (size_t i = 0; i < SETTINGS; i++) {
        if (strcmp(table[i].name, name) != 0) {
            continue;
        }
        v = table[i].words ? place_of(table[i].words, value) : strtoll(value, &end, 10);
        if (v < 0 || (!table[i].words && (!*value || *end))) {
            return false;
        }
        atomic_store(&s->value[i], v);
        return true;
    }
    return false;
}

void settings_list(struct settings *s, struct sb *out)
{
    sb_putc(out, '{');
    for (size_t i = 0; i < SETTINGS; i++) {
        const char *word = table[i].words;
        long long   v = setting(s, (enum setting)i);

        sb_printf(out, "%s\"%s\":", i ? "," : "", table[i].name);
        for (long long k = 0; word && k < v; k++) {
            word = strchr(word, ' ') + 1;
        }
        if (word) {
            sb_json(out, word, strcspn(word, " "));
        } else {
            sb_printf(out, "%lld", v);
        }
    }
    sb_putc(out, '}');
}
