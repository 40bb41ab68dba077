/* SPDX-License-Identifier: MIT
 *
 * rules.c - faults, as README.md beside this file says.
 */
#include "llm.h"

#include <string.h>

static double number(const cJSON *rule, const char *key, double otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(rule, key);
    return cJSON_IsNumber(v) ? v->valuedouble : otherwise;
}

static const char *text(const cJSON *rule, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(rule, key));
}

static bool fits(const cJSON *rule, const struct ask *q)
{
    const char *path = text(rule, "path"), *part = text(rule, "body"), *and = text(rule, "and");
    double      one_in = number(rule, "one_in", 1), salt = number(rule, "salt", 0);

    return (!path || strstr(q->path, path)) && (!part || strstr(q->body, part)) &&
           (!and || strstr(q->body, and)) && q->number >= number(rule, "from", 0) &&
           q->number <= number(rule, "to", 1e18) && q->nth <= number(rule, "first", 1e18) &&
           (one_in <= 1 || mix64(q->hash + (uint64_t)salt) % (uint64_t)one_in == 0);
}

const cJSON *rule_for(const struct ask *q)
{
    const cJSON *rule;

    cJSON_ArrayForEach(rule, set.rules)
    {
        if (fits(rule, q)) {
            return rule;
        }
    }
    return NULL;
}

static bool is(const cJSON *rule, const char *action)
{
    const char *is = text(rule, "action");
    return is && strcmp(is, action) == 0;
}

static void json(struct answer *a, int status, const char *body)
{
    a->status = status;
    a->type = "application/json";
    sb_puts(&a->body, body);
}

bool rule_instead(const cJSON *rule, struct answer *a)
{
    const char *after = text(rule, "retry_after");

    a->fault = text(rule, "action");
    if (is(rule, "status")) {
        json(a, (int)number(rule, "code", 500),
             "{\"error\":{\"message\":\"ERRORTEXT of the server\",\"type\":\"t\",\"code\":\"c\"}}");
        if (text(rule, "body_is")) {
            a->body.n = 0;
            sb_puts(&a->body, text(rule, "body_is"));
        }
        if (after) {
            sb_printf(&a->head, "Retry-After: %s\r\n", after);
        }
        return true;
    }
    if (is(rule, "html")) {
        json(a, 200, "<html>ERRORTEXT: please log in</html>");
        a->type = "text/html";
        return true;
    }
    if (is(rule, "error200")) {
        json(a, 200, "{\"error\":{\"message\":\"ERRORTEXT under 200\",\"code\":502}}");
        return true;
    }
    if (is(rule, "no_choices")) {
        json(a, 200,
             "{\"id\":\"x\",\"object\":\"text_completion\",\"choices\":[],"
             "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":0}}");
        return true;
    }
    if (is(rule, "hang")) {
        json(a, 200, "");
        a->ending = END_HANG;
        return true;
    }
    if (is(rule, "reset")) {
        json(a, 200, "");
        a->ending = END_RESET;
        return true;
    }
    return false;
}

/* Spoils the bytes as they go out. */
void rule_after(const cJSON *rule, struct answer *a)
{
    a->fault = text(rule, "action");
    if (is(rule, "cut")) { /* the head says more than comes */
        a->raw.n -= a->raw.n > 40 ? 40 : a->raw.n / 2;
        a->n_pieces = 0;
        answer_piece(a, a->raw.n, (double)set.latency_ms / 1000);
        a->ending = END_CLOSE;
    } else if (is(rule, "drip")) {
        size_t from = a->raw.n > 60 ? a->raw.n - 60 : 0;
        a->n_pieces = 0;
        for (size_t at = from; at <= a->raw.n; at++) {
            answer_piece(a, at, (double)(at - from) * number(rule, "ms", 50) / 1000);
        }
    }
}
