/* SPDX-License-Identifier: MIT
 * brings.c - a source that brings its files itself, as `repo` says: "right", or what is wrong with
 * them.  Six files "hello\n" in two folders; "stops" asks to be stopped at the third. */
#include <drh/hub.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

struct brings {
    const drh_host *host;
    char            how[32];
};

static const char schema[] = "{\"type\":\"object\",\"additionalProperties\":false,\"required\":["
                             "\"repo\"],\"properties\":{\"repo\":{\"type\":\"string\"}}}";
static const char sha256[] = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
static const char git[] = "ce013625030ba8dba906f756967f9e9ca394464a";

static void destroy(void *self)
{
    struct brings *b = self;
    (void)b->host->alloc(b->host, b, 0);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    drh_str        how;
    struct brings *b = h->alloc(h, NULL, sizeof(*b));

    if (!b) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    b->host = h;
    if (h->config->get_str(c, "/repo", &how) != DRH_OK) {
        how = drh_str_of("right");
    }
    (void)snprintf(b->how, sizeof(b->how), "%.*s", (int)how.len, how.ptr);
    *self = b;
    return DRH_OK;
}

static drh_status list(void *self, drh_list *l, drh_error *e)
{
    struct brings *b = self;

    for (int i = 0; i < 6; i++) {
        char     name[32];
        drh_file f = {.struct_size = sizeof(f), .size = 6};

        (void)snprintf(name, sizeof(name), "%s/f%d.json", i < 3 ? "d" : "e", i);
        f.name = drh_str_of(name);
        if (strcmp(b->how, "unknown") == 0) {
            f.size = UINT64_MAX;
        } else if (i % 2) {
            f.sha256 = drh_str_of(sha256);
        } else {
            f.git_sha1 = drh_str_of(git);
        }
        if (b->host->list_file(l, &f) != DRH_OK) {
            return drh_fail(e, DRH_E_NOMEM, "out of memory");
        }
    }
    return DRH_OK;
}

static drh_status fetch(void *self, void *worker, const drh_file *f, const char *path, drh_error *e)
{
    struct brings *b = self;
    const char    *text = strcmp(b->how, "long") == 0    ? "hello, world\n"
                          : strcmp(b->how, "other") == 0 ? "HELLO\n"
                                                         : "hello\n";
    FILE          *out;

    (void)worker;
    if (strcmp(b->how, "nothing") == 0) {
        return DRH_OK;
    }
    out = fopen(path, "w");
    if (!out || fputs(text, out) < 0 || fclose(out) != 0) {
        return drh_fail(e, DRH_E_IO, "cannot write %s", path);
    }
    if (strcmp(b->how, "stops") == 0 && f->name.ptr[strlen("d/f")] == '2') {
        (void)kill(getpid(), SIGINT);
    }
    return DRH_OK;
}

static const drh_life life = {.struct_size = sizeof(life), .create = create, .destroy = destroy};
static const drh_source_ops ops = {.struct_size = sizeof(ops), .list = list, .fetch = fetch};
static const drh_stage      stage = {.struct_size = sizeof(stage),
                                     .kind = DRH_KIND_SOURCE,
                                     .id = "brings",
                                     .version = "1.0.0",
                                     .summary = "files that are not what was listed",
                                     .config_schema = schema,
                                     .life = &life,
                                     .ops.source = &ops};

static const drh_stage *const stages[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry_v1),
                                .abi_minor = DRH_ABI_MINOR,
                                .n_stages = 1,
                                .name = "brings",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = stages};
DRH_PLUGIN_NOTE(0, "source brings 1.0.0");
