/* SPDX-License-Identifier: MIT */
/* LLaVA's interface: what is refused leaves a conversation as it was; rows can be forgotten; states share a
 * model; a picture is seen; weights in 16 bits; new models; failing allocations. */
#include "model/golden.h"

#include "base/memory.h"
#include "weights/folder.h"
#include "weights/safetensors.h"

#define BASE GOLDEN "llava_mlp"
enum { VOCABULARY = 64, PATCHES = 16, WIDTH = 40, CONTEXT = 256 };

static const int32_t prompt[] = {1, 29, 34, LP_IMAGE_TOKEN, 24, 41};
enum { PROMPT = 6, PROMPT_ROWS = 5 + PATCHES };

struct talk {
    struct lp_llava *m;
    struct lp_llava_state *s;
    struct lp_image *image;
    struct lp_llava_picture *picture;
};

static struct lp_image *make_image(int width, int height) {
    struct lp_error err = {0};
    struct lp_image *image = lp_image_new(width, height, &err);
    require(image != NULL, &err);
    for (int i = 0; i < width * height * 3; i++)
        image->pixel[i] = (uint8_t)(i * 7 + i / 50);
    return image;
}

static int setup(void **state) {
    static struct talk t;
    struct lp_error err = {0};
    t.m = lp_llava_open(BASE, lp_kernels_cpu(), &err);
    require(t.m != NULL, &err);
    t.s = lp_llava_state_open(t.m, &err);
    require(t.s != NULL, &err);
    t.image = make_image(50, 40);
    t.picture = lp_llava_see(t.m, t.image, NULL, NULL, &err);
    require(t.picture != NULL, &err);
    *state = &t;
    return 0;
}

static int teardown(void **state) {
    struct talk *t = *state;
    lp_llava_picture_close(t->picture);
    lp_image_close(t->image);
    lp_llava_state_close(t->s);
    lp_llava_close(t->m);
    lp_llava_picture_close(NULL);
    lp_llava_state_close(NULL);
    lp_llava_close(NULL);
    return 0;
}

static void feed(struct talk *t, struct lp_llava_state *s, const int32_t *id, int64_t n, float *logits) {
    struct lp_error err = {0};
    const struct lp_llava_picture *const shown[] = {t->picture, t->picture};
    int64_t marks = 0;
    for (int64_t i = 0; i < n; i++)
        marks += id[i] == LP_IMAGE_TOKEN;
    const float *got = lp_llava_feed(s, id, n, shown, marks, &err);
    require(got != NULL, &err);
    memcpy(logits, got, sizeof(float) * VOCABULARY);
}

static void assert_near(const float *got, const float *want, int64_t n, double most) {
    double difference = golden_difference(got, want, n);
    if (!(difference <= most))
        fail_msg("relative difference %.3g", difference);
}

static void tells_about_itself(void **state) {
    struct talk *t = *state;
    assert_string_equal(lp_llava_name(t->m), "llava_mlp");
    assert_int_equal(lp_llava_vocabulary(t->m), VOCABULARY);
    assert_int_equal(lp_llava_context(t->m), CONTEXT);
    assert_false(lp_llava_knows_handles(t->m));
    assert_int_equal(lp_tokenizer_size(lp_llava_tokenizer(t->m)), 50);
    assert_int_equal(lp_llava_count_rows(t->m, prompt, PROMPT), PROMPT_ROWS);
    struct lp_error err = {0};
    struct lp_llava *m = lp_llava_open(BASE "///", lp_kernels_cpu(), &err);
    require(m != NULL, &err);
    assert_string_equal(lp_llava_name(m), "llava_mlp");
    lp_llava_close(m);
}

/* A picture's rows are the projected features of its preprocessed pixels. */
static void sees_a_picture(void **state) {
    struct talk *t = *state;
    struct lp_error err = {0};
    assert_int_equal(t->picture->rows, PATCHES);
    assert_int_equal(t->picture->width, WIDTH);
    lp_run *r = lp_run_open(lp_kernels_cpu(), (size_t)64 << 20, &err);
    lp_tensor *pixels = lp_new(r, 4, (int64_t)1, (int64_t)3, (int64_t)28, (int64_t)28);
    struct lp_preprocess p;
    lp_preprocess_defaults(&p);
    p.size = p.crop = 28;
    require(lp_preprocess_run(&p, t->image, lp_f32(pixels), &err), &err);
    lp_tensor *want = lp_llava_project(r, t->m, pixels);
    require(lp_run_check(r, &err), &err);
    assert_near(t->picture->data, lp_f32(want), PATCHES * WIDTH, 0);
    lp_run_close(r);
}

static void refuses_and_goes_on(void **state) {
    struct talk *t = *state;
    float want[VOCABULARY], got[VOCABULARY];
    static int32_t many[CONTEXT + 1];
    const int32_t next = 7;
    lp_llava_state_cut(t->s, 0);
    feed(t, t->s, prompt, PROMPT, want);
    feed(t, t->s, &next, 1, want);
    lp_llava_state_cut(t->s, PROMPT_ROWS);

    float data[PATCHES * WIDTH] = {0};
    struct lp_llava_picture narrow = {.rows = PATCHES, .width = WIDTH - 1, .data = data};
    struct lp_llava_picture few = {.rows = PATCHES - 1, .width = WIDTH, .data = data};
    const struct lp_llava_picture *const right[] = {t->picture}, *const wrong[] = {&narrow, &few};
    const struct {
        const int32_t *id;
        int64_t n;
        const struct lp_llava_picture *const *pictures;
        int64_t count;
        enum lp_code code;
        const char *says;
    } cases[] = {
        {prompt, 0, NULL, 0, LP_EINPUT, "pictures"},
        {prompt, PROMPT, NULL, 0, LP_EINPUT, "speaks of 1 pictures, but 0"},
        {&next, 1, right, 1, LP_EINPUT, "speaks of 0 pictures, but 1"},
        {prompt, PROMPT, &wrong[0], 1, LP_EUSAGE, "another model"},
        {prompt, PROMPT, &wrong[1], 1, LP_EUSAGE, "another model"},
        {(const int32_t[]){3, VOCABULARY}, 2, NULL, 0, LP_EINPUT, "token 64 is not"},
        {(const int32_t[]){3, -1}, 2, NULL, 0, LP_EINPUT, "token -1 is not"},
        {(const int32_t[]){-100}, 1, NULL, 0, LP_EINPUT, "token -100 is not"},
        {many, CONTEXT - PROMPT_ROWS + 1, NULL, 0, LP_EINPUT, "longer than the 256 positions"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_error err = {0};
        assert_null(lp_llava_feed(t->s, cases[i].id, cases[i].n, cases[i].pictures, cases[i].count, &err));
        if (err.code != cases[i].code || !strstr(err.text, cases[i].says))
            fail_msg("case %zu: code %d, %s", i, err.code, err.text);
        assert_int_equal(lp_llava_state_rows(t->s), PROMPT_ROWS);
    }
    feed(t, t->s, &next, 1, got);
    assert_near(got, want, VOCABULARY, 0);
    feed(t, t->s, many, CONTEXT - PROMPT_ROWS - 1, got); /* exactly full */
    assert_int_equal(lp_llava_state_rows(t->s), CONTEXT);
}

static void forgets_what_is_cut(void **state) {
    struct talk *t = *state;
    float want[VOCABULARY], got[VOCABULARY];
    const int32_t others[] = {50, 51, 52}, next = 9;
    lp_llava_state_cut(t->s, 0);
    feed(t, t->s, prompt, PROMPT, want);
    feed(t, t->s, &next, 1, want);
    lp_llava_state_cut(t->s, PROMPT_ROWS);
    feed(t, t->s, others, 3, got);
    lp_llava_state_cut(t->s, 1000); /* no more than there are */
    assert_int_equal(lp_llava_state_rows(t->s), PROMPT_ROWS + 3);
    lp_llava_state_cut(t->s, PROMPT_ROWS);
    feed(t, t->s, &next, 1, got);
    assert_near(got, want, VOCABULARY, 0);
    lp_llava_state_cut(t->s, -5);
    assert_int_equal(lp_llava_state_rows(t->s), 0);
}

/* Two conversations in turns give what each gives alone; a prompt may be pictures only. */
static void states_are_apart(void **state) {
    struct talk *t = *state;
    static const int32_t pictures[] = {LP_IMAGE_TOKEN, LP_IMAGE_TOKEN}, next = 12;
    float alone[2][VOCABULARY], got[2][VOCABULARY];
    struct lp_error err = {0};
    struct lp_llava_state *other = lp_llava_state_open(t->m, &err);
    require(other != NULL, &err);
    for (int i = 0; i < 2; i++) {
        lp_llava_state_cut(t->s, 0);
        feed(t, t->s, i ? pictures : prompt, i ? 2 : PROMPT, alone[i]);
        feed(t, t->s, &next, 1, alone[i]);
    }
    lp_llava_state_cut(t->s, 0);
    feed(t, t->s, prompt, PROMPT, got[0]);
    feed(t, other, pictures, 2, got[1]);
    feed(t, t->s, &next, 1, got[0]);
    feed(t, other, &next, 1, got[1]);
    assert_near(got[0], alone[0], VOCABULARY, 0);
    assert_near(got[1], alone[1], VOCABULARY, 0);
    lp_llava_state_close(other);
}

/* Positions that another state computed are as good as its own: the same bits. */
static void takes_positions_of_another(void **state) {
    struct talk *t = *state;
    static const int32_t next[] = {12, 40, 7};
    float want[VOCABULARY], got[VOCABULARY], once[VOCABULARY];
    static int32_t whole[PROMPT + 3];
    struct lp_error err = {0};
    size_t row = lp_llava_row_bytes(t->m);
    char *kept = lp_alloc(PROMPT_ROWS * row);
    struct lp_llava_state *other = lp_llava_state_open(t->m, &err);
    require(other != NULL && kept, &err);
    lp_llava_state_cut(t->s, 0);
    feed(t, t->s, prompt, PROMPT, want);
    lp_llava_state_save(t->s, 0, 3, kept); /* in two pieces */
    lp_llava_state_save(t->s, 3, PROMPT_ROWS - 3, kept + 3 * row);
    feed(t, t->s, next, 3, want);
    assert_true(lp_llava_state_load(other, kept, 3));
    assert_true(lp_llava_state_load(other, kept + 3 * row, PROMPT_ROWS - 3));
    assert_int_equal(lp_llava_state_rows(other), PROMPT_ROWS);
    feed(t, other, next, 3, got);
    assert_memory_equal(got, want, sizeof want);
    memcpy(whole, prompt, sizeof prompt);
    memcpy(whole + PROMPT, next, sizeof next);
    lp_llava_state_cut(other, 0);
    feed(t, other, whole, PROMPT + 3, once); /* in one pass sums may be rounded otherwise */
    assert_near(once, want, VOCABULARY, 1e-5);
    lp_llava_state_cut(other, CONTEXT);
    while (lp_llava_state_load(other, kept, 3))
        assert_true(lp_llava_state_rows(other) <= CONTEXT);
    lp_llava_state_close(other);
    lp_free(kept);
}

/* Three conversations of different lengths decoded together, one of which ends early, say what each says alone. */
static void decodes_several_at_once(void **state) {
    struct talk *t = *state;
    static const int32_t second[] = {3, LP_IMAGE_TOKEN, LP_IMAGE_TOKEN, 9}, third[] = {17};
    static const struct {
        const int32_t *id;
        int64_t n;
    } begin[3] = {{prompt, PROMPT}, {second, 4}, {third, 1}};
    struct lp_llava_state *alone[3], *batch[3];
    float want[VOCABULARY];
    struct lp_error err = {0};
    for (int i = 0; i < 6; i++) {
        struct lp_llava_state *s = lp_llava_state_open(t->m, &err);
        require(s != NULL, &err);
        feed(t, s, begin[i % 3].id, begin[i % 3].n, want);
        *(i < 3 ? &alone[i] : &batch[i - 3]) = s;
    }
    for (int step = 0; step < 6; step++) {
        int n = step < 3 ? 3 : 2; /* the last is canceled after three tokens */
        const int32_t id[3] = {step + 5, 40 - step, step * 7};
        const float *got = lp_llava_feed_batch(batch, id, n, &err);
        require(got != NULL, &err);
        for (int i = 0; i < n; i++) {
            feed(t, alone[i], &id[i], 1, want);
            assert_near(got + i * VOCABULARY, want, VOCABULARY, 1e-5);
            assert_int_equal(lp_llava_state_rows(batch[i]), lp_llava_state_rows(alone[i]));
        }
    }
    assert_int_equal(lp_llava_state_rows(batch[2]), 1 + 3);
    static int32_t many[CONTEXT];
    feed(t, batch[2], many, CONTEXT - 4, want); /* full */
    struct lp_llava *linear = lp_llava_open(GOLDEN "llava_linear", lp_kernels_cpu(), &err);
    struct lp_llava_state *foreign = linear ? lp_llava_state_open(linear, &err) : NULL;
    require(foreign != NULL, &err);
    const struct {
        struct lp_llava_state *state[2];
        int32_t id[2];
        int64_t n;
        enum lp_code code;
        const char *says;
    } wrong[] = {{{batch[0], batch[1]}, {1, 1}, 0, LP_EUSAGE, "needs a conversation"},
                 {{batch[0], batch[0]}, {1, 1}, 2, LP_EUSAGE, "twice"},
                 {{batch[0], foreign}, {1, 1}, 2, LP_EUSAGE, "share their model"},
                 {{batch[0], batch[1]}, {1, LP_IMAGE_TOKEN}, 2, LP_EINPUT, "no pictures"},
                 {{batch[0], batch[1]}, {1, VOCABULARY}, 2, LP_EINPUT, "token 64 is not"},
                 {{batch[0], batch[2]}, {1, 1}, 2, LP_EINPUT, "conversation 1 is as long as the 256"}};
    int64_t rows = lp_llava_state_rows(batch[0]);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err = (struct lp_error){0};
        assert_null(lp_llava_feed_batch(wrong[i].state, wrong[i].id, wrong[i].n, &err));
        if (err.code != wrong[i].code || !strstr(err.text, wrong[i].says))
            fail_msg("case %zu: code %d, %s", i, err.code, err.text);
        assert_int_equal(lp_llava_state_rows(batch[0]), rows);
    }
    lp_llava_state_close(foreign);
    lp_llava_close(linear);
    for (int i = 0; i < 3; i++) {
        lp_llava_state_close(alone[i]);
        lp_llava_state_close(batch[i]);
    }
}

static bool same_model(const struct lp_llava *a, const struct lp_llava *b) {
    return lp_hash_equal(lp_llava_identity(a), lp_llava_identity(b));
}

/* A picture is encoded once for all who share a store, and for no other model. */
static void finds_pictures_again(void **state) {
    struct talk *t = *state;
    struct lp_error err = {0};
    struct lp_store *store = lp_store_open(&(struct lp_store_settings){.memory_bytes = 1 << 20}, &err);
    struct lp_llava *linear = lp_llava_open(GOLDEN "llava_linear", lp_kernels_cpu(), &err);
    struct lp_llava *portable = lp_llava_open(BASE, lp_kernels_find("portable"), &err);
    struct lp_llava *again = lp_llava_open(BASE, lp_kernels_cpu(), &err);
    require(store && linear && portable && again, &err);
    assert_true(same_model(t->m, again));
    assert_false(same_model(t->m, linear));
    assert_int_equal(same_model(t->m, portable), !strcmp(lp_kernels_cpu()->name, "portable"));
    for (int i = 0; i < 3; i++) {
        struct lp_llava_picture *p = lp_llava_see(i == 2 ? again : t->m, t->image, store, NULL, &err);
        require(p != NULL, &err);
        assert_true(lp_hash_equal(&p->content, &t->picture->content));
        assert_memory_equal(p->data, t->picture->data, sizeof(float) * PATCHES * WIDTH);
        lp_llava_picture_close(p);
    }
    size_t one = lp_store_memory(store);
    assert_true(one > 0);
    struct lp_image *other = make_image(51, 40);
    struct lp_llava_picture *p = lp_llava_see(t->m, other, store, NULL, &err);
    struct lp_llava_picture *q = lp_llava_see(linear, t->image, store, NULL, &err);
    require(p && q, &err);
    assert_false(lp_hash_equal(&p->content, &t->picture->content));
    assert_false(lp_hash_equal(&q->content, &t->picture->content));
    assert_true(lp_store_memory(store) > 2 * one);
    lp_llava_picture_close(p);
    lp_llava_picture_close(q);
    lp_image_close(other);
    lp_llava_close(linear);
    lp_llava_close(portable);
    lp_llava_close(again);
    lp_store_close(store);
}

/* Whose client has gone is neither seen nor fed, and the next one is. */
static void heeds_who_cancels(void **state) {
    struct talk *t = *state;
    struct lp_error err = {0};
    static const int32_t ids[] = {1, 9, 25};
    const atomic_bool cancel = true;
    int64_t before = lp_llava_state_rows(t->s);
    assert_null(lp_llava_see(t->m, t->image, NULL, &cancel, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    lp_llava_state_heed(t->s, &cancel);
    err = (struct lp_error){0};
    assert_null(lp_llava_feed(t->s, ids, 3, NULL, 0, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    assert_int_equal(lp_llava_state_rows(t->s), before);
    lp_llava_state_heed(t->s, NULL);
    assert_non_null(lp_llava_feed(t->s, ids, 3, NULL, 0, &err));
    lp_llava_state_cut(t->s, before);
}

/* Rounding what the picture encoder multiplies to bfloat16, where that is faster, changes little, and has a name of its own. */
static void sees_roughly(void **state) {
    struct talk *t = *state;
    struct lp_error err = {0};
    struct lp_llava *m = lp_llava_open(BASE, lp_kernels_cpu(), &err);
    require(m != NULL, &err);
    lp_llava_set_rough(m, true);
    struct lp_llava_picture *p = lp_llava_see(m, t->image, NULL, NULL, &err);
    require(p != NULL, &err);
    bool rounds = golden_rounds(lp_kernels_cpu());
    assert_near(p->data, t->picture->data, PATCHES * WIDTH, rounds ? 0.03 : 0);
    assert_true(!rounds || memcmp(p->data, t->picture->data, sizeof(float) * PATCHES * WIDTH));
    assert_false(lp_hash_equal(&p->content, &t->picture->content));
    lp_llava_picture_close(p);
    lp_llava_close(m);
}

/* Copies BASE with all weights rounded to a type, stored as that type or as float32. */
static void copy_rounded(const char *folder, enum lp_dtype type, bool stored) {
    static const char *const links[] = {"config.json", "tokenizer.model"};
    char path[300], to[300];
    struct lp_error err = {0};
    const struct lp_kernels *k = lp_kernels_find("portable");
    struct lp_weights *w = lp_weights_open(BASE, &err);
    struct lp_arena arena = {0};
    size_t n = lp_weights_count(w);
    struct lp_weight *out = lp_arena_array(&arena, n, sizeof *out);
    for (size_t i = 0; i < n; i++) {
        int64_t count = lp_weight_elements(lp_weights_at(w, i));
        void *half = lp_arena_array(&arena, (size_t)count, 2);
        float *full = lp_arena_array(&arena, (size_t)count, 4);
        out[i] = *lp_weights_at(w, i);
        k->from_f32(half, out[i].data, type, count);
        k->to_f32(full, half, type, count);
        out[i].data = stored ? half : full;
        if (stored) {
            out[i].type = type == LP_F16 ? LP_WEIGHT_F16 : LP_WEIGHT_BF16;
            out[i].bytes = 2 * (size_t)count;
        }
    }
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    require(lp_safetensors_write(path, out, n, NULL, &err), &err);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, BASE "/%s", links[i]);
        snprintf(to, sizeof to, "%s/%s", folder, links[i]);
        assert_int_equal(symlink(path, to), 0);
    }
    lp_arena_done(&arena);
    lp_weights_close(w);
}

static void logits_of(const char *folder, const struct lp_kernels *k, const struct lp_image *image,
                      float *logits) {
    struct lp_error err = {0};
    struct talk t = {.m = lp_llava_open(folder, k, &err)};
    require(t.m != NULL, &err);
    t.s = lp_llava_state_open(t.m, &err);
    require(t.s != NULL, &err);
    t.picture = lp_llava_see(t.m, image, NULL, NULL, &err);
    require(t.picture != NULL, &err);
    feed(&t, t.s, prompt, PROMPT, logits);
    lp_llava_picture_close(t.picture);
    lp_llava_state_close(t.s);
    lp_llava_close(t.m);
}

/* 16-bit weights give what the same numbers in float32 give, but for keys and values, which go with them into float16 (11
 * bits); some tables also round activations to 8 bits. */
static void reads_16_bit_weights(void **state) {
    struct talk *t = *state;
    static const enum lp_dtype types[] = {LP_F16, LP_BF16};
    for (int i = 0; i < 2; i++) {
        char stored[64], rounded[64];
        folder_make(stored);
        folder_make(rounded);
        copy_rounded(stored, types[i], true);
        copy_rounded(rounded, types[i], false);
        for (int j = 0; j < KERNEL_TABLES; j++) {
            const struct lp_kernels *k = lp_kernels_find(kernel_names[j]);
            float want[VOCABULARY], got[VOCABULARY];
            if (!k)
                continue;
            logits_of(rounded, k, t->image, want);
            logits_of(stored, k, t->image, got);
            assert_near(got, want, VOCABULARY, golden_rounds(k) ? 5e-2 : 1e-3);
        }
        folder_remove(stored);
        folder_remove(rounded);
    }
}

/* A folder without weights gives a new model: norms 1, biases 0, matrices of the seed. */
static void draws_a_new_model(void **state) {
    (void)state;
    char folder[64], path[300], to[300];
    struct lp_error err = {0};
    folder_make(folder);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, BASE "/%s", i ? "config.json" : "tokenizer.model");
        snprintf(to, sizeof to, "%s/%s", folder, i ? "config.json" : "tokenizer.model");
        assert_int_equal(symlink(path, to), 0);
    }
    assert_null(lp_llava_open(folder, lp_kernels_cpu(), &err));
    assert_int_equal(err.code, LP_EMISSING);
    struct lp_llava *m[3];
    for (int i = 0; i < 3; i++) {
        m[i] = lp_llava_open_to_learn(folder, lp_kernels_cpu(), i == 2 ? 8 : 7, &err);
        require(m[i] != NULL, &err);
    }
    assert_int_equal(m[0]->parameters.count, 62);
    for (int64_t i = 0; i < m[0]->parameters.count; i++) {
        const struct lp_parameter *a = &m[0]->parameters.item[i], *b = &m[1]->parameters.item[i];
        const struct lp_parameter *c = &m[2]->parameters.item[i];
        int64_t n = lp_count(a->tensor);
        assert_string_equal(a->name, b->name);
        assert_memory_equal(lp_f32(a->tensor), lp_f32(b->tensor), sizeof(float) * (size_t)n);
        bool constant =
            strstr(a->name, "norm") || strstr(a->name, "bias") || strstr(a->name, "class_embedding");
        assert_int_equal(memcmp(lp_f32(a->tensor), lp_f32(c->tensor), sizeof(float) * (size_t)n) == 0,
                         constant);
        if (constant)
            assert_true(lp_f32(a->tensor)[n - 1] == (strstr(a->name, "norm") && !strstr(a->name, "bias")));
    }
    for (int i = 0; i < 3; i++)
        lp_llava_close(m[i]);
    folder_remove(folder);
}

static void survives_failing_allocations(void **state) {
    struct talk *t = *state;
    bool done = false;
    for (long n = 1; !done; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        struct lp_llava_state *s = lp_llava_state_open(t->m, &err);
        struct lp_llava_picture *p = s ? lp_llava_see(t->m, t->image, NULL, NULL, &err) : NULL;
        const struct lp_llava_picture *const shown[] = {p};
        const float *logits = p ? lp_llava_feed(s, prompt, PROMPT, shown, 1, &err) : NULL;
        lp_test_fail_alloc(0);
        done = logits != NULL;
        if (!done)
            assert_int_equal(err.code, LP_EMEMORY);
        lp_llava_picture_close(p);
        lp_llava_state_close(s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_about_itself),  cmocka_unit_test(sees_a_picture),
        cmocka_unit_test(refuses_and_goes_on), cmocka_unit_test(forgets_what_is_cut),
        cmocka_unit_test(takes_positions_of_another), cmocka_unit_test(decodes_several_at_once),
        cmocka_unit_test(finds_pictures_again), cmocka_unit_test(heeds_who_cancels), cmocka_unit_test(sees_roughly),
        cmocka_unit_test(states_are_apart),    cmocka_unit_test(reads_16_bit_weights),
        cmocka_unit_test(draws_a_new_model),   cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
