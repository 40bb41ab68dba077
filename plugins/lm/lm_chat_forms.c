/* SPDX-License-Identifier: MIT
 *
 * lm_chat_forms.c - the chat forms in use, and by which words of its template a model's is told.
 * The ends of turns and the beginnings of user turns are those of the models that Magpie lists.
 */
#include "lm_chat.h"

#include <string.h>

#define BOS "\1"
#define EOS "\2"
#define IM(role) "<|im_start|>" role "\n"
#define HEADER(role) "<|start_header_id|>" role "<|end_header_id|>\n\n"
#define DS_BOS "<｜begin▁of▁sentence｜>"
#define DS_EOS "<｜end▁of▁sentence｜>"
#define DS_USER "<｜User｜>"
#define DS_ASSISTANT "<｜Assistant｜>"
/* Llama 3.1 names a day, the later ones today; without a clock both say this. */
#define KNOWLEDGE "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"

#define LLAMA2_NAMES .bos = "<s>", .eos = "</s>"
#define MISTRAL_ENDS                                                                               \
    .needs = {"</s>"}, .ends = {"</s>", "<s>", "[INST]", "[/INST]"}, .user_end = "[/INST]"
#define LLAMA3_ENDS                                                                                \
    .needs = {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"},                           \
    .ends = {"<|eot_id|>", "<|end_of_text|>", "<|eom_id|>", "<|start_header_id|>",                 \
             "<|end_header_id|>"},                                                                 \
    .bos = "<|begin_of_text|>", .eos = "<|eot_id|>"
#define GEMMA_ENDS                                                                                 \
    .needs = {"<start_of_turn>", "<end_of_turn>"},                                                 \
    .ends = {"<end_of_turn>", "<eos>", "<start_of_turn>", "<bos>"}, .bos = "<bos>", .eos = "<eos>"
#define GLM_ENDS                                                                                   \
    .needs = {"<|user|>", "<|assistant|>"},                                                        \
    .ends = {"<|endoftext|>", "<|user|>", "<|observation|>", "<|assistant|>", "<|system|>"}

const struct lm_chat_form lm_chat_forms[] = {
    {.name = "chatml",
     .turn = {{IM("system"), "<|im_end|>\n"},
              {IM("user"), "<|im_end|>\n"},
              {IM("assistant"), "<|im_end|>\n"}},
     .open = IM("assistant"),
     .flags = LM_CHAT_SYSTEM_ANYWHERE,
     .needs = {"<|im_start|>", "<|im_end|>"},
     .ends = {"<|im_end|>", "<|endoftext|>", "<|im_start|>", "<|startoftext|>"}},
    {.name = "phi-4",
     .turn = {{"<|im_start|>system<|im_sep|>", "<|im_end|>"},
              {"<|im_start|>user<|im_sep|>", "<|im_end|>"},
              {"<|im_start|>assistant<|im_sep|>", "<|im_end|>"}},
     .open = "<|im_start|>assistant<|im_sep|>",
     .flags = LM_CHAT_ALTERNATE,
     .needs = {"<|im_start|>", "<|im_sep|>", "<|im_end|>"},
     .ends = {"<|im_end|>", "<|endoftext|>", "<|im_start|>"}},
    {.name = "llama-3",
     .turn = {{HEADER("system"), "<|eot_id|>"},
              {HEADER("user"), "<|eot_id|>"},
              {HEADER("assistant"), "<|eot_id|>"}},
     .open = HEADER("assistant"),
     .flags = LM_CHAT_BOS | LM_CHAT_TRIM | LM_CHAT_SYSTEM_ANYWHERE,
     LLAMA3_ENDS},
    {.name = "llama-3.1",
     .turn = {{HEADER("system") KNOWLEDGE, "<|eot_id|>"},
              {HEADER("user"), "<|eot_id|>"},
              {HEADER("assistant"), "<|eot_id|>"}},
     .open = HEADER("assistant"),
     .system = "",
     .flags = LM_CHAT_BOS | LM_CHAT_TRIM | LM_CHAT_BARE_QUERY,
     LLAMA3_ENDS},
    {.name = "llama-2",
     .turn = {{"<<SYS>>\n", "\n<</SYS>>\n\n"}, {BOS "[INST] ", " [/INST]"}, {" ", " " EOS}},
     .open = "",
     .flags =
         LM_CHAT_BOS_IN_TURN | LM_CHAT_ALTERNATE | LM_CHAT_FOLD | LM_CHAT_TRIM | LM_CHAT_TRIM_WHOLE,
     .needs = {"<s>", "</s>"},
     .ends = {"</s>", "<s>", "<unk>"},
     .user_end = "[/INST]",
     LLAMA2_NAMES},
    {.name = "mistral-v0.1",
     .turn = {{"", ""}, {"[INST] ", " [/INST]"}, {"", EOS " "}},
     .open = "",
     .flags = LM_CHAT_BOS | LM_CHAT_ALTERNATE | LM_CHAT_NO_SYSTEM,
     LLAMA2_NAMES,
     MISTRAL_ENDS},
    {.name = "mistral-v0.2",
     .turn = {{"", ""}, {"[INST] ", " [/INST]"}, {"", EOS}},
     .open = "",
     .flags = LM_CHAT_BOS | LM_CHAT_ALTERNATE | LM_CHAT_NO_SYSTEM,
     LLAMA2_NAMES,
     MISTRAL_ENDS},
    {.name = "mixtral-8x22b",
     .turn = {{"", ""}, {" [INST] ", " [/INST]"}, {" ", " " EOS}},
     .open = "",
     .flags = LM_CHAT_BOS | LM_CHAT_ALTERNATE | LM_CHAT_NO_SYSTEM,
     LLAMA2_NAMES,
     MISTRAL_ENDS},
    {.name = "mistral-v1",
     .turn = {{"", "\n\n"}, {" [INST] ", " [/INST]"}, {" ", EOS}},
     .open = "",
     .flags = LM_CHAT_BOS | LM_CHAT_ALTERNATE | LM_CHAT_FOLD,
     LLAMA2_NAMES,
     MISTRAL_ENDS},
    {.name = "mistral-v3",
     .turn = {{"", "\n\n"}, {"[INST] ", "[/INST]"}, {" ", EOS}},
     .open = "",
     .flags =
         LM_CHAT_BOS | LM_CHAT_ALTERNATE | LM_CHAT_FOLD | LM_CHAT_FOLD_LAST | LM_CHAT_TRIM_ANSWERS,
     LLAMA2_NAMES,
     MISTRAL_ENDS},
    {.name = "mistral-tekken",
     .turn = {{"", "\n\n"}, {"[INST]", "[/INST]"}, {"", EOS}},
     .open = "",
     .flags = LM_CHAT_BOS | LM_CHAT_ALTERNATE | LM_CHAT_FOLD | LM_CHAT_FOLD_LAST,
     LLAMA2_NAMES,
     MISTRAL_ENDS},
    {.name = "mistral-v7",
     .turn = {{"[SYSTEM_PROMPT] ", "[/SYSTEM_PROMPT]"}, {"[INST] ", "[/INST]"}, {" ", EOS}},
     .open = "",
     .flags = LM_CHAT_BOS | LM_CHAT_SYSTEM_ANYWHERE,
     LLAMA2_NAMES,
     MISTRAL_ENDS},
    {.name = "mistral-v7-tekken",
     .turn = {{"[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"}, {"[INST]", "[/INST]"}, {"", EOS}},
     .open = "",
     .flags = LM_CHAT_BOS | LM_CHAT_ALTERNATE,
     LLAMA2_NAMES,
     MISTRAL_ENDS},
    {.name = "gemma",
     .turn = {{"", ""},
              {"<start_of_turn>user\n", "<end_of_turn>\n"},
              {"<start_of_turn>model\n", "<end_of_turn>\n"}},
     .open = "<start_of_turn>model\n",
     .flags = LM_CHAT_BOS | LM_CHAT_ALTERNATE | LM_CHAT_NO_SYSTEM | LM_CHAT_TRIM,
     GEMMA_ENDS},
    {.name = "gemma-3",
     .turn = {{"", "\n\n"},
              {"<start_of_turn>user\n", "<end_of_turn>\n"},
              {"<start_of_turn>model\n", "<end_of_turn>\n"}},
     .open = "<start_of_turn>model\n",
     .flags = LM_CHAT_BOS | LM_CHAT_ALTERNATE | LM_CHAT_FOLD | LM_CHAT_TRIM,
     GEMMA_ENDS},
    {.name = "phi-3",
     .turn = {{"<|system|>\n", "<|end|>\n"},
              {"<|user|>\n", "<|end|>\n"},
              {"<|assistant|>\n", "<|end|>\n"}},
     .open = "<|assistant|>\n",
     .flags = LM_CHAT_SYSTEM_ANYWHERE,
     .needs = {"<|user|>", "<|assistant|>", "<|end|>"},
     .ends = {"<|end|>", "<|endoftext|>", "<|user|>", "<|assistant|>", "<|system|>", "</s>", "<s>",
              "<unk>"},
     LLAMA2_NAMES},
    {.name = "deepseek-v2",
     .turn = {{"", "\n\n"}, {"User: ", "\n\n"}, {"Assistant: ", EOS}},
     .open = "Assistant:",
     .flags = LM_CHAT_BOS | LM_CHAT_SYSTEM_ANYWHERE,
     .bos = DS_BOS,
     .eos = DS_EOS,
     .needs = {DS_EOS},
     .ends = {DS_EOS, DS_BOS, "<|EOT|>", DS_USER, DS_ASSISTANT},
     .user_end = "\n\nAssistant:"},
    {.name = "deepseek-v3",
     .turn = {{"", ""}, {DS_USER, ""}, {DS_ASSISTANT, DS_EOS}},
     .open = DS_ASSISTANT,
     .flags = LM_CHAT_BOS,
     .bos = DS_BOS,
     .eos = DS_EOS,
     .needs = {DS_USER, DS_ASSISTANT, DS_EOS},
     .ends = {DS_EOS, DS_BOS, "<|EOT|>", DS_USER, DS_ASSISTANT}},
    {.name = "deepseek-r1",
     .turn = {{"", ""}, {DS_USER, ""}, {DS_ASSISTANT, DS_EOS}},
     .open = DS_ASSISTANT "<think>\n",
     .flags = LM_CHAT_BOS | LM_CHAT_NO_THOUGHTS,
     .bos = DS_BOS,
     .eos = DS_EOS,
     .needs = {DS_USER, DS_ASSISTANT, DS_EOS},
     .ends = {DS_EOS, DS_BOS, "<|EOT|>", DS_USER, DS_ASSISTANT}},
    {.name = "chatglm3",
     .first = "[gMASK]sop",
     .turn = {{"<|system|>\n ", ""}, {"<|user|>\n ", ""}, {"<|assistant|>\n ", ""}},
     .open = "<|assistant|>",
     .flags = LM_CHAT_SYSTEM_ANYWHERE,
     GLM_ENDS},
    {.name = "glm-4",
     .first = "[gMASK]<sop>",
     .turn = {{"<|system|>\n", ""}, {"<|user|>\n", ""}, {"<|assistant|>\n", ""}},
     .open = "<|assistant|>",
     .flags = LM_CHAT_SYSTEM_ANYWHERE,
     GLM_ENDS},
    {.name = "glm-edge",
     .turn = {{"<|system|>\n", ""}, {"<|user|>\n", ""}, {"<|assistant|>\n", ""}},
     .open = "<|assistant|>",
     .flags = LM_CHAT_SYSTEM_ANYWHERE,
     GLM_ENDS},
    {.name = "zephyr",
     .turn = {{"<|system|>\n", EOS "\n"}, {"<|user|>\n", EOS "\n"}, {"<|assistant|>\n", EOS "\n"}},
     .open = "<|assistant|>\n",
     .flags = LM_CHAT_SYSTEM_ANYWHERE,
     .ends = {"</s>", "<|endoftext|>", "<|user|>", "<|assistant|>", "<|system|>"},
     LLAMA2_NAMES},
    {.name = NULL},
};

/* ---- which form is a template's ------------------------------------------------------------ */

enum { HAS = 4 };

struct match {
    const char *form;
    const char *has[HAS]; /* texts of the canonical template; with a \3 in front: not there */
    unsigned    flags;    /* more of them */
    const char *open;     /* instead of the form's */
};

#define NOT "\3"
#define SAYS "message.content"

/* The first that fits is it.  What is not told apart here must not fit: a wrong prompt is worse
 * than none. */
static const struct match matches[] = {
    {"phi-4", {"'<|im_start|>user<|im_sep|>'+" SAYS "+'<|im_end|>"}, 0, NULL},
    {"chatml",
     {"<|im_start|>", "<|im_end|>\n", NOT "<end_of_utterance>",
      "'<|im_start|>assistant\n<think>\n"},
     0,
     "<|im_start|>assistant\n<think>\n"},
    {"chatml", {"<|im_start|>", "<|im_end|>\n", NOT "<end_of_utterance>"}, 0, NULL},
    {"llama-3.1",
     {"<|start_header_id|>system<|end_header_id|>\n\n", "Cutting Knowledge Date: December 2023\n",
      "'Today Date: '+date_string+'\n\n'", "'26 Jul 2024'"},
     0,
     NULL},
    {"llama-3",
     {"'<|start_header_id|>'+message.role+'<|end_header_id|>\n\n'+" SAYS "|trim+'<|eot_id|>'",
      NOT "Knowledge Date"},
     0,
     NULL},
    {"llama-2",
     {"bos_token+'[INST] '+content.strip()+' [/INST]'", "' '+content.strip()+' '+eos_token",
      "'<<SYS>>\n'+system_message+'\n<</SYS>>\n\n'+" SAYS},
     0,
     NULL},
    {"mistral-v7",
     {"'[SYSTEM_PROMPT] '+" SAYS "+'[/SYSTEM_PROMPT]'", "'[INST] '+" SAYS "+'[/INST]'",
      "' '+" SAYS "+eos_token"},
     0,
     NULL},
    {"mistral-v7-tekken",
     {"'[SYSTEM_PROMPT]'+system_prompt+'[/SYSTEM_PROMPT]'", "{{'[INST]'}}", "{{'[/INST]'}}",
      SAYS "+eos_token"},
     LM_CHAT_SYSTEM_NEEDED,
     NULL},
    {"mistral-v3",
     {"'[INST] '+" SAYS "+'[/INST]'", "' '+" SAYS "|trim+eos_token",
      "loop.lastandsystem_messageisdefined", "'[INST] '+system_message+'\n\n'+" SAYS},
     0,
     NULL},
    {"mistral-tekken",
     {"'[INST]'+" SAYS "+'[/INST]'", "{{" SAYS "+eos_token}}",
      "loop.lastandsystem_messageisdefined", "'[INST]'+system_message+'\n\n'+" SAYS},
     0,
     NULL},
    {"mistral-v1",
     {"' [INST] '+" SAYS "+' [/INST]'", "{{' '+" SAYS "+eos_token}}",
      "' [INST] '+system_message+'\n\n'+" SAYS},
     0,
     NULL},
    {"mixtral-8x22b",
     {"' [INST] '+" SAYS "+' [/INST]'", "' '+" SAYS "+' '+eos_token", NOT "system"},
     0,
     NULL},
    {"mistral-v0.1",
     {"'[INST] '+" SAYS "+' [/INST]'", "{{" SAYS "+eos_token+' '}}", NOT "system"},
     0,
     NULL},
    {"mistral-v0.2",
     {"'[INST] '+" SAYS "+' [/INST]'", "{{" SAYS "+eos_token}}", NOT "system"},
     0,
     NULL},
    {"gemma-3",
     {"'<start_of_turn>'+role+'\n'", "first_user_prefix", SAYS "|trim", "'model'"},
     0,
     NULL},
    {"gemma",
     {"'<start_of_turn>'+role+'\n'+" SAYS "|trim+'<end_of_turn>\n'", "'model'",
      "System role not supported"},
     0,
     NULL},
    {"phi-3", {"'<|'+message.role+'|>\n'+" SAYS "+'<|end|>\n'"}, 0, NULL},
    {"phi-3",
     {"'<|system|>\n'+" SAYS "+'<|end|>\n'", "'<|user|>\n'+" SAYS "+'<|end|>\n'",
      "message.role=='system'and" SAYS},
     LM_CHAT_NO_EMPTY_SYSTEM,
     NULL},
    {"phi-3",
     {"'<|user|>\n'+" SAYS "+'<|end|>\n<|assistant|>\n'", NOT "system"},
     LM_CHAT_NO_SYSTEM | LM_CHAT_ALTERNATE,
     NULL},
    {"deepseek-r1",
     {"'<｜User｜>'+" SAYS "}}", "'<｜Assistant｜><think>\n'}}",
      "'<｜Assistant｜>'+content+'<｜end▁of▁sentence｜>'}}"},
     0,
     NULL},
    {"deepseek-v3",
     {"'<｜User｜>'+" SAYS "}}", "'<｜Assistant｜>'}}",
      "'<｜Assistant｜>'+content+'<｜end▁of▁sentence｜>'}}", NOT "thinking"},
     0,
     NULL},
    {"deepseek-v3",
     {"'<｜User｜>'+" SAYS "}}", "'<｜Assistant｜>'}}",
      "'<｜Assistant｜>'+" SAYS "+'<｜end▁of▁sentence｜>'}}", NOT "thinking"},
     0,
     NULL},
    {"deepseek-v2",
     {"'User: '+" SAYS "+'\n\n'", "'Assistant: '+" SAYS "+eos_token", "'Assistant:'",
      SAYS "+'\n\n'}}"},
     0,
     NULL},
    {"glm-4",
     {"[gMASK]<sop>", "<|{{item.role}}|>{{item.metadata}}\n{{item.content}}", "{%ifitem.content%}",
      "<|assistant|>\n{%endif%}"},
     LM_CHAT_NO_EMPTY,
     "<|assistant|>\n"},
    {"glm-4",
     {"[gMASK]<sop>", "<|{{item.role}}|>{{item.metadata}}\n{{item.content}}", "{%ifitem.content%}",
      "<|assistant|>{%endif%}"},
     LM_CHAT_NO_EMPTY,
     NULL},
    {"chatglm3",
     {"[gMASK]sop<|{{message.role}}|>\n {{message.content}}", "<|assistant|>{%endif%}"},
     0,
     NULL},
    {"glm-edge",
     {"<|user|>\n{{item.content}}", "<|assistant|>\n{{item.content}}",
      "<|system|>\n{{item.content}}", NOT "[gMASK]"},
     0,
     NULL},
    {"zephyr",
     {"'<|user|>\n'+" SAYS "+eos_token}}\n", "'<|assistant|>\n'+" SAYS "+eos_token}}\n",
      "'<|system|>\n'+" SAYS "+eos_token}}\n", "'<|assistant|>'}}\n"},
     0,
     NULL},
};

static const struct lm_chat_form *by_name(const char *name)
{
    const struct lm_chat_form *f = lm_chat_forms;
    while (f->name && strcmp(f->name, name) != 0) {
        f++;
    }
    return f->name ? f : NULL;
}

static int fits(const struct match *m, const char *canon)
{
    for (size_t i = 0; i < HAS && m->has[i]; i++) {
        const int not = m->has[i][0] == NOT[0];
        if ((strstr(canon, m->has[i] + not ) == NULL) != not ) {
            return 0;
        }
    }
    return 1;
}

const struct lm_chat_form *lm_chat_match(const char *canon, unsigned *flags, const char **open)
{
    for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
        const struct lm_chat_form *f = fits(&matches[i], canon) ? by_name(matches[i].form) : NULL;
        if (f) {
            *flags = f->flags | matches[i].flags;
            *open = matches[i].open ? matches[i].open : f->open;
            return f;
        }
    }
    return NULL;
}
