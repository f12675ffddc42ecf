/* SPDX-License-Identifier: MIT */
/* Server-sent events as chat servers write them: bytes in, the data of one event after the other out. */
#ifndef LP_BASE_SSE_H
#define LP_BASE_SSE_H

#include "base/str.h"

#define LP_SSE_MOST ((size_t)1 << 20) /* bytes of one event */

/* Zero-initialised, but for `event` and `context`, is a stream that begins. */
struct lp_sse {
    bool (*event)(void *context, const char *data,
                  size_t n); /* borrowed during the call; false ends the stream */
    void *context;
    struct lp_str line, data;
    bool begun; /* the event has a line of data */
    bool cr;    /* the last byte was a CR: an LF after it ends no other line */
    bool over;  /* an event was longer than LP_SSE_MOST */
};

/* False: `event` said so, an event is too long (over), or memory ran out (line.failed or data.failed). */
bool lp_sse_feed(struct lp_sse *s, const char *bytes, size_t n);
/* Also an event that no empty line has ended. */
bool lp_sse_end(struct lp_sse *s);
void lp_sse_done(struct lp_sse *s);

#endif
