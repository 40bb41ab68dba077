/* SPDX-License-Identifier: MIT
 * raw_file.h - bytes_open, bytes_read and bytes_close of the host's table. */
#ifndef CORE_RAW_FILE_H
#define CORE_RAW_FILE_H

#include <drh/plugin.h>

drh_status raw_file_open(const drh_host *h, const char *path, uint64_t offset, drh_bytes **b,
                         drh_error *e);
drh_status raw_file_read(drh_bytes *b, void *to, size_t cap, size_t *got, drh_error *e);
void       raw_file_close(drh_bytes *b);

#endif
