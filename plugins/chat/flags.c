/* SPDX-License-Identifier: MIT
 *
 * flags.c - what looks wrong in a conversation but may be right: marks of a template that leaked
 * into a text, answers that stop in the middle.  Called by write.c when the option `flags` is set,
 * on the worker's thread.  The rules are in the README.
 */
#include "chat.h"

enum { LONG_ANSWER = 100 }; /* bytes; a shorter one needs no end of a sentence */

/* Tokens that no one writes; each begins with < or [. */
static const drh_str tokens[] = {
    {DRH_LIT("<|im_start|>")},
    {DRH_LIT("<|im_end|>")},
    {DRH_LIT("<|endoftext|>")},
    {DRH_LIT("<|eot_id|>")},
    {DRH_LIT("<|start_header_id|>")},
    {DRH_LIT("<|end_header_id|>")},
    {DRH_LIT("<|begin_of_text|>")},
    {DRH_LIT("<|end_of_text|>")},
    {DRH_LIT("<|user|>")},
    {DRH_LIT("<|assistant|>")},
    {DRH_LIT("<|system|>")},
    {DRH_LIT("<|end|>")},
    {DRH_LIT("<start_of_turn>")},
    {DRH_LIT("<end_of_turn>")},
    {DRH_LIT("<<SYS>>")},
    {DRH_LIT("[INST]")},
    {DRH_LIT("[/INST]")},
    {DRH_LIT("<eoh>")},
    {DRH_LIT("<eom>")},
    {DRH_LIT("<\uff5cUser\uff5c>")},
    {DRH_LIT("<\uff5cAssistant\uff5c>")},
};

/* At the start of a line of an answer. */
static const drh_str lines[] = {
    {DRH_LIT("### Instruction:")}, {DRH_LIT("### Input:")},     {DRH_LIT("### Response:")},
    {DRH_LIT("### Human:")},       {DRH_LIT("### Assistant:")}, {DRH_LIT("Human:")},
    {DRH_LIT("Assistant:")},       {DRH_LIT("User:")},          {DRH_LIT("HUMAN:")},
    {DRH_LIT("ASSISTANT:")},       {DRH_LIT("USER:")},          {DRH_LIT("<human>:")},
    {DRH_LIT("<bot>:")},
};

static bool begins_any(drh_str s, size_t at, const drh_str *marks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s.len - at >= marks[i].len && memcmp(s.ptr + at, marks[i].ptr, marks[i].len) == 0) {
            return true;
        }
    }
    return false;
}

static bool leaks(drh_str s, bool answer)
{
    bool start = true; /* of a line */
    for (size_t i = 0; i < s.len; i++) {
        const char c = s.ptr[i];
        if ((c == '<' || c == '[') &&
            begins_any(s, i, tokens, sizeof(tokens) / sizeof(tokens[0]))) {
            return true;
        }
        if (answer && start && begins_any(s, i, lines, sizeof(lines) / sizeof(lines[0]))) {
            return true;
        }
        start = c == '\n';
    }
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static drh_str trim(drh_str s)
{
    while (s.len > 0 && is_space(s.ptr[s.len - 1])) {
        s.len--;
    }
    while (s.len > 0 && is_space(*s.ptr)) {
        s.ptr++;
        s.len--;
    }
    return s;
}

/* ``` or ~~~, and what may be behind it: `code` of one line is none. */
static bool is_fence(const char *p, size_t n)
{
    size_t run = 0;
    while (run < n && p[run] == p[0]) {
        run++;
    }
    return run >= 3 && (p[0] == '~' || (p[0] == '`' && !memchr(p + run, '`', n - run)));
}

/* Is a fence open at the end? */
static bool open_fence(drh_str s)
{
    bool   open = false;
    size_t at = 0;
    while (at < s.len) {
        const char *nl = memchr(s.ptr + at, '\n', s.len - at);
        size_t      end = nl ? (size_t)(nl - s.ptr) : s.len;
        while (at < end && is_space(s.ptr[at])) {
            at++;
        }
        if (is_fence(s.ptr + at, end - at)) {
            open = !open;
        }
        at = end + 1;
    }
    return open;
}

/* A line that needs no end of a sentence: of a list, a table, a heading, a quotation. */
static bool free_line(drh_str s)
{
    size_t at = s.len;
    while (at > 0 && s.ptr[at - 1] != '\n') {
        at--;
    }
    s.ptr += at;
    s.len -= at;
    s = trim(s);
    if (s.len == 0 || strchr("-*+#|>", *s.ptr) != NULL ||
        (s.len >= 3 && memcmp(s.ptr, "\u2022", 3) == 0)) {
        return true;
    }
    for (at = 0; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9'; at++) {
    }
    return at > 0 && at < s.len && (s.ptr[at] == '.' || s.ptr[at] == ')');
}

static bool ends_with(drh_str s, const char *end)
{
    const size_t n = strlen(end);
    return s.len >= n && memcmp(s.ptr + s.len - n, end, n) == 0;
}

/* Signs that no sentence ends with: letters and what announces more.  Of letters beyond ASCII those
 * of Chinese, Japanese and Korean. */
static bool goes_on(drh_str s)
{
    static const char *const more[] = {",",      ":",      ";",      "-",      "(", "\uff0c",
                                       "\uff1a", "\uff1b", "\u3001", "\uff08", NULL};
    const unsigned char      c = (unsigned char)s.ptr[s.len - 1];
    size_t                   i;
    if ((c | 0x20u) - 'a' < 26u) {
        return true;
    }
    for (i = 0; more[i]; i++) {
        if (ends_with(s, more[i])) {
            return true;
        }
    }
    if (s.len >= 3 && c >= 0x80) {
        const unsigned char *p = (const unsigned char *)s.ptr + s.len - 3;
        const uint32_t       cp =
            (uint32_t)(p[0] & 0x0Fu) << 12 | (uint32_t)(p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        return (p[0] & 0xF0u) == 0xE0u &&
               ((cp >= 0x3040 && cp <= 0x30FF) || (cp >= 0x4E00 && cp <= 0x9FFF) ||
                (cp >= 0xAC00 && cp <= 0xD7A3));
    }
    return false;
}

static bool is_truncated(drh_str s)
{
    s = trim(s);
    return open_fence(s) || (s.len >= LONG_ANSWER && goes_on(s) && !free_line(s));
}

unsigned chat_flags(const struct chat_worker *w)
{
    unsigned flags = 0;
    for (size_t i = 0; i < w->n_turns; i++) {
        const struct chat_turn *t = &w->turns[i];
        const bool              answer = t->role == CHAT_GPT;
        flags |= !(flags & CHAT_LEAK) && leaks(t->text, answer) ? CHAT_LEAK : 0u;
        flags |= answer && !(flags & CHAT_TRUNCATED) && is_truncated(t->text) ? CHAT_TRUNCATED : 0u;
    }
    return flags;
}
