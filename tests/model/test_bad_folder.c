/* SPDX-License-Identifier: MIT */
/* Model folders that lie: each is refused with one sentence that says what is wrong. And a good one that is
 * opened while the n-th allocation fails, for every n. */
#include "model/golden.h"

#include "base/file.h"
#include "base/memory.h"
#include "weights/folder.h"
#include "weights/safetensors.h"

#define BASE GOLDEN "llava_mlp"

/* A folder like BASE but for one edit of its config.json: `path` (keys joined by dots) becomes the JSON
 * `value`, or is removed where value is NULL; without a path the whole file is `value`, or absent. */
static const struct {
    const char *path, *value;
    enum lp_code code;
    const char *says;
} configs[] = {
    {NULL, NULL, LP_EIO, "config.json"},
    {NULL, "", LP_EINPUT, "not valid JSON"},
    {NULL, "{\"model_type\": \"llava\"", LP_EINPUT, "not valid JSON"},
    {NULL, "[1, 2]", LP_EINPUT, "JSON object"},
    {NULL, "null", LP_EINPUT, "JSON object"},
    {NULL, "{}", LP_EINPUT, "'model_type' is ''"},
    {NULL, "{\"model_type\": \"llava\", \"model_type\": \"llava\"}", LP_EINPUT, "duplicate"},
    {"model_type", "\"bert\"", LP_EINPUT, "'model_type' is 'bert'"},
    {"model_type", "7", LP_EINPUT, "'model_type' must be a string"},
    {"llava_plus_template", "7", LP_EINPUT, "'llava_plus_template' must be a string"},
    {"llava_plus_template", "\"v9\"", LP_EINPUT, "'v9', which is no template"},
    {"text_config", "3", LP_EINPUT, "'text_config' must be an object"},
    {"text_config", NULL, LP_EMISSING, "weights are missing"},
    {"text_config.hidden_size", "\"40\"", LP_EINPUT, "'hidden_size' must be a whole number"},
    {"text_config.hidden_size", "40.0", LP_EINPUT, "'hidden_size' must be a whole number"},
    {"text_config.hidden_size", "0", LP_EINPUT, "'hidden_size' is 0"},
    {"text_config.hidden_size", "-40", LP_EINPUT, "'hidden_size' is -40"},
    {"text_config.hidden_size", "1000000000000000000", LP_EINPUT, "'hidden_size' is 1000000000000000000"},
    {"text_config.hidden_size", "42", LP_EINPUT, "do not fit each other"},
    {"text_config.hidden_size", "48", LP_EMISSING, "linear_1.weight (must be [48,24])"},
    {"text_config.num_attention_heads", "0", LP_EINPUT, "'num_attention_heads' is 0"},
    {"text_config.num_key_value_heads", "3", LP_EINPUT, "do not fit each other"},
    {"text_config.num_key_value_heads", "4", LP_EMISSING, "k_proj.weight (must be [40,40])"},
    {"text_config.num_hidden_layers", "3", LP_EMISSING,
     "language_model.model.layers.2.input_layernorm.weight"},
    {"text_config.num_hidden_layers", "1000000", LP_EINPUT, "'num_hidden_layers' is 1000000"},
    {"text_config.intermediate_size", "32", LP_EMISSING, "mlp.gate_proj.weight (must be [32,40])"},
    {"text_config.vocab_size", "65", LP_EMISSING, "embed_tokens.weight (must be [65,40])"},
    {"text_config.vocab_size", "49", LP_EINPUT, "has 50 tokens"},
    {"text_config.max_position_embeddings", "0", LP_EINPUT, "'max_position_embeddings' is 0"},
    {"text_config.rms_norm_eps", "\"small\"", LP_EINPUT, "'rms_norm_eps' must be a number"},
    {"text_config.rms_norm_eps", "-1", LP_EINPUT, "'rms_norm_eps'"},
    {"text_config.rope_theta", "0", LP_EINPUT, "'rope_theta'"},
    {"text_config.rope_scaling", "{\"type\": \"linear\", \"factor\": 2}", LP_EINPUT, "'rope_scaling'"},
    {"vision_config", "\"big\"", LP_EINPUT, "'vision_config' must be an object"},
    {"vision_config.hidden_size", "25", LP_EINPUT, "does not divide"},
    {"vision_config.num_attention_heads", "0", LP_EINPUT, "'num_attention_heads' is 0"},
    {"vision_config.num_hidden_layers", "9", LP_EMISSING, "vision_model.encoder.layers.3.layer_norm1.weight"},
    {"vision_config.image_size", "35", LP_EMISSING, "position_embedding.weight (must be [26,24])"},
    {"vision_config.image_size", "99999", LP_EINPUT, "'image_size' is 99999"},
    {"vision_config.image_size", "5", LP_EINPUT, "'patch_size' is larger"},
    {"vision_config.patch_size", "0", LP_EINPUT, "'patch_size' is 0"},
    {"vision_config.hidden_act", "\"tanh\"", LP_EINPUT, "'hidden_act' is 'tanh'"},
    {"vision_config.layer_norm_eps", "-1e-5", LP_EINPUT, "'layer_norm_eps'"},
    {"vision_feature_layer", "4", LP_EINPUT, "'vision_feature_layer' is 4"},
    {"vision_feature_layer", "-5", LP_EINPUT, "'vision_feature_layer' is -5"},
    {"vision_feature_layer", "[-2, -5]", LP_EINPUT, "'vision_feature_layer' must be"},
    {"vision_feature_select_strategy", "\"full\"", LP_EINPUT, "'vision_feature_select_strategy' is 'full'"},
    {"image_aspect_ratio", "\"anyres\"", LP_EINPUT, "image_aspect_ratio"},
    {NULL, "{\"model_type\": \"llava\", \"mm_use_im_start_end\": true}", LP_EINPUT, "'mm_use_im_start_end'"},
    {NULL, "{\"model_type\": \"llava\", \"mm_projector_type\": \"mlp3x_gelu\"}", LP_EINPUT,
     "'mm_projector_type' is"},
    {NULL, "{\"model_type\": \"llava\", \"mm_vision_select_feature\": \"cls\"}", LP_EINPUT,
     "feature' is 'cls'"},
    {"projector_hidden_act", "\"relu\"", LP_EINPUT, "'projector_hidden_act' is 'relu'"},
};

/* Other files of the folder: `file` becomes a text, or a folder where text is NULL, or is absent where it is
 * "". */
static const struct {
    const char *file, *text;
    enum lp_code code;
    const char *says;
} files[] = {
    {"model.safetensors", "", LP_EMISSING, "neither model.safetensors nor"},
    {"model.safetensors", "garbage", LP_EINPUT, "too short to be a safetensors file"},
    {"model.safetensors", "version https://git-lfs.github.com/spec/v1\n", LP_EINPUT,
     "not a safetensors file"},
    {"model.safetensors", "\2\0\0\0\0\0\0\0{}", LP_EINPUT, "too short"},
    {"model.safetensors", NULL, LP_EIO, "is a folder"},
    {"tokenizer.model", "", LP_EIO, "tokenizer.json"},
    {"tokenizer.model", "garbage", LP_EINPUT, "tokenizer.model"},
    {"preprocessor_config.json", "[]", LP_EINPUT, "preprocessor_config.json"},
    {"preprocessor_config.json", "{", LP_EINPUT, "preprocessor_config.json"},
    {"preprocessor_config.json", "{\"crop_size\": 30, \"size\": 30}", LP_EINPUT, "30 px"},
};

static void link_file(const char *folder, const char *name) {
    char from[300], to[300];
    snprintf(from, sizeof from, BASE "/%s", name);
    snprintf(to, sizeof to, "%s/%s", folder, name);
    assert_int_equal(symlink(from, to), 0);
}

static void edit_config(const char *folder, const char *path, const char *value) {
    char name[300], keys[100];
    if (!path) {
        if (value)
            folder_put(folder, "config.json", value, strlen(value));
        return;
    }
    json_t *config = lp_json_load(BASE "/config.json", NULL), *at = config;
    assert_non_null(config);
    snprintf(keys, sizeof keys, "%s", path);
    char *key = keys;
    for (char *dot; (dot = strchr(key, '.')); key = dot + 1) {
        *dot = 0;
        at = json_object_get(at, key);
    }
    if (value)
        json_object_set_new(at, key, lp_json_parse(value, strlen(value), "value", NULL));
    else
        json_object_del(at, key);
    snprintf(name, sizeof name, "%s/config.json", folder);
    assert_int_equal(json_dump_file(config, name, 0), 0);
    json_decref(config);
}

/* Opening must fail as told, in one sentence that fits its room or ends in an ellipsis. */
static void expect(const char *folder, const char *what, const char *value, enum lp_code code,
                   const char *says) {
    struct lp_error err = {0};
    struct lp_llava *m = lp_llava_open(folder, lp_kernels_find("portable"), &err);
    if (m)
        fail_msg("%s = %s was accepted", what, value);
    if (err.code != code || !strstr(err.text, says) || strchr(err.text, '\n'))
        fail_msg("%s = %s: code %d, %s", what, value, err.code, err.text);
}

static void refuses_bad_configs(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        char folder[64];
        folder_make(folder);
        link_file(folder, "model.safetensors");
        link_file(folder, "tokenizer.model");
        edit_config(folder, configs[i].path, configs[i].value);
        expect(folder, configs[i].path ? configs[i].path : "config.json", configs[i].value, configs[i].code,
               configs[i].says);
        folder_remove(folder);
    }
}

static void refuses_bad_files(void **state) {
    (void)state;
    static const char *const good[] = {"config.json", "model.safetensors", "tokenizer.model"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char folder[64], path[300];
        folder_make(folder);
        for (int j = 0; j < 3; j++)
            if (strcmp(good[j], files[i].file) != 0)
                link_file(folder, good[j]);
        snprintf(path, sizeof path, "%s/%s", folder, files[i].file);
        if (!files[i].text)
            assert_true(lp_file_make_folder(path, NULL));
        else if (files[i].text[0] == 2)
            folder_put(folder, files[i].file, files[i].text, 7);
        else if (files[i].text[0])
            folder_put(folder, files[i].file, files[i].text, strlen(files[i].text));
        expect(folder, files[i].file, files[i].text, files[i].code, files[i].says);
        if (!files[i].text)
            rmdir(path);
        folder_remove(folder);
    }
    expect("/nowhere", "folder", "absent", LP_EIO, "/nowhere/config.json");
    expect(BASE "/config.json", "folder", "a file", LP_EIO, "config.json");
}

/* Whole tensors gone, of another type or of another rank: all are named together. */
static void names_all_bad_tensors(void **state) {
    (void)state;
    char folder[64], path[300];
    struct lp_error err = {0};
    struct lp_weights *w = golden_open("llava_mlp", "model.safetensors");
    struct lp_weight all[200];
    size_t n = 0;
    for (size_t i = 0; i < lp_weights_count(w); i++) {
        struct lp_weight t = *lp_weights_at(w, i);
        if (!strcmp(t.name, "language_model.lm_head.weight"))
            continue;
        if (!strcmp(t.name, "language_model.model.norm.weight"))
            t.type = LP_WEIGHT_I32;
        if (!strcmp(t.name, "multi_modal_projector.linear_1.bias")) {
            t.ndim = 2;
            t.dim[1] = 1;
        }
        all[n++] = t;
    }
    folder_make(folder);
    link_file(folder, "config.json");
    link_file(folder, "tokenizer.model");
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    require(lp_safetensors_write(path, all, n, NULL, &err), &err);
    assert_null(lp_llava_open(folder, lp_kernels_find("portable"), &err));
    assert_int_equal(err.code, LP_EMISSING);
    assert_non_null(strstr(err.text, "3 weights are missing"));
    assert_non_null(strstr(err.text, "multi_modal_projector.linear_1.bias (must be [40])"));
    assert_non_null(strstr(err.text, "language_model.model.norm.weight (must be float32"));
    folder_remove(folder);
    lp_weights_close(w);
}

static void survives_failing_allocations(void **state) {
    (void)state;
    golden_open_while_allocations_fail(BASE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_configs),
        cmocka_unit_test(refuses_bad_files),
        cmocka_unit_test(names_all_bad_tensors),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
