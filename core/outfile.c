/* SPDX-License-Identifier: MIT
 * outfile.c - see outfile.h.  Bytes go caller -> buf -> (zstd) -> descriptor, and the digest sees
 * what the descriptor sees.  After a failure the object only remembers it: commit then removes the
 * temporary and repeats the reason. */
#include "outfile.h"

#include "buf.h"
#include "err.h"
#include "hash.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zstd.h>

enum { BUF_SIZE = 256 << 10, PAGE = 4096, ZSTD_LEVEL = 3, NAME_KEPT = 200 };

struct outfile {
    int            fd;
    bool           direct; /* standard output, a device, a pipe: no temporary */
    bool           sync;
    bool           in_frame; /* the compressor holds an open frame */
    bool           patched;  /* the running digest is of bytes that are no longer there */
    char          *path;     /* owned; final name */
    char          *tmp;      /* owned; NULL when direct */
    char          *room;     /* owned */
    char          *buf;      /* BUF_SIZE in room, at a page */
    size_t         len;
    ZSTD_CCtx     *zstd; /* owned; NULL: plain */
    char          *zbuf; /* owned; BUF_SIZE */
    struct sha256 *sha;  /* owned; NULL: no digest */
    uint64_t       given, stored;
    drh_error      failed; /* the first failure */
};

/* ---- folders ------------------------------------------------------------------------------- */

drh_status make_dirs(const char *path, drh_error *e)
{
    drh_status  st = DRH_OK;
    struct stat sb;
    char       *copy = mem_dupz(path);
    char       *p;

    if (!copy) {
        return err_nomem(e, "a path");
    }
    for (p = copy; st == DRH_OK && *p; p++) {
        while (*p == '/') {
            p++;
        }
        p += strcspn(p, "/");
        char was = *p;
        *p = '\0';
        /* A folder that is there may refuse mkdir with EROFS or EACCES: look before complaining. */
        if (*copy && mkdir(copy, 0777) != 0 && errno != EEXIST) {
            int en = errno;
            if (stat(copy, &sb) != 0) {
                st = err_errno(e, en, "cannot make folder", copy);
            }
        }
        *p = was;
        if (!was) {
            break;
        }
    }
    if (st == DRH_OK && *path && (stat(path, &sb) != 0 || !S_ISDIR(sb.st_mode))) {
        st = err_set(e, DRH_E_IO, "cannot make folder %s: a file of that name is in the way", path);
    }
    mem_free(copy);
    return st;
}

/* Length of the folder part: 0 none, else without its last slash ("/" stays). */
static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash) {
        return 0;
    }
    return slash == path ? 1 : (size_t)(slash - path);
}

static drh_status make_parent(const char *path, drh_error *e)
{
    size_t     n = folder_len(path);
    char      *dir;
    drh_status st;

    if (n == 0) {
        return DRH_OK;
    }
    dir = mem_dup(path, n);
    if (!dir) {
        return err_nomem(e, "a path");
    }
    st = make_dirs(dir, e);
    mem_free(dir);
    return st;
}

static drh_status sync_folder(const char *path, drh_error *e)
{
    drh_status st = DRH_OK;
    size_t     n = folder_len(path);
    char      *dir = n ? mem_dup(path, n) : mem_dupz(".");
    int        fd;

    if (!dir) {
        return err_nomem(e, "a path");
    }
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some network file systems cannot sync a folder (EINVAL); a folder without read permission
     * cannot be opened.  The rename has happened; neither is a reason to fail. */
    if (fd >= 0 && fsync(fd) != 0 && errno == EIO) {
        st = err_errno(e, errno, "cannot sync folder", dir);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    mem_free(dir);
    return st;
}

/* ---- the descriptor ------------------------------------------------------------------------ */

static drh_status remember(struct outfile *o, drh_error *e, drh_status st)
{
    if (o->failed.code == DRH_OK) {
        if (e) {
            o->failed = *e;
        }
        o->failed.code = st;
    }
    return st;
}

static drh_status repeat(const struct outfile *o, drh_error *e)
{
    return err_set(e, o->failed.code, "%s", o->failed.message);
}

static drh_status write_failed(const struct outfile *o, int en, size_t need, drh_error *e)
{
    struct statvfs fs;
    uint64_t       left = 0;

    if (en != ENOSPC && en != EDQUOT && en != EFBIG) {
        return err_errno(e, en, "cannot write", o->path);
    }
    if (fstatvfs(o->fd, &fs) == 0) {
        left = (uint64_t)fs.f_bavail * fs.f_frsize;
    }
    return err_set(
        e, DRH_E_IO,
        "cannot write %s: %s: %llu bytes are written, the next %zu do not fit (%llu free "
        "there); make room or choose another folder",
        o->path,
        en == ENOSPC   ? "no space left on the disk"
        : en == EDQUOT ? "disk quota used up"
                       : "file size limit reached",
        (unsigned long long)o->stored, need, (unsigned long long)left);
}

/* Everything that reaches the file goes through here or account(). */
static drh_status store(struct outfile *o, const char *p, size_t n, drh_error *e)
{
    size_t done = 0;

    while (done < n) {
        ssize_t w = write(o->fd, p + done, n - done);

        if (w < 0 && errno == EINTR) {
            continue;
        }
        if (w < 0) {
            return write_failed(o, errno, n - done, e);
        }
        o->stored += (uint64_t)w;
        done += (size_t)w;
    }
    if (o->sha && sha256_add(o->sha, p, n) != DRH_OK) {
        return err_set(e, DRH_E_INTERNAL, "SHA-256 of %s failed in libcrypto", o->path);
    }
    return DRH_OK;
}

static drh_status compress(struct outfile *o, const char *p, size_t n, bool end, drh_error *e)
{
    ZSTD_inBuffer     in = {p, n, 0};
    ZSTD_EndDirective how = end ? ZSTD_e_end : ZSTD_e_continue;
    size_t            left;

    do {
        ZSTD_outBuffer out = {o->zbuf, BUF_SIZE, 0};
        drh_status     st;

        left = ZSTD_compressStream2(o->zstd, &out, &in, how);
        if (ZSTD_isError(left)) {
            return err_set(e, DRH_E_INTERNAL, "cannot compress %s: %s", o->path,
                           ZSTD_getErrorName(left));
        }
        st = store(o, o->zbuf, out.pos, e);
        if (st != DRH_OK) {
            return st;
        }
    } while (end ? left != 0 : in.pos < in.size);
    o->in_frame = !end;
    return DRH_OK;
}

static drh_status emit(struct outfile *o, const char *p, size_t n, drh_error *e)
{
    return o->zstd ? compress(o, p, n, false, e) : store(o, p, n, e);
}

static drh_status flush(struct outfile *o, drh_error *e)
{
    drh_status st = o->len ? emit(o, o->buf, o->len, e) : DRH_OK;

    o->len = 0;
    return st;
}

/* Closes the open frame; an empty compressed file still holds one empty frame. */
static drh_status end_frame(struct outfile *o, drh_error *e)
{
    drh_status st = flush(o, e);

    if (st == DRH_OK && o->zstd && (o->in_frame || o->stored == 0)) {
        st = compress(o, "", 0, true, e);
    }
    return st;
}

/* ---- opening ------------------------------------------------------------------------------- */

static drh_status open_temporary(struct outfile *o, drh_error *e)
{
    const char *base = strrchr(o->path, '/');
    int         dir_len;
    int         tries;

    base = base ? base + 1 : o->path;
    dir_len = (int)(base - o->path);
    for (tries = 0; tries < 100; tries++) {
        uint8_t r[6];
        char    hex[2 * sizeof(r) + 1];

        if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r)) {
            return err_errno(e, errno, "no random bytes for a temporary name of", o->path);
        }
        hex_of(r, sizeof(r), hex);
        mem_free(o->tmp);
        o->tmp = mem_printf("%.*s.%.*s.tmp-%s", dir_len, o->path, NAME_KEPT, base, hex);
        if (!o->tmp) {
            return err_nomem(e, "a path");
        }
        o->fd = open(o->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (o->fd >= 0) {
            return DRH_OK;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    tries = errno;
    mem_free(o->tmp);
    o->tmp = NULL;
    return err_errno(e, tries, "cannot make a file beside", o->path);
}

/* The name to replace: a link's target instead of the link. */
static drh_status resolve(struct outfile *o, const char *path, drh_error *e)
{
    char        real[PATH_MAX];
    struct stat sb;

    if (lstat(path, &sb) == 0 && S_ISLNK(sb.st_mode)) {
        if (!realpath(path, real)) {
            return err_errno(e, errno, "cannot follow the link", path);
        }
        path = real;
    }
    o->path = mem_dupz(path);
    return o->path ? DRH_OK : err_nomem(e, "a path");
}

static drh_status open_target(struct outfile *o, const char *path, drh_error *e)
{
    struct stat sb;
    drh_status  st = resolve(o, path, e);

    if (st != DRH_OK) {
        return st;
    }
    if (strcmp(path, "-") == 0) {
        o->direct = true;
        o->fd = STDOUT_FILENO;
        return DRH_OK;
    }
    if (!*path || path[strlen(path) - 1] == '/' ||
        (stat(o->path, &sb) == 0 && S_ISDIR(sb.st_mode))) {
        return err_set(e, DRH_E_IO, "cannot write %s: that is a folder; name a file in it", path);
    }
    if (stat(o->path, &sb) == 0 && !S_ISREG(sb.st_mode)) {
        o->direct = true;
        o->fd = open(o->path, O_WRONLY | O_CLOEXEC);
        return o->fd >= 0 ? DRH_OK : err_errno(e, errno, "cannot open", o->path);
    }
    st = make_parent(o->path, e);
    return st == DRH_OK ? open_temporary(o, e) : st;
}

static bool ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s);
    size_t t = strlen(tail);

    return n >= t && memcmp(s + n - t, tail, t) == 0;
}

static drh_status open_parts(struct outfile *o, const char *path, uint32_t flags, drh_error *e)
{
    o->room = mem_alloc(1, BUF_SIZE + PAGE);
    if (!o->room) {
        return err_nomem(e, "an output buffer");
    }
    o->buf = o->room + (PAGE - ((uintptr_t)o->room & (PAGE - 1)));
    if ((flags & OUT_DIGEST) && !(o->sha = sha256_new())) {
        return err_nomem(e, "a SHA-256");
    }
    if ((flags & OUT_ZSTD) || ends_with(path, ".zst")) {
        o->zbuf = mem_alloc(1, BUF_SIZE);
        o->zstd = ZSTD_createCCtx();
        if (!o->zbuf || !o->zstd ||
            ZSTD_isError(ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) ||
            ZSTD_isError(ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_checksumFlag, 1))) {
            return err_nomem(e, "a compressor");
        }
    }
    return open_target(o, path, e);
}

drh_status outfile_open(struct outfile **out, const char *path, uint32_t flags, drh_error *e)
{
    struct outfile *o = mem_alloc(1, sizeof(*o));
    drh_status      st;

    *out = NULL;
    if (!o) {
        return err_nomem(e, "an output file");
    }
    o->fd = -1;
    o->sync = !(flags & OUT_NOSYNC);
    st = open_parts(o, path, flags, e);
    if (st != DRH_OK) {
        outfile_abort(o);
        return st;
    }
    *out = o;
    return DRH_OK;
}

/* ---- writing ------------------------------------------------------------------------------- */

drh_status outfile_write(struct outfile *o, const void *p, size_t n, drh_error *e)
{
    const char *at = p;
    drh_status  st = DRH_OK;

    if (o->failed.code != DRH_OK) {
        return repeat(o, e);
    }
    o->given += n;
    /* Whole pages from whole pages: a system copies them more than twice as fast as others, which
     * is worth a copy here. */
    while (st == DRH_OK && n > 0) {
        size_t left = BUF_SIZE - o->len, fits = n < left ? n : left;
        memcpy(o->buf + o->len, at, fits);
        o->len += fits;
        at += fits;
        n -= fits;
        if (o->len == BUF_SIZE) {
            st = flush(o, e);
        }
    }
    return st == DRH_OK ? st : remember(o, e, st);
}

uint64_t outfile_size(const struct outfile *o)
{
    return o->given;
}

static drh_status patch(struct outfile *o, uint64_t at, const char *p, size_t n, drh_error *e)
{
    drh_status st = flush(o, e);

    while (st == DRH_OK && n > 0) {
        ssize_t w = pwrite(o->fd, p, n, (off_t)at);

        if (w < 0 && errno != EINTR) {
            return write_failed(o, errno, n, e);
        }
        at += w > 0 ? (uint64_t)w : 0;
        p += w > 0 ? w : 0;
        n -= w > 0 ? (size_t)w : 0;
    }
    return st;
}

drh_status outfile_patch(struct outfile *o, uint64_t at, const void *p, size_t n, drh_error *e)
{
    drh_status st;

    if (o->failed.code != DRH_OK) {
        return repeat(o, e);
    }
    if (o->direct || o->zstd) {
        return err_set(e, DRH_E_UNSUPPORTED,
                       "cannot go back in %s: it is %s; write to an ordinary file", o->path,
                       o->zstd ? "compressed" : "no file of its own");
    }
    if (at > o->given || n > o->given - at) {
        return err_set(e, DRH_E_RANGE, "bytes %llu to %llu of %s were not written before",
                       (unsigned long long)at, (unsigned long long)at + n, o->path);
    }
    o->patched = true;
    st = patch(o, at, p, n, e);
    return st == DRH_OK ? st : remember(o, e, st);
}

/* One step of the copy inside the system; -1 with errno, 0 at the end. */
static ssize_t copy_in_system(struct outfile *o, int fd)
{
    ssize_t n;

    do {
        n = copy_file_range(fd, NULL, o->fd, NULL, 64 << 20, 0);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        o->stored += (uint64_t)n;
        o->given += (uint64_t)n;
    }
    return n;
}

static bool cannot_copy_in_system(int en)
{
    return en == EXDEV || en == EINVAL || en == ENOSYS || en == EOPNOTSUPP || en == EBADF ||
           en == EPERM || en == ETXTBSY;
}

/* Through `chunk`; as it is when `frames`, else like outfile_write. */
static drh_status copy_by_hand(struct outfile *o, int fd, const char *from, bool frames,
                               drh_error *e)
{
    for (;;) {
        drh_status st;
        ssize_t    n = read(fd, o->buf, BUF_SIZE);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_errno(e, errno, "cannot read", from);
        }
        if (n == 0) {
            return DRH_OK;
        }
        o->given += (uint64_t)n;
        st = frames ? store(o, o->buf, (size_t)n, e) : emit(o, o->buf, (size_t)n, e);
        if (st != DRH_OK) {
            return st;
        }
    }
}

static bool is_zstd(int fd)
{
    uint8_t m[4];

    return pread(fd, m, sizeof(m), 0) == (ssize_t)sizeof(m) && m[0] == 0x28 && m[1] == 0xb5 &&
           m[2] == 0x2f && m[3] == 0xfd;
}

static drh_status append_fd(struct outfile *o, int fd, const char *from, drh_error *e)
{
    bool       frames = o->zstd && is_zstd(fd);
    bool       by_system = !o->sha && !o->direct && (frames || !o->zstd);
    drh_status st = frames && (o->in_frame || o->len) ? end_frame(o, e) : flush(o, e);

    while (st == DRH_OK && by_system) {
        ssize_t n = copy_in_system(o, fd);

        if (n == 0) {
            break; /* the end, or a file system that says so: reading on tells */
        }
        if (n < 0 && cannot_copy_in_system(errno)) {
            by_system = false;
        } else if (n < 0) {
            st = write_failed(o, errno, 0, e);
        }
    }
    return st == DRH_OK ? copy_by_hand(o, fd, from, frames, e) : st;
}

drh_status outfile_append_file(struct outfile *o, const char *from, drh_error *e)
{
    drh_status st;
    int        fd;

    if (o->failed.code != DRH_OK) {
        return repeat(o, e);
    }
    fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return remember(o, e, err_errno(e, errno, "cannot open", from));
    }
    st = append_fd(o, fd, from, e);
    (void)close(fd);
    return st == DRH_OK ? st : remember(o, e, st);
}

/* ---- the end ------------------------------------------------------------------------------- */

static drh_status finish(struct outfile *o, drh_error *e)
{
    drh_status st = end_frame(o, e);
    int        fd = o->fd;

    if (st != DRH_OK || o->direct) {
        return st;
    }
    if (o->sync && fsync(fd) != 0) {
        return write_failed(o, errno, 0, e);
    }
    o->fd = -1;
    if (close(fd) != 0 && errno != EINTR) {
        return write_failed(o, errno, 0, e);
    }
    if (rename(o->tmp, o->path) != 0) {
        return err_errno(e, errno, "cannot put in place", o->path);
    }
    mem_free(o->tmp);
    o->tmp = NULL; /* nothing left to remove */
    return o->sync ? sync_folder(o->path, e) : DRH_OK;
}

drh_status outfile_commit(struct outfile *o, uint8_t *digest, uint64_t *stored, drh_error *e)
{
    drh_status st = o->failed.code == DRH_OK ? finish(o, e) : repeat(o, e);

    if (stored) {
        *stored = o->stored;
    }
    if (digest) {
        memset(digest, 0, 32);
    }
    if (st == DRH_OK && digest && o->sha && o->patched) {
        st = sha256_file(o->path, digest, e);
    } else if (st == DRH_OK && digest && o->sha && sha256_end(o->sha, digest) != DRH_OK) {
        st = err_set(e, DRH_E_INTERNAL, "SHA-256 of %s failed in libcrypto", o->path);
    }
    outfile_abort(o);
    return st;
}

void outfile_abort(struct outfile *o)
{
    if (!o) {
        return;
    }
    if (o->fd >= 0 && !(o->direct && o->fd == STDOUT_FILENO)) {
        (void)close(o->fd);
    }
    if (o->tmp) {
        (void)unlink(o->tmp);
    }
    (void)ZSTD_freeCCtx(o->zstd);
    sha256_free(o->sha);
    mem_free(o->zbuf);
    mem_free(o->room);
    mem_free(o->tmp);
    mem_free(o->path);
    mem_free(o);
}

/* ---- whole files --------------------------------------------------------------------------- */

drh_status outfile_put(const char *path, const void *p, size_t n, drh_error *e)
{
    struct outfile *o;
    drh_status      st = outfile_open(&o, path, 0, e);

    if (st != DRH_OK) {
        return st;
    }
    st = outfile_write(o, p, n, e);
    if (st != DRH_OK) {
        outfile_abort(o);
        return st;
    }
    return outfile_commit(o, NULL, NULL, e);
}

static drh_status read_fd(int fd, const char *path, size_t max, struct buf *b, drh_error *e)
{
    struct stat sb;
    size_t      guess = 4096;

    if (fstat(fd, &sb) == 0 && S_ISDIR(sb.st_mode)) {
        return err_set(e, DRH_E_IO, "cannot read %s: that is a folder", path);
    }
    if (sb.st_size > 0 && (uint64_t)sb.st_size <= max) {
        guess = (size_t)sb.st_size + 1;
    }
    for (;;) {
        ssize_t n;

        if (buf_reserve(b, guess) != DRH_OK) {
            return err_nomem(e, path);
        }
        n = read(fd, b->ptr + b->len, guess);
        if (n == 0) {
            return DRH_OK;
        }
        if (n < 0 && errno != EINTR) {
            return err_errno(e, errno, "cannot read", path);
        }
        b->len += n > 0 ? (size_t)n : 0;
        if (b->len > max) {
            return err_set(e, DRH_E_RANGE, "%s is too long: %zu bytes are the limit", path, max);
        }
        guess = 64 << 10;
    }
}

drh_status read_file(const char *path, size_t max, char **out, size_t *len, drh_error *e)
{
    struct buf b;
    drh_status st;
    int        fd = open(path, O_RDONLY | O_CLOEXEC);

    *out = NULL;
    *len = 0;
    if (fd < 0) {
        return err_errno(e, errno, "cannot open", path);
    }
    buf_init(&b, max + (128 << 10));
    st = read_fd(fd, path, max, &b, e);
    (void)close(fd);
    if (st != DRH_OK) {
        buf_free(&b);
        return st;
    }
    b.ptr[b.len] = '\0';
    *out = b.ptr;
    *len = b.len;
    return DRH_OK;
}
