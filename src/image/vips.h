/* SPDX-License-Identifier: MIT */
/* vips.h - starting libvips. Only image/ includes it. */
#ifndef LP_IMAGE_VIPS_H
#define LP_IMAGE_VIPS_H

#include "base/error.h"

#include <vips/vips.h>

/* Starts libvips once: quiet, without modules, without caches and threads. From any thread, any number of
 * times. */
bool lp_vips_start(struct lp_error *err);

/* Loads the one module that is worth its time, when a telephone's picture comes. False when it is not
 * installed. */
bool lp_vips_load_heif(void);

/* Ends a use of libvips: drops its error text and this thread's buffers. Safe after a failure, too. */
void lp_vips_end(void);

#endif
