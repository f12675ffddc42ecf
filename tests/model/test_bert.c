/* SPDX-License-Identifier: MIT */
/* BERT against transformers, float32, to 1e-4 of the largest value, with every kernel table of this machine:
 * on Grounding DINO's captions, alone and together, and plain. And the configurations and rows that it
 * refuses. tools/golden/README.md says what the files hold. */
#include "model/bert.h"
#include "model/golden.h"
#include "text/phrases.h"

static const size_t run_bytes = (size_t)64 << 20;
enum { CAPTIONS = 9 };

struct fixture {
    struct lp_arena arena;
    struct lp_weights *files, *golden;
    struct lp_parameters parameters;
    json_t *config;
    struct lp_bert bert;
    lp_run *run;
    char where[100];
};

static void open_fixture(struct fixture *f, const char *folder, const char *text_config, const char *prefix,
                         const struct lp_kernels *k) {
    char path[300];
    struct lp_error err = {0};
    struct lp_bert_config config;
    *f = (struct fixture){0};
    snprintf(path, sizeof path, GOLDEN "%s/config.json", folder);
    snprintf(f->where, sizeof f->where, "%s with %s", folder, k->name);
    f->config = lp_json_load(path, &err);
    require(f->config != NULL, &err);
    f->files = golden_open(folder, "model.safetensors");
    f->golden = golden_open(folder, "golden.safetensors");
    f->run = lp_run_open(k, run_bytes, &err);
    require(f->run != NULL, &err);
    const json_t *sizes = text_config ? json_object_get(f->config, text_config) : f->config;
    require(lp_bert_read_config(sizes, &config, &err), &err);
    assert_string_equal(lp_bert_prefix(f->files), prefix);
    struct lp_bind b = {.arena = &f->arena, .kernels = k, .files = f->files, .parameters = &f->parameters};
    assert_true(lp_bert_bind(&b, prefix, &config, &f->bert));
    require(lp_bind_done(&b, &err), &err);
}

static void close_fixture(struct fixture *f) {
    lp_run_close(f->run);
    lp_weights_close(f->golden);
    lp_weights_close(f->files);
    json_decref(f->config);
    lp_arena_done(&f->arena);
}

/* Every layer that is stored for text i. */
static void check_layers(struct fixture *f, int i, const struct lp_bert_rows *rows) {
    struct lp_bert cut = f->bert;
    for (cut.depth = 0; cut.depth <= f->bert.depth; cut.depth++) {
        char name[40];
        snprintf(name, sizeof name, "%d.hidden.%ld", i, (long)cut.depth);
        const struct lp_weight *want = lp_weights_find(f->golden, name);
        if (!want && cut.depth < f->bert.depth)
            continue;
        lp_run_reset(f->run);
        lp_tensor *x = lp_bert_forward(f->run, &cut, rows);
        golden_compare_tensor(f->where, golden_find(f->golden, "%s", name), f->run, x);
    }
}

static void read_caption(const struct fixture *f, const struct lp_wordpiece *w, int i, struct lp_phrases *p) {
    struct lp_error err = {0};
    const struct lp_weight *caption = golden_find(f->golden, "%d.caption", i);
    *p = (struct lp_phrases){0};
    require(lp_phrases_read(w, caption->data, caption->bytes, p, &err), &err);
}

static void check_phrases(const struct fixture *f, int i, const struct lp_phrases *p) {
    const struct lp_weight *ids = golden_find(f->golden, "%d.ids", i);
    const int32_t *first = golden_find(f->golden, "%d.first", i)->data;
    const int32_t *end = golden_find(f->golden, "%d.end", i)->data;
    assert_int_equal(p->ids.n, lp_weight_elements(ids));
    assert_memory_equal(p->ids.id, ids->data, ids->bytes);
    assert_memory_equal(p->position, golden_find(f->golden, "%d.position", i)->data, ids->bytes);
    for (int64_t s = 0; s < p->count; s++)
        for (int32_t t = p->start[s]; t < p->start[s + 1]; t++) {
            assert_int_equal(first[t], p->start[s]);
            assert_int_equal(end[t], p->start[s + 1]);
        }
    assert_int_equal(p->start[p->count], p->ids.n);
}

/* All captions as the rows of one pass: none sees another. */
static void check_together(struct fixture *f, const struct lp_phrases *p) {
    int32_t *id = NULL, *position = NULL, *start = NULL;
    int64_t n = 0, count = 0, at = 0;
    for (int i = 0; i < CAPTIONS; i++) {
        n += (int64_t)p[i].ids.n;
        count += p[i].count;
    }
    id = lp_arena_array(&f->arena, (size_t)n, sizeof *id);
    position = lp_arena_array(&f->arena, (size_t)n, sizeof *position);
    start = lp_arena_array(&f->arena, (size_t)count + 1, sizeof *start);
    assert_true(id && position && start);
    count = 0;
    for (int i = 0; i < CAPTIONS; i++) {
        memcpy(id + at, p[i].ids.id, sizeof(int32_t) * p[i].ids.n);
        memcpy(position + at, p[i].position, sizeof(int32_t) * p[i].ids.n);
        for (int64_t s = 0; s < p[i].count; s++)
            start[count++] = (int32_t)at + p[i].start[s];
        at += (int64_t)p[i].ids.n;
    }
    start[count] = (int32_t)n;
    struct lp_bert_rows rows = {id, position, n, start, count};
    struct lp_error err = {0};
    lp_run_reset(f->run);
    lp_tensor *x = lp_bert_forward(f->run, &f->bert, &rows);
    require(lp_run_check(f->run, &err), &err);
    at = 0;
    for (int i = 0; i < CAPTIONS; i++) {
        int64_t size = (int64_t)p[i].ids.n * f->bert.config.hidden;
        golden_compare(f->where, golden_find(f->golden, "%d.hidden.%ld", i, (long)f->bert.depth),
                       lp_f32(x) + at, size);
        at += size;
    }
}

static void captions_with(const struct lp_kernels *k) {
    struct fixture f;
    struct lp_error err = {0};
    struct lp_phrases p[CAPTIONS];
    open_fixture(&f, "bert_dino", "text_config", "model.text_backbone", k);
    struct lp_wordpiece *w = lp_wordpiece_open(GOLDEN "wordpiece", &err);
    require(w != NULL, &err);
    for (int i = 0; i < CAPTIONS; i++) {
        read_caption(&f, w, i, &p[i]);
        check_phrases(&f, i, &p[i]);
        check_layers(
            &f, i,
            &(struct lp_bert_rows){p[i].ids.id, p[i].position, (int64_t)p[i].ids.n, p[i].start, p[i].count});
    }
    check_together(&f, p);
    for (int i = 0; i < CAPTIONS; i++)
        lp_phrases_done(&p[i]);
    lp_wordpiece_close(w);
    close_fixture(&f);
}

static void plain_with(const struct lp_kernels *k) {
    struct fixture f;
    open_fixture(&f, "bert_plain", NULL, "", k);
    for (int i = 0; i < 3; i++) {
        const struct lp_weight *ids = golden_find(f.golden, "%d.ids", i);
        int32_t position[16], start[2] = {0, (int32_t)ids->dim[0]};
        for (int32_t t = 0; t < start[1]; t++)
            position[t] = t;
        check_layers(&f, i, &(struct lp_bert_rows){ids->data, position, start[1], start, 1});
    }
    close_fixture(&f);
}

static void reads_captions(void **state) {
    (void)state;
    golden_each_kernels(captions_with);
}

static void reads_plain_texts(void **state) {
    (void)state;
    golden_each_kernels(plain_with);
}

/* A row outside a table is a sentence, not a read past its end. */
static void refuses_rows_outside_its_tables(void **state) {
    (void)state;
    static const struct {
        int32_t id, position;
        const char *says;
    } bad[] = {{41, 0, "token 41"}, {-1, 0, "token -1"}, {0, 16, "16 tokens"}, {0, -1, "16 tokens"}};
    struct fixture f;
    open_fixture(&f, "bert_plain", NULL, "", lp_kernels_find("portable"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int32_t start[] = {0, 1};
        struct lp_error err = {0};
        lp_run_reset(f.run);
        assert_null(lp_bert_forward(f.run, &f.bert,
                                    &(struct lp_bert_rows){&bad[i].id, &bad[i].position, 1, start, 1}));
        assert_false(lp_run_check(f.run, &err));
        assert_int_equal(err.code, LP_EINPUT);
        assert_non_null(strstr(err.text, bad[i].says));
    }
    close_fixture(&f);
}

static void refuses_other_configs(void **state) {
    (void)state;
    static const struct {
        const char *config, *says;
    } bad[] = {
        {"{\"hidden_size\": 30, \"num_attention_heads\": 4}", "does not divide into 4 heads"},
        {"{\"hidden_size\": -1}", "'hidden_size' is -1"},
        {"{\"num_hidden_layers\": 1e3}", "'num_hidden_layers' must be a whole number"},
        {"{\"vocab_size\": 99999999}", "'vocab_size'"},
        {"{\"layer_norm_eps\": 0}", "'layer_norm_eps'"},
        {"{\"hidden_act\": \"relu\"}", "'hidden_act' is 'relu'"},
        {"{\"position_embedding_type\": \"relative_key\"}", "absolute positions"},
        {"{\"is_decoder\": true}", "plain encoder"},
    };
    struct lp_bert_config c;
    struct lp_error err = {0};
    assert_true(lp_bert_read_config(NULL, &c, &err)); /* bert-base-uncased, as a sparse config means */
    assert_int_equal(c.hidden, 768);
    assert_int_equal(c.vocabulary, 30522);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *config = lp_json_parse(bad[i].config, strlen(bad[i].config), "config", &err);
        assert_non_null(config);
        assert_false(lp_bert_read_config(config, &c, &err));
        if (err.code != LP_EINPUT || !strstr(err.text, bad[i].says))
            fail_msg("%s: %s", bad[i].config, err.text);
        json_decref(config);
    }
}

static void names_weights_that_lack(void **state) {
    (void)state;
    struct fixture f;
    struct lp_error err = {0};
    struct lp_bert m = {0};
    open_fixture(&f, "bert_plain", NULL, "", lp_kernels_find("portable"));
    struct lp_bert_config config = f.bert.config;
    config.layers = 3;
    config.ffn = 34;
    struct lp_bind b = {
        .arena = &f.arena, .kernels = f.run->k, .files = f.files, .parameters = &f.parameters};
    assert_true(lp_bert_bind(&b, "", &config, &m));
    assert_false(lp_bind_done(&b, &err));
    assert_int_equal(err.code, LP_EMISSING);
    assert_non_null(strstr(err.text, "encoder.layer.0.intermediate.dense.weight (must be [34,30])"));
    close_fixture(&f);
    struct lp_weights *other = golden_open("clip_odd", "model.safetensors");
    assert_null(lp_bert_prefix(other));
    lp_weights_close(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_captions),
        cmocka_unit_test(reads_plain_texts),
        cmocka_unit_test(refuses_rows_outside_its_tables),
        cmocka_unit_test(refuses_other_configs),
        cmocka_unit_test(names_weights_that_lack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
