/* SPDX-License-Identifier: MIT
 * hf_token.c - whose token, from where, and to whom.
 *
 * The order is the official client's: the option, HF_TOKEN, HUGGING_FACE_HUB_TOKEN, the file that
 * HF_TOKEN_PATH names, HF_HOME/token.  But a token that lies around belongs to huggingface.co:
 * sending it to a mirror hands a third party the account, so that is done only when the user says
 * so, by the option `token` itself or by HF_TOKEN_TO_MIRROR. */
#include "hf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_TOKEN = 4096 };

static const char *variable(const char *name)
{
    const char *v = secure_getenv(name);

    return v && v[0] ? v : NULL;
}

static int is_true(const char *v)
{
    return v && (strcmp(v, "1") == 0 || strcasecmp(v, "true") == 0 || strcasecmp(v, "yes") == 0 ||
                 strcasecmp(v, "on") == 0);
}

static drh_str trimmed(drh_str s)
{
    while (s.len && strchr(" \t\r\n", s.ptr[0])) {
        s = drh_str_from(s, 1);
    }
    while (s.len && strchr(" \t\r\n", s.ptr[s.len - 1])) {
        s.len--;
    }
    return s;
}

/* The first file that is there of HF_TOKEN_PATH, HF_HOME/token, the cache folder's. */
static drh_str from_file(struct hf *x, char buf[MAX_TOKEN])
{
    const char *path = variable("HF_TOKEN_PATH"), *home = variable("HF_HOME");
    const char *cache = variable("XDG_CACHE_HOME"), *user = variable("HOME");
    drh_text    name = {.host = x->host};
    drh_str     none = {NULL, 0}, token = none;
    ssize_t     n = -1;
    int         fd;

    if (path) {
        drh_text_adds(&name, path);
    } else if (home) {
        drh_text_adds(&name, home);
        drh_text_adds(&name, "/token");
    } else if (cache || user) {
        drh_text_adds(&name, cache ? cache : user);
        drh_text_adds(&name, cache ? "/huggingface/token" : "/.cache/huggingface/token");
    }
    if (name.len && !name.failed) {
        fd = open(name.ptr, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        n = fd >= 0 ? read(fd, buf, MAX_TOKEN - 1) : -1;
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    drh_text_free(&name);
    if (n > 0) {
        token = trimmed((drh_str){buf, (size_t)n});
        x->token_from = "the token file";
    }
    return token.len ? token : none;
}

static drh_str from_environment(struct hf *x, char buf[MAX_TOKEN])
{
    static const char *const names[] = {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"};
    size_t                   i;

    for (i = 0; i < 2; i++) {
        const char *v = variable(names[i]);
        drh_str     token = v ? trimmed(drh_str_of(v)) : (drh_str){NULL, 0};
        if (token.len) {
            x->token_from = names[i];
            return token;
        }
    }
    return from_file(x, buf);
}

/* The hub whose tokens they are, or this machine. */
static int is_home(drh_str endpoint)
{
    static const char *const hosts[] = {"https://huggingface.co", "https://hf.co",
                                        "https://www.huggingface.co", NULL};

    return drh_hub_is_at(endpoint, hosts) || drh_hub_here(endpoint);
}

static drh_status use(struct hf *x, drh_str token, drh_error *e)
{
    if (drh_hub_span(token, " \t\r\n\"\\,;", 0) < token.len) {
        return drh_fail(e, DRH_E_CONFIG,
                        "token: %s holds a character that no token has; copy it again from the "
                        "page of your account",
                        x->token_from);
    }
    if (!drh_hub_private(drh_text_str(&x->endpoint))) {
        return drh_fail(e, DRH_E_CONFIG,
                        "endpoint: %s is not encrypted; no token is sent to it: use https, or no "
                        "token",
                        x->endpoint.ptr);
    }
    drh_text_adds(&x->bearer, "Bearer ");
    drh_text_addv(&x->bearer, token);
    return x->bearer.failed ? drh_fail(e, DRH_E_NOMEM, "out of memory for a token") : DRH_OK;
}

drh_status hf_token(struct hf *x, drh_error *e)
{
    char       buf[MAX_TOKEN];
    drh_str    token = drh_hub_option(x->host, x->config, "/token");
    drh_status st = DRH_OK;

    if (token.len) {
        x->token_from = "the option token";
        return use(x, token, e);
    }
    if (is_true(variable("HF_HUB_DISABLE_IMPLICIT_TOKEN"))) {
        return DRH_OK;
    }
    token = from_environment(x, buf);
    if (token.len &&
        (is_home(drh_text_str(&x->endpoint)) || is_true(variable("HF_TOKEN_TO_MIRROR")))) {
        st = use(x, token, e);
    } else if (token.len) {
        drh_logf(
            x->host, DRH_LOG_INFO,
            "%s is not sent to %s, which is not huggingface.co; set HF_TOKEN_TO_MIRROR=1 if you "
            "trust it with your account",
            x->token_from, x->endpoint.ptr);
        x->token_from = NULL;
    }
    explicit_bzero(buf, sizeof(buf));
    return st;
}
