/* SPDX-License-Identifier: MIT
 * glob.c - patterns of data_files, see card.h. */
#include "card.h"

/* Where to go back to when what follows a star does not fit: the pattern behind the star, and the
 * place in the path from which it was tried.  For each kind of star the last one is enough: what an
 * earlier one could still take, the last one can take as well. */
struct star {
    size_t pattern, path;
    int    set;
};

/* One character of the path against what is at *p, which moves behind it. */
static int fits(drh_str pattern, size_t *p, char c)
{
    const char want = pattern.ptr[*p];
    size_t     set = 0;
    if (want == '[') {
        const int in = drh_hub_set(pattern.ptr + *p + 1, pattern.len - *p - 1, (unsigned char)c, //
                                   &set);
        if (in >= 0) {
            *p += 1 + set;
            return in && c != '/';
        }
    }
    (*p)++;
    return want == '?' ? c != '/' : want == c;
}

/* Moves a ** on by a character, or by a folder. */
static int move_on(struct star *s, drh_str pattern, drh_str path)
{
    const int parts = pattern.ptr[s->pattern - 1] == '/';
    do {
        if (s->path >= path.len) {
            s->set = 0;
            return 0;
        }
        s->path++;
    } while (parts && path.ptr[s->path - 1] != '/');
    return 1;
}

/* At a star: where to try first, which is to take nothing. */
static size_t take_star(drh_str pattern, size_t p, size_t s, struct star *one, struct star *many)
{
    const size_t n = drh_hub_span(drh_str_from(pattern, p), "*", 1);
    p += n;
    if (n > 1) {
        p += p < pattern.len && pattern.ptr[p] == '/';
        *many = (struct star){p, s, 1};
        one->set = 0;
    } else {
        *one = (struct star){p, s, 1};
    }
    return p;
}

/* Without stars and sets, and the path is below it. */
static int is_folder(drh_str pattern, drh_str path)
{
    return path.len > pattern.len && path.ptr[pattern.len] == '/' &&
           drh_hub_span(pattern, "*?[", 0) == pattern.len &&
           memcmp(path.ptr, pattern.ptr, pattern.len) == 0;
}

int card_match(drh_str pattern, drh_str path)
{
    struct star one = {0, 0, 0}, many = {0, 0, 0};
    size_t      p = 0, s = 0;
    while (drh_str_starts(pattern, "./")) {
        pattern = drh_str_from(pattern, 2);
    }
    while (drh_str_ends(pattern, "/")) {
        pattern.len--;
    }
    if (pattern.len == 0 || drh_str_eq(pattern, ".") || is_folder(pattern, path)) {
        return 1;
    }
    while (p < pattern.len || s < path.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            p = take_star(pattern, p, s, &one, &many);
        } else if (p < pattern.len && s < path.len && fits(pattern, &p, path.ptr[s])) {
            s++;
        } else if (one.set && one.path < path.len && path.ptr[one.path] != '/') {
            p = one.pattern;
            s = ++one.path;
        } else if (many.set && move_on(&many, pattern, path)) {
            one.set = 0;
            p = many.pattern;
            s = many.path;
        } else {
            return 0;
        }
    }
    return 1;
}
