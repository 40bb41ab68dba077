/* SPDX-License-Identifier: MIT
 *
 * lm_file.h - a model's files, mapped for reading, and error texts.  Used at load time by one
 * thread; the mapping is then read by all.  A file that shrinks while it is mapped ends the process
 * (SIGBUS), as with every program that maps its model.
 */
#ifndef LM_FILE_H
#define LM_FILE_H

#include <drh/plugin.h>

struct lm_map {
    const uint8_t *p;
    size_t         n;
};

/* Maps DIR/NAME.  DRH_E_MISSING when it is not there, DRH_E_IO, DRH_E_DATA when it is empty. */
drh_status lm_map_open(struct lm_map *m, const char *dir, const char *name, drh_error *e);
void       lm_map_close(struct lm_map *m);

#endif /* LM_FILE_H */
