/* SPDX-License-Identifier: MIT
 * packs.h - the second stage of infer_fake.so. */
#ifndef PACKS_H
#define PACKS_H

#include "fake.h"

extern const drh_stage fake_packs_stage;

#endif
