/* SPDX-License-Identifier: MIT */
/* Swin's levels against transformers' SwinBackbone, float32, to 1e-4 of the largest value, with every kernel
 * table of this machine: odd, square and tiny pictures, by both layouts' names. tools/golden/README.md says
 * what is stored. */
#include "model/golden.h"

#include "model/numbers.h"
#include "model/swin.h"

static const size_t run_bytes = (size_t)256 << 20;

/* ---- weights and pictures by tools/golden/swin.py's formula ---- */

static void fill(const struct lp_parameter *p) {
    float *x = lp_f32(p->tensor);
    bool norm = strstr(p->name, "norm"), table = ends_with(p->name, "table");
    float middle = norm && ends_with(p->name, "weight"), reach = norm ? 0.125f : table ? 1 : 0.25f;
    numbers(x, p->name, lp_count(p->tensor));
    for (int64_t i = 0; i < lp_count(p->tensor); i++)
        x[i] = reach * x[i] + middle;
}

/* ---- models ---- */

struct model {
    struct lp_arena arena;
    struct lp_weights *files;
    struct lp_parameters parameters;
    struct lp_swin swin;
};

static struct lp_swin_config config_of(const char *name) {
    char path[300];
    struct lp_swin_config c;
    struct lp_error err = {0};
    snprintf(path, sizeof path, GOLDEN "swin/%s.json", name);
    json_t *config = lp_json_load(path, &err);
    require(config && lp_swin_read_config(config, &c, &err), &err);
    json_decref(config);
    return c;
}

/* By transformers' names, weights by the formula. */
static struct model new_model(const char *name, const struct lp_kernels *k) {
    struct model m = {0};
    struct lp_error err = {0};
    struct lp_rng rng;
    struct lp_swin_config c = config_of(name);
    lp_rng_seed(&rng, 1);
    struct lp_bind b = {.arena = &m.arena, .kernels = k, .rng = &rng, .parameters = &m.parameters};
    assert_true(lp_swin_bind(&b, &c, &m.swin));
    require(lp_bind_done(&b, &err), &err);
    for (int64_t i = 0; i < m.parameters.count; i++)
        fill(&m.parameters.item[i]);
    return m;
}

static void close_model(struct model *m) {
    lp_weights_close(m->files);
    lp_arena_done(&m->arena);
}

/* ---- levels ---- */

static lp_tensor *picture(lp_run *r, int64_t H, int64_t W) {
    lp_tensor *pixels = lp_new(r, 4, (int64_t)1, (int64_t)3, H, W);
    numbers(lp_f32(pixels), "pixels", 3 * H * W);
    return pixels;
}

/* Every level that the golden file has, and none else. */
static void check_levels(const struct model *m, const char *name, int64_t H, int64_t W,
                         const struct lp_kernels *k) {
    char where[100];
    struct lp_error err = {0};
    snprintf(where, sizeof where, "%s with %s", name, k->name);
    struct lp_weights *golden = golden_open("swin", "golden.safetensors");
    lp_run *r = lp_run_open(k, run_bytes, &err);
    struct lp_swin_level level[LP_SWIN_MOST_STAGES];
    bool ok = lp_swin_levels(r, &m->swin, picture(r, H, W), level);
    require(lp_run_check(r, &err), &err);
    assert_true(ok);
    int given = 0;
    for (int64_t i = 0; i < LP_SWIN_MOST_STAGES; i++) {
        char key[100];
        snprintf(key, sizeof key, "%s.%ldx%ld.stage%ld", name, (long)H, (long)W, (long)i + 1);
        const struct lp_weight *want = lp_weights_find(golden, key);
        assert_int_equal(level[i].x != NULL, want != NULL);
        if (!want)
            continue;
        assert_int_equal(level[i].H, want->dim[0]);
        assert_int_equal(level[i].W, want->dim[1]);
        golden_compare_tensor(where, want, r, level[i].x);
        given++;
    }
    assert_true(given > 0);
    lp_run_close(r);
    lp_weights_close(golden);
}

static struct model stored[4]; /* of the names that follow; float32, so that they suit every table */
static const char *const stored_name[4] = {"window4", "window7", "deep", "small"};

static void levels_with(const struct lp_kernels *k) {
    static const struct {
        int model;
        int64_t H, W;
    } pictures[] = {{0, 50, 75}, {0, 64, 64}, {0, 1, 1}, {1, 72, 59}, {1, 28, 113}, {2, 61, 40}, {3, 37, 50}};
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++)
        check_levels(&stored[pictures[i].model], stored_name[pictures[i].model], pictures[i].H, pictures[i].W,
                     k);
}

static void every_level_is_the_references(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++)
        stored[i] = new_model(stored_name[i], lp_kernels_find("portable"));
    golden_each_kernels(levels_with);
    for (int i = 0; i < 4; i++)
        close_model(&stored[i]);
}

/* ---- the original's files ---- */

static void original_with(const struct lp_kernels *k) {
    struct model m = {.files = golden_open("swin", "original.safetensors")};
    struct lp_error err = {0};
    struct lp_swin_config c, want = config_of("small");
    require(lp_swin_read_shapes(m.files, "backbone.0.", &c, &err), &err);
    assert_memory_equal(c.depth, want.depth, sizeof c.depth);
    assert_memory_equal(c.heads, want.heads, sizeof c.heads);
    assert_memory_equal(c.gives, want.gives, sizeof c.gives);
    assert_int_equal(c.window, want.window);
    struct lp_bind b = {.arena = &m.arena,
                        .kernels = k,
                        .files = m.files,
                        .parameters = &m.parameters,
                        .prefix = "backbone.0."};
    assert_true(lp_swin_bind(&b, &c, &m.swin));
    require(lp_bind_done(&b, &err), &err);
    check_levels(&m, "small", 37, 50, k);
    close_model(&m);
}

static void original_names_give_the_same(void **state) {
    (void)state;
    golden_each_kernels(original_with);
}

static void missing_weights_are_named(void **state) {
    (void)state;
    struct model m = {.files = golden_open("swin", "original.safetensors")};
    struct lp_error err = {0};
    struct lp_swin_config c = config_of("small");
    c.depth[0] = 2;
    struct lp_bind b = {.arena = &m.arena,
                        .kernels = lp_kernels_find("portable"),
                        .files = m.files,
                        .parameters = &m.parameters,
                        .prefix = "backbone.0."};
    assert_true(lp_swin_bind(&b, &c, &m.swin));
    assert_false(lp_bind_done(&b, &err));
    assert_int_equal(err.code, LP_EMISSING);
    assert_non_null(strstr(err.text, "backbone.0.layers.0.blocks.1.attn.qkv.weight"));
    assert_false(lp_swin_read_shapes(m.files, "backbone.1.", &c, &err));
    assert_int_equal(err.code, LP_EMISSING);
    assert_string_equal(err.text, "these are no weights of a Swin, or not all that tells its sizes");
    close_model(&m);
}

/* ---- what is wrong ends in one sentence ---- */

static void defaults_are_swin_tiny(void **state) {
    (void)state;
    struct lp_swin_config c;
    struct lp_error err = {0};
    require(lp_swin_read_config(NULL, &c, &err), &err);
    assert_int_equal(c.width, 96);
    assert_int_equal(c.depth[2], 6);
    assert_int_equal(lp_swin_channels(&c, 3), 768);
    assert_true(c.gives[3] && !c.gives[0] && !c.gives[1] && !c.gives[2]);
}

static void wrong_configs_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *config, *sentence;
    } wrong[] = {
        {"{\"embed_dim\": 0}", "'embed_dim'"},
        {"{\"depths\": []}", "'depths' must be a list of 1 to 4 numbers"},
        {"{\"depths\": 3}", "'depths' must be a list of 1 to 4 numbers"},
        {"{\"depths\": [2, 2, 0, 2]}", "'depths' must hold whole numbers from 1 to 64"},
        {"{\"num_heads\": [3, 6, 12]}", "'depths' and 'num_heads' differ in length"},
        {"{\"num_heads\": [3, 6, 12, 25]}", "stage 4's 768 channels do not divide into 25 heads"},
        {"{\"hidden_act\": \"selu\"}", "'hidden_act' is 'selu'; gelu and relu are known"},
        {"{\"mlp_ratio\": 0.001}", "'mlp_ratio' must leave at least one channel and be at most 64"},
        {"{\"layer_norm_eps\": 2}", "'layer_norm_eps' must be above 0 and below 1"},
        {"{\"qkv_bias\": 1}", "'qkv_bias' must be true or false"},
        {"{\"use_absolute_embeddings\": true}", "'use_absolute_embeddings' must be false"},
        {"{\"out_features\": [\"stem\"]}", "'out_features' must name some of the 4 stages"},
        {"{\"out_indices\": [5]}", "'out_indices' must name some of the 4 stages"},
        {"{\"out_indices\": []}", "'out_indices' must name some of the 4 stages"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct lp_swin_config c;
        struct lp_error err = {0};
        json_t *config = lp_json_parse(wrong[i].config, strlen(wrong[i].config), "config", &err);
        require(config != NULL, &err);
        if (lp_swin_read_config(config, &c, &err))
            fail_msg("%s was taken", wrong[i].config);
        assert_int_equal(err.code, LP_EINPUT);
        if (!strstr(err.text, wrong[i].sentence))
            fail_msg("%s: %s", wrong[i].config, err.text);
        json_decref(config);
    }
}

/* A picture with other colours, and a caller who cancels. */
static void failures_stick_to_the_run(void **state) {
    (void)state;
    const struct lp_kernels *k = lp_kernels_find("portable");
    struct model m = new_model("small", k);
    struct lp_error err = {0};
    struct lp_swin_level level[LP_SWIN_MOST_STAGES];
    lp_run *r = lp_run_open(k, (size_t)1 << 20, &err);
    assert_false(
        lp_swin_levels(r, &m.swin, lp_new(r, 4, (int64_t)1, (int64_t)4, (int64_t)8, (int64_t)8), level));
    assert_false(lp_run_check(r, &err));
    assert_string_equal(err.text, "swin: pixels are [1,4,8,8], not [1,3,height,width]");
    lp_run_reset(r);
    bool cancel = true;
    lp_tensor *pixels = picture(r, 8, 8);
    r->cancel = &cancel;
    assert_false(lp_swin_levels(r, &m.swin, pixels, level));
    assert_false(lp_run_check(r, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    lp_run_close(r);
    close_model(&m);
}

/* Memory runs out in one place, then in another, until it is enough. */
static void too_little_memory_is_an_error(void **state) {
    (void)state;
    const struct lp_kernels *k = lp_kernels_find("portable");
    struct model m = new_model("small", k);
    struct lp_swin_level level[LP_SWIN_MOST_STAGES];
    int failed = 0;
    for (bool ok = false; !ok; failed += !ok) {
        struct lp_error err = {0};
        lp_run *r = lp_run_open(k, (size_t)(80 + 20 * failed) << 10, &err);
        ok = lp_swin_levels(r, &m.swin, picture(r, 63, 64), level);
        assert_int_equal(lp_run_check(r, &err), ok);
        assert_int_equal(err.code, ok ? LP_OK : LP_EMEMORY);
        lp_run_close(r);
        assert_true(failed < 100);
    }
    assert_true(failed > 5);
    close_model(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_is_the_references), cmocka_unit_test(original_names_give_the_same),
        cmocka_unit_test(missing_weights_are_named),     cmocka_unit_test(defaults_are_swin_tiny),
        cmocka_unit_test(wrong_configs_are_refused),     cmocka_unit_test(failures_stick_to_the_run),
        cmocka_unit_test(too_little_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
