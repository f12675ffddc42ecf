/* SPDX-License-Identifier: MIT */
/* Configuration and tokenizer from a GGUF file's metadata: the same as those of the folder that the golden
 * files were made of (tools/golden/gguf_files.py), and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "model/llava_model.h"
#include "weights/folder.h"
#include "weights/gguf_model.h"

#define GOLDEN LP_TESTS_DIR "/golden/"

static struct lp_weights *open_golden(void) {
    static const char *const paths[] = {GOLDEN "gguf/language.gguf", GOLDEN "gguf/mmproj.gguf"};
    struct lp_error err = {0};
    struct lp_weights *w = lp_weights_open_files(paths, 2, &err);
    if (!w)
        fail_msg("%s", err.text);
    return w;
}

static void config_is_the_folders(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_weights *w = open_golden();
    json_t *json = lp_gguf_config(lp_weights_gguf(w, 0), lp_weights_gguf(w, 1), &err);
    json_t *folder = lp_json_load(GOLDEN "llava_mlp/config.json", &err);
    struct lp_llava_config got, want;
    if (!json || !lp_llava_read_config(json, &got, &err) || !lp_llava_read_config(folder, &want, &err))
        fail_msg("%s", err.text);
    assert_int_equal(got.llama.hidden, want.llama.hidden);
    assert_int_equal(got.llama.layers, want.llama.layers);
    assert_int_equal(got.llama.heads, want.llama.heads);
    assert_int_equal(got.llama.key_heads, want.llama.key_heads);
    assert_int_equal(got.llama.ffn, want.llama.ffn);
    assert_int_equal(got.llama.vocabulary, want.llama.vocabulary);
    assert_int_equal(got.llama.context, want.llama.context);
    assert_true(got.llama.eps == want.llama.eps && got.llama.theta == want.llama.theta);
    assert_int_equal(got.llama.tied, want.llama.tied);
    assert_int_equal(got.clip.hidden, want.clip.hidden);
    assert_int_equal(got.clip.heads, want.clip.heads);
    assert_int_equal(got.clip.ffn, want.clip.ffn);
    assert_int_equal(got.clip.image_px, want.clip.image_px);
    assert_int_equal(got.clip.patch_px, want.clip.patch_px);
    assert_int_equal(got.clip.act, want.clip.act);
    assert_true(got.clip.eps == want.clip.eps);
    assert_int_equal(got.depth, want.depth); /* the block that the exporter left out is none that is run */
    assert_int_equal(got.two_layers, want.two_layers);
    json_decref(folder);
    json_decref(json);
    json = lp_gguf_config(lp_weights_gguf(w, 0), NULL, &err);
    assert_string_equal(json_string_value(json_object_get(json, "model_type")), "llama");
    assert_null(json_object_get(json, "vision_config"));
    json_decref(json);
    lp_weights_close(w);
}

static void preprocessor_is_clips(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_weights *w = open_golden();
    json_t *json = lp_gguf_preprocessor(lp_weights_gguf(w, 1), &err);
    struct lp_preprocess got, want;
    if (!json || !lp_preprocess_read(&got, json, &err))
        fail_msg("%s", err.text);
    lp_preprocess_defaults(&want);
    assert_int_equal(got.size, 28);
    assert_int_equal(got.crop, 28);
    assert_int_equal(got.aspect, want.aspect);
    for (int i = 0; i < 3; i++)
        assert_true((float)got.mean[i] == (float)want.mean[i] && (float)got.std[i] == (float)want.std[i]);
    json_decref(json);
    lp_weights_close(w);
}

static void tokenizer_is_the_folders(void **state) {
    (void)state;
    static const char *const texts[] = {"a picture of a cat", "  two   dogs\n", "the sign says </s>",
                                        "\xf0\x9f\xa4\x94", ""};
    struct lp_error err = {0};
    struct lp_weights *w = open_golden();
    struct lp_tokenizer *got = lp_gguf_tokenizer(lp_weights_gguf(w, 0), &err);
    struct lp_tokenizer *want = lp_tokenizer_open(GOLDEN "llava_mlp/tokenizer.model", &err);
    lp_weights_close(w); /* the tokenizer does not need the file */
    if (!got || !want)
        fail_msg("%s", err.text);
    assert_int_equal(lp_tokenizer_size(got), lp_tokenizer_size(want));
    assert_int_equal(lp_tokenizer_bos(got), lp_tokenizer_bos(want));
    assert_int_equal(lp_tokenizer_eos(got), lp_tokenizer_eos(want));
    assert_int_equal(lp_tokenizer_unk(got), lp_tokenizer_unk(want));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct lp_ids a = {0}, b = {0};
        assert_true(lp_tokenizer_encode_prompt(got, texts[i], strlen(texts[i]), &a, &err));
        assert_true(lp_tokenizer_encode_prompt(want, texts[i], strlen(texts[i]), &b, &err));
        assert_int_equal(a.n, b.n);
        assert_memory_equal(a.id, b.id, a.n * sizeof *a.id);
        lp_ids_done(&a);
        lp_ids_done(&b);
    }
    lp_tokenizer_close(got);
    lp_tokenizer_close(want);
}

/* A file of metadata and at most one tensor, open. */
struct made {
    char folder[64];
    struct lp_weights *w;
};

static void make(struct made *made, struct lp_gguf_metadata *m, const char *tensor) {
    static const float numbers[2];
    const struct lp_weight t = {.name = tensor, .ndim = 1, .dim = {2}, .data = numbers, .bytes = 8};
    char path[100];
    struct lp_error err = {0};
    folder_make(made->folder);
    snprintf(path, sizeof path, "%s/x.gguf", made->folder);
    made->w =
        lp_gguf_write(path, m, &t, tensor != NULL, NULL, NULL, &err) ? lp_weights_open(path, &err) : NULL;
    if (!made->w)
        fail_msg("%s", err.text);
    lp_gguf_metadata_done(m);
}

static void unmake(struct made *made) {
    lp_weights_close(made->w);
    folder_remove(made->folder);
}

static const struct change {
    const char *key;
    int64_t value; /* -1: the key is left out; -2: the text instead */
    const char *text;
    const char *tensor;
    const char *says;
} config_changes[] = {
    {"general.architecture", -2, "qwen2", NULL, "its architecture is 'qwen2', but only llama is known"},
    {"general.architecture", -1, NULL, NULL, "its architecture is ''"},
    {"llama.embedding_length", -1, NULL, NULL, "'llama.embedding_length' is missing"},
    {"llama.embedding_length", -2, "many", NULL, "'llama.embedding_length' must be a whole number"},
    {"llama.embedding_length", 4000000000, NULL, NULL, "'llama.embedding_length' is 4000000000"},
    {"llama.block_count", -1, NULL, NULL, "'llama.block_count' is missing"},
    {"llama.attention.head_count", -1, NULL, NULL, "'llama.attention.head_count' is missing"},
    {"llama.attention.head_count", 0, NULL, NULL, "'num_attention_heads' is 0"},
    {"llama.feed_forward_length", -1, NULL, NULL, "'llama.feed_forward_length' is missing"},
    {"llama.vocab_size", -1, NULL, NULL, "'llama.vocab_size' is missing"},
    {"llama.attention.layer_norm_rms_epsilon", -2, "x", NULL, "must be a finite number"},
    {"llama.rope.scaling.type", -2, "yarn", NULL,
     "its scaling of positions is 'yarn', but only none is known"},
    {"llama.rope.scaling.type", 3, NULL, NULL, "'llama.rope.scaling.type' must be a text"},
    {"llama.rope.scale_linear", 4, NULL, NULL, "its scaling of positions is 'linear'"},
    {"llama.rope.dimension_count", 4, NULL, NULL, "its rotation is 'of a part of each head'"},
    {"llama.attention.key_length", 4, NULL, NULL, "its head's length"},
    {"llama.expert_count", 8, NULL, NULL, "a mixture of experts"},
    {"ignored", 0, NULL, "blk.0.attn_q.bias", "one with biases"},
    {"ignored", 0, NULL, "rope_freqs.weight", "its scaling of positions is 'by frequencies'"},
    {"ignored", 0, NULL, NULL, ""}, /* nothing is wrong */
};

static void put_changed(struct lp_gguf_metadata *m, const char *key, int64_t value, const struct change *c) {
    bool changed = strcmp(key, c->key) == 0;
    value = changed ? c->value : value;
    if (value == -2)
        lp_gguf_put_string(m, key, changed ? c->text : "llama");
    else if (value >= 0)
        lp_gguf_put_u32(m, key, (uint32_t)value);
}

static void put_llama(struct lp_gguf_metadata *m, const struct change *c) {
    static const struct {
        const char *key;
        int64_t value;
    } usual[] = {{"general.architecture", -2},
                 {"llama.embedding_length", 64},
                 {"llama.block_count", 2},
                 {"llama.attention.head_count", 1},
                 {"llama.feed_forward_length", 7},
                 {"llama.context_length", 8},
                 {"llama.vocab_size", 9},
                 {"ignored", -1},
                 {"llama.rope.scaling.type", -1},
                 {"llama.attention.layer_norm_rms_epsilon", -1},
                 {"llama.rope.scale_linear", -1},
                 {"llama.rope.dimension_count", -1},
                 {"llama.attention.key_length", -1},
                 {"llama.expert_count", -1}};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        put_changed(m, usual[i].key, usual[i].value, c);
}

static void refuses_other_language_models(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof config_changes / sizeof *config_changes; i++) {
        const struct change *c = &config_changes[i];
        struct lp_gguf_metadata m = {0};
        struct lp_error err = {0};
        struct lp_llama_config config;
        struct made made;
        put_llama(&m, c);
        make(&made, &m, c->tensor);
        json_t *json = lp_gguf_config(lp_weights_gguf(made.w, 0), NULL, &err);
        bool ok = json && lp_llama_read_config(json, &config, &err);
        if (ok != !*c->says || (!ok && (err.code != LP_EINPUT || !strstr(err.text, c->says))))
            fail_msg("case %zu: %s", i, ok ? "accepted" : err.text);
        json_decref(json);
        unmake(&made);
    }
}

static const struct change vision_changes[] = {
    {"general.architecture", -2, "llama", NULL, "its architecture is 'llama', but only clip is known"},
    {"clip.vision.image_size", -1, NULL, NULL, "'clip.vision.image_size' is missing"},
    {"clip.vision.patch_size", -2, "x", NULL, "must be a whole number"},
    {"clip.projector_type", -2, "ldp", NULL, "its projector is 'ldp', but only mlp is known"},
    {"clip.vision.image_aspect_ratio", -2, "\xff", NULL, "but only pad or square is known"},
    {"clip.vision.image_aspect_ratio", -2, "anyres", NULL, "its picture's aspect ratio is 'anyres'"},
    {"clip.vision.image_aspect_ratio", -2, "square", NULL, ""},
    {"clip.use_silu", 1, NULL, NULL, "'clip.use_silu' must be true or false"},
    {"clip.vision.feature_layer", 3, NULL, NULL, "'clip.vision.feature_layer'"},
    {"ignored", 0, NULL, NULL, ""},
};

static void refuses_other_picture_encoders(void **state) {
    (void)state;
    static const char *const sizes[] = {"image_size",          "patch_size",  "embedding_length",
                                        "feed_forward_length", "block_count", "attention.head_count"};
    struct lp_weights *language = open_golden();
    for (size_t i = 0; i < sizeof vision_changes / sizeof *vision_changes; i++) {
        const struct change *c = &vision_changes[i];
        struct lp_gguf_metadata m = {0};
        struct lp_error err = {0};
        struct made made;
        struct change architecture = {.key = "general.architecture", .value = -2, .text = "clip"};
        put_changed(&m, "general.architecture", -2, strcmp(c->key, architecture.key) ? &architecture : c);
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            char key[64];
            snprintf(key, sizeof key, "clip.vision.%s", sizes[k]);
            put_changed(&m, key, 8, c);
        }
        put_changed(&m, "clip.projector_type", -1, c);
        put_changed(&m, "clip.use_silu", -1, c);
        put_changed(&m, "clip.vision.image_aspect_ratio", -1, c);
        put_changed(&m, "clip.vision.feature_layer", -1, c);
        make(&made, &m, NULL);
        json_t *json = lp_gguf_config(lp_weights_gguf(language, 0), lp_weights_gguf(made.w, 0), &err);
        if (!json != !!*c->says || (!json && (err.code != LP_EINPUT || !strstr(err.text, c->says))))
            fail_msg("case %zu: %s", i, json ? "accepted" : err.text);
        json_decref(json);
        unmake(&made);
    }
    lp_weights_close(language);
}

static void the_feature_layer_is_where_llava_takes_it(void **state) {
    (void)state;
    static const struct {
        uint32_t blocks, hidden;
        int32_t layers[2];
        size_t n;
        const char *tensor;
        int64_t layer; /* 0: refused */
    } cases[] = {{23, 1024, {0}, 0, NULL, -1},  {24, 1024, {0}, 0, NULL, -2},
                 {24, 768, {0}, 0, NULL, -1},   {23, 1024, {0}, 0, "v.post_ln.weight", -2},
                 {23, 1024, {22}, 1, NULL, 22}, {23, 1024, {24}, 1, NULL, 0},
                 {23, 1024, {-2}, 1, NULL, 0},  {23, 1024, {3, 22}, 2, NULL, 0}};
    struct lp_weights *language = open_golden();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_gguf_metadata m = {0};
        struct lp_error err = {0};
        struct made made;
        lp_gguf_put_string(&m, "general.architecture", "clip");
        lp_gguf_put_u32(&m, "clip.vision.block_count", cases[i].blocks);
        lp_gguf_put_u32(&m, "clip.vision.embedding_length", cases[i].hidden);
        lp_gguf_put_u32(&m, "clip.vision.image_size", 224);
        lp_gguf_put_u32(&m, "clip.vision.patch_size", 14);
        lp_gguf_put_u32(&m, "clip.vision.feed_forward_length", 8);
        lp_gguf_put_u32(&m, "clip.vision.attention.head_count", 8);
        if (cases[i].n)
            lp_gguf_put_array(&m, "clip.vision.feature_layer", LP_GGUF_I32, cases[i].layers, cases[i].n);
        make(&made, &m, cases[i].tensor);
        json_t *json = lp_gguf_config(lp_weights_gguf(language, 0), lp_weights_gguf(made.w, 0), &err);
        if (cases[i].layer)
            assert_int_equal(json_integer_value(json_object_get(json, "mm_vision_select_layer")),
                             cases[i].layer);
        else
            assert_non_null(strstr(err.text, "'clip.vision.feature_layer'"));
        json_decref(json);
        unmake(&made);
    }
    lp_weights_close(language);
}

/* Three tokens, with one thing wrong. */
static const struct {
    const char *model, *names[3];
    float scores[3];
    int32_t types[3];
    size_t n_scores;
    int64_t bos; /* -1: not said */
    const char *says;
} tokenizers[] = {
    {"llama", {"<unk>", "<s>", "a"}, {0, 0, -1}, {2, 3, 1}, 3, 1, ""},
    {"llama", {"<unk>", "<s>", "a"}, {0, 0, -1}, {2, 1, 1}, 3, 1, ""}, /* BOS need not be called control */
    {"llama",
     {"<unk>", "<s>", "a"},
     {0, 0, -1},
     {2, 3, 1},
     3,
     3,
     "its BOS token 3 is not one of its 3 tokens"},
    {"llama", {"<unk>", "<s>", "a"}, {0, 0, -1}, {2, 3, 1}, 3, 4294967295, "is not one of its 3 tokens"},
    {"llama", {"<unk>", "<s>", "a"}, {0, 0, -1}, {2, 3, 1}, 2, 1, "3 tokens, 2 scores and 3 token types"},
    {"llama", {"<unk>", "<s>", "a"}, {0, 0, -1}, {2, 3, 7}, 3, 1, "token 2 has the unknown type 7"},
    {"llama", {"<unk>", "<s>", "a"}, {0, 0, -1}, {2, 3, -1}, 3, 1, "token 2 has the unknown type -1"},
    {"llama", {"<unk>", "<s>", "a"}, {0, 0, -1}, {1, 3, 1}, 3, 1, "no token for the unknown"},
    {"llama", {"<unk>", "<s>", "a"}, {0, 0, -1}, {2, 3, 6}, 3, 1, "its name is no byte's"},
    {"llama", {"<unk>", "<s>", "<0x0A>"}, {0, 0, -1}, {2, 3, 6}, 3, 1, "lacks the piece <0x00>"},
    {"llama", {"<unk>", "<s>", "<s>"}, {0, 0, -1}, {2, 3, 1}, 3, 1, "have the same name"},
    {"llama", {"<unk>", "<s>", ""}, {0, 0, -1}, {2, 3, 1}, 3, 1, "a name of 0 bytes"},
    {"llama", {"<unk>", "<s>", "a"}, {0, 0, (float)(1e38 * 1e38)}, {2, 3, 1}, 3, 1, "not a finite number"},
    {"gpt2", {"<unk>", "<s>", "a"}, {0, 0, -1}, {2, 3, 1}, 3, 1, "its tokenizer is a 'gpt2'"},
    {"llama", {NULL}, {0}, {0}, 0, 1, "no tokenizer of tokens"},
    {NULL, {NULL}, {0}, {0}, 0, 1, "has no tokenizer"},
};

static void refuses_other_tokenizers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof tokenizers / sizeof *tokenizers; i++) {
        struct lp_gguf_metadata m = {0};
        struct lp_error err = {0};
        struct made made;
        if (tokenizers[i].model)
            lp_gguf_put_string(&m, "tokenizer.ggml.model", tokenizers[i].model);
        if (tokenizers[i].names[0]) {
            lp_gguf_put_strings(&m, "tokenizer.ggml.tokens", 3);
            for (size_t k = 0; k < 3; k++)
                lp_gguf_put_element(&m, tokenizers[i].names[k], strlen(tokenizers[i].names[k]));
            lp_gguf_put_array(&m, "tokenizer.ggml.scores", LP_GGUF_F32, tokenizers[i].scores,
                              tokenizers[i].n_scores);
            lp_gguf_put_array(&m, "tokenizer.ggml.token_type", LP_GGUF_I32, tokenizers[i].types, 3);
        }
        if (tokenizers[i].bos >= 0)
            lp_gguf_put_u32(&m, "tokenizer.ggml.bos_token_id", (uint32_t)tokenizers[i].bos);
        make(&made, &m, NULL);
        struct lp_tokenizer *t = lp_gguf_tokenizer(lp_weights_gguf(made.w, 0), &err);
        if (!t != !!*tokenizers[i].says ||
            (!t && (err.code != LP_EINPUT || !strstr(err.text, tokenizers[i].says))))
            fail_msg("case %zu: %s", i, t ? "accepted" : err.text);
        if (t)
            assert_true(lp_tokenizer_is_control(t, 1));
        lp_tokenizer_close(t);
        unmake(&made);
    }
}

static void bos_is_left_out_where_the_file_says_so(void **state) {
    (void)state;
    static const float scores[3] = {0, 0, -1};
    static const int32_t types[3] = {2, 3, 1};
    struct lp_gguf_metadata m = {0};
    struct lp_error err = {0};
    struct lp_ids ids = {0};
    struct made made;
    lp_gguf_put_string(&m, "tokenizer.ggml.model", "llama");
    lp_gguf_put_strings(&m, "tokenizer.ggml.tokens", 3);
    lp_gguf_put_element(&m, "<unk>", 5);
    lp_gguf_put_element(&m, "<s>", 3);
    lp_gguf_put_element(&m, "a", 1);
    lp_gguf_put_array(&m, "tokenizer.ggml.scores", LP_GGUF_F32, scores, 3);
    lp_gguf_put_array(&m, "tokenizer.ggml.token_type", LP_GGUF_I32, types, 3);
    lp_gguf_put_u32(&m, "tokenizer.ggml.bos_token_id", 1);
    lp_gguf_put_bool(&m, "tokenizer.ggml.add_bos_token", false);
    lp_gguf_put_bool(&m, "tokenizer.ggml.add_space_prefix", false);
    make(&made, &m, NULL);
    struct lp_tokenizer *t = lp_gguf_tokenizer(lp_weights_gguf(made.w, 0), &err);
    assert_non_null(t);
    assert_true(lp_tokenizer_encode_prompt(t, "aa", 2, &ids, &err));
    assert_int_equal(ids.n, 2);
    assert_int_equal(ids.id[0], 2);
    lp_ids_done(&ids);
    lp_tokenizer_close(t);
    unmake(&made);
}

/* llama.cpp's converters write user-defined pieces with plain spaces: they are found in the text all the
 * same. */
static void user_defined_pieces_have_plain_spaces(void **state) {
    (void)state;
    static const char *const names[] = {"<unk>", "<s>", "a b ", "a", "b", "\xe2\x96\x81"};
    static const float scores[6] = {0, 0, 0, -1, -2, -3};
    static const int32_t types[6] = {2, 3, 4, 1, 1, 1};
    struct lp_gguf_metadata m = {0};
    struct lp_error err = {0};
    struct lp_ids ids = {0};
    struct made made;
    lp_gguf_put_string(&m, "tokenizer.ggml.model", "llama");
    lp_gguf_put_strings(&m, "tokenizer.ggml.tokens", 6);
    for (int i = 0; i < 6; i++)
        lp_gguf_put_element(&m, names[i], strlen(names[i]));
    lp_gguf_put_array(&m, "tokenizer.ggml.scores", LP_GGUF_F32, scores, 6);
    lp_gguf_put_array(&m, "tokenizer.ggml.token_type", LP_GGUF_I32, types, 6);
    lp_gguf_put_u32(&m, "tokenizer.ggml.bos_token_id", 1);
    lp_gguf_put_bool(&m, "tokenizer.ggml.add_space_prefix", false);
    make(&made, &m, NULL);
    struct lp_tokenizer *t = lp_gguf_tokenizer(lp_weights_gguf(made.w, 0), &err);
    if (!t)
        fail_msg("%s", err.text);
    assert_true(lp_tokenizer_encode(t, "a b a b", 7, &ids, &err));
    static const int32_t want[] = {2, 3, 5, 4};
    assert_int_equal(ids.n, 4);
    assert_memory_equal(ids.id, want, sizeof want);
    lp_ids_done(&ids);
    lp_tokenizer_close(t);
    unmake(&made);
}

static void survives_failing_allocations(void **state) {
    (void)state;
    struct lp_weights *w = open_golden();
    bool done = false;
    for (long n = 1; n < 5000 && !done; n++) {
        struct lp_error err[3] = {{0}};
        lp_test_fail_alloc(n);
        json_t *config = lp_gguf_config(lp_weights_gguf(w, 0), lp_weights_gguf(w, 1), &err[0]);
        json_t *preprocessor = lp_gguf_preprocessor(lp_weights_gguf(w, 1), &err[1]);
        struct lp_tokenizer *t = lp_gguf_tokenizer(lp_weights_gguf(w, 0), &err[2]);
        done = !lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_true(config || err[0].code == LP_EMEMORY);
        assert_true(preprocessor || err[1].code == LP_EMEMORY);
        assert_true(t || err[2].code == LP_EMEMORY);
        assert_true(!done || (config && preprocessor && t));
        json_decref(config);
        json_decref(preprocessor);
        lp_tokenizer_close(t);
    }
    assert_true(done);
    lp_weights_close(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_is_the_folders),
        cmocka_unit_test(preprocessor_is_clips),
        cmocka_unit_test(tokenizer_is_the_folders),
        cmocka_unit_test(refuses_other_language_models),
        cmocka_unit_test(refuses_other_picture_encoders),
        cmocka_unit_test(the_feature_layer_is_where_llava_takes_it),
        cmocka_unit_test(refuses_other_tokenizers),
        cmocka_unit_test(bos_is_left_out_where_the_file_says_so),
        cmocka_unit_test(user_defined_pieces_have_plain_spaces),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
