/* SPDX-License-Identifier: MIT */
/* Bytes through a stream's socket between two processes of this program. */
#ifndef LP_BASE_STREAM_H
#define LP_BASE_STREAM_H

#include "base/error.h"

#include <stddef.h>

enum { LP_STREAM_GLANCE_MS = 10 };

struct lp_stream {
    int socket; /* borrowed; where go_on is given it must not block */
    /* Asked while the other side keeps us waiting, at least every LP_STREAM_GLANCE_MS: false, with the error set, ends it.
     * NULL: waits for ever. */
    bool (*go_on)(void *context, struct lp_error *err);
    void *context;
};

/* All n bytes. LP_EIO: the other side is gone; what go_on says. */
bool lp_stream_put(const struct lp_stream *s, const void *bytes, size_t n, struct lp_error *err);
bool lp_stream_get(const struct lp_stream *s, void *bytes, size_t n, struct lp_error *err);

/* For transfers of other kinds: after one that failed (errno), waits for poll's event, and tells whether to try again. */
bool lp_stream_wait(const struct lp_stream *s, short event, struct lp_error *err);

#endif
