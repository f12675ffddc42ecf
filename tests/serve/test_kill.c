/* SPDX-License-Identifier: MIT */
/* A server that is killed at many moments: what its clients were told is there again when it is started anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "serve/talk.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { KILLS = 20, TURNS = 100, EVENTS = 24 /* a turn has about 19 */ };

#define AGAIN                                                                                                 \
    TURN("I cut.", "[" CALL("ocr", "") "," CALL("ocr", "") "]", "I will."), TURN("So.", "[]", "It is done.")
#define TEN AGAIN, AGAIN, AGAIN, AGAIN, AGAIN
static const char *const script[] = {TEN, TEN, TEN, TEN, TEN, TEN, TEN, TEN, TEN, TEN, NULL};

struct child {
    pid_t pid;
    int port;
};

/* A server in a process of its own. This one has no threads. */
static struct child start(const char *folder) {
    struct child c;
    int out[2];
    assert_int_equal(pipe(out), 0);
    c.pid = fork();
    assert_true(c.pid >= 0);
    if (!c.pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct service s;
        service_begin(&s, script);
        s.settings.state = folder;
        s.agent.play = (struct lp_play){.run = talk_play};
        service_start(&s);
        int port = lp_server_port(s.server);
        if (write(out[1], &port, sizeof port) != sizeof port)
            _exit(1);
        for (;;)
            pause();
    }
    close(out[1]);
    assert_int_equal(read(out[0], &c.port, sizeof c.port), sizeof c.port);
    close(out[0]);
    return c;
}

static void kill_now(const struct child *c) {
    int status;
    kill(c->pid, SIGKILL);
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
    assert_true(WIFSIGNALED(status));
}

/* What clients know. */
struct known {
    int done[TURNS], turns; /* numbers of turns whose end they heard */
    int handles;            /* of objects that were told */
    char handle[8 * TURNS][24];
};

/* What the server had told when it was killed. */
static void take_events(struct known *k, const struct answer *a) {
    char name[32];
    json_t *data;
    for (const char *at = lp_str_text(&a->body); (data = next_event(&at, name));) {
        const json_t *made = json_object_get(data, "objects");
        for (size_t i = 0; i < json_array_size(made); i++)
            snprintf(k->handle[k->handles++], sizeof k->handle[0], "%s", text_of(json_array_get(made, i), "handle"));
        if (!strcmp(name, "done"))
            k->done[k->turns++] = (int)json_integer_value(json_object_get(data, "turn"));
        json_decref(data);
    }
}

static bool was_done(const struct known *k, int turn) {
    for (int i = 0; i < k->turns; i++)
        if (k->done[i] == turn)
            return true;
    return false;
}

/* All of it is there, finished turns with their answers, and nothing else pretends to be. Counts turns of each kind. */
static void check(const struct known *k, int port, const char *path, int *done, int *interrupted) {
    json_t *session = talk_session(port, path);
    const json_t *turns = json_object_get(session, "turns");
    int told = 0;
    *done = *interrupted = 0;
    for (size_t i = 0; i < json_array_size(turns); i++) {
        const json_t *turn = json_array_get(turns, i);
        const char *status = text_of(turn, "status");
        bool ended = !strcmp(status, "done");
        if (!ended && strcmp(status, "interrupted"))
            fail_msg("a turn is '%s'", status);
        *done += ended;
        *interrupted += !ended;
        if (ended)
            assert_string_equal(text_of(turn, "answer"), "It is done.");
        if (was_done(k, (int)i + 1)) {
            assert_true(ended);
            told++;
        }
    }
    assert_int_equal(told, k->turns);
    json_decref(session);
    for (int i = 0; i < k->handles; i++) {
        char rest[60];
        snprintf(rest, sizeof rest, "/objects/%s", k->handle[i]);
        struct answer a = talk_do(port, "GET", path, rest, "", NULL);
        if (a.status != 200)
            fail_msg("%s: %s", k->handle[i], lp_str_text(&a.all));
        answer_done(&a);
    }
}

/* Follows a stream until so many events have come. */
static void follow(int fd, struct answer *a, int events) {
    int seen = 0;
    while (seen < events && client_read_some(fd, a)) {
        seen = 0;
        for (const char *at = lp_str_text(&a->all); (at = strstr(at, "event: ")); at++)
            seen++;
    }
}

static void nothing_that_was_told_is_lost(void **state) {
    static struct known known;
    char folder[] = "/tmp/llava-plus-test-XXXXXX", path[80], messages[120], command[80];
    struct lp_rng rng;
    int done = 0, interrupted = 0;
    (void)state;
    lp_rng_seed(&rng, 7);
    assert_non_null(mkdtemp(folder));
    struct child c = start(folder);
    talk_begin(c.port, "", path);
    assert_int_equal(talk_add(c.port, path, 20, 10, 3), 201);
    snprintf(messages, sizeof messages, "%s/messages", path);
    for (int i = 0; i < KILLS; i++) {
        struct answer a = {0};
        int fd = client_connect(c.port);
        client_ask(fd, "POST", messages, JSON_TYPE, "{\"text\":\"Cut\"}");
        follow(fd, &a, (int)lp_rng_below(&rng, EVENTS));
        nanosleep(&(struct timespec){.tv_nsec = lp_rng_below(&rng, 20) * 1000000}, NULL);
        kill_now(&c);
        client_read_rest(fd, &a);
        take_events(&known, &a);
        answer_done(&a);
        c = start(folder);
        check(&known, c.port, path, &done, &interrupted);
    }
    print_message("%d turns done, %d of them heard of, %d interrupted\n", done, known.turns, interrupted);
    assert_true(known.turns > 1 && interrupted > 5);
    struct answer a = talk_do(c.port, "POST", path, "/messages", JSON_TYPE, "{\"text\":\"Cut\"}");
    assert_non_null(strstr(lp_str_text(&a.body), "event: done"));
    answer_done(&a);
    kill_now(&c);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_that_was_told_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
