/* SPDX-License-Identifier: MIT */
/* Bodies of POST /v1/chat/completions, and the pictures in them. */
#include "fuzz.h"

#include "image/image.h"
#include "serve/chat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lp_chat chat = {0};
    struct lp_fault fault = {0};
    struct lp_sampling sampling;
    lp_sampling_defaults(&sampling);
    bool read = lp_chat_parse(&chat, (const char *)data, size, "m", &sampling, &fault);
    LP_FUZZ_CHECK(read || (fault.status >= 400 && *fault.err.text)); /* no refusal without a reason */
    for (int i = 0; read && i < chat.pictures; i++)
        lp_image_close(lp_chat_picture(chat.picture[i], NULL, &fault.err));
    lp_chat_done(&chat);
    return 0;
}
