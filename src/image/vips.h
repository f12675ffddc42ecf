/* SPDX-License-Identifier: MIT */
/* vips.h - starting libvips. Only image/ includes it. */
#ifndef LP_IMAGE_VIPS_H
#define LP_IMAGE_VIPS_H

#include "base/error.h"

#include <vips/vips.h>

/* Starts libvips once: quiet, without modules, without caches and threads. From any thread, any number of
 * times. */
bool lp_vips_start(struct lp_error *err);

/* Ends a use of libvips: drops its error text and this thread's buffers. Safe after a failure, too. */
void lp_vips_end(void);

#endif
