/* SPDX-License-Identifier: MIT
 *
 * prompt.c - the prompt texts of the published procedures, byte for byte.  Called by ifd.c.
 */
#include "ifd.h"

static const char alpaca_input[] =
    "Below is an instruction that describes a task, paired with an input that provides further "
    "context. Write a response that appropriately completes the request.\n\n### Instruction:\n";
static const char alpaca_plain[] =
    "Below is an instruction that describes a task. Write a response that appropriately completes "
    "the request.\n\n### Instruction:\n";
static const char vicuna_system[] =
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the user's questions. USER: ";

const char *ifd_marker(uint32_t template)
{
    return template == IFD_VICUNA ? "ASSISTANT:" : "### Response:";
}

static drh_status add(const drh_host *h, struct ifd_text *t, drh_str s)
{
    if (s.len >= SIZE_MAX / 2 - t->len) {
        return DRH_E_NOMEM;
    }
    if (t->len + s.len + 1 > t->cap) {
        size_t cap = 2 * (t->len + s.len) + 256;
        char  *p = h->alloc(h, t->ptr, cap);
        if (!p) {
            return DRH_E_NOMEM;
        }
        t->ptr = p;
        t->cap = cap;
    }
    if (s.len > 0) {
        memcpy(t->ptr + t->len, s.ptr, s.len);
    }
    t->len += s.len;
    t->ptr[t->len] = 0;
    return DRH_OK;
}

enum { MAX_PIECES = 6 };

static drh_status add_all(const drh_host *h, struct ifd_text *out, const drh_str *piece, size_t n)
{
    drh_status st = DRH_OK;
    size_t     i;
    for (i = 0; i < n && st == DRH_OK; i++) {
        st = add(h, out, piece[i]);
    }
    return st;
}

drh_status ifd_prompt(const drh_host *h, uint32_t template, const struct ifd_parts *p,
                      struct ifd_text *out)
{
    drh_str piece[MAX_PIECES];
    drh_str instruction = p->human;
    drh_str input = {"", 0};
    bool    split = p->input_from > 0 && p->input_from < p->human.len;
    size_t  n = 0;

    if (split) { /* the newline that joined the two belongs to neither */
        input.ptr = p->human.ptr + p->input_from;
        input.len = p->human.len - p->input_from;
        instruction.len = p->input_from;
        instruction.len -= instruction.ptr[instruction.len - 1] == '\n';
    }
    out->len = 0;
    switch (template) {
    case IFD_ALPACA:
        piece[n++] = drh_str_of(split ? alpaca_input : alpaca_plain);
        piece[n++] = instruction;
        piece[n++] = drh_str_of(split ? "\n\n### Input:\n" : "");
        piece[n++] = input;
        piece[n++] = drh_str_of("\n\n### Response:");
        break;
    case IFD_WIZ:
        piece[n++] = instruction;
        piece[n++] = drh_str_of(split ? "\nInput:" : "");
        piece[n++] = input;
        piece[n++] = drh_str_of("\n\n### Response:");
        break;
    case IFD_VICUNA:
        piece[n++] = drh_str_of(vicuna_system);
        piece[n++] = instruction;
        piece[n++] = drh_str_of(split ? "\nInput:\n" : "");
        piece[n++] = input;
        piece[n++] = drh_str_of(" ASSISTANT:");
        break;
    default:
        piece[n++] = p->system;
        piece[n++] = drh_str_of(p->system.len > 0 ? "\n" : "");
        piece[n++] = p->human;
        piece[n++] = drh_str_of("\n");
    }
    return add_all(h, out, piece, n);
}
