/* SPDX-License-Identifier: MIT */
/* Every stage of Grounding DINO against transformers, float32, to 1e-4 of the largest value, with every
 * kernel table of this machine; in both layouts of files; and what becomes of 50 random outputs.
 * tools/golden/README.md says what the files hold. */
#include "model/golden.h"

#include "model/dino_folder.h"
#include "model/grounding_dino_model.h"

static const size_t run_bytes = (size_t)256 << 20;

/* One of the golden scenes, and where we are in it. */
struct scene {
    const struct lp_grounding_dino *m;
    const struct lp_weights *golden;
    const char *name;
    char where[100];
    lp_run *r;
};

/* The named stage must be x, where it is stored. */
static void check(const struct scene *s, const lp_tensor *x, const char *stage, int64_t i) {
    char key[100];
    snprintf(key, sizeof key, i < 0 ? "%s.%s" : "%s.%s.%ld", s->name, stage, (long)i);
    struct lp_error err = {0};
    require(lp_run_check(s->r, &err), &err);
    const struct lp_weight *want = lp_weights_find(s->golden, key);
    if (want)
        golden_compare_tensor(s->where, want, s->r, x);
}

static struct lp_image picture_of(const struct scene *s) {
    const struct lp_weight *t = golden_find(s->golden, "%s.image", s->name);
    return (struct lp_image){.width = (int)t->dim[1], .height = (int)t->dim[0], .pixel = (uint8_t *)t->data};
}

static lp_tensor *pixels_of(const struct scene *s) {
    struct lp_error err = {0};
    struct lp_image image = picture_of(s);
    const int32_t *size = golden_find(s->golden, "%s.size", s->name)->data;
    int w, h;
    require(lp_dino_fit(s->m, image.width, image.height, &w, &h, &err), &err);
    assert_int_equal(h, size[0]);
    assert_int_equal(w, size[1]);
    lp_tensor *pixels = lp_new(s->r, 4, (int64_t)1, (int64_t)3, (int64_t)h, (int64_t)w);
    require(lp_dino_prepare(s->m, &image, w, h, lp_f32(pixels), &err), &err);
    return pixels;
}

static void check_encoder(const struct scene *s, const struct lp_phrases *phrases,
                          struct lp_dino_scene *scene, struct lp_dino_both *x) {
    const struct lp_grounding_dino *m = s->m;
    lp_tensor *pixels = pixels_of(s);
    check(s, pixels, "pixels", -1);
    *scene = (struct lp_dino_scene){.phrases = phrases};
    x->token = lp_dino_read(s->r, m, phrases);
    check(s, x->token, "words", 0);
    x->place = lp_dino_see(s->r, m, pixels, &scene->maps);
    check(s, x->place, "places", 0);
    scene->place_code = lp_dino_place_codes(s->r, m, &scene->maps);
    check(s, scene->place_code, "positions", -1);
    scene->middle = lp_dino_middles(s->r, &scene->maps);
    scene->token_code = lp_dino_token_codes(s->r, m, phrases);
    for (int64_t i = 0; i < m->config.encoder_layers; i++) {
        lp_dino_fuse(s->r, &m->encoder[i].fusion, x);
        check(s, x->place, "fused", i);
        check(s, x->token, "fused_words", i);
        lp_dino_enhance(s->r, m, i, scene, x);
        check(s, x->token, "words", i + 1);
        check(s, x->place, "places", i + 1);
    }
}

static void check_decoder(const struct scene *s, const struct lp_dino_scene *scene,
                          const struct lp_dino_both *x) {
    struct lp_dino_queries q;
    lp_tensor *box;
    lp_dino_choose(s->r, s->m, &scene->maps, x, &q);
    check(s, q.box, "boxes", 0);
    for (int64_t i = 0; i < s->m->config.decoder_layers; i++) {
        lp_dino_decode(s->r, s->m, i, &scene->maps, x, &q);
        check(s, q.x, "queries", i + 1);
        check(s, q.box, "boxes", i + 1);
    }
    lp_tensor *logits = lp_dino_conclude(s->r, s->m, x, &q, &box);
    check(s, logits, "logits", -1);
    check(s, box, "boxes", -1);
}

/* By the public interface: with limits that nothing fails, all boxes of the last stage, which reach as far.
 */
static void check_detect(const struct scene *s, const char *caption, size_t n) {
    struct lp_error err = {0};
    struct lp_image image = picture_of(s);
    struct lp_detect_limits all = {.box = 0, .text = 0, .share = 1};
    struct lp_detections *found = lp_grounding_dino_detect(s->m, &image, caption, n, &all, NULL, &err);
    require(found != NULL, &err);
    const struct lp_weight *logits = golden_find(s->golden, "%s.logits", s->name);
    const float *box = golden_find(s->golden, "%s.boxes", s->name)->data, *logit = logits->data;
    assert_int_equal(found->count, logits->dim[0]);
    float best = -INFINITY;
    int64_t at = 0;
    for (int64_t i = 0; i < logits->dim[0] * logits->dim[1]; i++)
        if (logit[i] > best) {
            best = logit[i];
            at = i / logits->dim[1];
        }
    assert_true(fabsf(found->item[0].score - 1 / (1 + expf(-best))) < 1e-3f);
    float x0 = (box[4 * at] - box[4 * at + 2] / 2) * (float)image.width;
    assert_true(fabsf(found->item[0].box[0] - x0) < 1e-3f * (float)image.width);
    lp_detections_close(found);
}

static void check_scene(struct scene *s) {
    struct lp_error err = {0};
    const struct lp_weight *caption = golden_find(s->golden, "%s.caption", s->name);
    struct lp_phrases phrases = {0};
    struct lp_dino_scene scene;
    struct lp_dino_both x;
    require(lp_phrases_read(s->m->vocabulary, caption->data, caption->bytes, &phrases, &err), &err);
    s->r = lp_run_open(s->m->kernels, run_bytes, &err);
    check_encoder(s, &phrases, &scene, &x);
    check_decoder(s, &scene, &x);
    lp_run_close(s->r);
    check_detect(s, caption->data, caption->bytes);
    lp_phrases_done(&phrases);
}

static void check_model(const char *name, const char *const scenes[3], const struct lp_kernels *k) {
    char folder[64];
    struct lp_error err = {0};
    dino_folder_make(folder, name, NULL, NULL);
    struct lp_grounding_dino *m = lp_grounding_dino_open(folder, k, &err);
    folder_remove(folder);
    require(m != NULL, &err);
    struct lp_weights *golden = golden_open(name, "golden.safetensors");
    for (int i = 0; i < 3; i++) {
        struct scene s = {.m = m, .golden = golden, .name = scenes[i]};
        snprintf(s.where, sizeof s.where, "%s with %s", name, k->name);
        check_scene(&s);
    }
    lp_weights_close(golden);
    lp_grounding_dino_close(m);
}

static void hugging_face_with(const struct lp_kernels *k) {
    check_model("dino_hf", (const char *const[]){"wide", "tall", "long"}, k);
}

static void original_with(const struct lp_kernels *k) {
    check_model("dino_original", (const char *const[]){"square", "odd", "tiny"}, k);
}

static void hugging_face(void **state) {
    (void)state;
    golden_each_kernels(hugging_face_with);
}

static void original(void **state) {
    (void)state;
    golden_each_kernels(original_with);
}

static void check_answer(const struct lp_wordpiece *vocabulary, const struct lp_weights *golden, int i) {
    struct lp_error err = {0};
    struct lp_phrases phrases = {0};
    struct lp_detect_limits limits;
    const struct lp_weight *caption = golden_find(golden, "%d.caption", i);
    const struct lp_weight *logits = golden_find(golden, "%d.logits", i),
                           *raw = golden_find(golden, "%d.raw", i);
    const struct lp_weight *boxes = golden_find(golden, "%d.boxes", i);
    const struct lp_weight *want = golden_find(golden, "%d.phrases", i);
    const int32_t *size = golden_find(golden, "%d.size", i)->data;
    require(lp_phrases_read(vocabulary, caption->data, caption->bytes, &phrases, &err), &err);
    assert_int_equal(phrases.ids.n, logits->dim[1]);
    lp_detect_limits_defaults(&limits);
    struct lp_detections *found = lp_dino_answer(vocabulary, &phrases.ids, logits->data, raw->data,
                                                 raw->dim[0], size[1], size[0], &limits, &err);
    require(found != NULL, &err);
    assert_int_equal(found->count, boxes->dim[0]);
    const char *phrase = want->data;
    for (int64_t k = 0; k < found->count; k++) {
        const struct lp_detection *one = &found->item[k];
        assert_memory_equal(one->box, (const float *)boxes->data + 4 * k, sizeof one->box);
        assert_true(fabsf(one->score - ((const float *)golden_find(golden, "%d.scores", i)->data)[k]) <
                    1e-6f);
        assert_memory_equal(one->phrase, phrase, strlen(one->phrase));
        phrase += strlen(one->phrase);
        assert_int_equal(*phrase++, '\n');
    }
    assert_true(phrase == (const char *)want->data + want->bytes);
    lp_detections_close(found);
    lp_phrases_done(&phrases);
}

/* The same boxes, in the same order, with the same phrases. */
static void answers_are_the_references(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_wordpiece *vocabulary = lp_wordpiece_open(GOLDEN "wordpiece", &err);
    require(vocabulary != NULL, &err);
    struct lp_weights *golden = golden_open("dino_answers", "golden.safetensors");
    for (int i = 0; i < 50; i++)
        check_answer(vocabulary, golden, i);
    lp_weights_close(golden);
    lp_wordpiece_close(vocabulary);
}

/* Two of three boxes show the same; "the of" is the first phrase, "a" the second. */
static void ranks_are_of_every_box_as_every_phrase(void **state) {
    (void)state;
    enum { CLS, THE, OF, STOP, A, LAST_STOP, SEP, TOKENS };
    static const float box[3][4] = {{0.5f, 0.5f, 0.4f, 0.4f}, {0.5f, 0.5f, 0.4f, 0.41f}, {0.2f, 0.2f, 0.2f, 0.1f}};
    static const float logits[3][TOKENS] = {
        {[THE] = 2, [OF] = 0, [A] = -1, [STOP] = 9}, {[THE] = 1, [OF] = 0, [A] = -2}, {[THE] = -3, [OF] = -3, [A] = 3}};
    struct lp_error err = {0};
    struct lp_phrases phrases = {0};
    struct lp_ranked best[6];
    struct lp_wordpiece *vocabulary = lp_wordpiece_open(GOLDEN "wordpiece", &err);
    require(vocabulary != NULL, &err);
    require(lp_phrases_read(vocabulary, "the of . a", 10, &phrases, &err), &err);
    assert_int_equal(phrases.ids.n, TOKENS);
    assert_int_equal(lp_dino_rank(&phrases, logits[0], box[0], 3, 100, 200, 0.8, best, 6, &err), 4);
    assert_int_equal(best[0].phrase, 1); /* the third box, a mean of one token */
    assert_true(fabsf(best[0].score - 0.952574f) < 1e-5f);
    assert_true(fabsf(best[0].box[0] - 10) < 1e-4f && fabsf(best[0].box[3] - 50) < 1e-4f);
    assert_int_equal(best[1].phrase, 0); /* the first, a mean of two; the second is its double */
    assert_true(fabsf(best[1].score - (0.880797f + 0.5f) / 2) < 1e-5f);
    assert_int_equal(best[2].phrase, 1);
    assert_true(fabsf(best[2].score - 0.268941f) < 1e-5f);
    assert_int_equal(best[3].phrase, 0);
    assert_true(fabsf(best[3].score - 0.047426f) < 1e-5f);
    assert_int_equal(lp_dino_rank(&phrases, logits[0], box[0], 3, 100, 200, 0.8, best, 2, &err), 2);
    lp_phrases_done(&phrases);
    lp_wordpiece_close(vocabulary);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hugging_face),
        cmocka_unit_test(original),
        cmocka_unit_test(answers_are_the_references),
        cmocka_unit_test(ranks_are_of_every_box_as_every_phrase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
