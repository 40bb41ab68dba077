/* SPDX-License-Identifier: MIT
 *
 * drh/plugin.h - the stage plugin ABI of drhost, major version 1.
 *
 * A plugin is one .so that exports one data symbol, drh_entry_v1.  This header is all it needs; it
 * is also the manual.  Start with sdk/PLUGINS.md, copy sdk/template/.
 *
 * Rules that hold for every struct and function below
 *   1. A struct that can grow starts with struct_size, set by whoever made it.  New members go at
 *      the end only, and such a struct crosses by pointer, never in an array of values.  A reader
 *      never touches a member beyond the writer's struct_size: DRH_HAS().
 *   2. Fixed-width integers; enumerations travel as uint32_t; no bool, long, enum, bit-field,
 *      varargs or libc object crosses.  An unknown value is DRH_E_UNSUPPORTED, never undefined.
 *   3. Text is UTF-8 with an explicit length.  ptr[len] is always 0, but len is the truth (JSON
 *      strings may hold U+0000).  What a plugin passes in need not be 0-terminated.
 *   4. Nobody frees what the other side allocated.  What the host passes in is valid until the call
 *      returns, unless said otherwise; what a plugin passes out is copied before the call returns.
 *   5. From a plugin: no exception or longjmp across the border, no exit(), fork(), setlocale(),
 *      chdir(), signal handler, and nothing written to stdout or stderr (use host->log).
 *   6. Every function has a thread tag:
 *        [main]    the thread that made the instance (always the same one for a PINNED stage)
 *        [worker]  a thread that owns the worker state passed in; see drh_stage.threading
 *        [any]     any thread, concurrently
 *        [once]    once per process
 *   7. A status is an int32_t: 0 is success, 1..15 are answers, 16 and above are errors; negative
 *      values are reserved.  Who returns an error fills the drh_error it was given.
 *
 * Stability: the major version is in the symbol's name.  Until 1.0 is declared the minor stays 0
 * and the ABI may still change; from then on minors only append (sdk/ABI.md).
 */
#ifndef DRH_PLUGIN_H
#define DRH_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DRH_ABI_MAJOR 1u
#define DRH_ABI_MINOR 0u /* newest minor that this header describes */

#define DRH_EXPORT __attribute__((visibility("default")))

/* True when `p`, a `type` made by the other side, is long enough to hold `member`. */
#define DRH_HAS(type, p, member)                                                                   \
    ((p)->struct_size >= offsetof(type, member) + sizeof(((type *)0)->member))

/* ---- status and error ---------------------------------------------------------------------- */

typedef int32_t drh_status;
enum {
    DRH_OK = 0,
    DRH_END = 1,   /* no more: of children, of records, of files */
    DRH_AGAIN = 2, /* nothing now, call again */

    DRH_E_ARG = 16,    /* the caller broke the contract */
    DRH_E_CONFIG,      /* the user's configuration is wrong */
    DRH_E_DATA,        /* this record is bad; the run can go on */
    DRH_E_MISSING,     /* field, file or model is not there */
    DRH_E_TYPE,        /* the field is there, with another type */
    DRH_E_RANGE,       /* the number does not fit, the text is too long */
    DRH_E_IO,          /* reading or writing failed */
    DRH_E_NETWORK,     /* no answer, or a broken one */
    DRH_E_AUTH,        /* not allowed: a token is missing or wrong */
    DRH_E_TIMEOUT,     /* took longer than allowed */
    DRH_E_CANCELLED,   /* the run is being stopped */
    DRH_E_NOMEM,       /* out of memory */
    DRH_E_UNSUPPORTED, /* this side does not know or do that */
    DRH_E_INTERNAL,    /* a bug of the callee */
    DRH_E_BUDGET       /* what the user allowed to be spent is spent */
};

enum {                              /* drh_error.flags */
       DRH_ERR_RETRYABLE = 1u << 0, /* the same call may succeed later */
       /* No fault of the record that this is about, and the next one would fare the same (a key
        * that is refused, a server that is gone): the host stops the run, which can be resumed. */
       DRH_ERR_STOP = 1u << 1
};

/* Made and owned by the caller, filled by the callee, never freed by anyone: works when out of
 * memory and leaves no pointer into the plugin behind.  drh/util.h has drh_fail() to fill one. */
typedef struct drh_error {
    uint32_t   struct_size;
    drh_status code;
    uint32_t   flags;          /* DRH_ERR_* */
    uint32_t   retry_after_ms; /* 0: not known */
    int64_t    record;         /* index in the batch of this call, or -1 */
    char       field[64];      /* the field or option it is about, or "" */
    char       message[424];   /* what is wrong and what to do, one line, 0-terminated */
} drh_error;

/* ---- text, fields, values ------------------------------------------------------------------ */

typedef struct drh_str {
    const char *ptr;
    size_t      len;
} drh_str;

/* A place in a record as a small integer: ask host->field() once in create(), use it for every
 * record.  "output" is the top-level member of that name; a name that starts with '/' is a JSON
 * Pointer (RFC 6901): "/metadata/ifd". */
typedef uint32_t drh_field;
#define DRH_FIELD_NONE 0u /* the record as a whole */

/* A record: a JSON object that the host holds.  Untouched members leave as they came in, byte for
 * byte; numbers keep their text. */
typedef struct drh_record drh_record;
typedef struct drh_config drh_config; /* a stage's validated configuration, defaults filled in */
typedef struct drh_sink   drh_sink;   /* where bytes go: converter files, data-set notes */
typedef struct drh_list   drh_list;   /* where a source names its files */
typedef struct drh_json   drh_json;   /* a JSON text that is no record: host->json_open */
typedef struct drh_bytes  drh_bytes;  /* a raw file's bytes, decompressed: host->bytes_open */
typedef struct drh_host   drh_host;

/* drh/http.h */
typedef struct drh_http_req    drh_http_req;
typedef struct drh_http_answer drh_http_answer;

enum { /* type of a value */
       DRH_T_NONE = 0,
       DRH_T_NULL,
       DRH_T_BOOL,
       DRH_T_NUMBER,
       DRH_T_STRING,
       DRH_T_ARRAY,
       DRH_T_OBJECT
};

/* A cursor: one value inside a record or a configuration.  Made by the caller on its stack, filled
 * by the host; the words are the host's.  Its size is frozen.  Valid as long as the record is,
 * and until the field that it points into is set. */
typedef struct drh_value {
    uintptr_t w[6];
} drh_value;

/* Walking nested values.  [any] for a configuration, [worker] for a record, one thread at a time
 * for a JSON text.  A JSON null is a value of type DRH_T_NULL here; the typed getters answer
 * DRH_E_TYPE for it. */
typedef struct drh_value_api {
    uint32_t struct_size;
    uint32_t reserved;
    uint32_t (*type)(const drh_value *v); /* DRH_T_* */
    /* Decoded text; *out is valid as long as the record.  DRH_E_TYPE, DRH_E_NOMEM. */
    drh_status (*str)(const drh_value *v, drh_str *out);
    /* Exact: DRH_E_TYPE when the number has a fraction or an exponent, DRH_E_RANGE when too big. */
    drh_status (*i64)(const drh_value *v, int64_t *out);
    drh_status (*f64)(const drh_value *v, double *out); /* nearest double */
    drh_status (*boolean)(const drh_value *v, int32_t *out);
    drh_str (*json)(const drh_value *v); /* source text; NOT 0-terminated at len */
    /* First child of an array or object: DRH_END when empty, DRH_E_TYPE for a scalar. */
    drh_status (*child)(const drh_value *parent, drh_value *first);
    drh_status (*next)(drh_value *v);                    /* to the next sibling, or DRH_END */
    drh_status (*key)(const drh_value *v, drh_str *out); /* DRH_E_TYPE: not a member of an object */
    drh_status (*member)(const drh_value *object, const char *key, size_t len, drh_value *out);
    size_t (*count)(const drh_value *v); /* children; 0 for a scalar */
} drh_value_api;

/* ---- records ------------------------------------------------------------------------------- */

/* Where a record comes from.  Texts are valid as long as the record. */
typedef struct drh_record_info {
    uint32_t struct_size;
    uint32_t attempt; /* slots: 0 first, then 1, 2 ... after a rejection */
    uint64_t slot;    /* synthesizer without input: number of this slot */
    uint64_t row;     /* record in its file, from 0 */
    uint64_t line;    /* line in its file, from 1; 0: not known */
    drh_str  file;    /* its file as the data set names it */
    drh_str  domain;  /* of the data set; "" in a single step that names none */
    drh_str  dataset;
    drh_str  source; /* provenance: "hf-mirror:openai/gsm8k@e53f048", "local:data/x.json" */
    /* Where it was read first: `file` and `line`, or, when these are of a file that the host made
     * between two steps, the data set's own file and the line there. */
    drh_str  from_file;
    uint64_t from_line;
} drh_record_info;

/* Reading, changing and settling records.  All [worker], inside the call that was given the record
 * (record-driven stages: until it is settled).
 *
 * Every input record is settled exactly once, by keep, drop or fail; the host counts, and a record
 * left open is failed with reason "unsettled".  After settling, only reading is allowed. */
typedef struct drh_record_api {
    uint32_t struct_size;
    uint32_t reserved;

    /* -- reading: DRH_E_MISSING (not there, or null), DRH_E_TYPE, DRH_E_RANGE; *out is then
     * {NULL,0} or 0.  Texts are valid until the record is settled or that field is set. */
    drh_status (*get_str)(const drh_record *r, drh_field f, drh_str *out);
    drh_status (*get_i64)(const drh_record *r, drh_field f, int64_t *out);
    drh_status (*get_f64)(const drh_record *r, drh_field f, double *out);
    drh_status (*get_bool)(const drh_record *r, drh_field f, int32_t *out);
    drh_status (*get_json)(const drh_record *r, drh_field f, drh_str *out); /* any type, its text */
    drh_status (*get_value)(const drh_record *r, drh_field f, drh_value *out); /* null is a value */
    /* A column in one call: fills out[0..n), {NULL,0} or NaN where there is none; returns how many
     * there are. */
    size_t (*get_strs)(drh_record *const *r, size_t n, drh_field f, drh_str *out);
    size_t (*get_f64s)(drh_record *const *r, size_t n, drh_field f, double *out);
    size_t (*get_i64s)(drh_record *const *r, size_t n, drh_field f, int64_t *out, uint8_t *there);
    drh_status (*info)(const drh_record *r, drh_record_info *out);
    /* Random seed of this record in this step: a function of the run's seed, the step's id, the
     * record's origin and the attempt, so the same whatever the workers do. */
    uint64_t (*seed)(const drh_record *r);

    /* -- changing: a new member goes to the end of its object, parents of a pointer are made.
     * DRH_E_TYPE when a parent is no object, DRH_E_DATA when text is not UTF-8, DRH_E_NOMEM.
     * set_f64 refuses NaN and infinities (DRH_E_RANGE); set_json checks its text strictly; in
     * that of a whole record (DRH_FIELD_NONE) NaN and Infinity become null, and a comma before a
     * closing bracket goes, as in files of JSON. */
    drh_status (*set_str)(drh_record *r, drh_field f, const char *ptr, size_t len);
    drh_status (*set_i64)(drh_record *r, drh_field f, int64_t v);
    drh_status (*set_f64)(drh_record *r, drh_field f, double v);
    drh_status (*set_bool)(drh_record *r, drh_field f, int32_t v);
    drh_status (*set_json)(drh_record *r, drh_field f, const char *ptr, size_t len);
    drh_status (*set_value)(drh_record *r, drh_field f, const drh_value *v); /* copies its bytes */
    drh_status (*unset)(drh_record *r, drh_field f); /* DRH_OK also when it was not there */

    /* -- building a nested value: open(f), any put_*, nested begin/end, close.  Inside an object
     * put_key comes before each value.  One at a time a record; close stores it like set_json.
     * A mistake (two keys in a row, wrong end) is remembered and returned by close. */
    drh_status (*open)(drh_record *r, drh_field f, uint32_t type); /* DRH_T_ARRAY or _OBJECT */
    drh_status (*begin)(drh_record *r, uint32_t type);
    drh_status (*end)(drh_record *r);
    drh_status (*put_key)(drh_record *r, const char *ptr, size_t len);
    drh_status (*put_str)(drh_record *r, const char *ptr, size_t len);
    drh_status (*put_i64)(drh_record *r, int64_t v);
    drh_status (*put_f64)(drh_record *r, double v);
    drh_status (*put_bool)(drh_record *r, int32_t v);
    drh_status (*put_null)(drh_record *r);
    drh_status (*put_value)(drh_record *r, const drh_value *v); /* its bytes as they are */
    drh_status (*close)(drh_record *r);

    /* -- settling.  `reason` is a short code ([a-z0-9_]{1,40}, "empty_answer"): it is counted and
     * reported; `detail` (may be NULL) is one line for people: the value, the limit. */
    drh_status (*keep)(drh_record *r); /* as it is, or as it was changed */
    drh_status (*drop)(drh_record *r, const char *reason, const char *detail, size_t len);
    drh_status (*fail)(drh_record *r, const char *reason, const char *detail, size_t len);
    /* A new record, {} at first, that follows `parent` and its earlier children in the output.
     * Settle it like any other before the parent is settled; the host notes the parent's id. */
    drh_status (*add)(drh_record *parent, drh_record **child);

    /* -- record-driven stages: a pointer of the stage's own that stays with the record until it is
     * settled.  ops->release is called with it when the host settles the record
     * itself (unsettled, bad data) or the run stops first. */
    drh_status (*set_state)(drh_record *r, void *state);
    void *(*state)(const drh_record *r);
} drh_record_api;

/* Reading the configuration by JSON Pointer: "/top_k".  [any] until destroy() returns.  Keys with a
 * default in the schema are always there.  DRH_E_MISSING also for null. */
typedef struct drh_config_api {
    uint32_t struct_size;
    uint32_t reserved;
    drh_status (*get_str)(const drh_config *c, const char *pointer, drh_str *out);
    drh_status (*get_i64)(const drh_config *c, const char *pointer, int64_t *out);
    drh_status (*get_f64)(const drh_config *c, const char *pointer, double *out);
    drh_status (*get_bool)(const drh_config *c, const char *pointer, int32_t *out);
    drh_status (*get_value)(const drh_config *c, const char *pointer, drh_value *out);
} drh_config_api;

enum { /* drh_file.flags */
       /* Belongs to the data set and holds no records: a card, a licence, a picture.  It is
        * brought, and not read. */
       DRH_FILE_ASIDE = 1u << 0
};

/* One file of a source. */
typedef struct drh_file {
    uint32_t struct_size;
    uint32_t flags;    /* DRH_FILE_* */
    drh_str  name;     /* relative path inside the data set, '/' between parts, no ".." */
    drh_str  local;    /* path on this machine when it is here already, else {NULL,0} */
    uint64_t size;     /* bytes; UINT64_MAX: not known */
    drh_str  sha256;   /* 64 hex digits when known, else {NULL,0} */
    drh_str  git_sha1; /* git's blob id, 40 hex digits, when that is all that is known */
    drh_str  key; /* the source's own: what it needs to ask for the file; comes back as it is */
} drh_file;

/* What a source is, for the provenance of a run; texts are the source's until destroy(), {NULL,0}:
 * not known or not meant. */
typedef struct drh_source_about {
    uint32_t struct_size;
    uint32_t reserved;
    drh_str  endpoint; /* "https://hf-mirror.com" */
    drh_str  type;     /* "dataset", "model" */
    drh_str  repo;     /* "openai/gsm8k" */
    drh_str  revision; /* what was asked for: "main" */
    drh_str  commit;   /* what that was */
    drh_str  license;  /* by its card: "mit" */
    drh_str  page;     /* URL of the page that people read */
} drh_source_about;

/* ---- what the host offers ------------------------------------------------------------------ */

enum { DRH_LOG_DEBUG = 0, DRH_LOG_INFO, DRH_LOG_WARN, DRH_LOG_ERROR };

/* One per stage instance; valid from create() to the end of destroy(). */
struct drh_host {
    uint32_t    struct_size;
    uint32_t    abi_minor;    /* the host's own */
    void       *impl;         /* the host's own */
    const char *name;         /* "drhost" */
    const char *version;      /* the host's */
    const char *step;         /* id of the step this instance serves */
    uint32_t    max_workers;  /* most threads that will call into the instance at once */
    uint32_t    thread_quota; /* threads that this instance may start itself, 0 = none */

    void (*log)(const drh_host *h, uint32_t level, const char *msg, size_t len); /* [any] */
    int32_t (*cancelled)(const drh_host *h); /* [any] poll at least every 100 ms of work */
    void (*progress)(const drh_host *h, uint64_t done, uint64_t total,
                     const char *what); /* [any] */
    /* realloc-style: old NULL allocates, size 0 frees; NULL when out of memory. [any] */
    void *(*alloc)(const drh_host *h, void *old, size_t size);
    /* DRH_FIELD_NONE when out of memory or the name is no valid pointer. [any] */
    drh_field (*field)(const drh_host *h, const char *name, size_t len);
    /* Table of a service by id ("drh.infer/1"), or NULL when no one offers it.  In create(); a
     * service must be among drh_stage.needs.  For ids that begin with "drh." the table is the
     * host's own proxy, which counts, cancels and journals each call. [main] */
    const void *(*extension)(const drh_host *h, const char *id);
    /* SHA-256 over parts, each preceded by its length as 8 bytes little-endian. [any] */
    drh_status (*digest)(const drh_host *h, const drh_str *parts, size_t n, uint8_t out[32]);

    const drh_record_api *records;
    const drh_value_api  *values;
    const drh_config_api *config;

    /* Bytes to part `part` of a sink (0 unless the ops name several suffixes), at its end.  When
     * one call fails the run does, with that reason. [worker] */
    drh_status (*sink_write)(drh_sink *s, uint32_t part, const void *ptr, size_t len);
    drh_status (*list_file)(drh_list *l, const drh_file *file); /* [main] in list() */

    /* Reads a JSON text, strictly: DRH_E_DATA with what is wrong and where.  `root` and all that
     * come from it are valid until json_close(); so must text be.  [any] */
    drh_status (*json_open)(const drh_host *h, const char *text, size_t len, drh_json **doc,
                            drh_value *root, drh_error *e);
    void (*json_close)(drh_json *doc); /* [any] NULL is fine */
    /* Writes over bytes that were given to that part before, at `offset`: a count in a header that
     * is known at the end.  DRH_E_UNSUPPORTED on standard output. [worker] */
    drh_status (*sink_patch)(drh_sink *s, uint32_t part, uint64_t offset, const void *ptr,
                             size_t len);

    /* A raw file's bytes for a reader, decompressed on the way when they are gzip, zstd or xz,
     * known by their first bytes, as the host reads its own.  From `offset` on, counted in
     * decompressed bytes: in a compressed file what is before it is decompressed, too.  One thread
     * at a time. DRH_E_IO, DRH_E_NOMEM with the path in the message. [worker] */
    drh_status (*bytes_open)(const drh_host *h, const char *path, uint64_t offset, drh_bytes **b,
                             drh_error *e);
    /* At most cap bytes; *got 0: the end.  DRH_E_DATA: what comes is damaged or cut; all before it
     * was given.  Both stay so. [worker] */
    drh_status (*bytes_read)(drh_bytes *b, void *to, size_t cap, size_t *got, drh_error *e);
    void (*bytes_close)(drh_bytes *b); /* [worker] NULL is fine */
};

/* ---- what a plugin offers ------------------------------------------------------------------ */

enum { /* drh_stage.kind */
       DRH_KIND_SOURCE = 1,
       DRH_KIND_READER,
       DRH_KIND_PREPROCESSOR,
       DRH_KIND_SYNTHESIZER,
       DRH_KIND_SELECTOR,
       DRH_KIND_CONVERTER,
       DRH_KIND_SERVICE
};

enum {                 /* drh_stage.threading */
       DRH_SERIAL = 0, /* one call at a time, batches in input order, any thread (default) */
       DRH_WORKERS, /* concurrent calls, each with its own open_worker() state; self is read-only */
       DRH_PINNED   /* as SERIAL, with create .. destroy all on one OS thread (GPU contexts) */
};

enum {                       /* drh_stage.scope: what a result may depend on */
       DRH_SCOPE_RECORD = 0, /* the record alone */
       DRH_SCOPE_SHARD,      /* the records before it in its shard; flush() at the shard's end */
       DRH_SCOPE_DATASET     /* all records of the step: observe, merge, apply */
};

enum {                              /* drh_stage.flags */
       DRH_DETERMINISTIC = 1u << 0, /* same input + config + seed = same bytes */
       DRH_NETWORK = 1u << 1,
       DRH_ACCELERATOR = 1u << 2,
       /* Brings any dialect it knows to the canonical record (DRH_WANTS_CANONICAL).  In a single
        * step the host puts such a stage first when a later one wants it. */
       DRH_GIVES_CANONICAL = 1u << 3,
       /* Reads the canonical record: conversations[{from,value}], system, metadata. */
       DRH_WANTS_CANONICAL = 1u << 4,
       /* reader: takes bytes by host->bytes_open, so sniff() is shown them decompressed. */
       DRH_READS_DECOMPRESSED = 1u << 5
};

/* Life of an instance, the same for every kind.  If create() fails the host calls nothing else. */
typedef struct drh_life {
    uint32_t struct_size;
    uint32_t reserved;
    drh_status (*create)(const drh_host *h, const drh_config *c, void **self,
                         drh_error *e); /* [main] */
    void (*destroy)(void *self);        /* [main] */
    /* Optional: state of one worker thread; without it the worker pointer is NULL. */
    drh_status (*open_worker)(void *self, uint32_t index, void **worker,
                              drh_error *e);        /* [worker] */
    void (*close_worker)(void *self, void *worker); /* [worker] */
    void (*cancel)(void *self);                     /* [any] optional: wake a blocked call */
} drh_life;

/* source: names files, and brings those that are not on this machine, in one of two ways.  What
 * comes over HTTP: the source says what to ask for (request), and the host brings it through the
 * service drh.fetch/1, with ranges, retries, resume and verification; name that and drh.http/1 in
 * drh_stage.needs.  Anything else: the source writes the file itself (fetch).  PLUGINS.md has more.
 */
typedef struct drh_source_ops {
    uint32_t struct_size;
    uint32_t reserved;
    /* Names every file once with host->list_file, in a stable order. [main] */
    drh_status (*list)(void *self, drh_list *l, drh_error *e);
    /* Optional: writes one listed file to `path` (a temporary name of the host's, which verifies,
     * renames and records it).  Files with `local` need none. [worker] */
    drh_status (*fetch)(void *self, void *worker, const drh_file *file, const char *path,
                        drh_error *e);
    /* Optional: provenance of the whole.  Without it: USE and the x-drh-path option as the recipe
     * has it, "local:../data/x.json". [main] after list() */
    drh_str (*provenance)(void *self);

    /* Optional: the GET that brings all of a listed file: URL, headers, credentials.  Texts are the
     * source's until its next call.  Ranges and redirects are not its business. [any], no two calls
     * at a time */
    drh_status (*request)(void *self, const drh_file *file, drh_http_req *out, drh_error *e);
    /* Optional, with request: an answer of that origin that is not the file (another status than
     * 2xx, or not of the file's size).  Fill e with what it means and what to do: DRH_E_AUTH,
     * DRH_E_MISSING, any other; flags DRH_ERR_RETRYABLE and retry_after_ms when the same request
     * may succeed later.  DRH_OK: nothing to say, the host judges by the status. [any] as request
     */
    drh_status (*judge)(void *self, const drh_file *file, const drh_http_answer *a, drh_error *e);
    /* Optional: small files that belong beside the data by the custom of the hub's own tools, the
     * k-th one of a file that has arrived, or, `file` NULL, of the folder as a whole.  Path below
     * the folder, content; texts as with request.  DRH_END: no more. [any] as request */
    drh_status (*note)(void *self, const drh_file *file, uint32_t k, drh_str *path, drh_str *text);
    /* Optional: what the source is. [main] after list() */
    drh_status (*about)(void *self, drh_source_about *out);
    /* Optional: the source only stands for another one that it knows of, by a registry of data sets
     * say.  *entry: that one as an entry of a recipe's "sources", JSON text, the stage's until
     * destroy(): "use", the other stage's options, and, where they are known, "dataset" (used when
     * the recipe names none), "reader", "or", "then".  Relative paths in it start at the current
     * folder.  The host puts it in this one's place when a recipe is read, before anything runs;
     * list() and the rest are never called and may be NULL. [main] */
    drh_status (*stands_for)(void *self, drh_str *entry, drh_error *e);
} drh_source_ops;

enum { DRH_POSITION_MAX = 1024 }; /* most bytes of a reader's position */

/* reader: a raw file to records.
 *
 * A file is read by the reader that its source names; else by the host when it is JSON by content;
 * else by the reader with the highest sniff().  The host counts rows: each next() with DRH_OK is
 * one, from 0 (info->row); people see it from 1, as FILE:ROW (info->line).  The host may stop after
 * any row and go on later, in another process, at the position that tell() gave: what a row becomes
 * may depend on the file and the options, never on where its stream was opened.
 *
 * One thread at a time uses a stream.  SERIAL and PINNED: one call of the instance at a time;
 * WORKERS: several streams may be in use at once.  There is no worker state, and no service. */
typedef struct drh_reader_ops {
    uint32_t struct_size;
    uint32_t reserved;
    /* 0: not this format; higher wins.  `head` holds the file's first bytes, up to 4 KiB, `name` is
     * its name in the data set.  Compressed files come as they are, unless the stage has
     * DRH_READS_DECOMPRESSED. [any] */
    int32_t (*sniff)(void *self, const uint8_t *head, size_t len, const char *name);
    /* Opens at a position that tell() gave ({NULL,0}: the start).  DRH_E_DATA: the file is damaged;
     * that is one bad record, and the run goes on with the next file. [worker] */
    drh_status (*open)(void *self, const char *path, const drh_str *position, void **stream,
                       drh_error *e);
    /* Fills `slot`, a new empty record, with set_* and keeps it; or fails it with a reason (a bad
     * row), or drops it.  DRH_END at the end.  DRH_E_DATA: damaged from here on, as in open.  No
     * add(): a row is one record. [worker] */
    drh_status (*next)(void *self, void *stream, drh_record *slot, drh_error *e);
    /* The position after the last row: at most DRH_POSITION_MAX bytes, copied.  Right after
     * open(position) it gives the same bytes, after further rows others.  DRH_E_UNSUPPORTED: this
     * stream has no positions; the host then reads the rows before once more. [worker] */
    drh_status (*tell)(void *self, void *stream, drh_str *position, drh_error *e);
    void (*close)(void *self, void *stream); /* [worker] */
} drh_reader_ops;

/* preprocessor, synthesizer, selector, and a converter from records to records.
 *
 * A stage gives process (simple), or start and resume (record-driven, for inference), or the
 * data-set calls.  Results come out in input order whatever the workers do. */
typedef struct drh_map_ops {
    uint32_t struct_size;
    uint32_t reserved;
    /* Settles each of the n records. [worker] */
    drh_status (*process)(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e);
    /* Scope shard: called at a shard's start and end; new records with records->add(tail). [worker]
     */
    drh_status (*begin)(void *self, void *worker, drh_error *e);
    drh_status (*flush)(void *self, void *worker, drh_record *tail, drh_error *e);

    /* Record-driven: start submits any number of requests for the record (drh/infer.h) and returns;
     * resume gets each result as it comes, `result` being the service's result struct and `tag` the
     * one given with the request.  The record is settled whenever the stage has what it needs;
     * results that come later are dropped by the host.  A record with neither an open request nor a
     * settlement is failed as "unsettled".  Synthesizer without input: `r` is an empty slot; keep
     * gives the record, drop rejects it and the slot is tried again with the next attempt.
     * Calls of one instance never overlap. [worker] */
    drh_status (*start)(void *self, void *worker, drh_record *r, drh_error *e);
    drh_status (*resume)(void *self, void *worker, drh_record *r, uint64_t tag, const void *result,
                         drh_error *e);
    void (*release)(void *self, void *state); /* [worker] optional: see records->set_state */

    /* Scope data set: observe sees every shard's records in order (reads only, settles none) and
     * notes what it must in `notes`, one file per shard; merge makes one result file of them;
     * prepare opens that, apply then settles every record like process. */
    drh_status (*observe)(void *self, void *worker, drh_record *const *r, size_t n, drh_sink *notes,
                          drh_error *e); /* [worker] */
    drh_status (*merge)(void *self, const char *const *notes, size_t n, drh_sink *result,
                        drh_error *e);                                   /* [main] */
    drh_status (*prepare)(void *self, const char *result, drh_error *e); /* [main] */
    drh_status (*apply)(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e);
} drh_map_ops;

/* What a selector's scores mean; texts are the plugin's, valid until destroy(). */
typedef struct drh_ranking {
    uint32_t    struct_size;
    uint32_t    ascending; /* 0: the highest are kept */
    const char *field;     /* where the score is: "/metadata/ifd" */
    const char *status;    /* where the reason is when there is none: "/metadata/ifd_status" */
    /* Bound that goes with a cut when the user names none; has_bound 0: no bound. */
    uint32_t has_bound;
    uint32_t bound_inclusive; /* 1: a score equal to the bound passes */
    double   bound;
} drh_ranking;

/* A selector only scores, through `map`; the host ranks, cuts and reports. */
typedef struct drh_selector_ops {
    uint32_t           struct_size;
    uint32_t           reserved;
    const drh_map_ops *map;
    drh_status (*ranking)(void *self, drh_ranking *out, drh_error *e); /* [main] */
} drh_selector_ops;

/* A converter gives `map` (records to records) or begin, write, end (records to the bytes of a file
 * format).  The latter is the last step of a recipe: a file set a domain, DOMAIN + suffix for each
 * suffix, one begin, then the records in order, one end.  The files get their names when end() has
 * succeeded.  Calls of an instance never overlap, whatever its threading; they may come from
 * different threads unless it is PINNED.  After an error only destroy() is called. */
typedef struct drh_converter_ops {
    uint32_t           struct_size;
    uint32_t           reserved;
    const drh_map_ops *map;
    /* NULL-terminated, at most 8, [A-Za-z0-9._-]: {".bin", ".idx", NULL}; NULL: {".out"}.  The
     * host compresses what ends in ".zst". */
    const char *const *suffixes;
    drh_status (*begin)(void *self, drh_sink *s, drh_error *e); /* [worker] */
    /* Settles each record, keeps those that are in the files. [worker] */
    drh_status (*write)(void *self, drh_record *const *r, size_t n, drh_sink *s, drh_error *e);
    drh_status (*end)(void *self, drh_sink *s, drh_error *e); /* [worker] */
} drh_converter_ops;

/* service: tables for other plugins, found by id.  Neither side knows the other. */
typedef struct drh_service_ops {
    uint32_t           struct_size;
    uint32_t           reserved;
    const char *const *ids; /* NULL-terminated: {"drh.infer/1", NULL} */
    /* How well it can work on this machine with this configuration: 0 not at all (say why in e),
     * higher wins when the user names no provider, and what e->message then says of it is
     * logged.  Before create(); optional, NULL is 1. [main] */
    int32_t (*probe)(const drh_host *h, const drh_config *c, drh_error *e);
    const void *(*get)(void *self, const char *id); /* [main] the provider's table, until destroy */
} drh_service_ops;

typedef struct drh_stage {
    uint32_t           struct_size;
    uint32_t           kind;          /* DRH_KIND_* */
    const char        *id;            /* "ifd", "com.acme.dedup"; [a-z0-9._-]{1,63} */
    const char        *version;       /* semantic version of the stage */
    const char        *summary;       /* one line */
    const char        *config_schema; /* JSON Schema (subset: sdk/PLUGINS.md) or NULL: no options */
    uint32_t           threading;     /* DRH_SERIAL ... */
    uint32_t           scope;         /* DRH_SCOPE_* */
    uint32_t           flags;         /* DRH_DETERMINISTIC ... */
    uint32_t           reserved;
    const char *const *needs; /* NULL-terminated service ids it asks for in create(), or NULL */
    const drh_life    *life;
    union {
        const drh_source_ops    *source;
        const drh_reader_ops    *reader;
        const drh_map_ops       *map; /* preprocessor, synthesizer */
        const drh_selector_ops  *selector;
        const drh_converter_ops *converter;
        const drh_service_ops   *service;
        const void              *any;
    } ops;
} drh_stage;

typedef struct drh_entry {
    uint32_t                struct_size;
    uint32_t                abi_minor;      /* header the plugin was built with */
    uint32_t                abi_minor_need; /* lowest host minor it accepts */
    uint32_t                n_stages;
    const char             *name;
    const char             *version;
    const char             *license; /* SPDX expression */
    const drh_stage *const *stages;
    drh_status (*init)(const drh_host *h, drh_error *e); /* [once] [main] optional */
    void (*fini)(void);                                  /* [once] [main] optional */
} drh_entry;

/* The one exported symbol.  The major version is in its name. */
extern DRH_EXPORT const drh_entry drh_entry_v1;

/* Put once in the plugin: an ELF note that the host reads without loading (so running) the file.
 * `list` has a line per stage: KIND ID VERSION [WORD...], where the words are the service ids that
 * a service offers, "canonical" for a stage with DRH_GIVES_CANONICAL, and for a source the
 * beginnings of the addresses that `drhost pull ADDRESS` may give it as its option "repo":
 * DRH_PLUGIN_NOTE(0, "preprocessor chat 1.0.0 canonical\n" "source hub 1.0.0
 * https://hub.example/"); */
#define DRH_NOTE_TYPE 0x31485244u /* "DRH1" */
#define DRH_PLUGIN_NOTE(need_minor, list)                                                          \
    __attribute__((used, section(".note.drhost"), aligned(4))) static const struct {               \
        uint32_t namesz, descsz, type;                                                             \
        char     name[8];                                                                          \
        uint32_t major, minor;                                                                     \
        char     stages[(sizeof(list) + 3u) & ~(size_t)3u];                                        \
    } drh_note_ = {7,                                                                              \
                   8 + (uint32_t)((sizeof(list) + 3u) & ~(size_t)3u),                              \
                   DRH_NOTE_TYPE,                                                                  \
                   "drhost",                                                                       \
                   DRH_ABI_MAJOR,                                                                  \
                   (need_minor),                                                                   \
                   list}

#ifdef __cplusplus
}
#endif
#endif /* DRH_PLUGIN_H */
