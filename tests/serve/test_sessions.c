/* SPDX-License-Identifier: MIT */
/* Sessions: turns, whose they are, and how they end and go on. */
#include "serve/sessions.h"

/* The names of all events, parted by spaces; the last one's data; owned by caller. */
static json_t *follow(const struct answer *a, struct lp_str *names, struct lp_str *said) {
    char name[32];
    json_t *last = NULL, *data;
    for (const char *at = lp_str_text(&a->body); (data = next_event(&at, name)); last = data) {
        json_decref(last);
        lp_str_printf(names, "%s ", name);
        if (!strcmp(name, "answer"))
            lp_str_puts(said, text_of(data, "text"));
    }
    return last;
}

static atomic_bool call_may_end;

static bool play_on(void *context, struct lp_call *call, struct lp_error *err) {
    while (!atomic_load(&call_may_end))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return talk_play(context, call, err);
}

/* Whoever waits for a skill hears how long it has been at it. */
static void a_long_call_is_told_while_it_lasts(void **state) {
    (void)state;
    struct service s;
    struct answer a = {0};
    char path[80], messages[100], name[32] = "", before[32] = "";
    begin(&s, cuts);
    s.agent.play = (struct lp_play){.run = play_on};
    service_start(&s);
    atomic_store(&call_may_end, false);
    talk_begin(port_of(&s), "", path);
    assert_int_equal(talk_add(port_of(&s), path, 20, 10, 200), 201);
    int fd = client_connect(port_of(&s));
    snprintf(messages, sizeof messages, "%s" MESSAGES, path);
    client_ask(fd, "POST", messages, JSON_TYPE, "{\"text\":\"Cut it out\",\"points\":[[0.25,0.5]]}");
    while (!strstr(lp_str_text(&a.all), "event: skill_progress\n"))
        assert_true(client_read_some(fd, &a));
    atomic_store(&call_may_end, true);
    client_read_rest(fd, &a);
    json_t *data;
    const char *at = lp_str_text(&a.body);
    for (; (data = next_event(&at, name)) && strcmp(name, "skill_progress"); json_decref(data))
        strcpy(before, name);
    assert_string_equal(before, "skill_started");
    assert_int_equal(json_integer_value(json_object_get(data, "call")), 1);
    assert_true(json_integer_value(json_object_get(data, "ms")) >= 1000);
    json_decref(data);
    assert_non_null(strstr(at, "event: skill_result\n"));
    assert_non_null(strstr(at, "event: done\n"));
    answer_done(&a);
    service_end(&s);
}

static void a_turn_is_told_as_it_goes(void **state) {
    (void)state;
    struct service s;
    struct lp_str names = {0}, said = {0};
    char path[80];
    begin(&s, cuts);
    service_start(&s);
    talk_begin(port_of(&s), "", path);
    assert_int_equal(talk_add(port_of(&s), path, 20, 10, 200), 201);
    struct answer a = ask(&s, path, "{\"text\":\"Cut it out\",\"points\":[[0.25,0.5],[0.751,0.5]],\"labels\":[1,0]}");
    assert_int_equal(a.status, 200);
    assert_non_null(strcasestr(lp_str_text(&a.all), "Content-Type: text/event-stream"));
    json_t *done = follow(&a, &names, &said);
    const char *told = lp_str_text(&names);
    assert_int_equal(strncmp(told, "turn thought plan skill_started skill_result thought answer ", 60), 0);
    assert_string_equal(told + strlen(told) - 5, "done ");
    assert_string_equal(lp_str_text(&said), "It is mask_1: played.");
    assert_string_equal(text_of(done, "answer"), "It is mask_1: played.");
    const json_t *result = json_array_get(json_object_get(done, "results"), 0);
    assert_string_equal(text_of(result, "skill"), "segment_at");
    assert_string_equal(text_of(result, "status"), "done");
    assert_int_equal(json_array_size(json_object_get(result, "objects")), 4);
    const json_t *params = json_object_get(json_object_get(result, "result"), "params");
    char *text = json_dumps(params, JSON_COMPACT | JSON_REAL_PRECISION(4));
    assert_string_equal(text, "{\"points\":[[0.25,0.5],[0.751,0.5]],\"point_labels\":[1,0]}");
    free(text);

    json_t *session = talk_session(port_of(&s), path);
    const json_t *turn = json_array_get(json_object_get(session, "turns"), 0);
    assert_string_equal(text_of(session, "title"), "Cut it out");
    assert_string_equal(text_of(turn, "status"), "done");
    assert_string_equal(text_of(turn, "answer"), "It is mask_1: played.");
    assert_true(json_equal(json_object_get(turn, "results"), json_object_get(done, "results")));
    assert_int_equal(json_array_size(json_object_get(session, "objects")), 7); /* with the picture and two points */
    json_decref(session);
    json_decref(done);
    answer_done(&a);
    lp_str_done(&names);
    lp_str_done(&said);
    service_end(&s);
}

static void the_dialogue_only_for_who_asks(void **state) {
    (void)state;
    struct service s;
    char path[80];
    begin(&s, cuts);
    service_start(&s);
    for (int debug = 0; debug < 2; debug++) {
        talk_begin(port_of(&s), "", path);
        assert_int_equal(talk_add(port_of(&s), path, 20, 10, 200), 201);
        struct answer a = ask(&s, path, debug ? "{\"text\":\"x\",\"points\":[[0.25,0.5],[0.75,0.5]],\"debug\":true}"
                                              : "{\"text\":\"x\",\"points\":[[0.25,0.5],[0.75,0.5]]}");
        assert_int_equal(strstr(lp_str_text(&a.body), "sam model outputs: {'said': 'left'") != NULL, debug);
        answer_done(&a);
    }
    service_end(&s);
}

static void turns_are_judged(void **state) {
    (void)state;
    static const char *const plain[] = {TURN("No.", "[]", "Yes."), NULL};
    static const struct {
        const char *rest, *body;
        int status;
    } cases[] = {{"/turns/1/vote", "{\"vote\":1}", 200},   {"/turns/1/vote", "{\"vote\":-1}", 200},
                 {"/turns/2/vote", "{\"vote\":1}", 404},   {"/turns/x/vote", "{\"vote\":1}", 404},
                 {"/turns/1/vote", "{\"vote\":2}", 400},   {"/turns/1/vote", "{}", 400},
                 {"/turns/1/vote", "{\"vote\":\"1\"}", 400}, {"/turns//vote", "{\"vote\":1}", 404}};
    struct service s;
    char path[80];
    begin(&s, plain);
    service_start(&s);
    talk_begin(port_of(&s), "", path);
    answer_done(&(struct answer[]){ask(&s, path, "{\"text\":\"Hi\"}")}[0]);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer a = talk_do(port_of(&s), "POST", path, cases[i].rest, JSON_TYPE, cases[i].body);
        if (a.status != cases[i].status)
            fail_msg("%s %s: %s", cases[i].rest, cases[i].body, lp_str_text(&a.all));
        answer_done(&a);
    }
    json_t *session = talk_session(port_of(&s), path);
    const json_t *turn = json_array_get(json_object_get(session, "turns"), 0);
    assert_int_equal(json_integer_value(json_object_get(turn, "vote")), -1);
    json_decref(session);
    service_end(&s);
}

/* Another key's sessions are not there. */
static void keys_have_their_own_sessions(void **state) {
    (void)state;
    static const char a_key[] = "Authorization: Bearer sesam\r\n", b_key[] = "Authorization: Bearer open\r\n",
                      a_json[] = JSON_TYPE "Authorization: Bearer sesam\r\n", b_json[] = JSON_TYPE "Authorization: Bearer open\r\n";
    static const struct {
        const char *method, *rest, *body;
        int status; /* for who has it */
    } cases[] = {{"GET", "", NULL, 200},
                 {"POST", "/images", "{\"image\":\"img_1\"}", 404},
                 {"POST", "/messages", "{\"text\":\"Hi\",\"stream\":false}", 200},
                 {"GET", "/objects/img_1", NULL, 404},
                 {"POST", "/cancel", "{}", 200},
                 {"POST", "/turns/1/vote", "{\"vote\":1}", 200},
                 {"DELETE", "", NULL, 204},
                 {"GET", "", NULL, 404}};
    static const char *const hello[] = {TURN("No.", "[]", "Hello."), NULL};
    struct service s;
    char path[80], other[80];
    service_begin(&s, hello);
    s.settings.key = "sesam open";
    service_start(&s);
    talk_begin(port_of(&s), a_key, path);
    talk_begin(port_of(&s), b_key, other);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bool post = cases[i].body;
        struct answer mine, others;
        others = talk_do(port_of(&s), cases[i].method, path, cases[i].rest, post ? b_json : b_key, cases[i].body);
        mine = talk_do(port_of(&s), cases[i].method, path, cases[i].rest, post ? a_json : a_key, cases[i].body);
        if (mine.status != cases[i].status || others.status != 404 || !strstr(lp_str_text(&others.body), "no such session"))
            fail_msg("%s %s: %d, %d", cases[i].method, cases[i].rest, mine.status, others.status);
        answer_done(&mine);
        answer_done(&others);
    }
    struct answer a = client_do(&s, "GET", "/v1/sessions", b_key, NULL);
    json_t *list = answer_json(&a);
    assert_int_equal(json_array_size(json_object_get(list, "data")), 1);
    assert_string_equal(text_of(json_array_get(json_object_get(list, "data"), 0), "id"), other + strlen("/v1/sessions/"));
    json_decref(list);
    answer_done(&a);
    a = client_do(&s, "GET", "/v1/sessions", a_key, NULL);
    assert_string_equal(lp_str_text(&a.body), "{\"object\":\"list\",\"data\":[]}");
    answer_done(&a);
    answer_refused(client_do(&s, "GET", "/v1/sessions", "", NULL), 401, "API key");
    service_end(&s);
    service_begin(&s, hello);
    service_start(&s);
    answer_refused(client_do(&s, "GET", "/v1/sessions", "", NULL), 403, "for the owner of a key only");
    service_end(&s);
}

/* What the planner has of a conversation, as one text. */
static void describe(const struct lp_conversation *c, struct lp_str *out) {
    for (int i = 0; i < c->n; i++)
        lp_str_printf(out, "%d%d %d+%d %s|", c->said[i].assistant, c->said[i].request, c->said[i].first, c->said[i].pictures,
                      c->said[i].text);
    for (int i = 0; i < c->objects.n; i++)
        lp_str_printf(out, " %s", c->objects.item[i]->handle);
    for (int i = 0; i < c->facts.points; i++)
        lp_str_printf(out, " %s", c->facts.point[i]);
    for (int i = 0; i < c->facts.boxes; i++)
        lp_str_printf(out, " %s", c->facts.box[i]);
    lp_str_printf(out, " shown %d", c->shown);
}

/* Of two sessions in turn, and after a restart, the planner has what it would have had of one alone. */
static void sessions_go_on_where_they_were(void **state) {
    (void)state;
    static const char first[] = "{\"text\":\"Cut\",\"points\":[[0.25,0.5],[0.75,0.5]],\"boxes\":[[0,0,0.5,0.5]],\"stream\":false}";
    static const char second[] = "{\"text\":\"Sure?\",\"stream\":false}";
    struct lp_str want = {0}, have = {0};
    char folder[] = "/tmp/llava-plus-test-XXXXXX", path[2][80];
    struct service s;
    assert_non_null(mkdtemp(folder));
    for (int way = 0; way < 3; way++) { /* alone, with another between, with a restart between */
        begin(&s, cuts);
        s.settings.state = folder;
        service_start(&s);
        for (int k = 0; k < 2; k++) {
            talk_begin(port_of(&s), "", path[k]);
            assert_int_equal(talk_add(port_of(&s), path[k], 20, 10, 10 + k), 201);
        }
        answer_done(&(struct answer[]){ask(&s, path[0], first)}[0]);
        if (way == 1)
            answer_done(&(struct answer[]){ask(&s, path[1], first)}[0]);
        if (way == 2) {
            service_end(&s);
            begin(&s, cuts);
            s.settings.state = folder;
            service_start(&s);
        }
        struct answer a = ask(&s, path[0], second);
        assert_non_null(strstr(lp_str_text(&a.body), "\"answer\":\"As I said.\""));
        answer_done(&a);
        describe(&s.agent.talk, way ? &have : &want);
        if (way)
            assert_string_equal(lp_str_text(&have), lp_str_text(&want));
        assert_non_null(strstr(lp_str_text(&want), " [0.25, 0.5] [0.75, 0.5] [0.0, 0.0, 0.5, 0.5] shown 2"));
        assert_non_null(strstr(lp_str_text(&want), "Input box"));
        lp_str_cut(&have, 0);
        service_end(&s);
    }
    lp_str_done(&have);
    lp_str_done(&want);
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

/* A turn that is held at its first token. */
static int hold_turn(struct service *s, const char *path) {
    char messages[120];
    atomic_store(&service_held, true);
    int fd = client_connect(port_of(s));
    snprintf(messages, sizeof messages, "%s/messages", path);
    client_ask(fd, "POST", messages, JSON_TYPE, "{\"text\":\"Cut\",\"points\":[[0.25,0.5],[0.75,0.5]]}");
    wait_for(s, "llava_plus_planner_busy", 1);
    while (!atomic_load(&service_waits))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return fd;
}

static void turns_can_be_canceled(void **state) {
    (void)state;
    struct service s;
    char path[80];
    begin(&s, cuts);
    service_start(&s);
    talk_begin(port_of(&s), "", path);
    assert_int_equal(talk_add(port_of(&s), path, 20, 10, 1), 201);
    for (int way = 0; way < 2; way++) { /* asked to, left by its client */
        int fd = hold_turn(&s, path);
        assert_int_equal(talk_add(port_of(&s), path, 20, 10, 1), 409); /* not while a turn runs */
        struct answer a = {0};
        if (way == 0) {
            a = talk_do(port_of(&s), "POST", path, "/cancel", JSON_TYPE, "{}");
            assert_string_equal(lp_str_text(&a.body), "{\"canceled\":true}");
            answer_done(&a);
        } else {
            close(fd);
            nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
        }
        atomic_store(&service_held, false);
        if (way == 0) {
            a = client_read(fd);
            assert_true(a.status == 499 && strstr(lp_str_text(&a.body), "\"code\":\"canceled\""));
            answer_done(&a);
        }
        wait_for(&s, "llava_plus_planner_busy", 0);
        json_t *session = talk_session(port_of(&s), path);
        const json_t *turn = json_array_get(json_object_get(session, "turns"), (size_t)way);
        assert_string_equal(text_of(turn, "status"), "canceled");
        assert_string_equal(text_of(turn, "text"), "Cut");
        json_decref(session);
    }
    struct answer a = talk_do(port_of(&s), "POST", path, "/cancel", JSON_TYPE, "{}");
    assert_string_equal(lp_str_text(&a.body), "{\"canceled\":false}");
    answer_done(&a);
    a = ask(&s, path, "{\"text\":\"Cut\",\"points\":[[0.25,0.5],[0.75,0.5]],\"stream\":false}");
    assert_non_null(strstr(lp_str_text(&a.body), "\"turn\":3,\"status\":\"done\""));
    answer_done(&a);
    service_end(&s);
}

static void a_session_can_be_deleted_while_it_is_asked(void **state) {
    (void)state;
    struct service s;
    char path[80];
    begin(&s, cuts);
    service_start(&s);
    talk_begin(port_of(&s), "", path);
    assert_int_equal(talk_add(port_of(&s), path, 20, 10, 1), 201);
    int fd = hold_turn(&s, path);
    struct answer a = talk_do(port_of(&s), "DELETE", path, "", "", NULL);
    assert_int_equal(a.status, 204);
    answer_done(&a);
    atomic_store(&service_held, false);
    a = client_read(fd);
    assert_true(a.status != 200);
    answer_done(&a);
    answer_refused(talk_do(port_of(&s), "GET", path, "", "", NULL), 404, "no such session");
    assert_true(metric(&s, "llava_plus_sessions") == 0 && metric(&s, "llava_plus_objects") == 0);
    assert_true(metric(&s, "llava_plus_state_bytes") == 0);
    talk_begin(port_of(&s), "", path);
    assert_int_equal(talk_add(port_of(&s), path, 20, 10, 1), 201);
    a = ask(&s, path, "{\"text\":\"Cut\",\"points\":[[0.25,0.5],[0.75,0.5]],\"stream\":false}");
    assert_int_equal(a.status, 200);
    answer_done(&a);
    service_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_is_told_as_it_goes),
        cmocka_unit_test(a_long_call_is_told_while_it_lasts),
        cmocka_unit_test(the_dialogue_only_for_who_asks),
        cmocka_unit_test(turns_are_judged),
        cmocka_unit_test(keys_have_their_own_sessions),
        cmocka_unit_test(sessions_go_on_where_they_were),
        cmocka_unit_test(turns_can_be_canceled),
        cmocka_unit_test(a_session_can_be_deleted_while_it_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
