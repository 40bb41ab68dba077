/* SPDX-License-Identifier: MIT
 *
 * bare_host.h - a host with next to nothing, for tests of parts of plugins: memory that is counted
 * and can run out, a log that can be read, and temporary folders.  Any thread.
 */
#ifndef BARE_HOST_H
#define BARE_HOST_H

#include <drh/plugin.h>

#include <stdbool.h>

extern drh_host bare_host;
extern int      bare_blocks;    /* allocations that are open; atomic */
extern int      bare_allowed;   /* allocations until they fail; -1: all succeed; atomic */
extern int      bare_cancelled; /* what cancelled() says; atomic */

/* Everything as at the start, the log empty. */
void bare_reset(void);
/* All that was logged, "LEVEL TEXT\n" each; valid until the next call of anything here. */
const char *bare_log(void);

/* A new folder below /tmp, and the end of it. */
enum { BARE_PATH = 64 };
void bare_folder(char path[BARE_PATH]);
void bare_remove(const char *path);
/* A file below `folder`, folders made, 0-terminated text; and what is in one, NULL: not there.
 * The text is valid until the next call. */
void        bare_write(const char *folder, const char *name, const char *text);
const char *bare_read(const char *folder, const char *name);

#endif
