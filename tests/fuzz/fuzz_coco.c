/* SPDX-License-Identifier: MIT */
/* Any bytes as COCO's annotations and results, {"truth": .., "results": ..}: refused with a sentence, or
 * rates between 0 and 1. */
#include "eval/coco_read.h"
#include "eval/coco_score.h"
#include "fuzz/fuzz.h"

#include <string.h>

static void check_rate(double rate) {
    LP_FUZZ_CHECK(rate == -1 || (rate >= 0 && rate <= 1));
}

static void score(const struct lp_coco *set, bool agnostic) {
    const struct lp_coco_settings settings = {.most = 3, .agnostic = agnostic};
    struct lp_coco_score s;
    LP_FUZZ_CHECK(lp_coco_score(set, &settings, &s, NULL));
    check_rate(s.summary.ap);
    check_rate(s.summary.ap_small);
    check_rate(s.summary.ar_1);
    check_rate(s.summary.ar_large);
    for (int k = 0; k < s.rows; k++)
        check_rate(s.category[k].precision[LP_COCO_ALL][LP_COCO_IOU_75]);
    lp_coco_score_done(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_t *json = lp_json_parse((const char *)data, size, "x", NULL);
    for (int masks = 0; json && masks < 2; masks++) {
        struct lp_error err = {0};
        struct lp_coco set = {.masks = masks};
        bool ok = lp_coco_take_truth(&set, json_object_get(json, "truth"), "truth", &err) &&
                  lp_coco_take_results(&set, json_object_get(json, "results"), "results", &err);
        LP_FUZZ_CHECK(ok || (err.code != LP_OK && strlen(err.text) > 10));
        if (ok) {
            score(&set, false);
            score(&set, true);
        }
        lp_coco_done(&set);
    }
    json_decref(json);
    return 0;
}
