/* SPDX-License-Identifier: MIT
 * entry.c - see info.h.  Keys and defaults are those of LLaMA-Factory's data/README.md. */
#include "info.h"

/* ---- JSON ---------------------------------------------------------------------------------- */

void info_key(drh_text *t, const char *key)
{
    const char last = t->len ? t->ptr[t->len - 1] : '{';
    drh_text_adds(t, last == '{' || last == '[' ? "" : ",");
    drh_text_json(t, drh_str_of(key));
    drh_text_adds(t, ":");
}

static void put(drh_text *t, const char *key, drh_str value)
{
    if (value.ptr) {
        info_key(t, key);
        drh_text_json(t, value);
    }
}

/* The object at `key`, or 0. */
static int object_at(const struct info *i, const drh_value *of, const char *key, drh_value *out)
{
    return i->host->values->member(of, key, strlen(key), out) == DRH_OK &&
           i->host->values->type(out) == DRH_T_OBJECT;
}

/* ---- columns and tags ---------------------------------------------------------------------- */

struct names {
    const char *theirs, *ours;
};

static void put_names(struct info *i, const drh_value *of, const struct names *n)
{
    for (; n->theirs; n++) {
        put(&i->entry, n->ours, drh_hub_text(i->host, of, n->theirs));
    }
}

/* Words for roles, where the registry has its own: {"Q":"human"}. */
static void put_roles(struct info *i, const drh_value *tags)
{
    static const struct names roles[] = {{"user_tag", "human"},
                                         {"assistant_tag", "gpt"},
                                         {"system_tag", "system"},
                                         {"observation_tag", "observation"},
                                         {"function_tag", "function_call"},
                                         {NULL, NULL}};
    const struct names       *n;
    int                       any = 0;
    for (n = roles; n->theirs; n++) {
        drh_str word = drh_hub_text(i->host, tags, n->theirs);
        if (word.len) {
            drh_text_adds(&i->entry, any++ ? "," : ",\"roles\":{");
            drh_text_json(&i->entry, word);
            drh_text_adds(&i->entry, ":");
            drh_text_json(&i->entry, drh_str_of(n->ours));
        }
    }
    drh_text_adds(&i->entry, any ? "}" : "");
}

/* "then": chat with what the registry says of columns and roles. */
static void put_chat(struct info *i, const drh_value *set, int sharegpt)
{
    static const struct names alpaca[] = {{"prompt", "prompt_key"},     {"query", "input_key"},
                                          {"response", "response_key"}, {"history", "history_key"},
                                          {"system", "system_key"},     {NULL, NULL}};
    static const struct names turns[] = {{"system", "system_key"}, {NULL, NULL}};
    static const struct names tag_keys[] = {
        {"role_tag", "role_key"}, {"content_tag", "content_key"}, {NULL, NULL}};
    drh_value columns, tags;
    const int has_columns = object_at(i, set, "columns", &columns);
    drh_str   messages =
        has_columns ? drh_hub_text(i->host, &columns, "messages") : (drh_str){NULL, 0};
    drh_text_adds(&i->entry, ",\"then\":[{\"use\":\"chat\"");
    if (sharegpt) {
        put(&i->entry, "messages_key", messages.len ? messages : drh_str_of("conversations"));
    }
    if (has_columns) {
        put_names(i, &columns, sharegpt ? turns : alpaca);
    }
    if (has_columns && drh_hub_true(i->host, set, "ranking") && !sharegpt) {
        put(&i->entry, "response_key", drh_hub_text(i->host, &columns, "chosen"));
    }
    if (sharegpt && object_at(i, set, "tags", &tags)) {
        put_names(i, &tags, tag_keys);
        put_roles(i, &tags);
    }
    drh_text_adds(&i->entry, "}]");
}

/* ---- where it is --------------------------------------------------------------------------- */

/* A folder of the repository: all that is in it. */
static void put_folder(struct info *i, drh_str folder)
{
    drh_text glob = {.host = i->host};
    while (drh_str_ends(folder, "/")) {
        folder.len--;
    }
    if (folder.len) {
        drh_text_addv(&glob, folder);
        drh_text_adds(&glob, "/");
        info_key(&i->entry, "include");
        drh_text_adds(&i->entry, "[");
        drh_text_json(&i->entry, drh_text_str(&glob));
        drh_text_adds(&i->entry, "]");
    }
    i->entry.failed |= glob.failed;
    drh_text_free(&glob);
}

static void put_hub(struct info *i, const char *use, drh_str repo, const drh_value *set)
{
    drh_str split = drh_hub_option(i->host, i->config, "/split");
    info_key(&i->entry, "use");
    drh_text_json(&i->entry, drh_str_of(use));
    put(&i->entry, "repo", repo);
    put_folder(i, drh_hub_text(i->host, set, "folder"));
    put(&i->entry, "subset", drh_hub_text(i->host, set, "subset"));
    split = split.len ? split : drh_hub_text(i->host, set, "split");
    put(&i->entry, "split", split.len ? split : drh_str_of("train"));
}

/* One hub, and the other one in case it cannot be reached. */
static void put_hubs(struct info *i, drh_str hf, drh_str ms, const drh_value *set)
{
    const int ms_first =
        !hf.len || (ms.len && drh_str_eq(drh_hub_option(i->host, i->config, "/hub"), "modelscope"));
    put_hub(i, ms_first ? "modelscope" : "hf-mirror", ms_first ? ms : hf, set);
    if (hf.len && ms.len) {
        drh_text_adds(&i->entry, ",\"or\":[{");
        put(&i->entry, "use", drh_str_of(ms_first ? "hf-mirror" : "modelscope"));
        put(&i->entry, "repo", ms_first ? hf : ms);
        drh_text_adds(&i->entry, "}]");
    }
}

/* A file or folder beside the registry. */
static void put_local(struct info *i, drh_str name)
{
    drh_text path = {.host = i->host};
    size_t   n = name.ptr[0] == '/' ? 0 : i->file.len;
    while (n > 0 && i->file.ptr[n - 1] != '/') {
        n--;
    }
    drh_text_add(&path, i->file.ptr, n);
    drh_text_addv(&path, name);
    put(&i->entry, "use", drh_str_of("local"));
    put(&i->entry, "path", drh_text_str(&path));
    i->entry.failed |= path.failed;
    drh_text_free(&path);
}

static drh_status wrong(const struct info *i, drh_error *e, const char *what)
{
    return drh_fail(e, DRH_E_CONFIG, "%.*s: %.*s: %s", (int)i->file.len, i->file.ptr,
                    (int)i->name.len, i->name.ptr, what);
}

static drh_status put_place(struct info *i, const drh_value *set, drh_error *e)
{
    const drh_str hf = drh_hub_text(i->host, set, "hf_hub_url"),
                  ms = drh_hub_text(i->host, set, "ms_hub_url"),
                  file = drh_hub_text(i->host, set, "file_name");
    if (hf.len || ms.len) {
        put_hubs(i, hf, ms, set);
        return DRH_OK;
    }
    if (file.len) {
        put_local(i, file);
        return DRH_OK;
    }
    if (drh_hub_text(i->host, set, "om_hub_url").len) {
        return wrong(i, e, "is on the openMind hub only, for which there is no source here");
    }
    if (drh_hub_text(i->host, set, "script_url").len) {
        return wrong(i, e,
                     "is made by a loading script, which is not run; name its files with a "
                     "source of their own");
    }
    if (drh_hub_text(i->host, set, "cloud_file_name").len) {
        return wrong(i, e, "is in a cloud's storage; bring it here and name the file with local");
    }
    return wrong(i, e, "names no place: give hf_hub_url, ms_hub_url or file_name");
}

/* ---- the data set -------------------------------------------------------------------------- */

/* The names that there are, as many as fit. */
static drh_status unknown(const struct info *i, const drh_value *root, drh_error *e)
{
    drh_value  one;
    drh_text   names = {.host = i->host};
    size_t     n = 0;
    drh_status st;
    for (st = i->host->values->child(root, &one); st == DRH_OK; st = i->host->values->next(&one)) {
        drh_str key;
        if (i->host->values->key(&one, &key) == DRH_OK && names.len + key.len < 300) {
            drh_text_adds(&names, names.len ? ", " : "");
            drh_text_addv(&names, key);
        } else {
            n++;
        }
    }
    st = drh_fail(e, DRH_E_CONFIG, "%.*s has no data set \"%.*s\"; it has %.*s%s", (int)i->file.len,
                  i->file.ptr, (int)i->name.len, i->name.ptr, (int)names.len,
                  names.len ? names.ptr : "",
                  names.len == 0 ? "none"
                  : n            ? " and more"
                                 : "");
    drh_text_free(&names);
    return st;
}

/* What cannot be done as the registry means it: said once, and the data set is read all the same.
 */
static void note_others(const struct info *i, const drh_value *set)
{
    drh_value v;
    if (i->host->values->member(set, "num_samples", strlen("num_samples"), &v) == DRH_OK &&
        i->host->values->type(&v) == DRH_T_NUMBER) {
        drh_logf(i->host, DRH_LOG_WARN, "%.*s: num_samples is not taken over: all records are read",
                 (int)i->name.len, i->name.ptr);
    }
}

drh_status info_entry(struct info *i, const drh_value *root, drh_error *e)
{
    drh_value  set;
    drh_str    formatting;
    drh_status st;
    if (i->host->values->type(root) != DRH_T_OBJECT) {
        return drh_fail(e, DRH_E_CONFIG, "%.*s: is no object of data sets", (int)i->file.len,
                        i->file.ptr);
    }
    if (i->host->values->member(root, i->name.ptr, i->name.len, &set) != DRH_OK) {
        return unknown(i, root, e);
    }
    if (i->host->values->type(&set) != DRH_T_OBJECT) {
        return wrong(i, e, "is no object");
    }
    formatting = drh_hub_text(i->host, &set, "formatting");
    if (formatting.len && !drh_str_eq(formatting, "alpaca") &&
        !drh_str_eq(formatting, "sharegpt") && !drh_str_eq(formatting, "openai")) {
        return wrong(i, e, "formatting is none of alpaca, sharegpt, openai");
    }
    note_others(i, &set);
    drh_text_adds(&i->entry, "{");
    st = put_place(i, &set, e);
    if (st != DRH_OK) {
        return st;
    }
    put(&i->entry, "dataset", i->name);
    put_chat(i, &set, formatting.len && !drh_str_eq(formatting, "alpaca"));
    drh_text_adds(&i->entry, "}");
    return i->entry.failed ? drh_fail(e, DRH_E_NOMEM, "out of memory") : DRH_OK;
}
