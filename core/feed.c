/* SPDX-License-Identifier: MIT
 * feed.c - see feed.h. */
#include "feed.h"

#include "err.h"

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

static void close_file(struct feed *f)
{
    input_close(f->in);
    f->in = NULL;
    f->in_read = 0;
}

static drh_status next_slot(struct feed *f, struct input_item *item)
{
    if (f->left == 0) {
        return DRH_END;
    }
    f->left--;
    memset(item, 0, sizeof(*item));
    item->row = f->slot++;
    return DRH_OK;
}

drh_status feed_next(struct feed *f, struct input_item *item, const struct feed_file **file,
                     drh_error *e)
{
    *file = NULL;
    if (f->slot_origin) {
        return next_slot(f, item);
    }
    while (f->left > 0 && f->pos.file < f->n_files) {
        const struct feed_file *now = &f->files[f->pos.file];
        drh_status              st;

        if (!f->in) {
            bool fresh = f->pos.at.offset == 0 && f->pos.at.row == 0;
            st = input_open(&f->in, now->path, fresh ? NULL : &f->pos.at, e);
            if (st != DRH_OK) {
                return st;
            }
            f->in_read = input_read(f->in);
        }
        st = f->per_file && f->pos.at.row >= f->per_file ? DRH_END : input_next(f->in, item, e);
        f->bytes += input_read(f->in) - f->in_read;
        f->in_read = input_read(f->in);
        if (st == DRH_OK) {
            input_tell(f->in, &f->pos.at);
            f->left--;
            *file = now;
            return DRH_OK;
        }
        if (st != DRH_END) {
            err_prefix(e, "%s", now->path);
            return st;
        }
        close_file(f);
        f->pos.file++;
        memset(&f->pos.at, 0, sizeof(f->pos.at));
    }
    return DRH_END;
}

bool feed_done(struct feed *f)
{
    struct input_item item;
    drh_error         e = ERR_INIT;

    if (f->slot_origin) {
        return f->left == 0;
    }
    while (f->pos.file < f->n_files) {
        if (!f->in && input_open(&f->in, f->files[f->pos.file].path, NULL, &e) != DRH_OK) {
            return false;
        }
        if (input_next(f->in, &item, &e) != DRH_END) {
            return false; /* pos stays before that item: it is the next shard's */
        }
        close_file(f);
        f->pos.file++;
        memset(&f->pos.at, 0, sizeof(f->pos.at));
    }
    return true;
}

void feed_close(struct feed *f)
{
    close_file(f);
}
