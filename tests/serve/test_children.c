/* SPDX-License-Identifier: MIT */
/* A server whose skills run in processes of their own, and pictures that are made to hurt: whatever comes of one request, the
 * next one is served. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "image/make.h"
#include "image/odd_decoder.h"
#include "serve/talk.h"
#include "skill/odd_skill.h"

#include <dirent.h>
#include <errno.h>

static const char *const reads[] = {TURN("I read.", "[" CALL("ocr", "") "]", "I will."), TURN("So.", "[]", "Read."), NULL};
#define MESSAGES "/messages"
#define READ "{\"text\":\"Read\"}"

struct odd_service {
    struct service s;
    struct lp_children_settings settings;
    struct lp_children *children;
    int port;
};

static void begin(struct odd_service *o, int64_t memory_mib, double wait_s) {
    service_begin(&o->s, reads);
    lp_children_defaults(&o->settings);
    o->settings.memory_mib = memory_mib;
    o->settings.wait_s = wait_s;
    assert_non_null(o->children = lp_children_open(&o->settings, NULL));
    o->s.agent.play = lp_children_play(o->children);
    service_start(&o->s);
    o->port = lp_server_port(o->s.server);
}

static void end(struct odd_service *o) {
    service_end(&o->s);
    lp_children_close(o->children);
}

/* A session with a picture that says what the skill does. */
static void make_session(const struct odd_service *o, enum odd what, char path[80]) {
    talk_begin(o->port, "", path);
    assert_int_equal(talk_add(o->port, path, 6, 4, what), 201);
}

/* What a turn about such a picture tells of the skill; owned by caller. The turn itself goes well. */
static json_t *result_of(const struct odd_service *o, enum odd what) {
    char path[80], name[32];
    make_session(o, what, path);
    struct answer a = talk_do(o->port, "POST", path, MESSAGES, JSON_TYPE, READ);
    json_t *data, *result = NULL;
    for (const char *at = lp_str_text(&a.body); (data = next_event(&at, name)); json_decref(data))
        if (!strcmp(name, "skill_result"))
            result = json_incref(data);
    if (!result || strcmp(name, "done"))
        fail_msg("%s", lp_str_text(&a.all));
    answer_done(&a);
    return result;
}

static void assert_served(const struct odd_service *o) {
    json_t *result = result_of(o, ODD_GOOD);
    assert_string_equal(text_of(result, "status"), "done");
    assert_int_equal(json_array_size(json_object_get(result, "objects")), 8);
    json_decref(result);
}

static void a_skill_that_fails_is_told_and_the_next_request_is_served(void **state) {
    (void)state;
    static const struct {
        enum odd what;
        const char *says;
    } cases[] = {{ODD_ABORTS, "The ocr failed: the skill ended unexpectedly (Aborted"},
                 {ODD_LEAVES, "The ocr failed: the skill ended unexpectedly (exit status 7)"},
                 {ODD_EATS, "The ocr failed: it ran out of memory: it took more than 600 MiB"},
                 {ODD_BABBLES, "The ocr failed: "},
                 {ODD_LACKS_MEMORY, "The ocr failed: out of memory"},
                 {ODD_FAILS, "The ocr failed: nothing is to be seen"}};
    struct odd_service o;
    begin(&o, 600, 60);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *result = result_of(&o, cases[i].what);
        assert_string_equal(text_of(result, "status"), "failed");
        if (strncmp(text_of(result, "message"), cases[i].says, strlen(cases[i].says)))
            fail_msg("'%s', not '%s'", text_of(result, "message"), cases[i].says);
        json_decref(result);
        assert_served(&o);
    }
    end(&o);
    begin(&o, 600, 3);
    json_t *result = result_of(&o, ODD_HANGS);
    assert_string_equal(text_of(result, "message"), "The ocr failed: it took longer than 3 s (--skill-timeout).");
    json_decref(result);
    assert_served(&o);
    end(&o);
}

/* The process of a skill that this one has started, once it is there. */
static pid_t find_child(void) {
    char path[64], line[200];
    for (;;) {
        DIR *all = opendir("/proc");
        pid_t found = 0;
        for (struct dirent *e; !found && (e = readdir(all));) {
            int pid = atoi(e->d_name), parent = 0;
            snprintf(path, sizeof path, "/proc/%d/stat", pid);
            FILE *f = pid ? fopen(path, "re") : NULL;
            if (f && fgets(line, sizeof line, f) && sscanf(strrchr(line, ')') + 1, " %*c %d", &parent) == 1 && parent == getpid())
                found = pid;
            if (f)
                fclose(f);
        }
        closedir(all);
        if (found)
            return found;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

static void is_gone(pid_t pid) {
    double began = lp_clock_ms();
    while (!kill(pid, 0) || errno != ESRCH) {
        if (lp_clock_ms() - began > 10000)
            fail_msg("the skill's process is still there");
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    print_message("gone after %.0f ms\n", lp_clock_ms() - began);
}

/* A chat's body that asks about a picture of that colour. */
static struct lp_str chat_about(int color) {
    struct lp_str chat = {0}, png = talk_picture(6, 4, color);
    lp_str_puts(&chat, "{\"model\":\"llava-fake\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
                       "\"image_url\":{\"url\":\"data:image/png;base64,");
    lp_base64_add(&chat, (const uint8_t *)png.s, png.n);
    lp_str_puts(&chat, "\"}},{\"type\":\"text\",\"text\":\"Read\"}]}]}");
    lp_str_done(&png);
    return chat;
}

/* A session's client that goes away, one that cancels, one that deletes, and a chat's client that goes away: their skill, which
 * would run for ever, ends, and who waits behind them is served. */
static void who_leaves_ends_their_skill_and_nobody_elses(void **state) {
    (void)state;
    struct odd_service o;
    struct lp_str chat = chat_about(ODD_HANGS);
    char path[80], other[80], messages[100];
    for (int way = 0; way < 4; way++) {
        begin(&o, 0, 300);
        make_session(&o, ODD_HANGS, path);
        make_session(&o, ODD_GOOD, other);
        int fd = client_connect(o.port), waits = client_connect(o.port);
        snprintf(messages, sizeof messages, "%s" MESSAGES, path);
        client_ask(fd, "POST", way == 3 ? CHAT : messages, JSON_TYPE, way == 3 ? chat.s : READ);
        pid_t skill = find_child();
        snprintf(messages, sizeof messages, "%s" MESSAGES, other);
        client_ask(waits, "POST", messages, JSON_TYPE, READ);
        wait_for(&o.s, "llava_plus_queue_depth", 1);
        struct answer a = {0};
        if (way == 1)
            a = talk_do(o.port, "POST", path, "/cancel", JSON_TYPE, "{}");
        if (way == 2)
            a = talk_do(o.port, "DELETE", path, "", "", NULL);
        answer_done(&a);
        close(fd);
        is_gone(skill);
        a = client_read(waits);
        assert_non_null(strstr(lp_str_text(&a.body), "event: done"));
        answer_done(&a);
        end(&o);
    }
    lp_str_done(&chat);
}

/* Refused by what its header says, by what it is when decoded, and one that is just small enough, of which a skill with too
 * little memory is told. */
static void pictures_that_are_made_to_hurt(void **state) {
    (void)state;
    static const struct {
        uint32_t width, height;
        int status;
        const char *says;
    } cases[] = {{20000, 20000, 400, "20000 x 20000"}, {65535, 65535, 400, "65535 x 65535"}, {10001, 10000, 409, "100000000"},
                 {10000, 10000, 201, "\"width\":10000"}};
    struct odd_service o;
    char path[80], images[100];
    begin(&o, 100, 60);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_str png = {0};
        png_bomb(&png, cases[i].width, cases[i].height);
        talk_begin(o.port, "", path);
        snprintf(images, sizeof images, "%s/images", path);
        struct answer a = talk_post(o.port, images, "Content-Type: image/png\r\n", png.s, png.n);
        if (a.status != cases[i].status || !strstr(lp_str_text(&a.body), cases[i].says))
            fail_msg("%d: %s", a.status, lp_str_text(&a.all));
        answer_done(&a);
        lp_str_done(&png);
    }
    struct answer a = talk_do(o.port, "POST", path, MESSAGES, JSON_TYPE, READ);
    assert_non_null(strstr(lp_str_text(&a.body), "The ocr failed: it ran out of memory"));
    assert_non_null(strstr(lp_str_text(&a.body), "event: done"));
    answer_done(&a);
    end(&o);
    begin(&o, 0, 60);
    assert_served(&o);
    end(&o);
}

/* A picture that crashes its decoder is refused where it is added, asked about or named, and the next one is served; where its
 * decoder hangs, whoever has asked and leaves makes room. */
static void pictures_that_crash_their_decoder(void **state) {
    struct lp_decoders_settings settings;
    struct odd_service o;
    char path[80];
    (void)state;
    lp_decoders_defaults(&settings);
    settings.wait_s = 1e6;
    struct lp_decoders *decoders = lp_decoders_open(&settings, NULL);
    begin(&o, 0, 60);
    talk_begin(o.port, "", path);
    assert_int_equal(talk_add(o.port, path, 6, 4, ODD_PICTURE_ABORTS), 400);
    assert_served(&o);
    struct lp_str chat = chat_about(ODD_PICTURE_ABORTS);
    answer_refused(talk_post(o.port, CHAT, JSON_TYPE, chat.s, chat.n), 400, "ended unexpectedly (Aborted)");
    lp_str_done(&chat);
    assert_served(&o);
    chat = chat_about(ODD_PICTURE_HANGS);
    int fd = client_connect(o.port);
    client_ask(fd, "POST", CHAT, JSON_TYPE, chat.s);
    wait_for(&o.s, "llava_plus_planner_busy", 1);
    close(fd);
    assert_served(&o);
    lp_str_done(&chat);
    end(&o);
    lp_decoders_close(decoders);
}

int main(int argc, char **argv) {
    odd_skill_main(argc, argv);
    odd_decoder_main(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_skill_that_fails_is_told_and_the_next_request_is_served),
        cmocka_unit_test(who_leaves_ends_their_skill_and_nobody_elses),
        cmocka_unit_test(pictures_that_are_made_to_hurt),
        cmocka_unit_test(pictures_that_crash_their_decoder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
