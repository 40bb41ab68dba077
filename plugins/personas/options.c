/* SPDX-License-Identifier: MIT
 *
 * options.c - the options of the three stages, and the prompts of "personas".
 */
#include "personas.h"

/* ISO C promises 4095 bytes of a string; gcc and clang do not care. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* clang-format off */
const char personas_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"personas\"],\"properties\":{"
    "\"personas\":{\"type\":\"string\",\"minLength\":1,\"x-drh-path\":\"in\",\"description\":\"File of personas: JSON lines (PersonaHub, FinePersonas) or plain lines, one each.\"},"
    "\"field\":{\"type\":\"string\",\"minLength\":1,\"description\":\"Member of a JSON line that holds it. Default: persona, input persona, description or text.\"},"
    "\"alike\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.9,\"description\":\"A persona that shares at least so many of its words with an earlier one is not read; 0: all are.\"},"
    "\"purpose\":{\"type\":\"string\",\"enum\":[\"instruction\",\"maths\",\"knowledge\",\"character\"],\"default\":\"instruction\",\"description\":\"instruction: what this person would ask an assistant, and the answer. maths: a problem from this person's life, and its solution. knowledge: an article that this person would write. character: one of a story, made of this person.\"},"
    "\"temperature\":{\"type\":\"number\",\"minimum\":0,\"maximum\":10,\"default\":0.7,\"description\":\"Of what the persona says.\"},"
    "\"top_p\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.95,\"description\":\"Of what the persona says.\"},"
    "\"max_tokens\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000000,\"default\":2048,\"description\":\"Longest reply.\"},"
    "\"answer_temperature\":{\"type\":\"number\",\"minimum\":0,\"maximum\":10,\"default\":0,\"description\":\"instruction, maths: of the answer.\"},"
    "\"answer_top_p\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":1,\"description\":\"instruction, maths: of the answer.\"},"
    "\"answer_max_tokens\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000000,\"default\":2048,\"description\":\"Longest answer.\"},"
    "\"keep_refusals\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Replies that begin with a refusal stay.\"}"
    "}}";
const char perspectives_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"personas\"],\"properties\":{"
    "\"personas\":{\"type\":\"string\",\"minLength\":1,\"x-drh-path\":\"in\",\"description\":\"File of personas: JSON lines (PersonaHub, FinePersonas) or plain lines, one each.\"},"
    "\"field\":{\"type\":\"string\",\"minLength\":1,\"description\":\"Member of a JSON line that holds it. Default: persona, input persona, description or text.\"},"
    "\"alike\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.9,\"description\":\"A persona that shares at least so many of its words with an earlier one is not read; 0: all are.\"},"
    "\"category\":{\"type\":\"string\",\"minLength\":1,\"description\":\"Member of a JSON line that holds the persona's category.\"},"
    "\"match\":{\"type\":\"string\",\"minLength\":1,\"description\":\"Field of a record that holds a category: its personas are of that one, if there are any: /metadata/domain.\"},"
    "\"spread\":{\"type\":\"boolean\",\"default\":false,\"description\":\"The personas of a question are of as many categories as there are.\"},"
    "\"k\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":16,\"default\":3,\"description\":\"so many persons for each question.\"},"
    "\"keep_original\":{\"type\":\"boolean\",\"default\":true,\"description\":\"the record itself stays, too.\"},"
    "\"similar\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.9,\"description\":\"an answer that shares more than this of its words with another one of the same question goes.\"},"
    "\"temperature\":{\"type\":\"number\",\"minimum\":0,\"maximum\":10,\"default\":0.7,\"description\":\"Of the answers.\"},"
    "\"top_p\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.95,\"description\":\"Of the answers.\"},"
    "\"max_tokens\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000000,\"default\":2048,\"description\":\"Longest answer.\"},"
    "\"keep_refusals\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Answers that begin with a refusal stay.\"}"
    "}}";
const char maker_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"from\":{\"type\":\"string\",\"enum\":[\"text\",\"persona\"],\"default\":\"text\",\"description\":\"text: who may have to do with the text of a record. persona: who stands close to the persona of a record.\"},"
    "\"field\":{\"type\":\"string\",\"minLength\":1,\"description\":\"Field of a record that holds it. Default: text, content or the first turn; persona, input persona, /metadata/persona, description or text.\"},"
    "\"k\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":16,\"default\":1,\"description\":\"So many personas out of each record, each in another relation to it, while there are some.\"},"
    "\"keep_original\":{\"type\":\"boolean\",\"default\":false,\"description\":\"The record itself stays, too.\"},"
    "\"min_words\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,\"default\":6,\"description\":\"Fewest different words of a persona; a Chinese character is a word.\"},"
    "\"max_chars\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":60000,\"default\":600,\"description\":\"Longest persona.\"},"
    "\"text_chars\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000000,\"default\":4000,\"description\":\"So much of a text is shown to the model.\"},"
    "\"similar\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.9,\"description\":\"A persona that shares at least this of its words with another one of the same record, or with the one that it is from, goes.\"},"
    "\"temperature\":{\"type\":\"number\",\"minimum\":0,\"maximum\":10,\"default\":0.7,\"description\":\"Of the personas.\"},"
    "\"top_p\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.95,\"description\":\"Of the personas.\"},"
    "\"max_tokens\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000000,\"default\":256,\"description\":\"Longest reply.\"}"
    "}}";
/* clang-format on */

static const struct purpose purposes[] = {
    {"instruction", "Put yourself in the place of this person:\n",
     "\n\nWrite one message that this person might well send to an AI assistant: a question or a "
     "task from their own work, interests or daily life. Be specific, and give the details that "
     "an assistant needs. Do not answer it. Begin with \"User prompt:\".",
     "user prompt", 1, 0},
    {"maths", "Think of this person:\n",
     "\n\nWrite a demanding maths problem that grows out of this person's work or life, so that "
     "nobody else would have thought of it. State all that is needed to solve it, ask for one or "
     "two results, and give no solution. Begin with \"Math problem:\".",
     "math problem", 1, 0},
    {"knowledge", "You are this person:\n",
     "\n\nWrite an article for readers of a question-and-answer site on something that you know "
     "well. Share what only experience teaches: facts, examples, numbers, pitfalls. Begin with "
     "\"Title:\".",
     "title", 0, 1},
    {"character", "Take this person as a model:\n",
     "\n\nInvent a character of a story or a game after this person. Say who they are, what they "
     "look like, what they want, what they know and hide, and how others meet and deal with them. "
     "Begin with \"Name:\".",
     "name", 0, 1},
};

static double number(const drh_host *h, const drh_config *c, const char *key)
{
    double d = 0;
    (void)h->config->get_f64(c, key, &d);
    return d;
}

void personas_read_options(const drh_host *h, const drh_config *c, struct options *o)
{
    const drh_str purpose = drh_hub_option(h, c, "/purpose");
    memset(o, 0, sizeof(*o));
    for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++) {
        if (drh_str_eq(purpose, purposes[i].name)) {
            o->purpose = &purposes[i];
        }
    }
    o->temperature = number(h, c, "/temperature");
    o->top_p = number(h, c, "/top_p");
    o->max_tokens = (uint32_t)number(h, c, "/max_tokens");
    o->answer_temperature = number(h, c, "/answer_temperature");
    o->answer_top_p = number(h, c, "/answer_top_p");
    o->answer_max_tokens = (uint32_t)number(h, c, "/answer_max_tokens");
    o->similar = number(h, c, "/similar");
    o->from_persona = drh_str_eq(drh_hub_option(h, c, "/from"), "persona");
    (void)h->config->get_i64(c, "/k", &o->k);
    (void)h->config->get_i64(c, "/min_words", &o->min_words);
    (void)h->config->get_i64(c, "/max_chars", &o->max_chars);
    (void)h->config->get_i64(c, "/text_chars", &o->text_chars);
    (void)h->config->get_bool(c, "/spread", &o->spread);
    (void)h->config->get_bool(c, "/keep_original", &o->keep_original);
    (void)h->config->get_bool(c, "/keep_refusals", &o->keep_refusals);
}
