/* SPDX-License-Identifier: MIT
 *
 * options.c - presets of published procedures and the options that override them one by one.
 * Called in create(), on the main thread.
 */
#include "ifd.h"

/* clang-format off */
const char ifd_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"preset\":{\"type\":\"string\",\"enum\":[\"superfiltering\",\"cherry\",\"same_tokens\"],"
      "\"default\":\"superfiltering\",\"description\":\"A published procedure; the options below override "
      "single settings of it. superfiltering: ppl, plain, joint, none, score, 1024, below 1. cherry: loss, "
      "alpaca, joint, response, score, 512, at most 1. same_tokens: ppl, plain, apart, bos, score, 1024, "
      "below 1; the same answer tokens count in both passes.\"},"
    "\"definition\":{\"type\":\"string\",\"enum\":[\"ppl\",\"loss\"],\"description\":\"What the score is a ratio "
      "of, with the question over without it: perplexities or mean losses.\"},"
    "\"template\":{\"type\":\"string\",\"enum\":[\"plain\",\"alpaca\",\"wiz\",\"vicuna\",\"chat\"],"
      "\"description\":\"Text before the answer. plain: system text, question, each with a newline. chat: "
      "the model's own chat template. The others leave a system text out, as published.\"},"
    "\"boundary\":{\"type\":\"string\",\"enum\":[\"joint\",\"apart\"],\"description\":\"joint: prompt and answer "
      "are tokenised as one text; apart: each alone, then joined.\"},"
    "\"alone_context\":{\"type\":\"string\",\"enum\":[\"none\",\"bos\",\"response\"],\"description\":\"What stands "
      "before the answer in the pass without the question: nothing (its first token is then not scored), "
      "the context token (bos, else <|endoftext|>, else eos), or the template's response marker.\"},"
    "\"prompt_context\":{\"type\":\"string\",\"enum\":[\"none\",\"bos\"],\"default\":\"none\",\"description\":\"bos "
      "puts the context token before the prompt, and before the response marker, too: what tokenizers of "
      "the LLaMA kind do by themselves.\"},"
    "\"first_token\":{\"type\":\"string\",\"enum\":[\"score\",\"skip\"],\"description\":\"skip: the first answer "
      "token counts in neither pass.\"},"
    "\"max_length\":{\"type\":\"integer\",\"minimum\":2,\"maximum\":1000000,\"description\":\"Most tokens of "
      "prompt and answer; longer answers are cut at the right. Never more than the model's context.\"}"
    "}}";
/* clang-format on */

static const struct ifd_options superfiltering = {
    .template = IFD_PLAIN, .alone_context = IFD_NONE, .max_length = 1024, .joint = true};
static const struct ifd_options cherry = {.template = IFD_ALPACA,
                                          .alone_context = IFD_RESPONSE,
                                          .max_length = 512,
                                          .by_loss = true,
                                          .joint = true,
                                          .bound_inclusive = true};
static const struct ifd_options same_tokens = {
    .template = IFD_PLAIN, .alone_context = IFD_BOS, .max_length = 1024};

/* Place of the option's word in `words`, or -1 when the option was not given. */
static int word_of(const drh_host *h, const drh_config *c, const char *pointer,
                   const char *const *words)
{
    drh_str s;
    int     i;
    if (h->config->get_str(c, pointer, &s) != DRH_OK) {
        return -1;
    }
    for (i = 0; words[i]; i++) {
        if (drh_str_eq(s, words[i])) {
            return i;
        }
    }
    return -1;
}

static void override_words(const drh_host *h, const drh_config *c, struct ifd_options *o)
{
    static const char *const definition[] = {"ppl", "loss", NULL};
    static const char *const template[] = {"plain", "alpaca", "wiz", "vicuna", "chat", NULL};
    static const char *const boundary[] = {"apart", "joint", NULL};
    static const char *const context[] = {"none", "bos", "response", NULL};
    static const char *const first[] = {"score", "skip", NULL};
    int                      w;
    if ((w = word_of(h, c, "/definition", definition)) >= 0) {
        o->by_loss = w == 1;
    }
    if ((w = word_of(h, c, "/template", template)) >= 0) {
        o->template = (uint32_t)w;
    }
    if ((w = word_of(h, c, "/boundary", boundary)) >= 0) {
        o->joint = w == 1;
    }
    if ((w = word_of(h, c, "/alone_context", context)) >= 0) {
        o->alone_context = (uint32_t)w;
    }
    if ((w = word_of(h, c, "/prompt_context", context)) >= 0) {
        o->prompt_bos = w == 1;
    }
    if ((w = word_of(h, c, "/first_token", first)) >= 0) {
        o->skip_first = w == 1;
    }
}

drh_status ifd_read_options(const drh_host *h, const drh_config *c, struct ifd_options *o,
                            drh_error *e)
{
    static const char *const         words[] = {"superfiltering", "cherry", "same_tokens", NULL};
    static const struct ifd_options *presets[] = {&superfiltering, &cherry, &same_tokens};
    int                              preset = word_of(h, c, "/preset", words);
    int64_t                          n;

    *o = *presets[preset > 0 ? preset : 0];
    override_words(h, c, o);
    if (h->config->get_i64(c, "/max_length", &n) == DRH_OK) {
        o->max_length = (uint32_t)n;
    }
    if (o->alone_context == IFD_RESPONSE && (o->template == IFD_PLAIN || o->template == IFD_CHAT)) {
        return drh_fail(e, DRH_E_CONFIG,
                        "alone_context: response needs the template alpaca, wiz or vicuna, which "
                        "end with a response marker; choose none or bos");
    }
    if (o->template == IFD_CHAT) {
        o->joint = false;
    }
    /* The same tokens count in both passes, so what one of them cannot score is left out. */
    if (preset == 2 && o->alone_context == IFD_NONE) {
        o->skip_first = true;
    }
    return DRH_OK;
}
