/* SPDX-License-Identifier: MIT */
/* Every op with a backward, by central differences: one line an op. */
#include "op/op.h"

#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { MOST = 3 };

static struct lp_rng rng;

/* An op under test: inputs of given shapes in, one output out. */
struct check {
    const char *name;
    lp_tensor *(*run)(lp_run *r, lp_tensor **in);
    int64_t shape[MOST][2]; /* [rows,columns]; a row of columns where rows is 0; unused where columns is 0 */
    double epsilon, tolerance;
};

static lp_tensor *random_tensor(lp_run *r, const int64_t *shape) {
    lp_tensor *x = shape[0] ? lp_new(r, 2, shape[0], shape[1]) : lp_new(r, 1, shape[1]);
    for (int64_t i = 0; i < lp_count(x); i++)
        lp_f32(x)[i] = lp_rng_normal(&rng);
    x->learns = true;
    return x;
}

/* A scalar that every output touches differently: sum of y * weight. */
static double weigh(const lp_tensor *y, const float *weight) {
    double sum = 0;
    for (int64_t i = 0; i < lp_count(y); i++)
        sum += (double)lp_f32(y)[i] * weight[i];
    return sum;
}

static double value(lp_run *r, const struct check *c, lp_tensor **in, const float *weight) {
    lp_mark m = lp_here(r);
    r->taping = false;
    double v = weigh(c->run(r, in), weight);
    r->used = m.used;
    return v;
}

static void check_op(const struct check *c) {
    lp_run *r = lp_run_open(lp_kernels_cpu(), (size_t)1 << 30, NULL);
    lp_tensor *in[MOST] = {0};
    for (int i = 0; i < MOST && c->shape[i][1]; i++)
        in[i] = random_tensor(r, c->shape[i]);
    r->taping = true;
    lp_tensor *y = c->run(r, in);
    struct lp_error err = {0};
    if (!y) {
        lp_run_check(r, &err);
        fail_msg("%s: %s", c->name, err.text);
    }
    float *weight = lp_run_alloc(r, sizeof(float) * (size_t)lp_count(y));
    float *grad = lp_grad(r, y);
    for (int64_t i = 0; i < lp_count(y); i++)
        grad[i] = weight[i] = lp_rng_normal(&rng);
    for (struct lp_node *n = r->last; n; n = n->before)
        n->backward(n);
    double worst = 0, scale = 0;
    for (int i = 0; i < MOST && in[i]; i++)
        for (int64_t j = 0; j < lp_count(in[i]); j++) {
            float *x = lp_f32(in[i]) + j, kept = *x;
            *x = kept + (float)c->epsilon;
            double up = value(r, c, in, weight);
            *x = kept - (float)c->epsilon;
            double down = value(r, c, in, weight);
            *x = kept;
            double numeric = (up - down) / (2 * c->epsilon), analytic = in[i]->grad ? in[i]->grad[j] : 0;
            worst = fmax(worst, fabs(numeric - analytic));
            scale = fmax(scale, fabs(numeric));
        }
    if (!(worst <= c->tolerance * scale))
        fail_msg("%s: gradient is off by %g of %g", c->name, worst, scale);
    lp_run_close(r);
}

static const int32_t positions[] = {0, 3, 7, 1, 2, 11}, picks[] = {2, -1, 0, -2, 2}, ids[] = {1, 3, 3, 0};
static const int32_t starts[] = {0, 2, 6}, targets[] = {1, LP_IGNORE, 0, 4};

static lp_tensor *matmul(lp_run *r, lp_tensor **in) { return lp_matmul(r, in[0], in[1], in[2]); }
static lp_tensor *add(lp_run *r, lp_tensor **in) { return lp_add(r, in[0], in[1]); }
static lp_tensor *layer_norm(lp_run *r, lp_tensor **in) { return lp_layer_norm(r, in[0], in[1], in[2], 1e-5f); }
static lp_tensor *rms_norm(lp_run *r, lp_tensor **in) { return lp_rms_norm(r, in[0], in[1], 1e-5f); }
static lp_tensor *scaled(lp_run *r, lp_tensor **in) { return lp_scale(r, in[0], -1.5f); }
static lp_tensor *gelu(lp_run *r, lp_tensor **in) { return lp_act(r, in[0], LP_GELU); }
static lp_tensor *quick_gelu(lp_run *r, lp_tensor **in) { return lp_act(r, in[0], LP_QUICK_GELU); }
static lp_tensor *silu(lp_run *r, lp_tensor **in) { return lp_act(r, in[0], LP_SILU); }
static lp_tensor *swiglu(lp_run *r, lp_tensor **in) { return lp_swiglu(r, in[0], in[1]); }
static lp_tensor *rope(lp_run *r, lp_tensor **in) { return lp_rope(r, in[0], positions, 2, 10000); }
static lp_tensor *embedding(lp_run *r, lp_tensor **in) { return lp_embedding(r, in[0], ids, 4); }
static lp_tensor *pick_rows(lp_run *r, lp_tensor **in) { return lp_pick_rows(r, in[0], in[1], picks, 5); }
static lp_tensor *cross_entropy(lp_run *r, lp_tensor **in) { return lp_cross_entropy(r, in[0], targets); }

/* The same numbers in another shape: conv weights and maps have more dimensions than checks write down. */
static lp_tensor *shaped(lp_tensor *x, int ndim, const int64_t *dim) {
    x->ndim = ndim;
    for (int i = 0; i < ndim; i++)
        x->dim[i] = dim[i];
    return x;
}

static lp_tensor *relu(lp_run *r, lp_tensor **in) { return lp_act(r, in[0], LP_RELU); }
static lp_tensor *windows(lp_run *r, lp_tensor **in) { return lp_windows(r, in[0], 3, 2, 2, 0); }

static lp_tensor *unwindows(lp_run *r, lp_tensor **in) {
    return lp_unwindows(r, lp_windows(r, in[0], 2, 5, 2, 0), 2, 5, 2, 0);
}

static lp_tensor *shifted(lp_run *r, lp_tensor **in) { return lp_windows(r, in[0], 4, 2, 3, 1); }

static lp_tensor *convolution(lp_run *r, lp_tensor **in) { /* two maps of 3 x 4, 3 x 3 at every other place */
    struct lp_conv_settings s = {3, 4, 3, 2, 1};
    return lp_matmul(r, lp_unfold(r, in[0], &s), shaped(in[1], 4, (const int64_t[]){3, 2, 3, 3}), in[2]);
}

static lp_tensor *conv_transpose(lp_run *r, lp_tensor **in) { /* two maps of 2 x 1 */
    return lp_conv_transpose(r, in[0], shaped(in[1], 4, (const int64_t[]){3, 2, 2, 2}), in[2], 2, 1);
}

static lp_tensor *enlarged(lp_run *r, lp_tensor **in) {
    return lp_resize_bilinear(r, shaped(in[0], 3, (const int64_t[]){2, 3, 4}), 7, 5);
}

static lp_tensor *shrunk(lp_run *r, lp_tensor **in) {
    return lp_resize_bilinear(r, shaped(in[0], 3, (const int64_t[]){2, 5, 4}), 2, 3);
}

static lp_tensor *attention(lp_run *r, lp_tensor **in) {
    return lp_attention(r, in[0], in[1], in[2], &(struct lp_attention_settings){2, 2, false, NULL, 0});
}

static lp_tensor *grouped_causal(lp_run *r, lp_tensor **in) { /* two sequences, heads sharing keys */
    return lp_attention(r, in[0], in[1], in[2], &(struct lp_attention_settings){4, 2, true, starts, 2});
}

static void gradients_agree_with_differences(void **state) {
    (void)state;
    static const struct check checks[] = {
        {"matmul", matmul, {{5, 7}, {3, 7}, {0, 3}}, 1e-2, 2e-3},
        {"add", add, {{4, 5}, {4, 5}}, 1e-2, 2e-3},
        {"add, repeated", add, {{4, 5}, {2, 5}}, 1e-2, 2e-3},
        {"layer_norm", layer_norm, {{4, 9}, {0, 9}, {0, 9}}, 1e-2, 5e-3},
        {"rms_norm", rms_norm, {{4, 9}, {0, 9}}, 1e-2, 5e-3},
        {"scale", scaled, {{4, 9}}, 1e-2, 2e-3},
        {"gelu", gelu, {{4, 9}}, 1e-2, 5e-3},
        {"quick_gelu", quick_gelu, {{4, 9}}, 1e-2, 5e-3},
        {"silu", silu, {{4, 9}}, 1e-2, 5e-3},
        {"swiglu", swiglu, {{4, 9}, {4, 9}}, 1e-2, 5e-3},
        {"rope", rope, {{6, 12}}, 1e-2, 2e-3},
        {"attention", attention, {{3, 8}, {5, 8}, {5, 8}}, 1e-2, 5e-3},
        {"attention, causal, grouped, batched", grouped_causal, {{6, 16}, {6, 8}, {6, 8}}, 1e-2, 5e-3},
        {"embedding", embedding, {{4, 5}}, 1e-2, 2e-3},
        {"pick_rows", pick_rows, {{3, 5}, {2, 5}}, 1e-2, 2e-3},
        {"cross_entropy", cross_entropy, {{4, 5}}, 1e-2, 5e-3},
        {"relu", relu, {{4, 9}}, 1e-3, 5e-3},
        {"windows", windows, {{6, 5}}, 1e-2, 2e-3},
        {"windows, shifted", shifted, {{8, 5}}, 1e-2, 2e-3},
        {"unwindows", unwindows, {{10, 3}}, 1e-2, 2e-3},
        {"unfold, matmul", convolution, {{24, 2}, {3, 18}, {0, 3}}, 1e-2, 2e-3},
        {"conv_transpose", conv_transpose, {{4, 3}, {3, 8}, {0, 2}}, 1e-2, 2e-3},
        {"resize_bilinear, larger", enlarged, {{6, 4}}, 1e-2, 2e-3},
        {"resize_bilinear, smaller", shrunk, {{10, 4}}, 1e-2, 2e-3},
    };
    lp_rng_seed(&rng, 7);
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        check_op(&checks[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(gradients_agree_with_differences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
