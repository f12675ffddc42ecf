/* SPDX-License-Identifier: MIT */
/* base/frames.c - texts ended by NULs. Empty ones only tell that the sender is still there. */
#include "base/frames.h"

#include <string.h>

bool lp_frames_feed(struct lp_frames *f, const char *bytes, size_t n) {
    while (n) {
        const char *end = memchr(bytes, 0, n);
        size_t k = end ? (size_t)(end - bytes) : n;
        f->over = f->part.n + k > LP_FRAMES_MOST;
        if (f->over)
            return false;
        lp_str_add(&f->part, bytes, k);
        if (f->part.failed)
            return false;
        if (!end)
            return true;
        if (f->part.n && !f->frame(f->context, f->part.s, f->part.n))
            return false;
        lp_str_cut(&f->part, 0);
        bytes += k + 1;
        n -= k + 1;
    }
    return true;
}

void lp_frames_done(struct lp_frames *f) {
    lp_str_done(&f->part);
}
