/* SPDX-License-Identifier: MIT */
/* Loss, gradients of all weights and three AdamW steps of LLaVA against PyTorch, with every kernel table of
 * this machine; the batch once sequence by sequence and once as one pass. */
#include "model/golden.h"

#include "base/memory.h"

enum { SEQUENCES = 2, STEPS = 3, ROWS = 64 };

static const char *const sequences[SEQUENCES] = {"one", "text"};
static const size_t run_bytes = (size_t)512 << 20;

/* A model that learns, its batch, and AdamW's moments. */
struct school {
    const struct lp_kernels *k;
    struct lp_llava *m;
    struct lp_weights *golden;
    lp_run *run;
    float **first, **second; /* AdamW's, one a parameter */
    int64_t labelled;        /* positions with a loss */
    char where[100];
};

static void school_open(struct school *s, const char *folder, const struct lp_kernels *k) {
    char path[300];
    struct lp_error err = {0};
    *s = (struct school){.k = k};
    snprintf(path, sizeof path, GOLDEN "%s", folder);
    snprintf(s->where, sizeof s->where, "%s with %s", folder, k->name);
    s->m = lp_llava_open_to_learn(path, k, 0, &err);
    require(s->m != NULL, &err);
    s->golden = golden_open(folder, "train.safetensors");
    s->run = lp_run_open(k, run_bytes, &err);
    require(s->run != NULL, &err);
    s->run->taping = true;
    int64_t n = s->m->parameters.count;
    s->first = lp_alloc_array((size_t)n, sizeof *s->first);
    s->second = lp_alloc_array((size_t)n, sizeof *s->second);
    for (int64_t i = 0; i < n; i++) {
        lp_tensor *x = s->m->parameters.item[i].tensor;
        size_t count = (size_t)lp_count(x);
        assert_true(x->learns);
        x->grad = lp_alloc_array(count, sizeof(float));
        s->first[i] = lp_alloc_array(count, sizeof(float));
        s->second[i] = lp_alloc_array(count, sizeof(float));
    }
}

static void school_close(struct school *s) {
    for (int64_t i = 0; i < s->m->parameters.count; i++) {
        lp_free(s->m->parameters.item[i].tensor->grad);
        lp_free(s->first[i]);
        lp_free(s->second[i]);
    }
    lp_free(s->first);
    lp_free(s->second);
    lp_run_close(s->run);
    lp_weights_close(s->golden);
    lp_llava_close(s->m);
}

/* Row t of the spliced sequence is asked for the label of row t + 1; a picture's rows have none. Returns
 * rows. */
static int64_t targets(struct school *s, const char *sequence, int32_t *target) {
    const struct lp_weight *ids = golden_find(s->golden, "%s.ids", sequence);
    const int32_t *id = ids->data, *label = golden_find(s->golden, "%s.labels", sequence)->data;
    int64_t rows = 0;
    for (int64_t i = 0; i < lp_weight_elements(ids); i++) {
        int64_t wide = id[i] == LP_IMAGE_TOKEN ? lp_llava_rows_a_picture(s->m) : 1;
        for (int64_t j = 0; j < wide; j++, rows++) {
            if (rows > 0)
                target[rows - 1] = id[i] == LP_IMAGE_TOKEN ? LP_IGNORE : label[i];
        }
    }
    target[rows - 1] = LP_IGNORE;
    for (int64_t t = 0; t < rows; t++)
        s->labelled += target[t] != LP_IGNORE;
    return rows;
}

static lp_tensor *embed(struct school *s, const char *sequence, lp_tensor *pixels) {
    const struct lp_weight *ids = golden_find(s->golden, "%s.ids", sequence);
    const int32_t *id = ids->data;
    bool shows = false;
    for (int64_t i = 0; i < lp_weight_elements(ids); i++)
        shows = shows || id[i] == LP_IMAGE_TOKEN;
    lp_tensor *seen = shows ? lp_llava_project(s->run, s->m, pixels) : NULL;
    return lp_llava_embed(s->run, s->m, id, lp_weight_elements(ids), seen);
}

/* Adds the batch's gradients to the weights and returns the mean loss. */
static double learn(struct school *s, bool one_pass) {
    lp_run *r = s->run;
    struct lp_error err = {0};
    lp_tensor pixels = golden_input(golden_find(s->golden, "pixels"));
    int32_t target[SEQUENCES * ROWS], start[SEQUENCES + 1] = {0}, position[SEQUENCES * ROWS],
                                                        order[SEQUENCES * ROWS];
    lp_tensor *x[SEQUENCES], *loss = NULL;
    lp_run_reset(r);
    s->labelled = 0;
    for (int i = 0; i < SEQUENCES; i++) {
        int64_t rows = targets(s, sequences[i], target + start[i]);
        start[i + 1] = start[i] + (int32_t)rows;
        for (int64_t t = 0; t < rows; t++)
            position[start[i] + t] = (int32_t)t;
        x[i] = embed(s, sequences[i], &pixels);
    }
    if (one_pass) {
        for (int32_t t = 0; t < start[2]; t++)
            order[t] = t < start[1] ? t : -1 - (t - start[1]);
        struct lp_llama_rows rows = {.position = position, .start = start, .count = SEQUENCES};
        lp_tensor *all = lp_pick_rows(r, x[0], x[1], order, start[2]);
        loss = lp_cross_entropy(
            r, lp_llama_logits(r, &s->m->llama, lp_llama_forward(r, &s->m->llama, all, &rows)), target);
    } else {
        for (int i = 0; i < SEQUENCES; i++) {
            struct lp_llama_rows rows = {.position = position + start[i]};
            lp_tensor *y = lp_llama_logits(r, &s->m->llama, lp_llama_forward(r, &s->m->llama, x[i], &rows));
            lp_tensor *part = lp_cross_entropy(r, y, target + start[i]);
            loss = i ? lp_add(r, loss, part) : part;
        }
    }
    require(lp_run_check(r, &err), &err);
    double sum = lp_f32(loss)[0];
    require(lp_backward(r, loss, &err), &err);
    return sum / (double)s->labelled;
}

static void step(struct school *s, int64_t t) {
    struct lp_adamw_step settings = {1e-3f, 0.9f, 0.999f, 1e-8f, 0.01f, t, 1 / (float)s->labelled};
    for (int64_t i = 0; i < s->m->parameters.count; i++) {
        lp_tensor *x = s->m->parameters.item[i].tensor;
        s->k->adamw(lp_f32(x), s->first[i], s->second[i], x->grad, lp_count(x), &settings);
        memset(x->grad, 0, sizeof(float) * (size_t)lp_count(x));
    }
}

static bool is_key_bias(const char *name) {
    const char *end = strstr(name, "k_proj.bias");
    return end && end[11] == 0;
}

/* Every weight has a stored gradient and every stored gradient a weight. */
static void check_gradients(struct school *s) {
    int64_t stored = 0;
    for (size_t i = 0; i < lp_weights_count(s->golden); i++)
        stored += strncmp(lp_weights_at(s->golden, i)->name, "grad.", 5) == 0;
    assert_int_equal(stored, s->m->parameters.count);
    for (int64_t i = 0; i < s->m->parameters.count; i++) {
        const struct lp_parameter *p = &s->m->parameters.item[i];
        const struct lp_weight *want = golden_find(s->golden, "grad.%s", p->name);
        int64_t n = lp_count(p->tensor);
        float *got = lp_alloc_array((size_t)n, sizeof *got);
        for (int64_t j = 0; j < n; j++)
            got[j] = p->tensor->grad[j] / (float)s->labelled;
        if (!is_key_bias(p->name))
            golden_compare(s->where, want, got, n);
        for (int64_t j = 0; j < n && is_key_bias(p->name); j++)
            assert_true(fabsf(got[j]) < 1e-6f); /* 0 in exact arithmetic */
        lp_free(got);
    }
}

/* Adam makes whole steps of the rounding noise (about 1e-6 of the largest gradient) of gradients near 0: numbers whose
 * gradient is under a thousandth of the largest are left out. */
static void check_deltas(struct school *s, const struct lp_weights *before) {
    for (int64_t i = 0; i < s->m->parameters.count; i++) {
        const struct lp_parameter *p = &s->m->parameters.item[i];
        if (is_key_bias(p->name))
            continue;
        const struct lp_weight *want = golden_find(s->golden, "delta.%s", p->name);
        const float *from = golden_find(before, "%s", p->name)->data;
        const float *first = golden_find(s->golden, "grad.%s", p->name)->data;
        int64_t n = lp_count(p->tensor);
        assert_int_equal(lp_weight_elements(want), n);
        float *delta = lp_alloc_array((size_t)n, sizeof *delta);
        s->k->to_f32(delta, want->data, LP_F16, n);
        double difference = 0, length = 0;
        float largest = 0;
        for (int64_t j = 0; j < n; j++)
            largest = fmaxf(largest, fabsf(first[j]));
        for (int64_t j = 0; j < n; j++) {
            if (fabsf(first[j]) < 1e-3f * largest)
                continue;
            double d = (double)lp_f32(p->tensor)[j] - from[j] - delta[j];
            difference += d * d;
            length += (double)delta[j] * delta[j];
        }
        lp_free(delta);
        if (!(sqrt(difference / length) <= 4e-3))
            fail_msg("%s, %s: relative difference %.3g", s->where, want->name, sqrt(difference / length));
    }
}

static void check(const char *folder, const struct lp_kernels *k, bool one_pass) {
    struct school s;
    school_open(&s, folder, k);
    struct lp_weights *before = golden_open(folder, "model.safetensors");
    const float *losses = golden_find(s.golden, "losses")->data;
    for (int t = 0; t <= STEPS; t++) {
        double loss = learn(&s, one_pass);
        if (!(fabs(loss - losses[t]) <= 1e-4 * losses[0]))
            fail_msg("%s: the loss after %d steps is %.7g, not %.7g", s.where, t, loss, losses[t]);
        if (t == 0)
            check_gradients(&s);
        if (t < STEPS)
            step(&s, t + 1);
    }
    check_deltas(&s, before);
    lp_weights_close(before);
    school_close(&s);
}

static void separate_with(const struct lp_kernels *k) {
    check("llava_mlp", k, false);
    check("llava_linear", k, false);
}

static void one_pass_with(const struct lp_kernels *k) {
    check("llava_mlp", k, true);
    check("llava_linear", k, true);
}

static void sequence_by_sequence(void **state) {
    (void)state;
    golden_each_kernels(separate_with);
}

static void in_one_pass(void **state) {
    (void)state;
    golden_each_kernels(one_pass_with);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence_by_sequence),
        cmocka_unit_test(in_one_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
