/* SPDX-License-Identifier: MIT
 *
 * options.c - what the user wants, and whether the models for it are there.
 */
#include "lang.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* clang-format off */
const char lang_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"of\":{\"type\":\"string\",\"enum\":[\"answer\",\"question\",\"all\"],\"default\":\"answer\",\"description\":\"Whose turns are looked at. answer: the assistant's and, when they are short, all.\"},"
    "\"keep\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":1,\"maxItems\":128,\"description\":\"Keeps records of these languages only, such as en, zh; und: those of which nobody can tell.\"},"
    "\"languages\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":1,\"maxItems\":128,\"description\":\"Those that are told apart; the fewer, the better. Without it the usual ones.\"},"
    "\"min_letters\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,\"default\":20,\"description\":\"With fewer letters of a script that several languages have: und.\"},"
    "\"margin\":{\"type\":\"number\",\"minimum\":0,\"maximum\":0.03,\"default\":0.005,\"description\":\"Two languages whose distances differ by less than this share: und.\"},"
    "\"max_bytes\":{\"type\":\"integer\",\"minimum\":512,\"maximum\":65536,\"default\":2048,\"description\":\"Bytes of words that are looked at in a record.\"},"
    "\"models\":{\"type\":\"string\",\"minLength\":1,\"x-drh-path\":\"in\",\"description\":\"Folder of the models (fr.lm ...) instead of libexttextcat-data's.\"}"
    "}}";
/* clang-format on */

/* Reads a list of codes into flags; *there says whether it is given. */
static drh_status read_codes(const struct lang *l, const drh_config *c, const char *key, bool *flag,
                             bool *there, drh_error *e)
{
    const drh_host *h = l->host;
    drh_value       list, item;
    drh_status      st;
    drh_str         code;
    size_t          row;

    *there = h->config->get_value(c, key, &list) == DRH_OK;
    if (!*there) {
        return DRH_OK;
    }
    for (st = h->values->child(&list, &item); st == DRH_OK; st = h->values->next(&item)) {
        if (h->values->str(&item, &code) != DRH_OK) {
            return drh_fail(e, DRH_E_NOMEM, "out of memory");
        }
        row = lang_find(code);
        if (row == lang_count) {
            return drh_fail(e, DRH_E_CONFIG,
                            "\"%s\": \"%.40s\" is no language that can be told; codes are those of "
                            "ISO 639, such as en, zh, fr (plugins/lang/README.md has the list)",
                            key + 1, code.ptr);
        }
        flag[row] = true;
    }
    return DRH_OK;
}

static drh_status read_languages(struct lang *l, const drh_config *c, drh_error *e)
{
    bool       there;
    drh_status st = read_codes(l, c, "/languages", l->chosen, &there, e);

    for (size_t i = 1; st == DRH_OK && !there && i < lang_count; i++) {
        l->chosen[i] = lang_table[i].usual;
    }
    l->chosen[LANG_UND] = true;
    st = st == DRH_OK ? read_codes(l, c, "/keep", l->keep, &l->keeps, e) : st;
    for (size_t i = 0; st == DRH_OK && i < lang_count; i++) {
        if (l->keep[i] && !l->chosen[i]) {
            st = drh_fail(e, DRH_E_CONFIG,
                          "\"keep\" has \"%s\", which is not among those told apart; name it in "
                          "\"languages\", with the others that may come",
                          lang_table[i].code);
        }
    }
    return st;
}

static drh_status read_models(struct lang *l, const drh_config *c, drh_error *e)
{
    const drh_host *h = l->host;
    drh_str         folder;
    drh_status      st = h->config->get_str(c, "/models", &folder);

    if (st == DRH_E_MISSING) {
        folder = drh_str_of(LANG_MODELS);
    } else if (st != DRH_OK) {
        return drh_fail(e, st, "\"models\" cannot be read");
    }
    l->models = h->alloc(h, NULL, folder.len + 2);
    if (!l->models) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memcpy(l->models, folder.ptr, folder.len);
    memcpy(l->models + folder.len, "/", 2);
    return DRH_OK;
}

/* The library only says that something is wrong, and takes an empty model. */
static drh_status check_model(const struct lang *l, const char *model, drh_error *e)
{
    const drh_host *h = l->host;
    const size_t    n = strlen(l->models) + strlen(model) + sizeof(".lm");
    char           *path = h->alloc(h, NULL, n);
    const char     *why = NULL;
    struct stat     info;

    if (!path) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    (void)snprintf(path, n, "%s%s.lm", l->models, model);
    if (stat(path, &info) != 0 || access(path, R_OK) != 0) {
        why = errno == ENOENT || errno == ENOTDIR ? "is not there" : "cannot be read";
    } else if (!S_ISREG(info.st_mode) || info.st_size == 0) {
        why = "is no file, or empty";
    }
    (void)h->alloc(h, path, 0);
    return why ? drh_fail(e, DRH_E_CONFIG,
                          "the language model %.200s%s.lm %s; install Debian's libexttextcat-data, "
                          "or give its folder as \"models\"",
                          l->models, model, why)
               : DRH_OK;
}

drh_status lang_options(struct lang *l, const drh_config *c, drh_error *e)
{
    const drh_config_api *config = l->host->config;
    drh_str               of;
    int64_t               n;
    drh_status            st;

    if (config->get_str(c, "/of", &of) != DRH_OK) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    l->of = drh_str_eq(of, "question") ? OF_QUESTION : drh_str_eq(of, "all") ? OF_ALL : OF_ANSWER;
    (void)config->get_i64(c, "/min_letters", &n);
    l->min_letters = (size_t)n;
    (void)config->get_i64(c, "/max_bytes", &n);
    l->max_bytes = (size_t)n;
    (void)config->get_f64(c, "/margin", &l->margin);
    st = read_languages(l, c, e);
    st = st == DRH_OK ? read_models(l, c, e) : st;
    for (size_t i = 1; st == DRH_OK && i < lang_count; i++) {
        if (l->chosen[i] && lang_table[i].model) {
            st = check_model(l, lang_table[i].model, e);
        }
    }
    return st;
}
