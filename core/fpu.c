/* SPDX-License-Identifier: MIT
 * fpu.c - saves and restores the floating-point control state of the calling thread; see
 * loader_impl.h.  Used around everything that runs a plugin's load-time code. */
#include "loader_impl.h"

#if defined(__x86_64__)
#include <xmmintrin.h>

enum { MXCSR_FLAGS = 0x3f }; /* sticky exception flags: results, not settings */

struct fpu fpu_save(void)
{
    struct fpu s = {0};
    uint16_t   cw = 0;

    __asm__ volatile("fnstcw %0" : "=m"(cw));
    s.mxcsr = _mm_getcsr();
    s.x87 = cw;
    return s;
}

bool fpu_restore(const struct fpu *s)
{
    struct fpu now = fpu_save();
    uint16_t   cw = (uint16_t)s->x87;

    if (((now.mxcsr ^ s->mxcsr) & ~(uint32_t)MXCSR_FLAGS) == 0 && now.x87 == s->x87) {
        return false;
    }
    _mm_setcsr(s->mxcsr);
    __asm__ volatile("fldcw %0" : : "m"(cw));
    return true;
}

#elif defined(__aarch64__)

struct fpu fpu_save(void)
{
    struct fpu s = {0};

    __asm__ volatile("mrs %0, fpcr" : "=r"(s.other));
    return s;
}

bool fpu_restore(const struct fpu *s)
{
    struct fpu now = fpu_save();

    if (now.other == s->other) {
        return false;
    }
    __asm__ volatile("msr fpcr, %0" : : "r"(s->other));
    return true;
}

#else
#include <fenv.h>

/* Only rounding can be told apart in portable C. */
struct fpu fpu_save(void)
{
    struct fpu s = {0};

    s.other = (uint64_t)fegetround();
    return s;
}

bool fpu_restore(const struct fpu *s)
{
    if ((uint64_t)fegetround() == s->other) {
        return false;
    }
    (void)fesetround((int)s->other);
    return true;
}
#endif
