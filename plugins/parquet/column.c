/* SPDX-License-Identifier: MIT
 * column.c - see column.h. */
#include "column.h"

enum { POLL = 1 << 16 }; /* entries */

static const uint32_t zeros[PQ_BATCH];

drh_status pq_column_error(const struct pq_column *c, drh_error *e)
{
    char why[sizeof(e->message)];

    (void)snprintf(why, sizeof(why), "%s", e->message);
    return drh_fail(e, e->code, "row group %u, column %s: %s", c->group, c->name, why);
}

static drh_status broken(drh_error *e, const char *why)
{
    return drh_fail(e, DRH_E_DATA, "%s" COL_AGAIN, why);
}

drh_status pq_column_init(struct pq_column *c, drh_error *e)
{
    c->max_def = c->leaf->def;
    c->max_rep = c->leaf->rep;
    c->values.file = c->file;
    c->def = c->rep = zeros;
    return c->max_def || c->max_rep
               ? col_reserve(c->file, &c->levels, 2 * PQ_BATCH * sizeof(uint32_t), e)
               : DRH_OK;
}

void pq_column_free(struct pq_column *c)
{
    pq_values_free(&c->values);
    pq_dictionary_free(c->file, &c->dictionary);
    col_release(c->file, &c->bytes);
    col_release(c->file, &c->levels);
}

drh_status pq_column_open(struct pq_column *c, uint32_t group, const struct pq_chunk *chunk,
                          drh_error *e)
{
    const char *refused = pq_codec_refused(chunk->codec);

    c->group = group;
    c->chunk = *chunk;
    c->at = chunk->at;
    c->left = chunk->values;
    c->dictionary.there = false;
    c->page_left = c->i = c->n = 0;
    return refused ? drh_fail(e, DRH_E_DATA, "%s", refused) : DRH_OK;
}

/* ---- pages ---- */

static drh_status load(struct pq_column *c, const struct pq_page *p, struct col_block *to,
                       drh_error *e)
{
    return pq_page_read(c->file, c->unpack, p, c->chunk.codec, to, e);
}

static drh_status open_dictionary(struct pq_column *c, const struct pq_page *p, drh_error *e)
{
    drh_status st;

    if (c->dictionary.there) {
        return broken(e, "it has two dictionaries");
    }
    if (p->encoding != PQ_PLAIN && p->encoding != PQ_PLAIN_DICTIONARY) {
        return broken(e, "its dictionary has an encoding that is not known");
    }
    st = load(c, p, &c->dictionary.bytes, e);
    return st == DRH_OK
               ? pq_dictionary_open(c->file, &c->dictionary, &c->leaf->type, p->values, p->size, e)
               : st;
}

/* The levels of a DATA_PAGE at *at of the page; past them. */
static drh_status open_levels(struct pq_column *c, struct pq_rle *r, int32_t encoding, uint32_t max,
                              size_t *at, drh_error *e)
{
    static const char cut[] = "a page ends before its levels do";
    uint32_t          bits = pq_bits_of(max);
    size_t            there = c->page.size - *at;
    uint64_t          n = ((uint64_t)c->page.values * bits + 7) / 8;

    if (max == 0) {
        return DRH_OK;
    }
    if (encoding == PQ_BIT_PACKED) {
        if (n > there) {
            return broken(e, cut);
        }
        (void)pq_rle_open_bits(r, c->bytes.p + *at, (size_t)n, bits);
        *at += (size_t)n;
        return DRH_OK;
    }
    n = there < 4 ? 0 : col_u32(c->bytes.p + *at);
    if (encoding != PQ_RLE || there < 4 || n > there - 4) {
        return broken(e,
                      encoding == PQ_RLE ? cut : "its levels have an encoding that is not known");
    }
    (void)pq_rle_open(r, c->bytes.p + *at + 4, (size_t)n, bits);
    *at += 4 + (size_t)n;
    return DRH_OK;
}

/* Rows are counted before the first one is given: who begins behind the page goes by its header,
 * and must come to the same rows as who has read it. */
static drh_status check_rows(const struct pq_column *c, drh_error *e)
{
    uint64_t rows;

    if (!pq_rle_zeros(&c->rep_runs, c->page.values, &rows)) {
        return broken(e, "a page ends before its levels do");
    }
    return rows == c->page.rows
               ? DRH_OK
               : broken(e, "a page has another number of rows than its header says");
}

static drh_status open_data(struct pq_column *c, drh_error *e)
{
    const struct pq_page *p = &c->page;
    size_t                at = 0;
    drh_status            st = load(c, p, &c->bytes, e);

    if (st != DRH_OK) {
        return st;
    }
    if (p->type == PQ_DATA_PAGE_V2) {
        at = (size_t)p->rep_size + p->def_size;
        (void)pq_rle_open(&c->rep_runs, c->bytes.p, p->rep_size, pq_bits_of(c->max_rep));
        (void)pq_rle_open(&c->def_runs, c->bytes.p + p->rep_size, p->def_size,
                          pq_bits_of(c->max_def));
        st = c->max_rep ? check_rows(c, e) : DRH_OK;
    } else {
        st = open_levels(c, &c->rep_runs, p->rep_encoding, c->max_rep, &at, e);
        st = st == DRH_OK ? open_levels(c, &c->def_runs, p->def_encoding, c->max_def, &at, e) : st;
    }
    c->page_left = st == DRH_OK ? p->values : 0;
    return st == DRH_OK ? pq_values_open(&c->values, &c->leaf->type, p->encoding, &c->dictionary,
                                         c->bytes.p + at, p->size - at, e)
                        : st;
}

/* The header of the next page of values is in c->page; dictionaries are read on the way. */
static drh_status next_head(struct pq_column *c, drh_error *e)
{
    drh_status st;

    for (;;) {
        struct pq_page p;

        st = pq_page_head(c->file, c->at, c->data_end, &p, e);
        if (st != DRH_OK) {
            return st;
        }
        c->at = p.at + p.stored;
        if ((p.type == PQ_DATA_PAGE || p.type == PQ_DATA_PAGE_V2) && p.values) {
            c->page = p;
            break;
        }
        st = p.type == PQ_DICTIONARY_PAGE ? open_dictionary(c, &p, e) : DRH_OK;
        if (st != DRH_OK) {
            return st;
        }
    }
    if (c->page.values > c->left) {
        return broken(e, "its pages have more values than the footer says");
    }
    c->left -= c->page.values;
    return DRH_OK;
}

/* ---- entries ---- */

static drh_status get_levels(struct pq_rle *r, uint32_t *out, uint32_t n, uint32_t max,
                             drh_error *e)
{
    uint32_t most = 0;

    if (pq_rle_get(r, out, n) != n) {
        return broken(e, "a page ends before its levels do");
    }
    for (uint32_t i = 0; i < n; i++) {
        most = out[i] > most ? out[i] : most;
    }
    return most > max ? broken(e, "a level is higher than the schema allows") : DRH_OK;
}

static drh_status fill_batch(struct pq_column *c, drh_error *e)
{
    uint32_t  *def = (uint32_t *)(void *)c->levels.p, *rep = def ? def + PQ_BATCH : NULL;
    uint32_t   n = c->page_left < PQ_BATCH ? c->page_left : PQ_BATCH;
    drh_status st = DRH_OK;

    if (c->max_rep) {
        st = get_levels(&c->rep_runs, rep, n, c->max_rep, e);
        if (st == DRH_OK && c->page.type == PQ_DATA_PAGE_V2 && c->page_left == c->page.values &&
            rep[0]) {
            st = broken(e, "a page begins inside a row");
        }
        c->rep = rep;
    }
    if (st == DRH_OK && c->max_def) {
        st = get_levels(&c->def_runs, def, n, c->max_def, e);
        c->def = def;
    }
    c->i = 0;
    c->n = st == DRH_OK ? n : 0;
    c->page_left -= n;
    return st;
}

drh_status pq_column_fill(struct pq_column *c, drh_error *e)
{
    drh_status st = DRH_OK;

    while (st == DRH_OK && c->page_left == 0) {
        c->i = c->n = 0;
        if (c->left == 0) {
            return DRH_END;
        }
        st = next_head(c, e);
        st = st == DRH_OK ? open_data(c, e) : st;
    }
    st = st == DRH_OK ? fill_batch(c, e) : st;
    return st == DRH_OK ? DRH_OK : pq_column_error(c, e);
}

/* ---- skipping ---- */

/* Past pages that hold no other rows than the first *n. */
static drh_status skip_pages(struct pq_column *c, uint64_t *n, drh_error *e)
{
    while (c->left) {
        drh_status st = next_head(c, e);
        bool       knows = c->max_rep == 0 || c->page.type == PQ_DATA_PAGE_V2;
        uint32_t   rows = c->max_rep ? c->page.rows : c->page.values;

        if (st != DRH_OK) {
            return st;
        }
        if (!knows || rows > *n) {
            return open_data(c, e);
        }
        *n -= rows;
    }
    return DRH_OK;
}

/* Past one entry. */
static drh_status skip_entry(struct pq_column *c, drh_error *e)
{
    struct col_value v;

    if (c->def[c->i] == c->max_def) {
        drh_status st = pq_values_next(&c->values, &v, e);
        if (st != DRH_OK) {
            return pq_column_error(c, e);
        }
    }
    c->i++;
    return DRH_OK;
}

drh_status pq_column_skip(struct pq_column *c, uint64_t n, drh_error *e)
{
    const drh_host *h = c->file->host;
    uint64_t        entries = 0;
    drh_status      st = skip_pages(c, &n, e);

    if (st != DRH_OK) {
        return pq_column_error(c, e);
    }
    while (st == DRH_OK) {
        st = pq_column_peek(c, e);
        if (st == DRH_OK && c->rep[c->i] == 0 && n-- == 0) {
            return DRH_OK;
        }
        st = st == DRH_OK ? skip_entry(c, e) : st;
        if (++entries % POLL == 0 && h->cancelled(h)) {
            return drh_fail(e, DRH_E_CANCELLED, "stopped");
        }
    }
    return st == DRH_END ? DRH_OK : st; /* who reads on finds that rows are missing */
}
