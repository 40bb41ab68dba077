/* SPDX-License-Identifier: MIT
 *
 * lm_file.c - see lm_file.h.
 */
#define _POSIX_C_SOURCE 200809L
#include "lm_file.h"

#include <drh/util.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static drh_status map_fd(struct lm_map *m, int fd, const char *path, drh_error *e)
{
    struct stat st;
    void       *p;
    if (fstat(fd, &st)) {
        return drh_fail(e, DRH_E_IO, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) {
        return drh_fail(e, DRH_E_IO, "%s: not a regular file", path);
    }
    if (st.st_size <= 0) {
        return drh_fail(e, DRH_E_DATA, "%s: the file is empty; download it again", path);
    }
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) {
        return drh_fail(e, DRH_E_IO, "%s: cannot map: %s", path, strerror(errno));
    }
    m->p = p;
    m->n = (size_t)st.st_size;
    return DRH_OK;
}

drh_status lm_map_open(struct lm_map *m, const char *dir, const char *name, drh_error *e)
{
    char       path[4096];
    drh_status rc;
    int        fd;
    m->p = NULL;
    m->n = 0;
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path)) {
        return drh_fail(e, DRH_E_CONFIG, "the path of the model folder is too long");
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return drh_fail(e, errno == ENOENT ? DRH_E_MISSING : DRH_E_IO, "%s: %s", path,
                        strerror(errno));
    }
    rc = map_fd(m, fd, path, e);
    close(fd);
    return rc;
}

void lm_map_close(struct lm_map *m)
{
    if (m->p) {
        munmap((void *)(uintptr_t)m->p, m->n);
    }
    m->p = NULL;
    m->n = 0;
}
