/* SPDX-License-Identifier: MIT
 *
 * chat.h - the inside of chat.so.  A record goes through three steps, each in its own file:
 *     collect.c, with pairs.c, special.c, dialogue.c, written.c
 *                            any dialect -> a list of turns and a system text
 *     think.c                what a model thought before its answer
 *     tidy.c, render.c       the rules of a conversation: order, empty turns, number of rounds
 *     write.c                turns -> the canonical record, with its metadata
 * tell.c logs what the records of a data set were read as.
 * All of it works on a chat_worker, the scratch of one thread; nothing here is shared but the
 * read-only struct chat.
 */
#ifndef CHAT_H
#define CHAT_H

#include <drh/turns.h>

#include <stdbool.h>

enum chat_dialect {
    CHAT_AUTO = 0,
    CHAT_ALPACA,   /* instruction, input, output */
    CHAT_SHAREGPT, /* a list of turns */
    CHAT_MESSAGES, /* a list of turns, too; the name that OpenAI users look for */
    CHAT_PAIRS,    /* prompt/response and the like */
    CHAT_DIALOGUE  /* a whole dialogue in one text */
};

enum { CHAT_THINK_KEEP = 0, CHAT_THINK_STRIP, CHAT_THINK_RENDER };
enum { CHAT_TOOLS_KEEP = 0, CHAT_TOOLS_DROP, CHAT_TOOLS_RENDER };

enum { CHAT_LEAK = 1u << 0, CHAT_TRUNCATED = 1u << 1 };

/* What a record was read as. */
enum chat_as {
    CHAT_AS_TURNS = 0,
    CHAT_AS_MOSS,
    CHAT_AS_TREE,
    CHAT_AS_DIALOGUE,
    CHAT_AS_PAIR,
    CHAT_AS_COUNT
};

/* Names of the canonical roles: chat_role_word(), chat_role_openai(). */
enum chat_role { CHAT_SYSTEM = 0, CHAT_HUMAN, CHAT_GPT, CHAT_CALL, CHAT_RESULT, CHAT_UNKNOWN };

enum { CHAT_MAX_KEYS = 32, CHAT_MAX_USED = 8, CHAT_MAX_DOCS = 4 };

/* Field names that a side of a pair goes by, best first; ends with DRH_FIELD_NONE. */
struct chat_keys {
    drh_field   f[CHAT_MAX_KEYS];
    const char *name[CHAT_MAX_KEYS]; /* static, or the configuration's */
};

/* What was said of a data set in the log. */
struct chat_line {
    char        data_set[200];
    uint32_t    as; /* enum chat_as */
    const char *field[2];
};

struct chat_told;

enum { CHAT_MAX_ROLES = 32 };

/* Words for roles that the option `roles` adds; texts are the configuration's. */
struct chat_roles {
    drh_str  word[CHAT_MAX_ROLES];
    uint32_t role[CHAT_MAX_ROLES];
    size_t   n;
};

struct chat {
    const drh_host *host;
    int64_t         min_turns, max_turns;
    uint32_t        dialect; /* enum chat_dialect */
    uint32_t        think;   /* CHAT_THINK_* */
    uint32_t        tools;   /* CHAT_TOOLS_* */
    bool            drop_system, merge_system, merge_same, fail_last_user;
    bool            keep_empty, to_messages, kind, flags;
    /* Options as texts, the configuration's; len 0: not given. */
    drh_str role_key, content_key, default_system, lang, quality, joiner;
    bool    own_messages, own_input; /* messages_key, input_key was given */
    bool    own_pair;                /* prompt_key or response_key was given */

    drh_field conversations, messages, system, metadata;
    drh_field moss_chat, moss_system, oasst_prompt, content, summary, history;

    /* `prompts` holds `instructions` first: an input is joined to an instruction only, or to any
     * prompt when input_key was given. */
    struct chat_keys lists, dialogues, instructions, inputs, prompts, responses, systems;
    struct chat_keys thoughts; /* of a model, before its answer */

    struct chat_roles roles;

    struct chat_told *told; /* what was logged, with a lock of its own */
};

struct chat_turn {
    uint32_t  role;
    bool      has_raw;   /* raw spells exactly `text`: its bytes can be copied */
    bool      has_extra; /* src, the turn it came from, has members beside role and content */
    bool      has_calls; /* raw is not the text, but the list of calls that it was */
    drh_str   text;
    drh_value raw;
    drh_value src;
};

struct chat_chunk;

struct chat_worker {
    const struct chat *chat;
    const drh_host    *host;
    struct chat_turn  *turns;
    drh_str           *parts; /* of the digest */
    size_t             n_turns, cap_turns, cap_parts;
    struct chat_chunk *chunks; /* memory for texts that are put together, reset by record */
    drh_json          *docs[CHAT_MAX_DOCS]; /* lists that were texts, closed by record */
    size_t             n_docs;

    struct chat_line told; /* the last that was looked up */

    /* the record at hand */
    uint32_t    as; /* enum chat_as, and the fields that say so; the second may be NULL */
    const char *as_field[2];
    bool        as_is;      /* the list of turns is canonical already */
    bool        has_system; /* system_text is set; system_raw too if system_is_raw */
    bool        system_in_place, system_is_raw;
    drh_str     system_text;
    drh_value   system_raw;
    size_t      n_rounds;   /* questions */
    size_t      input_from; /* byte in the first human turn where the input begins; 0: no input */
    drh_field   used[CHAT_MAX_USED]; /* fields that went into the turns */
    size_t      n_used;
    size_t      at;   /* number of the turn that is read, from 1 */
    bool        drop; /* the outcome is a drop, not a failure */
    char        reason[41];
    char        detail[200];
};

/* Is s this literal?  Inline: its length is known, and the comparison becomes one of words. */
static inline bool chat_is(drh_str s, const char *lit, size_t len)
{
    return s.len == len && (len == 0 || memcmp(s.ptr, lit, len) == 0);
}

/* A turn of nothing yet; raw and src are set with their flags. */
static inline void chat_turn_init(struct chat_turn *t, uint32_t role)
{
    t->role = role;
    t->has_raw = t->has_extra = t->has_calls = false;
    t->text.ptr = NULL;
    t->text.len = 0;
}

/* -- options.c */
extern const char chat_schema[];
drh_status        chat_options(struct chat *s, const drh_config *c, drh_error *e);

/* -- text.c */
/* Notes why the record is not kept; gives DRH_E_DATA. */
__attribute__((format(printf, 3, 4))) drh_status chat_bad(struct chat_worker *w, const char *reason,
                                                          const char *fmt, ...);
__attribute__((format(printf, 3, 4))) drh_status
      chat_drop(struct chat_worker *w, const char *reason, const char *fmt, ...);
char *chat_mem(struct chat_worker *w, size_t n); /* until the next record; NULL: no memory */
void  chat_mem_reset(struct chat_worker *w);
void  chat_mem_free(struct chat_worker *w);
/* a + between + b in scratch memory; linear over a chain that grows the same text. */
drh_status chat_concat(struct chat_worker *w, drh_str a, drh_str between, drh_str b, drh_str *out);
bool       chat_blank(drh_str s); /* empty or white space only */
const char *
chat_lang(const struct chat_worker *w); /* by script: "En", "Zh" ...; NULL: no letters */

/* -- collect.c */
/* Fills turns and system.  DRH_E_DATA: chat_bad() was called. */
drh_status chat_collect(struct chat_worker *w, const drh_record *r);
drh_status chat_add(struct chat_worker *w, uint32_t role, struct chat_turn **t);
/* A turn of plain text, which must live as long as the record. */
drh_status chat_add_text(struct chat_worker *w, uint32_t role, drh_str text);
/* A value as text: string, number, list of text parts.  `what` names it in the reason; NULL: turn
 * w->at. */
drh_status chat_content(struct chat_worker *w, const drh_value *v, const char *what,
                        struct chat_turn *t);
/* True for the members of a turn that become role and value. */
bool       chat_own_key(const struct chat *c, drh_str key);
void       chat_use(struct chat_worker *w, drh_field f);
drh_status chat_set_system(struct chat_worker *w, const struct chat_turn *t);

/* -- written.c */
/* Is the text a list that somebody printed?  By its first two signs. */
bool chat_is_written(drh_str text);
/* Reads a list or dict that is a text, of the field `what`: JSON, or as Python prints it. */
drh_status chat_written(struct chat_worker *w, drh_str text, const char *what, drh_value *root);
void       chat_written_reset(struct chat_worker *w);

/* -- pairs.c: DRH_E_MISSING when the record has no such fields */
drh_status chat_pair(struct chat_worker *w, const drh_record *r, const struct chat_keys *prompts);
drh_status chat_summary(struct chat_worker *w, const drh_record *r);

/* -- special.c: DRH_E_MISSING when the record is none of these */
drh_status chat_moss(struct chat_worker *w, const drh_record *r);
drh_status chat_oasst(struct chat_worker *w, const drh_record *r);

/* -- dialogue.c */
bool       chat_is_dialogue(drh_str s);
drh_status chat_dialogue_text(struct chat_worker *w, drh_str s); /* adds its turns */
/* True, with the turns added, when the prompt is a dialogue up to the mark of the answer:
 * "Human:...Assistant:". */
drh_status chat_open_dialogue(struct chat_worker *w, drh_str prompt, bool *done);
/* True, with the turns added, when the prompt is a transcript, "User:...Assistant:...": up to the
 * answer when there is no input, else up to the input, which is the next question. */
drh_status chat_transcript(struct chat_worker *w, drh_str prompt, drh_str input, bool *done);
/* DRH_E_MISSING when the record has no such field */
drh_status chat_dialogue(struct chat_worker *w, const drh_record *r);

/* -- tell.c */
drh_status chat_tell_new(struct chat *c);
void       chat_tell_free(struct chat *c);
void       chat_read_as(struct chat_worker *w, uint32_t as, const char *field, const char *second);
/* Logs what the record was read as, once for each data set. */
void chat_tell(struct chat_worker *w, const drh_record_info *info);

/* -- think.c: what the option `think` says; chat_bad() was called */
drh_status chat_think(struct chat_worker *w, const drh_record *r);
/* A member of a turn that holds a thought, and the option wants it moved. */
bool chat_is_thought(const struct chat *c, drh_str key, const drh_value *v);

/* -- render.c: only human and gpt are left */
drh_status chat_render_tools(struct chat_worker *w);

/* -- tidy.c: the rules of order, emptiness and choice; chat_bad() or chat_drop() were called */
drh_status chat_tidy(struct chat_worker *w);

/* -- flags.c */
unsigned chat_flags(const struct chat_worker *w); /* CHAT_LEAK, CHAT_TRUNCATED */

/* -- write.c */
drh_status chat_write(struct chat_worker *w, drh_record *r);
drh_str    chat_role_word(uint32_t role); /* "human" ... */

#endif
