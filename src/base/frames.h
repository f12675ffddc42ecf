/* SPDX-License-Identifier: MIT */
/* Frames as workers of FastChat and LLaVA stream them: bytes in, one text after the other out, each ended by a
 * NUL. Where the transport cuts does not matter; what no NUL has ended is no frame. */
#ifndef LP_BASE_FRAMES_H
#define LP_BASE_FRAMES_H

#include "base/str.h"

#define LP_FRAMES_MOST ((size_t)1 << 20) /* bytes of one frame */

/* Zero-initialised, but for `frame` and `context`, is a stream that begins. */
struct lp_frames {
    /* A frame, never an empty one, ended by a NUL; borrowed during the call; false ends the stream. */
    bool (*frame)(void *context, const char *text, size_t n);
    void *context;
    struct lp_str part; /* of the frame that comes */
    bool over;          /* a frame was longer than LP_FRAMES_MOST */
};

/* False: `frame` said so, a frame is too long (over), or memory ran out (part.failed). */
bool lp_frames_feed(struct lp_frames *f, const char *bytes, size_t n);
void lp_frames_done(struct lp_frames *f);

#endif
