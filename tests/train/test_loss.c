/* SPDX-License-Identifier: MIT */
/* The loss of training: PyTorch's on stored sequences, its gradients those of the parts that tests/model compares with
 * PyTorch; a batch is the sum of its dialogues, in one pass or several. */
#include "train/dialogues.h"

#include "base/memory.h"
#include "weights/weights.h"

#include <math.h>

#define GOLDEN LP_TESTS_DIR "/golden/"

static const size_t run_bytes = (size_t)256 << 20;

struct school {
    struct lp_llava *m;
    struct lp_optimizer o; /* its gradients are the models' */
    lp_run *run;
};

static void school_begin(struct school *s, struct lp_llava *m) {
    struct lp_error err = {0};
    s->m = m;
    require(lp_optimizer_init(&s->o, m, &err), &err);
    s->run = lp_run_open(m->kernels, run_bytes, &err);
    require(s->run != NULL, &err);
}

static void school_end(struct school *s) {
    lp_run_close(s->run);
    lp_optimizer_done(&s->o);
    lp_llava_close(s->m);
}

/* Adds the gradients of one pass; returns its loss. */
static double learn(struct school *s, const struct lp_train_sample *const *sample, int64_t count, int64_t *trained) {
    struct lp_error err = {0};
    lp_run_reset(s->run);
    s->run->taping = true;
    const struct lp_train_set set = {.model = s->m};
    lp_tensor *y = lp_train_loss(s->run, &set, sample, count, trained);
    require(lp_run_check(s->run, &err), &err);
    double loss = lp_f32(y)[0];
    require(lp_backward(s->run, y, &err), &err);
    return loss;
}

static double difference(const float *a, const float *b, int64_t n) {
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs((double)a[i] - b[i]));
        largest = fmax(largest, fabs((double)b[i]));
    }
    assert_true(largest > 0);
    return worst / largest;
}

/* The next-token loss by PyTorch's logits. */
static double loss_by_logits(const float *logits, const int32_t *id, int64_t n, int64_t V, int32_t *target) {
    double sum = 0;
    for (int64_t t = 0; t < n; t++) {
        target[t] = t < n / 3 || t + 1 == n ? LP_IGNORE : id[t + 1];
        double all = 0;
        for (int64_t v = 0; v < V; v++)
            all += exp((double)logits[t * V + v]);
        if (target[t] != LP_IGNORE)
            sum += log(all) - (double)logits[t * V + target[t]];
    }
    return sum;
}

static void is_pytorch_s(void **state) {
    (void)state;
    static const char *const folders[] = {GOLDEN "llava_mlp", GOLDEN "llava_linear"};
    for (int i = 0; i < 2; i++) {
        char path[300];
        struct lp_error err = {0};
        struct school s = {0};
        school_begin(&s, school_open(folders[i], 0));
        snprintf(path, sizeof path, "%s/golden.safetensors", folders[i]);
        struct lp_weights *golden = lp_weights_open_file(path, &err);
        require(golden != NULL, &err);
        const struct lp_weight *ids = lp_weights_find(golden, "text.ids");
        const struct lp_weight *logits = lp_weights_find(golden, "text.logits");
        assert_true(ids && logits);
        int64_t n = lp_weight_elements(ids), trained = 0;
        int32_t *target = lp_alloc_array((size_t)n, sizeof *target);
        double want = loss_by_logits(logits->data, ids->data, n, logits->dim[logits->ndim - 1], target);
        struct lp_train_sample sample = {.id = (int32_t *)ids->data, .target = target, .n = (int32_t)n, .rows = (int32_t)n};
        double got = learn(&s, (const struct lp_train_sample *const[]){&sample}, 1, &trained);
        assert_int_equal(trained, n - 1 - n / 3);
        if (!(fabs(got - want) <= 1e-4 * want))
            fail_msg("%s: the loss is %.7g, not %.7g", folders[i], got, want);
        lp_free(target);
        lp_weights_close(golden);
        school_end(&s);
    }
}

/* The same loss from the parts, every row's logits computed. */
static double learn_by_parts(struct school *s, const struct lp_train_sample *sample) {
    struct lp_error err = {0};
    lp_run *r = s->run;
    lp_run_reset(r);
    r->taping = true;
    int64_t S = s->m->config.clip.image_px, at = 0, wide = lp_llava_rows_a_picture(s->m);
    lp_tensor *pixels = lp_new(r, 4, (int64_t)1, (int64_t)3, S, S);
    struct lp_image *image = sample->pictures ? lp_image_open(sample->picture[0]->path, &err) : NULL;
    if (image)
        require(lp_preprocess_run(&s->m->preprocess, image, lp_f32(pixels), &err), &err);
    lp_image_close(image);
    int32_t *target = lp_run_alloc(r, sizeof(int32_t) * (size_t)sample->rows);
    int32_t *position = lp_run_alloc(r, sizeof(int32_t) * (size_t)sample->rows);
    for (int32_t i = 0; i < sample->n; i++)
        for (int64_t j = sample->id[i] == LP_IMAGE_TOKEN ? wide : 1; j > 0; j--, at++) {
            target[at] = j > 1 ? LP_IGNORE : sample->target[i];
            position[at] = (int32_t)at;
        }
    assert_int_equal(at, sample->rows);
    lp_tensor *x = lp_llava_embed(r, s->m, sample->id, sample->n,
                                  sample->pictures ? lp_llava_project(r, s->m, pixels) : NULL);
    struct lp_llama_rows rows = {.position = position};
    lp_tensor *y = lp_cross_entropy(
        r, lp_llama_logits(r, &s->m->llama, lp_llama_forward(r, &s->m->llama, x, &rows)), target);
    require(lp_run_check(r, &err), &err);
    double loss = lp_f32(y)[0];
    require(lp_backward(r, y, &err), &err);
    return loss;
}

/* One pass over four dialogues, two passes, four, and the parts: the same loss and gradient to rounding. */
static void batches_add_up(void **state) {
    (void)state;
    char folder[64];
    static const int passes[][4] = {{4}, {1, 3}, {1, 1, 1, 1}};
    school_make(folder, 32);
    struct school s = {0};
    struct lp_train_set set;
    school_begin(&s, school_open(folder, 3));
    lp_train_set_init(&set, s.m);
    school_add(&set, folder);
    assert_int_equal(set.count, 4);
    const struct lp_train_sample *sample[4];
    double want = 0;
    for (int i = 0; i < 4; i++) {
        sample[i] = &set.sample[i];
        want += learn_by_parts(&s, sample[i]);
    }
    size_t bytes = sizeof(float) * (size_t)s.o.numbers;
    float *gradient = lp_alloc(bytes);
    memcpy(gradient, s.o.gradient, bytes);
    for (int i = 0; i < 3; i++) {
        double got = 0;
        int64_t trained, all = 0;
        memset(s.o.gradient, 0, bytes);
        for (int j = 0, at = 0; at < 4; at += passes[i][j++]) {
            got += learn(&s, sample + at, passes[i][j], &trained);
            all += trained;
        }
        int64_t targets = 0;
        for (int j = 0; j < 4; j++)
            for (int32_t t = 0; t < sample[j]->n; t++)
                targets += sample[j]->target[t] != LP_IGNORE;
        assert_int_equal(all, targets);
        if (!(fabs(got - want) <= 1e-5 * want))
            fail_msg("cut %d: the loss is %.8g, not %.8g", i, got, want);
        double far = difference(s.o.gradient, gradient, s.o.numbers);
        if (!(far <= 1e-4))
            fail_msg("cut %d: the gradients differ by %.3g", i, far);
    }
    lp_free(gradient);
    lp_train_set_done(&set);
    school_end(&s);
    folder_remove(folder);
}

/* A model of several blocks. */
static void school_make_deep(char folder[64]) {
    static const char deep[] =
        "{\"model_type\": \"llava\", \"text_config\": {\"model_type\": \"llama\", \"hidden_size\": 32, "
        "\"intermediate_size\": 256, \"num_hidden_layers\": 6, \"num_attention_heads\": 2, \"vocab_size\": 4096}, "
        "\"vision_config\": {\"model_type\": \"clip_vision_model\", \"hidden_size\": 16, \"intermediate_size\": 64, "
        "\"num_hidden_layers\": 4, \"num_attention_heads\": 2, \"image_size\": 16, \"patch_size\": 4}}";
    school_make(folder, 32);
    folder_put(folder, "config.json", deep, strlen(deep));
}

struct learnt {
    double loss;
    size_t peak;
    float *gradient;
    int64_t numbers;
};

static struct learnt learn_with(const char *folder, bool half, bool checkpointing) {
    struct school s = {0};
    struct lp_train_set set;
    school_begin(&s, school_open(folder, 3));
    lp_train_set_init(&set, s.m);
    school_add(&set, folder);
    const struct lp_train_sample *sample[] = {&set.sample[0], &set.sample[1], &set.sample[2]};
    int64_t trained;
    s.run->half = half;
    s.run->checkpointing = checkpointing;
    struct learnt l = {.loss = learn(&s, sample, 3, &trained), .numbers = s.o.numbers};
    l.peak = s.run->peak;
    l.gradient = lp_alloc(sizeof(float) * (size_t)l.numbers);
    memcpy(l.gradient, s.o.gradient, sizeof(float) * (size_t)l.numbers);
    lp_train_set_done(&set);
    school_end(&s);
    return l;
}

/* Blocks that run again on the way back: the same loss and gradient, bit for bit, in less memory. */
static void checkpointing_changes_nothing(void **state) {
    (void)state;
    char folder[64];
    school_make_deep(folder);
    for (int half = 0; half < 2; half++) {
        struct learnt a = learn_with(folder, half, false), b = learn_with(folder, half, true);
        assert_true(a.loss == b.loss);
        assert_memory_equal(a.gradient, b.gradient, sizeof(float) * (size_t)a.numbers);
        assert_true(b.peak < a.peak);
        lp_free(a.gradient);
        lp_free(b.gradient);
    }
    folder_remove(folder);
}

/* bfloat16 has 8 bits: the whole gradient points the same way within some percent. */
static void bfloat16_is_close(void **state) {
    (void)state;
    char folder[64];
    school_make_deep(folder);
    struct learnt a = learn_with(folder, false, false), b = learn_with(folder, true, false);
    double far = 0, size = 0;
    for (int64_t i = 0; i < a.numbers; i++) {
        far += pow((double)a.gradient[i] - b.gradient[i], 2);
        size += pow((double)a.gradient[i], 2);
    }
    if (!(sqrt(far / size) < 0.06 && far > 0))
        fail_msg("the gradients differ by %.4f of their size", sqrt(far / size));
    if (!(fabs(a.loss - b.loss) < 2e-3 * a.loss))
        fail_msg("the loss is %.6f, in bfloat16 %.6f", a.loss, b.loss);
    assert_true(b.peak < a.peak);
    lp_free(a.gradient);
    lp_free(b.gradient);
    folder_remove(folder);
}

static void a_lost_picture_is_an_error(void **state) {
    (void)state;
    char folder[64], path[300];
    school_make(folder, 32);
    struct school s = {0};
    struct lp_train_set set;
    school_begin(&s, school_open(folder, 3));
    lp_train_set_init(&set, s.m);
    school_add(&set, folder);
    snprintf(path, sizeof path, "%s/b.png", folder);
    assert_int_equal(unlink(path), 0);
    const struct lp_train_sample *sample[] = {&set.sample[0], &set.sample[1]};
    struct lp_error err = {0};
    int64_t trained;
    assert_null(lp_train_loss(s.run, &set, sample, 2, &trained));
    assert_false(lp_run_check(s.run, &err));
    assert_int_equal(err.code, LP_EIO);
    assert_non_null(strstr(err.text, "b.png"));
    lp_train_set_done(&set);
    school_end(&s);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_pytorch_s),
        cmocka_unit_test(batches_add_up),
        cmocka_unit_test(checkpointing_changes_nothing),
        cmocka_unit_test(bfloat16_is_close),
        cmocka_unit_test(a_lost_picture_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
