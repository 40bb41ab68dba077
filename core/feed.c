/* SPDX-License-Identifier: MIT
 * feed.c - see feed.h. */
#include "feed.h"

#include "err.h"
#include "head.h"
#include "origin.h"
#include "readers.h"

#include <string.h>

void feed_files(struct feed *f, const struct feed_file *files, size_t n, const struct feed_pos *pos,
                uint64_t rows)
{
    memset(f, 0, sizeof(*f));
    f->files = files;
    f->n_files = n;
    f->left = rows;
    if (pos) {
        f->pos = *pos;
    }
}

void feed_slots(struct feed *f, const struct origin *origin, uint64_t first, uint64_t n)
{
    memset(f, 0, sizeof(*f));
    f->slot_origin = origin;
    f->slot = first;
    f->left = n;
}

/* Has a file open. */
static bool is_open(const struct feed *f)
{
    return f->in || f->rows;
}

static void close_file(struct feed *f)
{
    input_close(f->in);
    rows_close(f->rows);
    f->in = NULL;
    f->rows = NULL;
    f->in_read = 0;
}

static drh_status open_file(struct feed *f, drh_error *e)
{
    const struct feed_file *now = &f->files[f->pos.file];
    bool                    fresh = f->pos.at.offset == 0 && f->pos.at.row == 0;
    drh_status              st;

    if (now->reader) {
        return rows_open(&f->rows, now->reader->in, now->path, f->pos.at.row, &f->pos.mark, e);
    }
    st = input_open(&f->in, now->path, fresh ? NULL : &f->pos.at, e);
    if (st == DRH_OK) {
        f->in_read = input_read(f->in);
    }
    return st;
}

/* A pipe cannot be looked at before, so what it holds shows in its first line: one error instead of
 * a bad record a line. */
static drh_status check_first(const struct input_item *in, drh_error *e)
{
    const char *what = in->text ? head_magic((const uint8_t *)in->text, in->len) : NULL;

    return what
               ? err_set(e, DRH_E_CONFIG,
                         "%s; only a reader plugin can read that, and from a file, not from a pipe",
                         what)
               : DRH_OK;
}

/* A record and the line before it, which is not one of its rows. */
static drh_status next_traced(struct feed *f, struct arena *a, struct feed_item *item, drh_error *e)
{
    drh_status st = input_next(f->in, &item->in, e);

    if (st != DRH_OK) {
        return st;
    }
    st = item->in.text ? origin_take(a, item->in.text, item->in.len, &item->from, &item->from_line)
                       : DRH_E_DATA;
    st = st == DRH_OK ? input_next(f->in, &item->in, e) : st;
    item->in.row /= 2;
    item->in.line /= 2;
    return st == DRH_E_DATA || st == DRH_END
               ? err_set(e, DRH_E_DATA, "a line that is to say where a record came from does not")
               : st;
}

static drh_status next_item(struct feed *f, struct arena *a, struct feed_item *item, drh_error *e)
{
    const struct feed_file *now = &f->files[f->pos.file];
    drh_status              st;

    item->file = now;
    item->rec = NULL;
    item->from = (drh_str){"", 0};
    item->from_line = 0;
    if (f->per_file && f->pos.at.row >= f->per_file) {
        return DRH_END;
    }
    if (f->rows) {
        return rows_next(f->rows, a, &now->origin, now->key, &item->in, &item->rec, e);
    }
    st = now->traced ? next_traced(f, a, item, e) : input_next(f->in, &item->in, e);
    f->bytes += input_read(f->in) - f->in_read;
    f->in_read = input_read(f->in);
    return st == DRH_OK && item->in.row == 0 ? check_first(&item->in, e) : st;
}

/* After an item: a reader is asked where it is only when that is the last one. */
static drh_status note_position(struct feed *f, const struct feed_item *item, drh_error *e)
{
    if (f->in) {
        input_tell(f->in, &f->pos.at);
        return DRH_OK;
    }
    f->pos.at.row = item->in.row + 1;
    f->pos.at.line = item->in.line + 1;
    return f->left == 0 ? rows_tell(f->rows, &f->pos.mark, e) : DRH_OK;
}

static void next_file(struct feed *f)
{
    if (f->rows) {
        f->bytes += f->files[f->pos.file].size;
    }
    close_file(f);
    f->pos.file++;
    memset(&f->pos.at, 0, sizeof(f->pos.at));
    f->pos.mark.len = 0;
}

static drh_status next_slot(struct feed *f, struct feed_item *item)
{
    if (f->left == 0) {
        return DRH_END;
    }
    f->left--;
    memset(item, 0, sizeof(*item));
    item->in.row = f->slot++;
    return DRH_OK;
}

drh_status feed_next(struct feed *f, struct arena *a, struct feed_item *item, drh_error *e)
{
    item->file = NULL;
    if (f->slot_origin) {
        return next_slot(f, item);
    }
    while (f->left > 0 && f->pos.file < f->n_files) {
        drh_status st = is_open(f) ? DRH_OK : open_file(f, e);

        st = st == DRH_OK ? next_item(f, a, item, e) : st;
        if (st == DRH_OK) {
            f->left--;
            st = note_position(f, item, e);
            if (st == DRH_OK) {
                return DRH_OK;
            }
        }
        if (st == DRH_E_CANCELLED) {
            return st;
        }
        if (st != DRH_END) {
            err_prefix(e, "%s", f->files[f->pos.file].path);
            return st;
        }
        next_file(f);
    }
    return DRH_END;
}

struct instance *feed_instance(const struct feed *f)
{
    const struct reader *r = f->pos.file < f->n_files ? f->files[f->pos.file].reader : NULL;

    return r ? r->in : NULL;
}

/* Whether there is a next item; pos stays before it: it is the next shard's. */
static bool has_more(struct feed *f, struct arena *a)
{
    struct feed_item item;
    drh_error        e = ERR_INIT;

    while (f->pos.file < f->n_files) {
        if ((!is_open(f) && open_file(f, &e) != DRH_OK) || next_item(f, a, &item, &e) != DRH_END) {
            return true;
        }
        next_file(f);
    }
    return false;
}

bool feed_done(struct feed *f)
{
    struct arena *a;
    bool          more;

    if (f->slot_origin) {
        return f->left == 0;
    }
    a = arena_new();
    more = !a || has_more(f, a); /* the next shard says what is wrong */
    arena_free(a);
    return !more;
}

void feed_close(struct feed *f)
{
    close_file(f);
}
