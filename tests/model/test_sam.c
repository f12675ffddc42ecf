/* SPDX-License-Identifier: MIT */
/* Every stage of SAM against transformers, float32, to 1e-4 of the largest value, with every kernel table of
 * this machine; in both layouts of files. tools/golden/README.md says what the files hold. */
#include "model/golden.h"

#include "base/memory.h"
#include "model/sam_model.h"
#include "weights/folder.h"
#include "weights/safetensors.h"

static const size_t run_bytes = (size_t)256 << 20;

enum { MOST_PROMPTS = 4, EITHER = 2 };

static struct lp_sam *open_model(const char *folder, const struct lp_kernels *k) {
    char path[300];
    struct lp_error err = {0};
    snprintf(path, sizeof path, GOLDEN "%s", folder);
    struct lp_sam *m = lp_sam_open(path, k, &err);
    require(m != NULL, &err);
    return m;
}

/* A stored picture; borrows the file's bytes. */
static struct lp_image picture_of(const struct lp_weights *golden, const char *name) {
    const struct lp_weight *t = golden_find(golden, "%s.image", name);
    return (struct lp_image){.width = (int)t->dim[1], .height = (int)t->dim[0], .pixel = (uint8_t *)t->data};
}

/* Behind the squares, behind each block where that is stored, and behind the neck. */
static void check_encoder(const char *where, const struct lp_sam *m, const struct lp_weights *golden,
                          const char *name) {
    struct lp_error err = {0};
    struct lp_image image = picture_of(golden, name);
    lp_run *r = lp_run_open(m->kernels, run_bytes, &err);
    int64_t S = m->config.image_px;
    lp_tensor *pixels = lp_new(r, 4, (int64_t)1, (int64_t)3, S, S);
    require(lp_sam_prepare(m, &image, lp_f32(pixels), &err), &err);
    for (int64_t i = 0; i <= m->config.layers; i++) {
        char stage[100];
        snprintf(stage, sizeof stage, "%s.hidden.%ld", name, (long)i);
        if (i == 0 || lp_weights_find(golden, stage))
            golden_compare_tensor(where, golden_find(golden, "%s", stage), r, lp_sam_blocks(r, m, pixels, i));
    }
    lp_tensor *x = lp_sam_neck(r, m, lp_sam_blocks(r, m, pixels, m->config.layers));
    golden_compare_tensor(where, golden_find(golden, "%s.features", name), r, x);
    lp_run_close(r);
}

/* The prompts stored under one name, and how many they are. */
static int64_t read_prompts(const struct lp_weights *golden, const char *name,
                            struct lp_sam_prompt prompt[MOST_PROMPTS]) {
    char key[100];
    snprintf(key, sizeof key, "%s.points", name);
    const struct lp_weight *points = lp_weights_find(golden, key);
    snprintf(key, sizeof key, "%s.boxes", name);
    const struct lp_weight *boxes = lp_weights_find(golden, key);
    snprintf(key, sizeof key, "%s.mask", name);
    const struct lp_weight *mask = lp_weights_find(golden, key);
    int64_t n = golden_find(golden, "%s.logits", name)->dim[0];
    for (int64_t i = 0; i < n; i++) {
        prompt[i] = (struct lp_sam_prompt){.box = boxes ? (const float *)boxes->data + 4 * i : NULL,
                                           .mask = mask ? mask->data : NULL};
        if (points) {
            int64_t each = points->dim[1];
            prompt[i].points = each;
            prompt[i].point = (const float(*)[2])points->data + i * each;
            prompt[i].label = (const int *)golden_find(golden, "%s.labels", name)->data + i * each;
        }
    }
    return n;
}

/* Row i of a stored tensor, its first axis counting prompts. */
static struct lp_weight nth(const struct lp_weight *t, int64_t i) {
    struct lp_weight one = *t;
    size_t bytes = t->bytes / (size_t)t->dim[0];
    one.ndim = t->ndim - 1;
    memmove(one.dim, t->dim + 1, sizeof one.dim - sizeof *one.dim);
    one.data = (const uint8_t *)t->data + (size_t)i * bytes;
    one.bytes = bytes;
    return one;
}

static void check_decoder(const char *where, const struct lp_sam *m, const struct lp_weights *golden,
                          const char *picture, const char *name) {
    struct lp_error err = {0};
    struct lp_sam_prompt prompt[MOST_PROMPTS];
    struct lp_image image = picture_of(golden, picture);
    int w, h;
    lp_sam_fit(m, image.width, image.height, &w, &h);
    lp_tensor features = golden_input(golden_find(golden, "%s.features", picture)), *scores;
    lp_run *r = lp_run_open(m->kernels, run_bytes, &err);
    for (int64_t i = 0, n = read_prompts(golden, name, prompt); i < n; i++) {
        lp_tensor *sparse =
            lp_sam_sparse(r, m, &prompt[i], (double)w / image.width, (double)h / image.height);
        lp_tensor *dense = lp_sam_dense(r, m, prompt[i].mask);
        if (sparse) {
            struct lp_weight want = nth(golden_find(golden, "%s.sparse", name), i);
            golden_compare_tensor(where, &want, r, sparse);
        }
        if (prompt[i].mask)
            golden_compare_tensor(where, golden_find(golden, "%s.dense", name), r, dense);
        struct lp_weight want = nth(golden_find(golden, "%s.logits", name), i);
        const struct lp_sam_start start = lp_sam_begin(r, m, &features, dense);
        golden_compare_tensor(where, &want, r, lp_sam_decode(r, m, &start, sparse, &scores));
        want = nth(golden_find(golden, "%s.scores", name), i);
        golden_compare_tensor(where, &want, r, scores);
    }
    lp_run_close(r);
}

/* A mask as the answer has it, pixel by pixel; rounding may decide those marked so. */
static void check_pixels(const char *where, const char *name, const uint8_t *got, const uint8_t *want,
                         int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (got[i] > 1 || (want[i] != EITHER && got[i] != want[i]))
            fail_msg("%s, %s: pixel %ld of the mask is %d, not %d", where, name, (long)i, got[i], want[i]);
}

/* From the picture to masks in its size, by the public interface. */
static void check_answers(const char *where, const struct lp_sam *m, const struct lp_weights *golden,
                          const char *picture, const char *name) {
    struct lp_error err = {0};
    struct lp_sam_prompt prompt[MOST_PROMPTS];
    int64_t n = read_prompts(golden, name, prompt);
    struct lp_image image = picture_of(golden, picture);
    struct lp_sam_embedding *e = lp_sam_see(m, &image, NULL, &err);
    require(e != NULL, &err);
    struct lp_sam_masks *one = lp_sam_segment(m, e, prompt, n, LP_SAM_ONE, NULL, &err);
    require(one != NULL, &err);
    struct lp_sam_masks *three = lp_sam_segment(m, e, prompt, n, LP_SAM_THREE, NULL, &err);
    struct lp_sam_masks *best = lp_sam_segment(m, e, prompt, n, LP_SAM_BEST, NULL, &err);
    require(three && best, &err);
    assert_int_equal(one->count, n);
    assert_int_equal(three->count, 3 * n);
    assert_int_equal(best->count, n);
    const struct lp_weight *shown = golden_find(golden, "%s.shown", name);
    const struct lp_weight *pixels = golden_find(golden, "%s.pixels", name);
    const float *scores = golden_find(golden, "%s.scores", name)->data;
    int64_t size = (int64_t)image.width * image.height;
    for (int64_t i = 0; i < n; i++) {
        float highest = fmaxf(scores[4 * i + 1], fmaxf(scores[4 * i + 2], scores[4 * i + 3]));
        assert_true(fabsf(best->mask[i].score - highest) < 1e-3f);
        for (int64_t j = 0; j < shown->dim[0]; j++) {
            int32_t at = ((const int32_t *)shown->data)[j];
            const struct lp_sam_mask *got = at == 0 ? &one->mask[i] : &three->mask[3 * i + at - 1];
            assert_true(fabsf(got->score - scores[4 * i + at]) < 1e-3f);
            check_pixels(where, name, got->pixel,
                         (const uint8_t *)pixels->data + (i * shown->dim[0] + j) * size, size);
        }
    }
    lp_sam_masks_close(best);
    lp_sam_masks_close(three);
    lp_sam_masks_close(one);
    lp_sam_embedding_close(e);
}

struct stored {
    const char *picture, *prompt; /* prompt NULL: the picture alone */
};

static void check_model(const char *folder, const struct stored *stored, size_t n,
                        const struct lp_kernels *k) {
    char where[100];
    snprintf(where, sizeof where, "%s with %s", folder, k->name);
    struct lp_sam *m = open_model(folder, k);
    struct lp_weights *golden = golden_open(folder, "golden.safetensors");
    for (size_t i = 0; i < n; i++) {
        if (!stored[i].prompt) {
            check_encoder(where, m, golden, stored[i].picture);
            continue;
        }
        check_decoder(where, m, golden, stored[i].picture, stored[i].prompt);
        check_answers(where, m, golden, stored[i].picture, stored[i].prompt);
    }
    lp_weights_close(golden);
    lp_sam_close(m);
}

static void hugging_face_with(const struct lp_kernels *k) {
    static const struct stored stored[] = {
        {"wide", NULL}, {"wide", "wide.point"}, {"wide", "wide.box"}, {"tall", NULL}, {"tall", "tall.both"}};
    check_model("sam_hf", stored, sizeof stored / sizeof *stored, k);
}

static void original_with(const struct lp_kernels *k) {
    static const struct stored stored[] = {{"odd", NULL},       {"odd", "odd.points"},
                                           {"odd", "odd.mask"}, {"odd", "odd.all"},
                                           {"square", NULL},    {"square", "square.boxes"}};
    check_model("sam_original", stored, sizeof stored / sizeof *stored, k);
}

/* The same model with its weights in 16 bits, written to a folder, answers nearly the same. */
static void check_half(enum lp_weight_type type, enum lp_dtype dtype) {
    char folder[64], path[300];
    struct lp_error err = {0};
    const struct lp_kernels *k = lp_kernels_cpu();
    struct lp_weights *w = golden_open("sam_original", "model.safetensors");
    struct lp_weights *golden = golden_open("sam_original", "golden.safetensors");
    size_t n = lp_weights_count(w);
    struct lp_weight *half = lp_alloc_array(n, sizeof *half);
    for (size_t i = 0; i < n; i++) {
        half[i] = *lp_weights_at(w, i);
        void *data = lp_alloc(half[i].bytes);
        k->from_f32(data, half[i].data, dtype, lp_weight_elements(&half[i]));
        half[i].type = type;
        half[i].data = data;
        half[i].bytes /= 2;
    }
    folder_make(folder);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    require(lp_safetensors_write(path, half, n, NULL, &err), &err);
    struct lp_sam *m = lp_sam_open(folder, k, &err);
    require(m != NULL, &err);
    struct lp_sam_prompt prompt[MOST_PROMPTS];
    struct lp_image image = picture_of(golden, "odd");
    struct lp_sam_embedding *e = lp_sam_see(m, &image, NULL, &err);
    require(e != NULL, &err);
    struct lp_sam_masks *a =
        lp_sam_segment(m, e, prompt, read_prompts(golden, "odd.all", prompt), LP_SAM_ONE, NULL, &err);
    require(a != NULL, &err);
    double difference =
        golden_difference(a->mask[0].logits, golden_find(golden, "odd.all.logits")->data, a->side * a->side);
    assert_true(difference > 0 && difference < (dtype == LP_BF16 ? 0.1 : 0.02));
    lp_sam_masks_close(a);
    lp_sam_embedding_close(e);
    lp_sam_close(m);
    folder_remove(folder);
    for (size_t i = 0; i < n; i++)
        lp_free((void *)half[i].data);
    lp_free(half);
    lp_weights_close(golden);
    lp_weights_close(w);
}

static void takes_weights_of_16_bits(void **state) {
    (void)state;
    check_half(LP_WEIGHT_F16, LP_F16);
    check_half(LP_WEIGHT_BF16, LP_BF16);
}

/* Rounding what is multiplied to bfloat16, on machines where that is faster, changes features and masks little. */
static void may_be_rough(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_sam *m = open_model("sam_original", lp_kernels_cpu());
    struct lp_weights *golden = golden_open("sam_original", "golden.safetensors");
    struct lp_image image = picture_of(golden, "odd");
    struct lp_sam_prompt prompt[MOST_PROMPTS];
    int64_t n = read_prompts(golden, "odd.all", prompt);
    lp_sam_set_rough(m, true);
    struct lp_sam_embedding *e = lp_sam_see(m, &image, NULL, &err);
    require(e != NULL, &err);
    struct lp_sam_masks *a = lp_sam_segment(m, e, prompt, n, LP_SAM_ONE, NULL, &err);
    require(a != NULL, &err);
    double features = golden_difference(e->data, golden_find(golden, "odd.features")->data, e->rows * e->channels);
    double logits = golden_difference(a->mask[0].logits, golden_find(golden, "odd.all.logits")->data, a->side * a->side);
    bool rounds = golden_rounds(lp_kernels_cpu());
    if (rounds ? !(features > 1e-4 && features < 0.03 && logits < 0.03) : !(features < 1e-4 && logits < 1e-4))
        fail_msg("features differ by %.3g, logits by %.3g", features, logits);
    lp_sam_masks_close(a);
    lp_sam_embedding_close(e);
    lp_weights_close(golden);
    lp_sam_close(m);
}

static void hugging_face(void **state) {
    (void)state;
    golden_each_kernels(hugging_face_with);
}

static void original(void **state) {
    (void)state;
    golden_each_kernels(original_with);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hugging_face),
        cmocka_unit_test(original),
        cmocka_unit_test(takes_weights_of_16_bits),
        cmocka_unit_test(may_be_rough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
