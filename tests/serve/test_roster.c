/* SPDX-License-Identifier: MIT */
/* The controller's table: who gets the next request, who is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/roster.h"

#include <stdio.h>
#include <string.h>

static void put(struct lp_roster *r, const char *name, double speed, int queue, bool check, double now) {
    struct lp_error err = {0};
    json_t *status = json_pack("{s:[s], s:f, s:i}", "model_names", "m", "speed", speed, "queue_length", queue);
    assert_true(lp_roster_check(status, &err));
    assert_true(lp_roster_put(r, name, status, check, false, now, &err));
    json_decref(status);
}

static const char *choose(struct lp_roster *r, const char *model) {
    static char address[LP_ROSTER_LONGEST];
    lp_roster_choose(r, model, address);
    return address;
}

static struct lp_roster roster;

static void shortest_queue(void **state) {
    (void)state;
    lp_roster_init(&roster, LP_SHORTEST_QUEUE, 1);
    put(&roster, "slow", 1, 1, true, 0);
    put(&roster, "fast", 4, 2, true, 0); /* 2 / 4 is less than 1 / 1 */
    assert_string_equal(choose(&roster, "m"), "fast");
    assert_string_equal(choose(&roster, "m"), "fast"); /* 3 / 4 */
    assert_string_equal(choose(&roster, "m"), "slow"); /* equal: the first registered */
    assert_string_equal(choose(&roster, "M"), "");
    put(&roster, "stopped", 0, 0, true, 0); /* a speed of 0 divides nothing */
    assert_string_equal(choose(&roster, "m"), "stopped");
    assert_true(lp_roster_beat(&roster, "slow", 0, 1));
    assert_string_equal(choose(&roster, "m"), "slow");
    lp_roster_done(&roster);
}

static void lottery(void **state) {
    (void)state;
    int fast = 0;
    lp_roster_init(&roster, LP_LOTTERY, 1);
    assert_string_equal(choose(&roster, "m"), "");
    put(&roster, "stopped", 0, 0, true, 0);
    assert_string_equal(choose(&roster, "m"), "");
    put(&roster, "slow", 1, 0, true, 0);
    put(&roster, "fast", 3, 100, true, 0);
    for (int i = 0; i < 1000; i++) {
        const char *one = choose(&roster, "m");
        assert_string_not_equal(one, "stopped");
        fast += !strcmp(one, "fast");
    }
    assert_in_range(fast, 700, 800);
    lp_roster_done(&roster);
}

static void silence(void **state) {
    (void)state;
    lp_roster_init(&roster, LP_SHORTEST_QUEUE, 1);
    put(&roster, "a", 1, 0, true, 0);
    put(&roster, "b", 1, 0, false, 0);
    put(&roster, "c", 1, 0, true, 0);
    assert_true(lp_roster_beat(&roster, "c", 0, 50));
    assert_false(lp_roster_beat(&roster, "d", 0, 50));
    assert_true(lp_roster_is_fresh(&roster, "a", 90, 90));
    assert_int_equal(lp_roster_expire(&roster, 90, 90), 0);
    assert_int_equal(lp_roster_expire(&roster, 90, 91), 1);
    assert_false(lp_roster_is_fresh(&roster, "a", 90, 91));
    assert_false(lp_roster_is_fresh(&roster, "b", 90, 1)); /* nothing is heard of it */
    json_t *names = lp_roster_names(&roster);
    assert_int_equal(json_array_size(names), 2);
    assert_string_equal(json_string_value(json_array_get(names, 1)), "c");
    json_decref(names);
    lp_roster_remove(&roster, "b");
    lp_roster_remove(&roster, "b");
    assert_int_equal(roster.n, 1);
    lp_roster_done(&roster);
}

static void there_is_a_last_worker(void **state) {
    (void)state;
    struct lp_error err = {0};
    char name[32];
    lp_roster_init(&roster, LP_SHORTEST_QUEUE, 1);
    for (int i = 0; i < LP_ROSTER_WORKERS; i++) {
        snprintf(name, sizeof name, "w%d", i);
        put(&roster, name, 1, 0, true, 0);
    }
    json_t *status = json_pack("{s:[s], s:i, s:i}", "model_names", "m", "speed", 1, "queue_length", 0);
    assert_false(lp_roster_put(&roster, "one more", status, true, false, 0, &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_true(lp_roster_put(&roster, "w0", status, true, false, 0, &err)); /* a known one */
    assert_false(lp_roster_update(&roster, "one more", status, 0));
    json_decref(status);
    lp_roster_done(&roster);
}

static void dispatch_names(void **state) {
    (void)state;
    enum lp_dispatch dispatch;
    struct lp_error err = {0};
    assert_true(lp_dispatch_parse("lottery", &dispatch, &err) && dispatch == LP_LOTTERY);
    assert_true(lp_dispatch_parse("shortest_queue", &dispatch, &err) && dispatch == LP_SHORTEST_QUEUE);
    assert_false(lp_dispatch_parse("magic", &dispatch, &err));
    assert_int_equal(err.code, LP_EUSAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shortest_queue), cmocka_unit_test(lottery),        cmocka_unit_test(silence),
        cmocka_unit_test(there_is_a_last_worker), cmocka_unit_test(dispatch_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
