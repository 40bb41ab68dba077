/* SPDX-License-Identifier: MIT
 *
 * tags.c - preprocessor "tags": its instances, its requests, what becomes of the replies; see
 * tags.h.
 */
#include "tags.h"

#include <drh/turns.h>

DRH_PLUGIN_NOTE(0, "preprocessor tags 1.0.0\n");

struct options {
    int32_t  want[TAGS], again, drop_unread;
    int      least[TAGS]; /* label; category: unused */
    uint32_t categories;  /* bits; 0: all */
    int64_t  question_chars;
    double   temperature;
    uint32_t max_tokens;
};

/* What came of the replies, for the log. */
struct tally {
    uint64_t read, unread, unknown;
};

struct job {
    struct job *next, *back;
    drh_text    reply[TAGS];
    int         asked[TAGS];
    unsigned    waits;
};

struct tags {
    const drh_host     *host;
    const drh_infer    *infer;
    drh_infer_info      info;
    int                 ready;
    struct options      o;
    struct synth_fields f; /* synthesis is metadata.tagged */
    drh_field           label[TAGS], beside[TAGS][2], others;
    struct tally        tally[TAGS];
    struct job         *all; /* those not yet given back */
};

/* ---- jobs ---------------------------------------------------------------------------------- */

static struct job *job_new(struct tags *t, drh_record *r)
{
    struct job *j = t->host->alloc(t->host, NULL, sizeof(*j));
    if (!j) {
        return NULL;
    }
    memset(j, 0, sizeof(*j));
    for (int k = 0; k < TAGS; k++) {
        j->reply[k].host = t->host;
    }
    j->next = t->all;
    if (t->all) {
        t->all->back = j;
    }
    t->all = j;
    (void)t->host->records->set_state(r, j);
    return j;
}

static void release(void *self, void *state)
{
    struct tags *t = self;
    struct job  *j = state;
    if (j->back) {
        j->back->next = j->next;
    } else {
        t->all = j->next;
    }
    if (j->next) {
        j->next->back = j->back;
    }
    for (int k = 0; k < TAGS; k++) {
        drh_text_free(&j->reply[k]);
    }
    (void)t->host->alloc(t->host, j, 0);
}

/* ---- life ---------------------------------------------------------------------------------- */

static void say_tally(const struct tags *t)
{
    for (int k = 0; k < TAGS; k++) {
        const struct tally *n = &t->tally[k];
        if (n->read + n->unread + n->unknown) {
            drh_logf(t->host, n->unread + n->unknown ? DRH_LOG_WARN : DRH_LOG_INFO,
                     "%s: %llu labels; %llu replies could not be read, %llu had a label that is "
                     "none",
                     tag_kinds[k].name, (unsigned long long)n->read, (unsigned long long)n->unread,
                     (unsigned long long)n->unknown);
        }
    }
}

static void destroy(void *self)
{
    struct tags *t = self;
    say_tally(t);
    while (t->all) {
        release(t, t->all);
    }
    (void)t->host->alloc(t->host, t, 0);
}

/* Calls `take` with each text of a list of the options; 0: there is no such list. */
static int each_of(const struct tags *t, const drh_config *c, const char *pointer,
                   void (*take)(struct options *o, drh_str word), struct options *o)
{
    drh_value  list, one;
    drh_str    word;
    drh_status more;
    if (t->host->config->get_value(c, pointer, &list) != DRH_OK) {
        return 0;
    }
    for (more = t->host->values->child(&list, &one); more == DRH_OK;
         more = t->host->values->next(&one)) {
        if (t->host->values->str(&one, &word) == DRH_OK) {
            take(o, word);
        }
    }
    return 1;
}

static void take_kind(struct options *o, drh_str word)
{
    for (int k = 0; k < TAGS; k++) {
        o->want[k] |= drh_str_eq(word, tag_kinds[k].name);
    }
}

static void take_category(struct options *o, drh_str word)
{
    const int label = tag_label(&tag_kinds[TAG_CATEGORY], word);
    o->categories |= label >= 0 ? 1u << label : 0;
}

static drh_status read_options(struct tags *t, const drh_config *c, drh_error *e)
{
    const drh_config_api *api = t->host->config;
    struct options       *o = &t->o;
    double                tokens = 0;
    if (!each_of(t, c, "/tags", take_kind, o)) {
        o->want[TAG_DIFFICULTY] = o->want[TAG_QUALITY] = o->want[TAG_CATEGORY] = 1;
    }
    (void)each_of(t, c, "/categories", take_category, o);
    o->least[TAG_DIFFICULTY] =
        tag_label(&tag_kinds[TAG_DIFFICULTY], drh_hub_option(t->host, c, "/min_difficulty"));
    o->least[TAG_QUALITY] =
        tag_label(&tag_kinds[TAG_QUALITY], drh_hub_option(t->host, c, "/min_quality"));
    o->drop_unread = drh_str_eq(drh_hub_option(t->host, c, "/unread"), "drop");
    (void)api->get_bool(c, "/again", &o->again);
    (void)api->get_i64(c, "/question_chars", &o->question_chars);
    (void)api->get_f64(c, "/temperature", &o->temperature);
    (void)api->get_f64(c, "/max_tokens", &tokens);
    o->max_tokens = (uint32_t)tokens;
    for (int k = 0; k < TAGS; k++) {
        const int cuts = k == TAG_CATEGORY ? o->categories != 0 : o->least[k] >= 0;
        if (cuts && !o->want[k]) {
            return drh_fail(e, DRH_E_CONFIG, "%s: add \"%s\" to tags, or leave it out",
                            k == TAG_DIFFICULTY ? "min_difficulty"
                            : k == TAG_QUALITY  ? "min_quality"
                                                : "categories",
                            tag_kinds[k].name);
        }
    }
    return DRH_OK;
}

static drh_status find_fields(struct tags *t)
{
    const drh_host *h = t->host;
    drh_status      st = synth_find_fields(h, &t->f);
    int             all = 1;
    for (int k = 0; k < TAGS; k++) {
        t->label[k] = drh_field_of(h, tag_kinds[k].field);
        all = all && t->label[k];
        for (int i = 0; i < 2 && tag_kinds[k].beside[i].field; i++) {
            t->beside[k][i] = drh_field_of(h, tag_kinds[k].beside[i].field);
            all = all && t->beside[k][i];
        }
    }
    t->others = drh_field_of(h, tag_kinds[TAG_CATEGORY].others_field);
    t->f.synthesis = drh_field_of(h, "/metadata/tagged");
    return st == DRH_OK && all && t->others && t->f.synthesis ? DRH_OK : DRH_E_NOMEM;
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct tags *t = h->alloc(h, NULL, sizeof(*t));
    drh_status   st;
    if (!t) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(t, 0, sizeof(*t));
    t->host = h;
    st = read_options(t, c, e);
    if (st == DRH_OK && find_fields(t) != DRH_OK) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    if (st == DRH_OK && !(t->infer = h->extension(h, DRH_INFER))) {
        st = drh_fail(e, DRH_E_CONFIG,
                      "no model: name one with --model, or services.infer in the recipe");
    }
    if (st != DRH_OK) {
        destroy(t);
        return st;
    }
    *self = t;
    return DRH_OK;
}

/* ---- questions ----------------------------------------------------------------------------- */

/* What is judged: the first question; {NULL,0}: there is none. */
static drh_str question_of(const struct tags *t, const drh_record *r)
{
    drh_turns walk;
    drh_turn  turn;
    if (drh_turns_open(&walk, t->host, r) == DRH_OK) {
        while (drh_turns_next(&walk, &turn) == DRH_OK) {
            if (turn.role == DRH_ROLE_USER && turn.type == DRH_T_STRING) {
                return synth_first(synth_trim(turn.text), t->o.question_chars);
            }
        }
    }
    return (drh_str){NULL, 0};
}

static drh_status ask(const struct tags *t, drh_record *r, int k, drh_str question, drh_error *e)
{
    drh_text                   text = {.host = t->host};
    drh_infer_msg              user = {sizeof(user), 0, {DRH_LIT("user")}, {NULL, 0}};
    const drh_infer_msg *const messages[] = {&user};
    const drh_infer_req        q = {.struct_size = sizeof(q),
                                    .op = DRH_INFER_GENERATE,
                                    .messages = messages,
                                    .n_messages = 1,
                                    .max_tokens = t->o.max_tokens,
                                    .temperature = t->o.temperature,
                                    .seed = synth_nth(t->host->records->seed(r), (uint64_t)k)};
    drh_status                 st;
    drh_text_adds(&text, tag_kinds[k].ask);
    drh_text_addv(&text, question);
    drh_text_adds(&text, tag_kinds[k].behind);
    user.content = drh_text_str(&text);
    st = text.failed ? drh_fail(e, DRH_E_NOMEM, "out of memory")
                     : t->infer->submit(t->host, r, &q, (uint64_t)k, e);
    drh_text_free(&text);
    return st;
}

static drh_status finish(struct tags *t, drh_record *r, struct job *j, drh_error *e);

static drh_status start(void *self, void *worker, drh_record *r, drh_error *e)
{
    struct tags *t = self;
    struct job  *j;
    drh_str      question, had;
    drh_status   st = t->ready ? DRH_OK : synth_model(t->host, t->infer, &t->info, e);
    (void)worker;
    if (st != DRH_OK) {
        return st;
    }
    t->ready = 1;
    question = question_of(t, r);
    if (question.len == 0) {
        return t->host->records->fail(r, "no_question", NULL, 0);
    }
    j = job_new(t, r);
    if (!j) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    for (int k = 0; k < TAGS; k++) {
        j->asked[k] = t->o.want[k] &&
                      (t->o.again || t->host->records->get_str(r, t->label[k], &had) != DRH_OK);
        j->waits += (unsigned)j->asked[k];
    }
    for (int k = 0; st == DRH_OK && k < TAGS; k++) {
        st = j->asked[k] ? ask(t, r, k, question, e) : DRH_OK;
    }
    return st == DRH_OK && j->waits == 0 ? finish(t, r, j, e) : st;
}

/* ---- replies ------------------------------------------------------------------------------- */

static drh_status set_null(const drh_record_api *api, drh_record *r, drh_field f)
{
    return api->set_json(r, f, DRH_LIT("null"));
}

/* Further labels, each once, without the first one. */
static drh_status put_others(struct tags *t, drh_record *r, const struct tag_kind *k,
                             const struct tag_reply *reply)
{
    const drh_host *h = t->host;
    uint32_t        had = 1u << reply->label;
    drh_value       list, one;
    drh_str         word;
    drh_status      more, st = h->records->open(r, t->others, DRH_T_ARRAY);
    if (h->values->member(&reply->root, k->others, strlen(k->others), &list) == DRH_OK) {
        for (more = h->values->child(&list, &one); st == DRH_OK && more == DRH_OK;
             more = h->values->next(&one)) {
            const int label = h->values->str(&one, &word) == DRH_OK ? tag_label(k, word) : -1;
            if (label >= 0 && !(had >> label & 1u)) {
                had |= 1u << label;
                st = h->records->put_str(r, k->label[label], strlen(k->label[label]));
            }
        }
    }
    return st == DRH_OK ? h->records->close(r) : st;
}

static drh_status put_tag(struct tags *t, drh_record *r, int kind, const struct tag_reply *reply)
{
    const struct tag_kind *k = &tag_kinds[kind];
    const drh_record_api  *api = t->host->records;
    const char            *label = k->label[reply->label];
    drh_status             st = api->set_str(r, t->label[kind], label, strlen(label));
    for (int i = 0; st == DRH_OK && i < 2 && k->beside[i].key; i++) {
        const drh_str text = synth_trim(drh_hub_text(t->host, &reply->root, k->beside[i].key));
        st = text.len ? api->set_str(r, t->beside[kind][i], text.ptr, text.len)
                      : api->unset(r, t->beside[kind][i]);
    }
    return st == DRH_OK && k->others ? put_others(t, r, k, reply) : st;
}

/* The tag of one reply; *unread: it has none. */
static drh_status take(struct tags *t, drh_record *r, struct job *j, int k, int *unread,
                       drh_error *e)
{
    struct tag_reply reply;
    const int        read = tag_read(t->host, &tag_kinds[k], drh_text_str(&j->reply[k]), &reply);
    drh_status       st = DRH_OK;
    *unread = reply.label < 0;
    if (read < 0) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory");
    } else if (*unread) {
        t->tally[k].unread += !read;
        t->tally[k].unknown += (uint64_t)read;
        st = set_null(t->host->records, r, t->label[k]);
    } else {
        t->tally[k].read++;
        st = put_tag(t, r, k, &reply);
    }
    tag_reply_free(t->host, &reply);
    return st;
}

/* Why the record is not wanted, by its tags, or NULL. */
static const char *unwanted(const struct tags *t, const drh_record *r)
{
    static const char *const why[TAGS] = {"too_easy", "low_quality", "other_category"};
    for (int k = 0; k < TAGS; k++) {
        const int cuts = k == TAG_CATEGORY ? t->o.categories != 0 : t->o.least[k] >= 0;
        drh_str   word = {NULL, 0};
        int       label;
        if (!cuts) {
            continue;
        }
        (void)t->host->records->get_str(r, t->label[k], &word);
        label = tag_label(&tag_kinds[k], word);
        if (label < 0) {
            return "tag_unread";
        }
        if (k == TAG_CATEGORY ? !(t->o.categories >> label & 1u) : label < t->o.least[k]) {
            return why[k];
        }
    }
    return NULL;
}

/* metadata.tagged: by whom, and which tags could not be read. */
static drh_status put_note(struct tags *t, drh_record *r, const int unread[TAGS])
{
    const drh_host *h = t->host;
    drh_status      st = synth_note(h, &t->f, r, "tags", &t->info, h->records->seed(r));
    st = st == DRH_OK ? synth_number(h, r, "temperature", t->o.temperature) : st;
    st = st == DRH_OK ? h->records->put_key(r, DRH_LIT("unread")) : st;
    st = st == DRH_OK ? h->records->begin(r, DRH_T_ARRAY) : st;
    for (int k = 0; st == DRH_OK && k < TAGS; k++) {
        if (unread[k]) {
            st = h->records->put_str(r, tag_kinds[k].name, strlen(tag_kinds[k].name));
        }
    }
    st = st == DRH_OK ? h->records->end(r) : st;
    return st == DRH_OK ? h->records->close(r) : st;
}

static drh_status finish(struct tags *t, drh_record *r, struct job *j, drh_error *e)
{
    const drh_record_api *api = t->host->records;
    int                   unread[TAGS] = {0}, any = 0, asked = 0;
    const char           *why;
    drh_status            st = DRH_OK;
    for (int k = 0; st == DRH_OK && k < TAGS; k++) {
        asked |= j->asked[k];
        st = j->asked[k] ? take(t, r, j, k, &unread[k], e) : DRH_OK;
        any |= unread[k];
    }
    st = st == DRH_OK && asked ? put_note(t, r, unread) : st;
    release(t, j);
    if (st == DRH_E_NOMEM) {
        return drh_fail(e, st, "out of memory");
    }
    if (st != DRH_OK) {
        return api->fail(r, "bad_text", NULL, 0);
    }
    why = any && t->o.drop_unread ? "tag_unread" : unwanted(t, r);
    return why ? api->drop(r, why, NULL, 0) : api->keep(r);
}

static drh_status resume(void *self, void *worker, drh_record *r, uint64_t tag, const void *result,
                         drh_error *e)
{
    struct tags         *t = self;
    const drh_infer_res *res = result;
    struct job          *j = t->host->records->state(r);
    const char          *why;
    drh_status           st;
    (void)worker;
    if (res->status != DRH_OK) {
        st = synth_failure(res, &why, e);
        if (st == DRH_OK) {
            release(t, j);
            st = t->host->records->fail(r, "infer_failed", why, strlen(why));
        }
        return st;
    }
    drh_text_addv(&j->reply[tag], synth_answer_of(res->text));
    if (j->reply[tag].failed) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    return --j->waits ? DRH_OK : finish(t, r, j, e);
}

static const drh_life    life = {sizeof(drh_life), 0, create, destroy, NULL, NULL, NULL};
static const drh_map_ops ops = {
    .struct_size = sizeof(drh_map_ops), .start = start, .resume = resume, .release = release};

static const char *const needs[] = {DRH_INFER, NULL};

static const drh_stage tags = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_PREPROCESSOR,
    .id = "tags",
    .version = "1.0.0",
    .summary = "difficulty, quality and category of questions, by a model",
    .config_schema = tags_schema,
    .threading = DRH_SERIAL,
    .scope = DRH_SCOPE_RECORD,
    .flags = DRH_DETERMINISTIC,
    .needs = needs,
    .life = &life,
    .ops.map = &ops,
};

static const drh_stage *const stages[] = {&tags};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry),
    .abi_minor = DRH_ABI_MINOR,
    .abi_minor_need = 0,
    .n_stages = 1,
    .name = "tags",
    .version = "1.0.0",
    .license = "MIT",
    .stages = stages,
};
