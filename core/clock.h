/* SPDX-License-Identifier: MIT
 * clock.h - seconds that only go forward, for durations and deadlines.  [any] */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

double clock_now(void);

#endif
