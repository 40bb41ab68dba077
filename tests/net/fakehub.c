/* SPDX-License-Identifier: MIT
 * fakehub.c - fake Hugging Face and ModelScope hubs on the loopback interface; see README.md.
 *     fakehub --spec FILE [--ports-file FILE] [--log FILE] [--faults FILE] [--set NAME=VALUE]...
 *             [--tls CERT KEY] [--max-seconds N]
 * Ends when its standard input does, on SIGTERM, by POST /quit, and after N (600) seconds. */
#include "hub.h"
#include "spec.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct options {
    const char *spec, *ports_file, *log, *faults, *cert, *key;
    const char *set[64];
    size_t      n_set;
    double      seconds;
};

static const struct {
    const char    *name;
    enum port_kind kind;
    bool           tls;
} port_table[PORTS] = {
    {"hub", PORT_HUB, false}, {"cdn", PORT_CDN, false}, {"ms", PORT_MS, false},
    {"oss", PORT_OSS, false}, {"ctl", PORT_CTL, false}, {"hubs", PORT_HUB, true},
    {"cdns", PORT_CDN, true}, {"mss", PORT_MS, true},   {"osss", PORT_OSS, true}};

static void read_options(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (!value) {
            die("%s: unknown, or its value is missing", name);
        }
        i++;
        if (strcmp(name, "--spec") == 0) {
            o->spec = value;
        } else if (strcmp(name, "--ports-file") == 0) {
            o->ports_file = value;
        } else if (strcmp(name, "--log") == 0) {
            o->log = value;
        } else if (strcmp(name, "--faults") == 0) {
            o->faults = value;
        } else if (strcmp(name, "--max-seconds") == 0) {
            o->seconds = strtod(value, NULL);
        } else if (strcmp(name, "--set") == 0 && o->n_set < COUNT(o->set)) {
            o->set[o->n_set++] = value;
        } else if (strcmp(name, "--tls") == 0 && i + 1 < argc) {
            o->cert = value;
            o->key = argv[++i];
        } else {
            die("%s: unknown option", name);
        }
    }
    if (!o->spec) {
        die("--spec FILE is needed");
    }
}

static void put_settings(struct hub *h, const struct options *o)
{
    for (size_t i = 0; i < o->n_set; i++) {
        const char *equals = strchr(o->set[i], '=');
        char       *name = xdupn(o->set[i], equals ? (size_t)(equals - o->set[i]) : 0);

        if (!equals || !settings_put(&h->settings, name, equals + 1)) {
            die("--set %s: no such setting, or it cannot be that", o->set[i]);
        }
        free(name);
    }
    for (size_t i = 0; i < SETTINGS; i++) {
        atomic_store(&h->first.value[i], atomic_load(&h->settings.value[i]));
    }
}

static void put_faults(struct hub *h, const cJSON *list, const char *where)
{
    struct sb why = {NULL, 0, 0};

    if (!faults_put(&h->faults, list, true, &why)) {
        die("%s: faults: %s", where, sb_text(&why));
    }
    sb_free(&why);
}

static void load(struct hub *h, const struct options *o)
{
    cJSON *list = spec_load(o->spec, &h->world, &h->settings);

    if (list) {
        put_faults(h, list, o->spec);
    }
    cJSON_Delete(list);
    if (o->faults) {
        char *text = read_text(o->faults, NULL);

        list = cJSON_Parse(text);
        put_faults(h, list, o->faults);
        cJSON_Delete(list);
        free(text);
    }
    put_settings(h, o);
}

static void start_tls(struct hub *h, const struct options *o)
{
    if (!o->cert) {
        return;
    }
    h->tls = SSL_CTX_new(TLS_server_method());
    if (!h->tls || SSL_CTX_use_certificate_chain_file(h->tls, o->cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(h->tls, o->key, SSL_FILETYPE_PEM) != 1) {
        die("cannot use certificate %s with key %s", o->cert, o->key);
    }
    (void)SSL_CTX_set_mode(h->tls, SSL_MODE_AUTO_RETRY);
}

/* Complete or not there: whoever waits for it may read it as soon as it is there. */
static void write_ports(struct hub *h, const char *path)
{
    char     *tmp = xprintf("%s.tmp", path);
    FILE     *f = fopen(tmp, "we");
    struct sb s = {NULL, 0, 0};

    for (size_t i = 0; i < PORTS; i++) {
        if (h->ports[i].fd >= 0) {
            for (const char *p = h->ports[i].name; *p; p++) {
                sb_putc(&s, (char)(*p - 'a' + 'A'));
            }
            sb_printf(&s, "=%d\n", h->ports[i].number);
        }
    }
    if (!f || fwrite(s.p, 1, s.n, f) != s.n || fclose(f) != 0 || rename(tmp, path) != 0) {
        die("cannot write %s: %s", path, strerror(errno));
    }
    sb_free(&s);
    free(tmp);
}

static struct hub *hub_new(void)
{
    struct hub *h = xalloc(1, sizeof(*h));

    world_init(&h->world);
    settings_reset(&h->settings);
    faults_init(&h->faults);
    h->log = -1;
    h->started = clock_now();
    h->stop_fd = eventfd(0, EFD_CLOEXEC);
    h->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)pthread_mutex_init(&h->lock, NULL);
    (void)pthread_cond_init(&h->changed, NULL);
    for (size_t i = 0; i < PORTS; i++) {
        h->ports[i].name = port_table[i].name;
        h->ports[i].kind = port_table[i].kind;
        h->ports[i].tls = port_table[i].tls;
        pace_init(&h->ports[i].pace);
    }
    return h;
}

static void hub_free(struct hub *h)
{
    for (size_t i = 0; i < PORTS; i++) {
        if (h->ports[i].fd >= 0) {
            (void)close(h->ports[i].fd);
        }
    }
    if (h->log >= 0) {
        (void)close(h->log);
    }
    (void)close(h->stop_fd);
    (void)close(h->wake_fd);
    SSL_CTX_free(h->tls);
    faults_free(&h->faults);
    world_free(&h->world);
    sb_free(&h->leak_detail);
    free(h->signatures);
    free(h);
}

int main(int argc, char **argv)
{
    struct options o = {.seconds = 600};
    struct hub    *h;

    read_options(&o, argc, argv);
    h = hub_new();
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    load(h, &o);
    start_tls(h, &o);
    if (o.log) {
        log_open(h, o.log);
    }
    if (!ports_open(h)) {
        die("cannot open the ports: %s", strerror(errno));
    }
    if (o.ports_file) {
        write_ports(h, o.ports_file);
    }
    serve(h, o.seconds);
    hub_free(h);
    return 0;
}
