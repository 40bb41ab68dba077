/* SPDX-License-Identifier: MIT
 * report.c - report.json as people read it.  Called by `drhost report`.  The file may have been
 * edited or come from another version: what is missing is left out. [main] */
#include "report.h"

#include "tree.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 100, BAR = 50, EXCERPT = 84 };

/* Text goes to `out` until something fails. */
struct text {
    struct buf *out;
    drh_status  st;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *fmt, ...)
{
    char    line[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (t->st == DRH_OK) {
        t->st = buf_adds(t->out, line);
    }
}

static const cJSON *get(const cJSON *o, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(o, key);
}

/* A string for one line of a terminal: "" when there is none. */
static const char *str(const cJSON *o, const char *key)
{
    const cJSON *v = get(o, key);
    return cJSON_IsString(v) ? v->valuestring : "";
}

static double num(const cJSON *o, const char *key)
{
    const cJSON *v = get(o, key);
    return cJSON_IsNumber(v) ? v->valuedouble : (double)NAN;
}

/* A count; 0 when there is none. */
static double count(const cJSON *o, const char *key)
{
    double v = num(o, key);
    return v >= 0 ? v : 0;
}

static void size_text(double bytes, char *out, size_t cap)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    size_t                   u = 0;

    while (bytes >= 1000 && u + 1 < sizeof(units) / sizeof(units[0])) {
        bytes /= 1000;
        u++;
    }
    (void)snprintf(out, cap, u ? "%.1f %s" : "%.0f %s", bytes, units[u]);
}

static void score_text(double v, char *out, size_t cap)
{
    (void)snprintf(out, cap, isfinite(v) ? "%.4g" : "-", v);
}

/* ---- parts ---- */

static void put_head(struct text *t, const cJSON *r)
{
    const char *state = str(r, "state"), *message = str(r, "message");

    put(t, "%s, version %s: %s in %.1f s\n", str(r, "recipe"), str(r, "version"), state,
        count(r, "seconds"));
    if (message[0]) {
        put(t, "  %s\n", message);
    }
    put(t, "  started %s, %.0f workers, peak memory %.0f MiB, drhost %s\n", str(r, "started"),
        count(r, "workers"), count(r, "peak_memory_mib"), str(r, "drhost"));
    put(t, "  data in %s\n", str(r, "data"));
}

static void put_services(struct text *t, const cJSON *list)
{
    const cJSON *s;
    if (!cJSON_IsArray(list) || !list->child) {
        return;
    }
    put(t, "\nServices\n");
    cJSON_ArrayForEach(s, list)
    {
        put(t, "  %-14s %-18s %s\n", str(s, "id"), str(s, "use"), str(s, "model"));
    }
}

static void put_sources(struct text *t, const cJSON *list)
{
    const cJSON *s, *reader;
    put(t, "\nRead\n  %-36s %6s %10s %10s %8s\n", "domain/dataset", "files", "bytes", "records",
        "failed");
    cJSON_ArrayForEach(s, list)
    {
        char name[37], size[24];
        (void)snprintf(name, sizeof(name), "%s/%s", str(s, "domain"), str(s, "dataset"));
        size_text(count(s, "bytes"), size, sizeof(size));
        put(t, "  %-36s %6.0f %10s %10.0f %8.0f\n", name, count(s, "files"), size, count(s, "read"),
            count(s, "failed"));
        cJSON_ArrayForEach(reader, get(s, "readers"))
        {
            put(t, "      by reader %.63s\n", cJSON_IsString(reader) ? reader->valuestring : "?");
        }
    }
}

static void put_reasons(struct text *t, const char *what, const cJSON *reasons)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, reasons)
    {
        put(t, "      %s %.0f: %s\n", what, cJSON_IsNumber(one) ? one->valuedouble : 0,
            one->string ? one->string : "?");
    }
}

/* A segment's time is with its first step. */
static void put_segment(struct text *t, const cJSON *first)
{
    double seconds = count(first, "seconds"), skipped = count(first, "skipped");

    put(t, "  %s: %.0f tasks in %.1f s", str(first, "segment"), count(first, "tasks"), seconds);
    if (seconds > 0 && count(first, "in") > 0) {
        put(t, ", %.0f records/s", count(first, "in") / seconds);
    }
    if (skipped > 0) {
        put(t, "; %.0f done before and not run again", skipped);
    }
    put(t, "\n");
}

static void put_steps(struct text *t, const cJSON *list)
{
    const cJSON *s;
    const char  *segment = "";

    put(t, "\nSteps\n  %-24s %10s %10s %10s %10s %10s\n", "", "in", "added", "out", "dropped",
        "failed");
    cJSON_ArrayForEach(s, list)
    {
        if (strcmp(segment, str(s, "segment")) != 0) {
            segment = str(s, "segment");
            put_segment(t, s);
        }
        put(t, "    %-22.22s %10.0f %10.0f %10.0f %10.0f %10.0f\n", str(s, "step"), count(s, "in"),
            count(s, "added"), count(s, "out"), count(s, "dropped"), count(s, "failed"));
        if (count(s, "mended") > 0) {
            put(t, "      mended: %.0f with NaN, Infinity or a comma too many\n",
                count(s, "mended"));
        }
        put_reasons(t, "dropped", get(get(s, "reasons"), "dropped"));
        put_reasons(t, "failed", get(get(s, "reasons"), "failed"));
    }
}

static void put_balance(struct text *t, const cJSON *r)
{
    if (cJSON_IsTrue(get(r, "balanced"))) {
        put(t, "  Every record is accounted for.\n");
    } else {
        put(t, "  NOT BALANCED: in + added is not out + dropped + failed somewhere above.\n");
    }
}

/* ---- scores ---- */

static void put_histogram(struct text *t, const cJSON *h)
{
    const cJSON *counts = get(h, "counts"), *one;
    double       lo = num(h, "lo"), hi = num(h, "hi"), most = 0, i = 0;
    int          n = cJSON_GetArraySize(counts);

    cJSON_ArrayForEach(one, counts)
    {
        most = cJSON_IsNumber(one) && one->valuedouble > most ? one->valuedouble : most;
    }
    if (most <= 0 || !isfinite(lo) || !isfinite(hi)) {
        return;
    }
    cJSON_ArrayForEach(one, counts)
    {
        double v = cJSON_IsNumber(one) && one->valuedouble > 0 ? one->valuedouble : 0;
        int    bar = (int)ceil(v / most * BAR);
        put(t, "    %10.4g |%-*.*s %.0f\n", lo + (hi - lo) * i++ / n, BAR, bar,
            "##################################################", v);
    }
}

/* One line of text: control characters become spaces, cut between characters. */
static void put_excerpt(struct text *t, const char *label, const char *text)
{
    char   line[EXCERPT + 8];
    size_t n = 0;

    for (; text[n] && n < EXCERPT; n++) {
        line[n] = (unsigned char)text[n] < 0x20 || text[n] == 0x7F ? ' ' : text[n];
    }
    if (text[n]) {
        while (n > 0 && ((unsigned char)text[n] & 0xC0U) == 0x80U) {
            n--;
        }
        memcpy(line + n, "...", 3);
        n += 3;
    }
    line[n] = 0;
    put(t, "      %s%s\n", label, line);
}

static void put_record(struct text *t, const cJSON *record)
{
    const cJSON *turn, *turns = get(record, "conversations");
    char         brief[512];
    int          n = 0;

    cJSON_ArrayForEach(turn, turns)
    {
        const char *text = str(turn, "value");
        if (n++ < 2 && text[0]) {
            put_excerpt(t, n == 1 ? "Q: " : "A: ", text);
        }
    }
    if (n == 0 && cJSON_IsObject(record)) {
        put_excerpt(t, "", tree_brief(record, brief, sizeof(brief)));
    }
}

static void put_examples(struct text *t, const cJSON *list)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, list)
    {
        char score[32];
        score_text(num(one, "score"), score, sizeof(score));
        put(t, "    %-14.20s %-9s %.60s\n", str(one, "rank"), score, str(one, "id"));
        put_record(t, get(one, "record"));
    }
}

static void put_group(struct text *t, const cJSON *g)
{
    static const char *const keys[] = {"mean", "sd", "min", "q1", "median", "q3", "max"};
    char                     score[32];

    put(t, "  %.60s: %.0f records, %.0f scored, %.0f within the bounds, %.0f kept", str(g, "group"),
        count(g, "n"), count(g, "scored"), count(g, "passed"), count(g, "kept"));
    if (isfinite(num(g, "cut"))) {
        score_text(num(g, "cut"), score, sizeof(score));
        put(t, ", cut at %s", score);
    }
    put(t, "\n   ");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        score_text(num(g, keys[i]), score, sizeof(score));
        put(t, " %s %s", keys[i], score);
    }
    put(t, "\n");
    put_histogram(t, get(g, "histogram"));
    put_examples(t, get(g, "examples"));
}

static void put_scores(struct text *t, const cJSON *list)
{
    const cJSON *s, *g;
    cJSON_ArrayForEach(s, list)
    {
        put(t, "\nScores of %.40s (%.50s)\n", str(s, "step"), str(s, "field"));
        cJSON_ArrayForEach(g, get(s, "groups"))
        {
            put_group(t, g);
        }
    }
}

static void put_outputs(struct text *t, const cJSON *list)
{
    const cJSON *o;
    if (!cJSON_IsArray(list) || !list->child) {
        return;
    }
    put(t, "\nResults\n");
    cJSON_ArrayForEach(o, list)
    {
        char size[24];
        size_text(count(o, "bytes"), size, sizeof(size));
        put(t, "  %.600s\n    %.0f records, %s, sha256 %.16s\n", str(o, "path"),
            count(o, "records"), size, str(o, "sha256"));
    }
}

drh_status report_text(const cJSON *report, struct buf *out)
{
    struct text t = {out, DRH_OK};

    put_head(&t, report);
    put_services(&t, get(report, "services"));
    put_sources(&t, get(report, "sources"));
    put_steps(&t, get(report, "steps"));
    put_balance(&t, report);
    put_scores(&t, get(report, "scores"));
    put_outputs(&t, get(report, "outputs"));
    return t.st;
}
