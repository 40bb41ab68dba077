/* SPDX-License-Identifier: MIT
 *
 * schema.c - the options of "magpie".
 */
#include "magpie.h"

/* ISO C promises 4095 bytes of a string; gcc and clang do not care. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

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
    "\"stop\":{\"type\":\"array\",\"maxItems\":14,\"items\":{\"type\":\"string\",\"minLength\":1},\"description\":\"Further texts that end a question.\"},"
    "\"sanitise\":{\"type\":\"string\",\"enum\":[\"off\",\"llama-3\",\"gemma-2\"],\"default\":\"off\",\"description\":\"Takes titles, markers and self-made answers away from questions, as Magpie's authors did for these chatty models; keeps the first question or line only.\"},"
    "\"systems\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":32,\"description\":\"System messages in front of questions, one of which is drawn for each record by its weight. Default: the model's own way, without one.\",\"items\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"use\":{\"type\":\"string\",\"minLength\":1,\"description\":\"One that comes with this plugin: none, general, maths, code, translation, reasoning, writing, data, advice, zh.\"},"
    "\"text\":{\"type\":\"string\",\"minLength\":1,\"description\":\"Or its text.\"},"
    "\"name\":{\"type\":\"string\",\"minLength\":1,\"description\":\"For metadata.\"},"
    "\"weight\":{\"type\":\"number\",\"exclusiveMinimum\":0,\"maximum\":1000000,\"default\":1}}}},"
    "\"cue\":{\"type\":\"string\",\"default\":\"\",\"description\":\"The question begins with this text, which is not kept: a language's name and a colon.\"},"
    "\"form\":{\"type\":\"string\",\"enum\":[\"qwen2\",\"qwen2.5\",\"yi-1.5\",\"llama-3\",\"llama-2\",\"mistral-v3\",\"vicuna\",\"nous-hermes\",\"gemma\",\"gemma-2\",\"phi-3\",\"phi-3-small\",\"deepseek-coder-v2\",\"gemma-3\",\"phi-4\",\"deepseek-v3\",\"glm-4\",\"granite-3\",\"command-r\",\"zephyr\"],\"description\":\"The model's chat template, for servers, which cannot leave a user's turn open; qwen2 is plain ChatML and does for Qwen3 and others. Needs a backend that takes raw prompts. Default: the model's own, from its folder.\"},"
    "\"pre_query\":{\"type\":\"string\",\"minLength\":1,\"description\":\"The text that precedes a user's turn, control tokens and all, for models whose form has no name here: <|im_start|>user\\n. Needs a backend that takes raw prompts.\"},"
    "\"rounds\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":8,\"default\":1,\"description\":\"Questions and answers of a record.\"},"
    "\"follow_up\":{\"type\":\"string\",\"minLength\":1,\"description\":\"System message for further questions. Default: one that says so.\"},"
    "\"answers\":{\"type\":\"boolean\",\"default\":true,\"description\":\"false: questions only, to be answered by another model with the stage answers.\"},"
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
