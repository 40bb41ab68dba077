/* SPDX-License-Identifier: MIT
 * fault_impl.h - between fault.c (rules, and who they are for) and fault_act*.c (what they do). */
#ifndef NET_FAULT_IMPL_H
#define NET_FAULT_IMPL_H

#include "hub.h"

/* Does it to the call; p is the rule's object, with its parameters. */
typedef void (*fault_act)(struct call *c, const cJSON *p);

struct action {
    const char *name, *keys; /* keys: its parameters, a space on each side of each */
    fault_act   act;         /* NULL: at accept, see faults_accept() */
};

const struct action *action_named(const char *name);
void                 actions_list(struct sb *out);

double      fault_number(const cJSON *p, const char *key, double otherwise);
const char *fault_text(const cJSON *p, const char *key, const char *otherwise);
bool        fault_flag(const cJSON *p, const char *key);
enum ending fault_ending(const cJSON *p);

/* fault_answer.c */
void act_status(struct call *c, const cJSON *p);
void act_416(struct call *c, const cJSON *p);
void act_full200(struct call *c, const cJSON *p);
void act_content_range(struct call *c, const cJSON *p);
void act_multipart(struct call *c, const cJSON *p);
void act_headers(struct call *c, const cJSON *p);
void act_no_linked(struct call *c, const cJSON *p);
void act_swap(struct call *c, const cJSON *p);
void act_gzip(struct call *c, const cJSON *p);
void act_json_error(struct call *c, const cJSON *p);
void act_html(struct call *c, const cJSON *p);
void act_redirect(struct call *c, const cJSON *p);
void act_expire(struct call *c, const cJSON *p);

/* fault_list.c */
void act_link(struct call *c, const cJSON *p);
void act_truncate(struct call *c, const cJSON *p);
void act_bad_utf8(struct call *c, const cJSON *p);
void act_rows(struct call *c, const cJSON *p);
void act_ms_page(struct call *c, const cJSON *p);
void act_move(struct call *c, const cJSON *p);
void act_port(struct call *c, const cJSON *p);

#endif
