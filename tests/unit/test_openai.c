/* SPDX-License-Identifier: MIT
 *
 * test_openai.c - plugins/infer_openai: bodies of requests and answers, written by hand after the
 * servers' public descriptions; streams in any pieces; scores.
 */
#include "bare_host.h"
#include "oa.h"
#include "run.h"

#include "json.h"
#include "record.h"

#include <drh/util.h>
#include <math.h>
#include <stdlib.h>

static drh_host         host;
static struct oa        o;
static struct oa_answer a;
static drh_text         t;
static const drh_str    stops[] = {
       {DRH_LIT("\n")}, {DRH_LIT("</s>")}, {DRH_LIT("c")}, {DRH_LIT("d")}, {DRH_LIT("e")}};

/* What the service owns is not const. */
static char base[] = "http://h/v1",
            azure_base[] = "https://n.openai.azure.com/openai/deployments/d";
static char none[] = "", version[] = "?api-version=2024-10-21", model[] = "m", key[] = "sk-1";

static void setup(void)
{
    bare_reset();
    host = bare_host;
    host.json_open = json_doc_open;
    host.json_close = json_doc_close;
    host.values = &value_api;
    memset(&o, 0, sizeof(o));
    o.host = &host;
    o.n_ep = 1;
    o.ep[0] = (struct oa_endpoint){
        .base = base, .name = base, .query = none, .model = model, .weight = 1, .max = 100};
    o.caps = (struct oa_caps){.completions = true, .chat = true, .server = OA_VLLM};
    memset(&a, 0, sizeof(a));
    a.text.host = &host;
    oa_answer_clear(&a);
    t = (drh_text){.host = &host};
}

static void teardown(void)
{
    drh_text_free(&t);
    drh_text_free(&a.text);
    ck_assert_int_eq(bare_blocks, 0);
}

static drh_str str(const char *s)
{
    return drh_str_of(s);
}

/* ---- bodies ---- */

static const drh_infer_msg sys = {sizeof(sys), 0, {DRH_LIT("system")}, {DRH_LIT("Be \"brief\".")}};
static const drh_infer_msg user = {sizeof(user), 0, {DRH_LIT("user")}, {DRH_LIT("1\n2")}};
static const drh_infer_msg *const messages[] = {&sys, &user};

static drh_infer_req raw(void)
{
    return (drh_infer_req){.struct_size = sizeof(drh_infer_req),
                           .op = DRH_INFER_GENERATE,
                           .prompt = {DRH_LIT("a\tb\x01 \\ \xe4\xb8\xad")},
                           .max_tokens = 7,
                           .temperature = 0.7,
                           .seed = 5};
}

static drh_infer_req chat(void)
{
    drh_infer_req q = raw();

    q.prompt = (drh_str){NULL, 0};
    q.messages = messages;
    q.n_messages = 2;
    return q;
}

static void ck_body(const drh_infer_req *q, bool stream, const char *want)
{
    drh_text_clear(&t);
    oa_write_generate(&t, &o, &o.ep[0], q, stream);
    ck_assert_str_eq(t.ptr, want);
}

START_TEST(a_raw_prompt)
{
    drh_infer_req q = raw();

    o.caps.server = OA_LLAMACPP;
    ck_body(&q, false,
            "{\"model\":\"m\",\"prompt\":\"a\\u0009b\\u0001 \\\\ \xe4\xb8\xad\",\"max_tokens\":7,"
            "\"temperature\":0.7,\"seed\":5}");
    o.caps.server = OA_VLLM; /* whether the tokenizer adds its context token is said */
    q.prompt = str("x");
    ck_body(&q, false,
            "{\"model\":\"m\",\"prompt\":\"x\",\"add_special_tokens\":false,\"max_tokens\":7,"
            "\"temperature\":0.7,\"seed\":5}");
    q.flags = DRH_INFER_BOS;
    ck_body(&q, false,
            "{\"model\":\"m\",\"prompt\":\"x\",\"add_special_tokens\":true,\"max_tokens\":7,"
            "\"temperature\":0.7,\"seed\":5}");
    o.opt.bos = str("<s>");
    ck_body(&q, false,
            "{\"model\":\"m\",\"prompt\":\"<s>x\",\"add_special_tokens\":false,\"max_tokens\":7,"
            "\"temperature\":0.7,\"seed\":5}");
}
END_TEST

START_TEST(a_chat)
{
    drh_infer_req q = chat();

    q.top_p = 0.9;
    q.max_tokens = 0;
    q.temperature = 0;
    q.seed = 0x8000000100000002u; /* folded to 31 bits: ...02 ^ 80000001 without the sign */
    ck_body(
        &q, true,
        "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be "
        "\\\"brief\\\".\"},{\"role\":\"user\",\"content\":\"1\\n2\"}],\"temperature\":0,"
        "\"top_p\":0.9,\"seed\":3,\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    q.max_tokens = 9;
    o.caps.completion_tokens = true;
    o.opt.extra = str("\"user\":\"me\"");
    q.stop = stops;
    q.n_stop = 2;
    q.seed = 1;
    ck_body(&q, false,
            "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be "
            "\\\"brief\\\".\"},{\"role\":\"user\",\"content\":\"1\\n2\"}],"
            "\"max_completion_tokens\":9,\"temperature\":0,\"top_p\":0.9,\"seed\":1,\"stop\":["
            "\"\\n\",\"</s>\"],\"user\":\"me\"}");
}
END_TEST

/* Beyond OpenAI's own parameters: names differ by server, or there are none. */
START_TEST(more_sampling)
{
    drh_infer_req q = raw();
    drh_error     e = DRH_ERROR_INIT;

    q.prompt = str("x");
    q.top_k = 40;
    q.min_p = 0.05;
    q.repetition_penalty = 1.1;
    ck_body(
        &q, false,
        "{\"model\":\"m\",\"prompt\":\"x\",\"add_special_tokens\":false,\"max_tokens\":7,"
        "\"temperature\":0.7,\"top_k\":40,\"min_p\":0.05,\"repetition_penalty\":1.1,\"seed\":5}");
    ck_assert_int_eq(oa_check_request(&o, &q, &e), DRH_OK);
    o.caps.server = OA_LLAMACPP;
    ck_body(&q, false,
            "{\"model\":\"m\",\"prompt\":\"x\",\"max_tokens\":7,\"temperature\":0.7,\"top_k\":40,"
            "\"min_p\":0.05,\"repeat_penalty\":1.1,\"seed\":5}");
    o.caps.server = OA_OPENAI;
    ck_assert_int_eq(oa_check_request(&o, &q, &e), DRH_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(e.message, "top_k"));
    q.top_k = 0;
    q.min_p = 0;
    ck_assert_int_eq(oa_check_request(&o, &q, &e), DRH_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(e.message, "repetition_penalty"));
    q.repetition_penalty = 1;
    ck_assert_int_eq(oa_check_request(&o, &q, &e), DRH_OK);
}
END_TEST

START_TEST(what_cannot_be_asked)
{
    drh_infer_req r = raw(), c = chat();
    drh_error     e = DRH_ERROR_INIT;

    o.caps.completions = false;
    ck_assert_int_eq(oa_check_request(&o, &r, &e), DRH_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(e.message, "chat only"));
    ck_assert_int_eq(oa_check_request(&o, &c, &e), DRH_OK);
    o.caps = (struct oa_caps){.completions = true, .score = OA_SCORE_NONE};
    ck_assert_int_eq(oa_check_request(&o, &c, &e), DRH_E_UNSUPPORTED);
    ck_assert_int_eq(oa_check_request(&o, &r, &e), DRH_OK);
    r.flags = DRH_INFER_BOS;
    ck_assert_int_eq(oa_check_request(&o, &r, &e), DRH_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(e.message, "services.infer.bos"));
    r.flags = 1u << 30;
    ck_assert_int_eq(oa_check_request(&o, &r, &e), DRH_E_UNSUPPORTED);
    r.flags = 0;
    r.op = DRH_INFER_SCORE;
    ck_assert_int_eq(oa_check_request(&o, &r, &e), DRH_E_UNSUPPORTED);
    o.caps.score = OA_SCORE_ECHO;
    ck_assert_int_eq(oa_check_request(&o, &r, &e), DRH_OK);
    r.op = DRH_INFER_EMBED;
    ck_assert_int_eq(oa_check_request(&o, &r, &e), DRH_E_UNSUPPORTED);
}
END_TEST

START_TEST(more_stops_than_the_server_takes)
{
    drh_infer_req q = raw();

    q.stop = stops;
    q.n_stop = 5;
    ck_assert_uint_eq(oa_stops_there(&o, &q), 5);
    ck_assert(!oa_streams(&o, &q));
    o.caps.server = OA_OPENAI;
    ck_assert_uint_eq(oa_stops_there(&o, &q), 4);
    ck_assert(oa_streams(&o, &q));
    o.opt.stream = OA_STREAM_NO; /* without a stream nobody looks for the fifth */
    ck_assert(oa_streams(&o, &q));
    q.n_stop = 4;
    ck_assert(!oa_streams(&o, &q));
}
END_TEST

START_TEST(numbers)
{
    const struct {
        double      v;
        const char *want;
    } all[] = {{0, "0"}, {1, "1"}, {0.1, "0.1"}, {1.0 / 3, "0.3333333333333333"}, {1e-7, "1e-07"}};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        drh_text_clear(&t);
        oa_write_number(&t, all[i].v);
        ck_assert_str_eq(t.ptr, all[i].want);
    }
}
END_TEST

START_TEST(addresses_and_keys)
{
    struct oa_call c;

    oa_call_make(&c, &o, &o.ep[0], OA_PATH_TOKENIZE, str("{}"));
    ck_assert_str_eq(c.req.url.ptr, "http://h/tokenize"); /* beside /v1 */
    ck_assert_uint_eq(c.req.n_credentials, 0);
    ck_assert_uint_eq(c.req.tries, 1);
    oa_call_free(&c);
    o.ep[0].key = key;
    oa_call_make(&c, &o, &o.ep[0], OA_PATH_CHAT, str("{}"));
    ck_assert_str_eq(c.req.url.ptr, "http://h/v1/chat/completions");
    ck_assert_str_eq(c.req.credentials->name.ptr, "authorization");
    ck_assert_str_eq(c.req.credentials->value.ptr, "Bearer sk-1");
    oa_call_free(&c);
    o.ep[0].azure = true;
    o.ep[0].base = azure_base;
    o.ep[0].query = version;
    oa_call_make(&c, &o, &o.ep[0], OA_PATH_CHAT, str("{}"));
    ck_assert_str_eq(c.req.url.ptr, "https://n.openai.azure.com/openai/deployments/d/chat/"
                                    "completions?api-version=2024-10-21");
    ck_assert_str_eq(c.req.credentials->name.ptr, "api-key");
    ck_assert_str_eq(c.req.credentials->value.ptr, "sk-1");
    oa_call_free(&c);
}
END_TEST

/* ---- answers ---- */

#define USAGE "\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":12,\"total_tokens\":21}"

static const struct {
    const char     *body;
    bool            chat;
    enum oa_verdict v;
    const char     *text; /* or a part of the words */
    uint32_t        finish;
} wholes[] = {
    {"{\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"choices\":[{\"text\":\"\\n\\nThis\","
     "\"index\":0,\"logprobs\":null,\"finish_reason\":\"length\"}]," USAGE "}",
     false, OA_GOOD, "\n\nThis", DRH_INFER_LENGTH},
    {"{\"id\":\"x\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hi "
     "\\u00e9\",\"refusal\":null},\"finish_reason\":\"stop\"}]," USAGE "}",
     true, OA_GOOD, "Hi \xc3\xa9", DRH_INFER_STOP},
    {"{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":"
     "\"text\",\"text\":\"b\"}]},\"finish_reason\":\"stop\"}]}",
     true, OA_GOOD, "ab", DRH_INFER_STOP},
    {"{\"choices\":[{\"message\":{\"content\":null,\"reasoning_content\":\"hm\"},"
     "\"finish_reason\":\"length\"}]}",
     true, OA_GOOD, "", DRH_INFER_LENGTH},
    {"{\"choices\":[{\"text\":\"half an ans\",\"finish_reason\":\"content_filter\"}]}", false,
     OA_GOOD, "", DRH_INFER_FILTERED},
    {"{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"I will not\"},\"finish_reason\":"
     "\"stop\"}]}",
     true, OA_GOOD, "", DRH_INFER_FILTERED},
    {"{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[]},\"finish_reason\":"
     "\"tool_calls\"}]}",
     true, OA_FAIL, "tool", 0},
    {"{\"choices\":[]}", true, OA_AGAIN, "no choices", 0},
    {"{\"choices\":null}", true, OA_AGAIN, "no choices", 0},
    {"{\"choices\":[3]}", true, OA_AGAIN, "no choices", 0},
    {"{}", false, OA_AGAIN, "no choices", 0},
    {"[]", false, OA_AGAIN, "no choices", 0},
    {"", false, OA_AGAIN, "broken JSON", 0},
    {"<html>", false, OA_AGAIN, "broken JSON", 0},
    {"{\"choices\":[{\"text\":\"half", false, OA_AGAIN, "broken JSON", 0},
    {"{\"choices\":[{\"text\":\"x\",\"finish_reason\":null}]}", false, OA_AGAIN, "how it ended", 0},
    {"{\"choices\":[{\"text\":\"x\",\"finish_reason\":\"abort\"}]}", false, OA_AGAIN, "abort", 0},
    {"{\"choices\":[{\"finish_reason\":\"stop\"}]}", false, OA_AGAIN, "no text", 0},
    {"{\"choices\":[{\"text\":7,\"finish_reason\":\"stop\"}]}", false, OA_AGAIN, "none", 0},
    {"{\"choices\":[{\"text\":\"x\",\"finish_reason\":\"stop\"}]}", true, OA_AGAIN, "no message",
     0},
    {"{\"error\":{\"message\":\"over\\nloaded\",\"code\":502}}", true, OA_AGAIN, "over loaded", 0},
};

START_TEST(whole_answers)
{
    enum oa_verdict v = oa_read_whole(&host, str(wholes[_i].body), wholes[_i].chat, &a);

    ck_assert_int_eq(v, wholes[_i].v);
    ck_assert_uint_eq(a.finish, wholes[_i].finish);
    if (v == OA_GOOD) {
        ck_assert_str_eq(drh_text_str(&a.text).ptr, wholes[_i].text);
        ck_assert_uint_eq(a.text.len, strlen(wholes[_i].text));
    } else {
        ck_assert_ptr_nonnull(strstr(a.words, wholes[_i].text));
        ck_assert_int_ne(a.code, DRH_OK);
    }
    ck_assert_double_eq(a.n_in, strstr(wholes[_i].body, "usage") ? 9 : -1);
    ck_assert_double_eq(a.n_out, strstr(wholes[_i].body, "usage") ? 12 : -1);
}
END_TEST

static const struct {
    uint32_t        status;
    const char     *body;
    bool            before; /* the endpoint has worked */
    enum oa_verdict v;
    drh_status      code;
    const char     *words;
} errors[] = {
    {401, "{\"error\":{\"message\":\"Incorrect API key provided: sk-canary.\"}}", true, OA_HALT,
     DRH_E_AUTH, "refused (401)"},
    {403, "{\"detail\":\"no\"}", false, OA_HALT, DRH_E_AUTH, "(403)"},
    {403, "{\"error\":{\"message\":\"flagged\"}}", true, OA_FAIL, DRH_E_ARG, "flagged"},
    {402, "{}", true, OA_SPENT, DRH_E_BUDGET, "nothing left"},
    {429, "{\"error\":{\"message\":\"m\",\"code\":\"insufficient_quota\"}}", true, OA_SPENT,
     DRH_E_BUDGET, ""},
    {429, "{\"error\":{\"message\":\"slow down\",\"code\":\"rate_limit_exceeded\"}}", true, OA_BUSY,
     DRH_E_NETWORK, "429: slow down"},
    {503, "{\"error\":{\"message\":\"Loading model\",\"code\":503}}", true, OA_BUSY, DRH_E_NETWORK,
     "Loading model"},
    {500, "", true, OA_AGAIN, DRH_E_NETWORK, "answers 500"},
    {408, "x", true, OA_AGAIN, DRH_E_NETWORK, "answers 408"},
    {302, "", true, OA_AGAIN, DRH_E_NETWORK, "answers 302"},
    {400,
     "{\"error\":{\"message\":\"This model's maximum context length is 4096 tokens.\",\"type\":"
     "\"invalid_request_error\",\"param\":\"messages\",\"code\":\"context_length_exceeded\"}}",
     true, OA_FAIL, DRH_E_RANGE, "4096"},
    {400,
     "{\"object\":\"error\",\"message\":\"This model's maximum context length is 10 tokens.\","
     "\"type\":\"BadRequestError\",\"param\":null,\"code\":400}",
     true, OA_FAIL, DRH_E_RANGE, "10 tokens"},
    {400,
     "{\"error\":{\"code\":400,\"message\":\"the request exceeds the available context size\","
     "\"type\":\"exceed_context_size_error\",\"n_ctx\":8}}",
     true, OA_FAIL, DRH_E_RANGE, ""},
    {422, "{\"detail\":[{\"loc\":[\"body\",\"x\"],\"msg\":\"bad\"}]}", true, OA_FAIL, DRH_E_ARG,
     "\"bad\""},
    {404, "{\"error\":{\"message\":\"no model\"}}", false, OA_HALT, DRH_E_CONFIG, "no model"},
    {404, "{\"error\":{\"message\":\"no model\"}}", true, OA_FAIL, DRH_E_ARG, "no model"},
    {400, "{\"error\":\"plain text\"}", true, OA_FAIL, DRH_E_ARG, "plain text"},
    {400, "{\"error\":{\"message\":\"you sent sk-canary to me, sk-canary\"}}", true, OA_FAIL,
     DRH_E_ARG, "you sent (the key) to me, (the key)"},
};

START_TEST(answers_of_other_statuses)
{
    enum oa_verdict v = oa_read_error(&host, errors[_i].status, str(errors[_i].body), "sk-canary",
                                      errors[_i].before, &a);

    ck_assert_int_eq(v, errors[_i].v);
    ck_assert_int_eq(a.code, errors[_i].code);
    ck_assert_ptr_nonnull(strstr(a.words, errors[_i].words));
    ck_assert_ptr_null(strstr(a.words, "canary"));
    ck_assert_uint_eq(a.text.len, 0);
}
END_TEST

START_TEST(a_prompt_that_was_withheld)
{
    const char *azure =
        "{\"error\":{\"message\":\"The response was filtered\",\"type\":null,\"param\":\"prompt\","
        "\"code\":\"content_filter\",\"status\":400,\"innererror\":{\"code\":"
        "\"ResponsibleAIPolicyViolation\"}}}";

    ck_assert_int_eq(oa_read_error(&host, 400, str(azure), NULL, true, &a), OA_GOOD);
    ck_assert_uint_eq(a.finish, DRH_INFER_FILTERED);
    ck_assert_uint_eq(a.text.len, 0);
}
END_TEST

/* Control characters, the length, and no half of a character at the end. */
START_TEST(words_of_servers)
{
    char   text[600];
    size_t n;

    oa_words(&a, "a: ", str("x\n\x1b[31m\x7f"), NULL);
    ck_assert_str_eq(a.words, "a: x  [31m ");
    for (n = 0; n + 2 < sizeof(text); n += 2) {
        memcpy(text + n, "\xc3\xa9", 2);
    }
    text[n] = '\0';
    oa_words(&a, "x", str(text), NULL); /* one byte, so that the cut is within a character */
    ck_assert_uint_le(strlen(a.words), OA_WORDS);
    ck_assert(json_utf8_valid(a.words, strlen(a.words)));
}
END_TEST

/* ---- streams ---- */

static const char sse[] =
    ": a comment\r\n\r\n"
    "event: message\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
    "\"finish_reason\":null}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"},\"finish_reason\":null}]}\n\n"
    "data:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo \xe4\xb8\xad\"}}]}\r\n\r\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"choices\":[]," USAGE "}\n\n"
    "data: [DONE]\n\n";

static enum oa_verdict stream(const char *text, size_t n, size_t piece, uint32_t n_stop)
{
    struct oa_stream s = {.line.host = &host};
    enum oa_verdict  v;

    oa_answer_clear(&a);
    oa_stream_start(&s, &host, true, stops, n_stop);
    for (size_t at = 0; at < n; at += piece) {
        if (!oa_stream_feed(&s, &host, text + at, at + piece < n ? piece : n - at, &a)) {
            break;
        }
    }
    v = s.stopped ? OA_GOOD : oa_stream_end(&s, &a);
    oa_stream_free(&s);
    return v;
}

START_TEST(a_stream_in_any_pieces)
{
    for (size_t piece = 1; piece < 60; piece++) {
        ck_assert_int_eq(stream(sse, sizeof(sse) - 1, piece, 0), OA_GOOD);
        ck_assert_str_eq(a.text.ptr, "Hello \xe4\xb8\xad");
        ck_assert_uint_eq(a.finish, DRH_INFER_STOP);
        ck_assert_double_eq(a.n_in, 9);
        ck_assert_double_eq(a.n_out, 12);
    }
}
END_TEST

/* Wherever it is cut before it says how it ended, it is no answer. */
START_TEST(a_stream_that_is_cut)
{
    const char *end = strstr(sse, "\"finish_reason\":\"stop\"");
    size_t      last = (size_t)(strchr(end, '\n') - sse);

    for (size_t n = 0; n < last; n++) {
        ck_assert_int_eq(stream(sse, n, 50, 0), OA_AGAIN);
    }
    ck_assert_int_eq(stream(sse, last + 1, 50, 0), OA_GOOD);
    ck_assert_double_eq(a.n_in, -1); /* the usage did not come */
}
END_TEST

START_TEST(a_stop_text_across_pieces)
{
    static const char text[] = "data: {\"choices\":[{\"delta\":{\"content\":\"one <\"}}]}\n\n"
                               "data: {\"choices\":[{\"delta\":{\"content\":\"/s\"}}]}\n\n"
                               "data: {\"choices\":[{\"delta\":{\"content\":\"> two\"}}]}\n\n";

    ck_assert_int_eq(stream(text, sizeof(text) - 1, 7, 2), OA_GOOD);
    ck_assert_str_eq(a.text.ptr, "one ");
    ck_assert_uint_eq(a.text.len, 4);
    ck_assert_uint_eq(a.finish, DRH_INFER_STOP);
}
END_TEST

/* Texts that end a question: what is before the first one is kept, nothing of it is nothing. */
START_TEST(where_a_question_ends)
{
    static const struct {
        const char *said, *stop, *kept;
    } q[] = {
        {"I need a research assistant for", "assistant", "I need a research "}, /* M-2, untrimmed */
        {"Explain X\\nfor kids", "\n", "Explain X"},                            /* M-3 */
        {"\\nExplain X", "\n", ""},
    };

    for (size_t i = 0; i < sizeof(q) / sizeof(q[0]); i++) {
        const drh_str    stop = drh_str_of(q[i].stop);
        struct oa_stream s = {.line.host = &host};
        char             text[200];
        int              n =
            snprintf(text, sizeof(text), "data: {\"choices\":[{\"text\":\"%s\"}]}\n\n", q[i].said);

        oa_answer_clear(&a);
        oa_stream_start(&s, &host, false, &stop, 1);
        ck_assert(!oa_stream_feed(&s, &host, text, (size_t)n, &a) && s.stopped);
        ck_assert_uint_eq(a.text.len, strlen(q[i].kept));
        ck_assert(memcmp(a.text.ptr, q[i].kept, a.text.len) == 0);
        oa_stream_free(&s);
    }
}
END_TEST

START_TEST(streams_that_are_none)
{
    static const char *const bad[] = {
        "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\ndata: {broken\n",
        "data: {\"error\":{\"message\":\"out of memory\"}}\n\ndata: [DONE]\n\n", "data: [DONE]\n\n",
        "{\"choices\":[{\"message\":{\"content\":\"not a stream\"},\"finish_reason\":\"stop\"}]}",
        "data: {\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":\"error\"}]}\n\n"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(stream(bad[i], strlen(bad[i]), 9, 0), OA_AGAIN);
        ck_assert_str_ne(a.words, "");
    }
}
END_TEST

/* ---- scores ---- */

START_TEST(where_the_target_is)
{
    static const struct {
        size_t         bos, prompt, all, limit;
        struct oa_plan p;
        drh_status     st;
    } all[] = {
        {1, 3, 5, 100, {6, 4, 3, 2, 0}, DRH_OK}, /* bos, three, two of the target */
        {0, 3, 5, 100, {5, 3, 3, 2, 0}, DRH_OK},
        {0, 0, 2, 100, {2, 1, 0, 2, 1}, DRH_OK}, /* the first one has no context */
        {1, 0, 2, 100, {3, 1, 0, 2, 0}, DRH_OK},
        {0, 3, 8, 5, {5, 3, 3, 5, 0}, DRH_OK},       /* cut at its end */
        {1, 7, 12, 8, {8, 8, 7, 5, 0}, DRH_E_RANGE}, /* no room for the target */
        {0, 3, 3, 100, {3, 3, 3, 0, 0}, DRH_OK},     /* there is none */
    };
    struct oa_plan p;
    drh_error      e = DRH_ERROR_INIT;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        ck_assert_int_eq(oa_plan_score(&p, all[i].bos, all[i].prompt, all[i].all, all[i].limit, &e),
                         all[i].st);
        ck_assert_uint_eq(p.total, all[i].p.total);
        ck_assert_uint_eq(p.first, all[i].p.first);
        ck_assert_uint_eq(p.n_prompt, all[i].p.n_prompt);
        ck_assert_uint_eq(p.n_target, all[i].p.n_target);
        ck_assert_uint_eq(p.first_value, all[i].p.first_value);
    }
}
END_TEST

#define PROMPT_LOGPROBS(third)                                                                     \
    "{\"choices\":[{\"index\":0,\"text\":\"x\",\"finish_reason\":\"length\",\"prompt_logprobs\":[" \
    "null,{\"11\":{\"logprob\":-1.5,\"rank\":3,\"decoded_token\":\"a\"},\"7\":{\"logprob\":-0.1,"  \
    "\"rank\":1}}," third "]}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}"

START_TEST(prompt_logprobs_by_id)
{
    static const char *const bad[] = {
        PROMPT_LOGPROBS("{\"7\":{\"logprob\":-0.1}}"), /* not our token */
        PROMPT_LOGPROBS("null"),
        PROMPT_LOGPROBS("{\"12\":{\"logprob\":null}}"),
        PROMPT_LOGPROBS("{\"12\":{\"logprob\":2}}"),
        "{\"choices\":[{\"text\":\"x\"}]}",
        "{}",
        "x"};
    const uint32_t ids[] = {10, 11, 12};
    struct oa_plan p = {.total = 3, .first = 1};
    float          v[3] = {0};

    ck_assert_int_eq(oa_read_prompt_logprobs(&host,
                                             str(PROMPT_LOGPROBS("{\"12\":{\"logprob\":-9999}}")),
                                             ids, &p, v, &a),
                     OA_GOOD);
    ck_assert_float_eq(v[0], -1.5F);
    ck_assert_float_eq(v[1], -9999);
    ck_assert_double_eq(a.n_in, 3);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(oa_read_prompt_logprobs(&host, str(bad[i]), ids, &p, v, &a), OA_AGAIN);
    }
    p.total = 2; /* more than was asked for */
    ck_assert_int_eq(oa_read_prompt_logprobs(&host, str(PROMPT_LOGPROBS("null")), ids, &p, v, &a),
                     OA_AGAIN);
}
END_TEST

START_TEST(ids_of_a_tokenizer)
{
    static const char *const bad[] = {"{\"tokens\":[1,-2]}",
                                      "{\"tokens\":[1.5]}",
                                      "{\"tokens\":\"x\"}",
                                      "{\"tokens\":[99999999999]}",
                                      "{}",
                                      "["};
    struct oa_ids            ids;

    ck_assert_int_eq(oa_read_ids(&host,
                                 str("{\"count\":2,\"max_model_len\":9,\"tokens\":[5,4294967295]}"),
                                 &ids, &a),
                     OA_GOOD);
    ck_assert_uint_eq(ids.n, 2);
    ck_assert_uint_eq(ids.id[1], UINT32_MAX);
    (void)host.alloc(&host, ids.id, 0);
    ck_assert_int_eq(oa_read_ids(&host, str("{\"tokens\":[]}"), &ids, &a), OA_GOOD);
    ck_assert_uint_eq(ids.n, 0);
    (void)host.alloc(&host, ids.id, 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(oa_read_ids(&host, str(bad[i]), &ids, &a), OA_AGAIN);
        ck_assert_ptr_null(ids.id);
    }
}
END_TEST

/* "ab cd ef": three tokens at 0, 2, 5, and the one that the server made, at 8. */
#define ECHO(logprobs, offsets)                                                                    \
    "{\"choices\":[{\"text\":\"ab cd ef "                                                          \
    "x\",\"logprobs\":{\"tokens\":[],\"token_logprobs\":[" logprobs "],\"text_offset\":[" offsets  \
    "]},\"finish_reason\":\"length\"}],"                                                           \
    "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}"

START_TEST(an_echo)
{
    static const char *const good = ECHO("null,-1,-2,-3", "0,2,5,8");
    static const struct {
        size_t prompt, max, first, n;
        float  v[3];
    } all[] = {{2, 0, 1, 2, {-1, -2}}, /* behind "ab" */
               {5, 0, 2, 1, {-2}},     /* behind "ab cd" */
               {4, 0, 2, 1, {-2}},     /* within a token: it is the prompt's */
               {0, 0, 1, 2, {-1, -2}}, /* all is target; its first token has no value */
               {0, 2, 1, 1, {-1}},     /* two tokens in all */
               {8, 0, 3, 0, {0}}};     /* no target */
    static const char *const bad[] = {
        ECHO("null,null,-2,-3", "0,2,5,8"),
        ECHO("null,-1,3,-3", "0,2,5,8"),
        ECHO("null,-1", "0,2"),
        ECHO("null,-1,-2,-3", "0,null,5,8"),
        "{\"choices\":[{\"logprobs\":{\"token_logprobs\":[null],\"text_offset\":[0]}}]}",
        "{\"choices\":[{\"text\":\"x\",\"logprobs\":null}],\"usage\":{\"prompt_tokens\":3}}",
        "{}"};
    struct oa_plan p;
    float         *v;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        ck_assert_int_eq(oa_read_echo(&host, str(good), all[i].prompt, all[i].max, &p, &v, &a),
                         OA_GOOD);
        ck_assert_uint_eq(p.first, all[i].first);
        ck_assert_uint_eq(p.total - p.first, all[i].n);
        for (size_t k = 0; k < all[i].n; k++) {
            ck_assert_float_eq(v[k], all[i].v[k]);
        }
        (void)host.alloc(&host, v, 0);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        oa_answer_clear(&a);
        ck_assert_int_eq(oa_read_echo(&host, str(bad[i]), 2, 0, &p, &v, &a), OA_AGAIN);
        (void)host.alloc(&host, v, 0);
    }
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("openai");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, a_raw_prompt);
    tcase_add_test(c, a_chat);
    tcase_add_test(c, more_sampling);
    tcase_add_test(c, what_cannot_be_asked);
    tcase_add_test(c, more_stops_than_the_server_takes);
    tcase_add_test(c, numbers);
    tcase_add_test(c, addresses_and_keys);
    tcase_add_loop_test(c, whole_answers, 0, sizeof(wholes) / sizeof(wholes[0]));
    tcase_add_loop_test(c, answers_of_other_statuses, 0, sizeof(errors) / sizeof(errors[0]));
    tcase_add_test(c, a_prompt_that_was_withheld);
    tcase_add_test(c, words_of_servers);
    tcase_add_test(c, a_stream_in_any_pieces);
    tcase_add_test(c, a_stream_that_is_cut);
    tcase_add_test(c, a_stop_text_across_pieces);
    tcase_add_test(c, where_a_question_ends);
    tcase_add_test(c, streams_that_are_none);
    tcase_add_test(c, where_the_target_is);
    tcase_add_test(c, prompt_logprobs_by_id);
    tcase_add_test(c, ids_of_a_tokenizer);
    tcase_add_test(c, an_echo);
    return run_case("openai", c);
}
