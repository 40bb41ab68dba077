/* SPDX-License-Identifier: MIT
 * main.c - runs a fuzz target over files without libFuzzer, so that corpora are ordinary tests:
 *     fuzz_json FILE|FOLDER...
 * Folders inside folders are left out.  Prints how many inputs ran; 1 when there was none. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In a block of exactly its size, so that AddressSanitizer sees a read past the end. */
static int run_file(const char *path)
{
    struct stat st;
    uint8_t    *data = NULL;
    int         ok = 0;
    FILE       *f = fopen(path, "rb");

    if (!f || fstat(fileno(f), &st) != 0) {
        goto out;
    }
    data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
    if (!data || fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size) {
        goto out;
    }
    (void)LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
    ok = 1;
out:
    if (!ok) {
        perror(path);
    }
    free(data);
    if (f) {
        (void)fclose(f);
    }
    return ok;
}

static int run_folder(const char *path)
{
    struct dirent *d;
    int            n = 0;
    DIR           *dir = opendir(path);

    if (!dir) {
        return run_file(path);
    }
    while ((d = readdir(dir)) != NULL) {
        char name[4096];
        if (d->d_name[0] != '.') {
            (void)snprintf(name, sizeof(name), "%s/%s", path, d->d_name);
            n += run_file(name);
        }
    }
    (void)closedir(dir);
    return n;
}

int main(int argc, char **argv)
{
    int i, n = 0;

    for (i = 1; i < argc; i++) {
        n += run_folder(argv[i]);
    }
    printf("%d inputs\n", n);
    return n ? 0 : 1;
}
