/* SPDX-License-Identifier: MIT */
#ifndef LP_SKILL_PALETTE_H
#define LP_SKILL_PALETTE_H

#include <stdint.h>

enum { LP_PALETTE_CLASSES = 150 };
extern const uint8_t lp_palette[LP_PALETTE_CLASSES][3]; /* RGB by class; 6 and 48 share one */
extern const char *const lp_palette_name[LP_PALETTE_CLASSES];

#endif
