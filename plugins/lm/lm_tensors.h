/* SPDX-License-Identifier: MIT
 *
 * lm_tensors.h - the table of a safetensors file, checked as hostile: header length, every dtype,
 * shape, offset, gap and overlap, names twice.  Reads bytes in memory; tensors point into them.
 * One thread loads, all may read.
 */
#ifndef LM_TENSORS_H
#define LM_TENSORS_H

#include <drh/plugin.h>

enum { LM_MAX_DIMS = 8 };
enum { LM_F32 = 1, LM_F16, LM_BF16, LM_OTHER };

struct lm_tensor {
    char           name[120];
    char           dtype_name[12];
    uint32_t       dtype; /* LM_F32 ... */
    uint32_t       ndim;
    uint64_t       shape[LM_MAX_DIMS];
    uint64_t       begin, end; /* in the data part */
    uint64_t       count;      /* elements */
    const uint8_t *data;
};

struct lm_tensors {
    struct lm_tensor *t; /* sorted by name */
    size_t            n;
    size_t            header; /* bytes before the data */
};

/* `file` is for messages.  On failure nothing is left to free. */
drh_status lm_tensors_read(struct lm_tensors *ts, const uint8_t *p, size_t n, const char *file,
                           drh_error *e);
void       lm_tensors_free(struct lm_tensors *ts);

const struct lm_tensor *lm_tensors_find(const struct lm_tensors *ts, const char *name);

/* count elements as f32; n bytes of any alignment. */
void lm_tensor_to_f32(const struct lm_tensor *t, float *out);

#endif /* LM_TENSORS_H */
