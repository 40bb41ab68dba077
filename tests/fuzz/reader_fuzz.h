/* SPDX-License-Identifier: MIT
 * reader_fuzz.h - what the fuzz programs of readers share: any bytes as a file. */
#ifndef READER_FUZZ_H
#define READER_FUZZ_H

#include "reader_host.h"

/* The path of a file of these bytes, until the next call. */
const char *reader_fuzz_file(const uint8_t *data, size_t size);
/* Reads it by the plugin's reader: it is refused or read, with nothing left open, and what was read
 * from the start is what is read from a position in it. */
void reader_fuzz(const char *options, const uint8_t *data, size_t size);

#endif
