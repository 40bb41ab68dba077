/* SPDX-License-Identifier: MIT
 * outfile.h - a file that appears under its final name complete, or not at all: unpredictable
 * temporary name in the same folder (O_EXCL), fsync, rename, fsync of the folder.  SHA-256 and size
 * of what was written.  One thread at a time. */
#ifndef CORE_OUTFILE_H
#define CORE_OUTFILE_H

#include <drh/plugin.h>

#include <stdbool.h>

struct outfile;

enum {                 /* flags */
       OUT_ZSTD = 1,   /* compress (also by name: ".zst") */
       OUT_DIGEST = 2, /* keep a SHA-256 of the bytes as they lie in the file */
       OUT_NOSYNC = 4  /* no fsync: for files that can be made again */
};

/* path "-": standard output (no temporary).  Missing folders are made.  A symbolic link stays and
 * its target is replaced; a device or a pipe is written as it is. */
drh_status outfile_open(struct outfile **o, const char *path, uint32_t flags, drh_error *e);
drh_status outfile_write(struct outfile *o, const void *p, size_t n, drh_error *e);
uint64_t   outfile_size(const struct outfile *o); /* bytes given to it so far */
/* Writes over bytes that were given before.  DRH_E_RANGE: they were not; DRH_E_UNSUPPORTED: the
 * file is compressed, standard output, a device or a pipe. */
drh_status outfile_patch(struct outfile *o, uint64_t at, const void *p, size_t n, drh_error *e);
/* Final name; frees o in any case.  digest (32 bytes) and stored size may be NULL. */
drh_status outfile_commit(struct outfile *o, uint8_t *digest, uint64_t *stored, drh_error *e);
/* Removes the temporary, frees o.  NULL is fine. */
void outfile_abort(struct outfile *o);
/* A small file in one go. */
drh_status outfile_put(const char *path, const void *p, size_t n, drh_error *e);

/* Appends `from` to an open outfile without a detour through user space where the system can.  In a
 * compressed one a `from` that is zstd already goes in as it is, as further frames. */
drh_status outfile_append_file(struct outfile *o, const char *from, drh_error *e);

drh_status make_dirs(const char *path, drh_error *e); /* like mkdir -p */
/* Whole file, 0-terminated, at most max bytes; *out is mem_free()d by the caller. */
drh_status read_file(const char *path, size_t max, char **out, size_t *len, drh_error *e);

#endif
