/* SPDX-License-Identifier: MIT
 *
 * lm_chat.h - chat messages as the text that a model was trained on.
 *
 * There is no interpreter of templates here, but a table of the forms in use (lm_chat_forms.c).
 * Which one is a model's is told by its own template's words, or by the user.  What a form itself
 * puts are control tokens, known by their places; what stands in messages is text, whatever it
 * spells.
 *
 * Opened by one thread with the model, then read by all.
 */
#ifndef LM_CHAT_H
#define LM_CHAT_H

#include "lm_tok.h"

#include <drh/infer.h>

enum { LM_CHAT_SYSTEM, LM_CHAT_USER, LM_CHAT_ASSISTANT, LM_CHAT_ROLES };

enum {                                   /* lm_chat_form.flags */
       LM_CHAT_BOS = 1 << 0,             /* begins with the bos token, when it is chosen by name */
       LM_CHAT_BOS_IN_TURN = 1 << 1,     /* the turns bring it themselves */
       LM_CHAT_ALTERNATE = 1 << 2,       /* user, assistant, user ... and nothing else */
       LM_CHAT_NO_SYSTEM = 1 << 3,       /* refused */
       LM_CHAT_FOLD = 1 << 4,            /* the system's text stands in the first user's turn */
       LM_CHAT_FOLD_LAST = 1 << 5,       /* ... in the last one */
       LM_CHAT_SYSTEM_ANYWHERE = 1 << 6, /* a system's turn may come later, too */
       LM_CHAT_SYSTEM_NEEDED = 1 << 7,   /* what stands there without one changes by the day */
       LM_CHAT_TRIM = 1 << 8,            /* white space around texts goes */
       LM_CHAT_TRIM_ANSWERS = 1 << 9,
       LM_CHAT_TRIM_WHOLE = 1 << 10, /* with TRIM and FOLD: around both texts together */
       LM_CHAT_NO_EMPTY = 1 << 11,   /* a message without text is left out */
       LM_CHAT_NO_EMPTY_SYSTEM = 1 << 12,
       LM_CHAT_NO_THOUGHTS = 1 << 13,       /* of an earlier answer only what is behind </think> */
       LM_CHAT_NO_THOUGHTS_LINES = 1 << 14, /* ... and the newlines that follow */
       LM_CHAT_NO_FIRST_LINES = 1 << 15,    /* ... of every earlier answer */
       LM_CHAT_BARE_QUERY = 1 << 16         /* the pre-query is without the default system text */
};

enum { LM_CHAT_NEEDS = 4, LM_CHAT_ENDS = 9 };

/* In texts, \1 is the bos token and \2 the eos token. */
struct lm_chat_form {
    const char *name;
    const char *first; /* before everything, behind bos */
    struct {
        const char *before, *after;
    } turn[LM_CHAT_ROLES];
    const char *open;      /* what an answer follows */
    const char *system;    /* put when there is no such message; NULL: no turn then */
    const char *bos, *eos; /* where the tokenizer's configuration names none */
    unsigned    flags;
    const char *needs[LM_CHAT_NEEDS]; /* control tokens without which the form makes no sense */
    const char *ends[LM_CHAT_ENDS];   /* those that end a turn, as far as the tokenizer has them */
    const char *user_end;             /* text that ends a user's turn where no token does */
};

/* All forms; the last one has no name. */
extern const struct lm_chat_form lm_chat_forms[];

enum {
    LM_CHAT_FIRST,
    LM_CHAT_BEFORE, /* + role */
    LM_CHAT_AFTER = LM_CHAT_BEFORE + LM_CHAT_ROLES,
    LM_CHAT_OPEN = LM_CHAT_AFTER + LM_CHAT_ROLES,
    LM_CHAT_PIECES
};

struct lm_chat_piece {     /* a text of the form, with this tokenizer's tokens */
    char               *p; /* owned */
    size_t              n;
    struct lm_tok_mark *mark; /* owned; places in p */
    size_t              n_marks;
};

enum { LM_CHAT_STOPS = 16, LM_CHAT_WHY = 416 };

struct lm_chat {
    const struct lm_chat_form *form; /* NULL: there is none */
    unsigned                   flags;
    int                        begins_with_bos; /* by the piece LM_CHAT_FIRST */
    struct lm_chat_piece       piece[LM_CHAT_PIECES];
    char                      *system; /* default text, or NULL; owned */
    size_t                     system_n;
    uint32_t                   stop[LM_CHAT_STOPS]; /* tokens that end a turn */
    size_t                     n_stop;
    char                       why[LM_CHAT_WHY]; /* no form: what to tell who sends messages */
};

/* What tokenizer_config.json calls bos and eos, or LM_TOK_NONE. */
struct lm_chat_names {
    uint32_t bos, eos;
};

/* Finds the form: by its name, or for "auto" by the template in the model's folder, and makes its
 * tokens special in *t, so that data never holds them.  Without a template, or with one that is not
 * known, that is DRH_OK, too: `why` is then for the first request.  DRH_E_CONFIG: no such form, or
 * none for this tokenizer; DRH_E_NOMEM.  On failure nothing is left to free. */
drh_status lm_chat_open(struct lm_chat *c, struct lm_tok *t, struct lm_chat_names names,
                        const char *dir, const char *name, drh_error *e);
void       lm_chat_free(struct lm_chat *c);

/* Appends all that the tokens of a prompt depend on, for a digest; nothing without a form.  -1: out
 * of memory. */
int lm_chat_facts(const struct lm_chat *c, struct lm_text *out);

/* A rendered prompt; zero it, reuse it, free it. */
struct lm_chat_text {
    struct lm_text      text;
    struct lm_tok_mark *mark;
    size_t              n_marks, cap;
};

/* Renders req->messages, ready for the answer, or with DRH_INFER_OPEN up to the last text's end.
 * DRH_E_UNSUPPORTED: there is no form; DRH_E_ARG: what the form does not have; DRH_E_NOMEM. */
drh_status lm_chat_render(const struct lm_chat *c, const struct lm_uni *u, const drh_infer_req *req,
                          struct lm_chat_text *out, drh_error *e);
void       lm_chat_text_free(struct lm_chat_text *t);

/* 1: what it renders begins with the bos token. */
static inline int lm_chat_has_bos(const struct lm_chat *c)
{
    return c->begins_with_bos || (c->flags & LM_CHAT_BOS_IN_TURN);
}

/* What ends the answer to req as text, where no token does: the user's turn that it goes on with.
 * Empty: nothing. */
drh_str lm_chat_user_end(const struct lm_chat *c, const drh_infer_req *req);

/* ---- between the files of the chat forms --------------------------------------------------- */

/* A template in one spelling: in its code no white space, one kind of quotes, a.b for a['b'], texts
 * without escapes and joined.  -1: out of memory. */
int lm_chat_canon(const char *p, size_t n, struct lm_text *out);

/* The form of such a template, 0-terminated, or NULL; what it says beyond the form's name goes into
 * flags and *open.  */
const struct lm_chat_form *lm_chat_match(const char *canon, unsigned *flags, const char **open);

/* The system text that the template itself puts: DRH_E_MISSING when it puts none. */
drh_status lm_chat_default(const char *canon, struct lm_slice *out);

#endif /* LM_CHAT_H */
