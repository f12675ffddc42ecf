/* SPDX-License-Identifier: MIT */
/* What a training keeps and says: batches that add up, the held-out loss, the log, what a checkpoint is for, pictures in
 * memory, and how it ends when something fails. */
#include "train/dialogues.h"

#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>

static char school[64], out[64], checkpoint[100], log_path[100], curve[100];

struct watch {
    int64_t stop_at;
    double loss, eval_loss; /* of the last step */
    bool stop;
};

static void watch(void *context, const struct lp_train_progress *p) {
    struct watch *w = context;
    w->loss = p->loss;
    w->eval_loss = p->eval_loss;
    w->stop = p->step == w->stop_at;
}

static void open_out(void) {
    folder_make(out);
    snprintf(checkpoint, sizeof checkpoint, "%s/c.safetensors", out);
    snprintf(log_path, sizeof log_path, "%s/log.jsonl", out);
    snprintf(curve, sizeof curve, "%s/loss.png", out);
}

static int setup(void **state) {
    (void)state;
    school_make(school, 32);
    open_out();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    folder_remove(out);
    folder_remove(school);
    return 0;
}

static int clear(void **state) {
    (void)state;
    folder_remove(out);
    open_out();
    return 0;
}

static void settings(struct lp_train_settings *s, struct watch *w, int64_t steps) {
    lp_train_defaults(s);
    *w = (struct watch){0};
    s->steps = steps;
    s->batch = 3;
    s->rows_a_pass = 90;
    s->rate = 3e-3;
    s->progress = watch;
    s->context = w;
    s->stop = &w->stop;
}

static struct lp_llava *train(const struct lp_train_settings *s, struct lp_error *err) {
    struct lp_llava *m = school_open(school, 5);
    struct lp_train_set set;
    lp_train_set_init(&set, m);
    set.source = (struct lp_train_source){"talk.json", 7};
    school_add(&set, school);
    lp_train(m, &set, s, err);
    lp_train_set_done(&set);
    return m;
}

/* The share of weights that differ by more than rounding. */
static double share_apart(const struct lp_llava *a, const struct lp_llava *b) {
    int64_t apart = 0, all = 0;
    for (int64_t i = 0; i < a->parameters.count; i++)
        for (int64_t k = 0; k < lp_count(a->parameters.item[i].tensor); k++, all++)
            apart += !(fabs((double)lp_f32(a->parameters.item[i].tensor)[k] - lp_f32(b->parameters.item[i].tensor)[k]) < 2e-5);
    return (double)apart / (double)all;
}

/* The largest difference of weights. */
static double distance(const struct lp_llava *a, const struct lp_llava *b) {
    double most = 0;
    for (int64_t i = 0; i < a->parameters.count; i++)
        for (int64_t k = 0; k < lp_count(a->parameters.item[i].tensor); k++)
            most = fmax(most, fabs((double)lp_f32(a->parameters.item[i].tensor)[k] - lp_f32(b->parameters.item[i].tensor)[k]));
    return most;
}

static void batches_of_a_step_are_one_batch(void **state) {
    (void)state;
    static const int64_t shapes[][2] = {{6, 1}, {3, 2}, {1, 6}, {2, 3}};
    struct lp_llava *whole = NULL;
    double loss = 0;
    for (int i = 0; i < 4; i++) {
        struct watch w;
        struct lp_train_settings s;
        struct lp_error err = {0};
        settings(&s, &w, 4);
        s.batch = shapes[i][0];
        s.accumulate = shapes[i][1];
        struct lp_llava *m = train(&s, &err);
        require(!err.code, &err);
        if (i) {
            double far = share_apart(m, whole); /* Adam makes a whole step of what is nought but for rounding */
            if (!(fabs(w.loss - loss) < 1e-5 * loss && far < 2e-3))
                fail_msg("%d: loss %.7f, not %.7f; a share of %g differs", i, w.loss, loss, far);
            lp_llava_close(m);
        } else {
            whole = m;
            loss = w.loss;
        }
    }
    lp_llava_close(whole);
}

static void held_out_dialogues_are_measured(void **state) {
    (void)state;
    struct watch w;
    struct lp_train_settings s;
    struct lp_error err = {0};
    struct lp_llava *m[2];
    double by_hand = 0, last = 0;
    for (int i = 0; i < 2; i++) {
        settings(&s, &w, 5);
        struct lp_llava *same = school_open(school, 5);
        struct lp_train_set set, eval;
        lp_train_set_init(&set, same);
        lp_train_set_init(&eval, same);
        school_add(&set, school);
        school_add(&eval, school);
        s.eval = i ? &eval : NULL;
        s.eval_every = 2;
        s.picture_bytes = 2 * 16 * 16 * 3;
        require(lp_train(same, &set, &s, &err), &err);
        if (i) { /* what was measured last is the loss by these weights, in one pass, of all four */
            const struct lp_train_sample *sample[4];
            int64_t trained;
            for (int k = 0; k < 4; k++)
                sample[k] = &eval.sample[k];
            lp_run *r = lp_run_open(same->kernels, (size_t)1 << 30, &err);
            lp_tensor *y = lp_train_loss(r, &eval, sample, 4, &trained);
            require(lp_run_check(r, &err), &err);
            by_hand = (double)lp_f32(y)[0] / (double)trained;
            lp_run_close(r);
            for (int64_t k = 0; k < eval.pictures; k++) /* only what is learnt has room */
                assert_null(eval.picture[k]->pixel);
        }
        last = w.eval_loss;
        assert_true(i || isnan(w.eval_loss));
        lp_train_set_done(&eval);
        lp_train_set_done(&set);
        m[i] = same;
    }
    assert_true(fabs(by_hand - last) < 1e-5 * by_hand);
    assert_true(distance(m[0], m[1]) == 0); /* measuring teaches nothing */
    lp_llava_close(m[0]);
    lp_llava_close(m[1]);
}

/* Every line parses, has the keys that are promised, and each step once. */
static void check_log(int64_t steps, int64_t eval_every) {
    static const char *const keys[] = {"loss", "rate", "gradient_norm", "tokens", "tokens_per_s", "seconds"};
    FILE *f = fopen(log_path, "r");
    char line[1000];
    double before = -1;
    assert_non_null(f);
    for (int64_t step = 1; step <= steps; step++) {
        assert_non_null(fgets(line, sizeof line, f));
        json_t *object = json_loads(line, 0, NULL);
        assert_int_equal(json_integer_value(json_object_get(object, "step")), step);
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            assert_true(json_is_number(json_object_get(object, keys[i])));
        bool measured = eval_every && (step % eval_every == 0 || step == steps);
        assert_int_equal(json_object_size(object), measured ? 8 : 7);
        assert_int_equal(json_is_number(json_object_get(object, "eval_loss")), measured);
        double seconds = json_number_value(json_object_get(object, "seconds"));
        assert_true(seconds >= before);
        before = seconds;
        json_decref(object);
    }
    assert_null(fgets(line, sizeof line, f));
    fclose(f);
}

static void the_log_has_each_step_once(void **state) {
    (void)state;
    struct watch w;
    struct lp_train_settings s;
    struct lp_error err = {0};
    settings(&s, &w, 9);
    s.checkpoint = checkpoint;
    s.log = log_path;
    s.curve = curve;
    s.save_every = 4;
    w.stop_at = 5;
    static const char older[] = "{\"step\": 1, \"loss\": 3}\nan older training's\n";
    folder_put(out, "log.jsonl", older, sizeof older - 1);
    lp_llava_close(train(&s, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    check_log(5, 0);
    FILE *f = fopen(log_path, "a"); /* as if it had gone on after the checkpoint, and been killed while it wrote */
    fputs("{\"step\": 6, \"loss\": 1}\n{\"step\": 7, \"lo", f);
    fclose(f);
    err = (struct lp_error){0};
    w.stop_at = 0;
    lp_llava_close(train(&s, &err));
    require(!err.code, &err);
    check_log(9, 0);
    struct lp_image *image = lp_image_open(curve, &err);
    require(image != NULL, &err);
    assert_true(image->width == 960 && image->height == 540);
    lp_image_close(image);
}

/* Each setting that decides over the weights. */
static void a_checkpoint_goes_on_with_its_own_settings(void **state) {
    (void)state;
    static const char *const says[] = {"--batch 3, not 2", "--accumulate 1, not 2", "--rate 0.003, not 0.004", "--warm-up",
                                       "--decay", "--clip", "--seed 1, not 2", "--steps 4, not 5", "--precision f32, not bf16",
                                       "--optimizer adamw, not muon"};
    struct watch w;
    struct lp_train_settings s;
    struct lp_error err = {0};
    settings(&s, &w, 4);
    s.checkpoint = checkpoint;
    w.stop_at = 2;
    lp_llava_close(train(&s, &err));
    for (int i = 0; i < 10; i++) {
        err = (struct lp_error){0};
        settings(&s, &w, i == 7 ? 5 : 4);
        s.half = i == 8;
        s.muon = i == 9;
        s.checkpoint = checkpoint;
        s.batch = i == 0 ? 2 : 3;
        s.accumulate = i == 1 ? 2 : 1;
        s.rate = i == 2 ? 4e-3 : 3e-3;
        s.warm_up = i == 3 ? 0.5 : s.warm_up;
        s.decay = i == 4 ? 0.5 : s.decay;
        s.clip = i == 5 ? 0.5 : s.clip;
        s.seed = i == 6 ? 2 : 1;
        lp_llava_close(train(&s, &err));
        assert_int_equal(err.code, LP_EINPUT);
        if (!strstr(err.text, says[i]) || !strstr(err.text, checkpoint))
            fail_msg("'%s' does not say '%s'", err.text, says[i]);
    }
    err = (struct lp_error){0};
    settings(&s, &w, 4);
    s.checkpoint = checkpoint;
    s.rows_a_pass = 4000; /* how, not what */
    s.save_every = 1;
    struct lp_llava *m = school_open(school, 5);
    struct lp_train_set set;
    lp_train_set_init(&set, m);
    school_add(&set, school);
    set.count--;
    assert_false(lp_train(m, &set, &s, &err));
    assert_non_null(strstr(err.text, "other data"));
    set.count++;
    lp_llava_learn(m, 1u << LP_PART_LANGUAGE);
    assert_false(lp_train(m, &set, &s, &err));
    lp_llava_learn(m, ~0u);
    s.rate = 1e-3;
    s.force = true;
    err = (struct lp_error){0};
    require(lp_train(m, &set, &s, &err), &err);
    lp_train_set_done(&set);
    lp_llava_close(m);
}

static void failing_numbers_are_placed(void **state) {
    (void)state;
    struct watch w;
    struct lp_train_settings s;
    struct lp_error err = {0};
    settings(&s, &w, 6);
    s.checkpoint = checkpoint;
    s.log = log_path;
    s.save_every = 2;
    s.clip = 0;
    s.warm_up = 0;
    w.stop_at = 3;
    lp_llava_close(train(&s, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    err = (struct lp_error){0};
    w = (struct watch){0};
    s.rate = 3e36; /* the step that it takes breaks the next one */
    s.force = true;
    lp_llava_close(train(&s, &err));
    assert_int_equal(err.code, LP_EINPUT);
    if (!strstr(err.text, "is not a number at step 5") || !strstr(err.text, "talk.json line 7") ||
        !strstr(err.text, "the checkpoint of step 4 is whole") || !strstr(err.text, "--force and a lower --rate"))
        fail_msg("%s", err.text);
}

/* The files grow too large: the error says what to do, the checkpoint is the last whole one. */
static void a_full_disk_leaves_the_last_checkpoint(void **state) {
    (void)state;
    struct watch w;
    struct lp_train_settings s;
    struct lp_error err = {0};
    settings(&s, &w, 8);
    s.checkpoint = checkpoint;
    s.log = log_path;
    s.save_every = 3;
    w.stop_at = 4;
    lp_llava_close(train(&s, &err));
    struct rlimit any, small;
    getrlimit(RLIMIT_FSIZE, &any);
    signal(SIGXFSZ, SIG_IGN);
    for (int i = 0; i < 2; i++) { /* no room for a checkpoint; not even for the log */
        small = (struct rlimit){i ? 700 : 300000, any.rlim_max};
        err = (struct lp_error){0};
        w.stop_at = 0;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        struct lp_llava *m = train(&s, &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &any), 0);
        assert_int_equal(err.code, LP_EIO);
        if (!strstr(err.text, i ? log_path : checkpoint) || !strstr(err.text, "File too large") ||
            !strstr(err.text, "the checkpoint of step 4 is whole: the same command goes on from it"))
            fail_msg("%s", err.text);
        lp_llava_close(m);
    }
    err = (struct lp_error){0};
    w.stop_at = 0;
    struct lp_llava *after = train(&s, &err);
    require(!err.code, &err);
    check_log(8, 0);
    settings(&s, &w, 8);
    struct lp_llava *whole = train(&s, &err);
    assert_true(distance(after, whole) == 0);
    lp_llava_close(after);
    lp_llava_close(whole);
}

static void pictures_in_memory_change_nothing(void **state) {
    (void)state;
    struct lp_llava *m[3];
    size_t one = 16 * 16 * 3;
    for (int i = 0; i < 3; i++) {
        struct watch w;
        struct lp_train_settings s;
        struct lp_error err = {0};
        struct lp_train_set set;
        settings(&s, &w, 7);
        m[i] = school_open(school, 5);
        lp_train_set_init(&set, m[i]);
        school_add(&set, school);
        assert_int_equal(set.pictures, 2);
        assert_true(set.sample[0].picture[0] == set.picture[0]);
        s.picture_bytes = (size_t)i * one; /* none, one, both */
        require(lp_train(m[i], &set, &s, &err), &err);
        int held = 0;
        for (int k = 0; k < 2; k++)
            held += set.picture[k]->pixel != NULL;
        assert_int_equal(held, i);
        lp_train_set_done(&set);
        assert_true(distance(m[i], m[0]) == 0);
    }
    for (int i = 0; i < 3; i++)
        lp_llava_close(m[i]);
}

static void many_pictures_are_told_apart(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_train_set set;
    struct lp_llava *m = school_open(school, 5);
    lp_train_set_init(&set, m);
    for (int twice = 0; twice < 2; twice++)
        for (int i = 0; i < 3000; i++) {
            char path[32];
            snprintf(path, sizeof path, "pictures/%d.png", i);
            const struct lp_train_picture *p = lp_train_set_picture(&set, path, &err);
            require(p != NULL, &err);
            assert_string_equal(p->path, path);
            assert_true(p == set.picture[i]);
        }
    assert_int_equal(set.pictures, 3000);
    lp_train_set_done(&set);
    lp_llava_close(m);
}

/* A cut-off picture is found before the first step; one that breaks later ends the training with its state kept. */
static void damaged_pictures_are_named(void **state) {
    (void)state;
    char folder[64], path[100];
    school_make(folder, 32);
    snprintf(path, sizeof path, "%s/b.png", folder);
    struct lp_error err = {0};
    size_t n;
    char *bytes = lp_file_read(path, 1 << 20, &n, &err);
    require(bytes != NULL, &err);
    for (int late = 0; late < 2; late++) {
        struct watch w;
        struct lp_train_settings s;
        struct lp_train_set set;
        struct lp_llava *m = school_open(folder, 5);
        settings(&s, &w, 40);
        s.checkpoint = checkpoint;
        s.picture_bytes = 0;
        lp_train_set_init(&set, m);
        set.source = (struct lp_train_source){"talk.json", 12};
        school_add(&set, folder);
        /* Whole at its head and end, but not between: no check of headers finds it. */
        memset(bytes + n / 2, 0, 8);
        folder_put(folder, "b.png", bytes, late ? n : n - 20);
        err = (struct lp_error){0};
        assert_true(lp_train_pictures_check(&set, &err) == (late == 1));
        assert_false(late && lp_train(m, &set, &s, &err));
        assert_int_equal(err.code, LP_EINPUT);
        if (!strstr(err.text, "talk.json, line 12") || !strstr(err.text, "b.png"))
            fail_msg("%s", err.text);
        assert_int_equal(lp_file_exists(checkpoint), late && w.loss > 0);
        lp_train_set_done(&set);
        lp_llava_close(m);
    }
    lp_free(bytes);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_of_a_step_are_one_batch),
        cmocka_unit_test(held_out_dialogues_are_measured),
        cmocka_unit_test_setup(the_log_has_each_step_once, clear),
        cmocka_unit_test_setup(a_checkpoint_goes_on_with_its_own_settings, clear),
        cmocka_unit_test_setup(failing_numbers_are_placed, clear),
        cmocka_unit_test_setup(a_full_disk_leaves_the_last_checkpoint, clear),
        cmocka_unit_test(pictures_in_memory_change_nothing),
        cmocka_unit_test(many_pictures_are_told_apart),
        cmocka_unit_test_setup(damaged_pictures_are_named, clear),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
