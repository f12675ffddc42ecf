/* SPDX-License-Identifier: MIT */
/* Low-rank adapters: nothing changes at first, gradients are differences of losses, merged weights do the same as
 * adapters, files are peft's. */
#include "train/dialogues.h"

#include "base/json.h"
#include "weights/weights.h"

#include <math.h>

static double loss_of(struct lp_llava *m, struct lp_train_set *set, bool learn) {
    struct lp_error err = {0};
    lp_run *r = lp_run_open(m->kernels, (size_t)256 << 20, &err);
    require(r != NULL, &err);
    int64_t trained;
    const struct lp_train_sample *sample[] = {&set->sample[0], &set->sample[2]};
    r->taping = learn;
    lp_tensor *y = lp_train_loss(r, set, sample, 2, &trained);
    require(lp_run_check(r, &err), &err);
    double loss = lp_f32(y)[0];
    if (learn)
        require(lp_backward(r, y, &err), &err);
    lp_run_close(r);
    return loss;
}

/* A model with adapters alone learning, B as if it had learnt. */
static struct lp_llava *adapted(const char *folder, struct lp_train_set *set, double *before) {
    struct lp_error err = {0};
    struct lp_llava *m = school_open(folder, 3);
    lp_train_set_init(set, m);
    school_add(set, folder);
    *before = loss_of(m, set, false);
    lp_llava_learn(m, 0);
    require(lp_lora_add(m, 2, 4, 5, &err), &err);
    return m;
}

static void disturb(struct lp_llava *m) {
    struct lp_rng rng;
    lp_rng_seed(&rng, 8);
    for (int64_t i = m->part_end[LP_PART_LANGUAGE]; i < m->parameters.count; i++)
        for (int64_t j = 0; j < lp_count(m->parameters.item[i].tensor); j++)
            lp_f32(m->parameters.item[i].tensor)[j] += 0.1f * lp_rng_normal(&rng);
}

static void close_all(struct lp_llava *m, struct lp_train_set *set) {
    lp_train_set_done(set);
    lp_llava_close(m);
}

static void begins_as_the_model(void **state) {
    struct lp_train_set set;
    double before;
    struct lp_llava *m = adapted(*state, &set, &before);
    assert_int_equal(m->parameters.count - m->part_end[LP_PART_LANGUAGE], 14);
    assert_true(fabs(loss_of(m, &set, false) - before) <= 1e-6 * before);
    close_all(m, &set);
}

static void gradients_are_differences(void **state) {
    struct lp_train_set set;
    double before, worst = 0, scale = 0;
    struct lp_optimizer o;
    struct lp_error err = {0};
    struct lp_llava *m = adapted(*state, &set, &before);
    disturb(m);
    require(lp_optimizer_init(&o, m, &err), &err);
    loss_of(m, &set, true);
    for (int64_t i = m->part_end[LP_PART_LANGUAGE]; i < m->parameters.count; i++)
        for (int64_t j = 0; j < 3; j++) {
            lp_tensor *x = m->parameters.item[i].tensor;
            int64_t at = j * 13 % lp_count(x);
            float *number = lp_f32(x) + at, kept = *number;
            *number = kept + 2e-2f;
            double up = loss_of(m, &set, false);
            *number = kept - 2e-2f;
            double down = loss_of(m, &set, false), numeric = (up - down) / 4e-2;
            *number = kept;
            worst = fmax(worst, fabs(numeric - x->grad[at]));
            scale = fmax(scale, fabs(numeric));
        }
    if (!(worst <= 0.02 * scale && scale > 0))
        fail_msg("gradients are off by %.3g of %.3g", worst, scale);
    lp_optimizer_done(&o);
    close_all(m, &set);
}

static void merged_equals_unmerged(void **state) {
    struct lp_train_set set;
    double before;
    struct lp_error err = {0};
    char folder[64];
    struct lp_llava *m = adapted(*state, &set, &before);
    disturb(m);
    double with = loss_of(m, &set, false);
    assert_true(fabs(with - before) > 1e-3 * before);
    lp_lora_merge(m);
    assert_true(fabs(loss_of(m, &set, false) - with) <= 1e-5 * with);
    folder_make(folder);
    require(lp_llava_save(m, *state, folder, LP_F32, &err), &err);
    close_all(m, &set);
    m = school_open(folder, 9);
    lp_train_set_init(&set, m);
    school_add(&set, *state);
    assert_true(fabs(loss_of(m, &set, false) - with) <= 1e-5 * with);
    close_all(m, &set);
    folder_remove(folder);
}

static void files_are_peft_s(void **state) {
    struct lp_train_set set;
    double before;
    struct lp_error err = {0};
    char folder[64], path[300];
    struct lp_llava *m = adapted(*state, &set, &before);
    folder_make(folder);
    require(lp_lora_save(m, "base", folder, &err), &err);
    snprintf(path, sizeof path, "%s/adapter_config.json", folder);
    json_t *config = lp_json_load(path, &err);
    require(config != NULL, &err);
    assert_int_equal(json_integer_value(json_object_get(config, "r")), 2);
    assert_true(json_number_value(json_object_get(config, "lora_alpha")) == 4);
    assert_string_equal(json_string_value(json_object_get(config, "peft_type")), "LORA");
    json_decref(config);
    snprintf(path, sizeof path, "%s/adapter_model.safetensors", folder);
    struct lp_weights *files = lp_weights_open_file(path, &err);
    require(files != NULL, &err);
    assert_int_equal(lp_weights_count(files), 14);
    const char *name = lp_weights_at(files, 0)->name;
    assert_non_null(strstr(name, "base_model.model."));
    assert_non_null(strstr(name, "layers.0.mlp.down_proj.lora_A.weight"));
    lp_weights_close(files);
    close_all(m, &set);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_as_the_model),
        cmocka_unit_test(gradients_are_differences),
        cmocka_unit_test(merged_equals_unmerged),
        cmocka_unit_test(files_are_peft_s),
    };
    return cmocka_run_group_tests(tests, school_setup, school_teardown);
}
