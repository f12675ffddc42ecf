/* SPDX-License-Identifier: MIT */
/* GGUF files as weights under Hugging Face's names: the same tensors as the folder that they were made of
 * (tools/golden/gguf_files.py), queries and keys with their rows put back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "weights/folder.h"
#include "weights/gguf_names.h"

#define GOLDEN LP_TESTS_DIR "/golden/gguf/"
#define TOWER "model.vision_tower.vision_tower.vision_model."

static struct lp_weights *open_files(const char *const *paths, size_t n) {
    struct lp_error err = {0};
    struct lp_weights *w = lp_weights_open_files(paths, n, &err);
    if (!w)
        fail_msg("%s", err.text);
    return w;
}

static void assert_equal(const struct lp_weights *w, const struct lp_weight *got,
                         const struct lp_weight *want) {
    assert_non_null(got);
    assert_non_null(want);
    assert_int_equal(got->bytes, want->bytes);
    void *plain = malloc(got->bytes);
    lp_weights_copy(w, got, plain);
    if (memcmp(plain, want->data, got->bytes) != 0)
        fail_msg("%s is not %s", got->name, want->name);
    free(plain);
}

/* The Hugging Face folder's name in the layout that GGUF files are given. */
static void other_layout(char out[300], const char *name) {
    static const char *const prefixes[][2] = {
        {"language_model.", ""},
        {"vision_tower.vision_model.", TOWER},
        {"multi_modal_projector.linear_1", "model.mm_projector.0"},
        {"multi_modal_projector.linear_2", "model.mm_projector.2"},
    };
    snprintf(out, 300, "%s", name);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(name, prefixes[i][0], strlen(prefixes[i][0])) == 0)
            snprintf(out, 300, "%s%s", prefixes[i][1], name + strlen(prefixes[i][0]));
}

static void both_files_are_the_folder(void **state) {
    (void)state;
    static const char *const paths[] = {GOLDEN "language.gguf", GOLDEN "mmproj.gguf"};
    struct lp_weights *w = open_files(paths, 2),
                      *want = lp_weights_open(LP_TESTS_DIR "/golden/llava_mlp", NULL);
    size_t found = 0;
    assert_non_null(want);
    for (size_t i = 0; i < lp_weights_count(want); i++) {
        const struct lp_weight *t = lp_weights_at(want, i);
        char name[300];
        other_layout(name, t->name);
        const struct lp_weight *got = lp_weights_find(w, name);
        bool left_out = strstr(name, "encoder.layers.2.") || strstr(name, "post_layernorm.");
        if (left_out != !got)
            fail_msg("%s is %s", name, got ? "there" : "missing");
        if (!got)
            continue;
        assert_int_equal(got->ndim, t->ndim);
        assert_memory_equal(got->dim, t->dim, sizeof t->dim);
        assert_equal(w, got, t);
        found++;
    }
    assert_int_equal(found, lp_weights_count(w)); /* nothing kept a name of llama.cpp's */
    assert_non_null(lp_weights_gguf(w, 1));
    assert_null(lp_weights_gguf(w, 2));
    assert_null(lp_weights_gguf(want, 0));
    lp_weights_close(want);
    lp_weights_close(w);
}

static void queries_and_keys_say_their_order(void **state) {
    (void)state;
    struct lp_weights *w = lp_weights_open(GOLDEN "language.gguf", NULL);
    const struct lp_weight *q = lp_weights_find(w, "model.layers.1.self_attn.q_proj.weight");
    const struct lp_weight *k = lp_weights_find(w, "model.layers.1.self_attn.k_proj.weight");
    const struct lp_weight *v = lp_weights_find(w, "model.layers.1.self_attn.v_proj.weight");
    assert_int_equal(lp_weights_head_rows(w, q), 10); /* 40 rows of 4 heads */
    assert_int_equal(lp_weights_head_rows(w, k), 10); /* 20 rows of 2 heads */
    assert_int_equal(lp_weights_head_rows(w, v), 0);
    lp_weights_close(w);
}

static void rows_of_blocks_are_put_back(void **state) {
    (void)state;
    static const char *const path[] = {GOLDEN "blocks.gguf"}, *const plain[] = {GOLDEN "plain.safetensors"};
    struct lp_weights *w = open_files(path, 1), *want = open_files(plain, 1);
    const struct lp_weight *q = lp_weights_find(w, "model.layers.0.self_attn.q_proj.weight");
    const struct lp_weight *k = lp_weights_find(w, "model.layers.0.self_attn.k_proj.weight");
    assert_equal(w, q, lp_weights_find(want, "q"));
    assert_equal(w, k, lp_weights_find(want, "k"));
    assert_memory_not_equal(q->data, lp_weights_find(want, "q")->data, q->bytes);
    uint8_t file[3 * 4 * 68];
    assert_int_equal(q->bytes, sizeof file);
    lp_gguf_rows_to_file(file, lp_weights_find(want, "q")->data, 12, 4, 68);
    assert_memory_equal(file, q->data, sizeof file);
    lp_weights_close(want);
    lp_weights_close(w);
}

static void names_lead_both_ways(void **state) {
    (void)state;
    static const char *const files[] = {GOLDEN "language.gguf", GOLDEN "mmproj.gguf"};
    static const char *const names[][2] = {
        {"blk.31.attn_output.weight", "language_model.model.layers.31.self_attn.o_proj.weight"},
        {"blk.0.ffn_gate.weight", "model.language_model.layers.0.mlp.gate_proj.weight"},
        {"v.blk.3.ffn_up.bias", "vision_tower.vision_model.encoder.layers.3.mlp.fc1.bias"},
        {"v.class_embd", "model.vision_tower.vision_model.embeddings.class_embedding"},
        {"mm.2.bias", "multi_modal_projector.linear_2.bias"},
        {"mm.0.weight", "model.mm_projector.weight"},
        {"output.weight", "language_model.lm_head.weight"},
    };
    char name[LP_GGUF_NAME];
    for (size_t i = 0; i < 2; i++) {
        struct lp_weights *w = open_files(&files[i], 1);
        for (size_t k = 0; k < lp_weights_count(w); k++) {
            assert_true(lp_gguf_name_of(name, lp_weights_at(w, k)->name));
            bool swapped = i == 1 && strstr(name, "ffn_"); /* we write the names that are right */
            if (!swapped && !lp_gguf_find_tensor(lp_weights_gguf(w, 0), name))
                fail_msg("%s became %s", lp_weights_at(w, k)->name, name);
        }
        lp_weights_close(w);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_true(lp_gguf_name_of(name, names[i][1]));
        assert_string_equal(name, names[i][0]);
    }
    assert_false(lp_gguf_name_of(name, "model.layers.0.self_attn.rotary_emb.inv_freq"));
    assert_false(lp_gguf_name_of(name, "blk.0.attn_q.weight"));
}

/* A small file of float32 tensors [rows,2]. */
static void put_file(const char *path, struct lp_gguf_metadata *m, const char *const *names, size_t n,
                     int64_t rows) {
    static const float numbers[64];
    struct lp_weight t[8] = {0};
    struct lp_error err = {0};
    for (size_t i = 0; i < n; i++)
        t[i] = (struct lp_weight){
            .name = names[i], .ndim = 2, .dim = {rows, 2}, .data = numbers, .bytes = (size_t)rows * 8};
    if (!lp_gguf_write(path, m, t, n, NULL, NULL, &err))
        fail_msg("%s", err.text);
    lp_gguf_metadata_done(m);
}

static void names_follow_the_architecture(void **state) {
    (void)state;
    static const char *const names[] = {"blk.0.attn_q.weight", "blk.0.strange.weight",
                                        "blk.999999.attn_q.weight", "mm.0.weight", "v.blk.0.ffn_down.weight"};
    char folder[64], path[100];
    struct lp_gguf_metadata m = {0};
    folder_make(folder);
    snprintf(path, sizeof path, "%s/x.gguf", folder);
    lp_gguf_put_string(&m, "general.architecture", "qwen2");
    put_file(path, &m, names, 5, 4);
    struct lp_weights *w = lp_weights_open(path, NULL);
    for (size_t i = 0; i < 5; i++)
        assert_non_null(lp_weights_find(w, names[i]));
    assert_int_equal(lp_weights_head_rows(w, lp_weights_find(w, names[0])), 0);
    lp_weights_close(w);
    lp_gguf_put_string(&m, "general.architecture", "clip");
    lp_gguf_put_u32(&m, "clip.vision.embedding_length", 4);
    put_file(path, &m, names, 5, 4); /* ffn_down is [4,2], as it should be */
    w = lp_weights_open(path, NULL);
    assert_non_null(lp_weights_find(w, "model.mm_projector.weight"));
    assert_non_null(lp_weights_find(w, TOWER "encoder.layers.0.mlp.fc2.weight"));
    assert_non_null(lp_weights_find(w, names[1]));
    lp_weights_close(w);
    folder_remove(folder);
}

static void refuses_what_cannot_be_named(void **state) {
    (void)state;
    static const char *const names[] = {"blk.0.attn_q.weight", "output.weight", "lm_head.weight"};
    static const struct {
        int heads; /* 0: not said */
        size_t tensors;
        const char *says;
    } cases[] = {{0, 1, "'llama.attention.head_count' is 0"},
                 {3, 1, "the 4 rows of the tensor 'blk.0.attn_q.weight' do not divide among 3 heads"},
                 {4, 1, "do not divide among 4 heads"}, /* a head of one row has no halves */
                 {2, 3, "'lm_head.weight' is there under two names"}};
    char folder[64], path[100];
    folder_make(folder);
    snprintf(path, sizeof path, "%s/x.gguf", folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_gguf_metadata m = {0};
        struct lp_error err = {0};
        lp_gguf_put_string(&m, "general.architecture", "llama");
        if (cases[i].heads)
            lp_gguf_put_u32(&m, "llama.attention.head_count", (uint32_t)cases[i].heads);
        put_file(path, &m, names, cases[i].tensors, 4);
        assert_null(lp_weights_open(path, &err));
        if (err.code != LP_EINPUT || !strstr(err.text, cases[i].says))
            fail_msg("case %zu: %s", i, err.text);
    }
    struct lp_gguf_metadata m = {0};
    struct lp_error err = {0};
    lp_gguf_put_u32(&m, "split.count", 3);
    put_file(path, &m, names, 1, 4);
    assert_null(lp_weights_open(path, &err));
    assert_non_null(strstr(err.text, "one of 3 pieces"));
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_files_are_the_folder),     cmocka_unit_test(queries_and_keys_say_their_order),
        cmocka_unit_test(rows_of_blocks_are_put_back),   cmocka_unit_test(names_lead_both_ways),
        cmocka_unit_test(names_follow_the_architecture), cmocka_unit_test(refuses_what_cannot_be_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
