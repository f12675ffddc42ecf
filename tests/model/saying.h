/* SPDX-License-Identifier: MIT */
/* What a small LLaVA says to a picture and a prompt: the same, whatever files it comes from. */
#ifndef LP_TESTS_MODEL_SAYING_H
#define LP_TESTS_MODEL_SAYING_H

#include "model/golden.h"

enum { VOCABULARY = 64, STEPS = 64 };

/* The logits after the prompt and the greedy tokens that follow. */
struct said {
    int64_t vocabulary;
    float logits[VOCABULARY];
    int32_t id[STEPS];
};

static inline struct lp_llava *open_model(const char *path, const char *mmproj) {
    struct lp_error err = {0};
    struct lp_llava *m = lp_llava_open_with(path, mmproj, lp_kernels_cpu(), &err);
    require(m != NULL, &err);
    return m;
}

/* Of a square picture: models of two projector layers pad others, as LLaVA-1.5 does. */
static inline void say(const char *path, const char *mmproj, struct said *said) {
    static const int32_t prompt[] = {1, 29, 34, LP_IMAGE_TOKEN, 24, 41};
    struct lp_error err = {0};
    struct lp_llava *m = open_model(path, mmproj);
    struct lp_image *image = lp_image_new(40, 40, &err);
    require(image != NULL, &err);
    for (int i = 0; i < 40 * 40 * 3; i++)
        image->pixel[i] = (uint8_t)(i * 7 + i / 50);
    struct lp_llava_picture *picture = lp_llava_see(m, image, NULL, NULL, &err);
    struct lp_llava_state *s = lp_llava_state_open(m, &err);
    require(picture && s, &err);
    const struct lp_llava_picture *const shown[] = {picture};
    const float *logits = lp_llava_feed(s, prompt, sizeof prompt / sizeof *prompt, shown, 1, &err);
    require(logits != NULL, &err);
    *said = (struct said){.vocabulary = lp_llava_vocabulary(m)};
    assert_true(said->vocabulary <= VOCABULARY);
    memcpy(said->logits, logits, sizeof(float) * (size_t)said->vocabulary);
    for (int i = 0; i < STEPS; i++) {
        int best = 0;
        for (int v = 1; v < said->vocabulary; v++)
            best = logits[v] > logits[best] ? v : best;
        said->id[i] = best;
        logits = lp_llava_feed(s, &said->id[i], 1, NULL, 0, &err);
        require(logits != NULL, &err);
    }
    lp_llava_state_close(s);
    lp_llava_picture_close(picture);
    lp_image_close(image);
    lp_llava_close(m);
}

static inline void assert_said(const struct said *got, const struct said *want, const char *where) {
    double difference = golden_difference(got->logits, want->logits, want->vocabulary);
    if (got->vocabulary != want->vocabulary || difference > 1e-5)
        fail_msg("%s: logits differ by %.3g", where, difference);
    for (int i = 0; i < STEPS; i++)
        if (got->id[i] != want->id[i])
            fail_msg("%s: token %d is %d, not %d", where, i, (int)got->id[i], (int)want->id[i]);
}

#endif
