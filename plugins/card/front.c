/* SPDX-License-Identifier: MIT
 * front.c - the front matter of a README, see card.h.  The YAML is libyaml's; what comes out is
 * bounded, since an alias may repeat what is long. */
#include "card.h"

#include <yaml.h>

enum { MAX_DEPTH = 16, MAX_JSON = 4 << 20 };

/* The lines between the first ---, which begins the text, and the next one. */
static drh_str front_matter(drh_str text)
{
    drh_str line, rest = text, matter;
    if (drh_str_starts(rest, "\xef\xbb\xbf")) {
        rest = drh_str_from(rest, 3);
    }
    rest = drh_str_from(rest, drh_hub_span(rest, " \t\r\n", 1));
    line = drh_str_cut(rest, '\n', &rest);
    matter = (drh_str){rest.ptr, 0};
    if (!drh_str_starts(line, "---") || drh_hub_span(line, "- \t\r", 1) < line.len) {
        return matter;
    }
    while (rest.len) {
        line = drh_str_cut(rest, '\n', &rest);
        if (drh_str_starts(line, "---") && drh_hub_span(line, "- \t\r", 1) == line.len) {
            matter.len = (size_t)(line.ptr - matter.ptr);
            return matter;
        }
    }
    return matter; /* it never ends: a line, not a front matter */
}

/* ---- to JSON ------------------------------------------------------------------------------- */

struct writer {
    yaml_document_t *doc;
    drh_text        *json;
    int              too_much;
};

static void put_node(struct writer *w, int id, int depth);

static drh_str scalar(const yaml_node_t *n)
{
    return (drh_str){(const char *)n->data.scalar.value, n->data.scalar.length};
}

static void put_list(struct writer *w, const yaml_node_t *n, int depth)
{
    const yaml_node_item_t *from = n->data.sequence.items.start, *to = n->data.sequence.items.top;
    drh_text_adds(w->json, "[");
    for (const yaml_node_item_t *i = from; i < to && !w->too_much; i++) {
        drh_text_adds(w->json, i > from ? "," : "");
        put_node(w, *i, depth + 1);
    }
    drh_text_adds(w->json, "]");
}

/* Keys that are no scalars are left out. */
static void put_map(struct writer *w, const yaml_node_t *n, int depth)
{
    int any = 0;
    drh_text_adds(w->json, "{");
    for (const yaml_node_pair_t *p = n->data.mapping.pairs.start;
         p < n->data.mapping.pairs.top && !w->too_much; p++) {
        const yaml_node_t *key = yaml_document_get_node(w->doc, p->key);
        if (key && key->type == YAML_SCALAR_NODE) {
            drh_text_adds(w->json, any++ ? "," : "");
            drh_text_json(w->json, scalar(key));
            drh_text_adds(w->json, ":");
            put_node(w, p->value, depth + 1);
        }
    }
    drh_text_adds(w->json, "}");
}

static void put_node(struct writer *w, int id, int depth)
{
    const yaml_node_t *n = yaml_document_get_node(w->doc, id);
    w->too_much |= depth > MAX_DEPTH || w->json->len > MAX_JSON || w->json->failed;
    if (w->too_much) {
        return;
    }
    switch (n ? n->type : YAML_NO_NODE) {
    case YAML_SCALAR_NODE:
        drh_text_json(w->json, scalar(n));
        break;
    case YAML_SEQUENCE_NODE:
        put_list(w, n, depth);
        break;
    case YAML_MAPPING_NODE:
        put_map(w, n, depth);
        break;
    case YAML_NO_NODE:
    default:
        drh_text_adds(w->json, "null");
    }
}

/* ---- all ----------------------------------------------------------------------------------- */

static int configs_of(yaml_document_t *doc)
{
    const yaml_node_t *root = yaml_document_get_root_node(doc);
    if (!root || root->type != YAML_MAPPING_NODE) {
        return 0;
    }
    for (const yaml_node_pair_t *p = root->data.mapping.pairs.start;
         p < root->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(doc, p->key);
        if (key && key->type == YAML_SCALAR_NODE && drh_str_eq(scalar(key), "configs")) {
            return p->value;
        }
    }
    return 0;
}

static drh_status write_configs(yaml_document_t *doc, drh_text *json, drh_error *e)
{
    struct writer w = {doc, json, 0};
    const int     id = configs_of(doc);
    if (id) {
        put_node(&w, id, 0);
    }
    if (json->failed) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a card");
    }
    return w.too_much ? drh_fail(e, DRH_E_DATA, "configs: more than %d MiB, or deeper than %d",
                                 MAX_JSON >> 20, MAX_DEPTH)
                      : DRH_OK;
}

drh_status card_front(drh_str readme, drh_text *json, drh_error *e)
{
    const drh_str   matter = front_matter(readme);
    yaml_parser_t   parser;
    yaml_document_t doc;
    drh_status      st;
    drh_text_clear(json);
    if (matter.len == 0) {
        return DRH_OK;
    }
    if (!yaml_parser_initialize(&parser)) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a card");
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)matter.ptr, matter.len);
    if (!yaml_parser_load(&parser, &doc)) {
        st = parser.error == YAML_MEMORY_ERROR
                 ? drh_fail(e, DRH_E_NOMEM, "out of memory for a card")
                 : drh_fail(e, DRH_E_DATA, "line %zu: %s",
                            parser.problem_mark.line + 2, /* behind the --- */
                            parser.problem ? parser.problem : "no YAML");
    } else {
        st = write_configs(&doc, json, e);
        yaml_document_delete(&doc);
    }
    yaml_parser_delete(&parser);
    return st;
}
