/* SPDX-License-Identifier: MIT */
/* Skills in processes of their own: what goes there and back, and what comes of those that crash, hang, eat or babble. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "skill/odd_skill.h"

#include <errno.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

/* A conversation with a picture that says what the skill does, a mask, a map and a box. */
struct talk {
    struct lp_children_settings settings;
    struct lp_children *children;
    struct lp_objects objects;
    json_t *params;
    struct lp_call call;
};

static void begin(struct talk *t) {
    memset(t, 0, sizeof *t);
    lp_children_defaults(&t->settings);
}

static void paint(struct talk *t, int color) {
    struct lp_image *picture = lp_image_new(7, 5, NULL);
    memset(picture->pixel, color, 7 * 5 * 3);
    assert_non_null(lp_objects_add_image(&t->objects, picture, NULL));
}

static void end(struct talk *t) {
    lp_call_done(&t->call);
    json_decref(t->params);
    lp_objects_done(&t->objects);
    lp_children_close(t->children);
}

/* Calls the skill on a picture of the colour. The skill need not be ready: the test's process plays it. */
static bool call(struct talk *t, const char *skill, const char *params, int color, const atomic_bool *cancel,
                 struct lp_error *err) {
    if (!t->children)
        assert_non_null(t->children = lp_children_open(&t->settings, NULL));
    lp_call_done(&t->call);
    json_decref(t->params);
    paint(t, color);
    t->params = json_loads(params, 0, NULL);
    *err = (struct lp_error){0};
    t->call = (struct lp_call){.skill = lp_skill_find(skill),
                               .params = t->params,
                               .objects = &t->objects,
                               .play = lp_children_play(t->children),
                               .reference = t->call.reference,
                               .reference_box = t->call.reference_box,
                               .reference_boxes = t->call.reference_boxes,
                               .cancel = cancel};
    t->call.play.has = NULL;
    return lp_call_work(&t->call, err);
}

static pid_t call_well(struct talk *t, const char *skill, const char *params) {
    struct lp_error err;
    if (!call(t, skill, params, ODD_GOOD, NULL, &err))
        fail_msg("%s", err.text);
    return (pid_t)json_integer_value(json_object_get(t->call.report, "pid"));
}

static bool is_there(pid_t pid) {
    return !kill(pid, 0) || errno != ESRCH;
}

static void what_it_leaves_comes_back_as_it_is(void **state) {
    (void)state;
    struct talk t;
    struct lp_call here = {0};
    begin(&t);
    assert_int_not_equal(call_well(&t, "ocr", "{}"), getpid());
    here.picture = t.objects.item[0]->picture;
    assert_true(odd_leave(&here, NULL));
    assert_int_equal(t.call.made.n, here.made.n);
    for (int i = 0; i < here.made.n; i++) {
        const struct lp_object *a = here.made.item[i], *b = t.call.made.item[i];
        assert_string_equal(a->handle, b->handle);
        assert_int_equal(a->width, b->width);
        assert_int_equal(a->height, b->height);
        assert_memory_equal(a->box, b->box, sizeof a->box);
        assert_memory_equal(&a->score, &b->score, sizeof a->score);
        assert_int_equal(a->count, b->count);
        assert_true(!a->text == !b->text);
        if (a->text)
            assert_string_equal(a->text, b->text);
        if (a->pixel)
            assert_memory_equal(a->pixel, b->pixel, (size_t)a->width * (size_t)a->height);
        if (a->picture)
            assert_memory_equal(a->picture->pixel, b->picture->pixel, 7 * 5 * 3);
    }
    assert_true(lp_call_keep(&t.call, NULL));
    assert_non_null(lp_objects_find(&t.objects, "img_2"));
    lp_objects_done(&here.made);
    end(&t);
}

/* The picture, objects by their handles, or the newest where none is named, and the reference. */
static void what_the_parameters_mean_goes_along(void **state) {
    (void)state;
    static const uint8_t plane[35] = {1};
    static const struct {
        const char *skill, *params, *objects;
    } cases[] = {
        {"ocr", "{}", "[\"img_1\"]"},
        {"ocr", "{\"image\": \"img_1\"}", "[\"img_1\"]"},
        {"inpaint", "{\"prompt\": \"a cat\"}", "[\"img_1\",\"mask_2\"]"},
        {"inpaint", "{\"prompt\": \"a cat\", \"mask\": \"mask_1\"}", "[\"img_1\",\"mask_1\"]"},
        {"segment_at", "{\"boxes\": [\"box_2\", [0, 0, 1, 1], \"box_1\"]}", "[\"img_1\",\"box_2\",\"box_1\"]"},
        {"segment_like", "{\"image\": \"img_1\"}", "[\"img_1\"]"},
    };
    struct talk t;
    struct lp_image *reference = lp_image_new(4, 3, NULL);
    static const float box[1][4] = {{0, 0, 0.7f, 1}};
    begin(&t);
    memset(reference->pixel, 9, 4 * 3 * 3);
    for (int i = 0; i < 2; i++) {
        assert_non_null(lp_objects_add_mask(&t.objects, 7, 5, plane, NULL, 1, NULL));
        assert_non_null(lp_objects_add_map(&t.objects, 7, 5, plane, NULL));
        assert_non_null(lp_objects_add_box(&t.objects, box[0], NULL, 1, NULL));
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool refers = !strcmp(cases[i].skill, "segment_like");
        t.call.reference = refers ? reference : NULL;
        t.call.reference_box = box;
        t.call.reference_boxes = 1;
        call_well(&t, cases[i].skill, cases[i].params);
        char *objects = json_dumps(json_object_get(t.call.report, "objects"), JSON_COMPACT);
        assert_string_equal(objects, cases[i].objects);
        lp_free(objects);
        assert_true(json_equal(json_object_get(t.call.report, "params"), t.params));
        const json_t *told = json_object_get(t.call.report, "reference");
        assert_int_equal(json_array_size(told), refers ? 4 : 0);
        if (refers) {
            assert_int_equal(json_integer_value(json_array_get(told, 0)), 4);
            assert_int_equal(json_integer_value(json_array_get(told, 2)), 9);
            assert_true((float)json_number_value(json_array_get(told, 3)) == 0.7f);
        }
    }
    t.call.reference = NULL;
    lp_image_close(reference);
    end(&t);
}

/* Each is an error of that call, and the next one is served: by the same process where it has answered. */
static void whatever_it_does_the_next_call_is_served(void **state) {
    (void)state;
    static const struct {
        int color;
        const char *says;
        bool lives;
    } cases[] = {
        {ODD_ABORTS, "ended unexpectedly (Aborted", false},
        {ODD_LEAVES, "ended unexpectedly (exit status 7)", false},
        {ODD_EATS, "ran out of memory: it took more than 600 MiB", false},
        {ODD_BABBLES, "makes no sense", false},
        {ODD_FAILS, "nothing is to be seen", true},
        {ODD_LACKS_MEMORY, "out of memory", true},
    };
    struct talk t;
    struct lp_error err;
    begin(&t);
    t.settings.memory_mib = 600; /* what sanitizers need is much */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pid_t before = call_well(&t, "ocr", "{}");
        if (call(&t, "ocr", "{}", cases[i].color, NULL, &err) || !strstr(err.text, cases[i].says))
            fail_msg("case %zu: '%s', not '%s'", i, err.text, cases[i].says);
        assert_true(err.code == LP_EIO || err.code == LP_EINPUT); /* not the server's own lack of memory */
        assert_int_equal(is_there(before), cases[i].lives);
        assert_int_equal(call_well(&t, "ocr", "{}") == before, cases[i].lives);
    }
    end(&t);
}

static void one_that_hangs_ends_at_its_time(void **state) {
    (void)state;
    struct talk t;
    struct lp_error err;
    begin(&t);
    t.settings.wait_s = 0.5;
    assert_false(call(&t, "ocr", "{}", ODD_HANGS, NULL, &err));
    assert_string_equal(err.text, "it took longer than 0.5 s (--skill-timeout)");
    end(&t);
}

static void one_that_died_while_it_waited_is_replaced(void **state) {
    (void)state;
    struct talk t;
    begin(&t);
    pid_t first = call_well(&t, "ocr", "{}"), other = call_well(&t, "inpaint", "{\"prompt\": \"a cat\", \"mask\": \"img_1\"}");
    assert_int_not_equal(first, other);
    kill(first, SIGKILL);
    while (waitid(P_PID, (id_t)first, &(siginfo_t){0}, WEXITED | WNOWAIT) < 0) {
    }
    pid_t second = call_well(&t, "ocr", "{}");
    assert_int_not_equal(first, second);
    assert_int_equal(call_well(&t, "inpaint", "{\"prompt\": \"a cat\", \"mask\": \"img_1\"}"), other);
    end(&t);
    assert_false(is_there(second) || is_there(other));
}

static void *cancel_soon(void *context) {
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    atomic_store((atomic_bool *)context, true);
    return NULL;
}

static void a_canceled_call_ends_its_process(void **state) {
    (void)state;
    struct talk t;
    struct lp_error err;
    pthread_t thread;
    atomic_bool cancel = false;
    begin(&t);
    pid_t first = call_well(&t, "ocr", "{}"), other = call_well(&t, "caption", "{}");
    double began = lp_clock_ms();
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
    assert_false(call(&t, "ocr", "{}", ODD_HANGS, &cancel, &err));
    print_message("stopped %.1f ms after it was asked to\n", lp_clock_ms() - began - 100);
    pthread_join(thread, NULL);
    assert_int_equal(err.code, LP_ECANCELED);
    assert_false(is_there(first));
    assert_int_equal(call_well(&t, "caption", "{}"), other);
    end(&t);
}

static void it_knows_no_keys_and_holds_no_files(void **state) {
    (void)state;
    struct talk t;
    int open_end[2];
    assert_int_equal(pipe(open_end), 0); /* a careless library's */
    setenv("LLAVA_PLUS_API_KEY", "k", 1);
    setenv("my_password_file", "k", 1);
    setenv("LLAVA_PLUS_TEST", "x", 1);
    begin(&t);
    call_well(&t, "ocr", "{}");
    const json_t *variables = json_object_get(t.call.report, "variables");
    bool told = false;
    for (size_t i = 0; i < json_array_size(variables); i++) {
        const char *name = json_string_value(json_array_get(variables, i));
        assert_true(strcmp(name, "LLAVA_PLUS_API_KEY") && strcmp(name, "my_password_file"));
        told = told || !strcmp(name, "LLAVA_PLUS_TEST");
    }
    assert_true(told);
    assert_int_equal(json_integer_value(json_object_get(t.call.report, "descriptors")), 3);
    close(open_end[0]);
    close(open_end[1]);
    end(&t);
}

static void wait_until_it_hangs(pid_t skill) {
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)skill);
    for (double began_ms = lp_clock_ms(); strcmp(name, ODD_HANGING "\n"); usleep(1000)) {
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        assert_non_null(fgets(name, sizeof name, file));
        fclose(file);
        assert_true(lp_clock_ms() - began_ms < 10000);
    }
}

/* Also where the server is killed. */
static void it_dies_with_the_server(void **state) {
    (void)state;
    int out[2], status;
    pid_t skill;
    assert_int_equal(pipe(out), 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t server = fork();
    if (!server) {
        struct talk t;
        struct lp_error err;
        begin(&t);
        call(&t, "ocr", "{}", ODD_GOOD, NULL, &err);
        skill = (pid_t)json_integer_value(json_object_get(t.call.report, "pid"));
        if (write(out[1], &skill, sizeof skill) != sizeof skill)
            _exit(1);
        call(&t, "ocr", "{}", ODD_HANGS, NULL, &err);
        _exit(2);
    }
    close(out[1]);
    assert_int_equal(read(out[0], &skill, sizeof skill), sizeof skill);
    assert_true(skill > 0);
    wait_until_it_hangs(skill); /* before that it would see the end of its channel first */
    kill(server, SIGKILL);
    assert_int_equal(waitpid(server, &status, 0), server);
    assert_int_equal(waitpid(skill, &status, 0), skill); /* it is ours now */
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(out[0]);
}

/* Whichever of the server's allocations fails: an error, and then the call works. */
static void failing_allocations(void **state) {
    (void)state;
    static const float box[1][4] = {{0, 0, 0.5f, 1}};
    struct talk t;
    struct lp_image *reference = lp_image_new(2, 2, NULL);
    bool failed = true;
    begin(&t);
    call_well(&t, "ocr", "{}");
    for (long n = 1; failed; n++) {
        struct lp_error err = {0};
        json_t *params = json_object();
        struct lp_call one = {.skill = lp_skill_find("segment_like"),
                              .params = params,
                              .objects = &t.objects,
                              .reference = reference,
                              .reference_box = box,
                              .reference_boxes = 1,
                              .play = t.call.play};
        lp_test_fail_alloc(n);
        bool done = lp_call_work(&one, &err);
        failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        if (done == failed || (failed && err.code != LP_EMEMORY))
            fail_msg("allocation %ld: '%s'", n, err.text);
        assert_int_equal(one.made.n, done ? 8 : one.made.n);
        lp_call_done(&one);
        json_decref(params);
    }
    lp_image_close(reference);
    end(&t);
}

static void a_program_that_is_not_there(void **state) {
    (void)state;
    struct talk t;
    struct lp_error err;
    begin(&t);
    t.settings.program = "/nowhere/llava-plus";
    assert_false(call(&t, "ocr", "{}", ODD_GOOD, NULL, &err));
    assert_non_null(strstr(err.text, "no process can be started for it: No such file"));
    end(&t);
}

static bool played_before(void *context, struct lp_call *c, struct lp_error *err) {
    (void)context;
    (void)err;
    json_object_set_new(c->result, "by", json_string("another"));
    return true;
}

static void who_plays_it_already_still_does(void **state) {
    (void)state;
    struct talk t;
    struct lp_error err;
    begin(&t);
    t.settings.first = (struct lp_play){.run = played_before};
    assert_true(call(&t, "ocr", "{}", ODD_ABORTS, NULL, &err));
    assert_string_equal(json_string_value(json_object_get(t.call.result, "by")), "another");
    end(&t);
}

int main(int argc, char **argv) {
    odd_skill_main(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_leaves_comes_back_as_it_is),
        cmocka_unit_test(what_the_parameters_mean_goes_along),
        cmocka_unit_test(whatever_it_does_the_next_call_is_served),
        cmocka_unit_test(one_that_hangs_ends_at_its_time),
        cmocka_unit_test(one_that_died_while_it_waited_is_replaced),
        cmocka_unit_test(a_canceled_call_ends_its_process),
        cmocka_unit_test(it_knows_no_keys_and_holds_no_files),
        cmocka_unit_test(it_dies_with_the_server),
        cmocka_unit_test(failing_allocations),
        cmocka_unit_test(a_program_that_is_not_there),
        cmocka_unit_test(who_plays_it_already_still_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
