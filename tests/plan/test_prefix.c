/* SPDX-License-Identifier: MIT */
/* The prefix cache, through whole conversations with a scripted model: what a second conversation about a
 * picture has to read, after a restart too, and that no damage or shortage changes an answer. */
#include "plan/conversation.h"

#include "base/memory.h"
#include "plan/fake_lmm.h"
#include "weights/folder.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#define TURN(value) LP_MARK_THOUGHTS " t\n" LP_MARK_ACTIONS " []\n" LP_MARK_VALUE " " value "\n"

static const char *const script[] = {TURN("one"), TURN("two"), NULL};

static struct lp_store *open_store(size_t memory, const char *folder) {
    struct lp_error err = {0};
    struct lp_store *s = lp_store_open(&(struct lp_store_settings){memory, folder, 1 << 24}, &err);
    if (!s)
        fail_msg("%s", err.text);
    return s;
}

/* A model with a conversation. */
struct talk {
    struct fake fake;
    struct lp_conversation c;
    struct lp_rng rng;
    struct lp_turn turn; /* the last one, without its text */
};

static void begin(struct talk *t, struct lp_store *store) {
    *t = (struct talk){0};
    assert_true(fake_open(&t->fake, script, 0, 4000));
    t->fake.lmm.store = store;
    assert_true(lp_conversation_init(&t->c, &t->fake.lmm, NULL));
}

static void end(struct talk *t) {
    lp_conversation_done(&t->c);
    lp_lmm_close(&t->fake.lmm);
}

/* Shows a picture (shade 0: none) and asks; expects the script's answer. */
static bool ask(struct talk *t, int shade, const char *text, struct lp_error *err) {
    struct lp_image *image = shade ? lp_image_new(4, 3, err) : NULL;
    if (image)
        memset(image->pixel, shade, 36);
    int turns = t->c.n / 2;
    struct lp_request q = {.text = text};
    struct lp_decoding how = {.sampling = {.temperature = 0, .top_p = 1, .most_tokens = 150}, .rng = &t->rng};
    bool done = (!shade || (image && lp_conversation_add_picture(&t->c, image, err))) &&
                lp_conversation_ask(&t->c, &q, err) &&
                lp_conversation_write(&t->c, false, &how, &t->turn, err);
    if (done)
        assert_string_equal(t->c.said[t->c.n - 1].text, script[turns]);
    lp_str_done(&t->turn.text);
    return done;
}

static void must_ask(struct talk *t, int shade, const char *text) {
    struct lp_error err = {0};
    if (!ask(t, shade, text, &err))
        fail_msg("%s", err.text);
}

/* Positions up to and with the first picture that the model holds. */
static int64_t rows_to_picture(const struct talk *t) {
    int64_t n = 0;
    while (t->fake.held.id[n] != LP_IMAGE_TOKEN)
        n++;
    return n + 2;
}

static void assert_only_new(const struct talk *t) {
    assert_true(t->turn.reused >= rows_to_picture(t));
    assert_true(t->turn.reused < rows_to_picture(t) + LP_PREFIX_BLOCK);
}

static void a_second_question_costs_its_own_words(void **state) {
    (void)state;
    struct lp_store *store = open_store(1 << 20, NULL);
    struct talk first, second;
    begin(&first, store);
    must_ask(&first, 7, "What is in the picture?");
    assert_int_equal(first.turn.reused, 0);
    int64_t fed = first.fake.fed;
    begin(&second, store);
    must_ask(&second, 7, "How many dogs are there?");
    assert_only_new(&second);
    int64_t prompt = second.turn.reused + second.turn.fed;
    assert_true(second.fake.fed == second.turn.fed + (fed - (first.turn.fed - 1)));
    must_ask(&second, 0, "And cats?"); /* goes on from what it holds itself */
    assert_true(second.turn.reused >= prompt);
    end(&second);
    begin(&second, store); /* the same again: all but the last block and the last token */
    must_ask(&second, 7, "How many dogs are there?");
    assert_true(second.turn.fed <= LP_PREFIX_BLOCK);
    end(&second);
    begin(&second, store);
    must_ask(&second, 8, "What is in the picture?"); /* another picture: only what comes before it is known */
    assert_true(second.turn.reused < rows_to_picture(&second) - 1);
    assert_true(second.turn.reused > 0 && second.turn.reused % LP_PREFIX_BLOCK == 0);
    end(&second);
    begin(&second, store);
    second.fake.lmm.identity.byte[3] = 1; /* another model */
    must_ask(&second, 7, "What is in the picture?");
    assert_int_equal(second.turn.reused, 0);
    end(&second);
    end(&first);
    lp_store_close(store);
}

/* One model in turns about two pictures; without a store it knows only what it holds. */
static void a_new_conversation_on_the_same_model(void **state) {
    (void)state;
    struct lp_store *store = open_store(1 << 20, NULL);
    for (int kept = 0; kept < 2; kept++) {
        struct talk t;
        begin(&t, kept ? store : NULL);
        must_ask(&t, 7, "first");
        lp_conversation_reset(&t.c);
        must_ask(&t, 7, "second");
        assert_only_new(&t);
        for (int shade = 8; shade >= 7; shade--) {
            lp_conversation_reset(&t.c);
            must_ask(&t, shade, "third");
            assert_int_equal(t.turn.reused >= rows_to_picture(&t), kept && shade == 7);
        }
        end(&t);
    }
    lp_store_close(store);
}

static void a_folder_survives_a_restart(void **state) {
    (void)state;
    char folder[64];
    folder_make(folder);
    for (int run = 0; run < 3; run++) {
        struct lp_store *store = open_store(run == 1 ? 1 << 20 : 0, folder);
        struct talk t;
        begin(&t, store);
        must_ask(&t, 7, run ? "How many?" : "What?");
        if (run)
            assert_only_new(&t);
        end(&t);
        lp_store_close(store);
    }
    assert_true(folder_remove(folder) > 1);
}

static void for_each_file(const char *folder, int damage) {
    char path[400];
    DIR *dir = opendir(folder);
    for (struct dirent *e; (e = readdir(dir));) {
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "r+b");
        if (!f)
            continue;
        fseek(f, damage == 1 ? 100 : 70, SEEK_SET); /* within the bytes */
        int c = fgetc(f);
        fseek(f, -1, SEEK_CUR);
        fputc(c ^ 1, f);
        fclose(f);
        if (damage == 2)
            assert_int_equal(truncate(path, 66), 0);
    }
    closedir(dir);
}

static void damage_costs_time_and_nothing_else(void **state) {
    (void)state;
    char folder[64];
    folder_make(folder);
    struct lp_store *store = open_store(0, folder);
    for (int damage = 0; damage < 4; damage++) {
        struct talk t;
        begin(&t, store);
        must_ask(&t, 7, "What?");
        if (damage)
            assert_int_equal(t.turn.reused, 0);
        end(&t);
        begin(&t, store); /* written anew */
        must_ask(&t, 7, "What?");
        assert_true(t.turn.reused >= rows_to_picture(&t));
        end(&t);
        if (damage < 2)
            for_each_file(folder, damage + 1);
        else
            folder_remove(folder);
    }
    lp_store_close(store);
    folder_remove(folder);
}

/* A limit that holds less than one prompt keeps its beginning, and a full disk keeps nothing. */
static void shortage_costs_time_and_nothing_else(void **state) {
    (void)state;
    char folder[64];
    struct talk t;
    struct lp_store *store = open_store(5 * (LP_PREFIX_BLOCK * sizeof(int32_t) + 128), NULL);
    for (int round = 0; round < 4; round++) {
        begin(&t, store);
        must_ask(&t, 7 + round % 2, "What?");
        assert_true(lp_store_memory(store) <= 5 * (LP_PREFIX_BLOCK * sizeof(int32_t) + 128));
        if (round)
            assert_true(t.turn.reused >= LP_PREFIX_BLOCK);
        end(&t);
    }
    lp_store_close(store);
    folder_make(folder);
    store = open_store(0, folder);
    struct rlimit before, none;
    getrlimit(RLIMIT_FSIZE, &before);
    none = (struct rlimit){0, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &none);
    for (int round = 0; round < 2; round++) {
        begin(&t, store);
        must_ask(&t, 7, "What?");
        assert_int_equal(t.turn.reused, 0);
        end(&t);
    }
    setrlimit(RLIMIT_FSIZE, &before);
    lp_store_close(store);
    assert_int_equal(folder_remove(folder), 0);
}

static void survives_failing_allocations(void **state) {
    (void)state;
    struct lp_store *store = open_store(1 << 20, NULL);
    struct talk t;
    bool done = false;
    begin(&t, store);
    must_ask(&t, 7, "What?");
    end(&t);
    for (long n = 1; !done; n++) {
        struct lp_error err = {0};
        begin(&t, store);
        lp_test_fail_alloc(n);
        done = ask(&t, 7, "What now?", &err);
        lp_test_fail_alloc(0);
        if (!done)
            assert_int_equal(err.code, LP_EMEMORY);
        lp_conversation_reset(&t.c);
        must_ask(&t, 7, "What then?");
        end(&t);
    }
    lp_store_close(store);
}

struct user {
    struct lp_store *store;
    int seed, reused;
};

/* cmocka's checks are for the main thread: a failed turn shows in `reused`. */
static void *use(void *context) {
    struct user *u = context;
    for (int i = 0; i < 12; i++) {
        struct talk t = {0};
        struct lp_error err = {0};
        if (!fake_open(&t.fake, script, 0, 4000) || !lp_conversation_init(&t.c, &t.fake.lmm, &err))
            return NULL;
        t.fake.lmm.store = u->store;
        if (!ask(&t, 1 + (i + u->seed) % 3, i % 2 ? "What?" : "How many?", &err))
            u->reused = -1000;
        u->reused += t.turn.reused > 0;
        end(&t);
    }
    return NULL;
}

static void threads_share_a_store(void **state) {
    (void)state;
    char folder[64];
    folder_make(folder);
    for (int disk = 0; disk < 2; disk++) {
        struct lp_store *store = open_store(20000, disk ? folder : NULL);
        struct user user[2] = {{store, 0, 0}, {store, 1, 0}};
        pthread_t thread[2];
        for (int i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&thread[i], NULL, use, &user[i]), 0);
        for (int i = 0; i < 2; i++)
            pthread_join(thread[i], NULL);
        assert_true(user[0].reused > 0 && user[1].reused > 0);
        lp_store_close(store);
    }
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_question_costs_its_own_words),
        cmocka_unit_test(a_new_conversation_on_the_same_model),
        cmocka_unit_test(a_folder_survives_a_restart),
        cmocka_unit_test(damage_costs_time_and_nothing_else),
        cmocka_unit_test(shortage_costs_time_and_nothing_else),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(threads_share_a_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
