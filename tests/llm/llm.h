/* SPDX-License-Identifier: MIT
 *
 * llm.h - fakellm: servers of language models on the loopback interface, for tests.  One thread:
 * serve.c moves bytes, api.c knows what to answer, rules.c spoils it.
 */
#ifndef LLM_H
#define LLM_H

#include "../net/util.h"

#include <cjson/cJSON.h>

enum profile { P_VLLM, P_SGLANG, P_LLAMACPP, P_OPENAI, P_AZURE, P_OLLAMA };

struct settings {
    enum profile profile;
    const char  *model, *key;
    long         latency_ms, context, slots; /* slots: 429 beyond so many at once; 0: none */
    bool         plain;                      /* no /tokenize, no prompt_logprobs */
    bool         bos;                        /* the tokenizer begins texts with a token */
    bool         no_usage;
    cJSON       *rules;
    const char  *log;
};
extern struct settings set;

/* What goes out: pieces with times, then keep the connection, end it, or stay silent. */
enum ending { END_KEEP, END_CLOSE, END_RESET, END_HANG };

struct piece {
    size_t at;  /* of the text: what comes before this place goes out at `due` */
    double due; /* seconds after the request */
};

struct answer {
    int           status;
    const char   *type;
    struct sb     head; /* more header lines */
    struct sb     body;
    struct sb     raw;    /* head and body as they go out */
    struct piece *pieces; /* owned */
    size_t        n_pieces;
    bool          chunked;
    enum ending   ending;
    const char   *fault; /* for the log */
};

struct ask {
    const char *method, *path, *key; /* key: of either header, or "" */
    const char *body;
    size_t      body_n;
    uint64_t    hash; /* of path and body */
    unsigned    nth;  /* how often this one was asked, from 1 */
    unsigned    number, open;
};

void answer_piece(struct answer *a, size_t at, double due);
void answer_free(struct answer *a);
/* api.c */
void api_answer(const struct ask *q, struct answer *a);
/* rules.c: what spoils this one, before and after it is made. */
const cJSON *rule_for(const struct ask *q);
bool         rule_instead(const cJSON *rule, struct answer *a);
void         rule_after(const cJSON *rule, struct answer *a);

uint64_t hash_bytes(uint64_t h, const void *p, size_t n);

#endif
