/* SPDX-License-Identifier: MIT
 * jsonc.c - comments and trailing commas out of a JSON text, in place: both become spaces, so
 * offsets, lines and columns stay.  Called by tree.c. [any] */
#include "err.h"
#include "recipe.h"

#include <string.h>

static size_t skip_string(const char *text, size_t len, size_t i)
{
    for (i++; i < len; i++) {
        if (text[i] == '\\') {
            i++;
        } else if (text[i] == '"' || text[i] == '\n') {
            break;
        }
    }
    return i < len ? i + 1 : len;
}

static size_t blank_line(char *text, size_t len, size_t i)
{
    while (i < len && text[i] != '\n') {
        text[i++] = ' ';
    }
    return i;
}

/* Past the end of the comment, or 0 when it has none. */
static size_t blank_block(char *text, size_t len, size_t i)
{
    size_t end = i + 2;
    while (end + 1 < len && !(text[end] == '*' && text[end + 1] == '/')) {
        end++;
    }
    if (end + 1 >= len) {
        return 0;
    }
    for (; i < end + 2; i++) {
        if (text[i] != '\n' && text[i] != '\r') {
            text[i] = ' ';
        }
    }
    return i;
}

static drh_status open_comment(const char *text, size_t at, drh_error *e)
{
    size_t line = 1;
    for (size_t i = 0; i < at; i++) {
        line += text[i] == '\n';
    }
    return err_set(e, DRH_E_DATA, "line %zu: comment is not closed; add */", line);
}

drh_status jsonc_strip(char *text, size_t len, drh_error *e)
{
    size_t comma = len; /* place of a comma with nothing but space after it so far */
    char   last = 0;    /* last character that is neither space nor comment */
    size_t i = 0, next;

    while (i < len) {
        char c = text[i];
        if (c == '/' && i + 1 < len && text[i + 1] == '/') {
            i = blank_line(text, len, i);
            continue;
        }
        if (c == '/' && i + 1 < len && text[i + 1] == '*') {
            next = blank_block(text, len, i);
            if (next == 0) {
                return open_comment(text, i, e);
            }
            i = next;
            continue;
        }
        if (strchr(" \t\r\n", c) && c) {
            i++;
            continue;
        }
        if ((c == ']' || c == '}') && comma < len) {
            text[comma] = ' ';
        }
        /* "[,]" stays the error that it is */
        comma = c == ',' && last && !strchr("[{,:", last) ? i : len;
        last = c;
        i = c == '"' ? skip_string(text, len, i) : i + 1;
    }
    return DRH_OK;
}
