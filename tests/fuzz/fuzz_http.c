/* SPDX-License-Identifier: MIT */
/* What a client sends to `serve`, heads and bodies; "SESSION" stands for the id of a session that is there. */
#include "server.h"

enum { PATIENCE_MS = 2 }; /* an answer that comes later is read, too, but the client has left its side by then */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char mark[] = "SESSION";
    const size_t m = sizeof mark - 1;
    struct lp_str request = {0}, answer = {0};
    server_begin();
    for (size_t i = 0; i < size; i++) {
        bool here = size - i >= m && !memcmp(data + i, mark, m);
        lp_str_add(&request, here ? served.session : (const char *)data + i, here ? strlen(served.session) : 1);
        i += here ? m - 1 : 0;
    }
    int status = server_ask(lp_str_text(&request), request.n, PATIENCE_MS, &answer);
    LP_FUZZ_CHECK(!answer.n || (status >= 100 && status < 600 && status != 500)); /* its own fault is never why */
    if (status == 204) /* it may have deleted the session */
        server_begin_session();
    lp_str_done(&request);
    lp_str_done(&answer);
    return 0;
}
