/* SPDX-License-Identifier: MIT */
/* Sampling: shares, nucleus, masks, seeds. */
#include "plan/sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { N = 4, DRAWS = 20000 };
static const float logits[N] = {0.0f, 1.0986123f, -INFINITY, 0.6931472f}; /* shares 1/6, 3/6, 0, 2/6 */

static void count(const struct lp_sampling *s, const bool *legal, int counts[N]) {
    struct lp_rng rng;
    float scratch[N];
    lp_rng_seed(&rng, s->seed);
    for (int i = 0; i < N; i++)
        counts[i] = 0;
    for (int i = 0; i < DRAWS; i++)
        counts[lp_sample(logits, N, legal, s, &rng, scratch)]++;
}

static void shares_are_those_of_the_softmax(void **state) {
    (void)state;
    struct lp_sampling s;
    lp_sampling_defaults(&s);
    s.temperature = 1;
    int n[N];
    count(&s, NULL, n);
    assert_in_range(n[0], DRAWS / 6 - 300, DRAWS / 6 + 300);
    assert_in_range(n[1], DRAWS / 2 - 300, DRAWS / 2 + 300);
    assert_int_equal(n[2], 0);
    s.temperature = 0.5; /* squares: 1, 9, 4 of 14 */
    count(&s, NULL, n);
    assert_in_range(n[1], DRAWS * 9 / 14 - 300, DRAWS * 9 / 14 + 300);
}

static void the_nucleus_leaves_out_the_unlikely(void **state) {
    (void)state;
    struct lp_sampling s = {.temperature = 1, .top_p = 0.8};
    int n[N];
    count(&s, NULL, n); /* 3/6 is too little, 5/6 is enough */
    assert_int_equal(n[0], 0);
    assert_in_range(n[1], DRAWS * 3 / 5 - 300, DRAWS * 3 / 5 + 300);
    s.top_p = 0.3;
    count(&s, NULL, n);
    assert_int_equal(n[1], DRAWS);
}

static void masks_and_greed(void **state) {
    (void)state;
    struct lp_sampling s = {.temperature = 1, .top_p = 1};
    bool legal[N] = {true, false, true, false}, none[N] = {false};
    int n[N];
    float scratch[N];
    struct lp_rng rng;
    lp_rng_seed(&rng, 1);
    count(&s, legal, n);
    assert_int_equal(n[0], DRAWS);
    assert_int_equal(lp_sample(logits, N, none, &s, &rng, scratch), -1);
    s.temperature = 0;
    assert_int_equal(lp_sample(logits, N, NULL, &s, &rng, scratch), 1);
    legal[0] = false; /* only an impossible one is legal: the grammar wins */
    assert_int_equal(lp_sample(logits, N, legal, &s, &rng, scratch), 2);
    float broken[N] = {NAN, 1, NAN, INFINITY};
    assert_int_equal(lp_sample(broken, N, NULL, &s, &rng, scratch), 1);
}

static void the_same_seed_draws_the_same(void **state) {
    (void)state;
    struct lp_sampling s = {.temperature = 1, .top_p = 1, .seed = 7};
    int a[N], b[N];
    count(&s, NULL, a);
    count(&s, NULL, b);
    assert_memory_equal(a, b, sizeof a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_those_of_the_softmax),
        cmocka_unit_test(the_nucleus_leaves_out_the_unlikely),
        cmocka_unit_test(masks_and_greed),
        cmocka_unit_test(the_same_seed_draws_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
