/* SPDX-License-Identifier: MIT
 *
 * forms.c - chat templates by name, for servers: what stands before a user's text.  The first half
 * are those that Magpie's authors published, word for word but for the text of bos, which is put
 * once, by whoever adds it; the others are as llama.cpp has them.
 */
#include "magpie.h"

#define CHATML_USER "<|im_start|>user\n"
#define CHATML_SYSTEM "<|im_start|>system\n"
#define CHATML_END "<|im_end|>"
#define CHATML_NEXT "\n<|im_start|>assistant\n"

static const struct magpie_form forms[] = {
    {.name = "qwen2",
     .system = CHATML_SYSTEM,
     .system_end = CHATML_END "\n",
     .user = CHATML_USER,
     .end = CHATML_END,
     .answer = CHATML_NEXT,
     .answer_end = CHATML_END "\n"},
    {.name = "qwen2.5",
     .own_system = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
     .system = CHATML_SYSTEM,
     .system_end = CHATML_END "\n",
     .user = CHATML_USER,
     .end = CHATML_END,
     .answer = CHATML_NEXT,
     .answer_end = CHATML_END "\n"},
    {.name = "yi-1.5",
     .bos = "<|startoftext|>",
     .system = CHATML_SYSTEM,
     .system_end = CHATML_END "\n",
     .user = CHATML_USER,
     .end = CHATML_END,
     .answer = CHATML_NEXT,
     .answer_end = CHATML_END "\n"},
    {.name = "llama-3",
     .bos = "<|begin_of_text|>",
     .system = "<|start_header_id|>system<|end_header_id|>\n\n",
     .system_end = "<|eot_id|>",
     .user = "<|start_header_id|>user<|end_header_id|>\n\n",
     .end = "<|eot_id|>",
     .answer = "<|start_header_id|>assistant<|end_header_id|>\n\n",
     .answer_end = "<|eot_id|>"},
    {.name = "llama-2", .bos = "<s>", .user = " [INST] ", .end = "[/INST]"},
    {.name = "mistral-v3", .bos = "<s>", .user = " [INST] ", .end = "[/INST]"},
    {.name = "vicuna",
     .bos = "<s>",
     .user = "A chat between a curious user and an artificial intelligence assistant. The "
             "assistant gives helpful, detailed, and polite answers to the user's questions.\n\n"
             "USER: ",
     .end = "ASSISTANT:"},
    {.name = "nous-hermes", .bos = "<s>", .user = "### Instruction:\n\n", .end = "### Response:"},
    {.name = "gemma", .bos = "<bos>", .user = "<start_of_turn>user\n", .end = "<end_of_turn>"},
    {.name = "gemma-2", /* two line ends, as published */
     .bos = "<bos>",
     .user = "<start_of_turn>user\n\n",
     .end = "<end_of_turn>"},
    {.name = "phi-3", .bos = "<s>", .user = " <|user|>\n", .end = "<|end|>"},
    {.name = "phi-3-small", .bos = "<|endoftext|>", .user = "<|user|>\n", .end = "<|end|>"},
    {.name = "deepseek-coder-v2",
     .bos = "<｜begin▁of▁sentence｜>",
     .user = "User: ",
     .end = "\n\nAssistant:"},
    /* those that Magpie's authors have not */
    {.name = "gemma-3", .bos = "<bos>", .user = "<start_of_turn>user\n", .end = "<end_of_turn>"},
    {.name = "phi-4",
     .system = "<|im_start|>system<|im_sep|>",
     .system_end = "<|im_end|>",
     .user = "<|im_start|>user<|im_sep|>",
     .end = "<|im_end|>",
     .answer = "<|im_start|>assistant<|im_sep|>",
     .answer_end = "<|im_end|>"},
    {.name = "deepseek-v3",
     .bos = "<｜begin▁of▁sentence｜>",
     .system = "",
     .system_end = "",
     .user = "<｜User｜>",
     .end = "<｜Assistant｜>",
     .answer = "",
     .answer_end = "<｜end▁of▁sentence｜>"},
    {.name = "glm-4", .user = "[gMASK]<sop><|user|>\n", .end = "<|assistant|>"},
    {.name = "granite-3",
     .system = "<|start_of_role|>system<|end_of_role|>",
     .system_end = "<|end_of_text|>\n",
     .user = "<|start_of_role|>user<|end_of_role|>",
     .end = "<|end_of_text|>",
     .answer = "\n<|start_of_role|>assistant<|end_of_role|>",
     .answer_end = "<|end_of_text|>\n"},
    {.name = "command-r",
     .bos = "<BOS_TOKEN>",
     .system = "<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>",
     .system_end = "<|END_OF_TURN_TOKEN|>",
     .user = "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>",
     .end = "<|END_OF_TURN_TOKEN|>",
     .answer = "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
     .answer_end = "<|END_OF_TURN_TOKEN|>"},
    {.name = "zephyr", .user = "<|user|>\n", .end = "<|assistant|>"},
};

const struct magpie_form *magpie_form_of(drh_str name)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (drh_str_eq(name, forms[i].name)) {
            return &forms[i];
        }
    }
    return NULL;
}

void magpie_form_open(const struct magpie_form *f, int bos, drh_str system, drh_text *to)
{
    const drh_str own = drh_str_of(f->own_system ? f->own_system : "");
    system = system.len ? system : own;
    drh_text_adds(to, bos && f->bos ? f->bos : "");
    if (system.len && f->system) {
        drh_text_adds(to, f->system);
        drh_text_addv(to, system);
        drh_text_adds(to, f->system_end);
    }
    drh_text_adds(to, f->user);
}

void magpie_form_round(const struct magpie_form *f, drh_str question, drh_str answer, drh_text *to)
{
    drh_text_addv(to, question);
    drh_text_adds(to, f->end);
    drh_text_adds(to, f->answer);
    drh_text_addv(to, answer);
    drh_text_adds(to, f->answer_end);
    drh_text_adds(to, f->user);
}
