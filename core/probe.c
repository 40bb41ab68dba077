/* SPDX-License-Identifier: MIT
 * probe.c - see probe.h.
 *
 * The file is read with pread, never mapped: another process may cut it while we look.  Nothing is
 * believed: every offset is checked against the file's size before it is used, and every loop is
 * bounded by a number of 16 bits or a size that has a limit. */
#include "probe.h"

#include "err.h"
#include "loader_impl.h"
#include "mem.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOTE_MAX_SEGMENT = 1 << 20, NOTE_MAX_TEXT = 64 << 10 };

#if defined(__x86_64__)
enum { HOST_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { HOST_MACHINE = EM_AARCH64 };
#elif defined(__riscv)
enum { HOST_MACHINE = EM_RISCV };
#elif defined(__powerpc64__)
enum { HOST_MACHINE = EM_PPC64 };
#elif defined(__loongarch64)
enum { HOST_MACHINE = 258 };
#else
#error "probe.c: name this machine's ELF e_machine here"
#endif

/* The bytes under inspection: a file, or memory when fd is -1. */
struct image {
    int            fd;
    const uint8_t *mem;
    uint64_t       size;
};

struct note_text {
    char    *text; /* owned, 0-terminated */
    size_t   len;
    uint32_t major, minor;
};

static const char *const kinds[] = {NULL,          "source",   "reader",    "preprocessor",
                                    "synthesizer", "selector", "converter", "service"};

const char *kind_name(uint32_t kind)
{
    return kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[kind] : NULL;
}

uint32_t kind_of(const char *name, size_t len)
{
    uint32_t i;

    for (i = 1; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strlen(kinds[i]) == len && memcmp(kinds[i], name, len) == 0) {
            return i;
        }
    }
    return 0;
}

static const char *machine_name(unsigned machine)
{
    switch (machine) {
    case EM_X86_64:
        return "x86-64";
    case EM_AARCH64:
        return "aarch64";
    case EM_RISCV:
        return "riscv64";
    case EM_PPC64:
        return "ppc64";
    case EM_386:
        return "i386";
    case EM_ARM:
        return "arm";
    case 258:
        return "loongarch64";
    default:
        return "another machine";
    }
}

/* Copies [off, off + n) to out, or says that the file ends before. */
static drh_status image_read(const struct image *im, uint64_t off, void *out, size_t n,
                             drh_error *e)
{
    uint8_t *to = out;

    if (off > im->size || n > im->size - off) {
        return err_set(e, DRH_E_DATA,
                       "the file ends at byte %llu, inside its own headers; it is "
                       "cut short, copy or build it again",
                       (unsigned long long)im->size);
    }
    if (im->fd < 0) {
        memcpy(out, im->mem + off, n);
        return DRH_OK;
    }
    while (n > 0) {
        ssize_t got = pread(im->fd, to, n, (off_t)off);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return err_errno(e, errno, "cannot read", "it");
        }
        if (got == 0) {
            return err_set(e, DRH_E_DATA, "the file shrank while it was read; try again");
        }
        to += got;
        off += (uint64_t)got;
        n -= (size_t)got;
    }
    return DRH_OK;
}

static drh_status check_ident(const unsigned char *id, drh_error *e)
{
    if (memcmp(id, ELFMAG, SELFMAG) != 0) {
        return err_set(e, DRH_E_DATA,
                       "not an ELF file; give a .so that was built with `cc -shared`");
    }
    if (id[EI_CLASS] != ELFCLASS64) {
        return err_set(e, DRH_E_UNSUPPORTED, "not a 64-bit ELF file; build it for %s",
                       machine_name(HOST_MACHINE));
    }
    if (id[EI_DATA] != ELFDATA2LSB) {
        return err_set(e, DRH_E_UNSUPPORTED, "not a little-endian ELF file; build it for %s",
                       machine_name(HOST_MACHINE));
    }
    return DRH_OK;
}

static drh_status check_header(const struct image *im, Elf64_Ehdr *h, drh_error *e)
{
    unsigned char id[EI_NIDENT] = {0};
    drh_status    st;

    if (im->size == 0) {
        return err_set(e, DRH_E_DATA, "the file is empty; copy or build it again");
    }
    st = image_read(im, 0, id, im->size < sizeof(id) ? (size_t)im->size : sizeof(id), e);
    if (st == DRH_OK) {
        st = check_ident(id, e);
    }
    if (st == DRH_OK) {
        st = image_read(im, 0, h, sizeof(*h), e);
    }
    if (st != DRH_OK) {
        return st;
    }
    if (h->e_machine != HOST_MACHINE) {
        return err_set(e, DRH_E_UNSUPPORTED, "built for %s, this host is %s; build it for %s",
                       machine_name(h->e_machine), machine_name(HOST_MACHINE),
                       machine_name(HOST_MACHINE));
    }
    if (h->e_type != ET_DYN) {
        return err_set(e, DRH_E_UNSUPPORTED,
                       "not a shared object (ELF type %u); link it with `cc -shared`", h->e_type);
    }
    if (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phnum == 0 || h->e_phnum == PN_XNUM) {
        return err_set(e, DRH_E_DATA,
                       "its program headers are damaged; copy or build the file again");
    }
    return DRH_OK;
}

/* A segment that ends behind the file's end would kill the process inside dlopen (SIGBUS). */
static drh_status check_segment(const struct image *im, const Elf64_Phdr *p, unsigned i,
                                drh_error *e)
{
    if (p->p_type != PT_LOAD && p->p_type != PT_DYNAMIC && p->p_type != PT_NOTE) {
        return DRH_OK;
    }
    if (p->p_offset > im->size || p->p_filesz > im->size - p->p_offset) {
        return err_set(e, DRH_E_DATA,
                       "segment %u needs %llu bytes at %llu, but the file has %llu; it is cut "
                       "short, copy or build it again",
                       i, (unsigned long long)p->p_filesz, (unsigned long long)p->p_offset,
                       (unsigned long long)im->size);
    }
    if (p->p_type == PT_LOAD && p->p_filesz > p->p_memsz) {
        return err_set(e, DRH_E_DATA,
                       "segment %u is larger in the file than in memory; the file "
                       "is damaged, copy or build it again",
                       i);
    }
    return DRH_OK;
}

/* Takes the host's note, whose descriptor is d[0, n): major, minor, text. */
static drh_status take_note(struct note_text *t, const uint8_t *d, size_t n, drh_error *e)
{
    if (t->text) {
        return err_set(e, DRH_E_DATA, "two drhost notes; put DRH_PLUGIN_NOTE into one file only");
    }
    if (n < 8 || n - 8 > NOTE_MAX_TEXT) {
        return err_set(e, DRH_E_DATA,
                       "its drhost note has %zu bytes, from 8 to %u can be; build it again with "
                       "DRH_PLUGIN_NOTE of drh/plugin.h",
                       n, (unsigned)NOTE_MAX_TEXT);
    }
    memcpy(&t->major, d, 4);
    memcpy(&t->minor, d + 4, 4);
    t->len = strnlen((const char *)d + 8, n - 8);
    t->text = mem_dup((const char *)d + 8, t->len);
    return t->text ? DRH_OK : err_nomem(e, "the note of a plugin");
}

/* Walks the notes in b[0, n); a broken one ends the walk, as it does in other readers. */
static drh_status walk_notes(struct note_text *t, const uint8_t *b, size_t n, size_t align,
                             drh_error *e)
{
    size_t at = 0;

    while (n - at >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr h;
        size_t     name, desc, room;

        memcpy(&h, b + at, sizeof(h));
        at += sizeof(h);
        room = n - at;
        name = ((size_t)h.n_namesz + align - 1) & ~(align - 1);
        if (name > room || h.n_descsz > room - name) {
            return DRH_OK;
        }
        if (h.n_type == DRH_NOTE_TYPE && h.n_namesz == 7 && memcmp(b + at, "drhost", 7) == 0) {
            drh_status st = take_note(t, b + at + name, h.n_descsz, e);
            if (st != DRH_OK) {
                return st;
            }
        }
        desc = ((size_t)h.n_descsz + align - 1) & ~(align - 1);
        at += name + (desc < room - name ? desc : room - name);
    }
    return DRH_OK;
}

static drh_status read_notes(const struct image *im, const Elf64_Phdr *p, struct note_text *t,
                             drh_error *e)
{
    drh_status st;
    uint8_t   *b;
    size_t     n = (size_t)p->p_filesz;

    if (n > NOTE_MAX_SEGMENT) {
        return err_set(e, DRH_E_DATA,
                       "a note segment of %zu bytes; no plugin needs that, build "
                       "the file again",
                       n);
    }
    b = mem_alloc(n + 1, 1);
    if (!b) {
        return err_nomem(e, "the note of a plugin");
    }
    st = image_read(im, p->p_offset, b, n, e);
    if (st == DRH_OK) {
        st = walk_notes(t, b, n, p->p_align == 8 ? 8 : 4, e);
    }
    mem_free(b);
    return st;
}

static drh_status walk_segments(const struct image *im, const Elf64_Ehdr *h, struct note_text *t,
                                drh_error *e)
{
    unsigned   i, loads = 0, dynamics = 0;
    drh_status st = DRH_OK;

    for (i = 0; i < h->e_phnum && st == DRH_OK; i++) {
        Elf64_Phdr p = {0};
        uint64_t   off = h->e_phoff + (uint64_t)i * sizeof(p);

        st = off < h->e_phoff ? err_set(e, DRH_E_DATA,
                                        "its program headers are damaged; copy or "
                                        "build the file again")
                              : image_read(im, off, &p, sizeof(p), e);
        if (st == DRH_OK) {
            st = check_segment(im, &p, i, e);
        }
        if (st == DRH_OK && p.p_type == PT_NOTE) {
            st = read_notes(im, &p, t, e);
        }
        loads += p.p_type == PT_LOAD;
        dynamics += p.p_type == PT_DYNAMIC;
    }
    if (st == DRH_OK && (loads == 0 || dynamics == 0)) {
        st = err_set(e, DRH_E_DATA,
                     "nothing to load in it (%u load, %u dynamic segments); link it "
                     "with `cc -shared`, and do not load a .debug file",
                     loads, dynamics);
    }
    return st;
}

static drh_status check_versions(const struct note_text *t, drh_error *e)
{
    if (!t->text) {
        return err_set(e, DRH_E_UNSUPPORTED,
                       "no drhost note, so it is no drhost plugin; put DRH_PLUGIN_NOTE of "
                       "drh/plugin.h into its source");
    }
    if (t->major != DRH_ABI_MAJOR) {
        return err_set(e, DRH_E_UNSUPPORTED, "built for plugin ABI %u, this host has %u; %s",
                       t->major, DRH_ABI_MAJOR,
                       t->major > DRH_ABI_MAJOR ? "use a newer drhost"
                                                : "build it with this host's SDK");
    }
    if (t->minor > DRH_ABI_MINOR) {
        return err_set(e, DRH_E_UNSUPPORTED,
                       "needs plugin ABI %u.%u or newer, this host has %u.%u; use a newer drhost",
                       t->major, t->minor, DRH_ABI_MAJOR, DRH_ABI_MINOR);
    }
    return DRH_OK;
}

/* ---- the text of the note ------------------------------------------------------------------ */

/* Next word of *at on its line; length 0 at the line's end. */
static size_t next_word(const char **at, const char **word)
{
    const char *p = *at;

    while (*p == ' ') {
        p++;
    }
    *word = p;
    while (*p && *p != ' ' && *p != '\n') {
        p++;
    }
    *at = p;
    return (size_t)(p - *word);
}

static drh_status copy_word(char *out, size_t cap, const char *what, unsigned line,
                            const char *word, size_t len, drh_error *e)
{
    if (len == 0 || len >= cap) {
        return err_set(e, DRH_E_DATA,
                       "line %u of its note has %s %s; a line is KIND ID VERSION [WORD...]", line,
                       len ? "too long a" : "no", what);
    }
    memcpy(out, word, len);
    out[len] = 0;
    return DRH_OK;
}

static drh_status bad_id(const char *id, unsigned line, drh_error *e)
{
    if (id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789._-")] == 0) {
        return DRH_OK;
    }
    return err_set(e, DRH_E_DATA,
                   "line %u of its note has the id \"%s\"; use only a-z 0-9 . _ - in ids", line,
                   id);
}

static drh_status parse_line(const char **at, unsigned line, struct note_stage *s, drh_error *e)
{
    const char *w;
    size_t      n = next_word(at, &w);
    drh_status  st;

    s->kind = kind_of(w, n);
    if (s->kind == 0) {
        return err_set(e, DRH_E_UNSUPPORTED,
                       "line %u of its note has the unknown kind \"%.*s\"; a line is KIND ID "
                       "VERSION [WORD...]",
                       line, (int)(n < 40 ? n : 40), w);
    }
    n = next_word(at, &w);
    st = copy_word(s->id, sizeof(s->id), "id", line, w, n, e);
    if (st == DRH_OK) {
        st = bad_id(s->id, line, e);
    }
    if (st == DRH_OK) {
        n = next_word(at, &w);
        st = copy_word(s->version, sizeof(s->version), "version", line, w, n, e);
    }
    while (st == DRH_OK && (n = next_word(at, &w)) > 0) {
        if (s->n_words == NOTE_MAX_WORDS) {
            return err_set(e, DRH_E_DATA,
                           "line %u of its note has more than %d words; split the stage", line,
                           (int)NOTE_MAX_WORDS);
        }
        st = copy_word(s->words[s->n_words], sizeof(s->words[0]), "word", line, w, n, e);
        s->n_words += st == DRH_OK;
    }
    return st;
}

static drh_status parse_note(const struct note_text *t, struct probe *out, drh_error *e)
{
    const char *at = t->text;
    unsigned    line;
    size_t      i;

    for (i = 0; i < t->len; i++) {
        unsigned char c = (unsigned char)at[i];
        if (c != '\n' && (c < 0x20 || c > 0x7e)) {
            return err_set(e, DRH_E_DATA,
                           "its note holds the byte 0x%02x; a line is KIND ID "
                           "VERSION [WORD...] in ASCII",
                           c);
        }
    }
    for (line = 1; *at; line++) {
        drh_status st;
        if (out->n_stages == NOTE_MAX_STAGES) {
            return err_set(e, DRH_E_RANGE, "its note has more than %d stages; use a second file",
                           (int)NOTE_MAX_STAGES);
        }
        st = parse_line(&at, line, &out->stages[out->n_stages], e);
        if (st != DRH_OK) {
            return st;
        }
        out->n_stages++;
        at += *at == '\n';
    }
    if (out->n_stages == 0) {
        return err_set(e, DRH_E_DATA,
                       "its note names no stage; give DRH_PLUGIN_NOTE a line "
                       "\"KIND ID VERSION\" for each");
    }
    return DRH_OK;
}

static drh_status probe_image(const struct image *im, struct probe *out, drh_error *e)
{
    struct note_text t = {0};
    Elf64_Ehdr       h = {0};
    drh_status       st;

    memset(out, 0, sizeof(*out));
    st = check_header(im, &h, e);
    if (st == DRH_OK) {
        st = walk_segments(im, &h, &t, e);
    }
    if (st == DRH_OK) {
        st = check_versions(&t, e);
    }
    if (st == DRH_OK) {
        out->major = t.major;
        out->minor_need = t.minor;
        st = parse_note(&t, out, e);
    }
    mem_free(t.text);
    return st;
}

drh_status probe_bytes(const uint8_t *p, size_t n, struct probe *out, drh_error *e)
{
    struct image im = {.fd = -1, .mem = p, .size = n};

    return probe_image(&im, out, e);
}

static const char *file_type(mode_t m)
{
    return S_ISDIR(m) ? "a folder" : S_ISFIFO(m) ? "a pipe" : S_ISSOCK(m) ? "a socket" : "a device";
}

drh_status probe_file(const char *path, struct probe *out, drh_error *e)
{
    struct image im = {.fd = -1};
    const char  *step = "open";
    struct stat  sb;
    drh_status   st;

    memset(out, 0, sizeof(*out));
    /* O_NONBLOCK: opening a pipe must not wait for its writer. */
    im.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (im.fd < 0 || fstat(im.fd, &sb) != 0) {
        int en = errno;
        st = err_set(e, en == ENOENT ? DRH_E_MISSING : DRH_E_IO, "%s; check %s", strerror(en),
                     en == ENOENT ? "the path" : "its permissions");
    } else if (!S_ISREG(sb.st_mode)) {
        st = err_set(e, DRH_E_DATA, "it is %s; give a plugin file (.so)", file_type(sb.st_mode));
    } else {
        step = "probe";
        im.size = (uint64_t)sb.st_size;
        st = probe_image(&im, out, e);
    }
    if (im.fd >= 0) {
        (void)close(im.fd);
    }
    return st == DRH_OK ? st : at_step(e, st, path, step);
}
