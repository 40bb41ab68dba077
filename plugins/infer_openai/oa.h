/* SPDX-License-Identifier: MIT
 *
 * oa.h - service "infer-openai": drh.infer/1 by servers that speak OpenAI's HTTP API.
 *
 * Three threads meet here.  The host's call submit and cancel; the thread of drh.http/1 appends
 * what comes to the job that it is for; the service's own thread, which never touches the network
 * itself, sends, judges, repeats and answers.  Lists of jobs, endpoints and accounts are under one
 * lock; a job that is in no list belongs to the own thread alone.
 */
#ifndef OA_H
#define OA_H

#include <drh/hub.h>
#include <drh/infer.h>

#include <pthread.h>
#include <stdbool.h>

enum oa_api { OA_AUTO, OA_COMPLETIONS, OA_CHAT };
enum oa_score { OA_SCORE_AUTO, OA_SCORE_NONE, OA_SCORE_PROMPT, OA_SCORE_ECHO };
enum oa_stream_mode { OA_STREAM_AUTO, OA_STREAM_YES, OA_STREAM_NO };
enum oa_server { OA_ANY, OA_OPENAI, OA_AZURE, OA_VLLM, OA_SGLANG, OA_LLAMACPP, OA_OLLAMA };

enum { OA_MAX_ENDPOINTS = 32, OA_MAX_ANSWER = 64 << 20, OA_WORDS = 200 };

/* ---- one server ---- */

struct oa_endpoint {
    /* -- fixed after create(); texts owned */
    char  *base;  /* "http://host:8000/v1", no '/' at its end */
    char  *query; /* "?api-version=...", or "" */
    char  *model; /* what the server calls it */
    char  *key;   /* NULL: none; never shown */
    bool   azure;
    double weight;
    double max;  /* most requests at once */
    char  *name; /* for people: the base without what may be secret in it */
    /* -- pace.c, under the lock */
    double   window, threshold; /* requests at once now; beyond the threshold it grows slowly */
    double   in_flight;
    double   closed_until;
    double   halved_at;     /* requests sent before that say nothing new */
    double   failing_since; /* 0: its last answer was a good one */
    double   failed_at;
    uint32_t failures; /* refusals in a row, those together counted once */
    uint32_t row;      /* other failures in a row */
    uint32_t bad;      /* requests that it found wrong before the first good one */
    uint64_t good;     /* answers */
};

struct oa_pace { /* options of all endpoints, and a random state */
    double   pause, longest_pause;
    uint64_t random;
};

void oa_pace_init(struct oa_endpoint *ep);
bool oa_pace_open(const struct oa_endpoint *ep, double now);
void oa_pace_sent(struct oa_endpoint *ep);
/* The three ways in which a request that was sent at `sent` can end for its endpoint. */
void oa_pace_good(struct oa_endpoint *ep);
/* 429, 503, a time-out; closes it for at least that long.  `shut`: also when that is 0, for a pause
 * that grows with the failures. */
void oa_pace_congested(struct oa_pace *p, struct oa_endpoint *ep, double sent, double now,
                       double seconds, bool shut);
/* A fault of that request only, so far: several in a row close the endpoint for a pause. */
void oa_pace_failed(struct oa_pace *p, struct oa_endpoint *ep, double now);
/* Anything up to base * 2^n, at most longest_pause. */
double oa_pause(struct oa_pace *p, uint32_t n);
/* The one to send to next, or NULL: none is open. */
struct oa_endpoint *oa_pace_choose(struct oa_endpoint *ep, size_t n, double now);

/* ---- what is spent, spend.c ---- */

struct oa_spend {
    /* -- limits, 0: none; prices for a million tokens */
    double tokens, money, seconds, price_in, price_out;
    /* -- so far; held: the most that requests under way can cost */
    double   n_in, n_out, held_in, held_out;
    uint64_t requests, answers, unmeasured; /* answers without usage: estimated */
    double   started;
};

struct oa_hold {
    double n_in, n_out;
};

/* The most that a request of so many bytes and tokens can cost: a token is at least a byte. */
struct oa_hold oa_spend_most(double prompt_bytes, double max_tokens);
enum oa_may { OA_MAY, OA_MAY_LATER, OA_MAY_NEVER };
/* LATER: requests under way may cost less than is held for them. */
enum oa_may oa_spend_may(const struct oa_spend *s, const struct oa_hold *h, double now);
void        oa_spend_hold(struct oa_spend *s, const struct oa_hold *h);
/* Ends the hold; n_in < 0: the server did not say, so it is guessed from the bytes. */
void   oa_spend_take(struct oa_spend *s, const struct oa_hold *h, double n_in, double n_out,
                     double bytes_in, double bytes_out);
double oa_spend_money(const struct oa_spend *s);
/* Which limit it is that keeps `h` from being sent, and what to do, one line. */
void oa_spend_words(const struct oa_spend *s, const struct oa_hold *h, double now, char *out,
                    size_t cap);

/* ---- answers ---- */

/* What a request has come to. */
enum oa_verdict {
    OA_GOOD,
    OA_AGAIN, /* a fault that may pass: counted */
    OA_BUSY,  /* 429, 503: the server wants to be asked less */
    OA_GONE,  /* no connection */
    OA_FAIL,  /* this request will never work */
    OA_HALT,  /* no request will: a key, a model that is not there */
    OA_SPENT  /* the account at the server has nothing left */
};

struct oa_answer {
    drh_text text;
    uint32_t finish;      /* DRH_INFER_*; 0: not known yet */
    double   n_in, n_out; /* usage; -1: not said */
    /* when it is none */
    drh_status code;
    char       words[OA_WORDS + 1]; /* what is wrong, ours or the server's */
};

void oa_answer_clear(struct oa_answer *a); /* keeps memory */
/* One line of a server's words: no control characters, no key. */
void oa_words(struct oa_answer *a, const char *before, drh_str words, const char *key);
/* A whole answer of /completions or /chat/completions with status 200. */
enum oa_verdict oa_read_whole(const drh_host *h, drh_str body, bool chat, struct oa_answer *a);
/* One event's object of a stream. */
enum oa_verdict oa_read_event(const drh_host *h, drh_str json, bool chat, struct oa_answer *a);
/* An answer with another status. */
enum oa_verdict oa_read_error(const drh_host *h, uint32_t status, drh_str body, const char *key,
                              bool worked_before, struct oa_answer *a);

/* A stream of server-sent events: lines "data: {...}", at the end "data: [DONE]". */
struct oa_stream {
    drh_text        line;
    bool            chat, done, stopped; /* stopped: one of `stop` has come */
    const drh_str  *stop;                /* texts that the server does not know of */
    uint32_t        n_stop;
    enum oa_verdict verdict;
};

void oa_stream_start(struct oa_stream *s, const drh_host *h, bool chat, const drh_str *stop,
                     uint32_t n_stop);
/* More bytes.  False: enough, or broken. */
bool oa_stream_feed(struct oa_stream *s, const drh_host *h, const char *p, size_t n,
                    struct oa_answer *a);
/* After the last byte: whether it was whole. */
enum oa_verdict oa_stream_end(struct oa_stream *s, struct oa_answer *a);
void            oa_stream_free(struct oa_stream *s);

/* ---- scores, score.c ---- */

struct oa_ids {
    uint32_t *id; /* owned */
    size_t    n;
};

struct oa_plan { /* where the target is among the tokens of a score */
    size_t   total, first, n_prompt, n_target;
    uint32_t first_value;
};

/* As the bundled backends count: bos is 1 when a context token comes first. */
drh_status oa_plan_score(struct oa_plan *p, size_t bos, size_t n_prompt, size_t all, size_t limit,
                         drh_error *e);
/* {"tokens":[...]} */
enum oa_verdict oa_read_ids(const drh_host *h, drh_str body, struct oa_ids *out,
                            struct oa_answer *a);
/* choices[0].prompt_logprobs: values of ids[first..total). */
enum oa_verdict oa_read_prompt_logprobs(const drh_host *h, drh_str body, const uint32_t *id,
                                        const struct oa_plan *p, float *values,
                                        struct oa_answer *a);
/* choices[0].logprobs of an echo; `prompt` is in characters.  *values is h->alloc'ed. */
enum oa_verdict oa_read_echo(const drh_host *h, drh_str body, size_t prompt, size_t max_total,
                             struct oa_plan *p, float **values, struct oa_answer *a);

/* ---- the service ---- */

struct oa_caps { /* what the endpoints can do, all of them */
    bool           completions, chat;
    enum oa_score  score; /* NONE, PROMPT, ECHO */
    enum oa_server server;
    bool           tokenize;          /* ROOT/tokenize as vLLM has it */
    bool           completion_tokens; /* max_completion_tokens instead of max_tokens */
    bool           has_bos;
    uint32_t       bos;      /* token of score requests */
    bool           adds_bos; /* add_special_tokens does it */
    uint32_t       context;
};

struct oa_options {
    enum oa_api         api;
    enum oa_score       score;
    enum oa_stream_mode stream;
    enum oa_server      server;
    drh_str             bos, extra; /* extra: members, without the braces */
    double              timeout, deadline, patience;
    uint32_t            tries, context;
};

enum oa_phase { OA_PROMPT_IDS, OA_TARGET_IDS, OA_ASK };

struct oa;

struct oa_job {
    struct oa_job       *next, **prev; /* in a list of the service */
    struct oa           *o;
    drh_infer_call      *call;
    const drh_infer_req *req;
    enum oa_phase        phase;
    double               due, deadline;          /* deadline 0: none */
    uint32_t             tries, failed, refused; /* tries: failures that count */
    uint64_t             good_seen; /* good answers of all endpoints when it first failed */
    bool                 cancelled;
    struct oa_hold       hold;
    struct oa_ids        prompt, all;
    struct oa_plan       plan;
    float               *values; /* owned */
    /* -- on its way */
    struct oa_endpoint *ep;
    double              sent; /* 0: not */
    uint64_t            http_id;
    bool                flying, streamed;
    drh_text            in; /* what came */
    uint32_t            status, retry_ms;
    drh_status          st;
    drh_error           e;
    struct oa_stream    stream;
    struct oa_answer    answer;
};

struct oa {
    const drh_host       *host;
    const drh_http       *http;
    const drh_infer_host *back;
    struct oa_options     opt;
    struct oa_endpoint    ep[OA_MAX_ENDPOINTS];
    size_t                n_ep;
    struct oa_caps        caps;
    char                  identity[256];
    /* -- under the lock */
    pthread_mutex_t lock;
    pthread_cond_t  moved;
    pthread_t       thread;
    bool            running, quit;
    struct oa_job  *ready, **ready_end, *delayed, *flying, *arrived, **arrived_end;
    size_t          n_jobs, n_flying;
    struct oa_pace  pace;
    struct oa_spend spend;
    drh_error       halt; /* code DRH_OK: none.  What every request is answered with from now on */
};

double oa_now(void); /* monotonic seconds */

/* options.c */
extern const char oa_schema[];
drh_status        oa_read_options(struct oa *o, const drh_config *c, drh_error *e);
void              oa_free_options(struct oa *o);

/* write.c: bodies of requests; `t` is empty at first */
void oa_write_str(drh_text *t, drh_str s);
void oa_write_number(drh_text *t, double v);
/* DRH_E_UNSUPPORTED: a parameter that this server does not know. */
drh_status oa_check_request(const struct oa *o, const drh_infer_req *q, drh_error *e);
void       oa_write_generate(drh_text *t, const struct oa *o, const struct oa_endpoint *ep,
                             const drh_infer_req *q, bool stream);
void       oa_write_ids(drh_text *t, const struct oa *o, const struct oa_endpoint *ep, drh_str a,
                        drh_str b, bool special);
void       oa_write_score_ids(drh_text *t, const struct oa *o, const struct oa_endpoint *ep,
                              const uint32_t *id, size_t n);
void       oa_write_score_echo(drh_text *t, const struct oa *o, const struct oa_endpoint *ep,
                               const drh_infer_req *q);
/* Stop texts that the server takes; the others are looked for as the answer streams in. */
uint32_t oa_stops_there(const struct oa *o, const drh_infer_req *q);
bool     oa_streams(const struct oa *o, const drh_infer_req *q);

/* send.c: a request to an endpoint.  Texts of *req point into *url, *bearer and what is given. */
enum { OA_PATH_COMPLETIONS, OA_PATH_CHAT, OA_PATH_MODELS, OA_PATH_TOKENIZE };
struct oa_call {
    drh_http_req    req;
    drh_http_header header[2], credential;
    drh_text        url, bearer;
};
void oa_call_make(struct oa_call *c, const struct oa *o, const struct oa_endpoint *ep, int path,
                  drh_str body);
void oa_call_free(struct oa_call *c);

/* probe.c: what the servers can do.  Waits for them.  [main] */
drh_status oa_probe(struct oa *o, drh_error *e);
/* The one that it is of server's tokenizer.  [any] */
drh_status oa_count(struct oa *o, drh_str text, uint32_t *tokens, drh_error *e);

/* queue.c */
drh_status oa_queue_start(struct oa *o, drh_error *e);
void       oa_queue_stop(struct oa *o);
drh_status oa_queue_submit(struct oa *o, const drh_infer_req *q, drh_infer_call *call,
                           drh_error *e);
void       oa_queue_cancel(struct oa *o, const drh_infer_call *call); /* NULL: all */

/* job.c: what a job sends, and what its answer is.  The own thread. */
struct oa_job  *oa_job_new(struct oa *o, const drh_infer_req *q, drh_infer_call *call);
void            oa_job_free(struct oa_job *j);
drh_status      oa_job_body(struct oa_job *j, drh_text *body, drh_error *e);
int             oa_job_path(const struct oa_job *j);
struct oa_hold  oa_job_most(const struct oa_job *j);
enum oa_verdict oa_job_judge(struct oa_job *j);
bool            oa_job_next(struct oa_job *j); /* another phase comes */
void            oa_job_complete(struct oa_job *j, enum oa_verdict v);
void            oa_job_refuse(struct oa_job *j, const drh_error *why);

#endif
