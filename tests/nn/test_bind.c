/* SPDX-License-Identifier: MIT */
/* Weights to fields: names below prefixes, types, what is missing or misshapen is listed, new models of a seed. */
#include "nn/testing.h"

#include "base/memory.h"
#include "op/op.h"
#include "weights/folder.h"
#include "weights/gguf_names.h"
#include "weights/safetensors.h"

struct bench {
    struct lp_arena arena;
    struct lp_parameters parameters;
    struct lp_rng rng;
    struct lp_weights *files;
    struct lp_bind b;
};

/* A file with a.w [2,3], a.n [3], a.h [2,3] in bfloat16, a.i [2] of integers. */
static void bench_open(struct bench *t, bool learns) {
    static const float w[] = {1, 2, 3, 4, 5, 6}, n[] = {7, 8, 9};
    static const uint16_t h[] = {0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0}; /* 1 .. 6 */
    static const int32_t i[] = {1, 2};
    const struct lp_weight weights[] = {
        {.name = "a.w", .type = LP_WEIGHT_F32, .ndim = 2, .dim = {2, 3}, .data = w, .bytes = sizeof w},
        {.name = "a.n", .type = LP_WEIGHT_F32, .ndim = 1, .dim = {3}, .data = n, .bytes = sizeof n},
        {.name = "a.h", .type = LP_WEIGHT_BF16, .ndim = 2, .dim = {2, 3}, .data = h, .bytes = sizeof h},
        {.name = "a.i", .type = LP_WEIGHT_I32, .ndim = 1, .dim = {2}, .data = i, .bytes = sizeof i},
    };
    char folder[64], path[100];
    struct lp_error err = {0};
    *t = (struct bench){0};
    folder_make(folder);
    snprintf(path, sizeof path, "%s/m.safetensors", folder);
    require(lp_safetensors_write(path, weights, 4, NULL, &err), &err);
    t->files = lp_weights_open_file(path, &err); /* mapped: the file may go */
    require(t->files != NULL, &err);
    folder_remove(folder);
    t->b = (struct lp_bind){.arena = &t->arena, .kernels = lp_kernels_find("portable"), .files = t->files,
                            .learns = learns, .parameters = &t->parameters};
}

static void bench_open_new(struct bench *t, uint64_t seed) {
    *t = (struct bench){0};
    lp_rng_seed(&t->rng, seed);
    t->b = (struct lp_bind){.arena = &t->arena, .kernels = lp_kernels_find("portable"), .rng = &t->rng,
                            .learns = true, .parameters = &t->parameters};
}

static void bench_close(struct bench *t) {
    lp_weights_close(t->files);
    lp_arena_done(&t->arena);
}

static void finds_below_prefixes(void **state) {
    (void)state;
    struct bench t;
    struct lp_error err = {0};
    bench_open(&t, false);
    size_t up = lp_bind_enter(&t.b, "%c", 'a');
    lp_tensor *w = lp_bind_tensor(&t.b, "w", LP_BIND_MATRIX, 2, (int64_t)2, (int64_t)3);
    lp_tensor *h = lp_bind_tensor(&t.b, "h", LP_BIND_MATRIX, 2, (int64_t)2, (int64_t)3);
    lp_bind_leave(&t.b, up);
    lp_tensor *n = lp_bind_tensor(&t.b, "a.n", LP_BIND_SCALE, 1, (int64_t)3);
    lp_tensor *e = lp_bind_tensor(&t.b, "a.h", LP_BIND_EMBEDDING, 2, (int64_t)2, (int64_t)3);
    require(lp_bind_done(&t.b, &err), &err);
    assert_true(lp_f32(w)[5] == 6 && lp_f32(n)[2] == 9 && lp_f32(e)[5] == 6);
    assert_int_equal(w->type, LP_F32);
    assert_int_equal(h->type, LP_BF16); /* matrices stay as they are stored */
    assert_ptr_equal(w->data, lp_weights_find(t.files, "a.w")->data);
    assert_ptr_equal(h->data, lp_weights_find(t.files, "a.h")->data);
    assert_int_equal(e->type, LP_F32);
    assert_false(w->learns);
    assert_int_equal(t.parameters.count, 4);
    assert_string_equal(t.parameters.item[1].name, "a.h");
    assert_ptr_equal(t.parameters.item[2].tensor, n);
    bench_close(&t);
}

/* The golden GGUF file holds the same weights as the golden folder, queries with their rows in another order. */
static void rows_of_gguf_files_are_put_back(void **state) {
    (void)state;
    struct bench t = {0};
    struct lp_error err = {0};
    struct lp_weights *folder = lp_weights_open(LP_TESTS_DIR "/golden/llava_mlp", &err);
    t.files = lp_weights_open(LP_TESTS_DIR "/golden/gguf/language.gguf", &err);
    require(folder && t.files, &err);
    t.b = (struct lp_bind){.arena = &t.arena, .kernels = lp_kernels_find("portable"), .files = t.files,
                           .parameters = &t.parameters};
    lp_tensor *q = lp_bind_tensor(&t.b, "model.layers.0.self_attn.q_proj.weight", LP_BIND_MATRIX, 2, (int64_t)40, (int64_t)40);
    require(lp_bind_done(&t.b, &err), &err);
    const struct lp_weight *want = lp_weights_find(folder, "language_model.model.layers.0.self_attn.q_proj.weight");
    assert_memory_equal(q->data, want->data, want->bytes);
    assert_memory_not_equal(lp_weights_find(t.files, "model.layers.0.self_attn.q_proj.weight")->data, want->data,
                            want->bytes);
    lp_weights_close(folder);
    bench_close(&t);
}

/* A GGUF file of a table [32,64], queries [32,64] and a norm [64], all of q8_0 blocks or of float16. */
static struct lp_weights *open_matrices(const struct lp_kernels *k, const float *x, enum lp_dtype type) {
    enum { ROWS = 32, C = 64 };
    static uint8_t rows[ROWS * C * 2], turned[sizeof rows];
    enum lp_weight_type stored = type == LP_F16 ? LP_WEIGHT_F16 : LP_WEIGHT_Q8_0;
    size_t row = (size_t)lp_dtype_row_bytes(type, C), bytes = ROWS * row;
    char folder[64], path[100];
    struct lp_error err = {0};
    struct lp_gguf_metadata m = {0};
    k->from_f32(rows, x, type, ROWS * C);
    lp_gguf_rows_to_file(turned, rows, ROWS, 8, row);
    const struct lp_weight t[] = {
        {.name = "token_embd.weight", .type = stored, .ndim = 2, .dim = {ROWS, C}, .data = rows, .bytes = bytes},
        {.name = "blk.0.attn_q.weight", .type = stored, .ndim = 2, .dim = {ROWS, C}, .data = turned, .bytes = bytes},
        {.name = "output_norm.weight", .type = stored, .ndim = 1, .dim = {C}, .data = rows, .bytes = row}};
    lp_gguf_put_string(&m, "general.architecture", "llama");
    lp_gguf_put_u32(&m, "llama.attention.head_count", 4);
    folder_make(folder);
    snprintf(path, sizeof path, "%s/x.gguf", folder);
    require(lp_gguf_write(path, &m, t, 3, NULL, NULL, &err), &err);
    struct lp_weights *w = lp_weights_open(path, &err);
    require(w != NULL, &err);
    lp_gguf_metadata_done(&m);
    folder_remove(folder);
    return w;
}

/* Matrices of blocks, and of float16 where that is asked for, are packed for products, with rows in Hugging Face's order;
 * tables stay in the file; vectors become float32. */
static void check_packing(enum lp_dtype type) {
    enum { ROWS = 32, C = 64, N = 3 };
    static const int32_t id[N] = {31, 0, 7};
    const struct lp_kernels *k = lp_kernels_find("portable");
    float x[ROWS * C], rounded[ROWS * C];
    uint8_t stored[ROWS * C * 2];
    struct lp_rng rng;
    struct bench t = {0};
    struct lp_error err = {0};
    lp_rng_seed(&rng, 5);
    for (int i = 0; i < ROWS * C; i++)
        x[i] = lp_rng_normal(&rng);
    k->from_f32(stored, x, type, ROWS * C);
    k->to_f32(rounded, stored, type, ROWS * C);
    t.files = open_matrices(k, x, type);
    t.b = (struct lp_bind){
        .arena = &t.arena, .kernels = k, .files = t.files, .packs_half = type == LP_F16, .parameters = &t.parameters};
    lp_tensor *table = lp_bind_tensor(&t.b, "model.embed_tokens.weight", LP_BIND_TABLE, 2, (int64_t)ROWS, (int64_t)C);
    lp_tensor *tied = lp_bind_tensor(&t.b, "model.embed_tokens.weight", LP_BIND_MATRIX, 2, (int64_t)ROWS, (int64_t)C);
    lp_tensor *q = lp_bind_tensor(&t.b, "model.layers.0.self_attn.q_proj.weight", LP_BIND_MATRIX, 2, (int64_t)ROWS,
                                  (int64_t)C);
    lp_tensor *norm = lp_bind_tensor(&t.b, "model.norm.weight", LP_BIND_SCALE, 1, (int64_t)C);
    require(lp_bind_done(&t.b, &err), &err);
    assert_true(tied->packed && q->packed && !table->packed);
    assert_ptr_equal(table->data, lp_weights_find(t.files, "model.embed_tokens.weight")->data);
    assert_memory_equal(lp_f32(norm), rounded, C * sizeof(float));

    lp_run *r = lp_run_open(k, (size_t)16 << 20, &err);
    lp_tensor *rows = lp_embedding(r, table, id, N), *same = lp_embedding(r, tied, id, N);
    lp_tensor *y = lp_matmul(r, rows, q, NULL), *z = lp_matmul(r, rows, tied, NULL);
    require(lp_run_check(r, &err), &err);
    for (int i = 0; i < N; i++) {
        assert_memory_equal(lp_f32(rows) + i * C, rounded + id[i] * C, C * sizeof(float));
        assert_memory_equal(lp_f32(same) + i * C, rounded + id[i] * C, C * sizeof(float));
        for (int n = 0; n < ROWS; n++) {
            float want = 0;
            for (int c = 0; c < C; c++)
                want += rounded[id[i] * C + c] * rounded[n * C + c];
            assert_true(fabsf(lp_f32(y)[i * ROWS + n] - want) < 0.5f); /* a product of 64 pairs, rounded to 8 bits */
            assert_true(lp_f32(z)[i * ROWS + n] == lp_f32(y)[i * ROWS + n]);
        }
    }
    r->taping = true;
    assert_null(lp_matmul(r, rows, q, NULL));
    lp_run_close(r);
    bench_close(&t);
}

static void matrices_are_packed(void **state) {
    (void)state;
    check_packing(LP_Q8_0);
    check_packing(LP_F16);
}

static void learning_takes_copies(void **state) {
    (void)state;
    struct bench t;
    struct lp_error err = {0};
    bench_open(&t, true);
    lp_tensor *w = lp_bind_tensor(&t.b, "a.w", LP_BIND_MATRIX, 2, (int64_t)2, (int64_t)3);
    lp_tensor *h = lp_bind_tensor(&t.b, "a.h", LP_BIND_MATRIX, 2, (int64_t)2, (int64_t)3);
    require(lp_bind_done(&t.b, &err), &err);
    assert_true(w->learns && h->learns && h->type == LP_F32);
    assert_ptr_not_equal(w->data, lp_weights_find(t.files, "a.w")->data);
    lp_f32(w)[0] = 50;
    assert_memory_equal(lp_f32(h), ((const float[]){1, 2, 3, 4, 5, 6}), 24);
    bench_close(&t);
}

static void lists_what_does_not_fit(void **state) {
    (void)state;
    struct bench t;
    struct lp_error err = {0};
    bench_open(&t, false);
    size_t up = lp_bind_enter(&t.b, "a");
    lp_bind_tensor(&t.b, "w", LP_BIND_MATRIX, 2, (int64_t)3, (int64_t)2);
    lp_bind_tensor(&t.b, "n", LP_BIND_SCALE, 2, (int64_t)3, (int64_t)1);
    lp_bind_tensor(&t.b, "i", LP_BIND_SHIFT, 1, (int64_t)2);
    size_t deeper = lp_bind_enter(&t.b, "block.%d", 7);
    lp_bind_tensor(&t.b, "gone", LP_BIND_SHIFT, 1, (int64_t)2);
    lp_bind_leave(&t.b, deeper);
    lp_bind_tensor(&t.b, "h", LP_BIND_MATRIX, 2, (int64_t)2, (int64_t)3);
    lp_bind_leave(&t.b, up);
    assert_string_equal(t.b.prefix, "");
    assert_false(lp_bind_done(&t.b, &err));
    assert_int_equal(err.code, LP_EMISSING);
    assert_non_null(strstr(err.text, "4 weights"));
    assert_non_null(strstr(err.text, "a.w (must be [3,2])"));
    assert_non_null(strstr(err.text, "a.n (must be [3,1])"));
    assert_non_null(strstr(err.text, "a.i (must be float32"));
    assert_non_null(strstr(err.text, "a.block.7.gone"));
    assert_null(strstr(err.text, "a.h"));
    bench_close(&t);
    bench_open(&t, false);
    lp_bind_tensor(&t.b, "one", LP_BIND_SHIFT, 1, (int64_t)2);
    assert_false(lp_bind_done(&t.b, &err));
    assert_non_null(strstr(err.text, "1 weight is"));
    bench_close(&t);
}

/* Names that are too long are cut, never written beyond the prefix. */
static void long_prefixes_end(void **state) {
    (void)state;
    struct bench t;
    struct lp_error err = {0};
    char word[201];
    memset(word, 'x', 200);
    word[200] = 0;
    bench_open(&t, false);
    size_t up = lp_bind_enter(&t.b, "%s", word), deeper = lp_bind_enter(&t.b, "%s", word);
    assert_true(strlen(t.b.prefix) < sizeof t.b.prefix);
    lp_bind_tensor(&t.b, "w", LP_BIND_MATRIX, 1, (int64_t)2);
    lp_bind_leave(&t.b, deeper);
    assert_int_equal(strlen(t.b.prefix), 201);
    lp_bind_leave(&t.b, up);
    assert_false(lp_bind_done(&t.b, &err));
    assert_int_equal(err.code, LP_EMISSING);
    bench_close(&t);
}

enum { MANY = 100 }; /* parameters: the list must grow */

static void bind_many(struct lp_bind *b, lp_tensor *x[MANY]) {
    static const enum lp_bind_kind kinds[] = {LP_BIND_MATRIX, LP_BIND_EMBEDDING, LP_BIND_SCALE, LP_BIND_SHIFT};
    for (int i = 0; i < MANY; i++) {
        size_t up = lp_bind_enter(b, "block.%d", i);
        x[i] = lp_bind_tensor(b, "w", kinds[i % 4], 2, (int64_t)20, (int64_t)30);
        lp_bind_leave(b, up);
    }
}

static void new_models_are_drawn_from_the_seed(void **state) {
    (void)state;
    struct bench t[3];
    lp_tensor *x[3][MANY];
    struct lp_error err = {0};
    for (int i = 0; i < 3; i++) {
        bench_open_new(&t[i], i == 2 ? 4 : 3);
        bind_many(&t[i].b, x[i]);
        require(lp_bind_done(&t[i].b, &err), &err);
        assert_int_equal(t[i].parameters.count, MANY);
        assert_string_equal(t[i].parameters.item[99].name, "block.99.w");
    }
    for (int i = 0; i < MANY; i++) {
        const float *a = lp_f32(x[0][i]);
        double sum = 0, squares = 0;
        for (int j = 0; j < 600; j++) {
            sum += a[j];
            squares += (double)a[j] * a[j];
        }
        assert_memory_equal(a, lp_f32(x[1][i]), 600 * sizeof *a);
        assert_int_equal(memcmp(a, lp_f32(x[2][i]), 600 * sizeof *a) != 0, i % 4 < 2);
        if (i % 4 < 2) { /* normal; a matrix by its 30 inputs */
            double deviation = i % 4 ? 0.02 : 1 / sqrt(30);
            assert_true(fabs(sum / 600) < 0.25 * deviation);
            assert_true(fabs(sqrt(squares / 600) - deviation) < 0.15 * deviation);
        } else {
            assert_true(sum == (i % 4 == 2 ? 600 : 0) && squares == sum);
        }
        assert_true(x[0][i]->learns);
    }
    for (int i = 0; i < 3; i++)
        bench_close(&t[i]);
}

static void survives_failing_allocations(void **state) {
    (void)state;
    bool done = false;
    for (long n = 1; !done; n++) {
        struct bench t;
        lp_tensor *x[MANY];
        struct lp_error err = {0};
        bench_open_new(&t, 1);
        lp_test_fail_alloc(n);
        bind_many(&t.b, x);
        done = lp_bind_done(&t.b, &err);
        lp_test_fail_alloc(0);
        if (!done)
            assert_int_equal(err.code, LP_EMEMORY);
        bench_close(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_below_prefixes),
        cmocka_unit_test(rows_of_gguf_files_are_put_back),
        cmocka_unit_test(matrices_are_packed),
        cmocka_unit_test(learning_takes_copies),
        cmocka_unit_test(lists_what_does_not_fit),
        cmocka_unit_test(long_prefixes_end),
        cmocka_unit_test(new_models_are_drawn_from_the_seed),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
