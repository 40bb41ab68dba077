/* SPDX-License-Identifier: MIT
 * hf.c - source `hf-mirror`: data sets and models of a hub that speaks Hugging Face's protocol, by
 * default hf-mirror.com.  It says what to ask for and what answers mean; the host and drh.fetch/1
 * bring the files. */
#include "hf.h"

#include "card.h"

#include <stdlib.h>
#include <time.h>

static const char schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"repo\"],\"properties\":{"
    "\"repo\":{\"type\":\"string\",\"minLength\":1,\"description\":\"OWNER/NAME, or an address: "
    "hf://datasets/OWNER/NAME@REVISION/PATH or that of the page.\"},"
    "\"type\":{\"type\":\"string\",\"enum\":[\"dataset\",\"model\"],\"description\":\"What the "
    "repository is; default: what the address says, else dataset.\"},"
    "\"revision\":{\"type\":\"string\",\"minLength\":1,\"description\":\"Branch, tag or commit; "
    "default: what the address says, else main. Parquet versions are at refs/convert/parquet.\"},"
    "\"include\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1},\"default\":[]"
    ","
    "\"description\":\"Only files whose path matches one of these globs; * stands for / too, DIR/ "
    "for "
    "all in it.\"},"
    "\"exclude\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1},\"default\":[]"
    ","
    "\"description\":\"No file whose path matches one of these globs.\"},"
    "\"files\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1},\"default\":[],"
    "\"description\":\"These paths and no others; DIR/ for all in it.\"}," CARD_SCHEMA
    ",\"endpoint\":{\"type\":\"string\",\"minLength\":1,\"x-drh-env\":\"HF_ENDPOINT\","
    "\"description\":\"URL of the hub; default: the host of a pasted address, else "
    "https://hf-mirror.com.\"},"
    "\"token\":{\"type\":\"string\",\"x-drh-secret\":true,\"description\":\"Sent to the endpoint "
    "and "
    "to nobody else. Default, for huggingface.co only: HF_TOKEN, HUGGING_FACE_HUB_TOKEN or the "
    "token "
    "file; for a mirror, too, when HF_TOKEN_TO_MIRROR is 1.\"}}}";

/* ---- life ---- */

static void destroy(void *self)
{
    struct hf *x = self;
    drh_text  *all[] = {&x->endpoint, &x->type,   &x->revision, &x->commit, &x->license, &x->page,
                        &x->name,     &x->bearer, &x->folder,   &x->url,    &x->path,    &x->note};
    size_t     i;

    if (x->bearer.ptr) {
        explicit_bzero(x->bearer.ptr, x->bearer.cap);
    }
    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        drh_text_free(all[i]);
    }
    (void)x->host->alloc(x->host, x, 0);
}

static void set_host(struct hf *x)
{
    drh_text *all[] = {&x->endpoint, &x->type,   &x->revision, &x->commit, &x->license, &x->page,
                       &x->name,     &x->bearer, &x->folder,   &x->url,    &x->path,    &x->note};
    size_t    i;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        all[i]->host = x->host;
    }
}

/* The first of what is there; into `to`. */
static void choose(drh_text *to, drh_str option, drh_str from_address, const char *otherwise)
{
    drh_text_addv(to, option.len         ? option
                      : from_address.len ? from_address
                                         : drh_str_of(otherwise));
}

static drh_status set_endpoint(struct hf *x, drh_error *e)
{
    drh_text *t = &x->endpoint;

    choose(t, drh_hub_option(x->host, x->config, "/endpoint"), x->repo.endpoint,
           "https://hf-mirror.com");
    return drh_hub_endpoint(t, e);
}

static drh_status fill(struct hf *x, drh_error *e)
{
    const drh_host   *h = x->host;
    const drh_config *c = x->config;
    drh_str           type = drh_hub_option(h, c, "/type");
    drh_status        st = hf_repo_parse(drh_hub_option(h, c, "/repo"), &x->repo, e);

    st = st == DRH_OK ? card_check(h, c, e) : st;
    st = st == DRH_OK ? set_endpoint(x, e) : st;
    if (st != DRH_OK) {
        return st;
    }
    if (type.len && x->repo.type.len && !drh_str_eq(type, x->repo.type.ptr) &&
        !drh_str_starts(drh_hub_option(h, c, "/repo"), "http")) {
        return drh_fail(e, DRH_E_CONFIG, "type: is %s, and repo says %s; keep one", type.ptr,
                        x->repo.type.ptr);
    }
    choose(&x->type, type, x->repo.type, "dataset");
    if (drh_hub_option(h, c, "/revision").len) {
        drh_text_addv(&x->revision, drh_hub_option(h, c, "/revision"));
    } else {
        drh_text_unquote(&x->revision,
                         x->repo.revision.len ? x->repo.revision : drh_str_of("main"));
    }
    drh_text_unquote(&x->folder, x->repo.path);
    if ((x->folder.ptr && strlen(x->folder.ptr) < x->folder.len) ||
        (x->revision.ptr && strlen(x->revision.ptr) < x->revision.len)) {
        return drh_fail(e, DRH_E_CONFIG, "repo: %%00 in an address is part of no name");
    }
    drh_text_addv(&x->page, drh_text_str(&x->endpoint));
    drh_text_adds(&x->page, "/");
    drh_text_adds(&x->page, hf_page_type(x));
    drh_text_addv(&x->page, x->repo.id);
    if (x->type.failed || x->revision.failed || x->folder.failed || x->page.failed) {
        return DRH_E_NOMEM;
    }
    st = hf_token(x, e);
    x->auth.name = drh_str_of("Authorization");
    x->auth.value = drh_text_str(&x->bearer);
    return st;
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct hf *x = h->alloc(h, NULL, sizeof(*x));
    drh_status st;

    if (!x) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a source");
    }
    memset(x, 0, sizeof(*x));
    x->host = h;
    x->config = c;
    set_host(x);
    x->http = h->extension(h, DRH_HTTP);
    st = x->http ? fill(x, e) : drh_fail(e, DRH_E_UNSUPPORTED, "nobody offers %s", DRH_HTTP);
    if (st != DRH_OK) {
        destroy(x);
        return st == DRH_E_NOMEM ? drh_fail(e, st, "out of memory for a source") : st;
    }
    *self = x;
    return DRH_OK;
}

/* ---- files ---- */

drh_status hf_request(void *self, const drh_file *f, drh_http_req *out, drh_error *e)
{
    struct hf *x = self;

    drh_text_clear(&x->url);
    drh_text_addv(&x->url, drh_text_str(&x->endpoint));
    drh_text_adds(&x->url, "/");
    drh_text_adds(&x->url, hf_page_type(x));
    drh_text_addv(&x->url, x->repo.id);
    drh_text_adds(&x->url, "/resolve/");
    drh_text_quote(&x->url, drh_text_str(&x->commit), "");
    drh_text_adds(&x->url, "/");
    drh_text_quote(&x->url, f->name, "/");
    if (x->url.failed) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a URL");
    }
    out->url = drh_text_str(&x->url);
    if (x->bearer.len) {
        out->credentials = &x->auth;
        out->n_credentials = 1;
    }
    return DRH_OK;
}

static drh_status judge(void *self, const drh_file *f, const drh_http_answer *a, drh_error *e)
{
    return hf_explain(self, a, f->name.ptr, e);
}

/* The notes of `hf download --local-dir`: with them it knows the files without reading them. */
static drh_status note(void *self, const drh_file *f, uint32_t k, drh_str *path, drh_str *text)
{
    static const char *const folder[2][2] = {
        {".cache/huggingface/.gitignore", "*"},
        {".cache/huggingface/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# Files "
                                            "of downloads; not worth a backup.\n"}};
    struct hf      *x = self;
    struct timespec now;
    char            time[48];

    if (!f) {
        if (k > 1) {
            return DRH_END;
        }
        *path = drh_str_of(folder[k][0]);
        *text = drh_str_of(folder[k][1]);
        return DRH_OK;
    }
    if (k > 0 || (!f->sha256.len && !f->git_sha1.len)) {
        return DRH_END;
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)snprintf(time, sizeof(time), "%lld.%06ld", (long long)now.tv_sec, now.tv_nsec / 1000);
    drh_text_clear(&x->path);
    drh_text_adds(&x->path, ".cache/huggingface/download/");
    drh_text_addv(&x->path, f->name);
    drh_text_adds(&x->path, ".metadata");
    drh_text_clear(&x->note);
    drh_text_addv(&x->note, drh_text_str(&x->commit));
    drh_text_adds(&x->note, "\n");
    drh_text_addv(&x->note, f->sha256.len ? f->sha256 : f->git_sha1);
    drh_text_adds(&x->note, "\n");
    drh_text_adds(&x->note, time);
    drh_text_adds(&x->note, "\n");
    *path = drh_text_str(&x->path);
    *text = drh_text_str(&x->note);
    return x->path.failed || x->note.failed ? DRH_END : DRH_OK;
}

static drh_str provenance(void *self)
{
    struct hf *x = self;

    drh_text_clear(&x->note);
    drh_text_adds(&x->note, "hf-mirror:");
    drh_text_addv(&x->note, drh_text_str(&x->name));
    return drh_text_str(&x->note);
}

static drh_status about(void *self, drh_source_about *out)
{
    struct hf *x = self;

    out->endpoint = drh_text_str(&x->endpoint);
    out->type = drh_text_str(&x->type);
    out->repo = x->repo.id;
    out->revision = drh_text_str(&x->revision);
    out->commit = drh_text_str(&x->commit);
    out->license = drh_text_str(&x->license);
    out->page = drh_text_str(&x->page);
    return DRH_OK;
}

static const char *const needs[] = {DRH_HTTP, "drh.fetch/1", NULL};
static const drh_life    life = {.struct_size = sizeof(life), .create = create, .destroy = destroy};
static const drh_source_ops ops = {.struct_size = sizeof(ops),
                                   .list = hf_list,
                                   .provenance = provenance,
                                   .request = hf_request,
                                   .judge = judge,
                                   .note = note,
                                   .about = about};
static const drh_stage      stage = {
         .struct_size = sizeof(stage),
         .kind = DRH_KIND_SOURCE,
         .id = "hf-mirror",
         .version = "1.0.0",
         .summary = "data sets and models of HF-Mirror, Hugging Face and hubs like it",
         .config_schema = schema,
         .threading = DRH_SERIAL,
         .flags = DRH_NETWORK,
         .needs = needs,
         .life = &life,
         .ops.source = &ops};
static const drh_stage *const stages[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry_v1),
                                .abi_minor = DRH_ABI_MINOR,
                                .n_stages = 1,
                                .name = "hf-mirror",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = stages};
DRH_PLUGIN_NOTE(0, "source hf-mirror 1.0.0 hf:// https://huggingface.co/ https://hf.co/ "
                   "https://hf-mirror.com/ https://www.huggingface.co/");
