/* SPDX-License-Identifier: MIT
 * test_zoo.c - broken plugins in the loader: each is refused with the right status and a message
 * that names file, step and remedy; the host lives on.  libcheck forks: one process an animal. */
#include "err.h"
#include "loader.h"
#include "outfile.h"
#include "mem.h"

#include <check.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

struct animal {
    const char *file;
    drh_status  status;
    const char *step, *reason, *remedy; /* words that the message must have, in this order */
};

static const struct animal refused[] = {
    {"no_symbol", DRH_E_UNSUPPORTED, "symbol", "drh_entry_v1", "define it"},
    {"wrong_major", DRH_E_UNSUPPORTED, "probe", "plugin ABI 2, this host has 1", "newer drhost"},
    {"needs_newer", DRH_E_UNSUPPORTED, "probe", "1.9", "newer drhost"},
    {"note_missing", DRH_E_UNSUPPORTED, "probe", "no drhost note", "DRH_PLUGIN_NOTE"},
    {"note_lies", DRH_E_ARG, "check", "stage \"zoo\": not in the note", "add its line"},
    {"note_kind", DRH_E_ARG, "check", "a selector in the note, a preprocessor", "equal"},
    {"note_version", DRH_E_ARG, "check", "version 1.0.1 in the note, 1.0.0", "equal"},
    {"note_count", DRH_E_ARG, "check", "1 stages, 2 lines", "one line"},
    {"note_canonical", DRH_E_ARG, "check", "canonical", "both or none"},
    {"note_garbage", DRH_E_DATA, "probe", "byte 0x01", "KIND ID VERSION"},
    {"entry_size_0", DRH_E_ARG, "check", "entry: struct_size is 0", "set .struct_size"},
    {"entry_size_huge", DRH_E_ARG, "check", "entry: struct_size is 1073741824", "set .struct_size"},
    {"stage_size_0", DRH_E_ARG, "check", "stage 0: struct_size is 0", "set .struct_size"},
    {"null_id", DRH_E_ARG, "check", "stage 0: id: NULL", "give a text"},
    {"bad_id", DRH_E_DATA, "check", "../zoo", "a-z 0-9"},
    {"long_id", DRH_E_RANGE, "check", "stage 0: id: too long", "63 bytes"},
    {"duplicate_id", DRH_E_ARG, "check", "stages 0 and 1 are both \"zoo\"", "rename"},
    {"null_stage", DRH_E_ARG, "check", "stage 0: NULL", "point it"},
    {"unknown_kind", DRH_E_UNSUPPORTED, "check", "kind: 77", "DRH_KIND"},
    {"unknown_flag", DRH_E_UNSUPPORTED, "check", "0x80000000", "newer drhost"},
    {"no_life", DRH_E_ARG, "check", "life: NULL", "point it"},
    {"no_ops", DRH_E_ARG, "check", "map ops: NULL", "point it"},
    {"no_process", DRH_E_ARG, "check", "neither process()", "give one"},
    {"both_shapes", DRH_E_ARG, "check", "both process() and start()", "give one"},
    {"no_tell", DRH_E_ARG, "check", "no tell()", "every stage"},
    {"suffix_path", DRH_E_DATA, "check", "suffixes: \"/../../x\"", "use only"},
    {"suffix_twice", DRH_E_ARG, "check", "suffixes: \".bin\" twice", "rename"},
    {"suffix_none", DRH_E_ARG, "check", "suffixes: none", "leave it NULL"},
    {"suffix_many", DRH_E_RANGE, "check", "suffixes: more than 8", "NULL"},
    {"unresolved_symbol", DRH_E_UNSUPPORTED, "load", "drh_zoo_nowhere", "link the plugin with"},
    {"missing_dependency", DRH_E_UNSUPPORTED, "load", "libzoo_gone.so", "install the library"},
    {"init_fails", DRH_E_UNSUPPORTED, "init", "no tail", "cannot be used"},
    {"init_fails_silently", DRH_E_INTERNAL, "init", "without a reason", "cannot be used"},
    {"init_status", DRH_E_INTERNAL, "init", "unknown status -1", "report"},
};
enum { N_REFUSED = sizeof(refused) / sizeof(refused[0]) };

static struct loader       *loader;
static const struct plugin *plugin;
static drh_error            error = ERR_INIT;
static char                 dir[] = "/tmp/drh-zoo-XXXXXX";

static const char *made(void)
{
    static char path[64];

    (void)snprintf(path, sizeof(path), "%s/made.so", dir);
    return path;
}

static void setup(void)
{
    ck_assert_int_eq(loader_new(&loader, NULL, 0, &error), DRH_OK);
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
    loader_free(loader);
    (void)unlink(made());
    (void)rmdir(made());
    (void)rmdir(dir);
}

static const char *zoo(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s.so", DRH_ZOO_DIR, name);
    return path;
}

/* "FILE: STEP: ...REASON...; ...REMEDY..." */
static void message_is(const char *file, const char *step, const char *reason, const char *remedy)
{
    char        head[640];
    const char *at, *semi;

    (void)snprintf(head, sizeof(head), "%s: %s: ", file, step);
    at = strstr(error.message, head);
    ck_assert_msg(at != NULL, "no \"%s\" in: %s", head, error.message);
    at = strstr(at, reason);
    ck_assert_msg(at != NULL, "no \"%s\" in: %s", reason, error.message);
    semi = strstr(at, "; ");
    ck_assert_msg(semi != NULL, "no remedy in: %s", error.message);
    ck_assert_msg(strstr(semi, remedy) != NULL, "no \"%s\" in: %s", remedy, error.message);
    ck_assert_ptr_null(strchr(error.message, '\n'));
}

static void refuse(const char *path, drh_status status, const char *step, const char *reason,
                   const char *remedy)
{
    drh_status st = loader_open(loader, path, &plugin, &error);

    ck_assert_msg(st == status, "%s: status %d: %s", path, st, error.message);
    ck_assert_ptr_null(plugin);
    message_is(strrchr(path, '/') + 1, step, reason, remedy);
    /* And the host goes on. */
    ck_assert_int_eq(loader_open(loader, zoo("good"), &plugin, &error), DRH_OK);
}

START_TEST(refused_one)
{
    const struct animal *a = &refused[_i];

    refuse(zoo(a->file), a->status, a->step, a->reason, a->remedy);
}
END_TEST

/* The good plugin's bytes, changed, as a new file. */
static uint8_t *good_bytes(size_t *n)
{
    char *b = NULL;

    ck_assert_int_eq(read_file(zoo("good"), 64 << 20, &b, n, &error), DRH_OK);
    return (uint8_t *)b;
}

static void make(const void *p, size_t n)
{
    FILE *f = fopen(made(), "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(p, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

/* End of the last segment that has to be there: cut before it, dlopen would die of SIGBUS. */
static size_t needed(const uint8_t *b)
{
    Elf64_Ehdr h;
    size_t     end = 0;
    unsigned   i;

    memcpy(&h, b, sizeof(h));
    for (i = 0; i < h.e_phnum; i++) {
        Elf64_Phdr p;
        memcpy(&p, b + h.e_phoff + i * sizeof(p), sizeof(p));
        if (p.p_type == PT_LOAD && p.p_offset + p.p_filesz > end) {
            end = p.p_offset + p.p_filesz;
        }
    }
    return end;
}

START_TEST(truncated)
{
    size_t   n, end;
    uint8_t *b = good_bytes(&n);
    size_t   cut[] = {1, 15, 40, 63, 64, 200, 4096, 0, 0, 0};

    end = needed(b);
    cut[7] = end / 2;
    cut[8] = end - 4096;
    cut[9] = end - 1;
    ck_assert_uint_lt(cut[_i], end);
    make(b, cut[_i]);
    mem_free(b);
    refuse(made(), DRH_E_DATA, "probe", _i == 0 ? "not an ELF" : "",
           _i == 0 ? "cc -shared" : "cut short, copy or build it again");
}
END_TEST

START_TEST(not_elf)
{
    static const char text[] = "#!/bin/sh\necho I am no plugin, but I am long enough to be read\n";

    make(text, sizeof(text));
    refuse(made(), DRH_E_DATA, "probe", "not an ELF file", "cc -shared");
}
END_TEST

START_TEST(empty_file)
{
    make("", 0);
    refuse(made(), DRH_E_DATA, "probe", "empty", "copy or build");
}
END_TEST

START_TEST(wrong_arch)
{
    size_t     n;
    uint8_t   *b = good_bytes(&n);
    Elf64_Ehdr h;

    memcpy(&h, b, sizeof(h));
    h.e_machine = h.e_machine == EM_AARCH64 ? EM_X86_64 : EM_AARCH64;
    memcpy(b, &h, sizeof(h));
    make(b, n);
    mem_free(b);
    refuse(made(), DRH_E_UNSUPPORTED, "probe", "built for", "build it for");
}
END_TEST

START_TEST(an_executable)
{
    ck_assert_int_eq(symlink("/proc/self/exe", made()), 0);
    ck_assert_int_ne(loader_open(loader, made(), &plugin, &error), DRH_OK);
    ck_assert_ptr_nonnull(strstr(error.message, ": probe: no drhost note"));
}
END_TEST

START_TEST(a_directory)
{
    ck_assert_int_eq(mkdir(made(), 0700), 0);
    refuse(made(), DRH_E_DATA, "open", "a folder", "give a plugin file");
}
END_TEST

START_TEST(a_fifo)
{
    ck_assert_int_eq(mkfifo(made(), 0600), 0);
    refuse(made(), DRH_E_DATA, "open", "a pipe", "give a plugin file");
}
END_TEST

START_TEST(a_device)
{
    ck_assert_int_ne(loader_open(loader, "/dev/zero", &plugin, &error), DRH_OK);
    message_is("/dev/zero", "open", "a device", "give a plugin file");
}
END_TEST

START_TEST(not_there)
{
    ck_assert_int_eq(loader_open(loader, "/nowhere/x.so", &plugin, &error), DRH_E_MISSING);
    message_is("/nowhere/x.so", "find", "No such file", "check the path");
}
END_TEST

START_TEST(newer_tail)
{
    ck_assert_int_eq(loader_open(loader, zoo("newer_tail"), &plugin, &error), DRH_OK);
    ck_assert(plugin->stages[0].has_map);
    ck_assert_uint_gt(plugin->stages[0].map.struct_size, sizeof(drh_map_ops));
    ck_assert(plugin->stages[0].map.process != NULL);
}
END_TEST

#if defined(__x86_64__)
/* Its constructor turns on flush-to-zero; the host must go on with the mode that it had. */
START_TEST(fast_math)
{
    size_t          n;
    char           *b = NULL;
    volatile double tiny = 4e-310;
    unsigned        before = _mm_getcsr() & ~0x3fu;
    void           *raw;

    ck_assert_int_eq(loader_open(loader, zoo("fast_math"), &plugin, &error), DRH_OK);
    ck_assert_uint_eq(_mm_getcsr() & ~0x3fu, before);
    ck_assert(tiny * 0.5 > 0);

    /* The same file, loaded by hand from another name: it does flip the mode, or this proves
     * nothing. */
    ck_assert_int_eq(read_file(zoo("fast_math"), 64 << 20, &b, &n, &error), DRH_OK);
    make(b, n);
    mem_free(b);
    raw = dlopen(made(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    ck_assert_ptr_nonnull(raw);
    ck_assert_uint_ne(_mm_getcsr() & ~0x3fu, before);
    _mm_setcsr(before);
}
END_TEST
#endif

int main(void)
{
    Suite   *s = suite_create("zoo");
    TCase   *t = tcase_create("loader");
    SRunner *r = srunner_create(s);
    int      failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, refused_one, 0, N_REFUSED);
    tcase_add_loop_test(t, truncated, 0, 10);
    tcase_add_test(t, not_elf);
    tcase_add_test(t, empty_file);
    tcase_add_test(t, wrong_arch);
    tcase_add_test(t, an_executable);
    tcase_add_test(t, a_directory);
    tcase_add_test(t, a_fifo);
    tcase_add_test(t, a_device);
    tcase_add_test(t, not_there);
    tcase_add_test(t, newer_tail);
#if defined(__x86_64__)
    tcase_add_test(t, fast_math);
#endif
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
