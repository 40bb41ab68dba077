/* SPDX-License-Identifier: MIT
 * show.h - a value of a column, and how it is shown. */
#ifndef COL_SHOW_H
#define COL_SHOW_H

#include "file.h"

enum { COL_MAX_NAME = 65535 }; /* bytes of a key: the most that the host takes */

enum col_form { /* how a value is shown */
                COL_SHOW_BOOL,
                COL_SHOW_INT,
                COL_SHOW_UINT,
                COL_SHOW_FLOAT, /* of 16, 32 or 64 bits */
                COL_SHOW_DECIMAL,
                COL_SHOW_TEXT,
                COL_SHOW_JSON,
                COL_SHOW_BINARY,
                COL_SHOW_UUID,
                COL_SHOW_DATE,
                COL_SHOW_TIME,
                COL_SHOW_TIMESTAMP,
                COL_SHOW_INT96,
                COL_SHOW_INTERVAL,
                COL_SHOW_NULL
};

struct col_type {
    enum col_form form;
    uint32_t      width;  /* bytes; 0: any */
    uint32_t      scale;  /* of a decimal */
    bool          little; /* a decimal is little-endian */
    uint32_t      per_second;
    bool          utc;
};

struct col_value {
    const uint8_t *p;
    size_t         n;
};

#endif
