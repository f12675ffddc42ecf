/* SPDX-License-Identifier: MIT */
/* Grounding DINO where something is wrong or at its edge: folders that lie, pictures and captions of any
 * size, nothing to be found, a caller who cancels, memory that runs out. Each ends in an answer or in one
 * clear sentence. */
#include "model/golden.h"

#include "model/dino_folder.h"
#include "model/grounding_dino_model.h"

static char good_folder[64];

static int start(void **state) {
    (void)state;
    dino_folder_make(good_folder, "dino_hf", NULL, NULL);
    return 0;
}

static int finish(void **state) {
    (void)state;
    folder_remove(good_folder);
    return 0;
}

static struct lp_grounding_dino *open_good(const char *folder) {
    struct lp_error err = {0};
    struct lp_grounding_dino *m = lp_grounding_dino_open(folder, lp_kernels_cpu(), &err);
    require(m != NULL, &err);
    return m;
}

static void expect_refusal(const char *folder, const char *what, enum lp_code code, const char *says) {
    struct lp_error err = {0};
    struct lp_grounding_dino *m = lp_grounding_dino_open(folder, lp_kernels_cpu(), &err);
    if (m)
        fail_msg("%s was accepted", what);
    if (err.code != code || !strstr(err.text, says) || strchr(err.text, '\n'))
        fail_msg("%s: code %d, %s", what, err.code, err.text);
}

/* Replaces a file of the folder. */
static void put(const char *folder, const char *name, const char *text) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    folder_put(folder, name, text, strlen(text));
}

/* config.json but for one edit: `key` becomes the JSON `value`. */
static void edit_config(const char *folder, const char *key, const char *value) {
    json_t *config = lp_json_load(GOLDEN "dino_hf/config.json", NULL);
    json_object_set_new(config, key, lp_json_parse(value, strlen(value), "value", NULL));
    char *text = lp_json_text(config);
    put(folder, "config.json", text);
    lp_free(text);
    json_decref(config);
}

static void refuses_bad_configs(void **state) {
    (void)state;
    static const struct {
        const char *key, *value;
        enum lp_code code;
        const char *says;
    } configs[] = {
        {"model_type", "\"sam\"", LP_EINPUT, "'model_type' is 'sam', not grounding-dino"},
        {"d_model", "48", LP_EINPUT, "48 channels and 48 hidden ones do not divide into 32 groups"},
        {"d_model", "64", LP_EMISSING, "missing or of another shape"},
        {"encoder_attention_heads", "3", LP_EINPUT, "3 heads"},
        {"num_feature_levels", "2", LP_EINPUT, "3 maps of the picture for 2 levels"},
        {"num_feature_levels", "100", LP_EINPUT, "'num_feature_levels' is 100"},
        {"encoder_layers", "3", LP_EMISSING, "model.encoder.layers.2.fusion_layer.layer_norm_vision.weight"},
        {"decoder_n_points", "3", LP_EMISSING, "encoder_attn.sampling_offsets.weight"},
        {"num_queries", "16", LP_EMISSING, "model.query_position_embeddings.weight (must be [16,32])"},
        {"two_stage", "false", LP_EINPUT, "'two_stage' must be true"},
        {"two_stage_bbox_embed_share", "true", LP_EINPUT, "'two_stage_bbox_embed_share' must be false"},
        {"activation_function", "\"gelu\"", LP_EINPUT, "'activation_function' must be relu"},
        {"position_embedding_type", "\"learned\"", LP_EINPUT, "'position_embedding_type' sine"},
        {"layer_norm_eps", "0", LP_EINPUT, "'layer_norm_eps'"},
        {"max_text_len", "512", LP_EINPUT, "'max_text_len' is 512"},
        {"text_config", "[]", LP_EINPUT, "'text_config' must be an object"},
        {"text_config", "{}", LP_EMISSING, "model.text_backbone"},
        {"backbone_config", "null", LP_EMISSING, "model.backbone.conv_encoder.model"},
    };
    char folder[64];
    dino_folder_make(folder, "dino_hf", NULL, NULL);
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        edit_config(folder, configs[i].key, configs[i].value);
        expect_refusal(folder, configs[i].key, configs[i].code, configs[i].says);
    }
    folder_remove(folder);
}

static void refuses_bad_folders(void **state) {
    (void)state;
    char folder[64], path[300];
    expect_refusal("/nowhere", "no folder", LP_EMISSING, "/nowhere");
    expect_refusal(GOLDEN "sam_hf", "a SAM", LP_EINPUT, "these are no weights of a Grounding DINO");
    expect_refusal(GOLDEN "bert_dino", "a part of one", LP_EINPUT,
                   "these are no weights of a Grounding DINO");
    dino_folder_make(folder, "dino_hf", NULL, NULL);
    put(folder, "preprocessor_config.json", "{\"size\": {\"shortest_edge\": 0}}");
    expect_refusal(folder, "no size", LP_EINPUT, "preprocessor_config.json: 'shortest_edge' is 0");
    put(folder, "preprocessor_config.json", "[]");
    expect_refusal(folder, "a list", LP_EINPUT, "it must hold a JSON object");
    put(folder, "preprocessor_config.json", "{\"resample\": 3}");
    expect_refusal(folder, "another filter", LP_EINPUT, "'resample' is 3");
    snprintf(path, sizeof path, "%s/preprocessor_config.json", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/vocab.txt", folder);
    unlink(path);
    expect_refusal(folder, "no words", LP_EMISSING, "vocab.txt");
    folder_remove(folder);
}

/* The original's weights without one of them: it is missed, by its name or as a size not told. */
static void misses_weights_of_the_original(void **state) {
    (void)state;
    static const char *const names[] = {"feat_map.weight",
                                        "feat_map.bias",
                                        "input_proj.3.0.weight",
                                        "transformer.level_embed",
                                        "transformer.tgt_embed.weight",
                                        "bert.encoder.layer.0.output.dense.weight",
                                        "backbone.0.norm3.weight",
                                        "transformer.encoder.fusion_layers.1.gamma_l",
                                        "transformer.encoder.text_layers.0.self_attn.in_proj_bias",
                                        "transformer.decoder.layers.1.ca_text.in_proj_weight",
                                        "bbox_embed.0.layers.2.bias",
                                        "transformer.decoder.layers.0.cross_attn.attention_weights.weight"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char folder[64], name[100];
        struct lp_error err = {0};
        snprintf(name, sizeof name, "module.%s", names[i]);
        dino_folder_make(folder, "dino_original", name, NULL);
        struct lp_grounding_dino *m = lp_grounding_dino_open(folder, lp_kernels_cpu(), &err);
        if (m || !err.text[0] || strchr(err.text, '\n'))
            fail_msg("without %s: %s", names[i], m ? "it was opened" : err.text);
        folder_remove(folder);
    }
}

/* How many boxes are found in a grey picture, or -1. */
static int64_t look(const struct lp_grounding_dino *m, int width, int height, const char *caption, size_t n,
                    float least, struct lp_error *err) {
    struct lp_detect_limits limits = {.box = least, .text = least, .share = 1};
    struct lp_image *image = lp_image_new(width, height, err);
    struct lp_detections *found = lp_grounding_dino_detect(m, image, caption, n, &limits, NULL, err);
    int64_t count = found ? found->count : -1;
    for (int64_t i = 0; i < count; i++)
        for (int k = 0; k < 4; k++)
            assert_true(isfinite(found->item[i].box[k]));
    lp_detections_close(found);
    lp_image_close(image);
    return count;
}

static void answers_odd_pictures(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 2}, {800, 1}, {1, 800}, {48, 48}, {420, 48}};
    struct lp_error err = {0};
    struct lp_grounding_dino *m = open_good(good_folder);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(look(m, sizes[i][0], sizes[i][1], "cat", 3, 0, &err), 15);
        assert_int_equal(look(m, sizes[i][0], sizes[i][1], "cat", 3, 1, &err), 0); /* nothing is so sure */
    }
    assert_int_equal(look(m, 1, 5000, "cat", 3, 0, &err), -1);
    assert_int_equal(err.code, LP_EINPUT);
    assert_string_equal(err.text, "a picture of 1 x 5000 px is too long and thin to be seen at 420 px");
    lp_grounding_dino_close(m);
}

/* A picture of fewer places than there are queries: each place is one. */
static void takes_fewer_queries_of_small_pictures(void **state) {
    (void)state;
    char folder[64];
    struct lp_error err = {0};
    dino_folder_make(folder, "dino_hf", NULL, NULL);
    put(folder, "preprocessor_config.json", "{\"size\": {\"shortest_edge\": 9, \"longest_edge\": 20}}");
    struct lp_grounding_dino *m = open_good(folder);
    assert_int_equal(look(m, 10, 10, "cat", 3, 0, &err), 2 * 2 + 1 + 1 + 1);
    lp_grounding_dino_close(m);
    folder_remove(folder);
}

static void answers_odd_captions(void **state) {
    (void)state;
    enum { WORDS = 10000 };
    static char words[WORDS * 4];
    struct lp_error err = {0};
    struct lp_grounding_dino *m = open_good(good_folder);
    for (size_t i = 0; i < WORDS; i++)
        memcpy(words + 4 * i, "cat ", 4);
    assert_int_equal(look(m, 20, 20, "", 0, 0, &err), 15);
    assert_int_equal(look(m, 20, 20, " . ? .", 6, 0, &err), 15);
    assert_int_equal(look(m, 20, 20, "\xff\0\xc3(", 4, 0, &err), 15);
    assert_int_equal(look(m, 20, 20, words, sizeof words, 0, &err), 15);
    lp_grounding_dino_close(m);
}

/* Weights that are no numbers are sure of nothing. */
static void finds_nothing_where_nothing_is_sure(void **state) {
    (void)state;
    char folder[64];
    struct lp_error err = {0};
    dino_folder_make(folder, "dino_hf", NULL,
                     "model.encoder.layers.0.deformable_layer.self_attn.sampling_offsets.bias");
    struct lp_grounding_dino *m = open_good(folder);
    assert_true(look(m, 20, 20, "cat", 3, 0.35f, &err) >= 0);
    lp_grounding_dino_close(m);
    folder_remove(folder);
    dino_folder_make(folder, "dino_hf", NULL, "model.decoder.layer_norm.bias");
    m = open_good(folder);
    assert_int_equal(look(m, 20, 20, "cat", 3, 0.35f, &err), 0);
    lp_grounding_dino_close(m);
    folder_remove(folder);
}

static void hears_a_cancel(void **state) {
    (void)state;
    atomic_bool cancel = true;
    struct lp_error err = {0};
    struct lp_detect_limits limits;
    lp_detect_limits_defaults(&limits);
    struct lp_grounding_dino *m = open_good(good_folder);
    struct lp_image *image = lp_image_new(30, 20, &err);
    assert_null(lp_grounding_dino_detect(m, image, "cat", 3, &limits, &cancel, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    lp_image_close(image);
    lp_grounding_dino_close(m);
}

/* Opening while the n-th allocation fails, for some of the thousands that there are. */
static void opening_survives_failing_allocations(void **state) {
    (void)state;
    bool done = false;
    for (long n = 1; !done; n += 1 + n / 8) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        struct lp_grounding_dino *m = lp_grounding_dino_open(good_folder, lp_kernels_cpu(), &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        done = m && !failed;
        if (!m && (!failed || err.code != LP_EMEMORY))
            fail_msg("allocation %ld: code %d, %s", n, err.code, err.text);
        lp_grounding_dino_close(m);
    }
}

/* Looking while the n-th allocation fails, for every n. */
static void looking_survives_failing_allocations(void **state) {
    (void)state;
    struct lp_detect_limits all = {.share = 1};
    struct lp_image *image = lp_image_new(8, 8, NULL);
    struct lp_grounding_dino *m = open_good(good_folder);
    bool done = false;
    for (long n = 1; !done; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        struct lp_detections *found = lp_grounding_dino_detect(m, image, "cat", 3, &all, NULL, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        done = found && !failed;
        if (!found && (!failed || err.code != LP_EMEMORY))
            fail_msg("allocation %ld: code %d, %s", n, err.code, err.text);
        lp_detections_close(found);
    }
    lp_grounding_dino_close(m);
    lp_image_close(image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_configs),
        cmocka_unit_test(refuses_bad_folders),
        cmocka_unit_test(misses_weights_of_the_original),
        cmocka_unit_test(answers_odd_pictures),
        cmocka_unit_test(takes_fewer_queries_of_small_pictures),
        cmocka_unit_test(answers_odd_captions),
        cmocka_unit_test(finds_nothing_where_nothing_is_sure),
        cmocka_unit_test(hears_a_cancel),
        cmocka_unit_test(opening_survives_failing_allocations),
        cmocka_unit_test(looking_survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, start, finish);
}
