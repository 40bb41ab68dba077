/* SPDX-License-Identifier: MIT
 * lines_reader.c - the reader stage "lines": plain text, a record a line, a paragraph or a file.
 * Its instance is never changed, so many streams may be in use at once. */
#include "text_in.h"

static const char schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"by\":{\"type\":\"string\",\"enum\":[\"line\",\"paragraph\",\"file\"],\"default\":\"line\","
    "\"description\":\"what becomes a record; paragraphs have blank lines between them\"},"
    "\"field\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":200,\"default\":\"text\","
    "\"description\":\"member of the record that gets the text\"}"
    "}}";

enum by { BY_LINE, BY_PARAGRAPH, BY_FILE };

struct lines {
    const drh_host *host;
    drh_str         field;
    enum by         by;
};

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct lines *l = h->alloc(h, NULL, sizeof(*l));
    drh_str       by = {NULL, 0};

    if (!l) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    *l = (struct lines){.host = h, .field = drh_str_of("text")};
    (void)h->config->get_str(c, "/by", &by);
    (void)h->config->get_str(c, "/field", &l->field);
    l->by = drh_str_eq(by, "file") ? BY_FILE : drh_str_eq(by, "paragraph") ? BY_PARAGRAPH : BY_LINE;
    *self = l;
    return DRH_OK;
}

static void destroy(void *self)
{
    struct lines *l = self;

    (void)l->host->alloc(l->host, l, 0);
}

/* Any text could be lines, so the name has to say so; lines of JSON among bad ones are the host's.
 */
static int32_t sniff(void *self, const uint8_t *head, size_t len, const char *name)
{
    const char *p = (const char *)head;

    (void)self;
    if ((!text_has_ending(name, ".txt") && !text_has_ending(name, ".text")) ||
        !text_is_text(head, len) || text_is_pointer(head, len)) {
        return 0;
    }
    for (size_t at = 0; at < len;) {
        const char *nl = memchr(p + at, '\n', len - at);
        if (p[at] == '{') {
            return 0;
        }
        at = nl ? (size_t)(nl - p) + 1 : len;
    }
    return 5;
}

static void close_stream(void *self, void *stream)
{
    const struct lines *l = self;
    struct text_in     *s = stream;

    text_in_close(s);
    (void)l->host->alloc(l->host, s, 0);
}

static drh_status open_stream(void *self, const char *path, const drh_str *position, void **stream,
                              drh_error *e)
{
    const struct lines *l = self;
    struct text_in     *s = l->host->alloc(l->host, NULL, sizeof(*s));
    uint64_t            offset = 0;
    drh_status          st;

    if (!s) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a stream");
    }
    memset(s, 0, sizeof(*s));
    st = text_position(position, &offset, e);
    st = st == DRH_OK ? text_in_open(s, l->host, path, offset, e) : st;
    if (st != DRH_OK) {
        close_stream(self, s);
        return st;
    }
    *stream = s;
    return DRH_OK;
}

/* ---- texts ---- */

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

/* The line that starts at p[from), its break included; 0: it does not end in p[0,n). */
static size_t line_len(const char *p, size_t from, size_t n)
{
    const char *nl = from < n ? memchr(p + from, '\n', n - from) : NULL;

    return nl ? (size_t)(nl - (p + from)) + 1 : 0;
}

static int is_blank(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_space(p[i])) {
            return 0;
        }
    }
    return 1;
}

/* Length of the next text with all that ends it; DRH_END: there is none.  `from` in it: where a
 * line begins that is not looked at yet. */
static drh_status find_end(struct text_in *s, enum by by, size_t *len, drh_error *e)
{
    size_t     from = 0;
    drh_status st = DRH_OK;

    for (;;) {
        const char  *p = text_in_ptr(s);
        const size_t held = text_in_held(s), n = by == BY_FILE ? 0 : line_len(p, from, held);
        if (n && (by == BY_LINE || is_blank(p + from, n))) {
            *len = from + n;
            return DRH_OK;
        }
        if (n) {
            from += n;
            continue;
        }
        if (s->end) {
            *len = held;
            return held ? DRH_OK : DRH_END;
        }
        st = text_in_more(s, e);
        if (st != DRH_OK) {
            return st;
        }
    }
}

/* Line breaks and blank lines behind it; indentation and other spaces are text. */
static size_t without_end(const char *p, size_t n)
{
    while (n && is_space(p[n - 1])) {
        n--;
    }
    return n;
}

/* Next text that is not blank: p[0,n) of `take` bytes. */
static drh_status find_text(struct text_in *s, enum by by, drh_str *text, size_t *take,
                            drh_error *e)
{
    drh_status st;

    while ((st = find_end(s, by, take, e)) == DRH_OK) {
        *text = (drh_str){text_in_ptr(s), *take};
        if (!is_blank(text->ptr, text->len)) {
            break;
        }
        text_in_take(s, *take);
    }
    if (st != DRH_OK) {
        return st;
    }
    if (by == BY_LINE) { /* spaces at its end are the line's own */
        text->len -= text->ptr[text->len - 1] == '\n';
        text->len -= text->len && text->ptr[text->len - 1] == '\r';
    } else {
        text->len = without_end(text->ptr, text->len);
    }
    return DRH_OK;
}

static drh_status fill(const struct lines *l, drh_record *r, drh_str text, drh_error *e)
{
    const drh_record_api *api = l->host->records;
    drh_status            st = api->open(r, DRH_FIELD_NONE, DRH_T_OBJECT);
    drh_status            put, closed;

    st = st == DRH_OK ? api->put_key(r, l->field.ptr, l->field.len) : st;
    if (st != DRH_OK) {
        return drh_fail(e, st, "a record cannot be filled");
    }
    put = api->put_str(r, text.ptr, text.len);
    closed = api->close(r);
    if (put == DRH_E_DATA) {
        return api->fail(r, "bad_utf8", DRH_LIT("the text is no UTF-8; convert the file"));
    }
    put = put == DRH_OK ? closed : put;
    return put == DRH_OK ? api->keep(r) : drh_fail(e, put, "a record cannot be filled");
}

static drh_status next(void *self, void *stream, drh_record *slot, drh_error *e)
{
    const struct lines *l = self;
    struct text_in     *s = stream;
    drh_str             text = {NULL, 0};
    size_t              take = 0;
    drh_status          st;

    st = text_in_before(s, e);
    st = st == DRH_OK ? text_in_after(s, find_text(s, l->by, &text, &take, e), e) : st;
    if (st == DRH_OK) {
        st = fill(l, slot, text, e);
        text_in_take(s, take);
    }
    return st;
}

static drh_status tell(void *self, void *stream, drh_str *position, drh_error *e)
{
    struct text_in *s = stream;

    (void)self, (void)e;
    *position = text_in_tell(s);
    return DRH_OK;
}

static const drh_life life = {.struct_size = sizeof(life), .create = create, .destroy = destroy};
static const drh_reader_ops   ops = {.struct_size = sizeof(ops),
                                     .sniff = sniff,
                                     .open = open_stream,
                                     .next = next,
                                     .tell = tell,
                                     .close = close_stream};
static const drh_stage        stage = {.struct_size = sizeof(stage),
                                       .kind = DRH_KIND_READER,
                                       .id = "lines",
                                       .version = "1.0.0",
                                       .summary = "reads plain text",
                                       .config_schema = schema,
                                       .threading = DRH_WORKERS,
                                       .flags = DRH_DETERMINISTIC | DRH_READS_DECOMPRESSED,
                                       .life = &life,
                                       .ops.reader = &ops};
static const drh_stage *const stages[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry_v1),
                                .abi_minor = DRH_ABI_MINOR,
                                .n_stages = 1,
                                .name = "lines",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = stages};
DRH_PLUGIN_NOTE(0, "reader lines 1.0.0");
