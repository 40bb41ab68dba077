/* SPDX-License-Identifier: MIT
 * sums_hub.c - a hub of one's own in a file: source `sums`, for any web server with a folder that
 * holds files and their SHA256SUMS, as `sha256sum * >SHA256SUMS` writes it.
 *
 *   cc $(pkg-config --cflags drhost) -fPIC -shared -o sums_hub.so sums_hub.c
 *   drhost pull --plugin ./sums_hub.so sums:https://example.org/data/v1
 *
 * A source says what there is and what to ask for.  Connections, ranges, retries, limits, resume
 * and verification are the host's and the transport's. */
#include <drh/hub.h>

struct sums {
    const drh_host   *host;
    const drh_config *config;
    const drh_http   *http;
    drh_text          folder, url; /* of the files, with '/' at the end; of the last request */
};

static const char schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"repo\"],\"properties\":{"
    "\"repo\":{\"type\":\"string\",\"minLength\":1,\"description\":\"URL of the folder.\"},"
    "\"include\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"default\":[],"
    "\"description\":\"Only files that match one of these globs.\"},"
    "\"exclude\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"default\":[],"
    "\"description\":\"No file that matches one of these globs.\"},"
    "\"files\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"default\":[],"
    "\"description\":\"These files and no others.\"}}}";

static void destroy(void *self)
{
    struct sums *x = self;

    drh_text_free(&x->folder);
    drh_text_free(&x->url);
    (void)x->host->alloc(x->host, x, 0);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct sums *x = h->alloc(h, NULL, sizeof(*x));

    if (!x) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a source");
    }
    *x = (struct sums){.host = h, .config = c, .folder.host = h, .url.host = h};
    x->http = h->extension(h, DRH_HTTP);
    drh_text_addv(&x->folder, drh_hub_option(h, c, "/repo"));
    if (!drh_str_ends(drh_text_str(&x->folder), "/")) {
        drh_text_adds(&x->folder, "/");
    }
    if (!x->http || x->folder.failed) {
        const drh_status st = x->http ? DRH_E_NOMEM : DRH_E_UNSUPPORTED;
        destroy(x);
        return drh_fail(
            e, st, st == DRH_E_NOMEM ? "out of memory for a source" : "nobody offers drh.http/1");
    }
    *self = x;
    return DRH_OK;
}

static drh_status put_url(struct sums *x, drh_str name, drh_http_req *out, drh_error *e)
{
    drh_text_clear(&x->url);
    drh_text_addv(&x->url, drh_text_str(&x->folder));
    drh_text_quote(&x->url, name, "/");
    out->url = drh_text_str(&x->url);
    return x->url.failed ? drh_fail(e, DRH_E_NOMEM, "out of memory for a URL") : DRH_OK;
}

/* "HASH  NAME" or "HASH *NAME". */
static drh_status add_line(struct sums *x, drh_list *l, drh_str line, drh_error *e)
{
    drh_file f = {.struct_size = sizeof(f), .size = UINT64_MAX};
    drh_str  name;

    f.sha256 = drh_str_cut(line, ' ', &name);
    if (f.sha256.len == 0) {
        return DRH_OK;
    }
    f.name = drh_str_from(name, 1); /* behind the second space, or '*' */
    if (drh_str_starts(f.name, "./")) {
        f.name = drh_str_from(f.name, 2);
    }
    if (!drh_hub_wanted(x->host, x->config, f.name)) {
        return DRH_OK;
    }
    f.flags = drh_hub_flags(x->host, x->config, f.name);
    return x->host->list_file(l, &f) == DRH_OK
               ? DRH_OK
               : drh_fail(e, DRH_E_DATA, "SHA256SUMS: \"%.*s\" is no line of it",
                          (int)(line.len < 100 ? line.len : 100), line.ptr);
}

static drh_status list(void *self, drh_list *l, drh_error *e)
{
    struct sums           *x = self;
    drh_http_req           req = {.struct_size = sizeof(req)};
    const drh_http_answer *a = NULL;
    drh_status             st = put_url(x, drh_str_of("SHA256SUMS"), &req, e);

    st = st == DRH_OK ? x->http->call(x->host, &req, &a, e) : st;
    if (st == DRH_OK && a->status != 200) {
        st = drh_fail(e, DRH_E_MISSING, "%s answers %u", x->url.ptr, a->status);
    }
    for (drh_str rest = a ? a->body : (drh_str){"", 0}, line; st == DRH_OK && rest.len;) {
        line = drh_str_cut(rest, '\n', &rest);
        line.len -= drh_str_ends(line, "\r") ? 1 : 0;
        st = add_line(x, l, line, e);
    }
    x->http->release(x->host, a);
    return st;
}

static drh_status request(void *self, const drh_file *f, drh_http_req *out, drh_error *e)
{
    return put_url(self, f->name, out, e);
}

static drh_str provenance(void *self)
{
    struct sums *x = self;

    drh_text_clear(&x->url);
    drh_text_adds(&x->url, "sums:");
    drh_text_addv(&x->url, drh_text_str(&x->folder));
    return drh_text_str(&x->url);
}

static drh_status about(void *self, drh_source_about *out)
{
    out->repo = out->page = drh_text_str(&((struct sums *)self)->folder);
    return DRH_OK;
}

static const char *const needs[] = {DRH_HTTP, "drh.fetch/1", NULL};
static const drh_life    life = {.struct_size = sizeof(life), .create = create, .destroy = destroy};
static const drh_source_ops   ops = {.struct_size = sizeof(ops),
                                     .list = list,
                                     .provenance = provenance,
                                     .request = request,
                                     .about = about};
static const drh_stage        stage = {.struct_size = sizeof(stage),
                                       .kind = DRH_KIND_SOURCE,
                                       .id = "sums",
                                       .version = "1.0.0",
                                       .summary = "a folder on a web server with its SHA256SUMS",
                                       .config_schema = schema,
                                       .flags = DRH_NETWORK,
                                       .needs = needs,
                                       .life = &life,
                                       .ops.source = &ops};
static const drh_stage *const stages[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry_v1),
                                .abi_minor = DRH_ABI_MINOR,
                                .n_stages = 1,
                                .name = "sums",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = stages};
DRH_PLUGIN_NOTE(0, "source sums 1.0.0");
