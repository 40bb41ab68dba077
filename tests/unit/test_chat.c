/* SPDX-License-Identifier: MIT
 *
 * test_chat.c - the chat preprocessor by tables: a record in, a record or a reason out.  Cases
 * named R-n are the vectors of the methods specification.
 */
#include "mini_host.h"

#include "err.h"

#include <check.h>
#include <stdlib.h>

extern const drh_entry drh_entry_v1;

/* One record; `out` is compared without the metadata unless it names it. */
struct chat_case {
    const char *name, *options, *in, *out;
};

#define NO_META "{\"lang\":\"none\"}"
#define H(t) "{\"from\":\"human\",\"value\":\"" t "\"}"
#define G(t) "{\"from\":\"gpt\",\"value\":\"" t "\"}"
#define J1(a) a
#define J2(a, b) a "," b
#define J3(a, ...) a "," J2(__VA_ARGS__)
#define J4(a, ...) a "," J3(__VA_ARGS__)
#define J5(a, ...) a "," J4(__VA_ARGS__)
#define J6(a, ...) a "," J5(__VA_ARGS__)
#define J7(a, ...) a "," J6(__VA_ARGS__)
#define PICK(a, b, c, d, e, f, g, n, ...) n
#define CONV(...)                                                                                  \
    "\"conversations\":[" PICK(__VA_ARGS__, J7, J6, J5, J4, J3, J2, J1, )(__VA_ARGS__) "]"

/* Cuts ",\"metadata\":{...}" off the end of a record. */
static char *without_metadata(const char *line)
{
    char *copy = strdup(line);
    char *at = strstr(copy, ",\"metadata\":{\"id\":\"");
    ck_assert_ptr_nonnull(copy);
    if (at) {
        memcpy(at, "}", 2);
    }
    return copy;
}

static void check_case(const struct chat_case *c)
{
    drh_error         e = DRH_ERROR_INIT;
    struct mini_host *m = mini_new(&drh_entry_v1, c->options ? c->options : "{}", NULL, &e);
    const char       *got;
    char             *bare;
    ck_assert_msg(m != NULL, "%s: %s", c->name, e.message);
    got = mini_run(m, c->in);
    bare = without_metadata(got);
    if (c->out[0] == '{') {
        ck_assert_msg(strcmp(bare, c->out) == 0, "%s:\n got %s\nwant %s", c->name, bare, c->out);
    } else {
        ck_assert_msg(strncmp(got, c->out, strlen(c->out)) == 0, "%s:\n got %s\nwant %s", c->name,
                      got, c->out);
    }
    free(bare);
    mini_free(m);
}

static const struct chat_case dialects[] = {
    {"R-1 alpaca with input", NULL, "{\"instruction\":\"A\",\"input\":\"B\",\"output\":\"C\"}",
     "{" CONV(H("A\\nB"), G("C")) "}"},
    {"R-1 alpaca, empty input", NULL, "{\"instruction\":\"A\",\"input\":\"\",\"output\":\"C\"}",
     "{" CONV(H("A"), G("C")) "}"},
    {"alpaca without input", NULL, "{\"instruction\":\"A\",\"output\":\"C\"}",
     "{" CONV(H("A"), G("C")) "}"},
    {"5.4 null: alpaca, null input", NULL,
     "{\"instruction\":\"A\",\"input\":null,\"output\":\"C\"}", "{" CONV(H("A"), G("C")) "}"},
    {"alpaca, the input is all", NULL, "{\"instruction\":\"\",\"input\":\"B\",\"output\":\"C\"}",
     "{" CONV(H("B"), G("C")) "}"},
    {"R-2 history", NULL,
     "{\"instruction\":\"q2\",\"output\":\"a2\",\"history\":[[\"q1\",\"a1\"]]}",
     "{" CONV(H("q1"), G("a1"), H("q2"), G("a2")) "}"},
    {"system kept in place", NULL,
     "{\"system\":\"S\",\"instruction\":\"q\",\"output\":\"a\",\"history\":[]}",
     "{\"system\":\"S\"," CONV(H("q"), G("a")) "}"},
    {"empty system goes", NULL, "{\"system\":\"\",\"instruction\":\"q\",\"output\":\"a\"}",
     "{" CONV(H("q"), G("a")) "}"},
    {"unknown fields stay, byte for byte", NULL,
     "{\"n\":1.50e+2,\"instruction\":\"q\",\"x\":{ \"a\" : \"\\u00e9\"},\"output\":\"a\"}",
     "{\"n\":1.50e+2,\"x\":{ \"a\" : \"\\u00e9\"}," CONV(H("q"), G("a")) "}"},
    {"escapes stay as they are", NULL,
     "{\"instruction\":\"\\u4f60\\/\",\"output\":\"\\ud83d\\ude00\"}",
     "{" CONV(H("\\u4f60\\/"), G("\\ud83d\\ude00")) "}"},
    {"5.4 bytes: CRLF and spaces stay", NULL, "{\"instruction\":\" q\\r\\n\",\"output\":\"a \"}",
     "{" CONV(H(" q\\r\\n"), G("a ")) "}"},
    {"R-3, 5.4 system: system lifted", NULL,
     "{" CONV("{\"from\":\"system\",\"value\":\"S\"}", H("q"), G("a")) "}",
     "{" CONV(H("q"), G("a")) ",\"system\":\"S\"}"},
    {"R-3, 5.4 last turn: last question cut", NULL, "{" CONV(H("q"), G("a"), H("r")) "}",
     "{" CONV(H("q"), G("a")) "}"},
    {"R-4, 5.4 first turn: leading answer dropped", NULL, "{" CONV(G("x"), H("q"), G("a")) "}",
     "{" CONV(H("q"), G("a")) "}"},
    {"canonical stays as it is, spaces and all", NULL,
     "{" CONV("{\"weight\":1, \"from\":\"human\", \"value\":\"q\"}", G("a")) ",\"k\":[]}",
     "{" CONV("{\"weight\":1, \"from\":\"human\", \"value\":\"q\"}", G("a")) ",\"k\":[]}"},
    {"roles of other data sets", NULL,
     "{" CONV("{\"from\":\"User\",\"value\":\"q\"}", "{\"from\":\"bing\",\"value\":\"a\"}") "}",
     "{" CONV(H("q"), G("a")) "}"},
    {"openai messages", NULL,
     "{\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":\"q\"},"
     "{\"role\":\"assistant\",\"content\":\"a\"}]}",
     "{" CONV(H("q"), G("a")) ",\"system\":\"S\"}"},
    {"R-10, 5.4 parts: parts", NULL,
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":"
     "\"text\",\"text\":\"b\"}]},{\"role\":\"assistant\",\"content\":\"c\"}]}",
     "{" CONV(H("a\\nb"), G("c")) "}"},
    {"5.4 parts: parts with value, image left out, other members kept", NULL,
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"image\":\"x\"},{"
     "\"type\":"
     "\"text\",\"value\":\"a\"}],\"loss_weight\":0.0},{\"role\":\"assistant\",\"content\":\"c\","
     "\"loss_weight\":1.0}]}",
     "{" CONV("{\"from\":\"human\",\"value\":\"a\",\"loss_weight\":0.0}",
              "{\"from\":\"gpt\",\"value\":\"c\",\"loss_weight\":1.0}") "}"},
    {"R-10, 5.4 null: number", NULL,
     "{\"messages\":[{\"role\":\"user\",\"content\":42},{\"role\":\"assistant\",\"content\":\"c\"}]"
     "}",
     "{" CONV(H("42"), G("c")) "}"},
    {"tool calls", NULL,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":"
     "null,"
     "\"tool_calls\":[{\"f\":1}]},{\"role\":\"tool\",\"content\":\"r\"},{\"role\":\"assistant\","
     "\"content\":\"a\"}]}",
     "{" CONV(H("q"), "{\"from\":\"function_call\",\"value\":\"[{\\\"f\\\":1}]\"}",
              "{\"from\":\"observation\",\"value\":\"r\"}", G("a")) "}"},
    {"swift conversation", NULL,
     "{\"conversation\":[{\"human\":\"q\",\"assistant\":\"a\"},{\"human\":\"r\",\"assistant\":"
     "\"b\"}]}",
     "{" CONV(H("q"), G("a"), H("r"), G("b")) "}"},
    {"lmsys conversation", NULL,
     "{\"conversation\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":"
     "\"a\"}],\"turn\":1}",
     "{\"turn\":1," CONV(H("q"), G("a")) "}"},
    {"R-5 ultrachat", NULL, "{\"id\":\"7\",\"data\":[\"a\",\"b\",\"c\"]}",
     "{\"id\":\"7\"," CONV(H("a"), G("b")) "}"},
    {"R-5 ultrachat, one", NULL, "{\"data\":[\"a\"]}", "fail:no_pair: "},
    {"R-6 belle", NULL,
     "{\"instruction\":\"Human:hi\\nAssistant:yo\\nHuman:ok\\nAssistant:\",\"input\":\"\","
     "\"output\":"
     "\"fine\"}",
     "{" CONV(H("hi"), G("yo"), H("ok"), G("fine")) "}"},
    {"guanaco", NULL,
     "{\"instruction\":\"User: hi\\nAssistant: yo\\nUser：more\\nAsssistent: no\",\"input\":"
     "\"User: ok\",\"output\":\"fine\"}",
     "{" CONV(H("hi"), G("yo"), H("more"), G("no"), H("ok"), G("fine")) "}"},
    {"guanaco, the input without a mark", NULL,
     "{\"instruction\":\"User:hi\\nAssistenz:yo\",\"input\":\"ok\",\"output\":\"fine\"}",
     "{" CONV(H("hi"), G("yo"), H("ok"), G("fine")) "}"},
    {"guanaco, the question in the prompt", NULL,
     "{\"instruction\":\"User: hi\\nAssistent: yo\\nUser: ok\",\"input\":\"\",\"output\":\"fine\"}",
     "{" CONV(H("hi"), G("yo"), H("ok"), G("fine")) "}"},
    {"guanaco, open", NULL,
     "{\"instruction\":\"User: hi\\nAssistant：yo\\nUser: ok\\nAssistant: \",\"output\":\"fine\"}",
     "{" CONV(H("hi"), G("yo"), H("ok"), G("fine")) "}"},
    {"no transcript: the assistant has no part", NULL,
     "{\"instruction\":\"User: who?\",\"input\":\"I\",\"output\":\"fine\"}",
     "{" CONV(H("User: who?\\nI"), G("fine")) "}"},
    {"no transcript: nobody asks", NULL,
     "{\"instruction\":\"User: hi\\nAssistant: yo\",\"output\":\"fine\"}",
     "{" CONV(H("User: hi\\nAssistant: yo"), G("fine")) "}"},
    {"chinese label of the input", NULL,
     "{\"instruction\":\"A\",\"input\":\"输入：B\",\"output\":\"C\"}",
     "{" CONV(H("A\\nB"), G("C")) "}"},
    {"chinese label alone", NULL, "{\"instruction\":\"A\",\"input\":\"输入：\",\"output\":\"C\"}",
     "{" CONV(H("A\\n输入："), G("C")) "}"},
    {"R-7 moss", NULL,
     "{\"chat\":{\"turn_2\":{\"Human\":\"<|Human|>: ok<eoh>\\n\",\"Commands\":\"<|Commands|>: "
     "C(1)<eoc>"
     "\\n\",\"Tool Responses\":\"<|Results|>:\\nC(1) => 1\\n<eor>\\n\",\"MOSS\":\"<|MOSS|>: "
     "1<eom>\\n\"},"
     "\"turn_1\":{\"Human\":\"<|Human|>: hi<eoh>\\n\",\"Commands\":\"<|Commands|>: "
     "None<eoc>\\n\",\"Tool "
     "Responses\":\"<|Results|>:\\nNone\\n<eor>\\n\",\"MOSS\":\"<|MOSS|>: "
     "yo<eom>\\n\"}},\"meta_instruction\":"
     "\"M\"}",
     "{" CONV(H("hi"), G("yo"), H("ok"), "{\"from\":\"function_call\",\"value\":\"C(1)\"}",
              "{\"from\":\"observation\",\"value\":\"C(1) => 1\\n\"}",
              G("1")) ",\"system\":\"M\"}"},
    {"R-8 oasst", NULL,
     "{\"prompt\":{\"text\":\"q\",\"role\":\"prompter\",\"replies\":[{\"text\":\"n\",\"role\":"
     "\"assistant\",\"rank\":null,\"replies\":[]},{\"text\":\"one\",\"role\":\"assistant\","
     "\"rank\":1,"
     "\"replies\":[]},{\"text\":\"gone\",\"role\":\"assistant\",\"rank\":-1,\"deleted\":true,"
     "\"replies\":"
     "[]},{\"text\":\"zero\",\"role\":\"assistant\",\"rank\":0,\"replies\":[]}]}}",
     "{" CONV(H("q"), G("zero")) "}"},
    {"R-9 instruction before prompt", NULL,
     "{\"prompt\":\"p\",\"instruction\":\"i\",\"output\":\"a\"}",
     "{\"prompt\":\"p\"," CONV(H("i"), G("a")) "}"},
    {"dolly", NULL,
     "{\"instruction\":\"i\",\"context\":\"c\",\"response\":\"r\",\"category\":\"x\"}",
     "{\"category\":\"x\"," CONV(H("i\\nc"), G("r")) "}"},
    {"openorca", NULL,
     "{\"id\":\"f\",\"system_prompt\":\"S\",\"question\":\"q\",\"response\":\"r\"}",
     "{\"id\":\"f\"," CONV(H("q"), G("r")) ",\"system\":\"S\"}"},
    {"firefly", NULL, "{\"kind\":\"NLI\",\"input\":\"q\",\"target\":\"a\"}",
     "{\"kind\":\"NLI\"," CONV(H("q"), G("a")) "}"},
    {"adgen", NULL, "{\"content\":\"q\",\"summary\":\"a\"}", "{" CONV(H("q"), G("a")) "}"},
    {"flan", NULL, "{\"inputs\":\"q\",\"targets\":\"a\",\"task\":\"t\"}",
     "{\"task\":\"t\"," CONV(H("q"), G("a")) "}"},
    {"cosmopedia", NULL, "{\"prompt\":\"q\",\"text\":\"a\"}", "{" CONV(H("q"), G("a")) "}"},
    {"zhihu, upper case", NULL, "{\"INSTRUCTION\":\"q\",\"RESPONSE\":\"a\",\"METADATA\":\"m\"}",
     "{\"METADATA\":\"m\"," CONV(H("q"), G("a")) "}"},
    {"data-juicer", NULL,
     "{\"system\":\"S\",\"instruction\":\"i\",\"query\":\"q\",\"response\":\"a\",\"history\":[["
     "\"b\","
     "\"c\"]]}",
     "{\"system\":\"S\"," CONV(H("b"), G("c"), H("i\\nq"), G("a")) "}"},
    {"a list of answers: the first", NULL, "{\"question\":\"q\",\"answer\":[\"a\",\"b\"]}",
     "{" CONV(H("q"), G("a")) "}"},
    {"answer before text", NULL, "{\"question\":\"q\",\"text\":\"t\",\"answer\":\"a\"}",
     "{\"text\":\"t\"," CONV(H("q"), G("a")) "}"},
    {"R-12, 5.4 written: list as JSON text", NULL,
     "{\"conversations\":\"[{\\\"from\\\": \\\"human\\\", \\\"value\\\": "
     "\\\"q\\\\u00e9\\\"}, "
     "{\\\"from\\\": \\\"gpt\\\", \\\"value\\\": \\\"a\\\", \\\"w\\\": 1}]\",\"n\":1}",
     "{" CONV(H("q\\u00e9"), "{\"from\":\"gpt\",\"value\":\"a\",\"w\":1}") ",\"n\":1}"},
    {"R-12, 5.4 written: list as Python text", NULL,
     "{\"messages\":\" [{'role': 'user', 'content': 'it\\\\'s\\\\n'}, {'role': 'assistant', "
     "'content': \\\"'a'\\\", 'name': None},]\"}",
     "{" CONV(H("it's\\n"), "{\"from\":\"gpt\",\"value\":\"'a'\",\"name\":null}") "}"},
    {"R-12, 5.4 written: list without commas, as numpy prints it", NULL,
     "{\"conversation\":\"[{'content': 'q', 'role': 'user'}\\n {'content': 'a', 'role': "
     "'assistant'}]\"}",
     "{" CONV(H("q"), G("a")) "}"},
    {"R-12 texts without commas", NULL, "{\"data\":\"['q' \\\"it's\\\"\\n 'r' 'b']\"}",
     "{" CONV(H("q"), G("it's"), H("r"), G("b")) "}"},
    {"R-12, 5.4 written: history as Python text", NULL,
     "{\"instruction\":\"q2\",\"output\":\"a2\",\"history\":\"[('q1', 'a1')]\"}",
     "{" CONV(H("q1"), G("a1"), H("q2"), G("a2")) "}"},
    {"R-12 empty history", NULL, "{\"instruction\":\"q2\",\"output\":\"a2\",\"history\":\" \"}",
     "{" CONV(H("q2"), G("a2")) "}"},
    {"R-12 history [] as a text", NULL,
     "{\"instruction\":\"q2\",\"output\":\"a2\",\"history\":\"[]\"}",
     "{" CONV(H("q2"), G("a2")) "}"},
    {"an answer that looks like a list stays one", NULL,
     "{\"question\":\"q\",\"answer\":\"['a', 'b']\"}", "{" CONV(H("q"), G("['a', 'b']")) "}"},
    {"5.4 bytes: U+FFFD is text", NULL,
     "{\"instruction\":\"a\\ufffd\",\"output\":\"\xef\xbf\xbd\"}",
     "{" CONV(H("a\\ufffd"), G("\xef\xbf\xbd")) "}"},
    {"5.4 system: first, twice, later", NULL,
     "{" CONV("{\"from\":\"system\",\"value\":\"S\"}", "{\"from\":\"system\",\"value\":\"T\"}",
              H("q"), G("a")) "}",
     "{" CONV(H("q"), G("a")) ",\"system\":\"S\"}"},
    {"5.4 bytes: U+0000 is text", NULL,
     "{\"instruction\":\"a\\u0000b\",\"input\":\"c\",\"output\":\"d\"}",
     "{" CONV(H("a\\u0000b\\nc"), G("d")) "}"},
};

START_TEST(chat_dialects)
{
    check_case(&dialects[_i]);
}
END_TEST

/* The bad-data cases of the methods specification, 5.4, and what is chosen; "5.4 WORD" in a name is
 * the row of its table.  Equal texts are dedup's, refusals are filter's; files as such are in
 * e2e/baddata.sh. */
static const struct chat_case outcomes[] = {
    {"5.4 empty: empty answer", NULL, "{\"instruction\":\"q\",\"output\":\"\"}",
     "fail:empty_answer: turn 2 is empty"},
    {"5.4 empty: white answer", NULL, "{\"instruction\":\"q\",\"output\":\" \\n\\u3000\"}",
     "fail:empty_answer: turn 2 is white space only"},
    {"5.4 empty: empty question", NULL, "{\"instruction\":\"\",\"input\":\"\",\"output\":\"a\"}",
     "fail:empty_question: turn 1 is empty"},
    {"5.4 empty: empty later answer", NULL, "{" CONV(H("q"), G("a"), H("r"), G("")) "}",
     "fail:empty_answer: turn 4"},
    {"5.4 empty: empty kept when asked", "{\"empty\":\"keep\"}",
     "{\"instruction\":\"q\",\"output\":\"\"}", "{" CONV(H("q"), G("")) "}"},
    {"R-10, 5.4 null: null", NULL,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":"
     "null}]}",
     "fail:null_content: turn 2 is null"},
    {"5.4 null: no content at all", NULL, "{\"messages\":[{\"role\":\"user\"}]}",
     "fail:null_content: turn 1"},
    {"5.4 null: null output", NULL, "{\"instruction\":\"q\",\"output\":null}",
     "fail:null_content: "},
    {"5.4 null: null instruction", NULL, "{\"instruction\":null,\"output\":\"a\"}",
     "fail:null_content: "},
    {"5.4 null: bool", NULL, "{\"instruction\":true,\"output\":\"a\"}", "fail:not_text: "},
    {"5.4 null: object", NULL, "{\"instruction\":\"q\",\"output\":{\"a\":1}}", "fail:not_text: "},
    {"5.4 parts: image only", NULL,
     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{}}]},{"
     "\"role\":\"assistant\",\"content\":\"c\"}]}",
     "fail:no_text_part: turn 1"},
    {"5.4 unknown role: unknown role", NULL, "{" CONV("{\"from\":\"critic\",\"value\":\"x\"}") "}",
     "fail:unknown_role: turn 1 has the role \"critic\""},
    {"5.4 unknown role: no role", NULL, "{" CONV("{\"value\":\"x\"}") "}",
     "fail:unknown_role: turn 1 has no role"},
    {"5.4 unknown role: not a turn", NULL, "{" CONV("7") "}", "fail:not_a_turn: turn 1"},
    {"R-3, 5.4 same role: same role twice", NULL, "{" CONV(H("p"), H("q"), G("a")) "}",
     "fail:alternation: turn 2: human after human"},
    {"5.4 same role: same role merged", "{\"same_role\":\"merge\"}",
     "{" CONV(H("p"), H("q"), G("a"), G("b")) "}", "{" CONV(H("p\\nq"), G("a\\nb")) "}"},
    {"observation without call", NULL,
     "{" CONV(H("p"), "{\"from\":\"observation\",\"value\":\"x\"}", G("a")) "}",
     "fail:alternation: turn 2: observation after human"},
    {"5.4 last turn: only a question", NULL, "{" CONV(H("p")) "}", "fail:no_pair: "},
    {"5.4 first turn: only an answer", NULL, "{" CONV(G("p")) "}", "fail:no_pair: "},
    {"5.4 last turn: no turns", NULL, "{" CONV() "}", "fail:no_pair: "},
    {"5.4 last turn: last question refused", "{\"last_user\":\"fail\"}",
     "{" CONV(H("q"), G("a"), H("r")) "}", "fail:last_user: "},
    {"5.4 system: later system left out", NULL,
     "{" CONV("{\"from\":\"system\",\"value\":\"S\"}", H("q"),
              "{\"from\":\"system\",\"value\":\"T\"}", G("a")) "}",
     "{" CONV(H("q"), G("a")) ",\"system\":\"S\"}"},
    {"5.4 system: later system merged", "{\"later_system\":\"merge\"}",
     "{\"system\":\"R\"," CONV(H("q"), "{\"from\":\"system\",\"value\":\"T\"}", G("a")) "}",
     "{\"system\":\"R\\nT\"," CONV(H("q"), G("a")) "}"},
    {"5.4 system: system dropped", "{\"system\":\"drop\"}",
     "{\"system\":\"R\"," CONV(H("q"), G("a")) "}", "{" CONV(H("q"), G("a")) "}"},
    {"default system", "{\"default_system\":\"D\"}", "{" CONV(H("q"), G("a")) "}",
     "{" CONV(H("q"), G("a")) ",\"system\":\"D\"}"},
    {"default system, there is one", "{\"default_system\":\"D\"}",
     "{\"system\":\"S\"," CONV(H("q"), G("a")) "}", "{\"system\":\"S\"," CONV(H("q"), G("a")) "}"},
    {"5.4 written: list as a text, broken", NULL, "{\"conversations\":\"[{'from': 'human']\"}",
     "fail:stringified_list: the list of turns is a text; byte 17 of it: neither , nor } after a "
     "value of a dict: ]"},
    {"5.4 written: list as a text, cut off by numpy", NULL, "{\"data\":\"['q' 'a' ... 'q' 'a']\"}",
     "fail:stringified_list: the list of turns is a text; byte 9 of it: no value where one is "
     "expected: ... 'q'"},
    {"5.4 written: list as a text, a key twice", NULL,
     "{\"conversations\":\"[{'from': 'human', 'from': 'gpt'}]\"}",
     "fail:stringified_list: the list of turns is a text; as JSON it is not JSON: "},
    {"5.4 written: history as a text, broken", NULL,
     "{\"instruction\":\"q\",\"output\":\"a\",\"history\":\"[['it's','b']]\"}",
     "fail:stringified_list: history is a text; byte 6 of it: "},
    {"5.4 written: history as a text that is no list", NULL,
     "{\"instruction\":\"q\",\"output\":\"a\",\"history\":\"{}\"}", "fail:bad_history: "},
    {"5.4 written: a text that only begins like a list", NULL,
     "{\"conversation\":\"[Verse 1] la\"}", "fail:unknown_dialect: "},
    {"broken history", NULL, "{\"instruction\":\"q\",\"output\":\"a\",\"history\":[[\"x\"]]}",
     "fail:bad_history: "},
    {"unknown dialect names the keys", NULL, "{\"foo\":1,\"b\\u0061r\":2}",
     "fail:unknown_dialect: no dialect fits its fields: foo, bar"},
    {"a text is no dialogue", NULL, "{\"text\":\"t\"}", "fail:unknown_dialect: "},
    {"empty record", NULL, "{}", "fail:unknown_dialect: no dialect fits its fields: none"},
    {"too few rounds", "{\"turns\":[2,3]}", "{" CONV(H("q"), G("a")) "}",
     "drop:turns_out_of_range: 1 rounds, wanted are 2 to 3"},
    {"too many rounds", "{\"turns\":[1,1]}", "{" CONV(H("q"), G("a"), H("r"), G("b")) "}",
     "drop:turns_out_of_range: 2 rounds"},
    {"calls kept", NULL,
     "{" CONV(H("q"), "{\"from\":\"function_call\",\"value\":\"{}\"}",
              "{\"from\":\"observation\",\"value\":\"\"}", G("a")) "}",
     "{" CONV(H("q"), "{\"from\":\"function_call\",\"value\":\"{}\"}",
              "{\"from\":\"observation\",\"value\":\"\"}", G("a")) "}"},
    {"calls dropped", "{\"tools\":\"drop\"}",
     "{" CONV(H("q"), "{\"from\":\"function_call\",\"value\":\"{}\"}",
              "{\"from\":\"observation\",\"value\":\"x\"}", G("a")) "}",
     "drop:tools: "},
    {"own keys", "{\"messages_key\":\"dlg\",\"role_key\":\"who\",\"content_key\":\"says\"}",
     "{\"dlg\":[{\"who\":\"user\",\"says\":\"q\"},{\"who\":\"bot\",\"says\":\"a\"}]}",
     "{" CONV(H("q"), G("a")) "}"},
    {"own roles", "{\"roles\":{\"Q\":\"human\",\"gpt\":\"human\",\"A\":\"gpt\",\"S\":\"system\"}}",
     "{\"messages\":[{\"role\":\"S\",\"content\":\"s\"},{\"role\":\"Q\",\"content\":\"q\"},"
     "{\"role\":\"A\",\"content\":\"a\"},{\"role\":\"gpt\",\"content\":\"p\"},"
     "{\"role\":\"assistant\",\"content\":\"b\"}]}",
     "{" CONV(H("q"), G("a"), H("p"), G("b")) ",\"system\":\"s\"}"},
    {"own roles: the case counts", "{\"roles\":{\"Q\":\"human\"}}",
     "{\"messages\":[{\"role\":\"q\",\"content\":\"q\"},{\"role\":\"gpt\",\"content\":\"a\"}]}",
     "fail:unknown_role: "},
    {"own pair", "{\"prompt_key\":\"src\",\"response_key\":\"dst\",\"input_key\":\"more\"}",
     "{\"instruction\":\"no\",\"src\":\"q\",\"more\":\"m\",\"dst\":\"a\"}",
     "{\"instruction\":\"no\"," CONV(H("q\\nm"), G("a")) "}"},
    {"own response, known prompt", "{\"response_key\":\"chosen\"}",
     "{\"prompt\":\"q\",\"chosen\":\"a\",\"text\":\"t\"}",
     "{\"text\":\"t\"," CONV(H("q"), G("a")) "}"},
    {"dialect by name", "{\"dialect\":\"pairs\"}",
     "{" CONV(H("x"), G("y")) ",\"prompt\":\"q\",\"response\":\"a\"}",
     "{" CONV(H("q"), G("a")) "}"},
    {"dialect that does not fit", "{\"dialect\":\"alpaca\"}", "{" CONV(H("x"), G("y")) "}",
     "fail:unknown_dialect: "},
    {"joiner", "{\"joiner\":\"\\n\\n\"}",
     "{\"instruction\":\"A\",\"input\":\"B\",\"output\":\"C\"}",
     "{" CONV(H("A\\n\\nB"), G("C")) "}"},
    {"messages out", "{\"output\":\"messages\"}",
     "{\"instruction\":\"q\",\"output\":\"a\",\"system\":\"S\"}",
     "{\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":\"q\"},"
     "{\"role\":\"assistant\",\"content\":\"a\"}]}"},
    {"canonical to messages", "{\"output\":\"messages\"}", "{" CONV(H("q"), G("a")) "}",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":"
     "\"a\"}]}"},
};

START_TEST(chat_outcomes)
{
    check_case(&outcomes[_i]);
}
END_TEST

#define STRIP "{\"think\":\"strip\"}"
#define RENDER "{\"think\":\"render\"}"

/* What a model thought. */
static const struct chat_case thoughts[] = {
    {"kept", NULL,
     "{" CONV(H("q"),
              "{\"from\":\"gpt\",\"value\":\"<think>t</think>a\",\"reasoning_content\":\"r\"}") "}",
     "{" CONV(
         H("q"),
         "{\"from\":\"gpt\",\"value\":\"<think>t</think>a\",\"reasoning_content\":\"r\"}") "}"},
    {"stripped with the space behind it", STRIP,
     "{" CONV(H("<think>q</think>"), G("\\n<think>\\nt < u\\n</think>\\n\\n a </think> b ")) "}",
     "{" CONV(H("<think>q</think>"), G("a </think> b ")) "}"},
    {"stripped, the start is the template's", STRIP, "{" CONV(H("q"), G("t\\n</think>\\n\\na")) "}",
     "{" CONV(H("q"), G("a")) "}"},
    {"stripped, several", STRIP,
     "{" CONV(H("q"), G("<think>t</think>a <think>u</think>\\nb<thought>v</thought> c")) "}",
     "{" CONV(H("q"), G("a bc")) "}"},
    {"stripped, each kind", STRIP,
     "{" CONV(H("q"),
              G("<thinking>t</thinking><reasoning>t</reasoning><|thought|>t<|/thought|>"
                "<seed:think>t</seed:think>\u25c1think\u25b7t\u25c1/think\u25b7\u25c1a")) "}",
     "{" CONV(H("q"), G("\u25c1a")) "}"},
    {"stripped, with a solution", STRIP,
     "{" CONV(H("q"),
              G("<|begin_of_thought|>\\nt\\n<|end_of_thought|>\\n\\n<|begin_of_solution|>\\na\\n<|"
                "end_of_solution|>\\n")) "}",
     "{" CONV(H("q"), G("a")) "}"},
    {"stripped, two answers", STRIP,
     "{" CONV(H("q"), G("<think></think>\\n\\na"), H("r"), G("<think>t</think>b")) "}",
     "{" CONV(H("q"), G("a"), H("r"), G("b")) "}"},
    {"nothing to strip: byte for byte", STRIP, "{" CONV(H("q"), G("\\u0061 <b> </b>")) "}",
     "{" CONV(H("q"), G("\\u0061 <b> </b>")) "}"},
    {"a mark that is spoken of", STRIP,
     "{" CONV(H("q"), G("use <think> and <think> and <thinking>")) "}",
     "{" CONV(H("q"), G("use <think> and <think> and <thinking>")) "}"},
    {"only a thought", STRIP, "{" CONV(H("q"), G("<think>t</think>\\n")) "}",
     "fail:empty_answer: turn 2 is empty"},
    {"a thought without an end", STRIP, "{" CONV(H("q"), G("a"), H("r"), G(" <think>t")) "}",
     "fail:open_think: an answer begins with <think>, which has no end"},
    {"members stripped", STRIP,
     "{" CONV(H("q"),
              "{\"from\":\"gpt\",\"reasoning_content\":\"r\",\"value\":\"a\",\"reasoning\":null,"
              "\"thinking\":7}") "}",
     "{" CONV(H("q"), "{\"from\":\"gpt\",\"value\":\"a\",\"thinking\":7}") "}"},
    {"members rendered", RENDER,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":"
     "\"a\",\"reasoning_"
     "content\":\"r\\ns\",\"n\":1},{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\","
     "\"content\":\"b\","
     "\"reasoning\":\"\"}]}",
     "{" CONV(H("q"), "{\"from\":\"gpt\",\"value\":\"<think>\\nr\\ns\\n</think>\\n\\na\",\"n\":1}",
              H("q"), G("b")) "}"},
    {"not rendered twice", RENDER,
     "{" CONV(H("q"),
              "{\"from\":\"gpt\",\"value\":\"<think>\\nr\\n</think>a\",\"reasoning\":\"r\"}") "}",
     "{" CONV(H("q"), G("<think>\\nr\\n</think>a")) "}"},
    {"a field beside the answer rendered", RENDER,
     "{\"input\":\"q\",\"content\":\"a\",\"reasoning_content\":\"r\",\"score\":1}",
     "{\"score\":1," CONV(H("q"), G("<think>\\nr\\n</think>\\n\\na")) "}"},
    {"a field beside the answer, medical-o1", RENDER,
     "{\"Question\":\"q\",\"Complex_CoT\":\"r\",\"Response\":\"a\"}",
     "{" CONV(H("q"), G("<think>\\nr\\n</think>\\n\\na")) "}"},
    {"a field beside the answer stays", STRIP,
     "{\"input\":\"q\",\"content\":\"a\",\"reasoning\":\"r\"}",
     "{\"reasoning\":\"r\"," CONV(H("q"), G("a")) "}"},
    {"calls keep their thought", NULL,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":"
     "null,\"tool_calls\":"
     "[1],\"reasoning\":\"r\"},{\"role\":\"tool\",\"content\":\"x\"},{\"role\":\"assistant\","
     "\"content\":\"a\"}]}",
     "{" CONV(H("q"), "{\"from\":\"function_call\",\"value\":\"[1]\",\"reasoning\":\"r\"}",
              "{\"from\":\"observation\",\"value\":\"x\"}", G("a")) "}"},
};

START_TEST(chat_thoughts)
{
    check_case(&thoughts[_i]);
}
END_TEST

#define TOOLS "{\"tools\":\"render\",\"kind\":true,\"lang\":\"none\"}"

/* Calls and results as text; the form is that of Qwen2.5's chat template. */
static const struct chat_case rendered[] = {
    {"openai", TOOLS,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":"
     "\"let me see\","
     "\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
     "\"arguments\":\"{\\\"x\\\": "
     "1}\"}},{\"function\":{\"arguments\":{\"y\":[2]},\"name\":\"g\"}}]},{\"role\":\"tool\","
     "\"content\":\"one\"},{"
     "\"role\":\"tool\",\"content\":\"two\"},{\"role\":\"assistant\",\"content\":\"a\"}]}",
     "{" CONV(
         H("q"),
         G("let me see\\n<tool_call>\\n{\\\"name\\\": \\\"f\\\", \\\"arguments\\\": {\\\"x\\\": "
           "1}}\\n</tool_call>\\n"
           "<tool_call>\\n{\\\"name\\\": \\\"g\\\", \\\"arguments\\\": "
           "{\\\"y\\\":[2]}}\\n</tool_call>"),
         H("<tool_response>\\none\\n</tool_response>\\n<tool_response>\\ntwo\\n</tool_response>"),
         G("a")) "}"},
    {"openai, forms of its own", TOOLS,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":"
     "\"\",\"tool_calls\":[{"
     "\"f\":1},{\"function\":{\"name\":\"g\",\"arguments\":\"none\"}}]}]}",
     "{" CONV(
         H("q"),
         G("<tool_call>\\n{\\\"f\\\":1}\\n</tool_call>\\n<tool_call>\\n{\\\"name\\\": \\\"g\\\", "
           "\\\"arguments\\\": \\\"none\\\"}\\n</tool_call>")) "}"},
    {"sharegpt", TOOLS,
     "{" CONV(H("q"), "{\"from\":\"function_call\",\"value\":\"{}\"}",
              "{\"from\":\"observation\",\"value\":\"\"}",
              "{\"from\":\"function_call\",\"value\":\"[]\"}",
              "{\"from\":\"observation\",\"value\":\"x\"}", G("a")) "}",
     "{" CONV(H("q"), G("<tool_call>\\n{}\\n</tool_call>"),
              H("<tool_response>\\n\\n</tool_response>"), G("<tool_call>\\n[]\\n</tool_call>"),
              H("<tool_response>\\nx\\n</tool_response>"), G("a")) "}"},
    {"without calls nothing changes", TOOLS, "{" CONV(H("\\u0041"), G("a")) "}",
     "{" CONV(H("\\u0041"), G("a")) "}"},
};

START_TEST(chat_tools_rendered)
{
    drh_error         e = DRH_ERROR_INIT;
    struct mini_host *m;
    check_case(&rendered[_i]);
    m = mini_new(&drh_entry_v1, TOOLS, NULL, &e);
    ck_assert_ptr_nonnull(m);
    /* results are no questions */
    ck_assert_ptr_nonnull(strstr(mini_run(m, rendered[_i].in), "\"kind\":\"single\""));
    mini_free(m);
}
END_TEST

/* Reference: printf of the parts, each preceded by its length as 8 bytes, through sha256sum:
 *   python3 -c 'import hashlib,struct,sys
 *   p=["","human","A\nB","gpt","C"]
 *   print(hashlib.sha256(b"".join(struct.pack("<Q",len(x))+x.encode() for x in
 * p)).hexdigest()[:32])'
 */
#define ID_AB_C "369d6999e9c9f60f2eab497097fbc568"
#define ID_S_Q_A "ccc6d044ce2a7917d350ed351848d17d"

static const struct chat_case metadata[] = {
    {"R-11 one round, all of it", "{\"quality\":\"good\",\"kind\":true}",
     "{\"instruction\":\"A\",\"input\":\"B\",\"output\":\"C\"}",
     "{" CONV(H("A\\nB"),
              G("C")) ",\"metadata\":{\"id\":\"" ID_AB_C
                      "\",\"domain\":\"Math\",\"dataset\":\"gsm\",\"source\":\"local:d\",\"lang\":"
                      "\"En\",\"quality\":"
                      "\"good\",\"src\":\"d/x.json:3\",\"kind\":\"single\",\"input_from\":2}}"},
    {"5.4 duplicates: what is there stays", NULL,
     "{\"metadata\":{\"lang\":\"De\",\"id\":\"mine\",\"domain\":\"Old\",\"src\":\"a:1\",\"x\":[1]},"
     "\"system\":\"S\"," CONV(H("q"), G("a")) "}",
     "{\"metadata\":{\"lang\":\"De\",\"id\":\"mine\",\"domain\":\"Math\",\"src\":\"a:1\",\"x\":[1],"
     "\"dataset\":\"gsm\",\"source\":\"local:d\"},\"system\":\"S\"," CONV(H("q"), G("a")) "}"},
    {"R-11 two rounds", "{\"kind\":true,\"lang\":\"X\"}",
     "{\"metadata\":{\"id\":\"i\",\"src\":\"a:1\"}," CONV(H("q"), G("a"), H("r"), G("b")) "}",
     "{\"metadata\":{\"id\":\"i\",\"src\":\"a:1\",\"domain\":\"Math\",\"dataset\":\"gsm\","
     "\"source\":"
     "\"local:d\",\"lang\":\"X\",\"kind\":\"multi\"}," CONV(H("q"), G("a"), H("r"), G("b")) "}"},
    {"R-11 one round, with a call", "{\"kind\":true,\"lang\":\"X\"}",
     "{\"metadata\":{\"id\":\"i\",\"src\":\"a:1\"}," CONV(
         H("q"), "{\"from\":\"function_call\",\"value\":\"{}\"}",
         "{\"from\":\"observation\",\"value\":\"r\"}", G("a")) "}",
     "{\"metadata\":{\"id\":\"i\",\"src\":\"a:1\",\"domain\":\"Math\",\"dataset\":\"gsm\","
     "\"source\":"
     "\"local:d\",\"lang\":\"X\",\"kind\":\"single\"}," CONV(
         H("q"), "{\"from\":\"function_call\",\"value\":\"{}\"}",
         "{\"from\":\"observation\",\"value\":\"r\"}", G("a")) "}"},
    {"5.4 duplicates: an id that is no text is replaced", "{\"lang\":\"none\"}",
     "{\"system\":\"S\"," CONV(H("q"), G("a")) ",\"metadata\":{\"id\":7}}",
     "{\"system\":\"S\"," CONV(H("q"), G("a")) ",\"metadata\":{\"id\":\"" ID_S_Q_A
                                               "\",\"domain\":\"Math\",\"dataset\":\"gsm\","
                                               "\"source\":\"local:d\",\"src\":\"d/x.json:3\"}}"},
    {"metadata that is no object moves", "{\"lang\":\"X\"}",
     "{\"metadata\":\"m\",\"system\":\"S\"," CONV(H("q"), G("a")) "}",
     "{\"metadata\":{\"raw\":\"m\",\"id\":\"" ID_S_Q_A
     "\",\"domain\":\"Math\",\"dataset\":\"gsm\",\"source\":\"local:d\",\"lang\":\"X\",\"src\":"
     "\"d/x.json:3\"},\"system\":\"S\"," CONV(H("q"), G("a")) "}"},
};

START_TEST(chat_metadata)
{
    const struct chat_case *c = &metadata[_i];
    drh_error               e = DRH_ERROR_INIT;
    struct mini_host       *m = mini_new(&drh_entry_v1, c->options ? c->options : "{}", NULL, &e);
    const char             *got;
    ck_assert_ptr_nonnull(m);
    mini_origin(m, "d/x.json", "Math", "gsm", "local:d");
    got = mini_run(m, c->in);
    ck_assert_msg(strcmp(got, c->out) == 0, "%s:\n got %s\nwant %s", c->name, got, c->out);
    mini_free(m);
}
END_TEST

static const struct {
    const char *text, *lang;
} langs[] = {
    {"What is 2+2?", "\"lang\":\"En\""},
    {"\u4f60\u597d\uff0c\u4ec0\u4e48\u662f AI\uff1f", "\"lang\":\"Zh\""},
    {"\u8bf7\u7528 Python \u5199\u4e00\u4e2a\u5feb\u901f\u6392\u5e8f", "\"lang\":\"Zh\""},
    {"Translate \u4f60\u597d into English, then explain the greeting", "\"lang\":\"En\""},
    {"\u3053\u308c\u306f\u4f55\u3067\u3059\u304b", "\"lang\":\"Ja\""},
    {"\uc548\ub155\ud558\uc138\uc694", "\"lang\":\"Ko\""},
    {"\u041f\u0440\u0438\u0432\u0435\u0442", "\"lang\":\"Ru\""},
    {"2+2=4", NULL},
};

START_TEST(chat_lang_by_script)
{
    drh_error         e = DRH_ERROR_INIT;
    struct mini_host *m = mini_new(&drh_entry_v1, "{}", NULL, &e);
    char              line[512];
    const char       *got;
    ck_assert_ptr_nonnull(m);
    (void)snprintf(line, sizeof(line), "{\"instruction\":\"%s\",\"output\":\"%s\"}", langs[_i].text,
                   langs[_i].text);
    got = mini_run(m, line);
    if (langs[_i].lang) {
        ck_assert_msg(strstr(got, langs[_i].lang) != NULL, "%s", got);
    } else {
        ck_assert_msg(strstr(got, "\"lang\"") == NULL, "%s", got);
    }
    mini_free(m);
}
END_TEST

/* A letter of the Latin alphabet says a quarter of what a Han character says: counts to the last
 * one, wherever letters and what is just no letter lie. */
START_TEST(chat_letters_counted)
{
    static const char letters[] = "azAZmM", others[] = "@[`{/:09~ ";
    drh_error         e = DRH_ERROR_INIT;
    struct mini_host *m = mini_new(&drh_entry_v1, "{}", NULL, &e);
    ck_assert_ptr_nonnull(m);
    for (size_t before = 0; before < 20; before++) {
        for (size_t n = 0; n < 9; n++) {
            char        line[256] = "{\"instruction\":\"";
            size_t      at = strlen(line);
            const char *got;
            for (size_t i = 0; i < before; i++) {
                line[at++] = others[(i + before) % (sizeof(others) - 1)];
            }
            for (size_t i = 0; i < n; i++) {
                line[at++] = letters[(i + before) % (sizeof(letters) - 1)];
                line[at++] = others[i];
            }
            (void)snprintf(line + at, sizeof(line) - at, "\u4f60 1 2 3 4\",\"output\":\"1\"}");
            got = mini_run(m, line);
            ck_assert_msg(strstr(got, n < 4 ? "\"lang\":\"Zh\"" : "\"lang\":\"En\"") != NULL, "%s",
                          got);
        }
    }
    mini_free(m);
}
END_TEST

/* A record that went through once goes through again unchanged. */
START_TEST(chat_twice)
{
    drh_error         e = DRH_ERROR_INIT;
    struct mini_host *m = mini_new(&drh_entry_v1, "{}", NULL, &e);
    char             *once;
    ck_assert_ptr_nonnull(m);
    mini_origin(m, "d/x.json", "Math", "gsm", "local:d");
    if (dialects[_i].out[0] == '{') {
        once = strdup(mini_run(m, dialects[_i].in));
        ck_assert_ptr_nonnull(once);
        ck_assert_msg(strcmp(mini_run(m, once), once) == 0, "%s: %s", dialects[_i].name, once);
        free(once);
    }
    mini_free(m);
}
END_TEST

/* Many parts: time and memory stay linear; the text is what it should be. */
START_TEST(chat_many_parts)
{
    enum { N = 20000 };
    drh_error         e = DRH_ERROR_INIT;
    struct mini_host *m = mini_new(&drh_entry_v1, NO_META, NULL, &e);
    struct buf        line;
    const char       *got;
    size_t            i;
    ck_assert_ptr_nonnull(m);
    buf_init(&line, 64 << 20);
    ck_assert_int_eq(buf_adds(&line, "{\"messages\":[{\"role\":\"user\",\"content\":["), DRH_OK);
    for (i = 0; i < N; i++) {
        ck_assert_int_eq(buf_adds(&line, i ? ",\"x\"" : "\"x\""), DRH_OK);
    }
    ck_assert_int_eq(buf_adds(&line, "]},{\"role\":\"assistant\",\"content\":\"a\"}]}"), DRH_OK);
    got = mini_run(m, line.ptr);
    ck_assert_int_eq(
        strncmp(got, "{\"conversations\":[{\"from\":\"human\",\"value\":\"x\\nx\\nx", 50), 0);
    ck_assert_uint_gt(strlen(got), 3 * N - 2);
    ck_assert_uint_lt(strlen(got), 3 * N + 300);
    buf_free(&line);
    mini_free(m);
}
END_TEST

START_TEST(chat_options_refused)
{
    static const char *const bad[] = {"{\"turns\":[3,2]}", "{\"prompt_key\":\"/a~2\"}",
                                      "{\"dialect\":\"x\"}", "{\"colour\":1}"};
    drh_error                e = DRH_ERROR_INIT;
    ck_assert_ptr_null(mini_new(&drh_entry_v1, bad[_i], NULL, &e));
    ck_assert_str_ne(e.message, "");
}
END_TEST

START_TEST(chat_without_memory)
{
    struct buf line;
    size_t     i;
    /* more turns and longer texts than what is there at first */
    buf_init(&line, 64 << 20);
    ck_assert_int_eq(buf_adds(&line, "{\"instruction\":\"q\",\"input\":\"i\",\"output\":\"a\","
                                     "\"history\":["),
                     DRH_OK);
    for (i = 0; i < 40; i++) {
        ck_assert_int_eq(buf_addf(&line, "%s[\"q%0*d\",\"a\"]", i ? "," : "", 4000, 7), DRH_OK);
    }
    ck_assert_int_eq(buf_adds(&line, "]}"), DRH_OK);
    mini_sweep(&drh_entry_v1, "{\"turns\":[1,2]}", NULL, line.ptr,
               "drop:turns_out_of_range: 41 rounds, wanted are 1 to 2");
    mini_sweep(&drh_entry_v1, "{\"lang\":\"none\",\"system\":\"drop\"}", NULL,
               "{\"instruction\":\"A\",\"input\":\"B\",\"output\":\"C\"}",
               "{" CONV(H("A\\nB"), G("C")) ",\"metadata\":{\"id\":\"" ID_AB_C
                                            "\",\"input_from\":2}}");
    mini_sweep(&drh_entry_v1, "{\"lang\":\"none\",\"system\":\"drop\"}", NULL,
               "{\"data\":\"['A\\\\nB' 'C']\"}",
               "{" CONV(H("A\\nB"), G("C")) ",\"metadata\":{\"id\":\"" ID_AB_C "\"}}");
    mini_sweep(&drh_entry_v1, "{\"lang\":\"none\",\"think\":\"render\",\"turns\":[2,2]}", NULL,
               "{\"prompt\":\"q\",\"answer\":\"a\",\"reasoning\":\"r\"}",
               "drop:turns_out_of_range: 1 rounds, wanted are 2 to 2");
    mini_sweep(
        &drh_entry_v1,
        "{\"tools\":\"render\",\"think\":\"strip\",\"lang\":\"none\",\"empty\":\"keep\"}", NULL,
        "{" CONV(H("A\\nB"), "{\"from\":\"function_call\",\"value\":\"{}\"}") ",\"metadata\":{"
                                                                              "\"id\":\"i\"}}",
        "{" CONV(H("A\\nB"), G("<tool_call>\\n{}\\n</tool_call>")) ",\"metadata\":{\"id\":\"i\"}}");
    buf_free(&line);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("chat");
    TCase   *t = tcase_create("chat");
    SRunner *r;
    int      failed;
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, chat_dialects, 0, sizeof(dialects) / sizeof(dialects[0]));
    tcase_add_loop_test(t, chat_outcomes, 0, sizeof(outcomes) / sizeof(outcomes[0]));
    tcase_add_loop_test(t, chat_thoughts, 0, sizeof(thoughts) / sizeof(thoughts[0]));
    tcase_add_loop_test(t, chat_tools_rendered, 0, sizeof(rendered) / sizeof(rendered[0]));
    tcase_add_loop_test(t, chat_metadata, 0, sizeof(metadata) / sizeof(metadata[0]));
    tcase_add_loop_test(t, chat_lang_by_script, 0, sizeof(langs) / sizeof(langs[0]));
    tcase_add_test(t, chat_letters_counted);
    tcase_add_loop_test(t, chat_twice, 0, sizeof(dialects) / sizeof(dialects[0]));
    tcase_add_test(t, chat_many_parts);
    tcase_add_test(t, chat_without_memory);
    tcase_add_loop_test(t, chat_options_refused, 0, 4);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
