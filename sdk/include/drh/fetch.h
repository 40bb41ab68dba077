/* SPDX-License-Identifier: MIT
 *
 * drh/fetch.h - service "drh.fetch/1": verified files over HTTP.  Offered by a transport plugin,
 * used by the host on behalf of sources that give request() (drh/plugin.h).
 *
 * The provider brings each file of a job below its root, and gives it its final name only when size
 * and digest are those of the listing.  It keeps what has arrived, and a journal of it, in the
 * job's state folder, keyed by name; the journal knows size and digest too, and another content of
 * the name starts anew.  So another process, another machine, or another hub with the same content
 * goes on where the last one stopped.
 */
#ifndef DRH_FETCH_H
#define DRH_FETCH_H

#include <drh/http.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DRH_FETCH "drh.fetch/1"

enum {                       /* drh_fetch_file.hash */
       DRH_HASH_NONE = 0,    /* only the size is known */
       DRH_HASH_SHA256 = 1,  /* of the content, 32 bytes */
       DRH_HASH_GIT_SHA1 = 2 /* git's blob id, 20 bytes: SHA-1 of "blob SIZE\0" and the content */
};

/* A file of a job; made by the provider, filled by drh_fetch_job.file. */
typedef struct drh_fetch_file {
    uint32_t struct_size;
    uint32_t hash;       /* DRH_HASH_* */
    drh_str  name;       /* path below root, parts separated by '/'; checked by the host */
    uint64_t size;       /* UINT64_MAX: not known */
    uint8_t  digest[32]; /* of kind `hash` */
} drh_fetch_file;

enum {                          /* drh_fetch_job.flags */
       DRH_FETCH_ANEW = 1u << 0 /* bring files again that are there and whole */
};

typedef struct drh_fetch_progress {
    uint32_t struct_size;
    uint32_t active;     /* open transfers */
    uint64_t bytes;      /* of the files that are settled or under way: there, old or new */
    uint64_t received;   /* by this job, over the network */
    uint64_t files;      /* settled */
    uint64_t failed;     /* of these */
    uint32_t waiting_ms; /* everything waits for a server's limit for so long yet; 0: no */
    uint32_t reserved;
    uint64_t learned;       /* bytes of files whose size the listing did not know */
    uint64_t learned_files; /* how many these are */
} drh_fetch_progress;

/* What is to be brought.  The callbacks are called one at a time, on any thread of the provider,
 * until run() returns. */
typedef struct drh_fetch_job {
    uint32_t    struct_size;
    uint32_t    flags; /* DRH_FETCH_* */
    void       *ctx;
    const char *root;      /* folder, exists; nothing is written outside of it */
    const char *state;     /* folder below root for parts and journals, exists */
    uint64_t    n;         /* files 0 .. n-1; in the order in which they are best started */
    uint32_t    max_files; /* at once; 0: as the service is set up */
    uint32_t    patience;  /* failures in a row without a byte before a file is given up; 0: as the
                            * service is set up.  Less when there is another hub to try. */
    /* Describes file i; texts live until the next callback. */
    void (*file)(void *ctx, uint64_t i, drh_fetch_file *out);
    /* The request that brings all of file i; the provider adds ranges.  As drh_source_ops.request:
     * texts live until the next callback. */
    drh_status (*request)(void *ctx, uint64_t i, drh_http_req *out, drh_error *e);
    /* An answer from the origin of request() that is not the file: as drh_source_ops.judge. */
    drh_status (*judge)(void *ctx, uint64_t i, const drh_http_answer *a, drh_error *e);
    /* May be NULL: the k-th small file to put beside file i when that is there, i UINT64_MAX:
     * beside the whole.  As drh_source_ops.note; a note that cannot be written costs nothing but
     * itself. */
    drh_status (*note)(void *ctx, uint64_t i, uint32_t k, drh_str *path, drh_str *text);
    /* The end of file i, exactly once: DRH_OK, it has its final name; or why not.  `brought` 0: it
     * was there and whole. */
    void (*settled)(void *ctx, uint64_t i, uint32_t brought, drh_status st, const drh_error *e);
    void (*progress)(void *ctx, const drh_fetch_progress *p); /* a few times a second */
} drh_fetch_job;

typedef struct drh_fetch_provider {
    uint32_t struct_size;
    uint32_t reserved;
    /* Returns when every file is settled.  DRH_OK also when files failed; an error when the job as
     * a whole could not go on (then the files not settled yet are settled with it):
     * DRH_E_CANCELLED, DRH_E_IO, DRH_E_NOMEM.  One job at a time. [main] */
    drh_status (*run)(void *self, const drh_fetch_job *job, drh_error *e);
} drh_fetch_provider;

#ifdef __cplusplus
}
#endif
#endif /* DRH_FETCH_H */
