/* SPDX-License-Identifier: MIT */
/* Forms with pictures, their parts parted by "edge": POST /v1/sessions/ID/images. */
#include "server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lp_str request = {0}, answer = {0};
    server_begin();
    lp_str_printf(&request,
                  "POST /v1/sessions/%s/images HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                  "Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: %zu\r\n\r\n",
                  served.session, size);
    lp_str_add(&request, (const char *)data, size);
    int status = server_ask(request.s, request.n, HANGS_MS, &answer);
    if (status != 201 && status != 400 && status != 409)
        fprintf(stderr, "%s\n", lp_str_text(&answer));
    LP_FUZZ_CHECK(status == 201 || status == 400 || status == 409);
    /* no refusal without a reason */
    LP_FUZZ_CHECK(strstr(answer.s, status == 201 ? "\"objects\":[{" : "\"error\":{\"message\":\""));
    if (status == 409) /* it has all the pictures that it may have */
        server_begin_session();
    lp_str_done(&request);
    lp_str_done(&answer);
    return 0;
}
