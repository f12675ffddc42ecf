/* SPDX-License-Identifier: MIT */
/* The loop with a planner on a server that replays what llama.cpp's server, Ollama, vLLM and OpenAI answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/memory.h"
#include "plan/agent.h"
#include "plan/remote.h"

#include "reply_stub.h"

struct talk {
    struct reply_stub stub;
    struct lp_remote_settings settings;
    struct lp_lmm lmm;
    struct lp_agent agent;
    struct lp_str answer, thoughts;
    int pieces, ran, cancel_at;
    atomic_bool cancel;
    struct lp_reply reply;
    struct lp_error err;
    double waited[8];
    int waits;
};

static bool note_wait(void *context, double seconds) {
    struct talk *t = context;
    t->waited[t->waits++ % 8] = seconds;
    return true;
}

static void hear(void *context, const struct lp_step *s) {
    struct talk *t = context;
    if (s->kind == LP_STEP_THOUGHTS)
        lp_str_printf(&t->thoughts, "%s|", s->text);
    else if (s->kind == LP_STEP_RESULT)
        t->ran += s->call != NULL;
    if (s->kind != LP_STEP_ANSWER)
        return;
    lp_str_puts(&t->answer, s->text);
    if (++t->pieces == t->cancel_at)
        atomic_store(&t->cancel, true);
}

/* Plays the skills: edit leaves a red picture, detect a box, all others a text. */
static bool play(void *context, struct lp_call *call, struct lp_error *err) {
    (void)context;
    static const float box[4] = {0.25f, 0.25f, 0.5f, 0.5f};
    const char *name = call->skill->name;
    if (!strcmp(name, "edit")) {
        struct lp_image *made = lp_image_new(16, 8, err);
        for (int i = 0; made && i < 16 * 8; i++)
            made->pixel[3 * i] = 255;
        return made && lp_objects_add_image(&call->made, made, err);
    }
    if (!strcmp(name, "detect"))
        return !json_object_set_new(call->result, "boxes", json_pack("[[f,f,f,f]]", 0.25, 0.25, 0.5, 0.5)) &&
               lp_objects_add_box(&call->made, box, "dog", 1, err);
    return !json_object_set_new(call->result, "texts", json_pack("[s]", "OPEN")) &&
           lp_objects_add_text(&call->made, "OPEN", 1, err);
}

static void prepare(struct talk *t, const char *const *script) {
    memset(t, 0, sizeof *t);
    reply_stub_open(&t->stub, script);
    lp_remote_defaults(&t->settings);
    t->settings.at.url = t->stub.http.url;
    t->settings.at.wait = note_wait;
    t->settings.at.context = t;
    t->settings.model = "looker";
}

static void begin(struct talk *t) {
    struct lp_sampling sampling = {.top_p = 1, .most_tokens = 200};
    assert_true(lp_lmm_open_remote(&t->lmm, &t->settings, &t->err));
    assert_true(lp_agent_init(&t->agent, &t->lmm, NULL, &sampling, &t->err));
    t->agent.play = (struct lp_play){.run = play};
    struct lp_image *image = lp_image_new(64, 48, NULL);
    assert_non_null(image);
    assert_non_null(lp_conversation_add_picture(&t->agent.talk, image, NULL));
}

static void start(struct talk *t) {
    http_stub_start(&t->stub.http);
    begin(t);
}

static void set_up(struct talk *t, const char *const *script) {
    prepare(t, script);
    start(t);
}

static bool try_to_ask(struct talk *t, const char *text) {
    struct lp_request q = {.text = text};
    struct lp_hooks hooks = {hear, t, &t->cancel};
    lp_reply_done(&t->reply);
    t->err = (struct lp_error){0};
    return lp_agent_ask(&t->agent, &q, &hooks, &t->reply, &t->err);
}

static void ask(struct talk *t, const char *text) {
    if (!try_to_ask(t, text))
        fail_msg("%s", t->err.text);
}

static void end(struct talk *t) {
    lp_reply_done(&t->reply);
    lp_str_done(&t->answer);
    lp_str_done(&t->thoughts);
    lp_agent_done(&t->agent);
    lp_lmm_close(&t->lmm);
}

static void tear_down(struct talk *t) {
    end(t);
    reply_stub_close(&t->stub);
}

static const json_t *message(const struct talk *t, int question, size_t i) {
    return json_array_get(json_object_get(t->stub.question[question], "messages"), i);
}

static const char *text_in(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const char *told(const json_t *message) {
    return text_in(message, "content");
}

/* How many parts of a message's content are pictures. */
static int pictures_in(const json_t *message) {
    const json_t *content = json_object_get(message, "content");
    int n = 0;
    for (size_t i = 0; i < json_array_size(content); i++) {
        const char *url = text_in(json_object_get(json_array_get(content, i), "image_url"), "url");
        n += !strncmp(url, "data:image/png;base64,iVBORw0KGgo", 33);
    }
    return n;
}

static void skills_are_called_natively(void **state) {
    (void)state;
    static const char *const script[] = {"llamacpp_ocr.sse", "llamacpp_answer.sse", "openai_answer.sse",
                                         NULL};
    struct talk t;
    prepare(&t, script);
    t.settings.at.key = "sesame";
    start(&t);
    ask(&t, "What does the sign say?");
    assert_string_equal(t.stub.key, "sesame");
    assert_string_equal(t.reply.value, "The sign says OPEN \xc3\xa9t\xc3\xa9.");
    assert_string_equal(lp_str_text(&t.answer), t.reply.value);
    assert_true(t.pieces > 4);
    assert_int_equal(t.ran, 1);
    assert_string_equal(json_string_value(json_array_get(t.reply.skills, 0)), "ocr");
    const json_t *first = t.stub.question[0];
    assert_string_equal(text_in(first, "model"), "looker");
    assert_true(json_is_true(json_object_get(first, "stream")));
    assert_int_equal(json_integer_value(json_object_get(first, "max_tokens")), 200);
    assert_string_equal(text_in(first, "tool_choice"), "auto");
    assert_int_equal(json_array_size(json_object_get(first, "tools")),
                     LP_SKILL_COUNT - 1); /* one needs a reference */
    assert_int_equal(pictures_in(message(&t, 0, 1)), 1);
    const json_t *call = json_array_get(json_object_get(message(&t, 1, 2), "tool_calls"), 0);
    assert_string_equal(text_in(json_object_get(call, "function"), "name"), "ocr");
    assert_string_equal(text_in(message(&t, 1, 3), "role"), "tool");
    assert_string_equal(text_in(message(&t, 1, 3), "tool_call_id"), text_in(call, "id"));
    assert_non_null(
        strstr(told(message(&t, 1, 3)), "ocr model outputs: {'texts': ['OPEN'], 'handles': 'text_1'}"));
    assert_string_equal(text_in(t.stub.question[1], "tool_choice"), "none");
    ask(&t, "And what else?"); /* the history is told as it was */
    assert_string_equal(t.reply.value, "A dog, and a sign.");
    assert_string_equal(told(message(&t, 2, 4)), "The sign says {text_1} \xc3\xa9t\xc3\xa9.");
    assert_string_equal(told(message(&t, 2, 5)), "And what else?");
    tear_down(&t);
}

static void several_calls_come_in_pieces(void **state) {
    (void)state;
    static const char *const two[] = {"openai_two.sse", "openai_answer.sse", NULL};
    static const char *const same_index[] = {"ollama_detect.sse", "ollama_answer.sse", NULL};
    struct talk t;
    set_up(&t, two);
    ask(&t, "Find the dog and read");
    assert_int_equal(t.ran, 2);
    assert_string_equal(json_string_value(json_array_get(t.reply.skills, 1)), "ocr");
    assert_string_equal(text_in(json_object_get(json_array_get(t.reply.actions, 0), "API_params"), "caption"),
                        "dog");
    assert_string_equal(text_in(message(&t, 1, 4), "role"), "tool");
    tear_down(&t);
    set_up(&t, same_index);
    ask(&t, "Find both");
    assert_int_equal(t.ran, 2);
    assert_string_equal(text_in(json_object_get(json_array_get(t.reply.actions, 1), "API_params"), "caption"),
                        "cat");
    tear_down(&t);
}

static void pictures_of_skills_are_shown(void **state) {
    (void)state;
    static const char *const taken[] = {"vllm_edit.sse", "openai_answer.sse", NULL};
    static const char *const refused[] = {"vllm_edit.sse", "openai_tool_picture.json", "openai_answer.sse",
                                          "openai_answer.sse", NULL};
    struct talk t;
    set_up(&t, taken);
    ask(&t, "Make it snow");
    assert_string_equal(t.reply.thoughts, "The user wants snow.");
    assert_string_equal(lp_str_text(&t.thoughts), "The user wants snow.||");
    assert_int_equal(pictures_in(message(&t, 1, 3)), 1);
    assert_string_equal(text_in(message(&t, 1, 3), "role"), "tool");
    tear_down(&t);
    set_up(&t, refused);
    ask(&t, "Make it snow");
    assert_int_equal(pictures_in(message(&t, 2, 3)), 0);
    assert_string_equal(text_in(message(&t, 2, 4), "role"), "user");
    assert_int_equal(pictures_in(message(&t, 2, 4)), 1);
    ask(&t, "Thanks"); /* once is enough to know */
    assert_int_equal(t.stub.asked, 4);
    assert_int_equal(pictures_in(message(&t, 3, 4)), 1);
    tear_down(&t);
}

/* Whatever way a server says that it has no tools, and when it writes the unified format by itself. */
static void text_where_there_are_no_tools(void **state) {
    (void)state;
    static const char *const refusals[] = {"ollama_no_tools.json", "vllm_no_parser.json",
                                           "llamacpp_jinja.json"};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const char *const script[] = {refusals[i], "text_ocr.sse", "text_answer.sse", NULL};
        struct talk t;
        set_up(&t, script);
        ask(&t, "Read");
        assert_string_equal(t.reply.value, "It says OPEN, plainly.");
        assert_string_equal(lp_str_text(&t.answer), t.reply.value);
        assert_string_equal(lp_str_text(&t.thoughts), "I read it.|Thanks to ocr.|");
        assert_int_equal(t.waits, 0);
        assert_null(json_object_get(t.stub.question[1], "tools"));
        assert_non_null(strstr(told(message(&t, 1, 0)), LP_MARK_ACTIONS));
        assert_non_null(strstr(told(message(&t, 2, 3)), "answer my first question: Read"));
        tear_down(&t);
    }
    static const char *const by_itself[] = {"text_ocr.sse", "text_answer.sse", NULL};
    struct talk t;
    set_up(&t, by_itself);
    ask(&t, "Read");
    assert_string_equal(t.reply.value, "It says OPEN, plainly.");
    assert_non_null(json_object_get(t.stub.question[0], "tools"));
    assert_null(json_object_get(t.stub.question[1], "tools"));
    tear_down(&t);
}

static void the_switch_is_obeyed(void **state) {
    (void)state;
    static const char *const native[] = {"ollama_no_tools.json", NULL};
    static const char *const text[] = {"text_ocr.sse", "text_answer.sse", NULL};
    struct talk t;
    prepare(&t, native);
    t.settings.tools = LP_REMOTE_NATIVE;
    start(&t);
    assert_false(try_to_ask(&t, "Read"));
    assert_non_null(strstr(t.err.text, "does not support tools"));
    tear_down(&t);
    prepare(&t, text);
    t.settings.tools = LP_REMOTE_TEXT;
    start(&t);
    ask(&t, "Read");
    assert_null(json_object_get(t.stub.question[0], "tools"));
    tear_down(&t);
}

static void whole_answers_are_answers(void **state) {
    (void)state;
    static const char *const script[] = {"openai_whole.json", "openai_parts.json", "openai_whole_call.json",
                                         "openai_parts.json", NULL};
    struct talk t;
    set_up(&t, script);
    ask(&t, "Hello");
    assert_string_equal(t.reply.value, "Hello! How can I help?");
    ask(&t, "Hello");
    assert_string_equal(t.reply.value, "In parts.");
    ask(&t, "Read");
    assert_int_equal(t.ran, 1);
    assert_string_equal(t.reply.value, "In parts.");
    tear_down(&t);
}

static void words_before_calls_stay_told(void **state) {
    (void)state;
    static const char *const script[] = {"late_call.sse", "openai_answer.sse", NULL};
    struct talk t;
    set_up(&t, script);
    ask(&t, "Read");
    assert_int_equal(t.ran, 1);
    assert_memory_equal(t.reply.value, "Let me think about", 18);
    assert_non_null(strstr(t.reply.value, "\n\nA dog, and a sign."));
    assert_string_equal(lp_str_text(&t.answer), t.reply.value);
    tear_down(&t);
}

static void what_is_refused_is_left_out(void **state) {
    (void)state;
    static const char *const script[] = {"openai_tokens.json", "openai_temperature.json", "openai_answer.sse",
                                         NULL};
    struct talk t;
    set_up(&t, script);
    ask(&t, "Hello");
    const json_t *last = t.stub.question[2];
    assert_int_equal(json_integer_value(json_object_get(last, "max_completion_tokens")), 200);
    assert_null(json_object_get(last, "max_tokens"));
    assert_null(json_object_get(last, "temperature"));
    assert_non_null(json_object_get(last, "tools"));
    tear_down(&t);
}

static void old_exchanges_are_dropped_where_all_does_not_fit(void **state) {
    (void)state;
    static const char *const script[] = {"openai_answer.sse", "llamacpp_too_long.json", "openai_answer.sse",
                                         "llamacpp_too_long.json", NULL};
    struct talk t;
    set_up(&t, script);
    ask(&t, "First");
    ask(&t, "Second");
    assert_int_equal(json_array_size(json_object_get(t.stub.question[2], "messages")), 2);
    assert_int_equal(pictures_in(message(&t, 2, 1)), 1); /* the picture is still shown */
    lp_conversation_reset(&t.agent.talk);
    assert_false(try_to_ask(&t, "Third"));
    assert_non_null(strstr(t.err.text, "context size"));
    assert_int_equal(t.agent.talk.n, 0);
    tear_down(&t);
}

static void what_passes_is_waited_for(void **state) {
    (void)state;
    static const char *const script[] = {"openai_busy.json", "!drop", "openai_answer.sse", NULL};
    struct talk t;
    set_up(&t, script);
    ask(&t, "Hello");
    assert_string_equal(t.reply.value, "A dog, and a sign.");
    assert_int_equal(t.waits, 2);
    assert_float_equal(t.waited[0], 7, 0);
    tear_down(&t);
}

/* A plan that is not legal is sent back once, with what is wrong. */
static void mistakes_are_sent_back(void **state) {
    (void)state;
    static const struct {
        const char *reply, *says;
    } cases[] = {
        {"bad_arguments.sse", "detect: the text of its arguments is not valid JSON"},
        {"bad_schema.sse", "detect: 'caption' must be a text"},
        {"bad_tool.sse", "there is no skill 'launch_rocket'"},
        {"empty.sse", "it has no words for the user"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const good[] = {cases[i].reply, "openai_whole.json", NULL};
        const char *const bad[] = {cases[i].reply, cases[i].reply, NULL};
        struct talk t;
        set_up(&t, good);
        ask(&t, "Find it");
        const json_t *parts = json_object_get(message(&t, 1, 1), "content");
        const char *note = text_in(json_array_get(parts, json_array_size(parts) - 1), "text");
        if (!strstr(note, cases[i].says))
            fail_msg("'%s' does not say '%s'", note, cases[i].says);
        tear_down(&t);
        set_up(&t, bad);
        assert_false(try_to_ask(&t, "Find it"));
        assert_int_equal(t.err.code, LP_EIO);
        if (!strstr(t.err.text, cases[i].says))
            fail_msg("'%s' does not say '%s'", t.err.text, cases[i].says);
        assert_int_equal(t.stub.asked, 2);
        assert_int_equal(t.agent.talk.n, 0);
        tear_down(&t);
    }
}

static void nonsense_is_one_sentence(void **state) {
    (void)state;
    static const struct {
        const char *reply, *says;
    } cases[] = {
        {"=<html>hello</html>", "no chat completion"},
        {"=", "no chat completion"},
        {"={", "not valid JSON"},
        {"=[1]", "it is no object"},
        {"={\"choices\": []}", "no choices"},
        {"={\"choices\": {}}", "no choices"},
        {"={\"choices\": [7]}", "no choices"},
        {"={\"choices\": [{}]}", "no message"},
        {"={\"choices\": [{\"message\": {\"content\": 5}}]}", "its content is no text"},
        {"={\"choices\": [{\"message\": {\"content\": [5]}}]}", "neither text nor an object"},
        {"={\"choices\": [{\"message\": {\"tool_calls\": {}}}]}", "tool_calls are no list"},
        {"={\"choices\": [{\"message\": {\"tool_calls\": [0]}}]}", "a tool call is no object"},
        {"={\"choices\": [{\"message\": {\"tool_calls\": [{\"function\": {\"name\": 4}}]}}]}",
         "name of a tool call"},
        {"={\"choices\": [{\"message\": {\"tool_calls\": [{\"function\": {\"name\": \"ocr\", \"arguments\": "
         "4}}]}}]}",
         "neither text nor an object"},
        {"={\"choices\": [{\"message\": {\"content\": \"\"}, \"finish_reason\": \"length\"}]}",
         "--max-tokens"},
        {"={\"choices\": [{\"message\": {\"content\": null}, \"finish_reason\": \"content_filter\"}]}",
         "content filter"},
        {"={\"error\": \"no memory on the card\"}", "no memory on the card"},
        {"=data: {\"choices\": [{\"delta\": 3}]}\n\n", "no message"},
        {"=data: {\"choi\n\n", "not valid JSON"},
        {"=data: {\"error\": {\"message\": \"overloaded\"}}\n\n", "overloaded"},
        {"llamacpp_stream_error.sse", "the slot was lost"},
        {"llamacpp_no_pictures.json", "mmproj"},
        {"cut.sse", "breaks off"},
        {"openai_key.json", "status 401: Incorrect API key"},
        {"!huge", "more than 16384 KiB"},
        {"!line", "longer than 1024 KiB"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const script[] = {cases[i].reply, "openai_answer.sse", NULL};
        struct talk t;
        set_up(&t, script);
        if (try_to_ask(&t, "Hello"))
            fail_msg("%s is answered with '%s'", cases[i].reply, t.reply.value);
        if (t.err.code != LP_EIO || !strstr(t.err.text, cases[i].says))
            fail_msg("%s: %d '%s' does not say '%s'", cases[i].reply, t.err.code, t.err.text, cases[i].says);
        assert_int_equal(t.agent.talk.n, 0);
        ask(&t, "Hello"); /* the conversation goes on */
        tear_down(&t);
    }
}

static void endless_answers_end(void **state) {
    (void)state;
    static const char *const words[] = {"!words", NULL}, *const pings[] = {"!pings", NULL},
                             *const silent[] = {"!silent", NULL};
    struct talk t;
    set_up(&t, words);
    ask(&t, "Talk"); /* cut, as a model on this machine is after its tokens */
    assert_true(strlen(t.reply.value) > 1000 && strlen(t.reply.value) < 10000);
    assert_string_equal(lp_str_text(&t.answer), t.reply.value);
    tear_down(&t);
    prepare(&t, pings);
    t.settings.at.wait_ms = 100;
    start(&t);
    assert_false(try_to_ask(&t, "Talk"));
    assert_non_null(strstr(t.err.text, "longer than 1 seconds"));
    tear_down(&t);
    prepare(&t, silent);
    t.settings.at.wait_ms = 200;
    t.settings.at.attempts = 1;
    start(&t);
    assert_false(try_to_ask(&t, "Talk"));
    assert_non_null(strstr(t.err.text, "longer than 0.2 seconds"));
    tear_down(&t);
}

static void *cancel_when_silent(void *context) {
    struct talk *t = context;
    sem_wait(&t->stub.silent);
    atomic_store(&t->cancel, true);
    return NULL;
}

static void asking_can_be_stopped_at_any_moment(void **state) {
    (void)state;
    static const char *const scripts[][2] = {{"!silent", NULL}, {"!pings", NULL}};
    for (int i = 0; i < 2; i++) {
        struct talk t;
        pthread_t thread;
        set_up(&t, scripts[i]);
        assert_int_equal(pthread_create(&thread, NULL, cancel_when_silent, &t), 0);
        double begun = lp_clock_ms();
        assert_false(try_to_ask(&t, "Hello"));
        assert_int_equal(t.err.code, LP_ECANCELED);
        assert_true(lp_clock_ms() - begun < 5000);
        pthread_join(thread, NULL);
        tear_down(&t);
    }
    static const char *const words[] = {"!words", NULL}, *const busy[] = {"openai_busy.json", NULL};
    struct talk t;
    set_up(&t, words);
    t.cancel_at = 3;
    assert_false(try_to_ask(&t, "Hello"));
    assert_int_equal(t.err.code, LP_ECANCELED);
    assert_true(t.pieces < 6);
    tear_down(&t);
    prepare(&t, busy); /* while it waits for another attempt */
    t.settings.at.wait = NULL;
    start(&t);
    atomic_store(&t.cancel, false);
    sem_post(&t.stub.silent);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_when_silent, &t), 0);
    assert_false(try_to_ask(&t, "Hello"));
    assert_int_equal(t.err.code, LP_ECANCELED);
    pthread_join(thread, NULL);
    tear_down(&t);
}

static void large_pictures_are_sent_small(void **state) {
    (void)state;
    static const char *const script[] = {"openai_answer.sse", NULL};
    struct talk t;
    prepare(&t, script);
    t.settings.longest_side = 32;
    start(&t);
    ask(&t, "Hello");
    const json_t *part = json_array_get(json_object_get(message(&t, 0, 1), "content"), 1);
    const char *url = text_in(json_object_get(part, "image_url"), "url");
    assert_memory_equal(url + strlen("data:image/png;base64,"), "iVBORw0KGgoAAAANSUhEUgAAACAAAAAY",
                        32); /* 32 x 24 */
    tear_down(&t);
}

/* Allocations of a whole request fail one after the other; the server is a process of its own, as it
 * allocates, too. */
static void memory_may_run_out(void **state) {
    (void)state;
    static const char *const script[] = {"vllm_edit.sse", "openai_answer.sse", NULL};
    bool done = false;
    long tries = 0;
    for (long n = 1; !done; n += 1 + n / 30, tries++) {
        struct talk t;
        prepare(&t, script);
        pid_t server = fork();
        if (server == 0) {
            http_stub_run(&t.stub.http);
            _exit(0);
        }
        begin(&t);
        lp_test_fail_alloc(n);
        done = try_to_ask(&t, "Make it snow");
        lp_test_fail_alloc(0);
        if (!done && t.err.code != LP_EMEMORY)
            fail_msg("allocation %ld: %s", n, t.err.text);
        end(&t);
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
        close(t.stub.http.listener);
    }
    assert_true(tries > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skills_are_called_natively),
        cmocka_unit_test(several_calls_come_in_pieces),
        cmocka_unit_test(pictures_of_skills_are_shown),
        cmocka_unit_test(text_where_there_are_no_tools),
        cmocka_unit_test(the_switch_is_obeyed),
        cmocka_unit_test(whole_answers_are_answers),
        cmocka_unit_test(words_before_calls_stay_told),
        cmocka_unit_test(what_is_refused_is_left_out),
        cmocka_unit_test(old_exchanges_are_dropped_where_all_does_not_fit),
        cmocka_unit_test(what_passes_is_waited_for),
        cmocka_unit_test(mistakes_are_sent_back),
        cmocka_unit_test(nonsense_is_one_sentence),
        cmocka_unit_test(endless_answers_end),
        cmocka_unit_test(asking_can_be_stopped_at_any_moment),
        cmocka_unit_test(large_pictures_are_sent_small),
        cmocka_unit_test(memory_may_run_out),
    };
    setenv("no_proxy", "*", 1); /* the server is on this machine */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
