/* SPDX-License-Identifier: MIT */
/* Picture rows learn to name what they show. */
#include "train/dialogues.h"

#include <math.h>

static const int32_t words[] = {300, 17, 2000}; /* any tokens */
static const struct lp_train_name lesson[2][5] = {{{0, 0}, {1, 1}, {2, 0}, {3, 0}, {3, 2}},
                                                  {{0, 2}, {1, 2}, {2, 1}, {3, 1}, {0, 1}}};

static void add_lessons(struct lp_train_set *set, const char *folder) {
    struct lp_error err = {0};
    char path[300];
    require(lp_train_set_words(set, words, 3, &err), &err);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%c.png", folder, 'a' + i);
        require(lp_train_set_add_names(set, path, lesson[i], 5, &err), &err);
    }
}

static double loss_of(lp_run *r, const struct lp_train_set *set, bool back) {
    struct lp_error err = {0};
    int64_t trained;
    lp_run_reset(r);
    r->taping = back;
    lp_tensor *y = lp_train_loss(r, set, (const struct lp_train_sample *const[]){&set->sample[0], &set->sample[1]}, 2, &trained);
    require(lp_run_check(r, &err), &err);
    assert_int_equal(trained, 10);
    double loss = lp_f32(y)[0];
    if (back)
        require(lp_backward(r, y, &err), &err);
    return loss;
}

static void gradients_are_differences(void **state) {
    (void)state;
    char folder[64];
    struct lp_error err = {0};
    struct lp_optimizer o;
    struct lp_train_set set;
    school_make(folder, 32);
    struct lp_llava *m = school_open(folder, 5);
    require(lp_optimizer_init(&o, m, &err), &err);
    lp_run *r = lp_run_open(m->kernels, (size_t)1 << 30, &err);
    lp_train_set_init(&set, m);
    add_lessons(&set, folder);
    loss_of(r, &set, true);
    for (int64_t i = 0; i < m->parameters.count; i++) {
        lp_tensor *x = m->parameters.item[i].tensor;
        const char *name = m->parameters.item[i].name;
        bool word = strstr(name, "embed_tokens");
        bool concerned = word || !strncmp(name, "vision_tower", 12) || !strncmp(name, "multi_modal", 11);
        int64_t at = word ? 17 * 32 + 3 : lp_count(x) / 2;
        float was = lp_f32(x)[at], got = x->grad[at], step = 2e-2f * (fabsf(was) + 0.05f);
        lp_f32(x)[at] = was + step;
        double above = loss_of(r, &set, false);
        lp_f32(x)[at] = was - step;
        double below = loss_of(r, &set, false), want = (above - below) / (2.0 * (double)step);
        lp_f32(x)[at] = was;
        if (!concerned)
            assert_true(got == 0);
        if (fabs(got - want) > 2e-3 + 3e-2 * fabs(want))
            fail_msg("%s[%ld]: gradient %.5g, difference %.5g", name, (long)at, (double)got, want);
    }
    lp_train_set_done(&set);
    lp_run_close(r);
    lp_optimizer_done(&o);
    lp_llava_close(m);
    folder_remove(folder);
}

/* Two words for each of two rows cost ln 2 each: 4 ln 2 / 10 a name is the least there is. */
static void lessons_are_learnt(void **state) {
    (void)state;
    char folder[64];
    struct lp_error err = {0};
    struct lp_train_set set;
    struct lp_train_settings s;
    school_make(folder, 32);
    struct lp_llava *m = school_open(folder, 5);
    lp_train_set_init(&set, m);
    add_lessons(&set, folder);
    lp_train_defaults(&s);
    s.steps = 120;
    s.batch = 2;
    s.rate = 1e-2;
    require(lp_train(m, &set, &s, &err), &err);
    lp_run *r = lp_run_open(m->kernels, (size_t)1 << 30, &err);
    double loss = loss_of(r, &set, false) / 10, least = 4 * log(2) / 10;
    if (!(loss >= least - 1e-5 && loss < least + 0.05))
        fail_msg("%.4f nats a name; the least is %.4f", loss, least);
    lp_run_close(r);
    lp_train_set_done(&set);
    lp_llava_close(m);
    folder_remove(folder);
}

static void impossible_lessons_are_refused(void **state) {
    (void)state;
    char folder[64];
    struct lp_error err = {0};
    struct lp_train_set set;
    school_make(folder, 32);
    struct lp_llava *m = school_open(folder, 5);
    lp_train_set_init(&set, m);
    assert_false(lp_train_set_words(&set, (const int32_t[]){4096}, 1, &err));
    require(lp_train_set_words(&set, words, 3, &err), &err);
    static const struct lp_train_name wrong[] = {{4, 0}, {-1, 0}, {0, 3}, {0, -1}};
    for (int i = 0; i < 4; i++)
        assert_false(lp_train_set_add_names(&set, "a.png", &wrong[i], 1, &err));
    assert_int_equal(set.count, 0);
    lp_train_set_done(&set);
    lp_llava_close(m);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_differences),
        cmocka_unit_test(lessons_are_learnt),
        cmocka_unit_test(impossible_lessons_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
