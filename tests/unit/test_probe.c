/* SPDX-License-Identifier: MIT
 * test_probe.c - looks at ELF images that are built here by hand, byte by byte from the ELF manual,
 * so that neither compiler nor linker decides what is tested. */
#include "probe.h"

#include "err.h"
#include "loader.h"

#include <check.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#if defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
#else
enum { MACHINE = EM_X86_64 };
#endif

enum { NOTE_AT = 512, IMAGE_MAX = 8192 };

/* An image: header, three program headers (load, dynamic, note), the note's bytes. */
struct image {
    uint8_t    b[IMAGE_MAX];
    size_t     n; /* its size */
    Elf64_Ehdr h;
    Elf64_Phdr p[3];
};

static struct probe out;
static drh_error    error = ERR_INIT;

static void put_u32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

/* Appends a note whose name and descriptor are padded to `align`. */
static void add_note(struct image *im, size_t align, const char *name, uint32_t type,
                     const void *desc, size_t n)
{
    uint8_t *p = im->b + im->n;
    size_t   name_n = strlen(name) + 1;

    put_u32(p, (uint32_t)name_n);
    put_u32(p + 4, (uint32_t)n);
    put_u32(p + 8, type);
    memcpy(p + 12, name, name_n);
    im->n += 12 + (name_n + align - 1) / align * align;
    memcpy(im->b + im->n, desc, n);
    im->n += (n + align - 1) / align * align;
    ck_assert_uint_lt(im->n, IMAGE_MAX);
}

/* The host's note: major, minor, text with its 0. */
static void add_ours(struct image *im, uint32_t major, uint32_t minor, const char *text)
{
    uint8_t d[6000] = {0};
    size_t  n = strlen(text) + 1;

    put_u32(d, major);
    put_u32(d + 4, minor);
    memcpy(d + 8, text, n);
    add_note(im, 4, "drhost", 0x31485244, d, 8 + n);
}

static void image_start(struct image *im)
{
    static const unsigned char ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};

    memset(im, 0, sizeof(*im));
    memcpy(im->h.e_ident, ident, sizeof(ident));
    im->h.e_type = ET_DYN;
    im->h.e_machine = MACHINE;
    im->h.e_version = 1;
    im->h.e_phoff = 64;
    im->h.e_ehsize = 64;
    im->h.e_phentsize = 56;
    im->h.e_phnum = 3;
    im->p[0].p_type = PT_LOAD;
    im->p[1].p_type = PT_DYNAMIC;
    im->p[1].p_offset = 256;
    im->p[1].p_filesz = im->p[1].p_memsz = 64;
    im->p[2].p_type = PT_NOTE;
    im->p[2].p_offset = NOTE_AT;
    im->p[2].p_align = 4;
    im->n = NOTE_AT;
}

/* Sizes of the segments as they are now. */
static void image_sizes(struct image *im)
{
    im->p[0].p_filesz = im->p[0].p_memsz = im->n;
    im->p[2].p_filesz = im->p[2].p_memsz = im->n - NOTE_AT;
}

static drh_status probe_now(struct image *im)
{
    drh_status st;
    uint8_t   *exact;

    memcpy(im->b, &im->h, sizeof(im->h));
    memcpy(im->b + 64, im->p, sizeof(im->p));
    exact = malloc(im->n ? im->n : 1); /* reads past the end are seen by the sanitizer */
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, im->b, im->n);
    memset(&error, 0, sizeof(error));
    st = probe_bytes(exact, im->n, &out, &error);
    free(exact);
    ck_assert(st == DRH_OK || strstr(error.message, "; ") != NULL);
    return st;
}

static void good_image(struct image *im, const char *text)
{
    image_start(im);
    add_ours(im, 1, 0, text);
    image_sizes(im);
}

static void says(const char *words)
{
    ck_assert_msg(strstr(error.message, words) != NULL, "no \"%s\" in: %s", words, error.message);
}

static struct image im;

START_TEST(reads_the_note)
{
    good_image(&im, "preprocessor chat 1.0.0 canonical\nservice infer-x 2.1.0 drh.infer/1 a.b/2\n");
    ck_assert_int_eq(probe_now(&im), DRH_OK);
    ck_assert_uint_eq(out.major, 1);
    ck_assert_uint_eq(out.minor_need, 0);
    ck_assert_uint_eq(out.n_stages, 2);
    ck_assert_uint_eq(out.stages[0].kind, DRH_KIND_PREPROCESSOR);
    ck_assert_str_eq(out.stages[0].id, "chat");
    ck_assert_str_eq(out.stages[0].version, "1.0.0");
    ck_assert_uint_eq(out.stages[0].n_words, 1);
    ck_assert_str_eq(out.stages[0].words[0], "canonical");
    ck_assert_uint_eq(out.stages[1].kind, DRH_KIND_SERVICE);
    ck_assert_str_eq(out.stages[1].id, "infer-x");
    ck_assert_uint_eq(out.stages[1].n_words, 2);
    ck_assert_str_eq(out.stages[1].words[1], "a.b/2");
}
END_TEST

START_TEST(among_other_notes)
{
    uint8_t id[20] = {1, 2, 3};

    image_start(&im);
    add_note(&im, 4, "GNU", 3, id, sizeof(id));
    add_note(&im, 4, "drhost", 99, id, sizeof(id)); /* our name, another type */
    add_note(&im, 4, "drhosts", 0x31485244, id, 3); /* our type, another name */
    add_ours(&im, 1, 0, "selector ifd 1.0.0");
    add_note(&im, 4, "x", 1, id, 1);
    image_sizes(&im);
    ck_assert_int_eq(probe_now(&im), DRH_OK);
    ck_assert_str_eq(out.stages[0].id, "ifd");
}
END_TEST

START_TEST(notes_of_eight)
{
    uint8_t d[40] = {1, 0, 0, 0, 0, 0, 0, 0, 's', 'o', 'u', 'r', 'c', 'e', ' ', 'h', ' ', '1'};

    image_start(&im);
    im.p[2].p_align = 8;
    add_note(&im, 8, "GNU", 5, d, 13);
    add_note(&im, 8, "drhost", 0x31485244, d, 24);
    image_sizes(&im);
    ck_assert_int_eq(probe_now(&im), DRH_OK);
    ck_assert_str_eq(out.stages[0].id, "h");
}
END_TEST

/* Cut at each byte: always refused, never read past the end. */
START_TEST(every_length)
{
    size_t full;

    good_image(&im, "converter x 1");
    full = im.n;
    for (im.n = 0; im.n < full; im.n++) {
        ck_assert_int_ne(probe_now(&im), DRH_OK);
    }
    ck_assert_int_eq(probe_now(&im), DRH_OK);
}
END_TEST

/* Each bit of the headers and the note's head turned: no crash, and never a stage that is not
 * there. */
START_TEST(every_bit)
{
    static struct image keep;
    size_t              i, bits = (64 + sizeof(im.p)) * 8;

    good_image(&keep, "converter x 1");
    for (i = 0; i < bits; i++) {
        im = keep;
        if (i < 64 * 8) {
            ((uint8_t *)&im.h)[i / 8] ^= (uint8_t)(1u << i % 8);
        } else {
            ((uint8_t *)im.p)[i / 8 - 64] ^= (uint8_t)(1u << i % 8);
        }
        if (probe_now(&im) == DRH_OK) {
            ck_assert_uint_eq(out.n_stages, 1);
            ck_assert_str_eq(out.stages[0].id, "x");
        }
    }
    for (i = 0; i < (im.n - NOTE_AT) * 8; i++) {
        im = keep;
        im.b[NOTE_AT + i / 8] ^= (uint8_t)(1u << i % 8);
        (void)probe_now(&im);
    }
}
END_TEST

START_TEST(headers)
{
    good_image(&im, "source s 1");
    im.h.e_ident[EI_CLASS] = ELFCLASS32;
    ck_assert_int_eq(probe_now(&im), DRH_E_UNSUPPORTED);
    says("64-bit");
    im.h.e_ident[EI_CLASS] = ELFCLASS64;
    im.h.e_ident[EI_DATA] = ELFDATA2MSB;
    ck_assert_int_eq(probe_now(&im), DRH_E_UNSUPPORTED);
    says("little-endian");
    im.h.e_ident[EI_DATA] = ELFDATA2LSB;
    im.h.e_machine = EM_386;
    ck_assert_int_eq(probe_now(&im), DRH_E_UNSUPPORTED);
    says("i386");
    im.h.e_machine = MACHINE;
    im.h.e_type = ET_EXEC;
    ck_assert_int_eq(probe_now(&im), DRH_E_UNSUPPORTED);
    says("shared");
    im.h.e_type = ET_DYN;
    im.h.e_phentsize = 32;
    ck_assert_int_eq(probe_now(&im), DRH_E_DATA);
    im.h.e_phentsize = 56;
    im.h.e_phoff = UINT64_MAX - 60;
    ck_assert_int_eq(probe_now(&im), DRH_E_DATA);
    im.h.e_phoff = 64;
    im.h.e_phnum = 0;
    ck_assert_int_eq(probe_now(&im), DRH_E_DATA);
    im.h.e_phnum = 2; /* without the note */
    ck_assert_int_eq(probe_now(&im), DRH_E_UNSUPPORTED);
    says("no drhost note");
    im.h.e_phnum = 3;
    ck_assert_int_eq(probe_now(&im), DRH_OK);
}
END_TEST

START_TEST(segments)
{
    int i;

    for (i = 0; i < 3; i++) {
        good_image(&im, "source s 1");
        im.p[i].p_filesz = im.n - im.p[i].p_offset + 1;
        im.p[i].p_memsz = im.p[i].p_filesz;
        ck_assert_int_eq(probe_now(&im), DRH_E_DATA);
        says("cut short");
        good_image(&im, "source s 1");
        im.p[i].p_offset = UINT64_MAX - 8;
        ck_assert_int_eq(probe_now(&im), DRH_E_DATA);
        good_image(&im, "source s 1");
        im.p[i].p_filesz = UINT64_MAX;
        ck_assert_int_eq(probe_now(&im), DRH_E_DATA);
    }
    good_image(&im, "source s 1");
    im.p[0].p_memsz--;
    ck_assert_int_eq(probe_now(&im), DRH_E_DATA);
    good_image(&im, "source s 1");
    im.p[0].p_type = PT_NULL;
    ck_assert_int_eq(probe_now(&im), DRH_E_DATA);
    says("0 load");
    good_image(&im, "source s 1");
    im.p[1].p_type = PT_NULL;
    ck_assert_int_eq(probe_now(&im), DRH_E_DATA);
    says("0 dynamic");
}
END_TEST

START_TEST(versions)
{
    image_start(&im);
    add_ours(&im, 2, 0, "source s 1");
    image_sizes(&im);
    ck_assert_int_eq(probe_now(&im), DRH_E_UNSUPPORTED);
    says("plugin ABI 2");
    says("newer drhost");
    image_start(&im);
    add_ours(&im, 0, 0, "source s 1");
    image_sizes(&im);
    ck_assert_int_eq(probe_now(&im), DRH_E_UNSUPPORTED);
    says("this host's SDK");
    image_start(&im);
    add_ours(&im, 1, DRH_ABI_MINOR + 1, "source s 1");
    image_sizes(&im);
    ck_assert_int_eq(probe_now(&im), DRH_E_UNSUPPORTED);
    says("newer drhost");
}
END_TEST

START_TEST(broken_notes)
{
    uint8_t d[7] = {1};

    image_start(&im);
    add_note(&im, 4, "drhost", 0x31485244, d, sizeof(d));
    image_sizes(&im);
    ck_assert_int_eq(probe_now(&im), DRH_E_DATA);
    says("7 bytes");
    image_start(&im);
    add_ours(&im, 1, 0, "source s 1");
    add_ours(&im, 1, 0, "source s 1");
    image_sizes(&im);
    ck_assert_int_eq(probe_now(&im), DRH_E_DATA);
    says("two drhost notes");
    /* A length that runs out of the segment: not ours to read. */
    good_image(&im, "source s 1");
    put_u32(im.b + NOTE_AT + 4, 0xffffffffu);
    ck_assert_int_eq(probe_now(&im), DRH_E_UNSUPPORTED);
    good_image(&im, "source s 1");
    put_u32(im.b + NOTE_AT, 0xfffffffeu);
    ck_assert_int_eq(probe_now(&im), DRH_E_UNSUPPORTED);
}
END_TEST

#define ID63 "123456789012345678901234567890123456789012345678901234567890123"

static const struct {
    const char *text;
    drh_status  status;
    const char *words;
} lists[] = {
    {"", DRH_E_DATA, "names no stage"},
    {"\n", DRH_E_UNSUPPORTED, "unknown kind \"\""},
    {"selecter ifd 1", DRH_E_UNSUPPORTED, "\"selecter\""},
    {"Selector ifd 1", DRH_E_UNSUPPORTED, "\"Selector\""},
    {"selector", DRH_E_DATA, "no id"},
    {"selector ifd", DRH_E_DATA, "no version"},
    {"selector ifd\nselector x 1", DRH_E_DATA, "line 1"},
    {"selector a 1\nselector b", DRH_E_DATA, "line 2"},
    {"selector Ifd 1", DRH_E_DATA, "\"Ifd\""},
    {"selector a/b 1", DRH_E_DATA, "\"a/b\""},
    {"selector \xc3\xa9 1", DRH_E_DATA, "0xc3"},
    {"selector a\t1", DRH_E_DATA, "0x09"},
    {"selector " ID63 " 1", DRH_OK, NULL},
    {"selector " ID63 "4 1", DRH_E_DATA, "too long a id"},
    {"selector a 1234567890123456789012345678901", DRH_OK, NULL},
    {"selector a 12345678901234567890123456789012", DRH_E_DATA, "too long a version"},
    {"service a 1 w1 w2 w3 w4 w5 w6 w7 w8", DRH_OK, NULL},
    {"service a 1 w1 w2 w3 w4 w5 w6 w7 w8 w9", DRH_E_DATA, "more than 8 words"},
    {"service a 1 " ID63 "4", DRH_E_DATA, "too long a word"},
    {"  selector   a   1  ", DRH_OK, NULL},
    {"selector a 1\n\nselector b 1", DRH_E_UNSUPPORTED, "line 2"},
};

START_TEST(note_text)
{
    good_image(&im, lists[_i].text);
    ck_assert_msg(probe_now(&im) == lists[_i].status, "%s: %s", lists[_i].text, error.message);
    if (lists[_i].words) {
        says(lists[_i].words);
    } else {
        ck_assert_uint_eq(out.n_stages, 1);
    }
}
END_TEST

START_TEST(sixty_four_stages)
{
    char   text[2048] = "";
    size_t n = 0;
    int    i;

    for (i = 0; i < 64; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "reader r%d 1\n", i);
    }
    good_image(&im, text);
    ck_assert_int_eq(probe_now(&im), DRH_OK);
    ck_assert_uint_eq(out.n_stages, 64);
    ck_assert_str_eq(out.stages[63].id, "r63");
    (void)snprintf(text + n, sizeof(text) - n, "reader r64 1\n");
    good_image(&im, text);
    ck_assert_int_eq(probe_now(&im), DRH_E_RANGE);
}
END_TEST

START_TEST(kinds)
{
    static const char *const names[] = {"source",   "reader",    "preprocessor", "synthesizer",
                                        "selector", "converter", "service"};
    uint32_t                 i;

    for (i = 0; i < 7; i++) {
        ck_assert_str_eq(kind_name(i + 1), names[i]);
        ck_assert_uint_eq(kind_of(names[i], strlen(names[i])), i + 1);
        ck_assert_uint_eq(kind_of(names[i], strlen(names[i]) - 1), 0);
    }
    ck_assert_ptr_null(kind_name(0));
    ck_assert_ptr_null(kind_name(8));
    ck_assert_uint_eq(kind_of("", 0), 0);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("probe");
    TCase   *t = tcase_create("probe");
    SRunner *r = srunner_create(s);
    int      failed;

    tcase_add_test(t, reads_the_note);
    tcase_add_test(t, among_other_notes);
    tcase_add_test(t, notes_of_eight);
    tcase_add_test(t, every_length);
    tcase_add_test(t, every_bit);
    tcase_add_test(t, headers);
    tcase_add_test(t, segments);
    tcase_add_test(t, versions);
    tcase_add_test(t, broken_notes);
    tcase_add_loop_test(t, note_text, 0, (int)(sizeof(lists) / sizeof(lists[0])));
    tcase_add_test(t, sixty_four_stages);
    tcase_add_test(t, kinds);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
