/* SPDX-License-Identifier: MIT */
/* Models written as GGUF files: what the files say and hold, that they say nearly what the model says, what
 * is refused. */
#include "model/golden.h"

#include "base/file.h"
#include "base/memory.h"
#include "model/llava_packed.h"
#include "model/llava_quantize.h"
#include "model/llava_room.h"
#include "weights/folder.h"
#include "weights/safetensors.h"

#include <math.h>

#define CONFIG                                                                                               \
    "{\"model_type\": \"llava\", \"llava_plus_template\": \"llava_v0\", \"llava_plus_handles\": true, "      \
    "\"text_config\": {\"hidden_size\": 256, \"num_hidden_layers\": 3, \"num_attention_heads\": 4, "         \
    "\"num_key_value_heads\": 2, \"intermediate_size\": 96, \"vocab_size\": 64, "                            \
    "\"max_position_embeddings\": 128, \"rms_norm_eps\": 1e-5, \"rope_theta\": 500}, "                       \
    "\"vision_config\": {\"hidden_size\": 24, \"num_hidden_layers\": 3, \"num_attention_heads\": 3, "        \
    "\"intermediate_size\": 33, \"image_size\": 28, \"patch_size\": 7}}"
enum { VOCABULARY = 64, TEXT = 6 };

static const enum lp_dtype types[] = {LP_Q8_0, LP_Q4_0, LP_Q4_K, LP_Q6_K};
enum { TYPES = 4 };

/* A new model in a folder, and a folder for what is made of it. */
struct place {
    char model[64], out[64], gguf[100];
};

static int setup(void **state) {
    static struct place p;
    struct lp_error err = {0};
    char path[100];
    folder_make(p.model);
    folder_make(p.out);
    folder_put(p.model, "config.json", CONFIG, strlen(CONFIG));
    snprintf(path, sizeof path, "%s/tokenizer.model", p.model);
    assert_int_equal(symlink(GOLDEN "llava_mlp/tokenizer.model", path), 0);
    snprintf(p.gguf, sizeof p.gguf, "%s/x.gguf", p.out);
    struct lp_llava *m = lp_llava_open_to_learn(p.model, lp_kernels_cpu(), 6, &err);
    require(m != NULL, &err);
    require(lp_llava_save(m, p.model, p.model, LP_F32, &err), &err);
    lp_llava_close(m);
    *state = &p;
    return 0;
}

static int teardown(void **state) {
    struct place *p = *state;
    folder_remove(p->model);
    folder_remove(p->out);
    return 0;
}

static struct lp_quantize_report quantize(const char *from, const char *to, enum lp_dtype type) {
    struct lp_error err = {0};
    struct lp_quantize_report report;
    const struct lp_quantize_request q = {
        .from = from, .to = to, .type = type, .force = true, .kernels = lp_kernels_cpu()};
    require(lp_llava_quantize(&q, &report, &err), &err);
    return report;
}

/* The logits after a picture, that is wider than high, and some words. */
static void say(const char *path, float logits[VOCABULARY]) {
    static const int32_t id[TEXT] = {1, 29, LP_IMAGE_TOKEN, 34, 24, 41};
    struct lp_error err = {0};
    struct lp_llava *m = lp_llava_open(path, lp_kernels_cpu(), &err);
    require(m != NULL, &err);
    struct lp_image *image = lp_image_new(50, 40, &err);
    require(image != NULL, &err);
    for (int i = 0; i < 50 * 40 * 3; i++)
        image->pixel[i] = (uint8_t)(i * 7 + i / 50);
    struct lp_llava_picture *picture = lp_llava_see(m, image, NULL, NULL, &err);
    struct lp_llava_state *s = lp_llava_state_open(m, &err);
    require(picture && s, &err);
    const struct lp_llava_picture *const shown[] = {picture};
    const float *got = lp_llava_feed(s, id, TEXT, shown, 1, &err);
    require(got != NULL, &err);
    memcpy(logits, got, VOCABULARY * sizeof *logits);
    lp_llava_state_close(s);
    lp_llava_picture_close(picture);
    lp_image_close(image);
    lp_llava_close(m);
}

/* The root of the mean square difference over that of what is wanted. */
static double error_of(const float *got, const float *want) {
    double error = 0, size = 0;
    for (int i = 0; i < VOCABULARY; i++) {
        error += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        size += (double)want[i] * want[i];
    }
    return sqrt(error / size);
}

static void says_nearly_the_same(void **state) {
    struct place *p = *state;
    static const double most[TYPES] = {0.04, 0.35, 0.3, 0.1}; /* weights of no training: small changes grow */
    float want[VOCABULARY], got[VOCABULARY];
    say(p->model, want);
    for (int i = 0; i < TYPES; i++) {
        struct lp_quantize_report r = quantize(p->model, p->gguf, types[i]);
        assert_int_equal(r.tensors, 3 + 9 * 3);
        say(p->gguf, got); /* finds mmproj-x.gguf */
        double error = error_of(got, want);
        if (!(error <= most[i]))
            fail_msg("type %d: relative error %.4f", types[i], error);
    }
}

static const struct lp_weight *find(const struct lp_weights *w, const char *name) {
    const struct lp_weight *t = lp_weights_find(w, name);
    if (!t)
        fail_msg("%s is not there", name);
    return t;
}

static struct lp_weights *open_made(const struct place *p, const char *mmproj) {
    struct lp_error err = {0};
    const char *const paths[] = {p->gguf, mmproj};
    struct lp_weights *w = lp_weights_open_files(paths, 2, &err);
    require(w != NULL, &err);
    return w;
}

/* Types of tensors: what llama.cpp's Q4_K_M has, and what the rows allow. */
static void gives_each_matrix_its_type(void **state) {
    struct place *p = *state;
    static const struct {
        const char *name;
        enum lp_weight_type type[TYPES]; /* of q8_0, q4_0, q4_K, q6_K */
    } want[] = {
        {"model.embed_tokens.weight", {LP_WEIGHT_Q8_0, LP_WEIGHT_Q4_0, LP_WEIGHT_Q4_K, LP_WEIGHT_Q6_K}},
        {"lm_head.weight", {LP_WEIGHT_Q8_0, LP_WEIGHT_Q6_K, LP_WEIGHT_Q6_K, LP_WEIGHT_Q6_K}},
        {"model.layers.0.self_attn.v_proj.weight",
         {LP_WEIGHT_Q8_0, LP_WEIGHT_Q4_0, LP_WEIGHT_Q4_K, LP_WEIGHT_Q6_K}},
        {"model.layers.2.self_attn.v_proj.weight",
         {LP_WEIGHT_Q8_0, LP_WEIGHT_Q4_0, LP_WEIGHT_Q6_K, LP_WEIGHT_Q6_K}},
        {"model.layers.2.self_attn.k_proj.weight",
         {LP_WEIGHT_Q8_0, LP_WEIGHT_Q4_0, LP_WEIGHT_Q4_K, LP_WEIGHT_Q6_K}},
        {"model.layers.0.mlp.down_proj.weight", /* rows of 96 */
         {LP_WEIGHT_Q8_0, LP_WEIGHT_Q4_0, LP_WEIGHT_Q8_0, LP_WEIGHT_Q8_0}},
        {"model.norm.weight", {LP_WEIGHT_F32, LP_WEIGHT_F32, LP_WEIGHT_F32, LP_WEIGHT_F32}},
        {"model.mm_projector.0.weight", {LP_WEIGHT_F16, LP_WEIGHT_F16, LP_WEIGHT_F16, LP_WEIGHT_F16}},
        {"model.mm_projector.0.bias", {LP_WEIGHT_F32, LP_WEIGHT_F32, LP_WEIGHT_F32, LP_WEIGHT_F32}},
    };
    static const int64_t others[TYPES] = {0, 0, 3, 3}, file_types[TYPES] = {7, 2, 15, 18};
    for (int i = 0; i < TYPES; i++) {
        struct lp_quantize_report r = quantize(p->model, p->gguf, types[i]);
        struct lp_weights *w = open_made(p, r.mmproj);
        int64_t number;
        assert_int_equal(r.others, others[i]);
        for (size_t k = 0; k < sizeof want / sizeof *want; k++)
            assert_int_equal(find(w, want[k].name)->type, want[k].type[i]);
        assert_true(lp_gguf_int(lp_weights_gguf(w, 0), "general.file_type", -1, 0, 99, &number, NULL));
        assert_int_equal(number, file_types[i]);
        lp_weights_close(w);
    }
}

/* The words of the metadata, and blocks as the quantiser makes them of the folder's numbers. */
static void writes_what_the_folder_says(void **state) {
    struct place *p = *state;
    struct lp_error err = {0};
    struct lp_arena arena = {0};
    const char *text;
    bool handles;
    struct lp_quantize_report r = quantize(p->model, p->gguf, LP_Q8_0);
    struct lp_weights *w = open_made(p, r.mmproj), *folder = lp_weights_open(p->model, &err);
    require(folder != NULL, &err);
    const struct lp_gguf *g = lp_weights_gguf(w, 0);
    assert_true(lp_gguf_string(g, "llava_plus.template", "", &arena, &text, &err));
    assert_string_equal(text, "llava_v0");
    assert_true(lp_gguf_bool(g, "llava_plus.handles", false, &handles, &err) && handles);
    assert_int_equal(lp_gguf_find(g, "tokenizer.ggml.tokens")->count,
                     VOCABULARY); /* the tokenizer's are 50 */

    const struct lp_weight *q = find(folder, "language_model.model.layers.1.self_attn.q_proj.weight");
    const struct lp_weight *got = find(w, "model.layers.1.self_attn.q_proj.weight");
    uint8_t *want = lp_alloc(got->bytes), *plain = lp_alloc(got->bytes);
    lp_kernels_cpu()->from_f32(want, q->data, LP_Q8_0, lp_weight_elements(q));
    lp_weights_copy(w, got, plain);
    assert_int_equal(lp_weights_head_rows(w, got), 64);
    assert_memory_equal(plain, want, got->bytes);
    assert_memory_not_equal(got->data, want, got->bytes); /* in the file rows of a head take turns */
    lp_free(want);
    lp_free(plain);
    assert_null(lp_weights_find(
        w, "model.vision_tower.vision_tower.vision_model.encoder.layers.2.layer_norm1.weight"));
    assert_null(lp_weights_find(w, "model.vision_tower.vision_tower.vision_model.post_layernorm.weight"));
    lp_arena_done(&arena);
    lp_weights_close(folder);
    lp_weights_close(w);
}

/* From a GGUF file: tensors that have the type already stay bit for bit, metadata stays. */
static void quantizes_a_gguf_file(void **state) {
    struct place *p = *state;
    char again[100];
    struct lp_error err = {0};
    quantize(p->model, p->gguf, LP_Q8_0);
    snprintf(again, sizeof again, "%s/again.gguf", p->out);
    quantize(p->gguf, again, LP_Q8_0);
    size_t n[2];
    char *bytes[2] = {lp_file_read(p->gguf, 1 << 24, &n[0], &err), lp_file_read(again, 1 << 24, &n[1], &err)};
    assert_true(bytes[0] && bytes[1] && n[0] == n[1]);
    struct lp_weights *w[2] = {lp_weights_open(p->gguf, &err), lp_weights_open(again, &err)};
    for (size_t i = 0; i < lp_weights_count(w[0]); i++) {
        const struct lp_weight *a = lp_weights_at(w[0], i), *b = lp_weights_at(w[1], i);
        assert_string_equal(a->name, b->name);
        assert_memory_equal(a->data, b->data, a->bytes);
    }
    float want[VOCABULARY], got[VOCABULARY];
    say(p->gguf, want);
    quantize(p->gguf, again, LP_Q6_K);
    say(again, got);
    assert_true(error_of(got, want) < 0.1);
    for (int i = 0; i < 2; i++) {
        lp_free(bytes[i]);
        lp_weights_close(w[i]);
    }
}

/* A language model alone makes one file. */
static void quantizes_a_language_model_alone(void **state) {
    struct place *p = *state;
    char folder[64], path[100], to[100];
    folder_make(folder);
    snprintf(path, sizeof path, "%s/config.json", folder);
    assert_int_equal(symlink(GOLDEN "llama_tied/config.json", path), 0);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    assert_int_equal(symlink(GOLDEN "llama_tied/model.safetensors", path), 0);
    snprintf(path, sizeof path, "%s/tokenizer.model", folder);
    assert_int_equal(symlink(GOLDEN "llava_mlp/tokenizer.model", path), 0);
    snprintf(to, sizeof to, "%s/alone.gguf", p->out);
    struct lp_quantize_report r = quantize(folder, to, LP_Q8_0);
    assert_string_equal(r.mmproj, "");
    assert_int_equal(r.tensors, 2 + 9 * 3);
    folder_remove(folder);
}

static void refuse(const struct lp_quantize_request *q, enum lp_code code, const char *says) {
    struct lp_error err = {0};
    struct lp_quantize_report report;
    if (lp_llava_quantize(q, &report, &err))
        fail_msg("'%s' was expected", says);
    if (err.code != code || !strstr(err.text, says) || strchr(err.text, '\n'))
        fail_msg("not '%s' but: code %d, %s", says, err.code, err.text);
}

/* The model's folder with one weight changed: to a number, or gone. */
static void spoil(const struct place *p, const char *folder, const char *name, float number) {
    char path[100], to[100];
    struct lp_error err = {0};
    struct lp_weights *w = lp_weights_open(p->model, &err);
    require(w != NULL, &err);
    struct lp_weight *t = lp_alloc_array(lp_weights_count(w), sizeof *t);
    float *numbers = NULL;
    size_t n = 0;
    for (size_t i = 0; i < lp_weights_count(w); i++) {
        t[n] = *lp_weights_at(w, i);
        if (!strcmp(t[n].name, name)) {
            if (number == 0)
                continue;
            numbers = lp_alloc(t[n].bytes);
            memcpy(numbers, t[n].data, t[n].bytes);
            numbers[t[n].bytes / sizeof *numbers - 1] = number;
            t[n].data = numbers;
        }
        n++;
    }
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    require(lp_safetensors_write(path, t, n, NULL, &err), &err);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", p->model, i ? "config.json" : "tokenizer.model");
        snprintf(to, sizeof to, "%s/%s", folder, i ? "config.json" : "tokenizer.model");
        if (symlink(path, to) != 0)
            assert_true(lp_file_exists(to));
    }
    lp_free(numbers);
    lp_free(t);
    lp_weights_close(w);
}

static void refuses_and_leaves_what_was_there(void **state) {
    struct place *p = *state;
    char folder[64], fresh[100];
    const char *name = "language_model.model.layers.1.mlp.up_proj.weight";
    struct lp_quantize_request q = {
        .from = p->model, .to = p->gguf, .type = LP_Q8_0, .kernels = lp_kernels_find("portable")};
    quantize(p->model, p->gguf, LP_Q8_0);
    refuse(&q, LP_EUSAGE, "x.gguf' is there already; say --force");
    unlink(p->gguf);
    refuse(&q, LP_EUSAGE, "mmproj-x.gguf' is there already; say --force");
    snprintf(fresh, sizeof fresh, "%s/fresh.gguf", p->out);
    q.to = p->out;
    refuse(&q, LP_EUSAGE, "must end in .gguf");
    q.to = fresh;
    q.type = LP_F16;
    refuse(&q, LP_EUSAGE, "the type must be");
    q.type = LP_Q4_K;
    q.to = "/nowhere/x.gguf";
    refuse(&q, LP_EIO, "/nowhere/");
    q.to = fresh;
    q.from = "/nowhere";
    refuse(&q, LP_EIO, "/nowhere/config.json");
    q.from = GOLDEN "clip_odd";
    refuse(&q, LP_EINPUT, "'model_type' is 'clip_vision_model'");
    folder_make(folder);
    q.from = folder;
    spoil(p, folder, name, 0);
    refuse(&q, LP_EMISSING,
           "1 weight is missing or of another shape: language_model.model.layers.1.mlp.up_proj.weight");
    spoil(p, folder, name, NAN);
    refuse(&q, LP_EINPUT, "up_proj.weight' holds a number that is not finite");
    assert_false(lp_file_exists(fresh));
    folder_remove(folder);
}

/* What is laid out anew takes memory of its own; where there is too little, the sentence says which type would fit. */
static void says_what_would_fit(void **state) {
    struct place *p = *state;
    struct lp_error err = {0};
    quantize(p->model, p->gguf, LP_Q8_0);
    struct lp_llava *m = lp_llava_open(p->gguf, lp_kernels_cpu(), &err), *folder = lp_llava_open(p->model, lp_kernels_cpu(), &err);
    require(m && folder, &err);
    assert_true(lp_llava_copied_bytes(m) > 0);
    assert_int_equal(lp_llava_copied_bytes(folder), 0); /* mapped as it is */
    assert_false(lp_llava_no_room(folder, "big", (int64_t)1 << 40, &err));
    assert_int_equal(err.code, LP_EMEMORY);
    assert_non_null(strstr(err.text, "big: its weights take 0.0"));
    assert_non_null(strstr(err.text, "quantised to q8_0, about 0.0"));
    lp_llava_no_room(m, "small", 0, &err);
    assert_non_null(strstr(err.text, "0.00 GB are free: too few for it in any type; take a smaller model"));
    lp_llava_close(folder);
    lp_llava_close(m);
}

/* Whether opening found a packed file that is the model's. */
static bool opens_packed(const char *gguf) {
    struct lp_error err = {0};
    struct lp_llava *m = lp_llava_open(gguf, lp_kernels_cpu(), &err);
    require(m != NULL, &err);
    bool packed = m->packed != NULL;
    lp_llava_close(m);
    return packed;
}

static struct lp_packed_report pack(const char *gguf) {
    struct lp_error err = {0};
    struct lp_packed_report report;
    require(lp_llava_pack(gguf, NULL, lp_kernels_cpu(), &report, &err), &err);
    return report;
}

/* A packed file changes how a model opens, not a bit of what it says; what is not the model's own is as good as
 * none. */
static void says_the_same_when_packed(void **state) {
    struct place *p = *state;
    float plain[VOCABULARY], packed[VOCABULARY];
    char beside[110];
    snprintf(beside, sizeof beside, "%s.packed", p->gguf);
    for (int t = 0; t < TYPES; t++) {
        quantize(p->model, p->gguf, types[t]);
        assert_false(opens_packed(p->gguf));
        say(p->gguf, plain);
        struct lp_packed_report report = pack(p->gguf);
        assert_string_equal(report.path, beside);
        assert_int_equal(report.matrices, 3 * 7 + 1); /* three blocks' and the output matrix; not the table */
        assert_true(opens_packed(p->gguf));
        say(p->gguf, packed);
        assert_memory_equal(packed, plain, sizeof plain);
    }
    struct lp_packed_report again = pack(p->gguf); /* of the packed model itself */
    assert_int_equal(again.matrices, 3 * 7 + 1);
    say(p->gguf, packed);
    assert_memory_equal(packed, plain, sizeof plain);
    quantize(p->model, p->gguf, types[TYPES - 1]); /* another file than it was made of */
    assert_false(opens_packed(p->gguf));
    pack(p->gguf);
    assert_int_equal(truncate(beside, again.bytes / 2), 0);
    assert_false(opens_packed(p->gguf));
    say(p->gguf, packed);
    assert_memory_equal(packed, plain, sizeof plain);
    unlink(beside);
}

/* Rows of 40 and 33 numbers are no whole blocks: a model of float16. It is used as it is, and packed in panels. */
static void packs_float16(void **state) {
    struct place *p = *state;
    struct lp_error err = {0};
    float plain[VOCABULARY], packed[VOCABULARY];
    char beside[110];
    snprintf(beside, sizeof beside, "%s.packed", p->gguf);
    quantize(GOLDEN "llava_mlp", p->gguf, LP_Q8_0);
    say(p->gguf, plain);
    struct lp_llava *rows = lp_llava_open(p->gguf, lp_kernels_cpu(), &err);
    require(rows != NULL, &err);
    assert_true(rows->llama.head.w->type == LP_F16 && !rows->llama.head.w->packed);
    assert_int_equal(pack(p->gguf).matrices, 2 * 7 + 1);
    struct lp_llava *panels = lp_llava_open(p->gguf, lp_kernels_cpu(), &err);
    require(panels != NULL, &err);
    assert_true(panels->llama.head.w->type == LP_F16 && panels->llama.head.w->packed);
    assert_false(panels->projector.first.w->packed);
    assert_false(lp_hash_equal(lp_llava_identity(rows), lp_llava_identity(panels))); /* sums have another order */
    say(p->gguf, packed);
    assert_true(error_of(packed, plain) < 1e-5);

    const struct lp_weight *head = lp_weights_find(rows->files, "lm_head.weight");
    const struct lp_weight old[] = {
        {.name = "packed:source", .type = LP_WEIGHT_U8, .ndim = 1, .dim = {sizeof rows->digest},
         .data = &rows->digest, .bytes = sizeof rows->digest},
        {.name = "lm_head.weight", .type = LP_WEIGHT_U8, .ndim = 1, .dim = {(int64_t)head->bytes},
         .data = head->data, .bytes = head->bytes}};
    require(lp_safetensors_write(beside, old, 2, NULL, &err), &err); /* as older versions laid it out */
    assert_false(opens_packed(p->gguf));
    say(p->gguf, packed);
    assert_memory_equal(packed, plain, sizeof plain);
    lp_llava_close(rows);
    lp_llava_close(panels);
    unlink(beside);
}

static void packs_only_what_needs_it(void **state) {
    struct place *p = *state;
    struct lp_error err = {0};
    struct lp_packed_report report;
    assert_false(lp_llava_pack(p->model, NULL, lp_kernels_cpu(), &report, &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_non_null(strstr(err.text, "can be used as they are"));
    assert_false(lp_file_exists(report.path));
}

static void survives_failing_allocations(void **state) {
    struct place *p = *state;
    bool done = false;
    for (long n = 1; !done; n += n / 50 + 1) {
        struct lp_error err = {0};
        struct lp_quantize_report report;
        const struct lp_quantize_request q = {.from = p->model,
                                              .to = p->gguf,
                                              .type = LP_Q8_0,
                                              .force = true,
                                              .kernels = lp_kernels_find("portable")};
        lp_test_fail_alloc(n);
        done = lp_llava_quantize(&q, &report, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        if (done ? failed : err.code != LP_EMEMORY)
            fail_msg("allocation %ld: code %d, %s", n, err.code, err.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_nearly_the_same),
        cmocka_unit_test(gives_each_matrix_its_type),
        cmocka_unit_test(writes_what_the_folder_says),
        cmocka_unit_test(quantizes_a_gguf_file),
        cmocka_unit_test(quantizes_a_language_model_alone),
        cmocka_unit_test(refuses_and_leaves_what_was_there),
        cmocka_unit_test(says_what_would_fit),
        cmocka_unit_test(says_the_same_when_packed),
        cmocka_unit_test(packs_float16),
        cmocka_unit_test(packs_only_what_needs_it),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
