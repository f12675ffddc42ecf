/* SPDX-License-Identifier: MIT */
/* Workers over real sockets: what a planner's streams, what a skill's answers, and their bond with a controller, ours and
 * one of the original's kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/file.h"
#include "plan/workers.h"
#include "serve/heart.h"
#include "serve/peer.h"

#define SAID "Hello there, \xc3\xa9t\xc3\xa9. Done."
static const char *const script[] = {SAID "###Human: and on", NULL};
#define PROMPT "Be kind.###Human: Hi###Assistant:"

/* A planner worker on a scripted planner. */
struct planner {
    struct fake fake;
    struct lp_planner_worker worker;
    struct lp_server *server;
};

static void planner_start(struct planner *p, int most_waiting) {
    struct lp_server_settings s;
    struct lp_error err = {0};
    memset(p, 0, sizeof *p);
    atomic_store(&service_held, false);
    atomic_store(&service_allowed, 0);
    assert_true(fake_open(&p->fake, script, 0, 4000));
    p->fake.lmm.kind = &service_kind;
    assert_true(lp_planner_worker_init(&p->worker, &p->fake.lmm, NULL, &err));
    lp_server_defaults(&s);
    s.port = 0;
    s.most_waiting = most_waiting;
    const struct lp_site site = lp_planner_worker_site(&p->worker);
    p->server = p->worker.worker.server = lp_server_open_site(&s, &site, &err);
    assert_non_null(p->server);
}

static void planner_end(struct planner *p) {
    atomic_store(&service_held, false);
    lp_server_close(p->server);
    lp_planner_worker_done(&p->worker);
    lp_lmm_close(&p->fake.lmm);
}

#define ASK(more) "{\"model\":\"any\",\"prompt\":\"" PROMPT "\",\"temperature\":0,\"max_new_tokens\":200" more "}"
#define STREAM_PATH "/worker_generate_stream"

static json_t *parse_last(const struct lp_str *body) {
    json_t *frame = json_loads(last_frame(body), 0, NULL);
    if (!frame)
        fail_msg("%s", last_frame(body));
    return frame;
}

static const char *text_of(const json_t *frame) {
    return json_string_value(json_object_get(frame, "text"));
}

/* Each frame repeats the prompt and all before; it is ASCII; it ends with a NUL. */
static void frames_grow(void **state) {
    (void)state;
    struct planner p;
    planner_start(&p, 4);
    struct answer a = post(p.server, STREAM_PATH, ASK(",\"stop\":\"###\""));
    assert_int_equal(a.status, 200);
    int n = frames_in(&a.body);
    assert_true(n > 3);
    size_t before = strlen(PROMPT);
    struct lp_str last = {0};
    for (size_t at = 0; at < a.body.n; at += strlen(a.body.s + at) + 1) {
        if (!a.body.s[at])
            continue;
        for (const char *c = a.body.s + at; *c; c++)
            assert_in_range(*c, ' ', '~');
        json_t *frame = json_loads(a.body.s + at, 0, NULL);
        const char *text = text_of(frame);
        assert_true(text && !strncmp(text, PROMPT, strlen(PROMPT)) && strlen(text) >= before);
        assert_int_equal(json_integer_value(json_object_get(frame, "error_code")), 0);
        before = strlen(text);
        lp_str_cut(&last, 0);
        lp_str_puts(&last, text);
        json_decref(frame);
    }
    assert_string_equal(lp_str_text(&last), PROMPT SAID); /* nothing of the stop text */
    json_t *frame = parse_last(&a.body);
    assert_string_equal(json_string_value(json_object_get(frame, "finish_reason")), "stop");
    assert_true(json_integer_value(json_object_get(json_object_get(frame, "usage"), "completion_tokens")) > 3);
    assert_int_equal(a.body.s[a.body.n - 1], 0);
    json_decref(frame);
    lp_str_done(&last);
    answer_done(&a);
    planner_end(&p);
}

static void settings(void **state) {
    (void)state;
    static const struct {
        const char *body, *text, *finish;
    } cases[] = {
        {ASK(",\"echo\":false,\"stop\":[\"###\",\", \"]"), "Hello there", "stop"},
        {ASK(",\"echo\":false,\"stop\":null"), SAID "###Human: and on", "stop"}, /* until the planner ends by itself */
        {ASK(",\"echo\":false,\"stop\":\"no such\""), SAID "###Human: and on", "stop"},
        {"{\"prompt\":\"" PROMPT "\",\"temperature\":0,\"max_new_tokens\":2,\"echo\":false}", NULL, "length"},
        {"{\"prompt\":\"" PROMPT "\",\"max_new_tokens\":0}", PROMPT "Exceeds max token length. Please start a new conversation, thanks.", "length"},
    };
    struct planner p;
    planner_start(&p, 4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer a = post(p.server, STREAM_PATH, cases[i].body);
        json_t *frame = parse_last(&a.body);
        if ((cases[i].text && strcmp(text_of(frame), cases[i].text)) || strcmp(json_string_value(json_object_get(frame, "finish_reason")), cases[i].finish) ||
            json_integer_value(json_object_get(frame, "error_code")))
            fail_msg("case %zu: %s", i, last_frame(&a.body));
        json_decref(frame);
        answer_done(&a);
    }
    planner_end(&p);
}

/* Trouble is a frame as well, with its reason. */
static void what_a_planner_worker_refuses(void **state) {
    (void)state;
    static const struct {
        const char *body, *says;
        int status, code;
    } cases[] = {
        {"{", "not valid JSON", 400, 40001},
        {"[]", "JSON object", 400, 40001},
        {"{}", "'prompt' is missing", 200, 1},
        {"{\"prompt\":7}", "'prompt' must be a string", 200, 1},
        {"{\"prompt\":\"x\",\"temperature\":-1}", "'temperature'", 200, 1},
        {"{\"prompt\":\"x\",\"stop\":[7]}", "'stop'", 200, 1},
        {"{\"prompt\":\"x <image> y\"}", "1 <image> marks for 0 pictures", 200, 1},
        {"{\"prompt\":\"x\",\"images\":[\"AAAA\"]}", "0 <image> marks for 1 pictures", 200, 1},
        {"{\"prompt\":\"<image>\",\"images\":[\"AAAA\"]}", "a picture", 200, 1},
        {"{\"prompt\":\"<image>\",\"images\":[\"/etc/passwd\"]}", "files are not read", 200, 1},
        {"{\"prompt\":\"<image>\",\"images\":[\"http://localhost/a.png\"]}", "files are not read", 200, 1},
    };
    struct planner p;
    planner_start(&p, 4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer a = post(p.server, STREAM_PATH, cases[i].body);
        json_t *frame = parse_last(&a.body);
        if (a.status != cases[i].status || json_integer_value(json_object_get(frame, "error_code")) != cases[i].code ||
            !strstr(text_of(frame), cases[i].says) || strncmp(text_of(frame), "**NETWORK ERROR", 15) || frames_in(&a.body) != 1)
            fail_msg("%s: %d %s", cases[i].body, a.status, last_frame(&a.body));
        json_decref(frame);
        answer_done(&a);
    }
    planner_end(&p);
}

static struct lp_str sign(void) {
    size_t n;
    struct lp_str out = {0};
    char *bytes = lp_file_read(LP_SOURCE_DIR "/examples/sign.jpg", 1 << 24, &n, NULL);
    assert_non_null(bytes);
    lp_base64_add(&out, (const uint8_t *)bytes, n);
    lp_free(bytes);
    return out;
}

static void pictures_are_seen(void **state) {
    (void)state;
    static const char *const prompts[] = {"<image>\\nHi###Assistant:", "$$<image>$$Hi###Assistant:"}; /* LLaVA's, FastChat's */
    struct planner p;
    struct lp_str picture = sign();
    planner_start(&p, 4);
    for (int i = 0; i < 2; i++) {
        struct lp_str body = {0};
        lp_str_printf(&body, "{\"prompt\":\"%s\",\"temperature\":0,\"stop\":\"###\",\"images\":[\"%s%s\"]}", prompts[i],
                      i ? "data:image/jpeg;base64," : "", picture.s);
        struct answer a = post(p.server, STREAM_PATH, body.s);
        json_t *frame = parse_last(&a.body);
        if (!strstr(text_of(frame), "Hi###Assistant:" SAID))
            fail_msg("%s", last_frame(&a.body));
        assert_int_equal(p.fake.seen, i + 1);
        json_decref(frame);
        answer_done(&a);
        lp_str_done(&body);
    }
    lp_str_done(&picture);
    planner_end(&p);
}

static void what_fastchat_asks_besides(void **state) {
    (void)state;
    struct planner p;
    planner_start(&p, 4);
    expect(p.server, "/worker_get_status", NULL, "{\"model_names\":[\"llava-fake\"],\"speed\":1,\"queue_length\":0}");
    expect(p.server, "/model_details", "{\"model\":\"llava-fake\"}", "{\"context_length\":4000}");
    expect_status(p.server, "/count_token", "{\"prompt\":\"Hi\"}", 200, "\"error_code\":0");
    expect_status(p.server, "/worker_get_conv_template", "{}", 200, "\"sep_style\":1,\"sep\":\"###\",\"sep2\":null,\"stop_str\":\"###\"");
    struct answer a = post(p.server, "/worker_generate", ASK(",\"echo\":false,\"stop\":\"###\""));
    json_t *whole = json_loads(lp_str_text(&a.body), 0, NULL); /* no frame: nothing behind it */
    assert_string_equal(text_of(whole), SAID);
    assert_int_equal(a.body.n, strlen(a.body.s));
    json_decref(whole);
    answer_done(&a);
    planner_end(&p);
}

/* While the planner is held: a stream that waits gets signs of life, one more is refused in a frame. */
static void a_full_line(void **state) {
    (void)state;
    struct planner p;
    planner_start(&p, 1);
    struct service s = {.server = p.server};
    int fd[2];
    atomic_store(&service_held, true);
    for (int i = 0; i < 2; i++) {
        fd[i] = client_connect(lp_server_port(p.server));
        client_ask(fd[i], "POST", STREAM_PATH, JSON_TYPE, ASK(",\"stop\":\"###\""));
        wait_for(&s, i ? "llava_plus_queue_depth" : "llava_plus_working", 1);
    }
    expect(p.server, "/worker_get_status", NULL, "{\"model_names\":[\"llava-fake\"],\"speed\":1,\"queue_length\":2}");
    struct answer a = post(p.server, STREAM_PATH, ASK(""));
    assert_int_equal(a.status, 429);
    assert_non_null(strcasestr(a.all.s, "Retry-After: "));
    assert_non_null(strstr(last_frame(&a.body), "\"error_code\": 42903"));
    answer_done(&a);
    struct pollfd waits = {.fd = fd[1], .events = POLLIN};
    assert_int_equal(poll(&waits, 1, 10000), 1); /* before the planner has come to it */
    atomic_store(&service_held, false);
    for (int i = 0; i < 2; i++) {
        a = client_read(fd[i]);
        json_t *frame = parse_last(&a.body);
        assert_string_equal(text_of(frame), PROMPT SAID);
        if (i)
            assert_int_equal(a.body.s[0], 0); /* the sign */
        json_decref(frame);
        answer_done(&a);
    }
    planner_end(&p);
}

static void who_goes_away_frees_the_planner(void **state) {
    (void)state;
    struct planner p;
    planner_start(&p, 1);
    struct service s = {.server = p.server};
    atomic_store(&service_held, true);
    int fd = client_connect(lp_server_port(p.server));
    client_ask(fd, "POST", STREAM_PATH, JSON_TYPE, ASK(""));
    wait_for(&s, "llava_plus_working", 1);
    close(fd);
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    atomic_store(&service_allowed, 1); /* the token at which it looks */
    wait_for(&s, "llava_plus_working", 0);
    planner_end(&p);
}

/* A skill worker on the real ocr. */
struct reader {
    struct lp_skill_worker worker;
    struct lp_server *server;
    char url[64];
};

static void reader_start(struct reader *r) {
    struct lp_server_settings s;
    struct lp_error err = {0};
    assert_true(lp_skill_worker_init(&r->worker, lp_skill_find("ocr"), NULL, &err));
    lp_server_defaults(&s);
    s.port = 0;
    const struct lp_site site = lp_skill_worker_site(&r->worker);
    r->server = r->worker.worker.server = lp_server_open_site(&s, &site, &err);
    assert_non_null(r->server);
    snprintf(r->url, sizeof r->url, "http://127.0.0.1:%d", lp_server_port(r->server));
}

static void reader_end(struct reader *r) {
    lp_server_close(r->server);
    lp_skill_worker_done(&r->worker);
}

static void a_skill_worker(void **state) {
    (void)state;
    struct reader r;
    struct lp_str picture = sign(), body = {0};
    reader_start(&r);
    expect(r.server, "/worker_get_status", NULL, "{\"model_names\":[\"ocr\",\"easyocr\"],\"speed\":1,\"queue_length\":0}");
    lp_str_printf(&body, "{\"image\":\"%s\",\"box_threshold\":0.3,\"text_threshold\":0.25}", picture.s);
    struct answer a = post(r.server, "/worker_generate", body.s);
    json_t *all = json_loads(lp_str_text(&a.body), 0, NULL);
    const char *line = json_string_value(json_array_get(json_object_get(all, "texts"), 0));
    assert_true(line && strstr(line, "OPEN"));
    assert_int_equal(json_array_size(json_array_get(json_object_get(all, "boxes"), 0)), 4);
    assert_true(json_is_real(json_array_get(json_object_get(all, "scores"), 0)));
    assert_int_equal(json_object_size(all), 3); /* no error_code, and nothing the original does not have */
    json_decref(all);
    answer_done(&a);
    expect_status(r.server, "/worker_generate", "{\"image\":\"/etc/passwd\"}", 200, "\"error_code\":40001");
    expect_status(r.server, "/worker_generate", "{}", 200, "'image' is missing");
    expect_status(r.server, "/worker_generate", "{", 400, "\"error_code\": 40001");
    expect_status(r.server, STREAM_PATH, "{}", 404, "nothing at this path");
    lp_str_done(&picture);
    lp_str_done(&body);
    reader_end(&r);
}

static void a_skill_that_is_not_ready(void **state) {
    (void)state;
    struct lp_skill_worker w;
    struct lp_error err = {0};
    assert_false(lp_skill_worker_init(&w, lp_skill_find("retrieve"), NULL, &err));
    assert_int_equal(err.code, LP_EMISSING);
    lp_skill_worker_done(&w);
}

/* Our worker at a controller of the original's kind: registers, beats, registers again when it was forgotten. */
static void heart_beats(void **state) {
    (void)state;
    struct peer p = {.status = NULL};
    struct reader r;
    struct lp_error err = {0};
    struct lp_heart_settings s;
    reader_start(&r);
    peer_start(&p);
    lp_heart_defaults(&s);
    s.controller = p.url;
    s.address = r.url;
    s.beat_s = 0.05;
    struct lp_heart *heart = lp_heart_open(&s, &r.worker.worker, &err);
    assert_non_null(heart);
    wait_count(&p.beats, 3);
    assert_int_equal(p.registered, 1);
    atomic_store(&p.known, false);
    wait_count(&p.registered, 2);
    lp_heart_close(heart);
    peer_stop(&p);
    reader_end(&r);
}

static void what_a_worker_tells_when_it_registers(void **state) {
    (void)state;
    struct peer p = {.status = NULL};
    struct planner w;
    struct lp_error err = {0};
    struct lp_heart_settings s;
    planner_start(&w, 4);
    peer_start(&p);
    lp_heart_defaults(&s);
    s.controller = p.url;
    s.address = "http://localhost:21002";
    struct lp_heart *heart = lp_heart_open(&s, &w.worker.worker, &err);
    wait_count(&p.registered, 1);
    lp_heart_close(heart);
    peer_stop(&p);
    assert_string_equal(p.last, "{\"worker_name\":\"http://localhost:21002\",\"check_heart_beat\":true,\"worker_status\":"
                                "{\"model_names\":[\"llava-fake\"],\"speed\":1,\"queue_length\":0},\"multimodal\":true}");
    planner_end(&w);
}

/* A worker that comes before its controller, a controller that dies and comes again: nobody has to be started anew. */
static void a_controller_that_comes_late(void **state) {
    (void)state;
    struct control c;
    struct reader r;
    struct lp_error err = {0};
    struct lp_heart_settings s;
    control_begin(&c);
    control_start(&c); /* to find a free port */
    int port = lp_server_port(c.server);
    control_end(&c);
    reader_start(&r);
    lp_heart_defaults(&s);
    s.controller = c.url;
    s.address = r.url;
    s.beat_s = s.again_s = 0.05;
    struct lp_heart *heart = lp_heart_open(&s, &r.worker.worker, &err);
    for (int i = 0; i < 2; i++) {
        control_begin(&c);
        c.server_settings.port = port;
        control_start(&c);
        wait_answer(c.server, "/list_models", "{\"models\":[\"ocr\",\"easyocr\"]}");
        control_end(&c);
    }
    lp_heart_close(heart);
    reader_end(&r);
}

/* The planner's own process: a skill at our worker, found through our controller. */
static void a_skill_is_called_at_a_worker(void **state) {
    (void)state;
    struct control c;
    struct reader r;
    struct lp_error err = {0};
    struct lp_reach here = {0};
    struct lp_workers_settings s;
    struct lp_objects objects = {0};
    control_begin(&c);
    control_start(&c);
    reader_start(&r);
    enlist(&c, r.url, "\"easyocr\"", true);
    lp_workers_defaults(&s);
    s.controller = c.url;
    s.reach = &here;
    struct lp_workers *workers = lp_workers_open(&s, &err);
    assert_non_null(workers);
    const struct lp_play play = lp_workers_play(workers);
    assert_true(lp_play_has(&play, lp_skill_find("ocr")));
    assert_false(lp_play_has(&play, lp_skill_find("caption")));
    assert_non_null(lp_objects_add_image(&objects, lp_image_open(LP_SOURCE_DIR "/examples/sign.jpg", &err), &err));
    struct lp_call call = {.skill = lp_skill_find("ocr"), .objects = &objects, .play = play};
    if (!lp_skill_run(&call, &err))
        fail_msg("%s", err.text);
    const struct lp_object *text = lp_objects_find(&objects, "text_1");
    assert_true(text && strstr(text->text, "OPEN"));
    assert_null(json_object_get(call.result, "boxes")); /* as the original's planner sees easyocr */
    lp_call_done(&call);
    lp_objects_done(&objects);
    reader_end(&r);
    call = (struct lp_call){.skill = lp_skill_find("ocr"), .objects = &objects, .play = play};
    assert_non_null(lp_objects_add_image(&objects, lp_image_new(8, 8, &err), &err));
    assert_false(lp_skill_run(&call, &err)); /* gone, but listed until it is missed */
    assert_int_equal(err.code, LP_EIO);
    lp_call_done(&call);
    lp_objects_done(&objects);
    lp_workers_close(workers);
    control_end(&c);
}

/* A tool worker of the original's kind for a skill that this machine does not have. */
static void a_skill_that_only_a_worker_has(void **state) {
    (void)state;
    struct control c;
    struct peer p = {.response = "{\"boxes\": [[0.1, 0.2, 0.5, 0.6]], \"logits\": [0.51], \"phrases\": [\"dog\"], \"size\": [8, 8]}"};
    struct lp_error err = {0};
    struct lp_reach here = {0};
    struct lp_workers_settings s;
    struct lp_objects objects = {0};
    control_begin(&c);
    control_start(&c);
    peer_start(&p);
    enlist(&c, p.url, "\"grounding_dino\"", true);
    lp_workers_defaults(&s);
    s.controller = c.url;
    s.reach = &here;
    struct lp_workers *workers = lp_workers_open(&s, &err);
    assert_non_null(lp_objects_add_image(&objects, lp_image_new(8, 8, &err), &err));
    json_t *params = json_pack("{s:s}", "caption", "dog");
    struct lp_call call = {.skill = lp_skill_find("detect"), .params = params, .objects = &objects, .play = lp_workers_play(workers)};
    if (!lp_skill_run(&call, &err))
        fail_msg("%s", err.text);
    assert_non_null(strstr(p.last, "\"box_threshold\":0.3,\"text_threshold\":0.25,\"caption\":\"dog\"}"));
    assert_string_equal(lp_objects_find(&objects, "box_1")->text, "dog");
    assert_int_equal(lp_objects_find(&objects, "count_1")->count, 1);
    lp_call_done(&call);
    json_decref(params);
    lp_objects_done(&objects);
    lp_workers_close(workers);
    peer_stop(&p);
    control_end(&c);
}

/* A controller that sends clients elsewhere. */
static void a_worker_out_of_reach_is_not_called(void **state) {
    (void)state;
    struct peer p = {.response = "{\"models\":[\"ocr\"],\"address\":\"http://10.1.2.3:21029\"}"};
    struct lp_error err = {0};
    struct lp_reach here = {0};
    struct lp_workers_settings s;
    struct lp_objects objects = {0};
    peer_start(&p);
    lp_workers_defaults(&s);
    s.controller = p.url;
    s.reach = &here;
    struct lp_workers *workers = lp_workers_open(&s, &err);
    assert_non_null(workers);
    assert_non_null(lp_objects_add_image(&objects, lp_image_new(8, 8, &err), &err));
    struct lp_call call = {.skill = lp_skill_find("ocr"), .objects = &objects, .play = lp_workers_play(workers)};
    assert_false(lp_skill_run(&call, &err));
    assert_non_null(strstr(err.text, "neither this machine nor of a network"));
    lp_call_done(&call);
    lp_objects_done(&objects);
    lp_workers_close(workers);
    peer_stop(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_grow),
        cmocka_unit_test(settings),
        cmocka_unit_test(what_a_planner_worker_refuses),
        cmocka_unit_test(pictures_are_seen),
        cmocka_unit_test(what_fastchat_asks_besides),
        cmocka_unit_test(a_full_line),
        cmocka_unit_test(who_goes_away_frees_the_planner),
        cmocka_unit_test(a_skill_worker),
        cmocka_unit_test(a_skill_that_is_not_ready),
        cmocka_unit_test(heart_beats),
        cmocka_unit_test(what_a_worker_tells_when_it_registers),
        cmocka_unit_test(a_controller_that_comes_late),
        cmocka_unit_test(a_skill_is_called_at_a_worker),
        cmocka_unit_test(a_skill_that_only_a_worker_has),
        cmocka_unit_test(a_worker_out_of_reach_is_not_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
