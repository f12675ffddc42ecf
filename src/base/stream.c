/* SPDX-License-Identifier: MIT */
/* base/stream.c - whole messages in pieces as the socket takes and gives them. */
#include "base/stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

static bool gone(struct lp_error *err) {
    return lp_error_set(err, LP_EIO, "the other process is gone");
}

bool lp_stream_wait(const struct lp_stream *s, short event, struct lp_error *err) {
    struct pollfd p = {.fd = s->socket, .events = event};
    if (errno == EINTR)
        return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return gone(err);
    poll(&p, 1, s->go_on ? LP_STREAM_GLANCE_MS : -1);
    return !s->go_on || s->go_on(s->context, err); /* also who gets a byte now and then is asked */
}

bool lp_stream_put(const struct lp_stream *s, const void *bytes, size_t n, struct lp_error *err) {
    for (const char *at = bytes; n;) {
        ssize_t k = send(s->socket, at, n, MSG_NOSIGNAL);
        if (k < 0 && !lp_stream_wait(s, POLLOUT, err))
            return false;
        at += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
    return true;
}

bool lp_stream_get(const struct lp_stream *s, void *bytes, size_t n, struct lp_error *err) {
    for (char *at = bytes; n;) {
        ssize_t k = recv(s->socket, at, n, 0);
        if (!k)
            return gone(err);
        if (k < 0 && !lp_stream_wait(s, POLLIN, err))
            return false;
        at += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
    return true;
}
