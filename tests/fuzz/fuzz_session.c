/* SPDX-License-Identifier: MIT */
/* Bodies of POST /v1/sessions/ID/messages. */
#include "fuzz.h"

#include "serve/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lp_ask ask = {0};
    struct lp_fault fault = {0};
    struct lp_sampling sampling;
    lp_sampling_defaults(&sampling);
    bool read = lp_ask_parse(&ask, (const char *)data, size, &sampling, &fault);
    LP_FUZZ_CHECK(read || (fault.status >= 400 && *fault.err.text)); /* no refusal without a reason */
    if (read) {
        json_t *history = lp_ask_history(&ask);
        LP_FUZZ_CHECK(history && json_object_get(history, "text"));
        LP_FUZZ_CHECK(ask.prompts.points <= LP_SYNTAX_LITERALS && ask.prompts.boxes + ask.strokes <= LP_SYNTAX_LITERALS);
        LP_FUZZ_CHECK(ask.prompts.reference_boxes <= LP_SYNTAX_LITERALS);
        json_decref(history);
    }
    lp_ask_done(&ask);
    return 0;
}
