/* SPDX-License-Identifier: MIT */
/* The memory a LLaVA takes: of its files only what is needed, of a text and of blocks only as much as of one. */
#include "model/golden.h"

#include "model/llava_packed.h"
#include "model/llava_quantize.h"
#include "weights/folder.h"

#include <limits.h>

#define CONFIG                                                                                               \
    "{\"model_type\": \"llava\", \"llava_plus_template\": \"llava_v0\", "                                    \
    "\"text_config\": {\"hidden_size\": 64, \"num_hidden_layers\": 4, \"num_attention_heads\": 4, "          \
    "\"num_key_value_heads\": 2, \"intermediate_size\": 96, \"vocab_size\": 64, "                            \
    "\"max_position_embeddings\": 2048}, "                                                                   \
    "\"vision_config\": {\"hidden_size\": 24, \"num_hidden_layers\": 5, \"num_attention_heads\": 3, "        \
    "\"intermediate_size\": 33, \"image_size\": 28, \"patch_size\": 7}}"
enum { VOCABULARY = 64, LONG = 1100 };

struct place {
    char folder[64], gguf[100], mmproj[100];
};

/* A new model as a GGUF file with the matrices of its language model packed beside it. */
static int setup(void **state) {
    static struct place p;
    struct lp_error err = {0};
    char path[100];
    folder_make(p.folder);
    folder_put(p.folder, "config.json", CONFIG, strlen(CONFIG));
    snprintf(path, sizeof path, "%s/tokenizer.model", p.folder);
    assert_int_equal(symlink(GOLDEN "llava_mlp/tokenizer.model", path), 0);
    snprintf(p.gguf, sizeof p.gguf, "%s/x.gguf", p.folder);
    snprintf(p.mmproj, sizeof p.mmproj, "%s/mmproj-x.gguf", p.folder);
    struct lp_llava *m = lp_llava_open_to_learn(p.folder, lp_kernels_cpu(), 6, &err);
    require(m != NULL, &err);
    require(lp_llava_save(m, p.folder, p.folder, LP_F32, &err), &err);
    lp_llava_close(m);
    const struct lp_quantize_request q = {.from = p.folder, .to = p.gguf, .type = LP_Q8_0, .kernels = lp_kernels_cpu()};
    struct lp_quantize_report made;
    struct lp_packed_report packed;
    require(lp_llava_quantize(&q, &made, &err), &err);
    require(lp_llava_pack(p.gguf, NULL, lp_kernels_cpu(), &packed, &err), &err);
    *state = &p;
    return 0;
}

static int teardown(void **state) {
    struct place *p = *state;
    folder_remove(p->folder);
    return 0;
}

static struct lp_llava *open_model(const struct place *p) {
    struct lp_error err = {0};
    struct lp_llava *m = lp_llava_open(p->gguf, lp_kernels_cpu(), &err);
    require(m != NULL, &err);
    return m;
}

/* Of a mapped file what counts as this process's memory; -1: the system does not tell. */
static long resident_kib(const char *file) {
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[PATH_MAX + 100], name[PATH_MAX];
    unsigned long begin, end;
    long all = maps ? 0 : -1, kib;
    bool within = false;
    while (maps && fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx", &begin, &end) == 2)
            within = sscanf(line, "%*s %*s %*s %*s %*s %4095s", name) == 1 && !strcmp(name, file);
        else if (within && sscanf(line, "Rss: %ld kB", &kib) == 1)
            all += kib;
    if (maps)
        fclose(maps);
    return all;
}

/* Opening looks at samples of every weight, and makes copies of small ones. What stays is what a token will read. */
static void keeps_only_what_is_packed(void **state) {
    struct place *p = *state;
    char packed[110];
    snprintf(packed, sizeof packed, "%s.packed", p->gguf);
    if (resident_kib(p->gguf) < 0)
        skip();
    struct lp_llava *m = open_model(p);
    assert_non_null(m->packed);
    assert_int_equal(resident_kib(p->gguf), 0);
    assert_int_equal(resident_kib(p->mmproj), 0);
    assert_true(resident_kib(packed) > 0);
    struct lp_error err = {0};
    const int32_t id = 7;
    struct lp_llava_state *s = lp_llava_state_open(m, &err);
    require(s && lp_llava_feed(s, &id, 1, NULL, 0, &err), &err);
    assert_true(resident_kib(p->gguf) > 0); /* a row of the table */
    assert_int_equal(resident_kib(p->mmproj), 0);
    lp_llava_state_close(s);
    lp_llava_close(m);
}

/* Logits after the ids, fed in pieces of at most so many. */
static void say(const struct lp_llava *m, const int32_t *id, int64_t piece, float logits[VOCABULARY]) {
    struct lp_error err = {0};
    struct lp_llava_state *s = lp_llava_state_open(m, &err);
    require(s != NULL, &err);
    for (int64_t at = 0; at < LONG; at += piece) {
        const float *got = lp_llava_feed(s, id + at, LONG - at < piece ? LONG - at : piece, NULL, 0, &err);
        require(got != NULL, &err);
        memcpy(logits, got, VOCABULARY * sizeof *logits);
    }
    assert_int_equal(lp_llava_state_rows(s), LONG);
    lp_llava_state_close(s);
}

/* A long text goes through the model in stretches, and means what it means in pieces. */
static void reads_a_long_text(void **state) {
    struct lp_llava *m = open_model(*state);
    static int32_t id[LONG];
    float whole[VOCABULARY], pieces[VOCABULARY];
    for (int i = 0; i < LONG; i++)
        id[i] = 3 + i * 31 % 47;
    say(m, id, LONG, whole);
    say(m, id, 250, pieces);
    assert_true(golden_difference(pieces, whole, VOCABULARY) < 1e-3);
    lp_llava_close(m);
}

/* The arena that a pass of so many blocks of either network needs. */
static size_t bytes_of(const struct lp_llava *m, int64_t blocks, bool picture) {
    enum { ROWS = 20 };
    struct lp_error err = {0};
    static int32_t position[ROWS];
    lp_run *r = lp_run_open(lp_kernels_cpu(), (size_t)64 << 20, &err);
    require(r != NULL, &err);
    struct lp_llama llama = m->llama;
    struct lp_clip clip = m->clip;
    struct lp_llama_rows rows = {.position = position};
    lp_tensor *x = picture ? lp_new(r, 4, (int64_t)1, (int64_t)3, (int64_t)28, (int64_t)28) : lp_new(r, 2, (int64_t)ROWS, (int64_t)64);
    memset(x->data, 0, sizeof(float) * (size_t)lp_count(x));
    llama.config.layers = clip.depth = blocks;
    if (picture)
        lp_clip_features(r, &clip, x);
    else
        lp_llama_forward(r, &llama, x, &rows);
    require(lp_run_check(r, &err), &err);
    size_t peak = r->peak;
    lp_run_close(r);
    return peak;
}

static void needs_the_memory_of_one_block(void **state) {
    struct lp_llava *m = open_model(*state);
    assert_int_equal(bytes_of(m, 4, false), bytes_of(m, 2, false));
    assert_int_equal(bytes_of(m, 4, true), bytes_of(m, 2, true));
    lp_llava_close(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_only_what_is_packed),
        cmocka_unit_test(reads_a_long_text),
        cmocka_unit_test(needs_the_memory_of_one_block),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
