/* SPDX-License-Identifier: MIT */
/* Forms with pictures, their parts parted by "edge": POST /v1/sessions/ID/images and /v1/images/edits. */
#include "server.h"

/* The status of a form's answer, which holds `good` where that is 201, else why not. */
static int ask(const char *path, const uint8_t *data, size_t size, const char *good) {
    struct lp_str request = {0}, answer = {0};
    lp_str_printf(&request,
                  "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                  "Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: %zu\r\n\r\n",
                  path, size);
    lp_str_add(&request, (const char *)data, size);
    int status = server_ask(request.s, request.n, HANGS_MS, &answer);
    if (status != 201 && status != 400 && status != 409 && status != 501)
        fprintf(stderr, "%s\n", lp_str_text(&answer));
    /* no refusal without a reason */
    LP_FUZZ_CHECK(strstr(lp_str_text(&answer), status == 201 ? good : "\"error\":{\"message\":\""));
    lp_str_done(&request);
    lp_str_done(&answer);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[100];
    server_begin();
    snprintf(path, sizeof path, "/v1/sessions/%s/images", served.session);
    int status = ask(path, data, size, "\"objects\":[{");
    LP_FUZZ_CHECK(status == 201 || status == 400 || status == 409);
    if (status == 409) /* it has all the pictures that it may have */
        server_begin_session();
    status = ask("/v1/images/edits", data, size, "");
    LP_FUZZ_CHECK(status == 400 || status == 501); /* nobody has the skill */
    return 0;
}
