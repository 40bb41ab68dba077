/* SPDX-License-Identifier: MIT
 * archive_in.c - see archive_in.h.
 *
 * Only tar and zip are enabled, the latter without the methods that may ask for any amount of
 * memory.  A tar archive comes as the host's bytes, so whatever it is packed with; a zip archive is
 * read from the file itself, for what it holds is written at its end. */
#include "archive_in.h"

#include <drh/hub.h>

#include <archive_entry.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 256 << 10, ZIP_PIECE = 64 << 10, POLL = 1000, TAR_BLOCK = 512, TAR_SUM = 148 };

/* ---- errors ---- */

drh_status archive_failed(const struct archive_in *in, struct archive *a, drh_error *e)
{
    const char *text = archive_error_string(a);

    if (in->why.code != DRH_OK) {
        *e = in->why;
        return e->code;
    }
    if (archive_errno(a) == ENOMEM) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for an archive");
    }
    return drh_fail(e, DRH_E_DATA, "%.200s; fetch the file again", text ? text : "it is damaged");
}

/* ---- bytes ---- */

static la_ssize_t read_piece(struct archive *a, void *self, const void **piece)
{
    struct archive_in *in = self;
    const drh_host    *h = in->o->host;
    size_t             got = 0;

    *piece = in->piece;
    if (h->cancelled(h)) {
        (void)drh_fail(&in->why, DRH_E_CANCELLED, "stopped");
    } else if (in->why.code == DRH_OK) {
        (void)h->bytes_read(in->bytes, in->piece, PIECE, &got, &in->why);
    }
    if (in->why.code != DRH_OK) {
        archive_set_error(a, EIO, "%s", in->why.message);
        return ARCHIVE_FATAL;
    }
    return (la_ssize_t)got;
}

static drh_status open_tar(struct archive_in *in, const char *path, drh_error *e)
{
    const drh_host *h = in->o->host;
    drh_status      st = h->bytes_open(h, path, in->base, &in->bytes, e);

    if (st != DRH_OK) {
        return st;
    }
    in->piece = h->alloc(h, NULL, PIECE);
    if (!in->piece) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for an archive");
    }
    return archive_read_support_format_tar(in->all) == ARCHIVE_OK &&
                   archive_read_open(in->all, in, NULL, read_piece, NULL) == ARCHIVE_OK
               ? DRH_OK
               : archive_failed(in, in->all, e);
}

static drh_status open_zip(struct archive_in *in, drh_error *e)
{
    if (archive_read_support_format_zip_seekable(in->all) == ARCHIVE_OK &&
        archive_read_open_fd(in->all, in->fd, ZIP_PIECE) == ARCHIVE_OK) {
        return DRH_OK;
    }
    return archive_errno(in->all) == ENOMEM
               ? archive_failed(in, in->all, e)
               : drh_fail(e, DRH_E_DATA,
                          "the zip archive has no list of what it holds at its end: it is cut; "
                          "fetch the file again");
}

/* Opens the file itself when it is a zip archive; what is no regular file is none. */
static drh_status look_for_zip(struct archive_in *in, const char *path, drh_error *e)
{
    char        magic[2] = "";
    struct stat sb;

    in->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0) {
        return strcmp(path, "-") == 0
                   ? DRH_OK
                   : drh_fail(e, DRH_E_IO, "cannot open %s: %s", path, strerror(errno));
    }
    if (fstat(in->fd, &sb) != 0 || !S_ISREG(sb.st_mode) || pread(in->fd, magic, 2, 0) != 2 ||
        memcmp(magic, "PK", 2) != 0) {
        (void)close(in->fd);
        in->fd = -1;
    }
    return DRH_OK;
}

/* Names that are no ASCII need a locale that has them; this thread gets its own back. */
static int next_header(struct archive_in *in, struct archive_entry **entry)
{
    const locale_t own = in->o->utf8 ? uselocale(in->o->utf8) : (locale_t)0;
    const int      got = archive_read_next_header(in->all, entry);

    if (own) {
        (void)uselocale(own);
    }
    if (got == ARCHIVE_OK || got == ARCHIVE_WARN) {
        in->number++;
        in->header = in->bytes ? in->base + (uint64_t)archive_read_header_position(in->all) : 0;
    }
    return got;
}

/* Past the members before the one of that number. */
static drh_status pass_members(struct archive_in *in, uint64_t number, drh_error *e)
{
    struct archive_entry *entry;

    while (in->number + 1 < number) {
        int got = next_header(in, &entry);
        if (got != ARCHIVE_OK && got != ARCHIVE_WARN) {
            return drh_fail(e, DRH_E_ARG, "it has no member %llu; has the file changed?",
                            (unsigned long long)number);
        }
    }
    return DRH_OK;
}

drh_status archive_in_open(struct archive_in *in, const struct archive_options *o, const char *path,
                           uint64_t number, uint64_t header, drh_error *e)
{
    drh_status st;

    in->o = o;
    in->fd = -1;
    in->why.struct_size = sizeof(in->why);
    in->all = archive_read_new();
    if (!in->all) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for an archive");
    }
    st = look_for_zip(in, path, e);
    if (st == DRH_OK && in->fd >= 0) {
        st = open_zip(in, e);
        return st == DRH_OK ? pass_members(in, number, e) : st;
    }
    in->base = header;
    in->number = number ? number - 1 : 0;
    return st == DRH_OK ? open_tar(in, path, e) : st;
}

void archive_in_close(struct archive_in *in)
{
    const drh_host *h = in->o->host;

    archive_bytes_reset(in);
    (void)archive_read_free(in->all);
    if (in->bytes) {
        h->bytes_close(in->bytes);
    }
    if (in->piece) {
        (void)h->alloc(h, in->piece, 0);
    }
    if (in->fd >= 0) {
        (void)close(in->fd);
    }
}

/* ---- members ---- */

/* Bytes of the character at p; 0: it is none, or none that should be shown. */
static size_t char_len(const uint8_t *p, size_t n)
{
    const size_t  k = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    const uint8_t low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;

    if (k > n || p[0] < 0x20 || p[0] == 0x7f || p[0] > 0xf4 ||
        (k > 1 && (p[1] < low || p[1] > high))) {
        return 0;
    }
    for (size_t i = 2; i < k; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return k;
}

/* Names are shown to people and put into records: what is no UTF-8, and control characters, become
 * question marks. */
static void set_name(struct archive_in *in, struct archive_entry *entry)
{
    const char *name = archive_entry_pathname_utf8(entry);
    size_t      n;

    name = name ? name : archive_entry_pathname(entry);
    if (!name || !*name) {
        (void)snprintf(in->name, sizeof(in->name), "member %llu", (unsigned long long)in->number);
        return;
    }
    n = strlen(name);
    n = n < sizeof(in->name) ? n : sizeof(in->name) - 1;
    for (size_t i = 0, k; i < n; i += k) {
        k = char_len((const uint8_t *)name + i, n - i);
        if (k == 0) {
            in->name[i] = '?';
            k = 1;
        } else {
            memcpy(in->name + i, name + i, k);
        }
    }
    in->name[n] = '\0';
}

/* The name without the ending of what packs it. */
static drh_str unpacked(drh_str name)
{
    static const char *const endings[] = {".gz", ".zst", ".xz"};

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (drh_str_ends(name, endings[i])) {
            return (drh_str){name.ptr, name.len - strlen(endings[i])};
        }
    }
    return name;
}

/* Files that the user has chosen, else those with the names of JSON that are no hidden or other
 * descriptions of a data set. */
static bool has_records(const struct archive_in *in, struct archive_entry *entry)
{
    const drh_host *h = in->o->host;
    drh_str         name = drh_str_of(in->name), bare;
    size_t          n;

    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) ||
        drh_hub_any(h, in->o->config, "/exclude", name, 0, &n)) {
        return false;
    }
    if (drh_hub_any(h, in->o->config, "/include", name, 0, &n) || n) {
        return drh_hub_any(h, in->o->config, "/include", name, 0, &n);
    }
    while (drh_str_starts(name, "./") || drh_str_starts(name, "../") || drh_str_starts(name, "/")) {
        (void)drh_str_cut(name, '/', &name);
    }
    bare = unpacked(name);
    return (drh_str_ends(bare, ".jsonl") || drh_str_ends(bare, ".json") ||
            drh_str_ends(bare, ".ndjson")) &&
           !drh_hub_aside(bare);
}

static void pass_over(struct archive_in *in, struct archive_entry *entry)
{
    size_t n = strlen(in->example);

    if (archive_entry_filetype(entry) == AE_IFDIR) {
        return;
    }
    in->passed++;
    if (in->passed <= 3 && n + 3 < sizeof(in->example)) {
        (void)snprintf(in->example + n, sizeof(in->example) - n, "%s%.60s", n ? ", " : "",
                       in->name);
    }
}

/* Methods of zip whose memory has no bound that we could set. */
static bool unbounded(struct archive_in *in)
{
    const char *method = archive_format_name(in->all);

    method = in->fd >= 0 && method ? strchr(method, '(') : NULL;
    return method && strcmp(method, "(uncompressed)") != 0 && strcmp(method, "(deflation)") != 0 &&
           strcmp(method, "(bzip)") != 0 && strcmp(method, "(zstd)") != 0;
}

static void judge(struct archive_in *in, struct archive_entry *entry)
{
    in->refused = NULL;
    if (archive_entry_is_encrypted(entry)) {
        in->refused = "encrypted_member";
        in->detail = "it is encrypted; unpack the archive with its password";
    } else if (unbounded(in)) {
        in->refused = "unknown_compression";
        in->detail = "its compression is not read here; pack it with deflate or zstd";
    } else if (archive_entry_sparse_count(entry) > 0) {
        in->refused = "sparse_member";
        in->detail = "it has holes instead of text; pack the archive without --sparse";
    }
}

drh_status archive_in_next(struct archive_in *in, drh_error *e)
{
    struct archive_entry *entry;
    const drh_host       *h = in->o->host;

    archive_bytes_reset(in);
    for (;;) {
        int got = next_header(in, &entry);

        if (got == ARCHIVE_EOF) {
            return DRH_END;
        }
        if (got != ARCHIVE_OK && got != ARCHIVE_WARN) {
            return archive_failed(in, in->all, e);
        }
        set_name(in, entry);
        if (has_records(in, entry)) {
            break;
        }
        pass_over(in, entry);
        if (in->number % POLL == 0 && h->cancelled(h)) {
            return drh_fail(e, DRH_E_CANCELLED, "stopped");
        }
    }
    in->seen++;
    judge(in, entry);
    return DRH_OK;
}

/* Six octal digits with spaces around or before them. */
static bool is_octal(const uint8_t *p, unsigned want)
{
    unsigned got = 0;
    size_t   i = 0, n = 0;

    while (i < 8 && p[i] == ' ') {
        i++;
    }
    for (; i < 8 && p[i] >= '0' && p[i] <= '7'; i++, n++) {
        got = got * 8 + (unsigned)(p[i] - '0');
    }
    return n > 0 && got == want;
}

int32_t archive_sniff(const uint8_t *head, size_t len)
{
    /* What office programs, Java and others keep in zip archives. */
    static const char *const foreign[] = {"[Content_Types].xml",
                                          "mimetype",
                                          "META-INF/",
                                          "_rels/",
                                          "docProps/",
                                          "xl/",
                                          "word/",
                                          "ppt/",
                                          NULL};
    const size_t             name = 30;
    unsigned                 sum = 0;

    if (len >= name && memcmp(head, "PK\3\4", 4) == 0) {
        for (size_t i = 0; foreign[i]; i++) {
            size_t n = strlen(foreign[i]);
            if (len >= name + n && memcmp(head + name, foreign[i], n) == 0) {
                return 0;
            }
        }
        return 90;
    }
    if (len < TAR_BLOCK) {
        return 0;
    }
    if (memcmp(head + 257, "ustar", 5) == 0) {
        return 100;
    }
    /* As tar was before it had that mark: the sum of the block, its own digits as spaces. */
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        sum += i >= TAR_SUM && i < TAR_SUM + 8 ? ' ' : head[i];
    }
    return head[0] && is_octal(head + TAR_SUM, sum) ? 90 : 0;
}
