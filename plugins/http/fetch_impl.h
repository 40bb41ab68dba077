/* SPDX-License-Identifier: MIT
 * fetch_impl.h - what the files of fetch share.
 *
 *   fetch.c        a job: which file and which piece next, waiting for the end
 *   fetch_file.c   a file: looked for, opened, hashed, given its name; on the pool's threads
 *   fetch_piece.c  a piece: one range of a file by one exchange; on the network thread
 *   fetch_end.c    what the end of a piece means: go on, again, elsewhere, or not at all
 *
 * A file is the network thread's; what the pool needs of it is marked.  A file ends on the pool,
 * which then posts `gone`: only after that is it freed.  A block of a part that is marked as
 * written is never written again, since its bytes may have been hashed already. */
#ifndef HTTP_FETCH_IMPL_H
#define HTTP_FETCH_IMPL_H

#include "fetch.h"
#include "digest.h"
#include "part.h"
#include "pool.h"
#include "trip.h"

#include <drh/hub.h>
#include <pthread.h>

enum {
    SMALL_FILE = 8 << 20, /* below: one request without a range, never continued */
    MAX_CONNECTIONS = 64,
    GATHER_MAX = 64 << 10 /* of an answer that is not the file */
};
#define SIZE_UNKNOWN UINT64_MAX

struct job;
struct file;

struct fetch {
    struct net          *net;
    const drh_host      *host;
    struct pool         *pool;
    struct fetch_options o;
};

enum piece_mode {
    PIECE_IDLE = 0,
    PIECE_WAITS,    /* no head yet */
    PIECE_DATA,     /* the bytes asked for */
    PIECE_REDIRECT, /* the body means nothing */
    PIECE_GATHERS   /* something else; its beginning is kept */
};

struct piece {
    struct job     *job;
    struct file    *file;         /* NULL: idle */
    uint64_t        from, at, to; /* to is exclusive; SIZE_UNKNOWN: to the end */
    uint64_t        asked_to;     /* `to` when it began */
    uint64_t        marked;       /* up to here the part knows */
    enum piece_mode mode;
    bool            halved;     /* another piece has taken over what was behind `to` */
    bool            cut;        /* stopped at `to` */
    bool            no_disk;    /* `error` is of the disk */
    uint32_t        generation; /* of the file's address */
    uint64_t        left;       /* blocks that the file lacked when it began */
    double          started;
    drh_text        gather;
    drh_error       error; /* with mode DATA: why it was stopped */
    struct exchange x;
};

enum file_state {
    FILE_PREPARING, /* on the pool: is it there already, open its part */
    FILE_READY,     /* pieces may be asked for */
    FILE_ENDING     /* on the pool: the rest is hashed and committed, or it is given up */
};

struct file {
    struct job     *job;
    struct file    *next, **prev; /* in job->open */
    uint64_t        index;
    drh_fetch_file  about; /* its name is `name` */
    char           *name;  /* owned */
    uint64_t        size;  /* SIZE_UNKNOWN until an answer tells */
    enum file_state state;
    struct part     part; /* pool: sync, read; network: write, mark */

    /* where it is asked for */
    struct trip trip;
    bool        has_trip;
    bool        resolved;   /* the trip's URL gave data */
    uint32_t    generation; /* of the trip's URL */

    /* how */
    bool     whole;      /* one request for all of it, without a range */
    bool     no_ranges;  /* the server ignores them */
    bool     any_length; /* the server's Content-Length is wrong */
    bool     encoded;    /* the server compresses though it was asked not to */
    bool     fresh;      /* the next request takes a new connection */
    bool     restarted;  /* its digest was wrong once */
    uint32_t n_pieces;
    uint64_t scan;     /* no block before this one is free */
    uint32_t failures; /* in a row, without a byte */
    uint32_t resolves; /* in a row, without a byte */
    double   not_before;

    /* the pool's */
    struct task task;
    bool        prepared;
    bool        reported; /* a mismatch or trouble is posted: nothing is done until the network
                             thread has answered, by rewind or closing */
    struct digest   digest;
    uint64_t        hashed, synced;
    uint8_t         found[32]; /* digest that came out */
    drh_status      trouble_status;
    drh_error       trouble_error;
    struct net_work ready, mismatch, trouble, gone;
    bool            all_here; /* atomic: no piece is at work and no byte is missing */
    bool            rewind;   /* atomic: hash from the start again */
    bool            closing;  /* atomic: end it with end_status */
    drh_status      end_status;
    drh_error       end_error;
    uint64_t        shown; /* bytes in job->bytes that are this file's; the network's */
};

struct job {
    struct fetch        *fetch;
    struct net          *net;
    const drh_host      *host;
    const drh_fetch_job *spec;
    int                  root, state;
    uint32_t             max_files, patience, connections;

    /* the network thread's */
    uint64_t         next; /* file to open next */
    struct file     *open;
    uint32_t         n_open, n_ending, n_active; /* active: with pieces */
    struct piece     piece[MAX_CONNECTIONS];
    struct net_timer timer;
    struct net_work  begin, stop;
    bool             tick_set;
    bool             stopping, finished_said;
    bool             no_memory;  /* not even for one file */
    double           ttfb, rate; /* of recent pieces: seconds to the first byte, bytes a second */

    /* shared */
    pthread_mutex_t calls; /* one callback of the spec at a time */
    pthread_mutex_t lock;
    pthread_cond_t  moved;
    bool            finished;                         /* under lock */
    uint64_t        bytes, received, settled, failed; /* atomic */
    bool            brought;                          /* atomic: a file got its name */
    uint32_t        active;                           /* atomic */
    uint64_t        waiting_ms;                       /* atomic */
    uint64_t        learned, learned_files;           /* atomic */
};

/* fetch.c */
void job_tick(struct job *j); /* soon: opens files, hands out pieces, notices the end */
/* Counts bytes of a file that are there: its own so far become n. */
void job_show(struct file *f, uint64_t n);

/* fetch_file.c */
struct file *file_open(struct job *j, uint64_t index); /* NULL: out of memory */
void         file_free(struct file *f);
/* Gives it up with st: its part stays for another time.  Its pieces are stopped. */
void file_fail(struct file *f, drh_status st, const drh_error *e);
/* Everything is written; the pool does the rest. */
void file_all_here(struct file *f);
void file_more_here(struct file *f); /* something to hash */
/* The notes of file `index` of the spec, UINT64_MAX: of the whole. */
void file_notes(struct job *j, uint64_t index);

/* fetch_piece.c */
void piece_begin(struct piece *p, struct file *f, uint64_t from, uint64_t to);
void piece_start(struct piece *p); /* its exchange, once more at where the file is now */
void piece_stop(struct piece *p);
void piece_release(struct piece *p); /* its exchange has ended */
void piece_mark(struct piece *p);    /* tells the part what has come so far */
/* Room for a second connection on what p still has to do: where it would begin, or 0. */
uint64_t piece_split_at(const struct piece *p, double now);
/* The request of the file; false: the file has failed. */
bool piece_trip(struct file *f);
bool piece_text_is(drh_str v, const char *lower); /* begins with it, in any case */
/* DRH_E_NETWORK, "URL: what". */
drh_status piece_says(const struct piece *p, drh_error *e, const char *what);

/* fetch_end.c */
void piece_done(struct exchange *x);

#endif
