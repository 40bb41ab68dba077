/* SPDX-License-Identifier: MIT
 * maps.c - small stages that check what the host promises: shard-count (scope shard, a summary
 * record at the end), pinned (all calls on one thread), serial-order (SERIAL sees input order),
 * adder (two children a record, drops one in five parents), slow (1 ms a record). */
#include <drh/util.h>

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct map {
    const drh_host *host;
    pthread_t       thread;
    drh_field       count, n;
    int64_t         seen;
    uint64_t        row;
    int             inside;
    char            name[512];
};

static void map_destroy(void *self)
{
    free(self);
}

static drh_status map_create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct map *m = calloc(1, sizeof(*m));

    (void)c;
    if (!m) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    m->host = h;
    m->thread = pthread_self();
    m->count = drh_field_of(h, "count");
    m->n = drh_field_of(h, "child");
    *self = m;
    return DRH_OK;
}

/* ---- shard-count ---- */

static drh_status count_begin(void *self, void *worker, drh_error *e)
{
    struct map *m = self;
    (void)worker;
    (void)e;
    m->seen = 0;
    return DRH_OK;
}

static drh_status count_process(void *self, void *worker, drh_record *const *r, size_t n,
                                drh_error *e)
{
    struct map *m = self;
    (void)worker;
    (void)e;
    for (size_t i = 0; i < n; i++) {
        m->seen++;
        (void)m->host->records->keep(r[i]);
    }
    return DRH_OK;
}

static drh_status count_flush(void *self, void *worker, drh_record *tail, drh_error *e)
{
    struct map           *m = self;
    const drh_record_api *api = m->host->records;
    drh_record           *r;
    drh_status            st = api->add(tail, &r);

    (void)worker;
    st = st == DRH_OK ? api->set_i64(r, m->count, m->seen) : st;
    st = st == DRH_OK ? api->keep(r) : st;
    return st == DRH_OK ? st : drh_fail(e, st, "cannot add the count");
}

/* ---- pinned ---- */

static drh_status pinned_process(void *self, void *worker, drh_record *const *r, size_t n,
                                 drh_error *e)
{
    struct map *m = self;
    (void)worker;
    (void)e;
    for (size_t i = 0; i < n; i++) {
        if (pthread_equal(m->thread, pthread_self())) {
            (void)m->host->records->keep(r[i]);
        } else {
            (void)m->host->records->fail(r[i], "wrong_thread", NULL, 0);
        }
    }
    return DRH_OK;
}

static void pinned_destroy(void *self)
{
    struct map *m = self;
    if (!pthread_equal(m->thread, pthread_self())) {
        drh_logf(m->host, DRH_LOG_ERROR, "BROKEN: destroy() on another thread");
    }
    free(m);
}

/* ---- serial-order ---- */

static int in_order(struct map *m, const drh_record *r)
{
    drh_record_info info = {.struct_size = sizeof(info)};
    int             same;

    if (m->host->records->info(r, &info) != DRH_OK) {
        return 0;
    }
    same = drh_str_eq(info.file, m->name);
    if (same && info.row <= m->row) {
        return 0;
    }
    if (!same && info.row != 0) {
        return 0;
    }
    m->row = info.row;
    (void)snprintf(m->name, sizeof(m->name), "%.*s", (int)info.file.len, info.file.ptr);
    return 1;
}

static drh_status order_process(void *self, void *worker, drh_record *const *r, size_t n,
                                drh_error *e)
{
    struct map *m = self;
    (void)worker;
    (void)e;
    if (__atomic_exchange_n(&m->inside, 1, __ATOMIC_ACQUIRE)) {
        drh_logf(m->host, DRH_LOG_ERROR, "BROKEN: two calls of a SERIAL stage at once");
    }
    for (size_t i = 0; i < n; i++) {
        if (in_order(m, r[i])) {
            (void)m->host->records->keep(r[i]);
        } else {
            (void)m->host->records->fail(r[i], "out_of_order", NULL, 0);
        }
    }
    __atomic_store_n(&m->inside, 0, __ATOMIC_RELEASE);
    return DRH_OK;
}

/* ---- adder ---- */

static drh_status add_child(struct map *m, drh_record *parent, int64_t n, drh_record **child)
{
    const drh_record_api *api = m->host->records;
    drh_status            st = api->add(parent, child);

    st = st == DRH_OK ? api->set_i64(*child, m->n, n) : st;
    st = st == DRH_OK ? api->set_i64(*child, m->count, (int64_t)(api->seed(*child) >> 1)) : st;
    return st;
}

static drh_status adder_one(struct map *m, drh_record *r)
{
    const drh_record_api *api = m->host->records;
    drh_record_info       info = {.struct_size = sizeof(info)};
    drh_record           *a, *b, *c;
    drh_status            st = api->info(r, &info);

    st = st == DRH_OK ? add_child(m, r, 1, &a) : st;
    st = st == DRH_OK ? add_child(m, r, 2, &b) : st;
    st = st == DRH_OK && info.row % 7 == 0 ? add_child(m, a, 3, &c) : st; /* a grandchild */
    if (st == DRH_OK && info.row % 7 == 0) {
        st = api->keep(c);
    }
    st = st == DRH_OK ? api->keep(a) : st;
    st = st == DRH_OK ? api->keep(b) : st;
    return st == DRH_OK ? (info.row % 5 == 0 ? api->drop(r, "fifth", NULL, 0) : api->keep(r)) : st;
}

static drh_status adder_process(void *self, void *worker, drh_record *const *r, size_t n,
                                drh_error *e)
{
    drh_status st = DRH_OK;
    (void)worker;
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        st = adder_one(self, r[i]);
    }
    return st == DRH_OK ? st : drh_fail(e, st, "cannot add");
}

/* ---- slow ---- */

static drh_status slow_process(void *self, void *worker, drh_record *const *r, size_t n,
                               drh_error *e)
{
    const struct timespec t = {0, 1000000};
    struct map           *m = self;

    (void)worker;
    for (size_t i = 0; i < n; i++) {
        if (m->host->cancelled(m->host)) {
            return drh_fail(e, DRH_E_CANCELLED, "cancelled");
        }
        (void)nanosleep(&t, NULL);
        (void)m->host->records->keep(r[i]);
    }
    return DRH_OK;
}

#define LIFE(name, end)                                                                            \
    static const drh_life name = {.struct_size = sizeof(name), .create = map_create, .destroy = end}
LIFE(plain_life, map_destroy);
LIFE(pinned_life, pinned_destroy);

static const drh_map_ops count_ops = {.struct_size = sizeof(count_ops),
                                      .process = count_process,
                                      .begin = count_begin,
                                      .flush = count_flush};
static const drh_map_ops pinned_ops = {.struct_size = sizeof(pinned_ops),
                                       .process = pinned_process};
static const drh_map_ops order_ops = {.struct_size = sizeof(order_ops), .process = order_process};
static const drh_map_ops adder_ops = {.struct_size = sizeof(adder_ops), .process = adder_process};
static const drh_map_ops slow_ops = {.struct_size = sizeof(slow_ops), .process = slow_process};

#define STAGE(var, name, mode, reach, l, o)                                                        \
    static const drh_stage var = {.struct_size = sizeof(var),                                      \
                                  .kind = DRH_KIND_PREPROCESSOR,                                   \
                                  .id = name,                                                      \
                                  .version = "1.0.0",                                              \
                                  .summary = "checks the host",                                    \
                                  .threading = mode,                                               \
                                  .scope = reach,                                                  \
                                  .life = &l,                                                      \
                                  .ops.map = &o}
STAGE(count_stage, "shard-count", DRH_WORKERS, DRH_SCOPE_SHARD, plain_life, count_ops);
STAGE(pinned_stage, "pinned", DRH_PINNED, DRH_SCOPE_RECORD, pinned_life, pinned_ops);
STAGE(order_stage, "serial-order", DRH_SERIAL, DRH_SCOPE_RECORD, plain_life, order_ops);
STAGE(adder_stage, "adder", DRH_WORKERS, DRH_SCOPE_RECORD, plain_life, adder_ops);
STAGE(slow_stage, "slow", DRH_WORKERS, DRH_SCOPE_RECORD, plain_life, slow_ops);
static const drh_stage *const STAGES[] = {&count_stage, &pinned_stage, &order_stage, &adder_stage,
                                          &slow_stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry),
                                .n_stages = 5,
                                .name = "maps",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = STAGES};
DRH_PLUGIN_NOTE(0, "preprocessor shard-count 1.0.0\npreprocessor pinned 1.0.0\n"
                   "preprocessor serial-order 1.0.0\npreprocessor adder 1.0.0\n"
                   "preprocessor slow 1.0.0");
