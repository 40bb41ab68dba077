/* SPDX-License-Identifier: MIT
 *
 * options.c - the options of "magpie", and the system texts that come with it.
 */
#include "magpie.h"

static const struct {
    const char *name, *text;
} built_in[] = {
    {"none", ""},
    {"general", "You are a helpful assistant. People come to you with all kinds of questions and "
                "tasks, short and long, from daily life, work and study. You answer each of them "
                "carefully and completely."},
    {"maths", "You are a patient mathematics tutor. People bring you problems of arithmetic, "
              "algebra, geometry, probability and calculus, from school exercises to contest "
              "questions. You solve each one step by step and state the result clearly."},
    {"code", "You are an experienced software engineer. People ask you to write, explain, test and "
             "mend programs in many languages. You answer with working code and a short "
             "explanation."},
    {"translation", "You are a professional translator. People give you sentences and texts of "
                    "every kind and tell you the language that they want. You translate them "
                    "faithfully and fluently."},
    {"reasoning", "You are a careful thinker. People bring you puzzles, questions of logic and "
                  "problems that take several steps. You reason step by step before you conclude."},
    {"writing", "You are a gifted writer. People ask you for stories, poems, letters, speeches and "
                "for better versions of their own texts. You write with style and to the point."},
    {"data", "You are a data analyst. People bring you tables, figures and questions about them. "
             "You explain what the numbers say, and how you know."},
    {"advice", "You are a sensible adviser. People tell you about their plans, worries and choices "
               "in life and work. You weigh what speaks for and against, and give practical "
               "advice."},
    {"zh",
     "你是一个乐于助人的助手。用户会用中文向你提出各种各样的问题和任务，涉及生活、学习和工作。"
     "你用中文认真、完整地回答每一个问题。"},
};

static const char follow_up[] =
    "You are a helpful assistant in a conversation of several rounds. The user first asks a "
    "question, reads your answer, and then goes on with further questions about it: for details, "
    "examples, corrections or a next step.";

drh_str magpie_system_text(drh_str name)
{
    for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++) {
        if (drh_str_eq(name, built_in[i].name)) {
            return drh_str_of(built_in[i].text);
        }
    }
    return (drh_str){NULL, 0};
}

/* ---- systems ------------------------------------------------------------------------------- */

static drh_status read_system(const drh_host *h, const drh_value *v, uint32_t i,
                              struct magpie_system *s, drh_error *e)
{
    const drh_str use = drh_hub_text(h, v, "use"), name = drh_hub_text(h, v, "name");
    drh_value     weight;
    s->text = drh_hub_text(h, v, "text");
    s->name = name.ptr ? name : use.ptr ? use : drh_str_of("own");
    s->weight = 1;
    if ((use.ptr != NULL) == (s->text.ptr != NULL)) {
        return drh_fail(e, DRH_E_CONFIG, "systems/%lu: give use or text, one of them",
                        (unsigned long)i);
    }
    if (use.ptr) {
        s->text = magpie_system_text(use);
    }
    if (!s->text.ptr) {
        return drh_fail(e, DRH_E_CONFIG,
                        "systems/%lu/use: there is no \"%.60s\"; there are none, general, maths, "
                        "code, translation, reasoning, writing, data, advice, zh",
                        (unsigned long)i, use.ptr);
    }
    if (h->values->member(v, DRH_LIT("weight"), &weight) == DRH_OK) {
        (void)h->values->f64(&weight, &s->weight);
    }
    return DRH_OK;
}

static drh_status read_systems(const drh_host *h, const drh_config *c, struct magpie_options *o,
                               drh_error *e)
{
    drh_value  list, one;
    drh_status more, st = DRH_OK;
    if (h->config->get_value(c, "/systems", &list) != DRH_OK) {
        o->system[0] =
            (struct magpie_system){.name = drh_str_of("none"), .text = drh_str_of(""), .weight = 1};
        o->n_systems = 1;
        return DRH_OK;
    }
    for (more = h->values->child(&list, &one); more == DRH_OK && st == DRH_OK;
         more = h->values->next(&one)) {
        st = read_system(h, &one, o->n_systems, &o->system[o->n_systems], e);
        o->n_systems += st == DRH_OK;
    }
    return st;
}

/* ---- the others ---------------------------------------------------------------------------- */

static void read_stops(const drh_host *h, const drh_config *c, struct magpie_options *o)
{
    drh_value  list, one;
    drh_status more;
    if (o->first_line) {
        o->stop[o->n_stop++] = drh_str_of("\n");
    }
    if (o->form) {
        o->stop[o->n_stop++] = drh_str_of(o->form->end);
    }
    if (h->config->get_value(c, "/stop", &list) != DRH_OK) {
        return;
    }
    for (more = h->values->child(&list, &one); more == DRH_OK && o->n_stop < MAGPIE_MAX_STOPS;
         more = h->values->next(&one)) {
        o->n_stop += h->values->str(&one, &o->stop[o->n_stop]) == DRH_OK;
    }
}

static void read_flag(const drh_host *h, const drh_config *c, const char *key, int32_t *out)
{
    *out = 0;
    (void)h->config->get_bool(c, key, out);
}

static double number(const drh_host *h, const drh_config *c, const char *key)
{
    double d = 0;
    (void)h->config->get_f64(c, key, &d);
    return d;
}

static void read_sampling(const drh_host *h, const drh_config *c, struct magpie_options *o)
{
    o->question = (struct magpie_sampling){.temperature = number(h, c, "/temperature"),
                                           .top_p = number(h, c, "/top_p"),
                                           .min_p = number(h, c, "/min_p"),
                                           .penalty = number(h, c, "/repetition_penalty"),
                                           .first_temperature = number(h, c, "/first_temperature"),
                                           .top_k = (uint32_t)number(h, c, "/top_k"),
                                           .max_tokens = (uint32_t)number(h, c, "/max_tokens")};
    o->answer =
        (struct magpie_sampling){.temperature = number(h, c, "/answer_temperature"),
                                 .top_p = number(h, c, "/answer_top_p"),
                                 .penalty = number(h, c, "/answer_repetition_penalty"),
                                 .first_temperature = 1,
                                 .max_tokens = (uint32_t)number(h, c, "/answer_max_tokens")};
}

static int has_systems(const struct magpie_options *o)
{
    for (uint32_t i = 0; i < o->n_systems; i++) {
        if (o->system[i].text.len) {
            return 1;
        }
    }
    return 0;
}

/* Options that exclude each other. */
static drh_status check(const struct magpie_options *o, drh_error *e)
{
    if (o->pre_query.len && o->form) {
        return drh_fail(e, DRH_E_CONFIG, "form, pre_query: give one of them");
    }
    if (o->pre_query.len && (o->rounds > 1 || has_systems(o))) {
        return drh_fail(e, DRH_E_CONFIG,
                        "pre_query: it is the whole text before a question, so it goes with no "
                        "systems and with one round only");
    }
    if (o->form && !o->form->system && (o->rounds > 1 || has_systems(o))) {
        return drh_fail(e, DRH_E_CONFIG,
                        "form: %s has no system message, so it goes with no systems and with one "
                        "round only",
                        o->form->name);
    }
    if (!o->answers && o->rounds > 1) {
        return drh_fail(e, DRH_E_CONFIG, "answers: without them there is one round only");
    }
    return DRH_OK;
}

drh_status magpie_read_options(const drh_host *h, const drh_config *c, struct magpie_options *o,
                               drh_error *e)
{
    const drh_str sanitise = drh_hub_option(h, c, "/sanitise");
    drh_status    st;
    memset(o, 0, sizeof(*o));
    read_sampling(h, c, o);
    read_flag(h, c, "/first_line", &o->first_line);
    read_flag(h, c, "/avoid_headings", &o->avoid_headings);
    read_flag(h, c, "/answers", &o->answers);
    read_flag(h, c, "/keep_refusals", &o->refusals);
    read_flag(h, c, "/keep_cut_answers", &o->cut_answers);
    read_flag(h, c, "/strip_thoughts", &o->strip_thoughts);
    (void)h->config->get_i64(c, "/rounds", &o->rounds);
    (void)h->config->get_i64(c, "/min_chars", &o->min_chars);
    (void)h->config->get_i64(c, "/max_chars", &o->max_chars);
    o->answer_system = drh_hub_option(h, c, "/answer_system");
    o->follow_up = drh_hub_option(h, c, "/follow_up");
    o->follow_up = o->follow_up.len ? o->follow_up : drh_str_of(follow_up);
    o->cue = drh_hub_option(h, c, "/cue");
    o->pre_query = drh_hub_option(h, c, "/pre_query");
    o->lang = drh_hub_option(h, c, "/lang");
    o->sanitise = drh_str_eq(sanitise, "llama-3")   ? MAGPIE_LLAMA3
                  : drh_str_eq(sanitise, "gemma-2") ? MAGPIE_GEMMA2
                                                    : -1;
    o->form = magpie_form_of(drh_hub_option(h, c, "/form"));
    read_stops(h, c, o);
    st = read_systems(h, c, o, e);
    return st == DRH_OK ? check(o, e) : st;
}
