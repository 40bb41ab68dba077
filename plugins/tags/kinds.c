/* SPDX-License-Identifier: MIT
 *
 * kinds.c - what is asked, and the options.  The labels are Magpie's, the prompts are ours.
 */
#include "tags.h"

/* ISO C promises 4095 bytes of a string; gcc and clang do not care. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

const struct tag_kind tag_kinds[TAGS] = {
    {.name = "difficulty",
     .ask =
         "Below is a message that a user has sent to an assistant. Do not answer it; judge it.\n\n"
         "<message>\n",
     .behind =
         "\n</message>\n\nFirst say in one sentence what the user wants, then what one has to "
         "know to solve it, then how difficult that is: very easy, easy, medium, hard or very "
         "hard. Reply with one JSON object and nothing else:\n"
         "{\"intent\": \"The user wants ...\", \"knowledge\": \"One has to know ...\", "
         "\"difficulty\": \"very easy | easy | medium | hard | very hard\"}",
     .key = "difficulty",
     .field = "/metadata/difficulty",
     .label = {"very easy", "easy", "medium", "hard", "very hard"},
     .beside = {{"intent", "/metadata/intent"}, {"knowledge", "/metadata/knowledge"}}},
    {.name = "quality",
     .ask =
         "Below is a message that a user has sent to an assistant. Do not answer it; judge it.\n\n"
         "<message>\n",
     .behind =
         "\n</message>\n\nIs it clear, specific and coherent, so that an assistant knows what "
         "to do? very poor: nobody can tell what is meant; poor: much is missing; average: "
         "something is missing; good: clear; excellent: clear, specific and well put. Reply "
         "with one JSON object and nothing else:\n"
         "{\"explanation\": \"...\", \"input_quality\": \"very poor | poor | average | good | "
         "excellent\"}",
     .key = "input_quality",
     .field = "/metadata/input_quality",
     .label = {"very poor", "poor", "average", "good", "excellent"},
     .beside = {{"explanation", "/metadata/quality_explanation"}}},
    {.name = "category",
     .ask =
         "Below is a message that a user has sent to an assistant. Do not answer it; say of what "
         "kind it is.\n\n<message>\n",
     .behind =
         "\n</message>\n\nThe kinds are:\n"
         "- Information seeking: facts and explanations\n"
         "- Reasoning: logic, puzzles, several steps of thought\n"
         "- Planning: plans and strategies\n"
         "- Editing: another's text is changed, corrected or translated\n"
         "- Coding & Debugging: programs\n"
         "- Math: numbers, formulas, proofs\n"
         "- Role playing: the assistant is to be somebody\n"
         "- Data analysis: figures, tables, statistics\n"
         "- Creative writing: stories, poems, texts with invention\n"
         "- Advice seeking: what to do in life or work\n"
         "- Brainstorming: many ideas\n"
         "- Others: none of these\n\n"
         "Name the one that fits best, and others that fit, too. Reply with one JSON object and "
         "nothing else:\n"
         "{\"primary_tag\": \"...\", \"other_tags\": [\"...\", \"...\"]}",
     .key = "primary_tag",
     .field = "/metadata/task_category",
     .label = {"Information seeking", "Reasoning", "Planning", "Editing", "Coding & Debugging",
               "Math", "Role playing", "Data analysis", "Creative writing", "Advice seeking",
               "Brainstorming", "Others"},
     .others = "other_tags",
     .others_field = "/metadata/other_task_category"},
};

/* clang-format off */
const char tags_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"tags\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":3,\"items\":{\"type\":\"string\",\"enum\":[\"difficulty\",\"quality\",\"category\"]},\"description\":\"What is asked, a request each. Default: all three.\"},"
    "\"again\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Tags that a record has are asked for again; otherwise they stay.\"},"
    "\"unread\":{\"type\":\"string\",\"enum\":[\"keep\",\"drop\"],\"default\":\"keep\",\"description\":\"Records with a reply of which no label can be read. keep: the tag is null.\"},"
    "\"min_difficulty\":{\"type\":\"string\",\"enum\":[\"very easy\",\"easy\",\"medium\",\"hard\",\"very hard\"],\"description\":\"Easier questions are dropped.\"},"
    "\"min_quality\":{\"type\":\"string\",\"enum\":[\"very poor\",\"poor\",\"average\",\"good\",\"excellent\"],\"description\":\"Worse questions are dropped.\"},"
    "\"categories\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":12,\"items\":{\"type\":\"string\",\"enum\":[\"Information seeking\",\"Reasoning\",\"Planning\",\"Editing\",\"Coding & Debugging\",\"Math\",\"Role playing\",\"Data analysis\",\"Creative writing\",\"Advice seeking\",\"Brainstorming\",\"Others\"]},\"description\":\"Questions of another kind are dropped.\"},"
    "\"question_chars\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000000,\"default\":8000,\"description\":\"So much of a question is shown to the model.\"},"
    "\"temperature\":{\"type\":\"number\",\"minimum\":0,\"maximum\":10,\"default\":0,\"description\":\"0: the likeliest reply.\"},"
    "\"max_tokens\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000000,\"default\":512,\"description\":\"Longest reply.\"}"
    "}}";
/* clang-format on */
