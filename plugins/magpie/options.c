/* SPDX-License-Identifier: MIT
 *
 * options.c - the options of "magpie", and the system texts that come with it.
 */
#include "magpie.h"

/* clang-format off */
const char magpie_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"temperature\":{\"type\":\"number\",\"minimum\":0,\"maximum\":10,\"default\":1,\"description\":\"Of questions.\"},"
    "\"top_p\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":1,\"description\":\"Of questions.\"},"
    "\"top_k\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":1000000,\"default\":0,\"description\":\"Of questions; 0: all tokens.\"},"
    "\"min_p\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0,\"description\":\"Of questions.\"},"
    "\"repetition_penalty\":{\"type\":\"number\",\"minimum\":0.1,\"maximum\":10,\"default\":1,\"description\":\"Of questions.\"},"
    "\"max_tokens\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000000,\"default\":2048,\"description\":\"Longest question; never more than the model's context has room for.\"},"
    "\"first_temperature\":{\"type\":\"number\",\"minimum\":0,\"maximum\":10,\"default\":1,\"description\":\"Times temperature, for a question's first token.\"},"
    "\"avoid_headings\":{\"type\":\"boolean\",\"default\":false,\"description\":\"A question does not begin with #: for Llama 3.1, which likes to.\"},"
    "\"first_line\":{\"type\":\"boolean\",\"default\":true,\"description\":\"A question ends with its first line.\"},"
    "\"stop\":{\"type\":\"array\",\"maxItems\":15,\"items\":{\"type\":\"string\",\"minLength\":1},\"description\":\"Further texts that end a question.\"},"
    "\"sanitise\":{\"type\":\"string\",\"enum\":[\"off\",\"llama-3\",\"gemma-2\"],\"default\":\"off\",\"description\":\"Takes titles, markers and self-made answers away from questions, as Magpie's authors did for these chatty models; keeps the first question or line only.\"},"
    "\"systems\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":32,\"description\":\"System messages in front of questions, one of which is drawn for each record by its weight. Default: the model's own way, without one.\",\"items\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"use\":{\"type\":\"string\",\"minLength\":1,\"description\":\"One that comes with this plugin: none, general, maths, code, translation, reasoning, writing, data, advice, zh.\"},"
    "\"text\":{\"type\":\"string\",\"minLength\":1,\"description\":\"Or its text.\"},"
    "\"name\":{\"type\":\"string\",\"minLength\":1,\"description\":\"For metadata.\"},"
    "\"weight\":{\"type\":\"number\",\"exclusiveMinimum\":0,\"maximum\":1000000,\"default\":1}}}},"
    "\"cue\":{\"type\":\"string\",\"default\":\"\",\"description\":\"The question begins with this text, which is not kept: a language's name and a colon.\"},"
    "\"pre_query\":{\"type\":\"string\",\"minLength\":1,\"description\":\"The text that precedes a user's turn, control tokens and all, for servers and models whose form is not known: <|im_start|>user\\n. Needs a backend that takes raw prompts.\"},"
    "\"rounds\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":8,\"default\":1,\"description\":\"Questions and answers of a record.\"},"
    "\"follow_up\":{\"type\":\"string\",\"minLength\":1,\"description\":\"System message for further questions. Default: one that says so.\"},"
    "\"answer_temperature\":{\"type\":\"number\",\"minimum\":0,\"maximum\":10,\"default\":0,\"description\":\"0: the likeliest answer.\"},"
    "\"answer_top_p\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":1,\"description\":\"Of answers.\"},"
    "\"answer_repetition_penalty\":{\"type\":\"number\",\"minimum\":0.1,\"maximum\":10,\"default\":1,\"description\":\"Of answers.\"},"
    "\"answer_max_tokens\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000000,\"default\":512,\"description\":\"Longest answer.\"},"
    "\"answer_system\":{\"type\":\"string\",\"default\":\"\",\"description\":\"System message for answers, kept in the record: You are Sherlock Holmes; answer in his voice.\"},"
    "\"min_chars\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":1000000,\"default\":1,\"description\":\"Shortest question.\"},"
    "\"max_chars\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":100000000,\"default\":0,\"description\":\"Longest question; 0: any.\"},"
    "\"lang\":{\"type\":\"string\",\"enum\":[\"any\",\"En\",\"Zh\"],\"default\":\"any\",\"description\":\"Questions in this language only, told by their characters.\"},"
    "\"keep_refusals\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Answers that begin with a refusal stay.\"},"
    "\"keep_cut_answers\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Answers that are longer than answer_max_tokens stay, cut.\"},"
    "\"strip_thoughts\":{\"type\":\"boolean\",\"default\":true,\"description\":\"Of an answer only what is behind </think>.\"}"
    "}}";
/* clang-format on */

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

drh_status magpie_read_options(const drh_host *h, const drh_config *c, struct magpie_options *o,
                               drh_error *e)
{
    const drh_str sanitise = drh_hub_option(h, c, "/sanitise");
    memset(o, 0, sizeof(*o));
    read_sampling(h, c, o);
    read_flag(h, c, "/first_line", &o->first_line);
    read_flag(h, c, "/avoid_headings", &o->avoid_headings);
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
    read_stops(h, c, o);
    if (o->pre_query.len &&
        (o->rounds > 1 || h->config->get_value(c, "/systems", &(drh_value){{0}}) == DRH_OK)) {
        return drh_fail(e, DRH_E_CONFIG,
                        "pre_query: it is the whole text before a question, so it goes with no "
                        "systems and with one round only");
    }
    return read_systems(h, c, o, e);
}
