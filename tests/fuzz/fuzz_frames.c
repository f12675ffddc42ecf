/* SPDX-License-Identifier: MIT */
/* A worker's stream: cut anywhere it is the same frames, each of which is checked and, where it is a tool worker's answer,
 * taken into a call. The first byte says where to cut. */
#include "fuzz.h"

#include "base/frames.h"
#include "serve/frame.h"
#include "skill/wire.h"

#include <string.h>

struct seen {
    struct lp_str all;
    const struct lp_skill *skill;
};

/* What a client makes of the answer of a tool worker. */
static void take(const struct lp_skill *skill, const char *text, size_t n) {
    struct lp_error err = {0};
    json_t *response = lp_json_parse(text, n, "it", &err);
    struct lp_call call = {.skill = skill, .result = json_object(), .report = json_object()};
    bool taken = response && lp_wire_take(&call, skill->api_name, response, &err);
    LP_FUZZ_CHECK(taken || *err.text); /* no refusal without a reason */
    for (int i = 0; i < call.made.n; i++)
        for (int k = 0; k < 4; k++)
            LP_FUZZ_CHECK(call.made.item[i]->box[k] >= 0 && call.made.item[i]->box[k] <= 1);
    lp_call_done(&call);
    json_decref(response);
}

static bool frame(void *context, const char *text, size_t n) {
    struct seen *s = context;
    int code;
    LP_FUZZ_CHECK(n && strlen(text) == n);
    lp_frame_check(text, n, &code);
    if (s->skill)
        take(s->skill, text, n);
    lp_str_add(&s->all, text, n + 1);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size)
        return 0;
    const char *bytes = (const char *)data + 1;
    size_t n = size - 1, cut = n ? data[0] % n : 0;
    struct seen whole = {.skill = lp_skills[data[0] % LP_SKILL_COUNT]}, parts = {.skill = NULL};
    struct lp_frames a = {.frame = frame, .context = &whole}, b = {.frame = frame, .context = &parts};
    bool one = lp_frames_feed(&a, bytes, n), two = lp_frames_feed(&b, bytes, cut) && lp_frames_feed(&b, bytes + cut, n - cut);
    LP_FUZZ_CHECK(one == two && whole.all.n == parts.all.n &&
                  !memcmp(lp_str_text(&whole.all), lp_str_text(&parts.all), whole.all.n));
    lp_frames_done(&a);
    lp_frames_done(&b);
    lp_str_done(&whole.all);
    lp_str_done(&parts.all);
    return 0;
}
