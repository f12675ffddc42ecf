/* SPDX-License-Identifier: MIT */
/* Every stage of CLIP, LLaMA and LLaVA against transformers, float32, to 1e-4 of the largest value, with
 * every kernel table of this machine. tools/golden/README.md says what the files hold. */
#include "model/golden.h"

static const size_t run_bytes = (size_t)256 << 20;

/* Hidden states of the tower after 0, 1, .. `depth` blocks; stored ones have the class token first. */
static void check_tower(const char *where, lp_run *r, struct lp_clip m, const struct lp_weights *golden) {
    lp_tensor pixels = golden_input(golden_find(golden, "pixels"));
    for (int64_t last = m.depth, depth = 0; depth <= last; depth++) {
        const struct lp_weight *want = golden_find(golden, "vision.hidden.%ld", (long)depth);
        int64_t C = want->dim[2], patches = want->dim[1] - 1, n = want->dim[0];
        char name[100];
        m.depth = depth;
        lp_run_reset(r);
        lp_tensor *x = lp_clip_features(r, &m, &pixels);
        struct lp_error err = {0};
        require(lp_run_check(r, &err), &err);
        assert_int_equal(lp_count(x), n * patches * C);
        snprintf(name, sizeof name, "%s, picture encoder after block %ld", where, (long)depth);
        for (int64_t i = 0; i < n; i++) {
            struct lp_weight one = {.name = name,
                                    .type = LP_WEIGHT_F32,
                                    .ndim = 2,
                                    .dim = {patches, C},
                                    .data = (const float *)want->data + (i * (1 + patches) + 1) * C,
                                    .bytes = sizeof(float) * (size_t)(patches * C)};
            golden_compare(where, &one, lp_f32(x) + i * patches * C, patches * C);
        }
    }
}

/* Hidden states after each layer, the normed last one and all logits, from stored embeddings. */
static void check_llama(const char *where, lp_run *r, const struct lp_llama *m,
                        const struct lp_weights *golden, const char *prompt) {
    lp_tensor embeds = golden_input(golden_find(golden, "%s.embeds", prompt));
    int64_t T = embeds.dim[0];
    struct lp_llama cut = *m;
    for (int64_t layers = 1; layers <= m->config.layers; layers++) {
        lp_run_reset(r);
        struct lp_llama_rows rows = {.position = golden_positions(r, T)};
        cut.config.layers = layers;
        lp_tensor *x = lp_llama_forward(r, &cut, &embeds, &rows);
        if (layers < m->config.layers) {
            golden_compare_tensor(where, golden_find(golden, "%s.hidden.%ld", prompt, (long)layers), r, x);
            continue;
        }
        golden_compare_tensor(where, golden_find(golden, "%s.normed", prompt), r, lp_norm(r, &m->norm, x));
        golden_compare_tensor(where, golden_find(golden, "%s.logits", prompt), r, lp_llama_logits(r, m, x));
    }
}

static const int32_t *prompt_ids(const struct lp_weights *golden, const char *prompt, int64_t *n) {
    const struct lp_weight *t = golden_find(golden, "%s.ids", prompt);
    *n = lp_weight_elements(t);
    return t->data;
}

static int32_t best(const float *logits, int64_t n) {
    int32_t at = 0;
    for (int32_t i = 1; i < n; i++)
        at = logits[i] > logits[at] ? i : at;
    return at;
}

/* One prompt through the public interface: its ids in pieces of at most `piece`, logits after each piece,
 * then the 64 greedy tokens through the cache. */
static void check_feed(const char *where, const struct lp_llava *m, struct lp_llava_state *s,
                       const struct lp_weights *golden, const char *prompt, int64_t piece,
                       const struct lp_llava_picture *const *pictures) {
    const struct lp_weight *logits = golden_find(golden, "%s.logits", prompt);
    const struct lp_weight *greedy = golden_find(golden, "%s.greedy", prompt);
    int64_t n, V = lp_llava_vocabulary(m), shown = 0;
    const int32_t *id = prompt_ids(golden, prompt, &n);
    struct lp_error err = {0};
    const float *got = NULL;
    for (int64_t at = 0, step; at < n; at += step) {
        step = n - at < piece ? n - at : piece;
        int64_t marks = 0;
        for (int64_t i = at; i < at + step; i++)
            marks += id[i] == LP_IMAGE_TOKEN;
        got = lp_llava_feed(s, id + at, step, pictures + shown, marks, &err);
        require(got != NULL, &err);
        shown += marks;
        int64_t row = lp_llava_state_rows(s) - 1;
        struct lp_weight one = {.name = logits->name,
                                .type = LP_WEIGHT_F32,
                                .ndim = 1,
                                .dim = {V},
                                .data = (const float *)logits->data + row * V,
                                .bytes = sizeof(float) * (size_t)V};
        golden_compare(where, &one, got, V);
    }
    assert_int_equal(lp_llava_state_rows(s), logits->dim[0]);
    assert_int_equal(lp_weight_elements(greedy), 64);
    for (int i = 0; i < 64; i++) {
        int32_t token = best(got, V);
        assert_int_equal(token, ((const int32_t *)greedy->data)[i]);
        got = lp_llava_feed(s, &token, 1, NULL, 0, &err);
        require(got != NULL, &err);
    }
}

static void check_llava(const char *folder, const struct lp_kernels *k) {
    static const char *const prompts[] = {"one", "two", "text"};
    char path[300], where[100];
    struct lp_error err = {0};
    snprintf(path, sizeof path, GOLDEN "%s", folder);
    snprintf(where, sizeof where, "%s with %s", folder, k->name);
    struct lp_llava *m = lp_llava_open(path, k, &err);
    require(m != NULL, &err);
    lp_run *r = lp_run_open(k, run_bytes, &err);
    struct lp_weights *golden = golden_open(folder, "golden.safetensors");
    lp_tensor pixels = golden_input(golden_find(golden, "pixels"));

    check_tower(where, r, m->clip, golden);
    lp_run_reset(r);
    golden_compare_tensor(where, golden_find(golden, "features"), r, lp_clip_features(r, &m->clip, &pixels));
    lp_tensor *seen = lp_llava_project(r, m, &pixels);
    golden_compare_tensor(where, golden_find(golden, "projected"), r, seen);
    for (int i = 0; i < 3; i++) {
        int64_t n;
        const int32_t *id = prompt_ids(golden, prompts[i], &n);
        golden_compare_tensor(where, golden_find(golden, "%s.embeds", prompts[i]), r,
                              lp_llava_embed(r, m, id, n, seen));
    }
    int64_t rows = lp_llava_rows_a_picture(m), width = lp_dim(seen, -1);
    struct lp_llava_picture pictures[2] = {{rows, width, lp_f32(seen)},
                                           {rows, width, lp_f32(seen) + rows * width}};
    const struct lp_llava_picture *const shown[2] = {&pictures[0], &pictures[1]};
    struct lp_llava_state *s = lp_llava_state_open(m, &err);
    require(s != NULL, &err);
    for (int i = 0; i < 3; i++) {
        static const int64_t pieces[] = {1000, 1, 3};
        for (int j = 0; j < 3; j++) {
            lp_llava_state_cut(s, 0);
            check_feed(where, m, s, golden, prompts[i], pieces[j], shown);
        }
    }
    lp_llava_state_close(s);
    for (int i = 0; i < 3; i++)
        check_llama(where, r, &m->llama, golden, prompts[i]);
    lp_weights_close(golden);
    lp_run_close(r);
    lp_llava_close(m);
}

static void llava_mlp_with(const struct lp_kernels *k) {
    check_llava("llava_mlp", k);
}

static void llava_linear_with(const struct lp_kernels *k) {
    check_llava("llava_linear", k);
}

/* A folder with only one part of a LLaVA, bound here. */
struct part {
    struct lp_arena arena;
    struct lp_weights *files, *golden;
    struct lp_parameters parameters;
    json_t *config;
    lp_run *run;
    char where[100];
};

static void part_open(struct part *p, const char *folder, const struct lp_kernels *k) {
    char path[300];
    struct lp_error err = {0};
    *p = (struct part){0};
    snprintf(path, sizeof path, GOLDEN "%s/config.json", folder);
    snprintf(p->where, sizeof p->where, "%s with %s", folder, k->name);
    p->config = lp_json_load(path, &err);
    require(p->config != NULL, &err);
    p->files = golden_open(folder, "model.safetensors");
    p->golden = golden_open(folder, "golden.safetensors");
    p->run = lp_run_open(k, run_bytes, &err);
}

static void part_close(struct part *p) {
    lp_run_close(p->run);
    lp_weights_close(p->golden);
    lp_weights_close(p->files);
    json_decref(p->config);
    lp_arena_done(&p->arena);
}

static void clip_odd_with(const struct lp_kernels *k) {
    struct part p;
    struct lp_clip_config config;
    struct lp_clip m = {0};
    struct lp_error err = {0};
    part_open(&p, "clip_odd", k);
    require(lp_clip_read_config(p.config, &config, &err), &err);
    struct lp_bind b = {.arena = &p.arena, .kernels = k, .files = p.files, .parameters = &p.parameters};
    lp_bind_enter(&b, "vision_model");
    assert_true(lp_clip_bind(&b, &config, config.layers, &m));
    require(lp_bind_done(&b, &err), &err);
    check_tower(p.where, p.run, m, p.golden);
    part_close(&p);
}

static void llama_tied_with(const struct lp_kernels *k) {
    struct part p;
    struct lp_llama_config config;
    struct lp_llama m = {0};
    struct lp_error err = {0};
    part_open(&p, "llama_tied", k);
    require(lp_llama_read_config(p.config, &config, &err), &err);
    struct lp_bind b = {.arena = &p.arena, .kernels = k, .files = p.files, .parameters = &p.parameters};
    assert_true(lp_llama_bind(&b, &config, "model", "lm_head", &m));
    require(lp_bind_done(&b, &err), &err);
    check_llama(p.where, p.run, &m, p.golden, "text");
    part_close(&p);
}

static void llava_mlp(void **state) {
    (void)state;
    golden_each_kernels(llava_mlp_with);
}

static void llava_linear(void **state) {
    (void)state;
    golden_each_kernels(llava_linear_with);
}

static void clip_odd(void **state) {
    (void)state;
    golden_each_kernels(clip_odd_with);
}

static void llama_tied(void **state) {
    (void)state;
    golden_each_kernels(llama_tied_with);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clip_odd),
        cmocka_unit_test(llama_tied),
        cmocka_unit_test(llava_mlp),
        cmocka_unit_test(llava_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
