/* SPDX-License-Identifier: MIT */
/* Muon: whatever a gradient's singular values, its direction's are near 1; it moves the matrices of blocks and nothing
 * else; a model learns by it, and goes on where it stopped. */
#include "train/dialogues.h"

#include "base/memory.h"

#include <math.h>

/* A gradient that is large along one pair of axes and small along the next: axes stay, sizes become alike. */
static void directions_have_equal_sizes(void **state) {
    (void)state;
    static const int64_t shapes[][2] = {{5, 5}, {4, 9}, {9, 5}, {40, 33}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        int64_t m = shapes[s][0], n = shapes[s][1], small = m < n ? m : n;
        float *grad = lp_alloc_array((size_t)(m * n), sizeof *grad), *moment = lp_alloc_array((size_t)(m * n), sizeof *moment);
        lp_tensor x = {.type = LP_F32, .ndim = 2, .dim = {m, n}, .grad = grad, .learns = true};
        float *room = lp_alloc_array((size_t)lp_muon_room(&x), sizeof *room);
        assert_true(grad && moment && room);
        memset(grad, 0, sizeof *grad * (size_t)(m * n));
        memset(moment, 0, sizeof *moment * (size_t)(m * n));
        for (int64_t i = 0; i < small; i++)
            grad[i * n + (i * 2 + 1) % n] = /* one a column: n is odd */
                i % 2 ? -3.0f : 7.0f / (float)(1 + i % 3);
        lp_muon_direction(lp_kernels_cpu(), &x, moment, 0.5f, room);
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                bool on = i < small && j == (i * 2 + 1) % n;
                float want = on ? (i % 2 ? -1 : 1) : 0;
                if (!(fabsf(grad[i * n + j] - want) < (on ? 0.4f : 1e-4f)))
                    fail_msg("%ld x %ld: %g at %ld, %ld", (long)m, (long)n, (double)grad[i * n + j], (long)i, (long)j);
            }
        assert_true(fabsf(moment[1] - 3.5f) < 1e-5f);
        lp_free(grad);
        lp_free(moment);
        lp_free(room);
    }
}

/* The step's root mean square is AdamW's usual one, 0.2 times the rate. */
static void blocks_move_by_muon(void **state) {
    struct lp_error err = {0};
    struct lp_optimizer o;
    struct lp_train_settings s;
    struct lp_llava *m = school_open(*state, 5);
    require(lp_optimizer_init(&o, m, &err) && lp_optimizer_use_muon(&o, m, &err), &err);
    lp_train_defaults(&s);
    s.decay = 0;
    struct lp_rng rng;
    lp_rng_seed(&rng, 3);
    for (int64_t i = 0; i < o.numbers; i++)
        o.gradient[i] = lp_rng_normal(&rng);
    float *before = lp_alloc_array((size_t)o.numbers, sizeof *before);
    assert_non_null(before);
    for (int64_t i = 0, at = 0; i < m->parameters.count; at += lp_count(m->parameters.item[i++].tensor))
        memcpy(before + at, m->parameters.item[i].tensor->data, sizeof *before * (size_t)lp_count(m->parameters.item[i].tensor));
    lp_optimizer_step(&o, m, &s, 1e-2, 1);
    int blocks = 0;
    for (int64_t i = 0, at = 0; i < m->parameters.count; at += lp_count(m->parameters.item[i++].tensor)) {
        const struct lp_parameter *p = &m->parameters.item[i];
        int64_t n = lp_count(p->tensor), rows = p->tensor->dim[0], columns = p->tensor->dim[1];
        double squares = 0, want = 1e-2; /* AdamW's first step: the rate, whatever the gradient */
        for (int64_t j = 0; j < n; j++)
            squares += pow(lp_f32(p->tensor)[j] - before[at + j], 2);
        if (lp_muon_learns(p)) {
            blocks++;
            want = 0.2e-2 * sqrt((double)(rows > columns ? rows : columns) * (double)(rows < columns ? rows : columns) / (double)n);
        }
        double moved = sqrt(squares / (double)n);
        if (!(moved > 0.6 * want && moved < 1.2 * want))
            fail_msg("%s moved by %g, not %g", p->name, moved, want);
    }
    assert_int_equal(blocks, 7 + 6); /* a block of LLaMA has seven matrices, one of the encoder six */
    lp_free(before);
    lp_optimizer_done(&o);
    lp_llava_close(m);
}

static bool stop;
static double last;

static void watch(void *context, const struct lp_train_progress *p) {
    last = p->loss;
    stop = p->step == *(const int64_t *)context;
}

static struct lp_llava *learn(const char *folder, int64_t stop_at, const char *checkpoint, struct lp_error *err) {
    struct lp_train_settings s;
    struct lp_train_set set;
    struct lp_llava *m = school_open(folder, 5);
    lp_train_set_init(&set, m);
    school_add(&set, folder);
    lp_train_defaults(&s);
    s.steps = 60;
    s.batch = 3;
    s.rate = 1e-2;
    s.muon = true;
    s.checkpoint = checkpoint;
    s.progress = watch;
    s.context = &stop_at;
    s.stop = &stop;
    stop = false;
    lp_train(m, &set, &s, err);
    lp_train_set_done(&set);
    return m;
}

static void it_learns_and_goes_on(void **state) {
    struct lp_error err = {0};
    char checkpoint[100];
    snprintf(checkpoint, sizeof checkpoint, "%s/muon.safetensors", (const char *)*state);
    struct lp_llava *whole = learn(*state, 0, NULL, &err);
    require(!err.code, &err);
    assert_true(last < 0.5);
    lp_llava_close(learn(*state, 25, checkpoint, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    err = (struct lp_error){0};
    struct lp_llava *parts = learn(*state, 0, checkpoint, &err);
    require(!err.code, &err);
    for (int64_t i = 0; i < whole->parameters.count; i++) {
        const lp_tensor *x = whole->parameters.item[i].tensor, *y = parts->parameters.item[i].tensor;
        assert_memory_equal(x->data, y->data, sizeof(float) * (size_t)lp_count(x));
    }
    unlink(checkpoint);
    lp_llava_close(whole);
    lp_llava_close(parts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directions_have_equal_sizes),
        cmocka_unit_test(blocks_move_by_muon),
        cmocka_unit_test(it_learns_and_goes_on),
    };
    return cmocka_run_group_tests(tests, school_setup, school_teardown);
}
