/* SPDX-License-Identifier: MIT */
/* The loop with a scripted planner and the real skills. */
#include "plan/agent.h"

#include "base/memory.h"
#include "plan/fake_lmm.h"
#include "plan/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TURN(thoughts, actions, value)                                                                       \
    LP_MARK_THOUGHTS " " thoughts "\n" LP_MARK_ACTIONS " " actions "\n" LP_MARK_VALUE " " value "\n"
#define CALL(name, params) "{\"API_name\": \"" name "\", \"API_params\": {" params "}}"

/* What the hooks heard. */
struct heard {
    struct lp_str answer, dialogue, thoughts, skills;
    int pieces, plans, results, ran;
    bool half; /* a piece was no whole UTF-8 or held an open brace */
    atomic_bool cancel;
    int cancel_at; /* piece at which to cancel; 0: never */
};

static void hear(void *context, const struct lp_step *s) {
    struct heard *h = context;
    switch (s->kind) {
    case LP_STEP_ANSWER: {
        json_t *whole = json_string(s->text);
        h->half = h->half || !whole || strchr(s->text, '{');
        json_decref(whole);
        lp_str_puts(&h->answer, s->text);
        if (++h->pieces == h->cancel_at)
            atomic_store(&h->cancel, true);
        break;
    }
    case LP_STEP_THOUGHTS:
        lp_str_printf(&h->thoughts, "%s|", s->text);
        break;
    case LP_STEP_PLAN:
        h->plans++;
        break;
    case LP_STEP_START:
        lp_str_printf(&h->skills, "%s ", s->text);
        break;
    case LP_STEP_RESULT:
        h->results++;
        h->ran += s->call != NULL;
        break;
    default:
        lp_str_printf(&h->dialogue, "%s~", s->text);
    }
}

struct talk {
    struct fake fake;
    struct lp_agent agent;
    struct heard heard;
    struct lp_hooks hooks;
    struct lp_reply reply;
    struct lp_error err;
};

static void begin(struct talk *t, const char *const *script) {
    struct lp_sampling sampling = {.temperature = 0, .top_p = 1, .most_tokens = 300};
    memset(t, 0, sizeof *t);
    assert_true(fake_open(&t->fake, script, 0, 4000));
    assert_true(lp_agent_init(&t->agent, &t->fake.lmm, NULL, &sampling, NULL));
    t->hooks = (struct lp_hooks){hear, &t->heard, &t->heard.cancel};
}

static void add_picture(struct talk *t) {
    struct lp_image *image = lp_image_new(64, 48, NULL);
    assert_non_null(image);
    memset(image->pixel, 255, 64 * 48 * 3);
    assert_non_null(lp_conversation_add_picture(&t->agent.talk, image, NULL));
}

static void ask(struct talk *t, const char *text) {
    struct lp_request q = {.text = text};
    if (!lp_agent_ask(&t->agent, &q, &t->hooks, &t->reply, &t->err))
        fail_msg("%s", t->err.text);
}

static void end(struct talk *t) {
    lp_reply_done(&t->reply);
    lp_str_done(&t->heard.answer);
    lp_str_done(&t->heard.dialogue);
    lp_str_done(&t->heard.thoughts);
    lp_str_done(&t->heard.skills);
    lp_agent_done(&t->agent);
    lp_lmm_close(&t->fake.lmm);
}

static void an_answer_without_skills(void **state) {
    (void)state;
    static const char *const script[] = {
        TURN("Nothing to run.", "[]", "It is \xc3\xa9t\xc3\xa9 \xf0\x9f\x9a\x80.\n\nYes."), NULL};
    struct talk t;
    begin(&t, script);
    ask(&t, "Hello");
    assert_string_equal(t.reply.value, "It is \xc3\xa9t\xc3\xa9 \xf0\x9f\x9a\x80.\n\nYes.");
    assert_string_equal(lp_str_text(&t.heard.answer), t.reply.value);
    assert_string_equal(t.reply.thoughts, "Nothing to run.");
    assert_string_equal(lp_str_text(&t.heard.thoughts), "Nothing to run.|");
    assert_int_equal(json_array_size(t.reply.actions), 0);
    assert_true(t.heard.pieces > 3);
    assert_false(t.heard.half);
    assert_int_equal(t.heard.results, 0);
    end(&t);
}

static void results_are_quoted_not_retyped(void **state) {
    (void)state;
    static const char *const script[] = {
        TURN("I read it.", "[" CALL("ocr", "") "]", "I will use ocr to help to answer the question."),
        TURN("Thanks to the output of ocr.", "[]", "It says: {text_1}. Not {text_9}, nor {x."), NULL};
    struct talk t;
    begin(&t, script);
    struct lp_image *image = lp_image_open(LP_SOURCE_DIR "/examples/sign.jpg", &t.err);
    assert_non_null(image);
    assert_non_null(lp_conversation_add_picture(&t.agent.talk, image, NULL));
    ask(&t, "What does the sign say?");
    assert_int_equal(t.heard.ran, 1);
    const struct lp_object *text = lp_objects_find(&t.agent.talk.objects, "text_1");
    assert_non_null(text);
    char want[1024];
    snprintf(want, sizeof want, "It says: %s. Not text_9, nor {x.", text->text);
    assert_string_equal(lp_str_text(&t.heard.answer), t.reply.value);
    assert_string_equal(t.reply.value, want);
    assert_string_equal(lp_str_text(&t.heard.skills), "ocr ");
    assert_string_equal(json_string_value(json_array_get(t.reply.skills, 0)), "ocr");
    const json_t *result = json_array_get(t.reply.results, 0);
    assert_string_equal(json_string_value(json_object_get(result, "status")), "done");
    assert_non_null(strstr(lp_str_text(&t.heard.dialogue), "'handles': 'text_1, box_1"));
    assert_non_null(
        strstr(lp_str_text(&t.heard.dialogue), "answer my first question: What does the sign say?~"));
    json_t *all = lp_reply_json(&t.reply, &t.agent.talk.objects);
    assert_string_equal(json_string_value(json_object_get(all, "value")), t.reply.value);
    assert_true(json_array_size(json_object_get(all, "objects")) >= 3);
    json_decref(all);
    end(&t);
}

static void what_is_not_ready_is_said_plainly(void **state) {
    (void)state;
    static const char *const silent[] = {
        TURN("Look.",
             "[" CALL("semantic-sam", "\"points\": [[0.5, 0.5]]") ", " CALL(
                 "inpainting", "\"prompt\": \"a cat\", \"mask\": \"mask_1\"") "]",
             "I will use both."),
        TURN("Sorry.", "[]", "Here is your picture."), NULL};
    static const char *const honest[] = {
        TURN("Look.", "[" CALL("semantic-sam", "\"points\": [[0.5, 0.5]]") "]", "I will."),
        TURN("Sorry.", "[]", "I wanted to use semantic-sam, but it is not ready."), NULL};
    struct talk t;
    begin(&t, silent);
    add_picture(&t);
    ask(&t, "Replace the dog with a cat");
    assert_memory_equal(
        t.reply.value,
        "Here is your picture. I wanted to use semantic-sam for this, but it is not ready on this machine: it needs ",
        107);
    assert_non_null(strstr(t.reply.value, " I wanted to use inpainting for this"));
    assert_string_equal(lp_str_text(&t.heard.answer), t.reply.value);
    assert_int_equal(t.heard.results, 2);
    assert_int_equal(t.heard.ran, 0);
    assert_non_null(strstr(
        lp_str_text(&t.heard.dialogue),
        "inpainting model outputs: {'message': 'The inpainting is not ready on this machine: it needs "));
    end(&t);
    begin(&t, honest);
    add_picture(&t);
    ask(&t, "Cut everything out");
    assert_string_equal(t.reply.value, "I wanted to use semantic-sam, but it is not ready.");
    end(&t);
}

static void planning_runs_and_remembers_nothing(void **state) {
    (void)state;
    static const char *const script[] = {TURN("I read it.", "[" CALL("ocr", "") "]", "I will use ocr."),
                                         NULL};
    struct talk t;
    begin(&t, script);
    add_picture(&t);
    struct lp_request q = {.text = "Read"};
    for (int i = 0; i < 2; i++) {
        assert_true(lp_agent_plan(&t.agent, &q, &t.hooks, &t.reply, &t.err));
        assert_string_equal(t.reply.value, "I will use ocr.");
        assert_int_equal(json_array_size(t.reply.actions), 1);
        assert_int_equal(t.agent.talk.n, 0);
        assert_int_equal(t.agent.talk.shown, 0);
        lp_reply_done(&t.reply);
    }
    assert_int_equal(t.heard.results, 0);
    assert_string_equal(lp_str_text(&t.heard.answer), "");
    end(&t);
}

static void cancelling_leaves_the_conversation_as_it_was(void **state) {
    (void)state;
    static const char *const script[] = {TURN("Nothing.", "[]", "A long answer that goes on and on and on."),
                                         NULL};
    struct talk t;
    begin(&t, script);
    t.heard.cancel_at = 2;
    struct lp_request q = {.text = "Hello"};
    assert_false(lp_agent_ask(&t.agent, &q, &t.hooks, &t.reply, &t.err));
    assert_int_equal(t.err.code, LP_ECANCELED);
    assert_int_equal(t.agent.talk.n, 0);
    t.heard.cancel_at = 0;
    atomic_store(&t.heard.cancel, false);
    ask(&t, "Hello");
    assert_string_equal(t.reply.value, "A long answer that goes on and on and on.");
    end(&t);
}

/* Calls that never run tell why, and those after them that need their work, too. */
static void failures_become_messages(void **state) {
    (void)state;
    static const char *const script[] = {NULL};
    static const struct lp_hooks none = {0};
    struct talk t;
    begin(&t, script);
    json_t *actions = json_loads("[{\"API_name\": \"teleport\", \"API_params\": {}},"
                                 " {\"API_name\": \"ocr\", \"API_params\": {}},"
                                 " {\"API_name\": \"sd\", \"API_params\": {\"prompt\": \"a cat\"}},"
                                 " {\"API_name\": \"ocr\", \"API_params\": {\"image\": \"img_1\"}}]",
                                 0, NULL);
    int n;
    struct lp_request q = {.text = "x"};
    struct lp_job *job = lp_jobs_new(actions, &n);
    assert_int_equal(n, 4);
    assert_true(lp_jobs_run(&t.agent, &q, &none, actions, job, n, &t.err));
    assert_string_equal(job[0].message, "The teleport failed: there is no such skill.");
    assert_non_null(strstr(job[1].message, "The ocr failed: ocr needs a picture"));
    assert_non_null(strstr(job[2].message, "The sd is not ready on this machine: it needs "));
    assert_string_equal(job[3].message, "The ocr failed: it needs img_1, which sd did not leave.");
    lp_jobs_done(job, n);
    json_decref(actions);
    end(&t);
}

/* Plays every skill: tags, and for the rest what it was asked. */
static bool play(void *context, struct lp_call *call, struct lp_error *err) {
    int *calls = context;
    (*calls)++;
    assert_non_null(call->picture);
    const char *caption = json_string_value(json_object_get(call->params, "caption"));
    bool tags = !strcmp(call->skill->name, "tag");
    json_t *said = tags ? json_string("dog | red car") : json_string(caption ? caption : call->skill->name);
    assert_int_equal(json_object_set_new(call->result, tags ? "tags" : "said", said), 0);
    return !tags || lp_objects_add_text(&call->made, "dog | red car", 1, err) != NULL;
}

static void all_tools_look_first(void **state) {
    (void)state;
    static const char *const script[] = {TURN("I know.", "[]", "A dog and a car."), TURN("Yes.", "[]", "Yes."), NULL};
    struct talk t;
    int calls = 0;
    begin(&t, script);
    t.agent.tools = LP_TOOLS_ALL;
    t.agent.play = (struct lp_play){.run = play, .context = &calls};
    t.fake.lmm.knows_handles = true;
    add_picture(&t);
    ask(&t, "What is it?");
    assert_string_equal(t.agent.talk.said[0].text, "<image>\nram model outputs: {'tags': 'dog | red car', 'handles': 'text_1'}\n"
                                                   "grounding_dino model outputs: {'said': 'dog . red car'}\n"
                                                   "blip2 model outputs: {'said': 'caption'}\n"
                                                   "ocr model outputs: {'said': 'ocr'}\n\nWhat is it?");
    assert_string_equal(t.reply.value, "A dog and a car.");
    assert_int_equal(calls, 4);
    lp_reply_done(&t.reply);
    ask(&t, "Sure?"); /* the picture is known by now */
    assert_int_equal(calls, 4);
    assert_string_equal(t.agent.talk.said[2].text, "Sure?");
    end(&t);
}

static void no_tools_means_none(void **state) {
    (void)state;
    struct lp_request q = {.text = "Find the dog."};
    struct talk t;
    enum lp_tools tools;
    begin(&t, NULL); /* says random things: only the grammar holds it back */
    assert_true(lp_tools_parse("none", &t.agent.tools, NULL));
    add_picture(&t);
    for (int i = 0; i < 4; i++) {
        assert_true(lp_agent_ask(&t.agent, &q, &t.hooks, &t.reply, NULL));
        assert_int_equal(json_array_size(t.reply.actions), 0);
        lp_reply_done(&t.reply);
    }
    assert_false(lp_tools_parse("some", &tools, &t.err));
    assert_int_equal(t.err.code, LP_EUSAGE);
    end(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_without_skills),
        cmocka_unit_test(results_are_quoted_not_retyped),
        cmocka_unit_test(what_is_not_ready_is_said_plainly),
        cmocka_unit_test(planning_runs_and_remembers_nothing),
        cmocka_unit_test(cancelling_leaves_the_conversation_as_it_was),
        cmocka_unit_test(failures_become_messages),
        cmocka_unit_test(all_tools_look_first),
        cmocka_unit_test(no_tools_means_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
