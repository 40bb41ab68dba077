/* SPDX-License-Identifier: MIT
 *
 * options.c - the options of trees.
 */
#include "trees.h"

/* clang-format off */
const char trees_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"paths\":{\"type\":\"string\",\"enum\":[\"best\",\"all\"],\"default\":\"best\",\"description\":\"best: of each tree one conversation, at every step the reply of the lowest rank. all: one for each answer that no further answer follows.\"},"
    "\"id_key\":{\"type\":\"string\",\"minLength\":1,\"default\":\"message_id\",\"description\":\"Field with the message's id.\"},"
    "\"parent_key\":{\"type\":\"string\",\"minLength\":1,\"default\":\"parent_id\",\"description\":\"Field with the id of the message that this one replies to; null or not there: the first of its tree.\"},"
    "\"tree_key\":{\"type\":\"string\",\"minLength\":1,\"default\":\"message_tree_id\",\"description\":\"Field that is equal in all messages of a tree.\"},"
    "\"text_key\":{\"type\":\"string\",\"minLength\":1,\"default\":\"text\",\"description\":\"Field with the text.\"},"
    "\"role_key\":{\"type\":\"string\",\"minLength\":1,\"default\":\"role\",\"description\":\"Field with the role: prompter, assistant.\"},"
    "\"rank_key\":{\"type\":\"string\",\"minLength\":1,\"default\":\"rank\",\"description\":\"Field with the rank among the replies to a message, 0 the best; null comes last.\"},"
    "\"deleted_key\":{\"type\":\"string\",\"minLength\":1,\"default\":\"deleted\",\"description\":\"Field that is true for messages to leave out, with all replies to them.\"},"
    "\"memory_mb\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1048576,\"default\":256,\"description\":\"Memory: half for sorting (what does not fit goes to files beside the run's own), half for the largest tree.\"}"
    "}}";
/* clang-format on */

static drh_status field(const struct trees *t, const drh_config *c, const char *key, drh_field *f,
                        drh_error *e)
{
    const drh_host *h = t->host;
    drh_str         s;
    drh_status      st = h->config->get_str(c, key, &s);
    if (st != DRH_OK) {
        return drh_fail(e, st, "%s: no text", key + 1);
    }
    *f = h->field(h, s.ptr, s.len);
    return *f != DRH_FIELD_NONE
               ? DRH_OK
               : drh_fail(e, DRH_E_CONFIG,
                          "%s: \"%.*s\" is no field name; give a member's name or a JSON pointer",
                          key + 1, (int)(s.len < 200 ? s.len : 200), s.ptr);
}

drh_status trees_options(struct trees *t, const drh_config *c, drh_error *e)
{
    const drh_host *h = t->host;
    const struct {
        const char *key;
        drh_field  *f;
    } keys[] = {{"/id_key", &t->message_id},  {"/parent_key", &t->parent_id},
                {"/tree_key", &t->tree_id},   {"/text_key", &t->text},
                {"/role_key", &t->role},      {"/rank_key", &t->rank},
                {"/deleted_key", &t->deleted}};
    drh_status st = DRH_OK;
    drh_str    s;
    int64_t    mb = 0;
    for (size_t i = 0; st == DRH_OK && i < sizeof(keys) / sizeof(keys[0]); i++) {
        st = field(t, c, keys[i].key, keys[i].f, e);
    }
    if (st != DRH_OK) {
        return st;
    }
    (void)h->config->get_i64(c, "/memory_mb", &mb);
    t->memory = (size_t)mb << 19;
    t->paths = h->config->get_str(c, "/paths", &s) == DRH_OK && drh_str_eq(s, "all") ? TREES_ALL
                                                                                     : TREES_BEST;
    return DRH_OK;
}
