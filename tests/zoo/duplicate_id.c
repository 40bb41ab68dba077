/* SPDX-License-Identifier: MIT
 * Two stages with one id. */
#define ZOO_STAGES &zoo_stage, &zoo_stage
#define ZOO_N_STAGES 2
#define ZOO_NOTE "preprocessor zoo 1.0.0\npreprocessor zoo 1.0.0"
#include "zoo.h"
