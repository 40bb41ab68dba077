/* SPDX-License-Identifier: MIT
 *
 * drh/infer.h - service "drh.infer/1": text in, scores or text out, whoever computes them.
 *
 * Two tables.  drh_infer is what a stage gets from host->extension(DRH_INFER): the host's proxy.
 * drh_infer_provider is what a backend gives from drh_service_ops.get.  The host stands between: it
 * packs, schedules, cancels, journals and counts; the two sides never meet.
 *
 * Determinism: a backend that offers run() gets packs that are a pure function of shard, record
 * order and budget, never of arrival, workers or journal, so rounding that depends on a pack's
 * shape (BLAS) repeats.  A backend that offers submit() gets requests one by one and promises
 * equal answers only if it says so (DRH_INFER_REPEATABLE).
 */
#ifndef DRH_INFER_H
#define DRH_INFER_H

#include <drh/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DRH_INFER "drh.infer/1"

enum {                         /* drh_infer_req.op, and bits of drh_infer_info.caps as 1u << op */
       DRH_INFER_SCORE = 1,    /* log-probability of each token of target, given prompt */
       DRH_INFER_GENERATE = 2, /* sample a continuation of prompt */
       DRH_INFER_EMBED = 3     /* a vector for prompt */
};

enum { /* drh_infer_req.flags */
       /* Put one context token before prompt: the tokenizer's bos, else <|endoftext|>, else eos. */
       DRH_INFER_BOS = 1u << 0,
       /* SCORE: tokenise prompt and target as one text; the target starts at token tokens(prompt).
        * Without it they are tokenised apart and joined. */
       DRH_INFER_JOINT = 1u << 1,
       /* Special tokens spelled in prompt are control tokens.  Never set it for text that comes
        * from data: there they are plain text. */
       DRH_INFER_SPECIAL = 1u << 2,
       /* Messages: the last one is left open.  The prompt ends with its content, as it is, and
        * GENERATE goes on with it: a user's turn, or an assistant's whose first words are given.
        * A lone user's message without content is the text that precedes a user's turn, from which
        * a chat model makes up a question (Magpie's pre-query; a system message may be in front).
        * The form's own system text is then put only where Magpie has it. */
       DRH_INFER_OPEN = 1u << 3
};

/* One message of a chat request: role "system" (the first one, if at all), "user" or "assistant";
 * the last one is the user's, unless DRH_INFER_OPEN says otherwise.  The content is text: special
 * tokens spelled in it are no control tokens.  What the model's form does not have is DRH_E_ARG. */
typedef struct drh_infer_msg {
    uint32_t struct_size;
    uint32_t reserved;
    drh_str  role;
    drh_str  content;
} drh_infer_msg;

/* A request.  Zero it, set struct_size and what differs from 0; texts are copied by submit(). */
typedef struct drh_infer_req {
    uint32_t struct_size;
    uint32_t op;    /* DRH_INFER_SCORE ... */
    uint32_t flags; /* DRH_INFER_BOS ... */
    /* SCORE: most tokens in all, context token and prompt included; the target is cut at its right
     * end.  0, or more than the model's context: the context. */
    uint32_t max_total;
    drh_str  prompt; /* raw text; {NULL,0} when messages are given */
    drh_str  target; /* SCORE: the text whose tokens are scored */

    /* A chat, rendered in the model's own form, bos included where it has one.  What ends a turn in
     * that form ends an answer.  A model without a form: DRH_E_UNSUPPORTED. */
    const drh_infer_msg *const *messages;
    uint32_t                    n_messages;

    /* GENERATE */
    uint32_t max_tokens; /* 0: up to the context */
    /* In this order: penalty, temperature, top_k, top_p, min_p. */
    double         temperature;        /* 0: always the likeliest token */
    double         top_p;              /* 0 or 1: all */
    double         min_p;              /* share of the likeliest token's probability; 0: all */
    double         repetition_penalty; /* of tokens in prompt and answer; 0 or 1: none */
    uint32_t       top_k;              /* 0: all */
    uint32_t       n_stop;
    const drh_str *stop; /* texts that end the answer and are not part of it */
    uint64_t       seed;
    uint32_t       deadline_ms; /* 0: none */
    uint32_t       reserved;

    /* -- since 0.1: a request may end here, its struct_size says so -- */

    /* GENERATE: of the answer's first token only.  The first token of each of these texts cannot be
     * it (a model that likes to open with a heading: "#", "##", "###"). */
    const drh_str *first_avoid;
    uint32_t       n_first_avoid;
    uint32_t       reserved2;
    double         first_temperature; /* times temperature; 0: 1 */
} drh_infer_req;

enum {                     /* drh_infer_res.finish */
       DRH_INFER_STOP = 1, /* end-of-turn id or a stop text */
       DRH_INFER_LENGTH,   /* max_tokens or the context */
       DRH_INFER_FILTERED  /* the server withheld it */
};

/* A result.  Made by the host for run(), by the backend for complete(); what it points to is the
 * backend's until its next run() on that worker, or until complete() returns.  In resume() it is
 * the host's and valid until resume() returns. */
typedef struct drh_infer_res {
    uint32_t   struct_size;
    drh_status status;            /* DRH_OK, or why this request failed; DRH_E_RANGE: too long;
                                   * DRH_E_BUDGET: the host lets what is under way come in, keeps
                                   * what is whole and ends the run (submit() only) */
    drh_str      text;            /* GENERATE */
    uint32_t     finish;          /* GENERATE: DRH_INFER_STOP ... */
    uint32_t     n_prompt_tokens; /* without the context token */
    uint32_t     n_target_tokens; /* SCORE: in the target before any cut; GENERATE: made */
    uint32_t     n_values;
    const float *values;    /* SCORE: natural-log probabilities, in target order, of the tokens that
                             * have a context; a first token without one is left out, as is what
                             * max_total cut.  EMBED: the vector */
    uint32_t   first_value; /* SCORE: index in the target of values[0]: 0 or 1 */
    uint32_t   reserved;
    drh_error *error; /* text for status when not DRH_OK; may be NULL */
} drh_infer_res;

/* What a backend is; texts valid until destroy(). */
typedef struct drh_infer_info {
    uint32_t    struct_size;
    uint32_t    caps;    /* 1u << DRH_INFER_SCORE ... */
    uint32_t    flags;   /* DRH_INFER_REPEATABLE ... */
    uint32_t    context; /* tokens, the context token included */
    const char *model;   /* name for people: the folder or the server's word */
    /* All that the numbers depend on: digest of weights and tokenizer, backend and library version,
     * CPU kernel, precision.  Goes into fingerprints. */
    const char *identity;
    uint32_t    pack_tokens;   /* run(): most tokens in a pack; 0: one request a pack */
    uint32_t    max_parallel;  /* run(): threads that may call it at once */
    uint32_t    max_in_flight; /* submit(): most open requests */
    uint32_t    has_bos;       /* 1: DRH_INFER_BOS finds a token */
} drh_infer_info;

enum {                                 /* drh_infer_info.flags */
       DRH_INFER_REPEATABLE = 1u << 0, /* submit(): same request, same answer */
       /* Only one of the two forms of a request is taken; a stage that needs the other says so at
        * once. */
       DRH_INFER_NO_RAW = 1u << 1, /* no prompt: the server puts its template around every text */
       DRH_INFER_NO_CHAT = 1u << 2 /* no messages: there is no template */
};

/* ---- a stage's side ------------------------------------------------------------------------ */

typedef struct drh_infer {
    uint32_t struct_size;
    uint32_t reserved;
    /* [any] after create(). */
    drh_status (*info)(const drh_host *h, drh_infer_info *out);
    /* Tokens of a text, no context token.  DRH_E_UNSUPPORTED when the backend cannot tell. [worker]
     */
    drh_status (*count)(const drh_host *h, const char *text, size_t len, uint32_t flags,
                        uint32_t *tokens, drh_error *e);
    /* Asks for `req` on behalf of `r`, in start() or resume(); the answer comes to resume() with
     * `tag`, a number of the stage's choice.  The request is copied. [worker] */
    drh_status (*submit)(const drh_host *h, drh_record *r, const drh_infer_req *req, uint64_t tag,
                         drh_error *e);
} drh_infer;

/* ---- a backend's side ---------------------------------------------------------------------- */

typedef struct drh_infer_call drh_infer_call; /* one submitted request; the host's */

/* From host->extension(DRH_INFER_HOST), in the backend's create(). */
#define DRH_INFER_HOST "drh.infer.host/1"
typedef struct drh_infer_host {
    uint32_t struct_size;
    uint32_t reserved;
    /* Answers a call, exactly once; copies *res.  Also after cancel(), with DRH_E_CANCELLED or an
     * answer that was already there. [any] */
    void (*complete)(drh_infer_call *call, const drh_infer_res *res);
} drh_infer_host;

/* A backend gives cost and run, or submit and cancel. */
typedef struct drh_infer_provider {
    uint32_t struct_size;
    uint32_t reserved;
    drh_status (*info)(void *self, drh_infer_info *out, drh_error *e); /* [any] */
    drh_status (*count)(void *self, const char *text, size_t len, uint32_t flags, uint32_t *tokens,
                        drh_error *e); /* [any] optional */
    /* Tokens that a request will occupy in a pack.  DRH_E_RANGE: can never run. [any] */
    drh_status (*cost)(void *self, const drh_infer_req *req, uint32_t *tokens, drh_error *e);
    /* Computes a pack.  res[i]->status per request; a return other than DRH_OK stops the
     * run, which can be resumed.
     * Polls cancelled().  [worker] at most info.max_parallel at once. */
    drh_status (*run)(void *self, void *worker, const drh_infer_req *const *req, size_t n,
                      drh_infer_res *const *res, drh_error *e);
    /* Takes a request (valid until completed) and returns; complete() follows on any thread.
     * DRH_AGAIN: full now, the host tries again after a completion. [worker] */
    drh_status (*submit)(void *self, const drh_infer_req *req, drh_infer_call *call, drh_error *e);
    void (*cancel)(void *self, drh_infer_call *call); /* [any] complete() still follows, soon */
} drh_infer_provider;

#ifdef __cplusplus
}
#endif
#endif /* DRH_INFER_H */
