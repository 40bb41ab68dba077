/* SPDX-License-Identifier: MIT
 *
 * written.c - lists that were written as a text, as tables keep them: strict JSON first, then what
 * Python prints (literal.c).  Called by collect.c, pairs.c and special.c on the worker's thread.
 */
#include "chat.h"

#include "literal.h"

enum { SHOWN = 24 }; /* bytes of the text that a reason shows */

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || (*p >= '\t' && *p <= '\r'))) {
        p++;
    }
    return p;
}

bool chat_is_written(drh_str text)
{
    static const char array[] = "array(";
    const char       *end = text.ptr + text.len;
    const char       *p = skip_space(text.ptr, end);
    if ((size_t)(end - p) >= sizeof(array) - 1 && memcmp(p, array, sizeof(array) - 1) == 0) {
        return true;
    }
    if (p == end || *p != '[') {
        return false;
    }
    p = skip_space(p + 1, end);
    return p < end && *p != '\0' && strchr("{[('\"u]", *p) != NULL;
}

static drh_status keep_doc(struct chat_worker *w, drh_json *doc)
{
    if (w->n_docs == CHAT_MAX_DOCS) {
        w->host->json_close(doc);
        return chat_bad(w, "stringified_list", "more than %d lists that are texts", CHAT_MAX_DOCS);
    }
    w->docs[w->n_docs++] = doc;
    return DRH_OK;
}

drh_status chat_written(struct chat_worker *w, drh_str text, const char *what, drh_value *root)
{
    const drh_host      *h = w->host;
    struct literal_error wrong = {0, ""};
    drh_error            e = DRH_ERROR_INIT;
    drh_json            *doc = NULL;
    char                *json;
    size_t               n = 0;
    drh_status           st = h->json_open(h, text.ptr, text.len, &doc, root, &e);

    if (st != DRH_E_DATA) {
        return st == DRH_OK ? keep_doc(w, doc) : st;
    }
    if (literal_json(text.ptr, text.len, NULL, &n, &wrong) != DRH_OK) {
        size_t left = text.len - wrong.at;
        return chat_bad(w, "stringified_list", "%s is a text; byte %zu of it: %s: %.*s", what,
                        wrong.at, wrong.what, (int)(left < SHOWN ? left : SHOWN),
                        text.ptr + wrong.at);
    }
    json = chat_mem(w, n + 1);
    if (!json) {
        return DRH_E_NOMEM;
    }
    (void)literal_json(text.ptr, text.len, json, &n, &wrong);
    json[n] = '\0';
    st = h->json_open(h, json, n, &doc, root, &e);
    if (st == DRH_E_DATA) {
        return chat_bad(w, "stringified_list", "%s is a text; as JSON it is %s", what, e.message);
    }
    return st == DRH_OK ? keep_doc(w, doc) : st;
}

void chat_written_reset(struct chat_worker *w)
{
    while (w->n_docs > 0) {
        w->host->json_close(w->docs[--w->n_docs]);
    }
}
