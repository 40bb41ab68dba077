/* SPDX-License-Identifier: MIT
 * mem.h - the only way core allocates.  Counts, and can be told to fail (DRHOST_FAULT=alloc:N fails
 * the Nth call, alloc:N+ that and every later one).  [any] */
#ifndef CORE_MEM_H
#define CORE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed memory for n objects of `size` bytes, or NULL (also when n * size overflows). */
void *mem_alloc(size_t n, size_t size);
/* realloc-style: NULL allocates, 0 frees and returns NULL; on failure `old` stays valid. */
void *mem_resize(void *old, size_t size);
void  mem_free(void *p);                  /* NULL is fine */
char *mem_dup(const char *s, size_t len); /* 0-terminated copy, or NULL */
char *mem_dupz(const char *s);
__attribute__((format(printf, 1, 2))) char *mem_printf(const char *fmt, ...); /* or NULL */

void     mem_fault_from_env(void); /* reads DRHOST_FAULT; [once] at start */
uint64_t mem_calls(void);          /* allocations so far */

#endif
