/* SPDX-License-Identifier: MIT
 * plugin.c - source "dataset-info": a data set by its name in LLaMA-Factory's dataset_info.json. It
 * stands for the source that the registry names. */
#include "info.h"

#include <drh/util.h>

#include <errno.h>
#include <stdlib.h>

DRH_PLUGIN_NOTE(0, "source dataset-info 1.0.0");

enum { MAX_FILE = 16 << 20 };

static const char schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"file\",\"name\"],"
    "\"properties\":{"
    "\"file\":{\"type\":\"string\",\"minLength\":1,\"x-drh-path\":\"in\",\"description\":\"The "
    "registry, LLaMA-Factory's data/dataset_info.json. Files that it names are beside it.\"},"
    "\"name\":{\"type\":\"string\",\"minLength\":1,\"description\":\"The data set's name there. It "
    "is "
    "also that of the recipe's data set, unless dataset says otherwise.\"},"
    "\"hub\":{\"type\":\"string\",\"enum\":[\"hf-mirror\",\"modelscope\"],\"default\":\"hf-"
    "mirror\","
    "\"description\":\"The hub that is asked first of a data set that is on both.\"},"
    "\"split\":{\"type\":\"string\",\"minLength\":1,\"description\":\"Files of a hub: train, "
    "validation, test or another split of the data set; default: what the registry says, else "
    "train.\"}}}";

static void destroy(void *self)
{
    struct info    *i = self;
    const drh_host *h = i->host;
    drh_text_free(&i->entry);
    (void)h->alloc(h, i, 0);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct info *i = h->alloc(h, NULL, sizeof(*i));
    if (!i) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a source");
    }
    *i = (struct info){.host = h,
                       .entry = {.host = h},
                       .config = c,
                       .file = drh_hub_option(h, c, "/file"),
                       .name = drh_hub_option(h, c, "/name")};
    *self = i;
    return DRH_OK;
}

/* All of a small file; *text is freed by the caller. */
static drh_status read_file(const char *path, char **text, size_t *len, drh_error *e)
{
    FILE *f = fopen(path, "rb");
    *text = f ? malloc(MAX_FILE + 1) : NULL;
    if (!f) {
        return drh_fail(e, DRH_E_CONFIG, "%s: %s", path, strerror(errno));
    }
    *len = *text ? fread(*text, 1, MAX_FILE + 1, f) : 0;
    if (!*text || ferror(f) || *len > MAX_FILE) {
        const int bad = ferror(f) || *text;
        (void)fclose(f);
        return bad ? drh_fail(e, DRH_E_CONFIG, "%s: cannot be read, or has more than %d MiB", path,
                              MAX_FILE >> 20)
                   : drh_fail(e, DRH_E_NOMEM, "out of memory for %s", path);
    }
    (void)fclose(f);
    return DRH_OK;
}

static drh_status stands_for(void *self, drh_str *entry, drh_error *e)
{
    struct info *i = self;
    char        *text = NULL;
    size_t       len = 0;
    drh_json    *doc = NULL;
    drh_value    root;
    drh_error    why = DRH_ERROR_INIT;
    drh_status   st = read_file(i->file.ptr, &text, &len, e);
    if (st == DRH_OK && i->host->json_open(i->host, text, len, &doc, &root, &why) != DRH_OK) {
        st = drh_fail(e, DRH_E_CONFIG, "%s: %.300s", i->file.ptr, why.message);
    }
    if (st == DRH_OK) {
        drh_text_clear(&i->entry);
        st = info_entry(i, &root, e);
    }
    if (st == DRH_OK) {
        *entry = drh_text_str(&i->entry);
        drh_logf(i->host, DRH_LOG_DEBUG, "%s is %.*s", i->name.ptr, (int)entry->len, entry->ptr);
    }
    i->host->json_close(doc);
    free(text);
    return st;
}

static const drh_life life = {.struct_size = sizeof(life), .create = create, .destroy = destroy};
static const drh_source_ops   ops = {.struct_size = sizeof(ops), .stands_for = stands_for};
static const drh_stage        stage = {.struct_size = sizeof(stage),
                                       .kind = DRH_KIND_SOURCE,
                                       .id = "dataset-info",
                                       .version = "1.0.0",
                                       .summary =
                                           "a data set by its name in LLaMA-Factory's dataset_info.json",
                                       .config_schema = schema,
                                       .threading = DRH_SERIAL,
                                       .flags = DRH_DETERMINISTIC,
                                       .life = &life,
                                       .ops.source = &ops};
static const drh_stage *const stages[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry_v1),
                                .abi_minor = DRH_ABI_MINOR,
                                .n_stages = 1,
                                .name = "dataset-info",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = stages};
