/* SPDX-License-Identifier: MIT */
/* The loop: it learns, it repeats itself, it goes on where it stopped, it keeps its checkpoints whole, it says when
 * numbers fail; the schedule, clipping, saving and opening again. */
#include "train/dialogues.h"

#include "base/memory.h"
#include "weights/weights.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct watch {
    int64_t stop_at, seen;
    double first, last;
    bool stop;
};

static void watch(void *context, const struct lp_train_progress *p) {
    struct watch *w = context;
    w->first = w->seen ? w->first : p->loss;
    w->last = p->loss;
    w->seen++;
    w->stop = p->step == w->stop_at;
}

static void settings(struct lp_train_settings *s, struct watch *w, int64_t steps) {
    lp_train_defaults(s);
    s->steps = steps;
    s->batch = 3;
    s->rows_a_pass = 90;
    s->rate = 3e-3;
    s->progress = watch;
    s->context = w;
    s->stop = &w->stop;
    *w = (struct watch){0};
}

/* Trains a new model of the seed; the caller closes it. */
static struct lp_llava *school_train(const char *folder, uint64_t seed, const struct lp_train_settings *s,
                                     struct lp_error *err) {
    struct lp_llava *m = school_open(folder, seed);
    struct lp_train_set set;
    lp_train_set_init(&set, m);
    school_add(&set, folder);
    if (!lp_train(m, &set, s, err) && !err->code)
        fail_msg("a failure without a code");
    lp_train_set_done(&set);
    return m;
}

static bool same_weights(const struct lp_llava *a, const struct lp_llava *b) {
    for (int64_t i = 0; i < a->parameters.count; i++) {
        const lp_tensor *x = a->parameters.item[i].tensor, *y = b->parameters.item[i].tensor;
        if (memcmp(x->data, y->data, sizeof(float) * (size_t)lp_count(x)))
            return false;
    }
    return true;
}

/* Four dialogues by heart. */
static void it_learns(void **state) {
    for (int half = 0; half < 2; half++) {
        struct watch w;
        struct lp_train_settings s;
        struct lp_error err = {0};
        settings(&s, &w, 150);
        s.half = half;
        s.batch = 4;
        s.rate = 1e-2;
        struct lp_llava *m = school_train(*state, 5, &s, &err);
        require(!err.code, &err);
        assert_int_equal(w.seen, 150);
        if (!(w.first > 7 && w.last < 0.05))
            fail_msg("%s: the loss went from %.3f to %.3f", half ? "bf16" : "f32", w.first, w.last);
        lp_llava_close(m);
    }
}

static void same_seed_same_weights(void **state) {
    struct lp_llava *m[3];
    struct watch w;
    struct lp_train_settings s;
    struct lp_error err = {0};
    for (int i = 0; i < 3; i++) {
        settings(&s, &w, 6);
        s.seed = i == 2 ? 8 : 7; /* only the order of the dialogues: the weights' seed is the same */
        m[i] = school_train(*state, 5, &s, &err);
        require(!err.code, &err);
    }
    assert_true(same_weights(m[0], m[1]));
    assert_false(same_weights(m[0], m[2]));
    for (int i = 0; i < 3; i++)
        lp_llava_close(m[i]);
}

static void goes_on_where_it_stopped(void **state) {
    char out[64], checkpoint[100], log[100];
    struct watch w;
    struct lp_train_settings s;
    struct lp_error err = {0};
    folder_make(out);
    snprintf(checkpoint, sizeof checkpoint, "%s/c.safetensors", out);
    snprintf(log, sizeof log, "%s/log.jsonl", out);
    settings(&s, &w, 9);
    struct lp_llava *whole = school_train(*state, 5, &s, &err);
    require(!err.code, &err);
    s.checkpoint = checkpoint;
    s.log = log;
    w = (struct watch){.stop_at = 4}; /* in the middle of an epoch, and of a batch's epoch border */
    struct lp_llava *part = school_train(*state, 5, &s, &err);
    assert_int_equal(err.code, LP_ECANCELED);
    assert_int_equal(w.seen, 4);
    assert_false(same_weights(whole, part));
    lp_llava_close(part);
    err = (struct lp_error){0};
    w = (struct watch){0};
    part = school_train(*state, 6, &s, &err); /* the checkpoint counts, not the first weights */
    require(!err.code, &err);
    assert_int_equal(w.seen, 5);
    assert_true(same_weights(whole, part));
    lp_llava_close(part);
    part = school_train(*state, 6, &s, &err); /* nothing is left to do */
    require(!err.code, &err);
    assert_int_equal(w.seen, 5);
    assert_true(same_weights(whole, part));
    lp_llava_close(part);
    lp_llava_close(whole);
    assert_int_equal(folder_remove(out), 2);
}

/* Saves a checkpoint that can be told by its step. */
static void put_step(const char *path, struct lp_llava *m, struct lp_optimizer *o, int64_t step, struct lp_error *err,
                     bool *saved) {
    o->step = step;
    *saved = lp_checkpoint_save(path, m, o, NULL, err);
}

static int64_t get_step(const char *path, struct lp_llava *m, struct lp_optimizer *o) {
    struct lp_error err = {0};
    bool found;
    require(lp_checkpoint_load(path, m, o, NULL, &found, &err), &err);
    assert_true(found);
    return o->step;
}

/* The disk fills up, memory fails, the process is killed while it writes: the old checkpoint is still there. */
static void a_checkpoint_is_whole_or_the_old_one(void **state) {
    char out[64], path[100];
    bool saved;
    struct lp_error err = {0};
    struct lp_optimizer o;
    struct lp_llava *m = school_open(*state, 5);
    require(lp_optimizer_init(&o, m, &err), &err);
    folder_make(out);
    snprintf(path, sizeof path, "%s/c.safetensors", out);
    put_step(path, m, &o, 1, &err, &saved);
    require(saved, &err);
    saved = false;
    for (long n = 1; !saved; n++) {
        lp_test_fail_alloc(n);
        put_step(path, m, &o, 2, &err, &saved);
        lp_test_fail_alloc(0);
        if (saved || n % 16 == 1) /* reading takes longer than failing */
            assert_int_equal(get_step(path, m, &o), saved ? 2 : 1);
        if (!saved)
            assert_int_equal(err.code, LP_EMEMORY);
    }
    for (int killed = 0; killed < 2; killed++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            const struct rlimit small = {300000, 300000}, none = {0, 0}; /* less than half of it */
            setrlimit(RLIMIT_CORE, &none);
            setrlimit(RLIMIT_FSIZE, &small);
            signal(SIGXFSZ, killed ? SIG_DFL : SIG_IGN);
            put_step(path, m, &o, 3, &err, &saved);
            _exit(saved || err.code != LP_EIO);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(killed ? WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ
                           : WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_int_equal(get_step(path, m, &o), 2);
    }
    lp_optimizer_done(&o);
    lp_llava_close(m);
    assert_int_equal(folder_remove(out), 2); /* the killed one could not tidy up */
}

static void other_checkpoints_are_refused(void **state) {
    char other[64], path[100];
    struct watch w;
    struct lp_train_settings s;
    struct lp_error err = {0};
    struct lp_optimizer o;
    bool saved;
    school_make(other, 40);
    snprintf(path, sizeof path, "%s/c.safetensors", other);
    struct lp_llava *m = school_open(other, 5), *tried;
    require(lp_optimizer_init(&o, m, &err), &err);
    put_step(path, m, &o, 1, &err, &saved);
    require(saved, &err);
    settings(&s, &w, 2);
    s.checkpoint = path;
    tried = school_train(*state, 5, &s, &err);
    assert_int_equal(err.code, LP_EINPUT);
    assert_non_null(strstr(err.text, "another model's checkpoint"));
    assert_non_null(strstr(err.text, path));
    assert_int_equal(w.seen, 0);
    lp_llava_close(tried);
    put_step(path, m, &o, -5, &err, &saved);
    tried = school_train(other, 5, &s, &err);
    assert_int_equal(err.code, LP_EINPUT);
    assert_non_null(strstr(err.text, "step is -5"));
    lp_llava_close(tried);
    folder_put(other, "c.safetensors", "half", 4);
    err = (struct lp_error){0};
    tried = school_train(other, 5, &s, &err);
    assert_int_equal(err.code, LP_EINPUT);
    lp_llava_close(tried);
    lp_optimizer_done(&o);
    lp_llava_close(m);
    folder_remove(other);
}

static void the_rate_rises_and_falls(void **state) {
    (void)state;
    struct lp_train_settings s;
    lp_train_defaults(&s);
    s.rate = 2;
    s.warm_up = 0.1;
    const struct {
        int64_t step;
        double rate;
    } want[] = {{0, 0.2}, {4, 1}, {8, 1.8}, {9, 2}, {99, 0.0}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_true(fabs(lp_train_rate(&s, want[i].step, 100) - want[i].rate) < 2e-3);
    double before = 2;
    for (int64_t i = 10; i < 100; i++) {
        double rate = lp_train_rate(&s, i, 100);
        assert_true(rate > 0 && rate < before);
        before = rate;
    }
    s.warm_up = 0;
    assert_true(lp_train_rate(&s, 0, 1) > 0 && lp_train_rate(&s, 0, 1) <= 2);
    s.warm_up = 1;
    assert_true(fabs(lp_train_rate(&s, 99, 100) - 2) < 1e-9);
}

/* Gradients of ones over a count of two: their norm, what clipping leaves of them, what does not decay. */
static void gradients_are_clipped(void **state) {
    struct lp_error err = {0};
    struct lp_optimizer o;
    struct lp_train_settings s;
    struct lp_llava *m = school_open(*state, 5);
    require(lp_optimizer_init(&o, m, &err), &err);
    lp_train_defaults(&s);
    s.decay = 0;
    float moment[2];
    for (int i = 0; i < 2; i++) {
        s.clip = i ? 0.5 : 0;
        memset(o.first, 0, sizeof(float) * (size_t)o.numbers);
        for (int64_t j = 0; j < o.numbers; j++)
            o.gradient[j] = 1;
        double norm = lp_optimizer_step(&o, m, &s, 1e-3, 2), want = sqrt((double)o.numbers) / 2;
        assert_true(fabs(norm - want) < 1e-3 * want);
        assert_true(o.gradient[0] == 0 && o.gradient[o.numbers - 1] == 0);
        moment[i] = o.first[o.numbers - 1];
        double expected = 0.1 * 0.5 * (i ? 0.5 / want : 1);
        assert_true(fabs(moment[i] - expected) < 1e-3 * expected);
    }
    s.decay = 0.5;
    memset(o.first, 0, sizeof(float) * (size_t)o.numbers);
    for (int64_t i = 0; i < m->parameters.count; i++) { /* nothing flows: only decay moves weights */
        const lp_tensor *x = m->parameters.item[i].tensor;
        lp_f32(x)[0] = 1;
    }
    lp_optimizer_step(&o, m, &s, 0.1, 1);
    for (int64_t i = 0; i < m->parameters.count; i++) {
        const lp_tensor *x = m->parameters.item[i].tensor;
        assert_true(fabsf(lp_f32(x)[0] - (x->ndim > 1 ? 0.95f : 1)) < 1e-5f);
    }
    lp_optimizer_done(&o);
    lp_llava_close(m);
}

/* Numbers that fail end a training before they reach the weights. */
static void what_is_not_a_number_is_an_error(void **state) {
    struct watch w;
    struct lp_train_settings s;
    struct lp_train_set set;
    struct lp_error err = {0};
    struct lp_llava *m = school_open(*state, 5);
    lp_train_set_init(&set, m);
    school_add(&set, *state);
    settings(&s, &w, 3);
    lp_f32(m->llama.norm.w)[0] = NAN;
    assert_false(lp_train(m, &set, &s, &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_non_null(strstr(err.text, "step 1"));
    assert_non_null(strstr(err.text, "lower learning rate"));
    assert_int_equal(w.seen, 0);
    struct lp_optimizer o;
    require(lp_optimizer_init(&o, m, &err), &err);
    float before = lp_f32(m->llama.embedding)[0];
    o.gradient[o.numbers / 2] = INFINITY;
    assert_false(isfinite(lp_optimizer_step(&o, m, &s, 1e-3, 1)));
    assert_true(lp_f32(m->llama.embedding)[0] == before && o.step == 0);
    lp_optimizer_done(&o);
    set.count = 0;
    assert_false(lp_train(m, &set, &s, &err));
    assert_non_null(strstr(err.text, "no dialogue"));
    lp_train_set_done(&set);
    lp_llava_close(m);
}

/* Saved and opened again: the weights to the type's precision, the template's name, the other files. */
static void saves_in_every_type(void **state) {
    static const struct {
        enum lp_dtype type;
        float precision;
    } types[] = {{LP_F32, 0}, {LP_F16, 1e-3f}, {LP_BF16, 4e-3f}};
    struct lp_llava *m = school_open(*state, 5);
    m->config.template = lp_template_find("llava_v1");
    for (int i = 0; i < 3; i++) {
        char out[64];
        struct lp_error err = {0};
        folder_make(out);
        require(lp_llava_save(m, *state, out, types[i].type, &err), &err);
        struct lp_llava *again = school_open(out, 9);
        assert_string_equal(lp_template_key(lp_llava_template(again)), "llava_v1");
        assert_int_equal(again->config.llama.hidden, 32);
        for (int64_t j = 0; j < m->parameters.count; j++) {
            const lp_tensor *a = m->parameters.item[j].tensor, *b = again->parameters.item[j].tensor;
            assert_string_equal(m->parameters.item[j].name, again->parameters.item[j].name);
            assert_true(lp_same_shape(a, b));
            for (int64_t k = 0; k < lp_count(a); k++)
                if (!(fabsf(lp_f32(a)[k] - lp_f32(b)[k]) <= types[i].precision * fabsf(lp_f32(a)[k]) + types[i].precision * 1e-4f))
                    fail_msg("%s: %g, not %g", m->parameters.item[j].name, lp_f32(b)[k], lp_f32(a)[k]);
        }
        lp_llava_close(again);
        struct lp_llava *served = lp_llava_open(out, lp_kernels_cpu(), &err);
        require(served != NULL, &err);
        lp_llava_close(served);
        require(lp_llava_save(m, out, out, types[i].type, &err), &err); /* in place */
        assert_int_equal(folder_remove(out), 3);
    }
    struct lp_error err = {0};
    assert_false(lp_llava_save(m, *state, TOKENIZER, LP_F32, &err));
    assert_int_equal(err.code, LP_EIO);
    lp_llava_close(m);
}

/* Every choice of parts: what is frozen has no state, no gradient and the same bits afterwards. */
static void frozen_parts_stay_as_they_are(void **state) {
    for (unsigned parts = 1; parts < 1u << LP_PARTS; parts++) {
        struct watch w;
        struct lp_train_settings s;
        struct lp_train_set set;
        struct lp_error err = {0};
        struct lp_optimizer o;
        settings(&s, &w, 3);
        struct lp_llava *before = school_open(*state, 5), *m = school_open(*state, 5);
        lp_llava_learn(m, parts);
        int64_t learn = 0, part = 0;
        for (int64_t i = 0; i < m->parameters.count; i++)
            learn += m->parameters.item[i].tensor->learns ? lp_count(m->parameters.item[i].tensor) : 0;
        require(lp_optimizer_init(&o, m, &err), &err);
        assert_int_equal(o.numbers, learn); /* no state for the rest */
        lp_optimizer_done(&o);
        lp_train_set_init(&set, m);
        school_add(&set, *state);
        require(lp_train(m, &set, &s, &err), &err);
        for (int64_t i = 0; i < m->parameters.count; i++) {
            const lp_tensor *x = m->parameters.item[i].tensor, *y = before->parameters.item[i].tensor;
            while (i >= m->part_end[part])
                part++;
            bool same = !memcmp(x->data, y->data, sizeof(float) * (size_t)lp_count(x)), learns = parts >> part & 1;
            assert_int_equal(x->learns, learns);
            assert_true(learns || (same && !x->grad));
            if (learns && same && !strstr(m->parameters.item[i].name, "k_proj.bias")) /* its gradient is nought */
                fail_msg("parts %u: %s has not learnt", parts, m->parameters.item[i].name);
        }
        lp_train_set_done(&set);
        lp_llava_close(before);
        lp_llava_close(m);
    }
}

/* With the picture encoder frozen the tape does not hold what it computes. */
static void a_frozen_encoder_is_not_taped(void **state) {
    size_t peak[2];
    for (int frozen = 0; frozen < 2; frozen++) {
        struct lp_error err = {0};
        struct lp_llava *m = school_open(*state, 5);
        lp_llava_learn(m, frozen ? 1u << LP_PART_PROJECTOR : ~0u);
        lp_run *r = lp_run_open(m->kernels, (size_t)1 << 30, &err);
        require(r != NULL, &err);
        r->taping = true;
        lp_tensor *pixels = lp_new(r, 4, (int64_t)8, (int64_t)3, (int64_t)16, (int64_t)16);
        memset(pixels->data, 0, sizeof(float) * (size_t)lp_count(pixels));
        lp_tensor *y = lp_llava_project(r, m, pixels);
        assert_true(y && y->learns && r->taping);
        peak[frozen] = r->peak;
        int nodes = 0;
        for (struct lp_node *n = r->last; n; n = n->before)
            nodes++;
        assert_true(frozen ? nodes == 3 : nodes > 10);
        lp_run_close(r);
        lp_llava_close(m);
    }
    assert_true(peak[1] < peak[0]);
}

/* A frozen part is written as it was stored, whatever type the rest is written in. */
static void frozen_parts_are_saved_as_stored(void **state) {
    (void)state;
    static const char golden[] = LP_TESTS_DIR "/golden/llava_mlp";
    char out[64], path[300];
    struct lp_error err = {0};
    struct lp_llava *m = school_open(golden, 5);
    lp_llava_learn(m, 1u << LP_PART_PROJECTOR);
    folder_make(out);
    require(lp_llava_save(m, golden, out, LP_BF16, &err), &err);
    snprintf(path, sizeof path, "%s/model.safetensors", out);
    struct lp_weights *saved = lp_weights_open_file(path, &err);
    require(saved != NULL, &err);
    for (int64_t i = 0; i < m->parameters.count; i++) {
        const struct lp_parameter *p = &m->parameters.item[i];
        const struct lp_weight *w = lp_weights_find(saved, p->name), *from = lp_weights_find(m->files, p->name);
        assert_true(w && from);
        assert_true(p->tensor->learns ? w->type == LP_WEIGHT_BF16
                                      : w->type == from->type && w->bytes == from->bytes && !memcmp(w->data, from->data, w->bytes));
    }
    lp_weights_close(saved);
    lp_llava_close(m);
    folder_remove(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_learns),
        cmocka_unit_test(same_seed_same_weights),
        cmocka_unit_test(goes_on_where_it_stopped),
        cmocka_unit_test(a_checkpoint_is_whole_or_the_old_one),
        cmocka_unit_test(other_checkpoints_are_refused),
        cmocka_unit_test(the_rate_rises_and_falls),
        cmocka_unit_test(gradients_are_clipped),
        cmocka_unit_test(what_is_not_a_number_is_an_error),
        cmocka_unit_test(saves_in_every_type),
        cmocka_unit_test(frozen_parts_stay_as_they_are),
        cmocka_unit_test(frozen_parts_are_saved_as_stored),
        cmocka_unit_test(a_frozen_encoder_is_not_taped),
    };
    return cmocka_run_group_tests(tests, school_setup, school_teardown);
}
