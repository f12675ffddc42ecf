/* SPDX-License-Identifier: MIT */
/* SAM where something is wrong: folders that lie, pictures and prompts that cannot be, a caller who cancels,
 * memory that runs out. Each ends in one clear sentence. */
#include "model/golden.h"

#include "base/file.h"
#include "base/memory.h"
#include "model/sam_model.h"
#include "weights/folder.h"
#include "weights/safetensors.h"

#define BASE GOLDEN "sam_hf"

static struct lp_sam *open_good(const char *folder) {
    struct lp_error err = {0};
    struct lp_sam *m = lp_sam_open(folder, lp_kernels_find("portable"), &err);
    require(m != NULL, &err);
    return m;
}

static void link_file(const char *folder, const char *from_folder, const char *name) {
    char from[300], to[300];
    snprintf(from, sizeof from, GOLDEN "%s/%s", from_folder, name);
    snprintf(to, sizeof to, "%s/%s", folder, name);
    assert_int_equal(symlink(from, to), 0);
}

/* config.json of BASE but for one edit: `path` becomes the JSON `value`. */
static void edit_config(const char *folder, const char *path, const char *value) {
    char name[300], keys[100];
    json_t *config = lp_json_load(BASE "/config.json", NULL), *at = config;
    assert_non_null(config);
    snprintf(keys, sizeof keys, "%s", path);
    char *key = keys;
    for (char *dot; (dot = strchr(key, '.')); key = dot + 1) {
        *dot = 0;
        at = json_object_get(at, key);
    }
    json_object_set_new(at, key, lp_json_parse(value, strlen(value), "value", NULL));
    snprintf(name, sizeof name, "%s/config.json", folder);
    assert_int_equal(json_dump_file(config, name, 0), 0);
    json_decref(config);
}

static void expect_refusal(const char *folder, const char *what, enum lp_code code, const char *says) {
    struct lp_error err = {0};
    struct lp_sam *m = lp_sam_open(folder, lp_kernels_find("portable"), &err);
    if (m)
        fail_msg("%s was accepted", what);
    if (err.code != code || !strstr(err.text, says) || strchr(err.text, '\n'))
        fail_msg("%s: code %d, %s", what, err.code, err.text);
}

static void refuses_bad_configs(void **state) {
    (void)state;
    static const struct {
        const char *path, *value;
        enum lp_code code;
        const char *says;
    } configs[] = {
        {"model_type", "\"sam2\"", LP_EINPUT, "'model_type' is 'sam2'"},
        {"vision_config", "7", LP_EINPUT, "'vision_config' must be an object"},
        {"vision_config", "{}", LP_EINPUT, "prompt_encoder_config: 'hidden_size'"},
        {"vision_config.hidden_size", "31", LP_EINPUT, "31 channels do not divide into 2 heads"},
        {"vision_config.hidden_size", "64", LP_EMISSING, "must be [64,3,8,8]"},
        {"vision_config.num_hidden_layers", "5", LP_EMISSING, "vision_encoder.layers.4.layer_norm1.weight"},
        {"vision_config.num_hidden_layers", "1000", LP_EINPUT, "'num_hidden_layers' is 1000"},
        {"vision_config.num_hidden_layers", "2", LP_EINPUT,
         "'global_attn_indexes' must name some of the 2 layers"},
        {"vision_config.global_attn_indexes", "[1, -1]", LP_EINPUT, "'global_attn_indexes' must name"},
        {"vision_config.global_attn_indexes", "\"all\"", LP_EINPUT, "'global_attn_indexes' must be a list"},
        {"vision_config.global_attn_indexes", "[1, 2]", LP_EMISSING,
         "layers.2.attn.rel_pos_h (must be [15,16])"},
        {"vision_config.window_size", "-3", LP_EINPUT, "'window_size' is -3"},
        {"vision_config.image_size", "1", LP_EINPUT, "prompt_encoder_config: 'image_size'"},
        {"vision_config.num_channels", "1", LP_EINPUT, "'num_channels' is 1"},
        {"vision_config.hidden_act", "\"relu\"", LP_EINPUT, "'hidden_act' is 'relu'"},
        {"vision_config.layer_norm_eps", "0", LP_EINPUT, "'layer_norm_eps'"},
        {"vision_config.use_rel_pos", "\"yes\"", LP_EINPUT, "'use_rel_pos' must be true or false"},
        {"vision_config.mlp_ratio", "-1", LP_EINPUT, "'mlp_ratio'"},
        {"prompt_encoder_config.num_point_embeddings", "5", LP_EINPUT, "'num_point_embeddings' is 5"},
        {"prompt_encoder_config.mask_input_channels", "6", LP_EINPUT, "do not divide"},
        {"mask_decoder_config.num_attention_heads", "3", LP_EINPUT, "do not divide into 3 heads"},
        {"mask_decoder_config.num_multimask_outputs", "100", LP_EINPUT, "'num_multimask_outputs' is 100"},
        {"mask_decoder_config.iou_head_depth", "1", LP_EINPUT, "'iou_head_depth' is 1"},
        {"mask_decoder_config.hidden_act", "\"gelu\"", LP_EINPUT, "'hidden_act' is 'gelu'"},
    };
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        char folder[64];
        folder_make(folder);
        link_file(folder, "sam_hf", "model.safetensors");
        edit_config(folder, configs[i].path, configs[i].value);
        expect_refusal(folder, configs[i].path, configs[i].code, configs[i].says);
        folder_remove(folder);
    }
}

static void refuses_bad_folders(void **state) {
    (void)state;
    static const char processor[] = "{\"size\": {\"longest_edge\": 1024}}", list[] = "[]";
    char folder[64];
    expect_refusal("/nowhere", "no folder", LP_EMISSING, "/nowhere");
    expect_refusal(GOLDEN "llava_mlp", "a LLaVA", LP_EINPUT, "'model_type' is 'llava', not sam");
    folder_make(folder);
    link_file(folder, "sam_hf", "model.safetensors");
    expect_refusal(folder, "no config.json", LP_EIO, "config.json");
    link_file(folder, "sam_hf", "config.json");
    folder_put(folder, "preprocessor_config.json", processor, sizeof processor - 1);
    expect_refusal(folder, "a processor of another size", LP_EINPUT, "'longest_edge' is 1024");
    folder_put(folder, "preprocessor_config.json", list, sizeof list - 1);
    expect_refusal(folder, "a processor that is a list", LP_EINPUT, "JSON object");
    folder_remove(folder);
}

/* The original's weights, one after the other left out: each is missed, by its name or as a size not told. */
static void misses_every_weight_of_the_original(void **state) {
    (void)state;
    struct lp_weights *w = golden_open("sam_original", "model.safetensors");
    size_t n = lp_weights_count(w);
    struct lp_weight *left = lp_alloc_array(n, sizeof *left);
    for (size_t out = 0; out < n; out += 7) {
        char folder[64], path[300];
        struct lp_error err = {0};
        for (size_t i = 0, at = 0; i < n; i++)
            if (i != out)
                left[at++] = *lp_weights_at(w, i);
        folder_make(folder);
        snprintf(path, sizeof path, "%s/model.safetensors", folder);
        require(lp_safetensors_write(path, left, n - 1, NULL, &err), &err);
        struct lp_sam *m = lp_sam_open(folder, lp_kernels_find("portable"), &err);
        if (m || !err.text[0] || strchr(err.text, '\n'))
            fail_msg("without %s: %s", lp_weights_at(w, out)->name, m ? "it was opened" : err.text);
        folder_remove(folder);
    }
    lp_free(left);
    lp_weights_close(w);
}

static struct lp_sam_embedding *see(const struct lp_sam *m, int width, int height, struct lp_error *err) {
    struct lp_image *image = lp_image_new(width, height, err);
    struct lp_sam_embedding *e = lp_sam_see(m, image, NULL, err);
    lp_image_close(image);
    return e;
}

static void answers_odd_pictures(void **state) {
    (void)state;
    static const float point[1][2] = {{0.5f, 0.5f}};
    struct lp_sam_prompt prompt = {.points = 1, .point = point};
    struct lp_sam *m = open_good(BASE);
    struct lp_error err = {0};
    static const int sizes[][2] = {{1, 1}, {2, 100}, {100, 1}, {640, 480}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct lp_sam_embedding *e = see(m, sizes[i][0], sizes[i][1], &err);
        require(e != NULL, &err);
        struct lp_sam_masks *a = lp_sam_segment(m, e, &prompt, 1, LP_SAM_BEST, NULL, &err);
        require(a != NULL, &err);
        assert_int_equal(a->width, sizes[i][0]);
        assert_int_equal(a->height, sizes[i][1]);
        assert_true(isfinite(a->mask[0].score));
        lp_sam_masks_close(a);
        lp_sam_embedding_close(e);
    }
    assert_null(see(m, 1, 5000, &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_string_equal(err.text, "a picture of 1 x 5000 px is too long and thin to be seen at 64 px");
    lp_sam_close(m);
}

static void refuses_bad_prompts(void **state) {
    (void)state;
    static const float outside[1][2] = {{30, 21}}, nowhere[1][2] = {{NAN, 1}};
    static const float inside_out[4] = {20, 2, 10, 8}, beside[4] = {31, 0, 40, 5},
                       endless[4] = {0, 0, INFINITY, 5};
    static const struct {
        struct lp_sam_prompt prompt;
        const char *says;
    } cases[] = {
        {{.points = 0}, "there is neither a point nor a box nor a mask to go by"},
        {{.points = 1, .point = outside}, "the point (30, 21) lies outside the picture of 30 x 20 px"},
        {{.points = 1, .point = nowhere}, "the point (nan, 1) lies outside the picture of 30 x 20 px"},
        {{.box = inside_out}, "the box (20, 2, 10, 8) is none in the picture of 30 x 20 px"},
        {{.box = beside}, "the box (31, 0, 40, 5) is none in the picture of 30 x 20 px"},
        {{.box = endless}, "the box (0, 0, inf, 5) is none in the picture of 30 x 20 px"},
    };
    struct lp_error err = {0};
    struct lp_sam *m = open_good(BASE), *other = open_good(GOLDEN "sam_original");
    struct lp_sam_embedding *e = see(m, 30, 20, &err);
    require(e != NULL, &err);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(lp_sam_segment(m, e, &cases[i].prompt, 1, LP_SAM_ONE, NULL, &err));
        assert_int_equal(err.code, LP_EINPUT);
        assert_string_equal(err.text, cases[i].says);
    }
    assert_null(lp_sam_segment(other, e, &(struct lp_sam_prompt){.box = endless}, 1, LP_SAM_ONE, NULL, &err));
    assert_int_equal(err.code, LP_EUSAGE);
    struct lp_sam_masks *none = lp_sam_segment(m, e, NULL, 0, LP_SAM_ONE, NULL, &err);
    assert_non_null(none);
    assert_int_equal(none->count, 0);
    lp_sam_masks_close(none);
    lp_sam_embedding_close(e);
    lp_sam_close(other);
    lp_sam_close(m);
}

static void hears_a_cancel(void **state) {
    (void)state;
    static const float point[1][2] = {{3, 4}};
    const struct lp_sam_prompt prompt = {.points = 1, .point = point};
    atomic_bool cancel = true;
    struct lp_error err = {0};
    struct lp_sam *m = open_good(BASE);
    struct lp_image *image = lp_image_new(30, 20, &err);
    assert_null(lp_sam_see(m, image, &cancel, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    struct lp_sam_embedding *e = lp_sam_see(m, image, NULL, &err);
    require(e != NULL, &err);
    assert_null(lp_sam_segment(m, e, &prompt, 1, LP_SAM_ONE, &cancel, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    lp_sam_embedding_close(e);
    lp_image_close(image);
    lp_sam_close(m);
}

/* Opening, looking and answering while the n-th allocation fails, for every n. */
static void survives_failing_allocations(void **state) {
    (void)state;
    static const float point[1][2] = {{3, 4}};
    const struct lp_sam_prompt prompt = {.points = 1, .point = point};
    struct lp_image *image = lp_image_new(30, 20, NULL);
    bool done = false;
    for (long n = 1; !done; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        struct lp_sam *m = lp_sam_open(BASE, lp_kernels_find("portable"), &err);
        struct lp_sam_embedding *e = m ? lp_sam_see(m, image, NULL, &err) : NULL;
        struct lp_sam_masks *a = e ? lp_sam_segment(m, e, &prompt, 1, LP_SAM_THREE, NULL, &err) : NULL;
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        done = a && !failed;
        if (!a && (!failed || err.code != LP_EMEMORY))
            fail_msg("allocation %ld: code %d, %s", n, err.code, err.text);
        lp_sam_masks_close(a);
        lp_sam_embedding_close(e);
        lp_sam_close(m);
    }
    lp_image_close(image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_configs),          cmocka_unit_test(refuses_bad_folders),
        cmocka_unit_test(answers_odd_pictures),         cmocka_unit_test(misses_every_weight_of_the_original),
        cmocka_unit_test(refuses_bad_prompts),          cmocka_unit_test(hears_a_cancel),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
