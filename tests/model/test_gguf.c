/* SPDX-License-Identifier: MIT */
/* LLaVA from GGUF files: the same tokens as from the folder, finding the picture encoder, files that do not
 * go together, templates. */
#include "model/saying.h"

#include "base/memory.h"
#include "model/llava_source.h"
#include "weights/folder.h"
#include "weights/gguf.h"

#define LANGUAGE GOLDEN "gguf/language.gguf"
#define MMPROJ GOLDEN "gguf/mmproj.gguf"
static void says_what_the_folder_says(void **state) {
    (void)state;
    struct said folder, file;
    say(GOLDEN "llava_mlp", NULL, &folder);
    struct lp_llava *m = open_model(LANGUAGE, NULL);
    assert_string_equal(lp_llava_name(m), "language");
    assert_int_equal(lp_llava_context(m), 256);
    lp_llava_close(m);
    say(LANGUAGE, NULL, &file);
    assert_said(&file, &folder, "language.gguf");
}

static void put_link(const char *folder, const char *name, const char *to) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(symlink(to, path), 0);
}

static void expect(const char *path, const char *mmproj, enum lp_code code, const char *says) {
    struct lp_error err = {0};
    struct lp_llava *m = lp_llava_open_with(path, mmproj, lp_kernels_find("portable"), &err);
    if (m)
        fail_msg("%s was accepted", path);
    if (err.code != code || !strstr(err.text, says) || strchr(err.text, '\n'))
        fail_msg("%s: code %d, %s", path, err.code, err.text);
}

static void finds_the_picture_encoder_beside_the_model(void **state) {
    (void)state;
    char folder[64], path[100], other[100];
    folder_make(folder);
    put_link(folder, "x.gguf", LANGUAGE);
    snprintf(path, sizeof path, "%s/x.gguf", folder);
    expect(path, NULL, LP_EMISSING, "beside it is no picture encoder");
    lp_llava_close(open_model(path, MMPROJ));
    put_link(folder, "llava-MMPROJ-f16.gguf", MMPROJ);
    lp_llava_close(open_model(path, NULL));
    put_link(folder, "mmproj.txt", LANGUAGE); /* no GGUF by its name */
    lp_llava_close(open_model(path, NULL));
    put_link(folder, "mmproj-y.gguf", LANGUAGE);
    expect(path, NULL, LP_EUSAGE, "several picture encoders");
    snprintf(other, sizeof other, "%s/llava-MMPROJ-f16.gguf", folder);
    lp_llava_close(open_model(path, other));
    put_link(folder, "mmproj-x.gguf", MMPROJ); /* the one that bears the model's name */
    lp_llava_close(open_model(path, NULL));
    folder_remove(folder);
}

static void refuses_what_does_not_go_together(void **state) {
    (void)state;
    expect(MMPROJ, LANGUAGE, LP_EINPUT, "is no language model: its architecture is 'clip'");
    expect(LANGUAGE, LANGUAGE, LP_EINPUT, "is no picture encoder: its architecture is 'llama'");
    expect(LANGUAGE, GOLDEN "llava_mlp/model.safetensors", LP_EINPUT, "is no GGUF file");
    expect(LANGUAGE, GOLDEN "llava_mlp/tokenizer.model", LP_EINPUT, "tokenizer.model");
    expect(LANGUAGE, "/nowhere.gguf", LP_EIO, "/nowhere.gguf");
    expect("/nowhere.gguf", NULL, LP_EIO, "/nowhere.gguf");
    expect(GOLDEN "gguf/blocks.gguf", MMPROJ, LP_EINPUT, "'llama.embedding_length' is missing");
    expect(GOLDEN "llava_mlp", MMPROJ, LP_EUSAGE, "--mmproj goes with a GGUF model");
    struct lp_error err = {0};
    assert_null(lp_llava_open_to_learn(LANGUAGE, lp_kernels_find("portable"), 1, &err));
    assert_non_null(strstr(err.text, "cannot be trained"));
}

/* A copy of a golden file with metadata of its own instead of, or beside, the file's. */
static void write_changed(const char *from, const char *to, const char *key, const char *text,
                          const char *tensor, int64_t rows) {
    struct lp_error err = {0};
    struct lp_weights *w = lp_weights_open(from, &err);
    require(w != NULL, &err);
    const struct lp_gguf *g = lp_weights_gguf(w, 0);
    struct lp_gguf_metadata m = {0};
    struct lp_weight *t = lp_alloc_array(g->count, sizeof *t);
    const char *const except[] = {key, NULL};
    lp_gguf_put_all(&m, g, except);
    if (text)
        lp_gguf_put_string(&m, key, text);
    memcpy(t, g->tensors, g->count * sizeof *t);
    for (size_t i = 0; tensor && i < g->count; i++)
        if (!strcmp(t[i].name, tensor)) {
            t[i].bytes = t[i].bytes / (size_t)t[i].dim[0] * (size_t)rows;
            t[i].dim[0] = rows;
        }
    require(lp_gguf_write(to, &m, t, g->count, NULL, NULL, &err), &err);
    lp_gguf_metadata_done(&m);
    lp_free(t);
    lp_weights_close(w);
}

static void refuses_files_that_lie(void **state) {
    (void)state;
    char folder[64], language[100], mmproj[100];
    folder_make(folder);
    snprintf(language, sizeof language, "%s/x.gguf", folder);
    snprintf(mmproj, sizeof mmproj, "%s/mmproj.gguf", folder);
    write_changed(MMPROJ, mmproj, "x", NULL, "mm.2.weight", 39);
    expect(LANGUAGE, mmproj, LP_EINPUT,
           "is the picture encoder of another model: it gives rows of 39 numbers");
    write_changed(MMPROJ, mmproj, "x", NULL, "mm.0.bias", 3);
    expect(LANGUAGE, mmproj, LP_EMISSING,
           "1 weight is missing or of another shape: model.mm_projector.0.bias");
    write_changed(MMPROJ, mmproj, "llava_plus.preprocessor", "{\"do_resize\": false}", NULL, 0);
    expect(LANGUAGE, mmproj, LP_EINPUT, "do_resize");
    write_changed(MMPROJ, mmproj, "llava_plus.preprocessor", "{", NULL, 0);
    expect(LANGUAGE, mmproj, LP_EINPUT, "not valid JSON");
    write_changed(LANGUAGE, language, "llava_plus.template", "v9", NULL, 0);
    expect(language, MMPROJ, LP_EINPUT, "'v9', which is no template");
    write_changed(LANGUAGE, language, "llava_plus.handles", "yes", NULL, 0);
    expect(language, MMPROJ, LP_EINPUT, "'llava_plus.handles' must be true or false");
    write_changed(LANGUAGE, language, "tokenizer.ggml.scores", NULL, NULL, 0);
    expect(language, MMPROJ, LP_EINPUT, "has no tokenizer of tokens, scores and token types");
    write_changed(LANGUAGE, language, "x", NULL, "token_embd.weight", 49);
    expect(language, MMPROJ, LP_EINPUT, "has 50 tokens, but the model's vocabulary is 49");
    folder_remove(folder);
}

static void template_is(const char *path, const char *key) {
    struct lp_llava *m = open_model(path, MMPROJ);
    assert_string_equal(lp_template_key(lp_llava_template(m)), key);
    lp_llava_close(m);
}

/* What the file says; else the first of the file's, the model's and the folder's names that speaks of LLaVA.
 */
static void chooses_the_template(void **state) {
    (void)state;
    char folder[64], path[100];
    folder_make(folder);
    template_is(LANGUAGE, "llava_v1"); /* by the projector of two layers */
    put_link(folder, "LLaVA-7b.Q4_K.gguf", LANGUAGE);
    snprintf(path, sizeof path, "%s/LLaVA-7b.Q4_K.gguf", folder);
    template_is(path, "llava_v0");
    snprintf(path, sizeof path, "%s/ggml-model.gguf", folder);
    write_changed(LANGUAGE, path, "general.name", "llava-llama-2-7b", NULL, 0);
    template_is(path, "llava_llama_2");
    write_changed(LANGUAGE, path, "llava_plus.template", "llava_v0", NULL, 0);
    template_is(path, "llava_v0");
    folder_remove(folder);
}

static void survives_failing_allocations(void **state) {
    (void)state;
    golden_open_while_allocations_fail(LANGUAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_the_folder_says),
        cmocka_unit_test(finds_the_picture_encoder_beside_the_model),
        cmocka_unit_test(refuses_what_does_not_go_together),
        cmocka_unit_test(refuses_files_that_lie),
        cmocka_unit_test(chooses_the_template),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
