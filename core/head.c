/* SPDX-License-Identifier: MIT
 * head.c - see head.h. */
#include "head.h"

#include "err.h"
#include "input_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- reading ---- */

static drh_status read_raw(struct head *h, const char *path, drh_error *e)
{
    int     fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 1;

    if (fd < 0) {
        return err_errno(e, errno, "cannot open", path);
    }
    while (h->n_raw < sizeof(h->raw) && n != 0) {
        n = read(fd, h->raw + h->n_raw, sizeof(h->raw) - h->n_raw);
        if (n < 0 && errno != EINTR) {
            int en = errno;
            (void)close(fd);
            return err_errno(e, en, "cannot read", path);
        }
        h->n_raw += n > 0 ? (size_t)n : 0;
    }
    (void)close(fd);
    return DRH_OK;
}

static drh_status read_text(struct head *h, const char *path, drh_error *e)
{
    struct raw *r = NULL;
    size_t      got = 1;
    drh_status  st = raw_open(&r, path, sizeof(h->text), e);

    while (st == DRH_OK && h->n_text < sizeof(h->text) && got) {
        st = raw_fill(r, (char *)h->text + h->n_text, sizeof(h->text) - h->n_text, &got, e);
        h->n_text += st == DRH_OK ? got : 0;
    }
    raw_close(r);
    return st;
}

drh_status head_read(struct head *h, const char *path, drh_error *e)
{
    drh_status st;

    h->n_raw = h->n_text = 0;
    st = read_raw(h, path, e);
    return st == DRH_OK ? read_text(h, path, e) : st;
}

/* ---- judging ---- */

static bool opens_json(uint8_t c)
{
    return c == '{' || c == '[';
}

/* The first byte that is no white space, after a BOM; n: there is none. */
static size_t first_byte(const struct head *h)
{
    size_t   at = h->n_text >= 3 && memcmp(h->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    uint64_t lines = 0;

    return at + split_space((const char *)h->text + at, h->n_text - at, &lines);
}

bool head_is_json(const struct head *h)
{
    size_t at = first_byte(h);

    return at == h->n_text || opens_json(h->text[at]);
}

/* A line that could be a record: whatever the rest is, the built-in reader tells good from bad. */
static bool has_json_line(const struct head *h)
{
    for (size_t at = first_byte(h); at < h->n_text;) {
        const uint8_t *nl = memchr(h->text + at, '\n', h->n_text - at);

        if (opens_json(h->text[at])) {
            return true;
        }
        at = nl ? (size_t)(nl - h->text) + 1 : h->n_text;
    }
    return false;
}

#define MAGIC(at, bytes, words)                                                                    \
    {                                                                                              \
        at, sizeof(bytes) - 1, bytes, words                                                        \
    }
static const struct {
    size_t      at, len;
    const char *bytes, *words;
} magics[] = {
    MAGIC(0, "PAR1", "a Parquet file"),
    MAGIC(0, "PARE", "an encrypted Parquet file"),
    MAGIC(0, "ARROW1", "an Arrow file"),
    MAGIC(0, "FEA1", "a Feather file"),
    MAGIC(0, "\xff\xff\xff\xff", "an Arrow stream"),
    MAGIC(0, "ORC", "an ORC file"),
    MAGIC(0, "Obj\x01", "an Avro file"),
    MAGIC(0, "PK\x03\x04", "a zip archive, or a spreadsheet (xlsx)"),
    MAGIC(0, "BZh", "a bzip2 file"),
    MAGIC(0, "\x04\x22\x4d\x18", "an lz4 file"),
    MAGIC(0, "\xff\x06\0\0sNaPpY", "a snappy file"),
    MAGIC(0, "7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    MAGIC(0, "Rar!\x1a\x07", "a RAR archive"),
    MAGIC(257, "ustar", "a tar archive"),
    MAGIC(0, "SQLite format 3", "an SQLite database"),
    MAGIC(0, "\x89HDF\r\n", "an HDF5 file"),
    MAGIC(0, "\x93NUMPY", "a NumPy file"),
    MAGIC(0, "\x80\x04\x95", "a Python pickle"),
    MAGIC(0, "\xd0\xcf\x11\xe0", "an old Office file (xls)"),
    MAGIC(0, "%PDF-", "a PDF file"),
    MAGIC(0, "\x89PNG", "an image"),
    MAGIC(0, "\xff\xd8\xff", "an image"),
    MAGIC(0, "GIF8", "an image"),
    MAGIC(0,
          "\x7f"
          "ELF",
          "a program"),
    MAGIC(0, "\xff\xfe", "UTF-16 text (convert it to UTF-8)"),
    MAGIC(0, "\xfe\xff", "UTF-16 text (convert it to UTF-8)"),
    MAGIC(0, "version https://git-lfs.github.com/spec/",
          "a Git LFS pointer instead of the data (get them with git lfs pull)"),
    MAGIC(0, "<!DOCTYPE html", "an HTML page (of a failed download?)"),
    MAGIC(0, "<!doctype html", "an HTML page (of a failed download?)"),
    MAGIC(0, "<html", "an HTML page (of a failed download?)"),
};

const char *head_magic(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
        if (n >= magics[i].at + magics[i].len &&
            memcmp(p + magics[i].at, magics[i].bytes, magics[i].len) == 0) {
            return magics[i].words;
        }
    }
    return NULL;
}

/* By the last part of the name, or of what is before .gz, .zst, .xz. */
static const char *by_name(const char *name)
{
    static const struct {
        const char *ending, *words;
    } known[] = {{".csv", "a CSV file"},   {".tsv", "a TSV file"},
                 {".xml", "an XML file"},  {".html", "an HTML page"},
                 {".htm", "an HTML page"}, {".yaml", "a YAML file"},
                 {".yml", "a YAML file"},  {".md", "a Markdown file"},
                 {".txt", "a text file"},  {".parquet", "no Parquet file in spite of its name"}};
    static const char *const packed[] = {".gz", ".zst", ".xz"};
    size_t                   n = strlen(name);

    for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++) {
        size_t k = strlen(packed[i]);
        n -= n > k && strncasecmp(name + n - k, packed[i], k) == 0 ? k : 0;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t k = strlen(known[i].ending);
        if (n > k && strncasecmp(name + n - k, known[i].ending, k) == 0) {
            return known[i].words;
        }
    }
    return NULL;
}

const char *head_foreign(const struct head *h, const char *name)
{
    const char *words = head_magic(h->text, h->n_text);

    if (words || has_json_line(h) || head_is_json(h)) {
        return words;
    }
    words = by_name(name);
    if (!words && memchr(h->text, 0, h->n_text)) {
        words = "a binary file of a format that is not known";
    }
    return words;
}
