/* SPDX-License-Identifier: MIT
 *
 * test_http_pool.c - plugins/http/pool.c: work on a few threads, never twice at once.  Meant for a
 * build with ThreadSanitizer or AddressSanitizer.
 */
#include "bare_host.h"
#include "pool.h"
#include "run.h"

#include <pthread.h>
#include <unistd.h>

static struct pool    *pool;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t  moved = PTHREAD_COND_INITIALIZER;
static int             entered, may_leave, left; /* under lock */

static void setup(void)
{
    bare_reset();
    pool = NULL;
    entered = may_leave = left = 0;
}

static void start(unsigned threads)
{
    drh_error e = DRH_ERROR_INIT;

    ck_assert_int_eq(pool_new(&pool, &bare_host, threads, &e), DRH_OK);
}

static void stop(void)
{
    pool_free(pool);
    ck_assert_int_eq(bare_blocks, 0);
}

/* Waits until *n is at least `at`. */
static void wait_for(const int *n, int at)
{
    pthread_mutex_lock(&lock);
    while (*n < at) {
        pthread_cond_wait(&moved, &lock);
    }
    pthread_mutex_unlock(&lock);
}

static void let_leave(int n)
{
    pthread_mutex_lock(&lock);
    may_leave += n;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

static int value_of(const int *n)
{
    int v;

    pthread_mutex_lock(&lock);
    v = *n;
    pthread_mutex_unlock(&lock);
    return v;
}

/* Stays until it may leave. */
static bool stay(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    entered++;
    pthread_cond_broadcast(&moved);
    while (may_leave == 0) {
        pthread_cond_wait(&moved, &lock);
    }
    may_leave--;
    left++;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
    return false;
}

START_TEST(runs_once_a_kick)
{
    struct task t = {.fn = stay};

    start(2);
    for (int i = 1; i <= 3; i++) {
        let_leave(1);
        pool_kick(pool, &t);
        wait_for(&left, i);
    }
    usleep(20000);
    ck_assert_int_eq(value_of(&entered), 3);
    stop();
}
END_TEST

START_TEST(a_kick_while_it_runs_runs_it_again)
{
    struct task t = {.fn = stay};

    start(4);
    pool_kick(pool, &t);
    wait_for(&entered, 1);
    for (int i = 0; i < 5; i++) { /* five kicks, one more run */
        pool_kick(pool, &t);
    }
    usleep(20000);
    ck_assert_int_eq(value_of(&entered), 1); /* not beside itself */
    let_leave(1);
    wait_for(&entered, 2);
    let_leave(1);
    wait_for(&left, 2);
    usleep(20000);
    ck_assert_int_eq(value_of(&entered), 2);
    stop();
}
END_TEST

START_TEST(a_kick_while_it_waits_counts_once)
{
    struct task blocker = {.fn = stay}, t = {.fn = stay};

    start(1);
    pool_kick(pool, &blocker);
    wait_for(&entered, 1);
    pool_kick(pool, &t);
    pool_kick(pool, &t);
    let_leave(5);
    wait_for(&left, 2);
    usleep(20000);
    ck_assert_int_eq(value_of(&entered), 2);
    stop();
}
END_TEST

static int  order[3];
static bool note_order(void *arg)
{
    pthread_mutex_lock(&lock);
    order[left++] = *(int *)arg;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
    return false;
}

START_TEST(first_come_first_served)
{
    int         id[3] = {1, 2, 3};
    struct task blocker = {.fn = stay}, t[3];

    start(1);
    pool_kick(pool, &blocker);
    wait_for(&entered, 1);
    for (int i = 0; i < 3; i++) {
        t[i] = (struct task){.fn = note_order, .arg = &id[i]};
        pool_kick(pool, &t[i]);
    }
    pthread_mutex_lock(&lock);
    left = -1; /* the blocker's own end counts, too */
    pthread_mutex_unlock(&lock);
    let_leave(1);
    wait_for(&left, 3);
    ck_assert_int_eq(order[0], 1);
    ck_assert_int_eq(order[1], 2);
    ck_assert_int_eq(order[2], 3);
    stop();
}
END_TEST

/* A task that frees itself: AddressSanitizer sees who touches it afterwards. */
static bool go(void *arg)
{
    free(arg);
    pthread_mutex_lock(&lock);
    left++;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
    return true;
}

START_TEST(gone_tasks_are_not_touched)
{
    enum { N = 300 };

    start(4);
    for (int i = 0; i < N; i++) {
        struct task *t = malloc(sizeof(*t));
        *t = (struct task){.fn = go, .arg = t};
        pool_kick(pool, t);
    }
    wait_for(&left, N);
    stop();
}
END_TEST

/* One that was kicked while it ran, and goes all the same. */
static bool kick_and_go(void *arg)
{
    pool_kick(pool, arg);
    return go(arg);
}

START_TEST(gone_though_kicked)
{
    enum { N = 100 };

    start(3);
    for (int i = 0; i < N; i++) {
        struct task *t = malloc(sizeof(*t));
        *t = (struct task){.fn = kick_and_go, .arg = t};
        pool_kick(pool, t);
    }
    wait_for(&left, N);
    usleep(10000);
    ck_assert_int_eq(value_of(&left), N);
    stop();
}
END_TEST

/* Many threads kick few tasks: none runs beside itself, and after the last kick each runs. */
enum { TASKS = 5, KICKERS = 4, KICKS = 2000 };

struct work {
    struct task task;
    int         inside, wanted, seen; /* inside: no lock, so that TSan sees a second one */
};

static struct work work[TASKS];

static bool do_work(void *arg)
{
    struct work *w = arg;

    w->inside++;
    __atomic_store_n(&w->seen, __atomic_load_n(&w->wanted, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
    w->inside--;
    return false;
}

static void *kick_often(void *arg)
{
    for (int i = 0; i < KICKS; i++) {
        struct work *w = &work[(i + (int)(intptr_t)arg) % TASKS];
        (void)__atomic_add_fetch(&w->wanted, 1, __ATOMIC_SEQ_CST);
        pool_kick(pool, &w->task);
    }
    return NULL;
}

START_TEST(many_kickers)
{
    pthread_t thread[KICKERS];

    start(3);
    for (int i = 0; i < TASKS; i++) {
        work[i] = (struct work){.task = {.fn = do_work, .arg = &work[i]}};
    }
    for (int i = 0; i < KICKERS; i++) {
        ck_assert_int_eq(pthread_create(&thread[i], NULL, kick_often, (void *)(intptr_t)i), 0);
    }
    for (int i = 0; i < KICKERS; i++) {
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
    }
    for (int i = 0; i < TASKS; i++) {
        for (int k = 0;
             k < 5000 && __atomic_load_n(&work[i].seen, __ATOMIC_SEQ_CST) < KICKERS * KICKS / TASKS;
             k++) {
            usleep(1000);
        }
        ck_assert_int_eq(__atomic_load_n(&work[i].seen, __ATOMIC_SEQ_CST), KICKERS * KICKS / TASKS);
    }
    stop();
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(work[i].inside, 0);
    }
}
END_TEST

START_TEST(numbers_of_threads)
{
    static const unsigned n[] = {0, 1, 8, 1000};

    for (int i = 0; i < ROWS(n); i++) {
        struct task t = {.fn = stay};
        setup();
        start(n[i]);
        let_leave(1);
        pool_kick(pool, &t);
        wait_for(&left, 1);
        stop();
    }
    pool_free(NULL);
}
END_TEST

/* As many at once as there are threads. */
START_TEST(side_by_side)
{
    struct task t[3] = {{.fn = stay}, {.fn = stay}, {.fn = stay}};

    start(3);
    for (int i = 0; i < 3; i++) {
        pool_kick(pool, &t[i]);
    }
    wait_for(&entered, 3);
    let_leave(3);
    wait_for(&left, 3);
    stop();
}
END_TEST

START_TEST(without_memory)
{
    drh_error e = DRH_ERROR_INIT;

    bare_allowed = 0;
    ck_assert_int_eq(pool_new(&pool, &bare_host, 1, &e), DRH_E_NOMEM);
    ck_assert_ptr_null(pool);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("http_pool");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, runs_once_a_kick);
    tcase_add_test(t, a_kick_while_it_runs_runs_it_again);
    tcase_add_test(t, a_kick_while_it_waits_counts_once);
    tcase_add_test(t, first_come_first_served);
    tcase_add_test(t, gone_tasks_are_not_touched);
    tcase_add_test(t, gone_though_kicked);
    tcase_add_test(t, many_kickers);
    tcase_add_test(t, numbers_of_threads);
    tcase_add_test(t, side_by_side);
    tcase_add_test(t, without_memory);
    return run_case("http_pool", t);
}
